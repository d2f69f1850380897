"""What a policy allows beyond its limit, in words: what the rules of the policies share."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from cmek_construct import warnings as ids
from cmek_construct.guardrails.judged import KeyExcess, KeyUse, Trust, TrustExcess
from cmek_construct.guardrails.rule import Fault, rule
from cmek_construct.policy import Witness, aws, words
from cmek_construct.policy.sentences import Quoted, plain
from cmek_construct.templates.texts import is_unreadable

READABLE: Final = {
    "sentence": "Everything that says who may do what can be read from the template.",
    "allows": "Nobody can tell whom it lets in before it is deployed.",
    "cure": "Write it out, or for an external ID take a parameter.",
}


def named_by(witness: Witness) -> tuple[str, ...]:
    """The principals as the statement names them."""
    statement = witness.statement
    everybody = any(one.name == "*" for one in statement.principals or ())
    if everybody or statement.not_principals is not None:
        return ("*",)
    return witness.principals


def shown(subject: Trust | KeyUse, text: str) -> str:
    """A text for a person: what is of the same stack by its name alone."""
    return subject.place.stack.short(text)


def said(excess: TrustExcess | KeyExcess) -> str:
    """What it allows whom, by which statement."""
    account = excess.of.now.account
    words_of = plain(words.of_witness(_narrowed(excess), account))
    return shown(excess.of, f"{excess.of.where}, {Quoted(excess.witness.statement.name)}: {words_of}")


def _narrowed(excess: TrustExcess | KeyExcess) -> Witness:
    """The witness, for one of its principals."""
    witness = excess.witness
    return replace(witness, principals=(excess.who,), actions=tuple(actions_of(witness)))


def actions_of(witness: Witness) -> list[str]:
    """The actions as the statement has them."""
    written = witness.statement.actions
    if written is None:
        others = witness.statement.not_actions or ()
        return ["all but", *others] if others else list(witness.actions)
    found = [text for text in written if any(fnmatch.fnmatchcase(one.lower(), text.lower()) for one in witness.actions)]
    return found or list(witness.actions)


@rule(ids.CANNOT_BE_JUDGED, TrustExcess, KeyExcess, **READABLE)
def unread(excess: TrustExcess | KeyExcess) -> Iterator[Fault]:
    """What cannot be read, and may be anything."""
    witness, statement = excess.witness, excess.witness.statement
    values = [*statement.compared(aws.PRINCIPAL_ARN), *statement.compared(aws.EXTERNAL_ID)]
    maybe = () if witness.certain else witness.hangs_on
    hidden = [one for one in (excess.who, *values, *maybe) if is_unreadable(one)]
    hidden += statement.unreadable
    if hidden:
        what = f"{Quoted(hidden[0])}, which cannot be judged from the template."
        yield Fault(f"{excess.of.where} has {what}", hidden[0])
