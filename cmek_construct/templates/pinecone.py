"""What is Pinecone's in a run, and who names a role of it: policies that are attached to it, and other resources."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

from cmek_construct.policy import Statement, aws
from cmek_construct.policy.statements import Kind
from cmek_construct.policy.text import alone, holes, is_known, is_unreadable
from cmek_construct.templates import evidence
from cmek_construct.templates.choices import InCase, TooManyCases
from cmek_construct.templates.files import NESTED, STACK_SET
from cmek_construct.templates.found import Attached, Finding, Found, Naming, Now, Place, Resource, Unknown, Unread
from cmek_construct.templates.reading import by, each_of, each_once, members, refers, writers
from cmek_construct.templates.run import Run
from cmek_construct.templates.stacks import ALIAS, KEYS, MANAGED_POLICY

_POLICIES: Final = ("AWS::IAM::Policy", MANAGED_POLICY, "AWS::IAM::RolePolicy")
_PINECONE: Final = re.compile("pine[-_]?cone", re.I)
_FROM_ELSEWHERE: Final = re.compile(r"Fn::ImportValue|Fn::GetStackOutput|Outputs\.|/exports/")
_CONCERNS: Final = re.compile(r"AWS::(IAM::(Role|\w*Policy)|KMS::\w*Key)|pine[-_]?cone", re.I)
_DEEPEST: Final = 100
_UNSEEN: Final = (NESTED, STACK_SET, "AWS::Serverless::Application")
"""What makes a stack of a template of its own, and hands it parameters."""
_SERVICES: Final = re.compile(r"(@aws-sdk/client-)?(iam|kms)", re.I)
_HARMLESS_CALL: Final = re.compile(r"(get|list|describe|simulate|tag|untag)", re.I)


def find(run: Run, *, known: Callable[[Place], bool] = lambda _: False, vendors: Collection[str] = ()) -> Found:
    """What is Pinecone's in a run.

    Some roles and keys are known to be, whatever they look like: those of a lock. Of other accounts are the roles of
    vendors that were declared. Where neither a cloud assembly nor the caller says an account, it is that whose root
    rules Pinecone's keys.
    """
    found = Found(run, known, vendors)
    if accounts := found.accounts():
        found = Found(Run(run.templates, run.account, found.problems, accounts), known, vendors)
    around = list(Around(found).look())
    found.attached = [one for one in around if isinstance(one, Attached)]
    for one in found.attached:
        if role := found.by_place.get(one.role):
            role.attached.append(one)
    found.naming = [one for one in around if isinstance(one, Naming)]
    found.unknown = [one for one in around if isinstance(one, Unknown) and found.judged]
    found.unread = list({(one.place, str(one)): one for one in around if isinstance(one, Unread)}.values())
    return found


class Around:
    """Looks at everything around the roles and keys that were found."""

    def __init__(self, found: Found) -> None:
        self._found, self._run = found, found.run
        self._managed: dict[str, list[tuple[Now, bool]]] = {}  # by the ARN of a policy: who has it, or is bounded by it

    def look(self) -> Iterator[Finding]:
        """All that is there, some of it more than once."""
        found = self._found
        yield from self._attached_by_roles()
        for place in self._run.places() if found.roles or found.given else ():
            if place.properties and place not in found.judged and place not in found.too_many:
                yield from self._look_at(place)
        for place, hangs_on in found.too_many.items():
            if place in found.pinecones or self._may_be_pinecones(place):
                why = f"its conditions have more cases than can be judged ({hangs_on})."
                yield Unread(place, why, "Let it hang on fewer conditions.")
        yield from self._rewritten()
        yield from self._keys_that_may_be() if self._found.roles else ()

    def _attached_by_roles(self) -> Iterator[Attached]:
        """The policies that roles have themselves; the ARNs of others, and who has them."""
        for one in (one for role in self._found.roles for one in role.cases):
            for number, inline in enumerate(each_of(one.properties.get("Policies"))):
                document = members(inline).get("PolicyDocument", inline)
                policy = self._run.policy(document, "permissions")
                name = str(members(inline).get("PolicyName", f"Policies.{number}"))
                yield Attached(one.place, one.place, name, one.case, policy)
            for member in ("ManagedPolicyArns", "PermissionsBoundary"):
                for arn in each_of(one.properties.get(member)):
                    self._managed.setdefault(str(arn), []).append((one, member == "PermissionsBoundary"))
        shown = {arn for place in self._run.places(MANAGED_POLICY) for arn in self._arns(place)}
        for arn, users in self._managed.items():
            for one, is_boundary in users if arn not in shown else ():
                yield Attached(one.place, one.place, arn, one.case, None, is_boundary)

    def _arns(self, place: Place) -> set[str]:
        return {one.value for one in self._run.text(place.stack, {"Ref": place.logical_id})}

    def _look_at(self, place: Place) -> Iterator[Finding]:
        """One resource that is neither role nor key of Pinecone's."""
        of_deploy = writers(place.raw)
        mentioned = self._mentioned(place.raw) if of_deploy else ""
        if mentioned == "role" or (mentioned and place.type in _POLICIES):
            yield from (Unread(place, f"{name} rewrites what it says.") for name in of_deploy)
        try:
            cases = self._run.made(place)
        except TooManyCases as why:
            if self._mentioned(place.raw) == "role":
                yield Unread(place, f"it names the role, in more cases than can be judged ({why}).")
            return
        for one in cases:
            yield from self._expanded(place, one.value)
            if place.type in _POLICIES:
                yield from self._attached(place, one)
            elif place.type not in (NESTED, STACK_SET):
                for member, leaf in _leaves(one.value, ""):
                    yield from self._naming(place, member, leaf)

    def _expanded(self, place: Place, properties: Mapping[str, Any]) -> Iterator[Unread]:
        """What makes resources that are not in the run, and is handed the role or the key."""
        raw = place.raw if place.raw.get("Connectors") else place.properties
        if place.type in _UNSEEN and place.logical_id not in place.stack.children:
            handed = [some.get(one) for some in (properties, raw) for one in ("Parameters", "StackInstancesGroup")]
            why, way_out = "its template", "Synthesize it together with this one, and read the whole assembly."
        elif raw is place.raw or place.type == "AWS::Serverless::Connector" or place.type.endswith("::MODULE"):
            ends = (str(members(raw.get(one)).get("Id")) for one in ("Source", "Destination"))
            handed = [properties, raw, *map(place.stack.resources.get, ends)]
            why, way_out = "what it becomes", "Write out what it stands for."
        else:
            return
        if kind := self._mentioned(handed):
            yield Unread(place, f"{why} is not in the run, and it is handed the {kind}.", way_out)

    @cached_property
    def _names(self) -> dict[str, re.Pattern[str]]:
        given = [arn for arn, _ in self._found.given]
        return {"role": _referring(self._found.roles, given), "key": _referring(self._found.keys, [])}

    def _mentioned(self, value: Any) -> str:
        """Whether something names the ``role``, or else the ``key``, as it is written or as it resolves."""
        text = json.dumps(value, default=str)
        return next((kind for kind, names in self._names.items() if names.search(text)), "")

    def _may_be_pinecones(self, place: Place) -> bool:
        """Whether something in a resource of too many cases, or what names it, is Pinecone's in whatever case."""
        stack = place.stack
        text = json.dumps([place.properties, stack.mappings, stack.parameters], default=str)
        others = (one for one in stack.resources.values() if one.get("Type") in (ALIAS, *KEYS))
        around = (json.dumps(one, default=str) for one in (*others, *stack.outputs.values()))
        return bool(
            _PINECONE.search(text)
            or any(refers(one, place.logical_id) and _PINECONE.search(one) for one in around)
            or (self._found.roles and (stack.parent or _FROM_ELSEWHERE.search(text)))
            or self._mentioned(place.raw) == "role"
        )

    def _attached(self, place: Place, one: InCase[Mapping[str, Any]]) -> Iterator[Finding]:
        properties = one.value
        name = str(properties.get("PolicyName") or properties.get("ManagedPolicyName") or place.logical_id)
        roles: set[tuple[Place, bool]] = set()
        for text in map(str, (*each_of(properties.get("Roles")), *each_of(properties.get("RoleName")))):
            found = self._roles_by(text, place)
            roles |= {(role, False) for role in found}
            if not found and self._is_unknown(text):
                yield Unknown(place, "Roles", text)
        for arn in self._arns(place) if self._managed and place.type == MANAGED_POLICY else ():
            roles |= {(role.place, bounds) for role, bounds in self._managed.get(arn, ()) if role.case.agrees(one.case)}
        policy = self._run.policy(properties.get("PolicyDocument"), "permissions") if roles else None
        for role, is_boundary in sorted(roles, key=lambda it: str(it[0])):
            yield Attached(place, role, name, one.case, policy, is_boundary)

    def _roles_by(self, text: str, place: Place) -> dict[Place, str]:
        """The roles that a text names, each with its ARN."""
        found, account = self._found, place.stack.account
        some = [one for one in found.by_name.by(text, account) if one[1] in found.by_place]
        some = some or [*found.by_given.by(text, account)]
        return {role: arn for arn, role in sorted(some, key=lambda one: (str(one[1]), one[0]))}

    def _is_unknown(self, text: str) -> bool:
        """Whether a text has a reference of which nobody knows that it is no role of Pinecone's."""
        return "${?" in text or not all(name in self._run.forms for name in holes(text))

    def _naming(self, place: Place, member: str, leaf: Any) -> Iterator[Finding]:
        """Where another resource names the role, in a policy or in a property."""
        if call := _call(leaf):
            if self._mentioned(leaf):
                why = f"it calls {call} for the role or the key."
                yield Unread(place, why, "Write what it does as resources of the template.")
            return
        policy = None
        names = [leaf] if str(leaf).startswith("arn:") else []
        unread: list[str] = []
        if _is_document(leaf):
            statements = each_of(members(leaf).get("Statement"))
            # A principal's own policy names nobody.
            is_own = all(isinstance(one, dict) and {"Principal", "NotPrincipal"}.isdisjoint(one) for one in statements)
            kind: Kind = "permissions" if is_own and isinstance(leaf, dict) else "resource"
            policy = self._run.policy(leaf, kind)
            references = (text for text in evidence.let_in(policy) if alone(text) and self._is_unknown(text))
            yield from (Unknown(place, member, text) for text in references)
            names = [text for one in policy.statements for text in evidence.names_in(one)]
            unread = [what for one in evidence.allowing(policy) for what in one.unreadable]
            policy = replace(policy, statements=tuple(map(self._without_unknown, policy.statements)))
        named = {role: arn for text in names for role, arn in self._roles_by(text, place).items()}
        yield from (Naming(place, role, member, arn, policy) for role, arn in named.items())
        if unread and not named and self._mentioned([place.raw, leaf]) == "role":
            yield Unread(place, f"it names the role, and its policy cannot be read ({unread[0]}).")

    def _without_unknown(self, statement: Statement) -> Statement:
        """A statement without references that are not known: they are not taken for the role."""
        people, on_arn = statement.principals, statement.on(aws.PRINCIPAL_ARN)
        known = people and tuple(one for one in people if not self._is_unknown(one.name))
        conditions = (
            replace(one, values=tuple(it for it in one.values if one not in on_arn or not self._is_unknown(it)))
            for one in statement.conditions
        )
        return replace(statement, principals=known, conditions=tuple(conditions))

    def _rewritten(self) -> Iterator[Unread]:
        """What another than CloudFormation writes, or what is no resource by itself."""
        first = {place.stack: place for place in sorted(self._found.judged, key=str, reverse=True)}
        for stack in self._run.stacks:
            for what in stack.rewritten() if stack in first else ():
                yield Unread(first[stack], f"{what} rewrites the template, so that role and key cannot be judged.")
            for name, loop in stack.not_made.items():
                if _CONCERNS.search(json.dumps(loop, default=str)) or self._mentioned(loop) == "role":
                    yield Unread(Place(stack, name), "the loop is over what only the deploy knows.")
        for place in self._run.places(STACK_SET):
            body = place.properties.get("TemplateBody")
            is_read = not body or place.logical_id in place.stack.children
            if not is_read and _CONCERNS.search(json.dumps(body, default=str)):
                yield Unread(place, "its TemplateBody is no template that can be read.")

    def _keys_that_may_be(self) -> Iterator[Unread]:
        """Keys of which nobody can tell whether they are the role's.

        Where none is known to be, one that has no policy may be, or that names somebody by a parameter.
        """
        known, none_is = self._found.pinecones | self._found.too_many.keys(), not self._found.keys

        def may_be(key: Now) -> bool:
            unread = (one for one in evidence.allowing(key.policy) if one.unreadable)
            return (
                any(one.principals is one.not_principals is None for one in unread)
                or any(is_unreadable(text) or (none_is and alone(text)) for text in evidence.let_in(key.policy))
                or (none_is and "KeyPolicy" not in key.properties)
            )

        why = "nobody can tell whether its policy names the role."
        way_out = "Name whom it lets in, by the ARN or by a reference to the role."
        for place, cases in by(self._found.each_key, lambda one: one.place).items():
            if place not in known and any(map(may_be, cases)):
                yield Unread(place, why, way_out, self._found.resource(cases))


def _referring(ours: Iterable[Resource], given: Iterable[str]) -> re.Pattern[str]:
    """What refers to roles or keys in JSON as text: by their logical IDs, or by the names in their and other ARNs."""
    arns = [*given, *(now.arn for one in ours for now in one.cases)]
    names = sorted({arn.rpartition("/")[2] for arn in arns})
    named = (rf"(?<![\w+@-]){re.escape(one)}(?![\w+@-])" if is_known(one) else re.escape(one) for one in names)
    ids = "|".join(sorted({re.escape(one.place.logical_id) for one in ours}))
    found = [rf'["{{](?:{ids})["}}.]'] * bool(ids) + [f"(?i:{one})" for one in named]
    return re.compile("|".join(found) or "(?!)")


def _call(value: Any) -> str:
    """The call of IAM or KMS that a custom resource makes of a value, if that changes something."""
    own = members(value)
    if own.keys() >= {"KeyId", "GranteePrincipal"}:
        return "KMS CreateGrant"
    service, action = str(own.get("service", "")), str(own.get("action", ""))
    is_one = _SERVICES.fullmatch(service) and action and not _HARMLESS_CALL.match(action)
    return f"{service} {action}" if is_one else ""


def _leaves(value: Any, member: str) -> Iterator[tuple[str, Any]]:
    """The texts, documents and calls in a value, at any depth, also in texts that are JSON."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        with suppress(ValueError, RecursionError):
            value = json.loads(value, object_pairs_hook=each_once)
    if _is_document(value) or _call(value) or not isinstance(value, dict | list):
        yield member, value
    elif member.count(".") < _DEEPEST:
        for name, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(one, f"{member}.{name}" if member else str(name))


def _is_document(value: Any) -> bool:
    """Whether a value is a policy document, or the text of one that is no JSON."""
    if isinstance(value, str):
        return '"Statement"' in value and value.lstrip()[:1] == "{"
    return isinstance(value, dict) and "Statement" in value
