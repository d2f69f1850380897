"""All templates of one run together: who imports what of whom, and whose account it is."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, lru_cache, partial
from itertools import chain, islice, product
from pathlib import Path
from typing import Any, Final, TypeVar

from cmek_construct.checks import printable
from cmek_construct.policy import ACCOUNT, REGION, Policy, Statement, aws, read
from cmek_construct.policy.statements import Condition, Kind
from cmek_construct.policy.text import alone, hole, holes, is_known
from cmek_construct.templates.choices import Case, InCase, TooManyCases, Undecided, each_case, exclude, holds
from cmek_construct.templates.files import Problem, Reader, Template
from cmek_construct.templates.reading import members
from cmek_construct.templates.stacks import KEYS, OWN_ACCOUNT, OWN_REGION, ROLE, USER, Place, Stack, every
from cmek_construct.templates.values import Values

_ROLE_ID: Final = re.compile(r"(\$\{[^}]*\})((?P<any>:?\*)|:.*)?", re.DOTALL)
"""What AWS has for who asks: the ID of a role, and the name of its session, or any."""
_MOST_WAYS: Final = 100  # of one statement
T = TypeVar("T")


class Run:
    """The stacks of some templates, and what each knows of the others."""

    def __init__(
        self,
        templates: Sequence[Template],
        account: str | None = None,
        problems: Iterable[Problem] = (),
        accounts: Mapping[str, str] | None = None,
    ) -> None:
        """Put templates together, of stacks that stand in no other of them.

        Where no cloud assembly says an account, it is ``account``, or by the name of the stack in ``accounts``.
        """
        self.templates = templates
        self.account = account
        self.problems = list(problems)
        self.tops: list[Stack] = []
        for one, name in zip(templates, _names(templates), strict=True):
            own = one.account or account or (accounts or {}).get(name, OWN_ACCOUNT)
            self.tops.append(Stack(name, one, own, one.region or OWN_REGION))
            if account not in (None, own):
                what = f"its cloud assembly says that it is of the account {own}, not {account}."
                self.problems.append(Problem(one.name, what, "Leave out the account, or name that of the assembly."))
        self.stacks = list(every(self.tops))
        self.forms = {"AWS::AccountId": ACCOUNT, "AWS::Region": REGION}  # what is known of holes, for `policy.read`
        self.forms |= {name: form for one in self.stacks for name, form in one.forms()}
        self.forms |= {str(alone(one.account)): ACCOUNT for one in self.stacks if not is_known(one.account)}
        self.values = lru_cache(256)(partial(Values, self))  # the values of one case

    def cases(self, stack: Stack, work: Callable[[Values], T]) -> list[InCase[T]]:
        """What comes out in each case that the rules of a stack's template let be, or `TooManyCases`."""

        def in_case(case: Case) -> T:
            values = self.values(case)
            if case.choices or case.members:
                exclude(values, stack)
            return work(values)

        return each_case(in_case)

    def places(self, *types: str) -> Iterator[Place]:
        """The resources of some types, or all."""
        every = (Place(stack, name) for stack in self.stacks for name in stack.resources)
        return (one for one in every if not types or one.type in types)

    def made(self, place: Place) -> list[InCase[Mapping[str, Any]]]:
        """The properties of a resource in each case that has it, or `TooManyCases`."""

        def work(values: Values) -> Any:
            return values.resolved(place.stack, place.properties) if values.exists(place) else None

        found = (one for one in self.cases(place.stack, work) if one.value is not None)
        return [InCase(one.case, one.value if isinstance(one.value, dict) else {"": one.value}) for one in found]

    def text(self, stack: Stack, value: Any) -> tuple[InCase[str], ...]:
        """A text in each case; of more cases than can be judged, one that cannot be read."""
        try:
            return tuple(self.cases(stack, lambda values: values.text(stack, value)))
        except TooManyCases as why:
            return (InCase(Case(), f"${{?more cases than can be judged: {why}}}"),)

    def said_of(self, stack: Stack, logical_id: str, case: Case) -> str | None:
        """The ARN of the role that the construct of a key says it is for."""
        if logical_id in stack.roles_of_keys:
            with suppress(Undecided):
                return self.values(case).text(stack, stack.roles_of_keys[logical_id])
        return None

    def elsewhere(self, what: str, stack: Stack) -> tuple[Stack, Any] | None:
        """Who gives a stack what it asks for, an export or what else is in `_given`, and what that is.

        It is the one in the account and Region of the stack, else in what may be they. An output may be asked of any
        account, by a role there.
        """
        is_output = what.startswith("output ")
        near = []
        for of, region, value in self._given.get(what, ()):
            both = ((of.account, stack.account), (region, stack.region))
            # What nobody says may be any.
            if is_output or all(len({*pair} - {OWN_ACCOUNT, OWN_REGION}) < 2 for pair in both):
                near.append((of, value, of.account == stack.account and (is_output or region == stack.region)))
        several = [one for one in near if one[2]] or near
        return several[0][:2] if len(several) == 1 else None

    @cached_property
    def arns(self) -> dict[Place, str]:
        """The ARNs of all roles, users and keys."""
        values = self.values(Case(holes=True))
        found = {}
        for place in self.places(ROLE, USER, *KEYS):
            with suppress(Undecided, RecursionError):
                found[place] = str(values.arn(place))
        return found

    @cached_property
    def typed(self) -> frozenset[str]:
        """The holes that a deployer types."""
        every = ((stack.named(name), one) for stack in self.stacks for name, one in stack.parameters.items())
        return frozenset(name for name, one in every if one.get("Type", "String") in ("String", "Number"))

    @cached_property
    def _roles_by_id(self) -> dict[str, str]:
        """The ARN of each role, by the text that its unique ID is."""
        roles = ((place, arn) for place, arn in self.arns.items() if place.type == ROLE)
        return {hole(f"{place.stack.named(place.logical_id)}.RoleId"): arn for place, arn in roles}

    def policy(self, document: Any, kind: Kind, resource: str | None = None) -> Policy:
        """A policy out of a resolved document; of one that is a reference, what it may be."""
        if isinstance(document, str) and alone(document):
            what = f"the policy {document}"
            return Policy(kind, (Statement(what, "", unreadable=(what,)),), resource, self.forms)
        policy = read(document, kind, resource=resource, forms=self.forms)
        return replace(policy, statements=tuple(chain.from_iterable(map(self._by_arns, policy.statements))))

    def _by_arns(self, statement: Statement) -> Iterator[Statement]:
        """A statement by the ARNs of roles of the run for their IDs: one for each way to meet its conditions."""
        ways = list(islice(product(*map(self._ways, statement.conditions)), _MOST_WAYS + 1))
        if len(ways) > _MOST_WAYS:
            what = f"{statement.name}: more ways to meet its conditions than can be judged"
            statement, ways = replace(statement, unreadable=(what,)), ways[:1]
        yield from (replace(statement, conditions=tuple(chain.from_iterable(way))) for way in ways)

    def _ways(self, one: Condition) -> list[list[Condition]]:
        """The ways to meet a condition, on IDs of roles of the run by each value, or negated by all values together."""
        found = map(_ROLE_ID.fullmatch, one.values if one.key.lower() == aws.USER_ID else ())
        ids = {it[0]: it for it in found if it and it[1] in self._roles_by_id}
        if not ids:
            return [[one]]
        is_negated, is_like = "Not" in one.operator, re.search("String(Not)?Like", one.operator)
        ways = []
        for value in one.values:
            role, by_id = ids.get(value), [replace(one, values=(value,))]
            by_arn = [replace(one, key=aws.PRINCIPAL_ARN, values=(self._roles_by_id[role[1]],))] if role else []
            is_any_session = role and role["any"] and is_like
            ways.append(by_arn if is_any_session else by_id if is_negated else by_arn + by_id)
        return [list(chain.from_iterable(ways))] if is_negated else ways

    @cached_property
    def _given(self) -> dict[str, list[tuple[Stack, str, Any]]]:
        """By kind and name: the stack, the Region and the value of all that is given to other stacks."""
        values = self.values(Case(holes=True))
        found: dict[str, list[tuple[Stack, str, Any]]] = defaultdict(list)
        for stack, name, output in ((own, name, one) for own in self.stacks for name, one in own.outputs.items()):
            given = (stack, stack.region, output.get("Value"))
            if stack.template.stack:
                found[f"output {name} of {stack.template.stack} in {stack.region}"].append(given)
            export, is_made = "", None
            with suppress(Undecided, RecursionError):
                export = values.text(stack, members(output.get("Export")).get("Name", ""))
                is_made = holds(values, stack, str(output.get("Condition")))
            # An import is of the same account and Region as the export.
            if export and is_made is not False and set(map(hole, holes(export))) <= {stack.account, stack.region}:
                found[f"export {export}"].append(given)
        for place in self.places("AWS::SSM::Parameter"):
            with suppress(Undecided, RecursionError):
                key = f"parameter {values.text(place.stack, place.properties.get('Name'))} of {place.stack.account}"
                found[key].append((place.stack, place.stack.region, place.properties.get("Value")))
        for place in self.places("Custom::CrossRegionExportWriter"):
            written = members(place.properties.get("WriterProps"))
            with suppress(Undecided, RecursionError):
                region = values.text(place.stack, written.get("region", ""))
                for name, value in members(written.get("exports")).items():
                    found[f"parameter {name} of {place.stack.account}"].append((place.stack, region, value))
        return found


def read_run(paths: Iterable[Path], account: str | None = None) -> Run:
    """Read files, cloud assemblies and other folders, and put them together; ``account`` as in `Run`."""
    reader = Reader()
    return Run(reader.read(paths), account, reader.problems)


def _names(templates: Sequence[Template]) -> list[str]:
    """A name of its own for each: the stack's, with its place if two have it, else the file's."""
    forms = []
    for one in templates:
        short = printable(one.stack or one.file.name.partition(".")[0])
        forms.append([short, f"{short} ({one.account}, {one.region})", f"{short} in {one.name}"])
    counted = Counter(name for some in forms for name in some[:2])
    return [next((name for name in some if counted[name] == 1), some[-1]) for some in forms]
