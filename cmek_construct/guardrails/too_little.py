"""Too little: what Pinecone, or the owner of the key, needs and is not surely allowed."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from itertools import islice, product
from typing import Final, NamedTuple

from cmek_construct import checks, guide
from cmek_construct.guardrails.rule import Trust, Violation, broken
from cmek_construct.policy import Policy, Request, Said, Statement, Verdict, aws, read
from cmek_construct.policy.text import hole, holes, is_known, parts
from cmek_construct.policy.words import Quoted, in_doubt, plain, quoted_list
from cmek_construct.templates.evidence import allowing, organizations
from cmek_construct.templates.found import Attached, Found, Now
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
    why: tuple[str, ...]  # the denial that takes it, what is not known, or what cannot be read


def of_trust(trust: Trust, found: Found) -> Iterator[Violation]:
    """Pinecone cannot assume the role, or IAM does not take it."""
    place, policy, properties = trust.now.place, trust.now.policy, trust.now.properties
    # An external ID of the output that the policy does not ask for has a rule of its own.
    own_id = trust.asked_id or trust.external_id
    context = {**_FACTS, "sts:ExternalId": own_id, "sts:RoleSessionName": "${the name of the session}"}
    requests = [Request(role, "sts:AssumeRole", context=context, own=True) for role in trust.roles]
    yield from _shortages(trust.now, _asked(found, _but(policy, guide.assume_role_denial()), requests))
    is_read = not any(one.unreadable for one in policy.statements)
    if is_read and not requests and not found.ask.beyond(policy, trust.limit):
        yield broken("pinecone-locked-out", place, "none")
    document = properties.get("AssumeRolePolicyDocument")
    # What only the deploy knows counts as nothing.
    unknown = sum(map(len, re.findall(r"\$\{[^}]*\}", str(document))))
    size = checks.characters(document) - unknown if isinstance(document, dict) else 0
    if size > checks.TRUST_POLICY_QUOTA:
        yield broken("trust-size", place, size=f"{size:,}", most=f"{checks.TRUST_POLICY_QUOTA:,}")
    pairs = [(one.get("Key"), one.get("Value")) for one in map(members, each_of(properties.get("Tags")))]
    try:
        checks.tags("Tags", [pair for pair in pairs if all(isinstance(one, str) and is_known(one) for one in pair)])
    except ValueError as error:
        yield broken("role-tags", place, why=[str(error)])


def of_key(key: Now, roles: Iterable[Now], found: Found) -> Iterator[Violation]:
    """The role cannot encrypt and decrypt, or the account's root has lost the key."""
    account = key.account
    policy = _kept(key.policy, lambda one: not organizations(one))
    root, tags = f"arn:aws:iam::{account}:root", _tags(policy)
    asked = [
        Request(root, action, context={**context, "aws:userid": account, **some}, own=True)
        for action, context in _OWNERS.items()
        for some in tags
    ]
    every = _asked(found, policy, asked if "KeyPolicy" in key.properties else ())
    # The owner may ask with whatever tags let it.
    owner = [
        max(answers, key=lambda it: (it.how == "yes", it.how == "unsure"))
        for answers in by(every, lambda it: it.request.action).values()
    ]
    requests = []
    for role in roles:
        policy = _but(policy, guide.key_denial(role.arn))
        own = True if role.account != account else None
        requests += [Request(role.arn, action, context=_FACTS, own=own) for action in guide.ENCRYPT_DECRYPT]
    # What keeps the owner out as well is said of the owner alone.
    taken = [it for it in owner if it.how == "no" and it.is_denial]
    denied = {id(it.said.statement) for it in taken}
    missed = {id(it.said.statement) for it in owner if it.how != "yes"}
    needed = _asked(found, policy, requests)
    needed = (it for it in needed if id(it.said.statement) not in (denied if it.how == "no" else missed))
    yield from _shortages(key, needed)
    for it in [it for it in owner if it.how in ("no", "unsure") and not it.is_denial][:1]:
        surely = "surely " if it.how == "unsure" else ""
        yield broken("key-owner", key.place, surely=surely, action=it.request.action)
    if taken:
        action, by_which = " and ".join(it.request.action for it in taken), dict.fromkeys(it.why[0] for it in taken)
        yield broken("key-owner-denied", key.place, action=action, statement=quoted_list(by_which))
    others = (it for it in owner if it.how == "unread" or (it.how == "unsure" and it.is_denial))
    yield from _shortages(key, others, "key-owner-denied")


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
        policy = replace(policy, statements=(_EVERYTHING, *policy.statements))
    asked: list[_Answer] = []
    for role, (_, key) in product(found.roles_in(attached.case, [attached.role]), found.keys_of.get(attached.role, ())):
        # What a call on a key says of where it is, as far as that is known.
        where = zip(("aws:RequestedRegion", "aws:ResourceAccount"), parts(key, ":")[3:5], strict=False)
        sent = {**_FACTS, **{what: value for what, value in where if is_known(value)}}
        asked += _asked(found, policy, [Request(role.arn, what, key, sent) for what in guide.ENCRYPT_DECRYPT])
    for it in [it for it in asked if it.how == "no"][:1]:
        yield broken("pinecone-locked-out", place, "by policy", witness=name, name=name, action=it.request.action)
    for it in [it for it in asked if it.how == "unread"][:1]:
        yield broken("cannot-be-judged", place, "of a policy", witness=it.why[0], name=name, what=it.why[0])
    for it in [it for it in asked if it.how == "unsure"][:1]:
        hangs_on = [place.stack.short(plain(in_doubt(it.why)))]
        why = f"{name} {' '.join(it.why)}"
        yield broken(_NOT_SEEN, place, "by policy", witness=why, name=name, action=it.request.action, hangs_on=hangs_on)


def _asked(found: Found, policy: Policy, requests: Sequence[Request]) -> Iterator[_Answer]:
    for request, said in zip(requests, found.ask.answers(policy, requests) if requests else (), strict=True):
        statement, how = said.statement or _EVERYTHING, _HOW.get(said.verdict, "no")
        is_denial = statement.effect == "Deny" if said.statement else how == "unsure"
        texts = [*said.hangs_on, *(value for one in policy.statements for value in one.compared(*said.hangs_on))]
        hidden = (hole(name) for text in texts for name in holes(text) if name.startswith("?"))
        unread = [] if how == "yes" else [*statement.unreadable, *hidden]
        why = said.hangs_on if how == "unsure" else (statement.name,) if is_denial else ()
        yield _Answer(request, said, "unread" if unread else how, is_denial, tuple(unread[:1]) or why)


def _shortages(of: Now, needed: Iterable[_Answer], unsure: str = _NOT_SEEN) -> Iterator[Violation]:
    """One violation for each statement, or condition, that keeps somebody out or may do so."""
    rows = {"unread": ("cannot-be-judged", "what"), "no": ("pinecone-locked-out", "what"), "unsure": (unsure, "unsure")}
    same = by((it for it in needed if it.how in rows), lambda it: (it.how, it.why))
    for (how, why), some in sorted(same.items(), key=lambda it: [*rows].index(it[0][0])):
        rule, says = rows[how]
        text, kind = " ".join(why), of.policy.kind
        whom = ", ".join(dict.fromkeys(it.request.principal for it in some))
        action = " and ".join(dict.fromkeys(it.request.action for it in some))
        more = {"by": [f" by {Quoted(one)}" for one in why], "hangs_on": [of.place.stack.short(plain(in_doubt(why)))]}
        witness = text or some[0].request.principal
        yield broken(rule, of.place, says, witness=witness, kind=kind, whom=whom, action=action, text=text, **more)


def _may_be_of_kms(statement: Statement) -> bool:
    """Whether a statement can be about KMS: of another service is all that has such a name."""
    services = (re.match(r"([a-z0-9-]+):", one.lower()) for one in statement.actions or ("",))
    return bool(statement.unreadable) or any(not it or it[1] == "kms" for it in services)


def _but(policy: Policy, suspension: guide.Statement) -> Policy:
    """A policy without a suspension in the contract's form."""
    [form] = read(guide.policy_document(suspension), policy.kind, forms={}).statements
    return _kept(policy, lambda one: replace(one, variables=form.variables) != form)


def _kept(policy: Policy, is_kept: Callable[[Statement], bool]) -> Policy:
    """A policy with some of its statements; the very one if those are all."""
    kept = tuple(filter(is_kept, policy.statements))
    return policy if len(kept) == len(policy.statements) else replace(policy, statements=kept)
