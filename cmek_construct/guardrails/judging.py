"""Judges what is Pinecone's in a run of templates: the one way to a verdict, for all who ask."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain

from cmek_construct.guardrails import elsewhere, kept, too_little, too_much
from cmek_construct.guardrails.questions import Questions
from cmek_construct.guardrails.rule import Violation
from cmek_construct.guardrails.subjects import Context, key_uses, permissions, trusts
from cmek_construct.policy import CannotBeJudged
from cmek_construct.policy.sentences import Quoted
from cmek_construct.templates.found import Found, Place
from cmek_construct.templates.run import Run


def judge(run: Run, found: Found, vendor_role_arns: Collection[str] = ()) -> list[Violation]:
    """What the templates of a run say that they must not; each once, resource by resource.

    Args:
        run: the templates.
        found: what is Pinecone's in them.
        vendor_role_arns: roles of other accounts that a key policy may name.
    """
    violations: dict[tuple[str, Place], Violation] = {}
    for one in _violations(Context(run, found, frozenset(vendor_role_arns), Questions())):
        violations.setdefault((one.rule, one.place), one)
    return list(violations.values())


def _violations(context: Context) -> Iterator[Violation]:
    found = context.found
    for trust in trusts(context):
        of_role = (too_much.of_trust, kept.of_role, too_little.of_trust, too_much.deleted, too_much.not_to_the_letter)
        yield from _judged(trust.place, *(check(trust) for check in of_role))
    for use in key_uses(context):
        of_key = (too_much.of_key, kept.of_key, too_little.of_key, too_much.foreign, too_much.deleted)
        yield from _judged(use.place, *(check(use) for check in of_key))
    keys = {one.place for one in found.keys}
    for alias in found.aliases:
        yield from kept.of_alias(alias, keys)
    for one in permissions(context):
        yield from _judged(one.attached.place, too_little.of_permission(one), elsewhere.of_permission(one))
    for naming in found.naming:
        yield from _judged(naming.place, elsewhere.of_naming(naming, context.ask))
    yield from elsewhere.of_outputs(found)
    for unread in found.unread:
        yield kept.UNREAD.broken(unread.place, f"{Quoted(unread.place.path)}: {unread.why} {unread.way_out}")


def _judged(place: Place, *checks: Iterator[Violation]) -> Iterator[Violation]:
    try:
        yield from chain(*checks)
    except CannotBeJudged as why:
        yield kept.UNREAD.broken(place, f"Its policies cannot be compared: {why}.", str(why))
