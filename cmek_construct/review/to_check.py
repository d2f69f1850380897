"""What only a person can tell of the templates, and whom to ask."""

from __future__ import annotations

from collections.abc import Iterator

from cmek_construct.policy import Policy, aws
from cmek_construct.policy.sentences import Quoted, Words, quoted_list
from cmek_construct.templates.evidence import allowing, organizations, pinecones_accounts
from cmek_construct.templates.found import Found, Place
from cmek_construct.templates.stacks import Stack


def to_check(found: Found) -> dict[Stack, list[Words]]:
    """Each once, by the stack in which it stands."""
    by_stack: dict[Stack, list[Words]] = {}
    for place, words in _of(found):
        some = by_stack.setdefault(place.stack, [])
        said: Words = [Quoted(place.logical_id), *words]
        some += [] if said in some else [said]
    return by_stack


def _of(found: Found) -> Iterator[tuple[Place, Words]]:
    for role in found.roles:
        if any(_is_without_external_id(now.value.trust) for now in role.cases):
            for_good = " lets Pinecone in without an external ID, and Pinecone takes none later. "
            yield role.place, [f"{for_good}Ask who owns the project whether that is meant."]
    for unknown in found.unknown:
        named: Words = [" names ", Quoted(unknown.place.stack.short(unknown.text)), " in "]
        yield unknown.place, [
            *named, Quoted(unknown.member), ". Ask who wrote the template whether that is the role."
        ]  # fmt: skip
    for naming in found.naming:
        named_role = Quoted(naming.role.seen_from(naming.place.stack))
        where: Words = [f" (a {naming.place.type}) names the role ", named_role, " in "]
        yield naming.place, [*where, Quoted(naming.member), ". Ask who wrote the template why."]
    for one in found.attached:
        if one.is_boundary and one.policy is None:
            name = Quoted(one.place.stack.short(one.name))
            bound: Words = [" has the permissions boundary ", name, ", which no template shows. "]
            ask = "Ask who administers IAM in the account whether it leaves the role its key."
            yield one.place, [*bound, ask]
    for key in found.keys:
        for ids in {tuple(organizations(now.value.policy)): None for now in key.cases}:
            if ids:
                denied: Words = [" denies whoever is not of the organization ", *quoted_list(ids)]
                ask = ". Ask who administers the organization whether that is the account's."
                yield key.place, [*denied, ask]
    for output in found.outputs:
        if output.of is None and output.label in ("Role ARN", "Key ARN"):
            values = dict.fromkeys(output.place.stack.short(now.value) for now in output.cases)
            given: Words = [f" gives Pinecone's console for {output.label} ", *quoted_list(values)]
            ask = ", which is none of these templates. Ask who wrote the template whose it is."
            yield output.place, [*given, ask]


def _is_without_external_id(trust: Policy) -> bool:
    asked = any(one.compared(aws.EXTERNAL_ID) for one in allowing(trust))
    return bool(pinecones_accounts(trust)) and not asked
