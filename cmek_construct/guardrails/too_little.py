"""Too little: what Pinecone, or the owner of the key, needs and is not surely allowed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, Final, TypeAlias

from cmek_construct import checks, guide
from cmek_construct.guardrails.questions import Questions
from cmek_construct.guardrails.rule import Rule, Violation
from cmek_construct.guardrails.subjects import KeyUse, Permission, Trust, meant
from cmek_construct.policy import Policy, Request, Said, Statement, Verdict, aws
from cmek_construct.policy.sentences import Quoted
from cmek_construct.templates.evidence import organizations
from cmek_construct.templates.reading import each_of, members
from cmek_construct.templates.texts import is_known, is_unreadable, parts

_FACTS: Final[Mapping[str, str | None]] = {
    "aws:SecureTransport": "true",
    "aws:ViaAWSService": "false",
    "aws:CalledVia": None,
    "aws:SourceArn": None,
    "aws:SourceAccount": None,
    "aws:SourceOrgID": None,
    aws.SESSION_BEGAN: datetime.now(timezone.utc).isoformat(timespec="seconds"),
}
"""What is taken as given of a call that is needed: over TLS, by no AWS service, and in a session that begins now: a
denial to those that began before some date, which AWS writes to revoke them, is none to Pinecone, which begins
another."""
_BY_ITSELF: Final[Mapping[str, str | None]] = {**_FACTS, "kms:ViaService": None}
_OWNERS: Final[Mapping[str, Mapping[str, str | None]]] = {
    "kms:GetKeyPolicy": _BY_ITSELF,
    "kms:PutKeyPolicy": {**_BY_ITSELF, "kms:BypassPolicyLockoutSafetyCheck": "false"},
}
_EVERYTHING: Final = Statement("everything", "Allow", actions=("*",), resources=("*",))
_SERVICE: Final = re.compile(r"([a-z0-9-]+):")
_Needed: TypeAlias = Sequence[tuple[Request, Said]]
"""What is needed, and what is said to it."""

LOCKED_OUT: Final = Rule(
    "pinecone-locked-out",
    sentence="Pinecone can assume the role, and the role can encrypt and decrypt.",
    allows="Nobody: Pinecone could not read or write what it stores.",
    cure="Take out what keeps Pinecone out. To cut it off on purpose, use suspended=True.",
)
NOT_SEEN: Final = Rule(
    "pinecone-not-seen-to-come-in",
    sentence=LOCKED_OUT.sentence,
    allows="Nobody: Pinecone may be kept out, and no template can tell.",
    cure="See that Pinecone's calls meet it, and acknowledge it; or take it out.",
)
OWNER: Final = Rule(
    "key-owner",
    sentence="The account's root may read and change the key policy.",
    allows="Nobody could mend or manage the key: the data would be lost with the first mistake.",
    cure='Put the statement "Enable IAM User Permissions" of the KMS console back.',
)
OWNER_DENIED: Final = Rule(
    "key-owner-denied",
    sentence="No denial takes kms:PutKeyPolicy from the account that owns the key.",
    allows="Nobody, not even the account's root, could take the denial back.",
    cure="Deny single actions, or single principals, and leave kms:PutKeyPolicy to the account.",
)
TRUST_SIZE: Final = Rule(
    "trust-size",
    sentence="The trust policy has no more characters than IAM takes.",
    allows="Nobody: the deploy fails, unless the account's quota was raised.",
    cure="Name fewer regions, take ALL_REGIONS, or have the quota raised.",
)
ROLE_TAGS: Final = Rule(
    "role-tags",
    sentence="IAM takes the tags of the role.",
    allows="Nobody: the deploy fails.",
    cure="Mend the tags where they are set, such as by cdk.Tags.of(…).",
)


def of_trust(trust: Trust) -> Iterator[Violation]:
    """Pinecone cannot assume the role, or IAM does not take it."""
    policy, whom, ask = trust.policy, trust.meant, trust.context.ask
    # An external ID of the output that the policy does not ask for has a rule of its own.
    own_id = meant(policy, trust.now.account).external_id or whom.external_id
    context = {**_FACTS, "sts:ExternalId": own_id}
    requests = [Request(role, "sts:AssumeRole", context=context, own=True) for role in whom.roles]
    yield from _shortages(trust, _asked(ask, _but(policy, guide.assume_role_denial()), requests))
    is_read = not any(one.unreadable for one in policy.statements)
    if is_read and not requests and not ask.beyond(policy, whom.limit()):
        yield LOCKED_OUT.broken(trust.place, "The trust policy lets in none of Pinecone's roles.")
    document = trust.now.properties.get("AssumeRolePolicyDocument")
    if isinstance(document, dict):
        # What only the deploy knows counts as nothing.
        size = checks.characters(document) - sum(map(len, re.findall(r"\$\{[^}]*\}", str(document))))
        if size > checks.TRUST_POLICY_QUOTA:
            what = f"The trust policy has {size:,} characters, over {checks.TRUST_POLICY_QUOTA:,}."
            yield TRUST_SIZE.broken(trust.place, what)
    every = map(members, each_of(trust.now.properties.get("Tags")))
    pairs = [(one.get("Key"), one.get("Value")) for one in every]
    try:
        checks.tags("Tags", filter(_is_written, pairs))
    except ValueError as error:
        yield ROLE_TAGS.broken(trust.place, str(error))


def _is_written(pair: tuple[Any, Any]) -> bool:
    return all(isinstance(text, str) and is_known(text) for text in pair)


def of_key(use: KeyUse) -> Iterator[Violation]:
    """The role cannot encrypt and decrypt, or the account's root has lost the key."""
    policy = _kept(use.policy, lambda one: not organizations(one))
    root = f"arn:aws:iam::{use.now.account}:root"
    asked = [Request(root, action, context=context, own=True) for action, context in _OWNERS.items()]
    owner = [said for _, said in _asked(use.context.ask, policy, asked if "KeyPolicy" in use.now.properties else [])]
    requests = []
    for role in use.roles:
        policy = _but(policy, guide.key_denial(role.arn))
        own = True if role.account != use.now.account else None
        requests += [Request(role.arn, action, context=_BY_ITSELF, own=own) for action in guide.ENCRYPT_DECRYPT]
    # What keeps the owner out as well is said of the owner alone.
    denied = {id(said.statement) for said in owner if _is_denied(said)}
    unsure = {id(said.statement) for said in owner if said.verdict is not Verdict.YES}
    needed = _asked(use.context.ask, policy, requests)
    yield from _shortages(
        use, [it for it in needed if id(it[1].statement) not in (denied if _is_no(it[1]) else unsure)]
    )
    for (action, _), said in zip(_OWNERS.items(), owner, strict=False):
        is_denial = _is_denied(said) or _may_deny(said)
        if said.verdict is not Verdict.YES and not is_denial and not _cannot_be_read(said):
            surely = "surely " if said.verdict is Verdict.CANNOT_TELL else ""
            yield OWNER.broken(use.place, f"The key policy does not {surely}let the account's root {action}.")
            break
    for said in (one for one in owner if _is_denied(one) or _may_deny(one)):
        by = said.statement.name if said.statement else " ".join(said.hangs_on)
        what = f"The key policy denies kms:PutKeyPolicy to its own account, by {Quoted(by)}."
        yield OWNER_DENIED.broken(use.place, what)
        break


def of_permission(one: Permission) -> Iterator[Violation]:
    """A denial in a policy of the role's own, or a boundary, takes what the key policy lets it."""
    attached, name, place = one.attached, one.attached.name, one.attached.place
    if attached.policy is None or not one.keys:
        return
    policy = _kept(attached.policy, lambda each: _may_be_of_kms(each) and not organizations(each))
    if not attached.is_boundary:
        policy = _kept(policy, lambda each: each.effect != "Allow")
        if not policy.statements:
            return
        policy = replace(policy, statements=(_EVERYTHING, *policy.statements))
    found: list[tuple[Request, Said]] = []
    for key in one.keys:
        # What a call on a key says of where it is, as far as that is known.
        where = zip(("aws:RequestedRegion", "aws:ResourceAccount"), parts(key, ":")[3:5], strict=False)
        context = {**_BY_ITSELF, **{what: value for what, value in where if is_known(value)}}
        found += _asked(one.ask, policy, [Request(one.role, what, key, context) for what in guide.ENCRYPT_DECRYPT])
    for request in [asked for asked, said in found if said.verdict is Verdict.NO][:1]:
        yield LOCKED_OUT.broken(place, f"{Quoted(name)} keeps the role from {request.action}.", name)
    unsure = [it for it in found if it[1].verdict is Verdict.CANNOT_TELL and not _cannot_be_read(it[1])]
    for request, said in unsure[:1]:
        by = " ".join(said.hangs_on)
        what = f"{Quoted(name)} lets the role {request.action} only as far as this holds: {Quoted(by)}."
        yield NOT_SEEN.broken(place, what, f"{name} {by}")


def _asked(ask: Questions, policy: Policy, requests: Sequence[Request]) -> _Needed:
    return list(zip(requests, ask.answers(policy, requests), strict=True)) if requests else []


def _shortages(subject: Trust | KeyUse, needed: _Needed) -> Iterator[Violation]:
    """One violation for each statement, or condition, that keeps Pinecone out or may do so."""
    out: dict[str, list[Request]] = {}
    unsure: dict[str, list[Request]] = {}
    for request, said in needed:
        if _cannot_be_read(said) or said.verdict is Verdict.YES:
            continue  # that is said by another rule
        if _is_no(said):
            out.setdefault(said.statement.name if said.statement and _is_denied(said) else "", []).append(request)
        else:
            unsure.setdefault(" ".join(said.hangs_on), []).append(request)
    for rule, some in ((LOCKED_OUT, out), (NOT_SEEN, unsure)):
        for by, requests in some.items():
            whom = Quoted(", ".join(dict.fromkeys(one.principal for one in requests)))
            what = " and ".join(dict.fromkeys(one.action for one in requests))
            if rule is LOCKED_OUT:
                text = f"{subject.where} does not let {whom} {what}{f' by {Quoted(by)}' if by else ''}."
            else:
                text = f"{subject.where} lets {whom} {what} only as far as this holds: {Quoted(by)}."
            yield rule.broken(subject.place, text, by or requests[0].principal)


def _cannot_be_read(said: Said) -> bool:
    of_statement = said.statement is not None and bool(said.statement.unreadable)
    return of_statement or any(map(is_unreadable, said.hangs_on))


def _is_no(said: Said) -> bool:
    return said.verdict in (Verdict.NO, Verdict.BY_ACCOUNT)


def _is_denied(said: Said) -> bool:
    return said.verdict is Verdict.NO and said.statement is not None and said.statement.effect == "Deny"


def _may_deny(said: Said) -> bool:
    is_denial = said.statement is None or said.statement.effect == "Deny"
    return said.verdict is Verdict.CANNOT_TELL and is_denial and not _cannot_be_read(said)


def _may_be_of_kms(statement: Statement) -> bool:
    """Whether a statement can be about KMS: of another service is all that has such a name."""
    services = (_SERVICE.match(one.lower()) for one in statement.actions or ("",))
    return bool(statement.unreadable) or any(not it or it[1] == "kms" for it in services)


def _but(policy: Policy, suspension: guide.Statement) -> Policy:
    """A policy without a suspension in the contract's form."""
    form = _listed(suspension)
    return _kept(policy, lambda one: _listed(one.raw) != form)


def _listed(value: object) -> object:
    if isinstance(value, dict):
        return {name: _listed(one) for name, one in value.items()}
    return value if isinstance(value, list) else [value]


def _kept(policy: Policy, is_kept: Callable[[Statement], bool]) -> Policy:
    """A policy with some of its statements; the very one if those are all."""
    kept = tuple(filter(is_kept, policy.statements))
    return policy if len(kept) == len(policy.statements) else replace(policy, statements=kept)
