"""From what is Pinecone's in a run to what is shown: roles, keys and statements by template."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from cmek_construct.checks import printable
from cmek_construct.guardrails.rule import Violation
from cmek_construct.policy.sentences import Quoted, Words, quoted_list
from cmek_construct.review.policies import Texts, typed
from cmek_construct.review.seen import (
    Access,
    AliasSeen,
    Finding,
    KeySeen,
    Part,
    Policy,
    RoleSeen,
    Template,
)
from cmek_construct.templates.attributes import ROLE
from cmek_construct.templates.choices import Choices
from cmek_construct.templates.evidence import organizations, pinecones_accounts
from cmek_construct.templates.found import Alias, Attached, Found, Key, Output, Place, Role, Unread
from cmek_construct.templates.stacks import Stack, hole_of
from cmek_construct.templates.texts import is_known

Reasons = Mapping[Place, Sequence[tuple[Violation, str | None]]]
"""What the guardrails found at each place, with the reason for which it is acknowledged."""
_KEPT: Final = ("Retain", "RetainExceptOnCreate")


def templates_of(
    found: Found,
    reasons: Reasons,
    vendor_role_arns: Iterable[str],
    ask: Callable[[Stack], Access],
) -> list[Template]:
    """What is shown of each template of a run.

    Args:
        found: what is Pinecone's in it.
        reasons: what the guardrails found.
        vendor_role_arns: roles of other accounts that a key policy may name.
        ask: asks who can do what by a template.
    """
    reader = _Reader(found, reasons, frozenset(vendor_role_arns))
    parts = {stack: list(reader.parts(stack)) for stack in found.run.stacks}
    titles = [top.template.title for top in found.run.tops]
    checks = _to_check(found)
    return [
        Template(
            name=_name(stack, titles),
            file=stack.template.name,
            sha256=stack.template.sha256,
            account=stack.account if is_known(stack.account) else None,
            region=stack.region if is_known(stack.region) else None,
            parts=parts[stack],
            findings=reader.left(stack),
            to_check=checks.get(stack, []),
            parameters=frozenset(_parameters(stack)),
            ask=lambda stack=stack: ask(stack),  # type: ignore[misc]
        )
        for stack in found.run.stacks
    ]


def _name(stack: Stack, titles: Sequence[str | None]) -> str:
    """What its app calls a stack, if no other is called so; within it by the logical IDs."""
    own = stack.top.template.title
    name = printable(own) if own and titles.count(own) == 1 else stack.top.name
    return " > ".join([name, *map(printable, stack.within)])


def _parameters(stack: Stack) -> Iterator[str]:
    """What a deployer types in, as a stack in the template calls it."""
    top = stack.top
    return (stack.short(own) for name in top.parameters if (own := hole_of(top, name)))


class _Reader:
    """Knows what goes with what in a run."""

    def __init__(self, found: Found, reasons: Reasons, vendors: frozenset[str]) -> None:
        self._found = found
        self._vendors = vendors
        self._reasons = dict(reasons)
        self._places: dict[Stack, list[Place]] = {}
        for place in reasons:
            self._places.setdefault(place.stack, []).append(place)
        self._roles, self._keys = _by_stack(found.roles), _by_stack(found.keys)
        self._unread = _by_stack(one for one in found.unread if one.place.is_role_or_key)
        self._arns = {one.place: {now.value.arn for now in one.cases} for one in found.roles}
        self._attached: dict[Place, list[Attached]] = {}
        for one in found.attached:
            self._attached.setdefault(one.role, []).append(one)
        self._outputs: dict[Place | None, list[Output]] = {}
        for output in found.outputs:
            self._outputs.setdefault(output.of, []).append(output)
        self._aliases: dict[Place | None, list[Alias]] = {}
        for alias in found.aliases:
            for key in {now.value.key for now in alias.cases}:
                self._aliases.setdefault(key, []).append(alias)

    def parts(self, stack: Stack) -> Iterator[Part]:
        """Each role of a stack with the keys that name it, then the keys that name none."""
        keys = {one.place: one for one in self._keys.get(stack, ())}
        roles = {one.place: one for one in self._roles.get(stack, ())}
        for role in roles.values():
            own = [key for key in keys.values() if _names(key, role.place)]
            keys = {place: key for place, key in keys.items() if key not in own}
            yield self._part(role, own)
        for key in keys.values():
            yield self._part(None, [key])
        shown = {one.place for one in (*roles.values(), *self._keys.get(stack, ()))}
        unread = {one.place: one for one in reversed(self._unread.get(stack, ()))}
        for one in (one for place, one in unread.items() if place not in shown):
            yield self._part(None, [one.key]) if one.key else self._not_judged(one)

    def _part(self, role: Role | None, keys: Sequence[Key]) -> Part:
        stack = (role or keys[0]).place.stack
        places = [one.place for one in (role, *keys) if one]
        around = [one.place for key in keys for one in self._aliases.get(key.place, ())]
        around += [one.place for one in self._attached.get(role.place, ())] if role else []
        return Part(
            self._role(role) if role else None,
            [self._key(key) for key in keys],
            self._findings(stack, [*places, *around]),
            [
                (one.label, place.logical_id)
                for place in places
                for one in self._outputs.get(place, ())
                if one.label
            ],
        )

    def _not_judged(self, unread: Unread) -> Part:
        place, why = unread.place, unread.why
        findings = self._findings(place.stack, [place])
        name, kept = place.logical_id, _is_kept(place)
        if place.type == ROLE:
            trust = Policy(f"Trust policy ({why})", [], name)
            return Part(RoleSeen(name, kept, {}, trust), [], findings)
        policy = Policy(f"Key policy ({why})", [], name)
        return Part(None, [KeySeen(name, kept, {}, policy)], findings)

    def left(self, stack: Stack) -> list[Finding]:
        """What the guardrails found in a stack about nothing that is shown."""
        return self._findings(stack, self._places.get(stack, ()))

    def _findings(self, stack: Stack, places: Iterable[Place]) -> list[Finding]:
        """What was found at some places, each time once on the whole page."""
        return [
            Finding(one.rule, place.seen_from(stack), one.what, one.allows, one.cure, reason)
            for place in places
            for one, reason in self._reasons.pop(place, ())
        ]

    def _role(self, role: Role) -> RoleSeen:
        stack, cases = role.place.stack, typed(role.cases)
        texts = Texts(self._found, stack)
        arns = frozenset(map(stack.short, self._arns[role.place]))
        own = [(one.case, one.value.trust) for one in cases]
        trust = texts.policy("Trust policy", "trust", role.place, own, arns)
        accounts = [a for one in cases for a in pinecones_accounts(one.value.trust)]
        return RoleSeen(
            role.place.logical_id,
            _is_kept(role.place),
            texts.properties(role.place, cases),
            trust,
            [*self._permissions(role, texts, trust.cases)],
            arns,
            [stack.short(one) for one in dict.fromkeys(accounts)],
        )

    def _permissions(self, role: Role, texts: Texts, cases: Sequence[Choices]) -> Iterator[Policy]:
        """Every policy of a role but its boundary: its own, and those that are attached to it."""
        found: dict[tuple[Place, str], list[Attached]] = {}
        for one in self._attached.get(role.place, ()):
            if not one.is_boundary:
                found.setdefault((one.place, one.name), []).append(one)
        for (place, name), some in found.items():
            title = f"Permissions: {texts.text(name)}"
            own = [(one.case, one.policy) for one in typed(some) if one.policy is not None]
            if not own:
                title += " (its text is not in the template)"
            of_role = cases if place == role.place else None
            yield texts.policy(title, "permissions", place, own, every=of_role)

    def _key(self, key: Key) -> KeySeen:
        place, cases = key.place, typed(key.cases)
        texts = Texts(self._found, place.stack)
        named = {role for one in cases for role in one.value.roles}
        arns = frozenset(place.stack.short(arn) for role in named for arn in self._arns[role])
        own = [(one.case, one.value.policy) for one in cases]
        found = texts.policy("Key policy", "key", place, own, arns | self._vendors)
        return KeySeen(
            place.logical_id,
            _is_kept(place),
            texts.properties(place, cases),
            found,
            [_alias(one, place) for one in self._aliases.get(place, ())],
        )


def _by_stack(some: Iterable[Any]) -> dict[Stack, list[Any]]:
    found: dict[Stack, list[Any]] = {}
    for one in some:
        found.setdefault(one.place.stack, []).append(one)
    return found


def _names(key: Key, role: Place) -> bool:
    return any(role in now.value.roles for now in key.cases)


def _is_kept(place: Place, *, replaced: bool = True) -> bool:
    """On deletion; and where that is asked, when it would be replaced."""
    kept = place.raw.get("DeletionPolicy") in _KEPT
    return kept and (not replaced or place.raw.get("UpdateReplacePolicy") == "Retain")


def _alias(alias: Alias, key: Place) -> AliasSeen:
    names = dict.fromkeys(key.stack.short(now.value.name) for now in alias.cases)
    kept = _is_kept(alias.place, replaced=False)
    return AliasSeen(alias.place.seen_from(key.stack), " or ".join(names), key.logical_id, kept)


def _to_check(found: Found) -> dict[Stack, list[Words]]:
    """What only a person can tell, each once, by the stack in which it stands."""
    by_stack: dict[Stack, list[Words]] = {}
    for place, words in _to_tell(found):
        some = by_stack.setdefault(place.stack, [])
        said: Words = [Quoted(place.logical_id), *words]
        some += [] if said in some else [said]
    return by_stack


def _to_tell(found: Found) -> Iterator[tuple[Place, Words]]:
    for unknown in found.unknown:
        named: Words = [" names ", Quoted(unknown.place.stack.short(unknown.text)), " in "]
        yield unknown.place, [*named, Quoted(unknown.member), ": whether that is the role is open."]
    for naming in found.naming:
        role = Quoted(naming.role.seen_from(naming.place.stack))
        where: Words = [f" (a {naming.place.type}) names the role ", role, " in "]
        yield naming.place, [*where, Quoted(naming.member), "."]
    for one in found.attached:
        if one.is_boundary and one.policy is None:
            name = Quoted(one.place.stack.short(one.name))
            bound: Words = [" has the permissions boundary ", name, ", which no template shows: "]
            yield one.place, [*bound, "it must leave the role the use of the key."]
    for key in found.keys:
        for ids in {tuple(organizations(now.value.policy)): None for now in key.cases}:
            if ids:
                denied: Words = [" denies whoever is not of the organization ", *quoted_list(ids)]
                yield key.place, [*denied, ": it must be that of the account."]
    for output in found.outputs:
        if output.of is None and output.label in ("Role ARN", "Key ARN"):
            values = dict.fromkeys(output.place.stack.short(now.value) for now in output.cases)
            given: Words = [f" gives Pinecone's console for {output.label} ", *quoted_list(values)]
            yield output.place, [*given, ", which is none of these templates."]
