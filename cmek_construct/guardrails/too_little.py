"""Too little: what Pinecone, or the owner of the key, needs and is not surely allowed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any, Final

from cmek_construct import checks, guide
from cmek_construct.guardrails.judged import KeyUse, Permission, Trust
from cmek_construct.guardrails.meant import meant
from cmek_construct.guardrails.rule import Fault, rule
from cmek_construct.policy import Policy, Request, Said, Statement, Verdict, aws
from cmek_construct.policy.sentences import Quoted
from cmek_construct.templates.evidence import spares_organization
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
_OUT: Final = {
    "sentence": "Pinecone can assume the role, and the role can encrypt and decrypt.",
    "allows": "Nobody: Pinecone could not read or write what it stores.",
    "cure": "Take out what keeps Pinecone out. To cut it off on purpose, use suspended=True.",
}
_MAYBE: Final = {
    **_OUT,
    "allows": "Nobody: Pinecone may be kept out, and no template can tell.",
    "cure": "See that Pinecone's calls meet it, and acknowledge it; or take it out.",
}
_EVERYTHING: Final = Statement("everything", "Allow", actions=("*",), resources=("*",))
_SERVICE: Final = re.compile(r"([a-z0-9-]+):")
LOCKED_OUT: Final = "pinecone-locked-out"
NOT_SEEN: Final = "pinecone-not-seen-to-come-in"


# Pinecone.


@rule(LOCKED_OUT, Trust, KeyUse, **_OUT)
def out(subject: Trust | KeyUse) -> Iterator[Fault]:
    """Pinecone surely cannot assume the role, or the role not encrypt and decrypt."""
    yield from _shortages(_needed(subject, Verdict.NO), Verdict.NO, subject.where)


@rule(LOCKED_OUT, Trust, **_OUT)
def names_nobody(trust: Trust) -> Iterator[Fault]:
    """A trust policy that lets nobody in: neither Pinecone nor, too much, others."""
    policy = trust.now.trust
    if any(trust.meant.roles()) or any(one.unreadable for one in policy.statements):
        return
    if not trust.context.ask.beyond(policy, trust.meant.limit()):
        yield Fault("The trust policy lets in none of Pinecone's roles.")


@rule(NOT_SEEN, Trust, KeyUse, **_MAYBE)
def maybe_out(subject: Trust | KeyUse) -> Iterator[Fault]:
    """It hangs on something that no template says."""
    needed = _needed(subject, Verdict.CANNOT_TELL)
    yield from _shortages(needed, Verdict.CANNOT_TELL, subject.where)


def _needed(subject: Trust | KeyUse, verdict: Verdict) -> list[tuple[Request, Said]]:
    """What is needed and is said; of a key without what a rule on its owner tells already."""
    if isinstance(subject, Trust):
        return _assumes(subject)
    owner = {
        id(said.statement)
        for _, said in _owner(subject)
        if _is_denied(said) or (verdict is not Verdict.NO and said.verdict is not Verdict.YES)
    }
    return [one for one in _uses(subject) if id(one[1].statement) not in owner]


@rule(LOCKED_OUT, Permission, **_OUT)
def out_by_permissions(permission: Permission) -> Iterator[Fault]:
    """A denial in a policy of the role's own, or a boundary that does not let it."""
    name = permission.attached.name
    for request, said in _permits(permission):
        if said.verdict is Verdict.NO:
            yield Fault(f"{Quoted(name)} keeps the role from {request.action}.", name)
            return


@rule(NOT_SEEN, Permission, **_MAYBE)
def maybe_out_by_permissions(permission: Permission) -> Iterator[Fault]:
    """It hangs on something that no template says."""
    name = permission.attached.name
    for request, said in _permits(permission):
        if said.verdict is Verdict.CANNOT_TELL and not _cannot_be_read(said):
            by = " ".join(said.hangs_on)
            what = f"{Quoted(name)} lets the role {request.action} only as far as this holds"
            yield Fault(f"{what}: {Quoted(by)}.", f"{name} {by}")
            return


def _role_of(permission: Permission) -> str:
    context, place = permission.context, permission.attached.role
    now = next(context.roles_now(frozenset({place}), permission.attached.case), None)
    return now.arn if now else f"arn:aws:iam::{permission.account}:role/x"


@lru_cache(maxsize=2)
def _permits(permission: Permission) -> list[tuple[Request, Said]]:
    """What a policy of the role's own leaves of what the key policy lets it."""
    attached, policy = permission.attached, permission.attached.policy
    if policy is None or not permission.keys:
        return []
    policy = _kept(_without_own_organization(policy), _may_be_of_kms)
    if not attached.is_boundary:
        denials = _kept(policy, lambda one: one.effect != "Allow")
        if not denials.statements:
            return []
        policy = replace(denials, statements=(_EVERYTHING, *denials.statements))
    role = _role_of(permission)
    found: list[tuple[Request, Said]] = []
    for key in permission.keys:
        context = {**_BY_ITSELF, **_of_key(key)}
        requests = [Request(role, one, key, context) for one in guide.ENCRYPT_DECRYPT]
        found += zip(requests, permission.context.ask.answers(policy, requests), strict=True)
    return found


def _may_be_of_kms(statement: Statement) -> bool:
    """Whether a statement can be about KMS: of another service is all that has such a name."""
    services = (_SERVICE.match(one.lower()) for one in statement.actions or ("",))
    return bool(statement.unreadable) or any(not it or it[1] == "kms" for it in services)


def _of_key(key: str) -> Mapping[str, str]:
    """What a call on a key says of where it is, as far as that is known."""
    said = zip(("aws:RequestedRegion", "aws:ResourceAccount"), parts(key, ":")[3:5], strict=False)
    return {name: one for name, one in said if is_known(one)}


@lru_cache(maxsize=2)
def _assumes(trust: Trust) -> list[tuple[Request, Said]]:
    """What the trust policy says to each of Pinecone's roles that are meant."""
    policy = _but(trust.now.trust, guide.assume_role_denial())
    own_id = {"sts:ExternalId": _asked_for(trust)}
    requests = [Request(role, "sts:AssumeRole", context={**_FACTS, **own_id}, own=True) for role in trust.meant.roles()]
    return list(zip(requests, trust.context.ask.answers(policy, requests), strict=True))


def _asked_for(trust: Trust) -> str | None:
    """The external ID that Pinecone presents: an output's that the policy does not ask for has a rule of its own."""
    return meant(trust.now.trust, trust.now.account).external_id or trust.meant.external_id


@lru_cache(maxsize=2)
def _uses(use: KeyUse) -> list[tuple[Request, Said]]:
    """What the key policy says to the role."""
    policy = _without_own_organization(use.now.policy)
    requests = []
    for role in use.roles:
        policy = _but(policy, guide.key_denial(role.arn))
        is_across = role.account != use.now.account
        requests += [
            Request(role.arn, action, context=_BY_ITSELF, own=is_across or None) for action in guide.ENCRYPT_DECRYPT
        ]
    if not requests:
        return []
    return list(zip(requests, use.context.ask.answers(policy, requests), strict=True))


def _shortages(found: Iterable[tuple[Request, Said]], verdict: Verdict, where: str) -> Iterator[Fault]:
    """One fault for each statement, or condition, that keeps Pinecone out."""
    out: dict[str, list[Request]] = {}
    for request, said in found:
        if _cannot_be_read(said):
            continue  # that is said by another rule
        is_no = said.verdict in (Verdict.NO, Verdict.BY_ACCOUNT)
        if said.verdict is not Verdict.YES and is_no is (verdict is Verdict.NO):
            denial = said.statement.name if said.statement and _is_denied(said) else ""
            by = denial if is_no else " ".join(said.hangs_on)
            out.setdefault(by, []).append(request)
    for by, requests in out.items():
        whom = ", ".join(dict.fromkeys(one.principal for one in requests))
        what = " and ".join(dict.fromkeys(one.action for one in requests))
        if verdict is Verdict.NO:
            reason = f" by {Quoted(by)}" if by else ""
            text = f"{where} does not let {Quoted(whom)} {what}{reason}."
        else:
            text = f"{where} lets {Quoted(whom)} {what} only as far as this holds: {Quoted(by)}."
        yield Fault(text, by or " ".join(one.principal for one in requests[:1]))


def _cannot_be_read(said: Said) -> bool:
    of_statement = said.statement is not None and bool(said.statement.unreadable)
    return of_statement or any(map(is_unreadable, said.hangs_on))


def _is_denied(said: Said) -> bool:
    return said.verdict is Verdict.NO and said.statement is not None and said.statement.effect == "Deny"


def _but(policy: Policy, suspension: guide.Statement) -> Policy:
    """A policy without a suspension in the contract's form."""
    return _kept(policy, lambda one: not _is(one, suspension))


def _is(statement: Statement, form: guide.Statement) -> bool:
    raw = statement.raw
    if not isinstance(raw, dict) or raw.keys() != form.keys():
        return False
    return all(_listed(raw[name]) == _listed(form[name]) for name in form)


def _listed(value: object) -> object:
    if isinstance(value, dict):
        return {name: _listed(one) for name, one in value.items()}
    return value if isinstance(value, list) else [value]


# The owner.


@rule(
    "key-owner",
    KeyUse,
    sentence="The account's root may read and change the key policy.",
    allows="Nobody could mend or manage the key: the data would be lost with the first mistake.",
    cure='Put the statement "Enable IAM User Permissions" of the KMS console back.',
)
def owner_rules(use: KeyUse) -> Iterator[Fault]:
    """The account's root has lost the key."""
    for request, said in _owner(use):
        known = said.verdict is Verdict.YES or _is_denied(said) or _may_deny(said)
        if not known and not _cannot_be_read(said):
            surely = "surely " if said.verdict is Verdict.CANNOT_TELL else ""
            what = f"The key policy does not {surely}let the account's root {request.action}."
            yield Fault(what)
            return


@rule(
    "key-owner-denied",
    KeyUse,
    sentence="No denial takes kms:PutKeyPolicy from the account that owns the key.",
    allows="Nobody, not even the account's root, could take the denial back.",
    cure="Deny single actions, or single principals, and leave kms:PutKeyPolicy to the account.",
)
def owner_denied(use: KeyUse) -> Iterator[Fault]:
    """A denial after which nobody can change the key policy any more."""
    found = [said for _, said in _owner(use) if _is_denied(said) or _may_deny(said)]
    for said in found[:1]:
        by = said.statement.name if said.statement else " ".join(said.hangs_on)
        yield Fault(f"The key policy denies kms:PutKeyPolicy to its own account, by {Quoted(by)}.")


def _may_deny(said: Said) -> bool:
    is_denial = said.statement is None or said.statement.effect == "Deny"
    return said.verdict is Verdict.CANNOT_TELL and is_denial and not _cannot_be_read(said)


@lru_cache(maxsize=2)
def _owner(use: KeyUse) -> Sequence[tuple[Request, Said]]:
    """What the key policy says to the root of its account."""
    if "KeyPolicy" not in use.now.properties:
        return []
    policy = _without_own_organization(use.now.policy)
    requests = [
        Request(f"arn:aws:iam::{use.now.account}:root", action, context=context, own=True)
        for action, context in _OWNERS.items()
    ]
    return list(zip(requests, use.context.ask.answers(policy, requests), strict=True))


def _without_own_organization(policy: Policy) -> Policy:
    """A policy without denials to whom is not of an organization: the owner is taken to be."""
    return _kept(policy, lambda one: not spares_organization(one))


def _kept(policy: Policy, is_kept: Callable[[Statement], bool]) -> Policy:
    """A policy with some of its statements; the very one if those are all."""
    kept = tuple(filter(is_kept, policy.statements))
    return policy if len(kept) == len(policy.statements) else replace(policy, statements=kept)


@rule(
    "trust-size",
    Trust,
    sentence="The trust policy has no more characters than IAM takes.",
    allows="Nobody: the deploy fails, unless the account's quota was raised.",
    cure="Name fewer regions, take ALL_REGIONS, or have the quota raised.",
)
def too_long(trust: Trust) -> Iterator[Fault]:
    """A trust policy over IAM's quota; what only the deploy knows counts as nothing."""
    document = trust.now.properties.get("AssumeRolePolicyDocument")
    if isinstance(document, dict):
        size = checks.characters(document) - sum(map(len, re.findall(r"\$\{[^}]*\}", str(document))))
        if size > checks.TRUST_POLICY_QUOTA:
            yield Fault(f"The trust policy has {size:,} characters, over {checks.TRUST_POLICY_QUOTA:,}.")


@rule(
    "role-tags",
    Trust,
    sentence="IAM takes the tags of the role.",
    allows="Nobody: the deploy fails.",
    cure="Mend the tags where they are set, such as by cdk.Tags.of(…).",
)
def strange_tags(trust: Trust) -> Iterator[Fault]:
    """Tags that IAM refuses; of what only the deploy knows nothing is said."""
    every = map(members, each_of(trust.now.properties.get("Tags")))
    pairs = [(one.get("Key"), one.get("Value")) for one in every]
    try:
        checks.tags("Tags", filter(_is_written, pairs))
    except ValueError as error:
        yield Fault(str(error))


def _is_written(pair: tuple[Any, Any]) -> bool:
    return all(isinstance(text, str) and is_known(text) for text in pair)
