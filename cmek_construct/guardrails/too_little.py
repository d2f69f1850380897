"""Too little: what Pinecone, or the owner of the key, needs and is not surely allowed."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from itertools import islice, product
from typing import Final, TypeAlias

from cmek_construct import checks, guide
from cmek_construct.guardrails.rule import KeyUse, Rule, Subject, Trust, Violation
from cmek_construct.policy import Policy, Request, Said, Statement, Verdict, aws, canonical, read
from cmek_construct.policy.text import is_known, is_unreadable, parts
from cmek_construct.policy.words import Quoted, in_doubt, plain
from cmek_construct.templates.evidence import allowing, organizations
from cmek_construct.templates.found import Attached, Found
from cmek_construct.templates.reading import each_of, members

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
_MOST_TAGS: Final = 16  # combinations that are tried
_EVERYTHING: Final = Statement("everything", "Allow", actions=("*",), resources=("*",))
_Answered: TypeAlias = tuple[Request, Said, str]
"""What is needed, what a policy says to it, and how it then stands: ``yes``; ``denied`` or otherwise ``no``; ``may be
denied`` or otherwise ``unsure``; or ``unread``, which another rule tells."""

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
    policy, properties = trust.now.policy, trust.now.properties
    # An external ID of the output that the policy does not ask for has a rule of its own.
    own_id = trust.asked_id or trust.external_id
    context = {**_FACTS, "sts:ExternalId": own_id, "sts:RoleSessionName": "${the name of the session}"}
    requests = [Request(role, "sts:AssumeRole", context=context, own=True) for role in trust.roles]
    yield from _shortages(trust, _asked(trust.found, _but(policy, guide.assume_role_denial()), requests))
    is_read = not any(one.unreadable for one in policy.statements)
    if is_read and not requests and not trust.found.ask.beyond(policy, trust.limit):
        yield LOCKED_OUT.broken(trust.place, "The trust policy lets in none of Pinecone's roles.")
    document = properties.get("AssumeRolePolicyDocument")
    # What only the deploy knows counts as nothing.
    unknown = sum(map(len, re.findall(r"\$\{[^}]*\}", str(document))))
    size = checks.characters(document) - unknown if isinstance(document, dict) else 0
    if size > checks.TRUST_POLICY_QUOTA:
        what = f"The trust policy has {size:,} characters, over {checks.TRUST_POLICY_QUOTA:,}."
        yield TRUST_SIZE.broken(trust.place, what)
    pairs = [(one.get("Key"), one.get("Value")) for one in map(members, each_of(properties.get("Tags")))]
    try:
        checks.tags("Tags", [pair for pair in pairs if all(isinstance(one, str) and is_known(one) for one in pair)])
    except ValueError as error:
        yield ROLE_TAGS.broken(trust.place, str(error))


def of_key(use: KeyUse) -> Iterator[Violation]:
    """The role cannot encrypt and decrypt, or the account's root has lost the key."""
    account, policy = use.now.account, _kept(use.now.policy, lambda one: not organizations(one))
    owner, root, tags = [], f"arn:aws:iam::{account}:root", _tags(policy)
    asked = [
        Request(root, action, context={**context, "aws:userid": account, **some}, own=True)
        for action, context in _OWNERS.items()
        for some in tags
    ]
    every = list(_asked(use.found, policy, asked if "KeyPolicy" in use.now.properties else ()))
    for action in _OWNERS:
        answers = [it for it in every if it[0].action == action]
        owner += _first(answers, "yes") or _first(answers, "unsure", "may be denied") or answers[:1]
    requests = []
    for role in use.roles:
        policy = _but(policy, guide.key_denial(role.arn))
        own = True if role.account != account else None
        requests += [Request(role.arn, action, context=_FACTS, own=own) for action in guide.ENCRYPT_DECRYPT]
    # What keeps the owner out as well is said of the owner alone.
    denied = {id(said.statement) for _, said, how in owner if how == "denied"}
    unsure = {id(said.statement) for _, said, how in owner if how != "yes"}
    told = {"no": denied, "denied": denied, "unsure": unsure, "may be denied": unsure}
    needed = _asked(use.found, policy, requests)
    yield from _shortages(use, [one for one in needed if id(one[1].statement) not in told.get(one[2], ())])
    for request, said, _ in _first(owner, "no", "unsure"):
        surely = "surely " if said.verdict is Verdict.CANNOT_TELL else ""
        yield OWNER.broken(use.place, f"The key policy does not {surely}let the account's root {request.action}.")
    for _, said, _ in _first(owner, "denied"):
        by = said.statement.name if said.statement else ""
        what = f"The key policy denies kms:PutKeyPolicy to its own account, by {Quoted(by)}."
        yield OWNER_DENIED.broken(use.place, what)
    yield from _shortages(use, [one for one in owner if one[2] == "may be denied"], OWNER_DENIED)


def _tags(policy: Policy) -> list[dict[str, str | None]]:
    """The tags with which an owner may ask: whoever has others, or none, may be the one who is not denied."""
    denials = [statement for statement in policy.statements if statement.effect == "Deny"]
    wanted = {one.key.lower() for statement in allowing(policy) for one in statement.conditions}
    found: dict[str, dict[str | None, None]] = {}
    for one in (one for statement in denials for one in statement.conditions):
        if one.key.lower().startswith("aws:principaltag/") and one.key.lower() not in wanted:
            found.setdefault(one.key.lower(), {None: None, "another": None}).update(dict.fromkeys(one.values))
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
    asked: list[_Answered] = []
    for _, key in found.keys_of.get(attached.role, ()):
        # What a call on a key says of where it is, as far as that is known.
        where = zip(("aws:RequestedRegion", "aws:ResourceAccount"), parts(key, ":")[3:5], strict=False)
        sent = {**_FACTS, **{what: value for what, value in where if is_known(value)}}
        asked += _asked(found, policy, [Request(role, what, key, sent) for what in guide.ENCRYPT_DECRYPT])
    for request, *_ in _first(asked, "no", "denied"):
        yield LOCKED_OUT.broken(place, f"{Quoted(name)} keeps the role from {request.action}.", name)
    for request, said, _ in _first(asked, "unsure", "may be denied"):
        hangs_on = place.stack.short(plain(in_doubt(said.hangs_on)))
        what = f"{Quoted(name)} may keep the role from {request.action}: that hangs on {hangs_on}."
        yield NOT_SEEN.broken(place, what, f"{name} {' '.join(said.hangs_on)}")


def _asked(found: Found, policy: Policy, requests: Sequence[Request]) -> Iterator[_Answered]:
    for request, said in zip(requests, found.ask.answers(policy, requests) if requests else (), strict=True):
        may_be_denial = said.statement is None or said.statement.effect == "Deny"
        how = "denied" if said.verdict is Verdict.NO and said.statement and may_be_denial else "no"
        if said.verdict is Verdict.YES:
            how = "yes"
        elif (said.statement and said.statement.unreadable) or any(map(is_unreadable, said.hangs_on)):
            how = "unread"
        elif said.verdict is Verdict.CANNOT_TELL:
            how = "may be denied" if may_be_denial else "unsure"
        yield request, said, how


def _first(needed: Iterable[_Answered], *kinds: str) -> list[_Answered]:
    """The first of which it stands so, if there is one."""
    return [one for one in needed if one[2] in kinds][:1]


def _shortages(subject: Subject, needed: Iterable[_Answered], unsure: Rule = NOT_SEEN) -> Iterator[Violation]:
    """One violation for each statement, or condition, that keeps somebody out or may do so."""
    found: dict[tuple[bool, tuple[str, ...]], list[Request]] = {}
    for request, said, how in needed:
        if how in ("no", "denied"):
            denial = (said.statement.name,) if said.statement and how == "denied" else ()
            found.setdefault((False, denial), []).append(request)
        elif how in ("unsure", "may be denied"):
            found.setdefault((True, said.hangs_on), []).append(request)
    for (is_unsure, by), requests in sorted(found.items(), key=lambda it: it[0][0]):
        whom = Quoted(", ".join(dict.fromkeys(one.principal for one in requests)))
        what = " and ".join(dict.fromkeys(one.action for one in requests))
        rule, text = LOCKED_OUT, f"does not let {whom} {what}{''.join(f' by {Quoted(one)}' for one in by)}."
        if is_unsure:
            hangs_on = subject.place.stack.short(plain(in_doubt(by)))
            rule, text = unsure, f"does not surely let {whom} {what}: that hangs on {hangs_on}."
        yield rule.broken(subject.place, f"{subject.where} {text}", " ".join(by) or requests[0].principal)


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
