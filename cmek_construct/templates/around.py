"""Who names a role of Pinecone's: policies that are attached to it, and other resources."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from cmek_construct.policy import Policy
from cmek_construct.policy.statements import Kind
from cmek_construct.templates import console, evidence
from cmek_construct.templates.attributes import ALIAS, KEYS
from cmek_construct.templates.choices import Case, InCase, TooManyCases
from cmek_construct.templates.files import NESTED, STACK_SET
from cmek_construct.templates.found import (
    Attached,
    Key,
    Naming,
    Place,
    Unknown,
    Unread,
)
from cmek_construct.templates.reading import each_of, from_json, members, writers
from cmek_construct.templates.run import Run
from cmek_construct.templates.stacks import Stack
from cmek_construct.templates.texts import alone, holes, is_known, refers

if TYPE_CHECKING:
    from cmek_construct.templates.pinecone import _Finder

_POLICIES: Final = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy")
_NAMING: Final = (ALIAS, *KEYS)
_PINECONE: Final = re.compile("pine[-_]?cone", re.I)
_FROM_ELSEWHERE: Final = re.compile(r"Fn::ImportValue|Fn::GetStackOutput|Outputs\.|/exports/")
_CONCERNS: Final = re.compile(r"AWS::(IAM::(Role|\w*Policy)|KMS::\w*Key)|pine[-_]?cone", re.I)
_DEEPEST: Final = 100


def collect(finder: _Finder) -> None:
    """Everything around the roles and keys that were found."""
    result = finder.result
    keys = {one.place for one in result.keys}
    ours = finder.ours | keys
    result.outputs = finder.outputs
    result.aliases = [
        one
        for one in result.aliases
        if console.is_named(one) or any(now.value.key in keys for now in one.cases)
    ]
    managed = _attached_by_roles(finder)
    for stack in finder.run.stacks:
        for logical_id in stack.resources:
            place = Place(stack, logical_id)
            if place not in ours and place not in finder.too_many:
                _look_at(finder, place, managed)
    _not_judged(finder)
    _rewritten(finder, ours)
    _keys_that_may_be(finder)
    if not ours:
        result.unknown = []


def _attached_by_roles(finder: _Finder) -> dict[str, list[tuple[Place, Case, bool]]]:
    """The policies that roles have themselves; the ARNs of others, and who has them."""
    managed: dict[str, list[tuple[Place, Case, bool]]] = {}
    for role in finder.result.roles:
        for one in role.cases:
            props = one.value.properties
            for number, inline in enumerate(each_of(props.get("Policies"))):
                document = members(inline).get("PolicyDocument", inline)
                name = str(members(inline).get("PolicyName", f"Policies.{number}"))
                policy = evidence.policy_of(document, "permissions", None, finder.run.forms)
                found = Attached(role.place, role.place, name, one.case, policy)
                finder.result.attached.append(found)
            arns = [(arn, False) for arn in each_of(props.get("ManagedPolicyArns"))]
            arns += [(arn, True) for arn in each_of(props.get("PermissionsBoundary"))]
            for arn, is_boundary in arns:
                managed.setdefault(str(arn), []).append((role.place, one.case, is_boundary))
    shown = {
        values_arn: Place(stack, logical_id)
        for stack in finder.run.stacks
        for logical_id in stack.resources
        if stack.type_of(logical_id) == "AWS::IAM::ManagedPolicy"
        for values_arn in _arns(finder.run, stack, logical_id)
    }
    for arn, users in managed.items():
        if arn not in shown:
            for role_place, case, is_boundary in users:
                found = Attached(role_place, role_place, arn, case, None, is_boundary)
                finder.result.attached.append(found)
    return managed


def _arns(run: Run, stack: Stack, logical_id: str) -> set[str]:
    return {one.value for one in console.in_cases(run, stack, {"Ref": logical_id})}


def _look_at(
    finder: _Finder, place: Place, managed: dict[str, list[tuple[Place, Case, bool]]]
) -> None:
    """One resource that is neither role nor key of Pinecone's."""
    stack, properties = place.stack, place.stack.properties(place.logical_id)

    def work(values: Any) -> Any:
        there = values.exists(stack, place.logical_id)
        return values.resolved(stack, properties) if there else None

    if not properties or not (finder.result.roles or finder.given):
        return
    _written_by_others(finder, place)
    try:
        cases = [one for one in finder.run.cases(stack, work) if isinstance(one.value, dict)]
    except TooManyCases as why:
        if _mentions(finder, place.raw):
            what = f"it names the role, in more cases than can be judged ({why})."
            finder.result.unread.append(Unread(place, what))
        return
    for one in cases:
        if place.type in _POLICIES:
            _attached(finder, place, one, managed)
        elif place.type in (NESTED, STACK_SET):
            _handed(finder, place, one.value)
        else:
            _naming(finder, place, one)


def _written_by_others(finder: _Finder, place: Place) -> None:
    """What names the role, and an IAM policy that names the key, with members of the deploy's."""
    names = writers(place.raw)
    if not names:
        return
    text = json.dumps(place.raw, default=str)
    keys = finder.result.keys if place.type in _POLICIES else ()
    if _mentions(finder, place.raw) or any(refers(text, key.place.logical_id) for key in keys):
        finder.result.unread += [Unread(place, f"{name} rewrites what it says.") for name in names]


def _not_judged(finder: _Finder) -> None:
    """Roles and keys with too many cases, where they may concern what is Pinecone's."""
    for place, hangs_on in finder.too_many.items():
        if place in finder.why or _may_be_pinecones(finder, place):
            what = f"its conditions have more cases than can be judged ({hangs_on})."
            unread = Unread(place, what, "Let it hang on fewer conditions.")
            finder.result.unread.append(unread)


def _may_be_pinecones(finder: _Finder, place: Place) -> bool:
    """Whether something in a resource, or what names it, is Pinecone's in whatever case."""
    stack, properties = place.stack, place.stack.properties(place.logical_id)
    text = json.dumps([properties, stack.mappings, stack.parameters], default=str)
    others = (one for name, one in stack.resources.items() if stack.type_of(name) in _NAMING)
    around = (json.dumps(one, default=str) for one in (*others, *stack.outputs.values()))
    from_elsewhere = stack.parent or _FROM_ELSEWHERE.search(text)
    return bool(
        _PINECONE.search(text)
        or any(refers(one, place.logical_id) and _PINECONE.search(one) for one in around)
        or (finder.ours and from_elsewhere)
        or _mentions(finder, place.raw)
    )


def _mentions(finder: _Finder, value: Any) -> bool:
    """Whether something that is written names the role."""
    text = json.dumps(value, default=str)
    names = {now.value.name for one in finder.result.roles for now in one.cases}
    names |= {one.name for one in finder.given}
    refer = any(refers(text, role.logical_id) for role in finder.ours)
    words = map(re.escape, filter(is_known, names))
    return refer or any(re.search(rf"(?<![\w+@-]){one}(?![\w+@-])", text, re.I) for one in words)


def _attached(
    finder: _Finder,
    place: Place,
    one: InCase[Any],
    managed: dict[str, list[tuple[Place, Case, bool]]],
) -> None:
    props = one.value
    policy = evidence.policy_of(props.get("PolicyDocument"), "permissions", None, finder.run.forms)
    name = str(props.get("PolicyName") or props.get("ManagedPolicyName") or place.logical_id)
    roles: set[tuple[Any, bool]] = set()
    for text in (*each_of(props.get("Roles")), *each_of(props.get("RoleName"))):
        found = _roles_by(finder, str(text), place)
        roles |= {(role, False) for role in found}
        if not found and not is_known(str(text)) and not _is_of_run(finder, str(text)):
            finder.result.unknown.append(Unknown(place, "Roles", str(text)))
    if managed and place.type == "AWS::IAM::ManagedPolicy":
        for arn in _arns(finder.run, place.stack, place.logical_id):
            users = managed.get(arn, ())
            roles |= {(role, bounds) for role, case, bounds in users if case.agrees(one.case)}
    for role, is_boundary in sorted(roles, key=lambda it: str(it[0])):
        made = Attached(place, role, name, one.case, policy, is_boundary)
        finder.result.attached.append(made)


def _roles_by(finder: _Finder, text: str, place: Place, wild: bool = False) -> set[Place]:
    account = place.stack.account
    made = finder.ours & finder.by_name.by(text, account, wild=wild)
    return made or set(finder.by_given.by(text, account, wild=wild))


def _is_of_run(finder: _Finder, text: str) -> bool:
    """Whether a text is of a resource of the run, and known to be no role of Pinecone's."""
    return all(name in finder.run.forms for name in holes(text)) and "${?" not in text


def _handed(finder: _Finder, place: Place, properties: dict[str, Any]) -> None:
    """A nested stack, or a stack set, whose template is not in the run."""
    if place.logical_id in place.stack.children:
        return
    text = json.dumps(properties.get("Parameters"), default=str)
    names = [("role", now.value.arn) for one in finder.result.roles for now in one.cases]
    names += [("key", now.value.arn) for one in finder.result.keys for now in one.cases]
    for kind, arn in names:
        if arn in text or f'"{arn.rpartition("/")[2]}"' in text:
            what = f"its template is not in the run, and it is handed the {kind}."
            way_out = "Synthesize it together with this one, and read the whole assembly."
            finder.result.unread.append(Unread(place, what, way_out))
            return


def _naming(finder: _Finder, place: Place, one: InCase[Any]) -> None:
    """Where another resource names the role."""
    for member, leaf in _leaves(one.value, ""):
        policy, names = None, [(leaf, False)] if str(leaf).startswith("arn:") else []
        if _is_document(leaf):
            policy = evidence.policy_of(leaf, "key", None, finder.run.forms)
            names = [name for each in policy.statements for name in evidence.names_in(each)]
            _list_unknown(finder, place, member, policy)
        named = {
            role: text for text, wild in names for role in _roles_by(finder, text, place, wild)
        }
        finder.result.naming += [
            Naming(place, role, member, one.case, text, policy) for role, text in named.items()
        ]
        if policy and not named and _unreadable(policy):
            _unread(finder, place, leaf, policy)


def _unread(finder: _Finder, place: Place, document: Any, policy: Policy) -> None:
    """A policy that cannot be read as one of any kind, where it names the role."""
    kinds: tuple[Kind, ...] = ("trust", "permissions")
    others = (evidence.policy_of(document, kind, None, finder.run.forms) for kind in kinds)
    what = [_unreadable(policy), *map(_unreadable, others)]
    if all(what) and _mentions(finder, [place.raw, document]):
        made = Unread(place, f"it names the role, and its policy cannot be read ({what[0][0]}).")
        if made not in finder.result.unread:
            finder.result.unread.append(made)


def _unreadable(policy: Policy) -> list[str]:
    return [one for each in evidence.allowing(policy) for one in each.unreadable]


def _list_unknown(finder: _Finder, place: Place, member: str, policy: Policy) -> None:
    for statement in evidence.allowing(policy):
        for text, _ in evidence.names_in(statement):
            if alone(text) and not _is_of_run(finder, text):
                finder.result.unknown.append(Unknown(place, member, text))


def _leaves(value: Any, member: str) -> Iterator[tuple[str, Any]]:
    """The texts and the policy documents in a value, at any depth, also in texts that are JSON."""
    value = from_json(value) if isinstance(value, str) else value
    if _is_document(value) or not isinstance(value, dict | list):
        yield member, value
    elif member.count(".") < _DEEPEST:
        for name, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(one, f"{member}.{name}" if member else str(name))


def _is_document(value: Any) -> bool:
    """Whether a value is a policy document, or the text of one that is no JSON."""
    if isinstance(value, str):
        return '"Statement"' in value and value.lstrip()[:1] == "{"
    return isinstance(value, dict) and "Statement" in value


def _rewritten(finder: _Finder, ours: set[Place]) -> None:
    """What another than CloudFormation writes, or what is no resource by itself."""
    first = {place.stack: place for place in sorted(ours, key=str, reverse=True)}
    for stack in finder.run.stacks:
        for what in stack.rewritten() if stack in first else ():
            why = f"{what} rewrites the template, so that role and key cannot be judged."
            finder.result.unread.append(Unread(first[stack], why))
        for name, loop in stack.not_made():
            if _CONCERNS.search(json.dumps(loop, default=str)) or _mentions(finder, loop):
                why = "the loop is over what only the deploy knows."
                finder.result.unread.append(Unread(Place(stack, name), why))
        for logical_id in stack.template.of_type(STACK_SET):
            body = stack.properties(logical_id).get("TemplateBody")
            text = json.dumps(body, default=str)
            if body and logical_id not in stack.children and _CONCERNS.search(text):
                why = "its TemplateBody is no template that can be read."
                finder.result.unread.append(Unread(Place(stack, logical_id), why))


def _keys_that_may_be(finder: _Finder) -> None:
    """Keys of which nobody can tell whether they are the role's."""
    if not finder.result.roles:
        return
    lone = not finder.result.keys
    for place, cases in finder.keys.items():
        if place not in finder.why and place not in finder.too_many:
            unread = any(
                evidence.may_name_anybody(one.value.policy, by_parameter=lone)
                or (lone and "KeyPolicy" not in one.value.properties)
                for one in cases
            )
            if unread:
                why = "nobody can tell whether its policy names the role."
                way_out = "Name whom it lets in, by the ARN or by a reference to the role."
                key = Key(place, cases, why)
                finder.result.unread.append(Unread(place, why, way_out, key))
