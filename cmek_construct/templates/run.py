"""All templates of one run together: who imports what of whom, and whose account it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

from cmek_construct.checks import printable
from cmek_construct.policy import ACCOUNT, REGION
from cmek_construct.templates import attributes, conditions
from cmek_construct.templates.choices import Case, Impossible, InCase, Undecided, each_case
from cmek_construct.templates.files import Problem, Template, read
from cmek_construct.templates.reading import members
from cmek_construct.templates.stacks import OWN_ACCOUNT, OWN_REGION, Stack, every, of_template
from cmek_construct.templates.texts import alone, hole, holes, is_known, plain
from cmek_construct.templates.values import Values

WRITER: Final = "Custom::CrossRegionExportWriter"
_MOST_KEPT: Final = 256
T = TypeVar("T")


class Run:
    """The stacks of some templates, and what each knows of the others."""

    def __init__(
        self,
        templates: Sequence[Template],
        account: str | None = None,
        problems: Iterable[Problem] = (),
        accounts: dict[str, str] | None = None,
    ) -> None:
        """Put templates together.

        Args:
            templates: of stacks that stand in no other of them.
            account: of the stacks of which no cloud assembly says it: twelve digits.
            problems: of reading them.
            accounts: of single stacks of which nobody else says it, by name.
        """
        self.templates = templates
        self.account = account
        self.problems = list(problems)
        names = _names(templates)
        self.tops = [of_template(one, name) for one, name in zip(templates, names, strict=True)]
        for top in self.tops:
            self._set_account(top, account or (accounts or {}).get(top.name))
        self.stacks = list(every(self.tops))
        self.forms = {
            "AWS::AccountId": ACCOUNT,
            "AWS::Region": REGION,
            **{name: form for one in self.stacks for name, form in one.forms()},
            **{str(alone(one.account)): ACCOUNT for one in self.stacks if not is_known(one.account)},
        }
        """What is known of holes, for `policy.read`."""
        self._values: dict[tuple[object, ...], Values] = {}

    def _set_account(self, top: Stack, account: str | None) -> None:
        if account is None:
            return
        if top.account not in (OWN_ACCOUNT, account):
            what = f"its cloud assembly says that it is of the account {top.account}, not {account}."
            way_out = "Leave out the account, or name that of the assembly."
            self.problems.append(Problem(top.template.name, what, way_out))
            return
        for one in every([top]):
            one.account = account if one.account == OWN_ACCOUNT else one.account

    def values(self, case: Case) -> Values:
        """The values of one case."""
        if case.key not in self._values:
            if len(self._values) > _MOST_KEPT:
                self._values.clear()
            self._values[case.key] = Values(self, case)
        return self._values[case.key]

    def cases(self, stack: Stack, work: Callable[[Values], T]) -> list[InCase[T]]:
        """What comes out in each case that the rules of a stack's template let be.

        Raises:
            TooManyCases: it hangs on too many conditions.
        """

        def in_case(case: Case) -> T:
            values = self.values(case)
            around: Stack | None = stack
            while around and (case.choices or case.members):
                if not conditions.allowed(values, around):
                    raise Impossible
                around = around.parent
            return work(values)

        return each_case(in_case)

    def said_of(self, stack: Stack, logical_id: str, case: Case) -> str | None:
        """The ARN of the role that the construct of a key says it is for."""
        said = stack.template.roles_of_keys.get(logical_id)
        try:
            return None if said is None else self.values(case).text(stack, said)
        except Undecided:
            return None

    def export(self, stack: Stack, name: str) -> tuple[Stack, str] | None:
        """The stack and output behind a name that is exported in an account and Region."""
        found = [one for one in self._exports.get(name, ()) if _may_be_beside(one[0], stack)]
        exact = [one for one in found if _is_beside(one[0], stack)]
        return _only(exact or found)

    def output(self, stack: Stack, name: str, region: str, output: str) -> Stack | None:
        """The stack of a name, in a Region, that has an output."""
        found = [
            one
            for one in self.tops
            if one.template.stack == plain(name) and one.region == region and output in one.outputs
        ]
        return _only([one for one in found if one.account == stack.account] or found)

    def parameter(self, stack: Stack, name: str) -> tuple[Stack, Any] | None:
        """Who writes a parameter of SSM for a stack of another Region, and what."""
        found = [
            (one, value)
            for one, region, value in self._written.get(name, ())
            if one.account == stack.account and region in (stack.region, OWN_REGION)
        ]
        return _only(found)

    @cached_property
    def arns(self) -> dict[tuple[Stack, str], str]:
        """The ARNs of all roles, users and keys, by stack and logical ID."""
        values = self.values(Case(holes=True))
        found: dict[tuple[Stack, str], str] = {}
        for stack in self.stacks:
            for name in stack.resources:
                if stack.type_of(name) in attributes.NAMED:
                    try:
                        found[stack, name] = str(attributes.arn(values, stack, name))
                    except (Undecided, RecursionError):
                        continue
        return found

    @cached_property
    def roles_by_id(self) -> dict[str, str]:
        """The ARN of each role, by the text that its unique ID is."""
        return {
            hole(f"{stack.named(name)}.RoleId"): arn
            for (stack, name), arn in self.arns.items()
            if stack.type_of(name) == attributes.ROLE
        }

    def is_part(self, name: str) -> bool:
        """Whether a hole is a part of an ARN: it has no separator in it."""
        return name in self.forms

    @cached_property
    def _exports(self) -> dict[str, list[tuple[Stack, str]]]:
        values = self.values(Case(holes=True))
        found: dict[str, list[tuple[Stack, str]]] = {}
        for stack in self.stacks:
            for name, output in stack.outputs.items():
                export = members(output.get("Export")).get("Name")
                try:
                    text = "" if export is None else values.text(stack, export)
                except (Undecided, RecursionError):
                    continue
                # An import is of the same account and Region as the export.
                beside = {stack.account, stack.region}
                is_read = text and all(hole(one) in beside for one in holes(text))
                if is_read and not _is_never(values, stack, output.get("Condition")):
                    found.setdefault(text, []).append((stack, name))
        return found

    @cached_property
    def _written(self) -> dict[str, list[tuple[Stack, str, Any]]]:
        values = self.values(Case(holes=True))
        found: dict[str, list[tuple[Stack, str, Any]]] = {}
        for stack in self.stacks:
            for logical_id in stack.resources:
                if stack.type_of(logical_id) == WRITER:
                    props = members(stack.properties(logical_id).get("WriterProps"))
                    region = values.text(stack, props.get("region", ""))
                    for name, value in members(props.get("exports")).items():
                        found.setdefault(name, []).append((stack, region, value))
        return found


def read_run(paths: Iterable[Path], account: str | None = None) -> Run:
    """Read files and folders, and put them together.

    Args:
        paths: files, cloud assemblies, other folders.
        account: of the stacks of which no cloud assembly says it: twelve digits.
    """
    files = read(paths)
    return Run(files.templates, account, files.problems)


def _names(templates: Sequence[Template]) -> list[str]:
    """A name of its own for each: the stack's, with its place if two have it, else the file's."""
    short = [printable(one.stack or one.file.name.partition(".")[0]) for one in templates]
    both = list(zip(short, templates, strict=True))
    placed = [f"{name} ({one.account}, {one.region})" for name, one in both]
    counted = Counter([*short, *placed])
    return [
        next((name for name in (short[at], placed[at]) if counted[name] == 1), f"{name} in {one.name}")
        for at, (name, one) in enumerate(both)
    ]


def _is_beside(one: Stack, other: Stack) -> bool:
    return one.account == other.account and one.region == other.region


def _may_be_beside(one: Stack, other: Stack) -> bool:
    account = one.account == other.account or OWN_ACCOUNT in (one.account, other.account)
    return account and (one.region == other.region or OWN_REGION in (one.region, other.region))


def _is_never(values: Values, stack: Stack, condition: Any) -> bool:
    """Whether a condition holds in no case."""
    try:
        return isinstance(condition, str) and conditions.holds(values, stack, condition) is False
    except (Undecided, RecursionError):
        return False


def _only(found: list[T]) -> T | None:
    return found[0] if len(found) == 1 else None
