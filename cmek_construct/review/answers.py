"""Of each template: the machine's answers, who can do what, and what only a person can tell."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from cmek_construct.checks import printable
from cmek_construct.guide import ENCRYPT_DECRYPT
from cmek_construct.policy import Policy, Verdict, aws
from cmek_construct.policy.sentences import Quoted, Words, quoted_list
from cmek_construct.review.model import Part
from cmek_construct.templates.evidence import allowing, organizations, pinecones_accounts
from cmek_construct.templates.found import Found, Place
from cmek_construct.templates.stacks import Stack
from cmek_construct.who.answers import GRANT, Asker, Row
from cmek_construct.who.people import Somebody

CUT_OFF: Final = "cut off"
_BEST_FIRST: Final = (Verdict.YES, Verdict.BY_ACCOUNT, Verdict.CANNOT_TELL, Verdict.NO)
_PRESENTS: Final = {
    "right": "the right external ID",
    "denied": "an external ID that is denied",
    "wrong": "another external ID",
    "none": "no external ID",
}
Said: TypeAlias = tuple[str, str | None, list[str]]
"""An answer, the statement that gives it or what is not known, and all that has it."""


@dataclass(frozen=True)
class Answers:
    """All answers about one template."""

    rows: list[Row]
    notes: list[str]
    """What was assumed to answer."""

    def is_closed(self, about: str, arns: Collection[str] | None = None) -> bool:
        """Whether nobody, or nobody of these, may do anything with a role or key."""
        found = [one for one in self.rows if one.resource == about]
        return {one.answer for one in found if arns is None or one.who.arn in arns} == {"no"}

    def keep_out(self, account: str) -> bool:
        """Whether nobody outside of an account may do anything, but Pinecone."""
        others = [one for one in self.rows if not one.who.is_pinecone]
        return {one.answer for one in others if one.who.account != account} == {"no"}

    def of_pinecone(self, part: Part) -> str:
        """What Pinecone can do now: take on the role, and encrypt and decrypt with a key of it."""
        needed = [self._best(part.role.logical_id, None)] if part.role else []
        keys = [max((self._best(key.logical_id, one) for one in ENCRYPT_DECRYPT), key=_rank) for key in part.keys]
        found = max([*needed, *([min(keys, key=_rank)] if keys else [])], key=_rank)
        return {Verdict.YES: "can come in", Verdict.NO: CUT_OFF}.get(found, found.value)

    def _best(self, about: str, action: str | None) -> Verdict:
        """The best answer that Pinecone gets; where nobody is known for Pinecone, that any role."""
        rows = (one for one in self.rows if one.resource == about)
        asked = [one for one in rows if action is None or action in one.action]
        ways = [one for one in asked if one.who.is_pinecone]
        ways = ways or [one for one in asked if ":role/" in one.who.arn]
        return min((one.verdict for one in ways or asked), key=_rank, default=Verdict.NO)

    def asked(self, about: str) -> list[str]:
        """Everything that was asked about a role or key, in its order."""
        return list(dict.fromkeys(_what(one) for one in self.rows if one.resource == about))

    def table(self, about: str) -> list[tuple[list[Somebody], list[Said]]]:
        """Those who get the same answers, together; last those who may do nothing."""
        each: dict[tuple[str, str], tuple[Somebody, dict[tuple[str, str | None], list[str]]]] = {}
        for row in (one for one in self.rows if one.resource == about):
            _, said = each.setdefault((row.who.words, row.who.arn), (row.who, {}))
            said.setdefault((row.answer, row.doubt or row.statement), []).append(_what(row))
        together: dict[str, tuple[list[Somebody], list[Said]]] = {}
        for somebody, answers in each.values():
            found = [(*answer, whats) for answer, whats in answers.items()]
            together.setdefault(repr(found), ([], found))[0].append(somebody)
        return sorted(together.values(), key=lambda one: {said[0] for said in one[1]} == {"no"})


def _rank(verdict: Verdict) -> int:
    return _BEST_FIRST.index(verdict)


def _what(row: Row) -> str:
    """What was asked for: an action; of a role what is presented."""
    what = _PRESENTS[row.presents] if row.presents else row.action
    if row.action == GRANT:
        what += {True: " for an AWS service", False: " for others", None: ""}[row.for_aws_service]
    return what


def answers_about(stack: Stack, asker: Callable[[], Asker]) -> Answers:
    """Who can do what by one template.

    Args:
        stack: of the template.
        asker: of the run, made when somebody asks.
    """
    found = asker().about(stack)
    notes = [
        f"As deployed with {printable(name)}={printable(value)}, the template's default."
        for name, value in found.assumed.items()
    ]
    if not found.account_is_known:
        notes.append("The template does not say its account: --account says it.")
    return Answers(found.rows, [*notes, *filter(None, [asker().different])])


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
        if any(_is_without_external_id(now.value.policy) for now in role.cases):
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
        for ids in {tuple(organizations(*now.value.policy.statements)): None for now in key.cases}:
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
