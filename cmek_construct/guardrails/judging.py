"""Judges what is Pinecone's in a run of templates: the one way to a verdict, for all who ask."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from cmek_construct import warnings as ids
from cmek_construct.guardrails.excess import named_by
from cmek_construct.guardrails.judged import (
    Context,
    Elsewhere,
    KeyExcess,
    KeyUse,
    Named,
    Trust,
    TrustExcess,
    carried,
    key_uses,
    permissions,
    trusts,
)
from cmek_construct.guardrails.questions import Questions
from cmek_construct.guardrails.rule import Fault, Rule, Violation, about
from cmek_construct.guardrails.rules import RULES
from cmek_construct.guardrails.too_much_key import key_limit
from cmek_construct.policy import CannotBeJudged
from cmek_construct.templates.console import is_named
from cmek_construct.templates.found import Found, Place
from cmek_construct.templates.run import Run

_BY_SUBJECT: Final = {
    subject: [rule for rule in RULES if rule.subject is subject] for subject in {rule.subject for rule in RULES}
}
"""The rules, by what they judge."""


def judge(run: Run, found: Found, vendor_role_arns: Collection[str] = ()) -> list[Violation]:
    """What the templates of a run say that they must not; each once, resource by resource.

    Args:
        run: the templates.
        found: what is Pinecone's in them.
        vendor_role_arns: roles of other accounts that a key policy may name.
    """
    typed = {
        stack.named(name)
        for stack in run.stacks
        for name, one in stack.parameters.items()
        if str(one.get("Type", "String")) in ("String", "Number")
    }
    context = Context(run, found, frozenset(vendor_role_arns), Questions(), frozenset(typed))
    violations: dict[tuple[str, Place], Violation] = {}
    for place, subject in _subjects(context):
        for one in _violations(place, subject):
            violations.setdefault((one.rule, place), one)
    return list(violations.values())


def _subjects(context: Context) -> Iterator[tuple[Place, Any]]:
    found = context.found
    for trust in trusts(context):
        yield trust.place, trust
    for use in key_uses(context):
        yield use.place, use
    keys = frozenset(one.place for one in found.keys)
    for alias in found.aliases:
        yield alias.place, Named(alias, keys, is_named(alias))
    for permission in permissions(context):
        yield permission.attached.place, permission
    for naming in found.naming:
        yield naming.place, Elsewhere(context, naming)
    for one in carried(found):
        yield one.output.place, one
    for unread in found.unread:
        yield unread.place, unread


def _violations(place: Place, subject: Any) -> Iterator[Violation]:
    try:
        yield from _excessive(place, subject)
        for rule in _BY_SUBJECT.get(type(subject), ()):
            for fault in rule.check(subject):
                yield _violation(place, rule, fault)
    except CannotBeJudged as why:
        rule = next(one for one in RULES if one.id == ids.CANNOT_BE_JUDGED)
        yield _violation(place, rule, Fault(f"Its policies cannot be compared: {why}.", str(why)))


def _excessive(place: Place, subject: Any) -> Iterator[Violation]:
    """What a policy allows too much: the first rule that is about it names it."""
    named: dict[Any, list[tuple[Rule, Fault]]] = {}
    for one in _excesses(subject):
        for rule in _BY_SUBJECT.get(type(one), ()):
            fault = next(iter(rule.check(one)), None)
            if fault:
                named.setdefault(id(one.witness.statement), []).append((rule, fault))
                break
    for some in named.values():
        names = {rule.id for rule, _ in some}
        for rule, fault in some:
            if not _WITHIN.get(rule.id, set()) & names:
                yield _violation(place, rule, fault)


def _excesses(subject: Any) -> Iterator[TrustExcess | KeyExcess]:
    """What it allows beyond its limit, principal by principal."""
    kind: type[Any]
    if isinstance(subject, Trust):
        limit, kind = subject.meant.limit(), TrustExcess
    elif isinstance(subject, KeyUse):
        limit, kind = key_limit(subject), KeyExcess
    else:
        return
    for witness in subject.context.ask.beyond(subject.policy, limit):
        for who in named_by(witness):
            yield kind(subject, witness, who)


_LONGEST: Final = 1_000
_WITHIN: Final = {
    "trust-external-id": {"trust-open-to-all"},
    "trust-action": {"trust-open-to-all"},
    "key-grants": {"key-role-access", "key-open-to-all"},
    "key-role-access": {"key-open-to-all"},
}
"""What is said by another rule already, of the same statement."""


def _violation(place: Place, rule: Rule, fault: Fault) -> Violation:
    name = about(rule.id, fault.witness)
    what = fault.what if len(fault.what) <= _LONGEST else f"{fault.what[:_LONGEST]} …"
    return Violation(name, place, what, rule.allows, rule.cure, fault.meant)
