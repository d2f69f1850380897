"""What only a person can tell: what the templates name and do not show."""

from __future__ import annotations

from collections.abc import Iterator

from cmek_construct.policy.sentences import Quoted, Words, quoted_list
from cmek_construct.templates.evidence import organizations
from cmek_construct.templates.found import Found, Place
from cmek_construct.templates.stacks import Stack


def to_check(found: Found) -> dict[Stack, list[Words]]:
    """In sentences, each once, by the stack in which it stands."""
    by_stack: dict[Stack, list[Words]] = {}
    for place, words in _each(found):
        some = by_stack.setdefault(place.stack, [])
        said: Words = [Quoted(place.logical_id), *words]
        some += [] if said in some else [said]
    return by_stack


def _each(found: Found) -> Iterator[tuple[Place, Words]]:
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
