"""Too much in a trust policy: who else than Pinecone may assume the role, and how.

Of one principal and statement the first rule that is about it names it. The order is from the narrow to the wide: the
last takes what is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cmek_construct import guide
from cmek_construct import warnings as ids
from cmek_construct.guardrails.excess import READABLE, actions_of, said, shown
from cmek_construct.guardrails.judged import Trust, TrustExcess
from cmek_construct.guardrails.meant import ANY_REGION, PINECONES_ROLE
from cmek_construct.guardrails.rule import Fault, rule
from cmek_construct.policy import aws
from cmek_construct.policy.sentences import Quoted
from cmek_construct.templates.evidence import LOOK_ALIKE, allowing
from cmek_construct.templates.texts import is_unreadable, parts

_WHOLE: Final = re.compile(r"\*|[0-9]{12}|arn:[^:]*:iam::[^:]*:root")
_GUIDE: Final = "Write one of the three trust policies of Pinecone's guide (step 1.5)."
_NUMBER: Final = "Copy Pinecone's number from the Pinecone console, Manage > CMEK > Add CMEK."


@rule(
    "trust-partition",
    TrustExcess,
    sentence="Pinecone's roles are of the AWS partition aws.",
    allows="An account of that partition, which is not Pinecone's, would be trusted.",
    cure=_GUIDE,
)
def other_partition(excess: TrustExcess) -> Iterator[Fault]:
    """A role of another AWS partition."""
    if re.match(r"arn:aws-[a-z-]+:", excess.who) and LOOK_ALIKE.search(excess.who):
        yield _by_whom(excess)


@rule(
    "trust-own-account",
    TrustExcess,
    sentence="Pinecone's account is not the role's own.",
    allows="Your own roles of Pinecone's names could assume the role; Pinecone could not.",
    cure=_NUMBER,
)
def own_account(excess: TrustExcess) -> Iterator[Fault]:
    """The account of the role itself in the place of Pinecone's."""
    own = excess.of.now.account
    form = ANY_REGION.fullmatch(excess.who)
    in_pattern = _WHOLE.fullmatch(excess.who) and own in _accounts_compared(excess)
    if in_pattern or excess.who in (own, f"arn:aws:iam::{own}:root") or (form and form["account"] == own):
        yield _by_whom(excess)


@rule(
    "trust-accounts",
    TrustExcess,
    sentence="Pinecone's account is one.",
    allows="Roles of Pinecone's names in an account that is not Pinecone's could assume the role.",
    cure=_NUMBER,
)
def accounts(excess: TrustExcess) -> Iterator[Fault]:
    """A second account in the place of Pinecone's."""
    account = excess.of.meant.account
    form = PINECONES_ROLE.fullmatch(excess.who)
    others = set(_accounts_compared(excess)) - {account} if account else set()
    asked = ANY_REGION.fullmatch(excess.witness.request.principal)
    in_pattern = _WHOLE.fullmatch(excess.who) and asked and asked["account"] in others
    if in_pattern or (form and account and form["account"] != account):
        yield _by_whom(excess)


@rule(
    "trust-look-alike",
    TrustExcess,
    sentence="Pinecone's roles are named to the letter: pinecone_cmek_access_<region>.",
    allows="Whoever makes a role of this name could assume the role; Pinecone could not.",
    cure=_GUIDE,
)
def look_alike(excess: TrustExcess) -> Iterator[Fault]:
    """A role that is called nearly as Pinecone's."""
    if LOOK_ALIKE.search(excess.who) and not _is_pinecone(excess):
        yield _by_whom(excess)


@rule(
    "trust-action",
    TrustExcess,
    sentence="The trust policy allows sts:AssumeRole alone.",
    allows="Who is let in could do more than to assume the role, such as tag its sessions or come with a web identity.",
    cure="Leave sts:AssumeRole as the one action.",
)
def action(excess: TrustExcess) -> Iterator[Fault]:
    """Pinecone may do something else than to assume the role."""
    if _is_pinecone(excess) and excess.witness.request.action != "sts:AssumeRole":
        yield Fault(said(excess), " ".join(actions_of(excess.witness)))


@rule(
    "trust-external-id",
    TrustExcess,
    sentence="An external ID is one legal value, always asked for, and the one of the output.",
    allows="Pinecone could be made to use the role for another of its customers, who presents another external ID.",
    cure="Ask for the one external ID of cmek.yaml, by StringEquals.",
)
def external_id(excess: TrustExcess) -> Iterator[Fault]:
    """Pinecone may come in with another external ID, or with none."""
    if _is_pinecone(excess):
        asked = [f"{one.operator} {' '.join(one.values)}" for one in excess.witness.statement.on(aws.EXTERNAL_ID)]
        yield Fault(said(excess), " ".join(asked) or "none")


@rule(
    "trust-principal-pattern",
    TrustExcess,
    sentence="aws:PrincipalArn is compared with Pinecone's roles of Pinecone's account alone.",
    allows="Roles that are not Pinecone's could assume the role, with the external ID.",
    cure=_GUIDE,
)
def principal_pattern(excess: TrustExcess) -> Iterator[Fault]:
    """In the guide's third policy: others than Pinecone's roles in one account."""
    compared = excess.witness.statement.compared(aws.PRINCIPAL_ARN)
    if _WHOLE.fullmatch(excess.who) and compared:
        yield _by_whom(excess, " ".join(compared))


@rule(
    "trust-open-to-all",
    TrustExcess,
    sentence="Everybody, or a whole account, is named under both conditions of the guide's third trust policy alone.",
    allows="Everybody there could assume the role.",
    cure="Ask for sts:ExternalId by StringEquals and for aws:PrincipalArn by StringLike, or name Pinecone's roles.",
)
def open_to_all(excess: TrustExcess) -> Iterator[Fault]:
    """Everybody, a whole account, or all but some."""
    if _WHOLE.fullmatch(excess.who):
        yield _by_whom(excess)


@rule(
    "trust-foreign-principal",
    TrustExcess,
    sentence="The trust policy names Pinecone's CMEK roles and nobody else.",
    allows="They could assume the role and decrypt what Pinecone stores.",
    cure="Take the principal out of the role's trust policy; give who needs it a role of its own.",
)
def foreign_in_trust(excess: TrustExcess) -> Iterator[Fault]:
    """Somebody who is not Pinecone, nor looks like it."""
    yield _by_whom(excess)


@rule(
    "trust-look-alike",
    Trust,
    sentence="Pinecone's roles are named to the letter: pinecone_cmek_access_<region>.",
    allows="Whoever makes a role of this name could assume the role; Pinecone could not.",
    cure=_GUIDE,
)
def other_spelling(trust: Trust) -> Iterator[Fault]:
    """One of Pinecone's roles in capitals or under a path, where IAM keeps one name a role."""
    for statement in allowing(trust.now.trust):
        for one in statement.principals or ():
            name = parts(one.name, "/")[-1].lower()
            is_like = name.startswith(guide.ROLE_NAME_PREFIX) and one.name.startswith("arn:aws:iam:")
            if is_like and not (ANY_REGION.fullmatch(one.name) or is_unreadable(one.name)):
                what = f"The trust policy names {Quoted(shown(trust, one.name))}, which is not to "
                yield Fault(f"{what}the letter one of Pinecone's roles.", shown(trust, one.name))


@rule(ids.CANNOT_BE_JUDGED, Trust, **READABLE)
def not_typed(trust: Trust) -> Iterator[Fault]:
    """What only the deploy knows, and no deployer gives, in the place of an account or an ID."""
    for text in (trust.meant.account, trust.meant.external_id):
        if text and text.startswith("${") and text[2:-1] not in trust.context.typed:
            what = f"The trust policy has {shown(trust, text)} in the place of an account or an ID."
            yield Fault(what, shown(trust, text))


def _accounts_compared(excess: TrustExcess) -> Iterator[str]:
    for value in excess.witness.statement.compared(aws.PRINCIPAL_ARN):
        found = ANY_REGION.fullmatch(value)
        if found:
            yield found["account"]


def _is_pinecone(excess: TrustExcess) -> bool:
    """Whether it is about one of Pinecone's roles that is meant."""
    account = excess.of.meant.account
    named = PINECONES_ROLE.fullmatch(excess.who)
    if named:
        return named["account"] == account
    asked = ANY_REGION.fullmatch(excess.witness.request.principal)
    return bool(_WHOLE.fullmatch(excess.who) and asked and asked["account"] == account)


def _by_whom(excess: TrustExcess, besides: str = "") -> Fault:
    whom = f"{shown(excess.of, excess.who)} {besides}"
    return Fault(said(excess), whom.strip())
