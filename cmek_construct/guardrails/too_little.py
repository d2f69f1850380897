"""Too little: what Pinecone, or the owner of the key, needs and is not surely allowed."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from itertools import islice, product
from typing import Final, NamedTuple

from cmek_construct import checks, guide
from cmek_construct.guardrails.rule import KeyUse, Subject, Trust, Violation, broken
from cmek_construct.policy import Policy, Request, Said, Statement, Verdict, aws, canonical, read
from cmek_construct.policy.text import is_known, is_unreadable, parts
from cmek_construct.policy.words import Quoted, in_doubt, plain
from cmek_construct.templates.evidence import allowing, organizations
from cmek_construct.templates.found import Attached, Found
from cmek_construct.templates.reading import by, each_of, members

_FACTS: Final[Mapping[str, str | None]] = {
    **aws.DIRECT_CALL,
    **dict.fromkeys(("aws:SourceArn", "aws:SourceAccount", "aws:SourceOrgID")),
    aws.SESSION_BEGAN: datetime.now(timezone.utc).isoformat(timespec="seconds"),
}
"""What is taken as given of a call that is needed: over TLS, by no AWS service, and in a session that begins now: a
denial to those that began before some date, which AWS writes to revoke them, is none to Pinecone, which begins
another."""
_OWNERS: Final[Mapping[str, Mapping[str, str | None]]] = {
    "kms:GetKeyPolicy": _FACTS,
    "kms:PutKeyPolicy": {**_FACTS, "kms:BypassPolicyLockoutSafetyCheck": "false"},
}
_NOT_SEEN: Final = "pinecone-not-seen-to-come-in"
_HOW: Final = {Verdict.YES: "yes", Verdict.CANNOT_TELL: "unsure"}
_MOST_TAGS: Final = 16  # combinations that are tried
_EVERYTHING: Final = Statement("everything", "Allow", actions=("*",), resources=("*",))


class _Answer(NamedTuple):
    """What is needed, and what a policy says to it."""

    request: Request
    said: Said
    how: str  # ``yes``, ``no``, ``unsure`` or ``unread``
    is_denial: bool  # whether a denial takes it, or may do so

    @property
    def unread(self) -> str:
        """What cannot be read, on which it hangs."""
        hangs_on = " ".join(self.said.hangs_on)
        hidden = re.search(r"\$\{\?[^}]*\}", hangs_on)
        return next(iter((self.said.statement or _EVERYTHING).unreadable), hidden[0] if hidden else hangs_on)


def of_trust(trust: Trust) -> Iterator[Violation]:
    """Pinecone cannot assume the role, or IAM does not take it."""
    policy, properties = trust.now.policy, trust.now.properties
    # An external ID of the output that the policy does not ask for has a rule of its own.
    own_id = trust.asked_id or trust.external_id
    context = {**_FACTS, "sts:ExternalId": own_id, "sts:RoleSessionName": "${the name of the session}"}
    requests = [Request(role, "sts:AssumeRole", context=context, own=True) for role in trust.roles]
    yield from _shortages(trust, _asked(trust.found, _but(policy, guide.assume_role_denial()), requests))
    is_read = not any(one.unreadable for one in policy.statements)
    if is_read and not requests and not trust.found.ask.beyond(policy, trust.limit):
        yield broken("pinecone-locked-out", trust.place, "The trust policy lets in none of Pinecone's roles.")
    document = properties.get("AssumeRolePolicyDocument")
    # What only the deploy knows counts as nothing.
    unknown = sum(map(len, re.findall(r"\$\{[^}]*\}", str(document))))
    size = checks.characters(document) - unknown if isinstance(document, dict) else 0
    if size > checks.TRUST_POLICY_QUOTA:
        what = f"The trust policy has {size:,} characters, over {checks.TRUST_POLICY_QUOTA:,}."
        yield broken("trust-size", trust.place, what)
    pairs = [(one.get("Key"), one.get("Value")) for one in map(members, each_of(properties.get("Tags")))]
    try:
        checks.tags("Tags", [pair for pair in pairs if all(isinstance(one, str) and is_known(one) for one in pair)])
    except ValueError as error:
        yield broken("role-tags", trust.place, str(error))


def of_key(use: KeyUse) -> Iterator[Violation]:
    """The role cannot encrypt and decrypt, or the account's root has lost the key."""
    account, policy = use.now.account, _kept(use.now.policy, lambda one: not organizations(one))
    root, tags = f"arn:aws:iam::{account}:root", _tags(policy)
    asked = [
        Request(root, action, context={**context, "aws:userid": account, **some}, own=True)
        for action, context in _OWNERS.items()
        for some in tags
    ]
    every = _asked(use.found, policy, asked if "KeyPolicy" in use.now.properties else ())
    # The owner may ask with whatever tags let it.
    owner = [
        max(answers, key=lambda it: (it.how == "yes", it.how == "unsure"))
        for answers in by(every, lambda it: it.request.action).values()
    ]
    requests = []
    for role in use.roles:
        policy = _but(policy, guide.key_denial(role.arn))
        own = True if role.account != account else None
        requests += [Request(role.arn, action, context=_FACTS, own=own) for action in guide.ENCRYPT_DECRYPT]
    # What keeps the owner out as well is said of the owner alone.
    denied = {id(it.said.statement) for it in owner if it.how == "no" and it.is_denial}
    missed = {id(it.said.statement) for it in owner if it.how != "yes"}
    needed = _asked(use.found, policy, requests)
    yield from _shortages(
        use, (it for it in needed if id(it.said.statement) not in (denied if it.how == "no" else missed))
    )
    for it in [it for it in owner if it.how in ("no", "unsure") and not it.is_denial][:1]:
        surely = "surely " if it.how == "unsure" else ""
        what = f"The key policy does not {surely}let the account's root {it.request.action}."
        yield broken("key-owner", use.place, what)
    denials = [it for it in owner if it.is_denial]
    taken = {it.request.action: it.said.statement for it in denials if it.how == "no" and it.said.statement}
    for statement in list(taken.values())[-1:]:
        what = f"The key policy denies {' and '.join(taken)} to its own account, by {Quoted(statement.name)}."
        yield broken("key-owner-denied", use.place, what)
    others = (it for it in owner if it.how == "unread" or (it.how == "unsure" and it.is_denial))
    yield from _shortages(use, others, "key-owner-denied")


def _tags(policy: Policy) -> list[dict[str, str | None]]:
    """The tags, and the MFA, with which an owner may ask: whoever has others, or none, may be who is not denied."""
    denials = [statement for statement in policy.statements if statement.effect == "Deny"]
    wanted = {one.key.lower() for statement in allowing(policy) for one in statement.conditions}
    found: dict[str, dict[str | None, None]] = {}
    for one in (one for statement in denials for one in statement.conditions):
        key = one.key.lower()
        another = "true" if key == "aws:multifactorauthpresent" else "another"
        if (key.startswith("aws:principaltag/") or another == "true") and key not in wanted:
            found.setdefault(key, {None: None, another: None}).update(dict.fromkeys(one.values))
    return [dict(zip(found, values, strict=True)) for values in islice(product(*found.values()), _MOST_TAGS)]


def of_permission(attached: Attached, found: Found) -> Iterator[Violation]:
    """A denial in a policy of the role's own, or a boundary, takes what the key policy lets it."""
    name, place = attached.name, attached.place
    if attached.policy is None:
        return
    policy = _kept(attached.policy, lambda each: _may_be_of_kms(each) and not organizations(each))
    if not attached.is_boundary:
        policy = _kept(policy, lambda each: each.effect != "Allow")
        if not policy.statements:
            return
        policy = replace(policy, statements=(_EVERYTHING, *policy.statements))
    role = next((one.arn for one in found.roles_in(attached.case, [attached.role])), None)
    role = role or f"arn:aws:iam::{attached.role.stack.account}:role/x"
    asked: list[_Answer] = []
    for _, key in found.keys_of.get(attached.role, ()):
        # What a call on a key says of where it is, as far as that is known.
        where = zip(("aws:RequestedRegion", "aws:ResourceAccount"), parts(key, ":")[3:5], strict=False)
        sent = {**_FACTS, **{what: value for what, value in where if is_known(value)}}
        asked += _asked(found, policy, [Request(role, what, key, sent) for what in guide.ENCRYPT_DECRYPT])
    for it in [it for it in asked if it.how == "no"][:1]:
        yield broken("pinecone-locked-out", place, f"{Quoted(name)} keeps the role from {it.request.action}.", name)
    for it in [it for it in asked if it.how == "unread"][:1]:
        what = f"The policy {Quoted(name)} of the role has {Quoted(it.unread)}."
        yield broken("cannot-be-judged", place, what, it.unread)
    for it in [it for it in asked if it.how == "unsure"][:1]:
        hangs_on = place.stack.short(plain(in_doubt(it.said.hangs_on)))
        what = f"{Quoted(name)} may keep the role from {it.request.action}: that hangs on {hangs_on}."
        yield broken(_NOT_SEEN, place, what, f"{name} {' '.join(it.said.hangs_on)}")


def _asked(found: Found, policy: Policy, requests: Sequence[Request]) -> Iterator[_Answer]:
    for request, said in zip(requests, found.ask.answers(policy, requests) if requests else (), strict=True):
        statement, how = said.statement, _HOW.get(said.verdict, "no")
        is_denial = statement.effect == "Deny" if statement else how == "unsure"
        is_unread = (statement and statement.unreadable) or any(map(is_unreadable, said.hangs_on))
        yield _Answer(request, said, "unread" if is_unread and how != "yes" else how, is_denial)


def _shortages(subject: Subject, needed: Iterable[_Answer], unsure: str = _NOT_SEEN) -> Iterator[Violation]:
    """One violation for each statement, or condition, that keeps somebody out or may do so."""
    found: dict[tuple[str, tuple[str, ...]], list[Request]] = {}
    for it in needed:
        if it.how == "unread":
            what = f"{subject.where} has {Quoted(it.unread)}, which cannot be judged from the template."
            yield broken("cannot-be-judged", subject.place, what, it.unread)
        elif it.how != "yes":
            denial = (it.said.statement.name,) if it.said.statement and it.is_denial else ()
            found.setdefault((it.how, it.said.hangs_on if it.how == "unsure" else denial), []).append(it.request)
    for (how, why), requests in sorted(found.items(), key=lambda it: it[0][0] == "unsure"):
        whom = Quoted(", ".join(dict.fromkeys(one.principal for one in requests)))
        what = " and ".join(dict.fromkeys(one.action for one in requests))
        rule, text = "pinecone-locked-out", f"does not let {whom} {what}{''.join(f' by {Quoted(one)}' for one in why)}."
        if how == "unsure":
            hangs_on = subject.place.stack.short(plain(in_doubt(why)))
            rule, text = unsure, f"does not surely let {whom} {what}: that hangs on {hangs_on}."
        yield broken(rule, subject.place, f"{subject.where} {text}", " ".join(why) or requests[0].principal)


def _may_be_of_kms(statement: Statement) -> bool:
    """Whether a statement can be about KMS: of another service is all that has such a name."""
    services = (re.match(r"([a-z0-9-]+):", one.lower()) for one in statement.actions or ("",))
    return bool(statement.unreadable) or any(not it or it[1] == "kms" for it in services)


def _but(policy: Policy, suspension: guide.Statement) -> Policy:
    """A policy without a suspension in the contract's form."""
    if all(one.effect == "Allow" for one in policy.statements):
        return policy
    [form] = read(guide.policy_document(suspension), policy.kind, texts=canonical).statements
    return _kept(policy, lambda one: replace(one, variables=form.variables) != form)


def _kept(policy: Policy, is_kept: Callable[[Statement], bool]) -> Policy:
    """A policy with some of its statements; the very one if those are all."""
    kept = tuple(filter(is_kept, policy.statements))
    return policy if len(kept) == len(policy.statements) else replace(policy, statements=kept)
