"""Who names a role of Pinecone's: policies that are attached to it, and other resources."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from cmek_construct.policy import Policy, Statement, aws
from cmek_construct.policy.statements import Kind
from cmek_construct.templates import console, evidence
from cmek_construct.templates.attributes import ALIAS, KEYS, MANAGED_POLICY
from cmek_construct.templates.choices import Case, InCase, TooManyCases
from cmek_construct.templates.files import NESTED, STACK_SET
from cmek_construct.templates.found import Attached, Key, Naming, Place, Unknown, Unread
from cmek_construct.templates.reading import each_of, from_json, members, writers
from cmek_construct.templates.run import Run
from cmek_construct.templates.texts import alone, holes, is_known, refers

if TYPE_CHECKING:
    from cmek_construct.templates.pinecone import _Finder

_POLICIES: Final = ("AWS::IAM::Policy", MANAGED_POLICY, "AWS::IAM::RolePolicy")
_NAMING: Final = (ALIAS, *KEYS)
_PINECONE: Final = re.compile("pine[-_]?cone", re.I)
_FROM_ELSEWHERE: Final = re.compile(r"Fn::ImportValue|Fn::GetStackOutput|Outputs\.|/exports/")
_CONCERNS: Final = re.compile(r"AWS::(IAM::(Role|\w*Policy)|KMS::\w*Key)|pine[-_]?cone", re.I)
_DEEPEST: Final = 100
_WHOM: Final = {"Principal", "NotPrincipal"}
_UNSEEN: Final = (NESTED, STACK_SET, "AWS::Serverless::Application")
"""What makes a stack of a template of its own, and hands it parameters."""
_HANDED: Final = ("Parameters", "StackInstancesGroup")
_CONNECTOR: Final = "AWS::Serverless::Connector"
_EXPANDED: Final = re.compile(rf"{_CONNECTOR}|.*::MODULE")
"""What becomes other resources, of which the template says nothing."""
_OF_GRANT: Final = {"KeyId", "GranteePrincipal"}
"""Members of that call alone."""
_SERVICES: Final = re.compile(r"(@aws-sdk/client-)?(iam|kms)", re.I)
_HARMLESS_CALL: Final = re.compile(r"(get|list|describe|simulate|tag|untag)", re.I)


class Around:
    """Looks at everything around the roles and keys that were found."""

    def __init__(self, finder: _Finder) -> None:
        """Begin.

        Args:
            finder: that found them.
        """
        self._finder = finder
        self._run = finder.run
        self._result = finder.result
        self._keys = {one.place for one in self._result.keys}
        self._managed: dict[str, list[tuple[Place, Case, bool]]] = {}
        """By the ARN of a managed policy: the roles that have it, or are bounded by it."""
        self._names = cache(self._names_of)

    def collect(self) -> None:
        """Note all of it in the result."""
        finder, result = self._finder, self._result
        ours = finder.ours | self._keys
        result.outputs = finder.outputs
        result.aliases = [
            one
            for one in result.aliases
            if console.is_named(one) or any(now.value.key in self._keys for now in one.cases)
        ]
        self._attached_by_roles()
        for stack in self._run.stacks if result.roles or finder.given else ():
            for logical_id in stack.resources:
                place = Place(stack, logical_id)
                if place not in ours and place not in finder.too_many:
                    self._look_at(place)
        self._not_judged()
        self._rewritten(ours)
        self._keys_that_may_be()
        if not ours:
            result.unknown = []

    def _unread(self, place: Place, why: str, way_out: str = Unread.way_out) -> None:
        made = Unread(place, why, way_out)
        if made not in self._result.unread:
            self._result.unread.append(made)

    def _attached_by_roles(self) -> None:
        """The policies that roles have themselves; the ARNs of others, and who has them."""
        for role in self._result.roles:
            for one in role.cases:
                props = one.value.properties
                for number, inline in enumerate(each_of(props.get("Policies"))):
                    document = members(inline).get("PolicyDocument", inline)
                    name = str(members(inline).get("PolicyName", f"Policies.{number}"))
                    policy = evidence.policy_of(document, "permissions", None, self._run)
                    found = Attached(role.place, role.place, name, one.case, policy)
                    self._result.attached.append(found)
                arns = [(arn, False) for arn in each_of(props.get("ManagedPolicyArns"))]
                arns += [(arn, True) for arn in each_of(props.get("PermissionsBoundary"))]
                for arn, is_boundary in arns:
                    users = self._managed.setdefault(str(arn), [])
                    users.append((role.place, one.case, is_boundary))
        shown = {
            arn
            for stack in self._run.stacks
            for logical_id in stack.resources
            if stack.type_of(logical_id) == MANAGED_POLICY
            for arn in _arns(self._run, Place(stack, logical_id))
        }
        for arn, users in self._managed.items():
            for place, case, is_boundary in users if arn not in shown else ():
                self._result.attached.append(Attached(place, place, arn, case, None, is_boundary))

    def _look_at(self, place: Place) -> None:
        """One resource that is neither role nor key of Pinecone's."""
        stack, properties = place.stack, place.stack.properties(place.logical_id)

        def work(values: Any) -> Any:
            there = values.exists(stack, place.logical_id)
            return values.resolved(stack, properties) if there else None

        if not properties:
            return
        of_deploy = writers(place.raw)
        if of_deploy and self._mentions(place.raw, keys=place.type in _POLICIES):
            for name in of_deploy:
                self._unread(place, f"{name} rewrites what it says.")
        try:
            cases = [one for one in self._run.cases(stack, work) if isinstance(one.value, dict)]
        except TooManyCases as why:
            if self._mentions(place.raw):
                what = f"it names the role, in more cases than can be judged ({why})."
                self._unread(place, what)
            return
        for one in cases:
            self._expanded(place, one.value)
            if place.type in _POLICIES:
                self._attached(place, one)
            elif place.type not in (NESTED, STACK_SET):
                self._naming(place, one)

    def _expanded(self, place: Place, properties: dict[str, Any]) -> None:
        """What makes resources that are not in the run, and is handed the role or the key."""
        connects = _connected(place)
        handed: list[Any] = []
        if place.type in _UNSEEN and place.logical_id not in place.stack.children:
            raw = place.stack.properties(place.logical_id)
            handed = [some.get(one) for some in (properties, raw) for one in _HANDED]
        elif connects or _EXPANDED.fullmatch(place.type):
            handed = [properties, *connects]
        for kind, keys in (("role", False), ("key", True)):
            if handed and self._mentions(handed, keys=keys):
                what = f"its template is not in the run, and it is handed the {kind}."
                way_out = "Synthesize it together with this one, and read the whole assembly."
                if place.type not in _UNSEEN:
                    what = f"what it becomes is not in the run, and it is handed the {kind}."
                    way_out = "Write out what it stands for."
                self._unread(place, what, way_out)
                return

    def _mentions(self, value: Any, *, keys: bool = False) -> bool:
        """Whether something names the role, or else a key, as it is written or as it resolves."""
        text = json.dumps(value, default=str)
        ours = self._finder.ours | (self._keys if keys else set())
        refer = any(refers(text, one.logical_id) for one in ours)
        return refer or self._names(keys).search(text) is not None

    def _names_of(self, keys: bool) -> re.Pattern[str]:
        """The names of roles, or of keys too, in a text."""
        ours = [*self._result.roles, *(self._result.keys if keys else ())]
        arns = [now.value.arn for one in ours for now in one.cases]
        arns += [arn for arn, _ in self._finder.given]
        names = {arn.rpartition("/")[2] for arn in arns}
        found = (
            rf"(?<![\w+@-]){re.escape(one)}(?![\w+@-])" if is_known(one) else re.escape(one) for one in sorted(names)
        )
        return re.compile("|".join(found) or "(?!)", re.I)

    def _not_judged(self) -> None:
        """Roles and keys with too many cases, where they may concern what is Pinecone's."""
        for place, hangs_on in self._finder.too_many.items():
            if place in self._finder.pinecones or self._may_be_pinecones(place):
                what = f"its conditions have more cases than can be judged ({hangs_on})."
                self._unread(place, what, "Let it hang on fewer conditions.")

    def _may_be_pinecones(self, place: Place) -> bool:
        """Whether something in a resource, or what names it, is Pinecone's in whatever case."""
        stack, properties = place.stack, place.stack.properties(place.logical_id)
        text = json.dumps([properties, stack.mappings, stack.parameters], default=str)
        others = (one for name, one in stack.resources.items() if stack.type_of(name) in _NAMING)
        around = (json.dumps(one, default=str) for one in (*others, *stack.outputs.values()))
        from_elsewhere = stack.parent or _FROM_ELSEWHERE.search(text)
        return bool(
            _PINECONE.search(text)
            or any(refers(one, place.logical_id) and _PINECONE.search(one) for one in around)
            or (self._finder.ours and from_elsewhere)
            or self._mentions(place.raw)
        )

    def _attached(self, place: Place, one: InCase[Any]) -> None:
        props = one.value
        policy = evidence.policy_of(props.get("PolicyDocument"), "permissions", None, self._run)
        name = str(props.get("PolicyName") or props.get("ManagedPolicyName") or place.logical_id)
        roles: set[tuple[Any, bool]] = set()
        for text in map(str, (*each_of(props.get("Roles")), *each_of(props.get("RoleName")))):
            found = self._roles_by(text, place)
            roles |= {(role, False) for role in found}
            if not found and not is_known(text) and self._is_unknown(text):
                self._result.unknown.append(Unknown(place, "Roles", text))
        if self._managed and place.type == MANAGED_POLICY:
            for arn in _arns(self._run, place):
                users = self._managed.get(arn, ())
                roles |= {(role, bounds) for role, case, bounds in users if case.agrees(one.case)}
        for role, is_boundary in sorted(roles, key=lambda it: str(it[0])):
            made = Attached(place, role, name, one.case, policy, is_boundary)
            self._result.attached.append(made)

    def _roles_by(self, text: str, place: Place) -> dict[Place, str]:
        """The roles that a text names, each with its ARN."""
        finder, account = self._finder, place.stack.account
        made = {one: arn for arn, one in finder.by_name.by(text, account) if one in finder.ours}
        return made or {one: arn for arn, one in finder.by_given.by(text, account)}

    def _is_unknown(self, text: str) -> bool:
        """Whether a text has a reference of which nobody knows that it is no role of Pinecone's."""
        return "${?" in text or not all(name in self._run.forms for name in holes(text))

    def _naming(self, place: Place, one: InCase[Any]) -> None:
        """Where another resource names the role."""
        for member, leaf in _leaves(one.value, ""):
            policy, names = None, [leaf] if str(leaf).startswith("arn:") else []
            if call := _call(leaf):
                if self._mentions(leaf, keys=True):
                    what = f"it calls {call} for the role or the key."
                    self._unread(place, what, "Write what it does as resources of the template.")
                continue
            if _is_document(leaf):
                read = evidence.policy_of(leaf, _kind(leaf), None, self._run)
                names = [n for each in read.statements for n in evidence.names_in(each)]
                self._list_unknown(place, member, read)
                policy = replace(read, statements=tuple(map(self._without_unknown, read.statements)))
            named = {role: arn for text in names for role, arn in self._roles_by(text, place).items()}
            self._result.naming += [Naming(place, role, member, one.case, arn, policy) for role, arn in named.items()]
            allowing = evidence.allowing(policy) if policy and not named else ()
            what_not = [what for each in allowing for what in each.unreadable]
            if what_not and self._mentions([place.raw, leaf]):
                why = f"it names the role, and its policy cannot be read ({what_not[0]})."
                self._unread(place, why)

    def _list_unknown(self, place: Place, member: str, policy: Policy) -> None:
        for statement in evidence.allowing(policy):
            for text in evidence.names_in(statement):
                if alone(text) and self._is_unknown(text):
                    self._result.unknown.append(Unknown(place, member, text))

    def _without_unknown(self, statement: Statement) -> Statement:
        """A statement without references that are not known: they are not taken for the role."""
        people = statement.principals
        return replace(
            statement,
            principals=people and tuple(one for one in people if not self._is_unknown(one.name)),
            conditions=tuple(
                replace(one, values=tuple(v for v in one.values if not self._is_unknown(v)))
                if one.key.lower() == aws.PRINCIPAL_ARN
                else one
                for one in statement.conditions
            ),
        )

    def _rewritten(self, ours: set[Place]) -> None:
        """What another than CloudFormation writes, or what is no resource by itself."""
        first = {place.stack: place for place in sorted(ours, key=str, reverse=True)}
        for stack in self._run.stacks:
            for what in stack.rewritten() if stack in first else ():
                why = f"{what} rewrites the template, so that role and key cannot be judged."
                self._unread(first[stack], why)
            for name, loop in stack.not_made():
                if _CONCERNS.search(json.dumps(loop, default=str)) or self._mentions(loop):
                    why = "the loop is over what only the deploy knows."
                    self._unread(Place(stack, name), why)
            for logical_id in stack.template.of_type(STACK_SET):
                body = stack.properties(logical_id).get("TemplateBody")
                text = json.dumps(body, default=str)
                if body and logical_id not in stack.children and _CONCERNS.search(text):
                    why = "its TemplateBody is no template that can be read."
                    self._unread(Place(stack, logical_id), why)

    def _keys_that_may_be(self) -> None:
        """Keys of which nobody can tell whether they are the role's."""
        if not self._result.roles:
            return
        lone = not self._result.keys
        for place, cases in self._finder.keys.items():
            if place not in self._finder.pinecones and place not in self._finder.too_many:
                unread = any(
                    evidence.may_name_anybody(one.value.policy, by_parameter=lone)
                    or (lone and "KeyPolicy" not in one.value.properties)
                    for one in cases
                )
                if unread:
                    why = "nobody can tell whether its policy names the role."
                    way_out = "Name whom it lets in, by the ARN or by a reference to the role."
                    key = Key(place, cases)
                    self._result.unread.append(Unread(place, why, way_out, key))


def _arns(run: Run, place: Place) -> set[str]:
    found = console.in_cases(run, place.stack, {"Ref": place.logical_id})
    return {one.value for one in found}


def _connected(place: Place) -> list[Any]:
    """What a connector of SAM is between: one by itself, or one within another resource."""
    if place.raw.get("Connectors"):
        return [place.raw]
    if place.type != _CONNECTOR:
        return []
    ends = (place.stack.properties(place.logical_id).get(one) for one in ("Source", "Destination"))
    ids = [str(members(one).get("Id")) for one in ends]
    return [*ids, *map(place.stack.resources.get, ids)]


def _call(value: Any) -> str:
    """The call of IAM or KMS that a custom resource makes of a value, if that changes something."""
    own = members(value)
    service, action = str(own.get("service", "")), str(own.get("action", ""))
    if own.keys() >= _OF_GRANT:
        return "KMS CreateGrant"
    is_one = _SERVICES.fullmatch(service) and action and not _HARMLESS_CALL.match(action)
    return f"{service} {action}" if is_one else ""


def _leaves(value: Any, member: str) -> Iterator[tuple[str, Any]]:
    """The texts, documents and calls in a value, at any depth, also in texts that are JSON."""
    value = from_json(value) if isinstance(value, str) else value
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


def _kind(document: Any) -> Kind:
    """Whose policy a document is: a principal's own names nobody."""
    statements = each_of(members(document).get("Statement"))
    own = all(isinstance(one, dict) and not one.keys() & _WHOM for one in statements)
    return "permissions" if own and isinstance(document, dict) else "resource"
