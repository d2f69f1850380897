"""Whether a customer's key serves a vendor's role: all that is right and wrong with it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cmek_construct import guide, policy
from cmek_construct.aws.objects import NEEDED
from cmek_construct.checks import printable
from cmek_construct.deployment.reading import Entry
from cmek_construct.health.comparing import sentences, use_of, uses_of
from cmek_construct.health.findings import Finding, Rows
from cmek_construct.policy import aws, words
from cmek_construct.policy.statements import gone

ANY_KEY_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:((?P<key>key)/[A-Za-z0-9-]{1,64}|alias/[A-Za-z0-9/_-]{1,250})"
)
"""The ARN of a key or of an alias, in any partition."""
_WANTED: Final = {**NEEDED, "Origin": "AWS_KMS", "KeyState": "Enabled"}  # what KMS must say of the key
_ROWS: Final = Rows("customer_key.ini")


@dataclass(frozen=True)
class CustomerKeySeen:
    """A key as KMS shows it."""

    source: str
    arn: str
    metadata: Mapping[str, Any]  # KMS's ``KeyMetadata``
    policy: Mapping[str, Any]

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]


def findings(
    seen: CustomerKeySeen, role_arn: str, access: guide.KeyAccess, *, given: str | None, vendor: Entry | None
) -> list[Finding]:
    """All that is right and wrong with a customer's key, for what the vendor's role must be able to do.

    Pinecone will store the ARN that the customer gave back, where there is one. The vendor's stack in cmek.yaml is the
    other half.
    """
    about_key = [*_about_key(seen, role_arn, given or seen.arn), *_about_metadata(seen)]
    return [*about_key, *_about_policy(seen, role_arn, access), _about_vendor(seen, role_arn, vendor)]


def _about_key(seen: CustomerKeySeen, role_arn: str, arn: str) -> Iterator[Finding]:
    """Whether it is a key, and the one that is meant."""
    form = ANY_KEY_ARN.fullmatch(arn)
    rows = ["key-arn" if form and form["key"] else "key-arn.alias"]
    if rows == ["key-arn"] and arn != seen.arn:
        rows.append("same-key")
    rows.append("partition" if seen.arn.startswith("arn:aws:") else "partition.another")
    if seen.account == role_arn.split(":")[4]:
        rows.append("two-accounts")
    for row in rows:
        yield _ROWS.finding(row, seen=seen, arn=arn)


def _about_metadata(seen: CustomerKeySeen) -> Iterator[Finding]:
    """Whether it is of the kind that Pinecone uses."""
    data = {"KeySpec": seen.metadata.get("CustomerMasterKeySpec"), **seen.metadata}
    for name, wanted in _WANTED.items():
        value, row = data.get(name), "metadata.for-good"
        if not isinstance(value, str):
            row = "metadata.missing"
        elif value == wanted or (name, value) == ("KeyState", "Updating"):  # in which it goes on encrypting
            row = "metadata"
        elif name == "KeyState":
            is_ending = value in ("PendingDeletion", "PendingReplicaDeletion")
            row = "KeyState.PendingDeletion" if is_ending else "KeyState.Disabled" if value == "Disabled" else name
        yield _ROWS.finding(row, seen=seen, name=name, what=_ROWS.text(f"is.{name}"), value=printable(value))


def _about_policy(seen: CustomerKeySeen, role_arn: str, access: guide.KeyAccess) -> Iterator[Finding]:
    document, account = guide.key_policy(seen.account, role_arn, access), seen.account
    own, limit = (policy.read(one, "key", resource=seen.arn) for one in (seen.policy, document))
    uses = uses_of(seen.arn, role_arn, guide.role_statements(role_arn, access))
    root = f"arn:{seen.arn.split(':')[1]}:iam::{account}:root"
    try:
        answers = policy.answers(own, [*uses, *(use_of(seen.arn, root, one) for one in aws.RULING)])
        more, others = policy.beyond(own, limit, role_arn), policy.beyond(own, limit)
    except policy.CannotBeJudged as reason:
        yield _ROWS.finding("policy", reason=reason)
        return
    deleted = list(dict.fromkeys(map(printable, gone(*(one.raw for one in own.statements if one.effect != "Deny")))))
    for use, answer in zip(uses, answers, strict=False):
        yield _about_action(use.action, answer, deleted)
    if more:
        yield _ROWS.finding("more", words="; ".join(sentences(more, account)))
    rules = answers[len(uses) :]
    doubts = [words.plain(words.in_doubt(one.hangs_on)) for one in rules if one.verdict is policy.Verdict.CANNOT_TELL]
    is_ruled = all(one.verdict is policy.Verdict.YES for one in rules)
    row = "root.in-doubt" if doubts else "root" if is_ruled else "root.missing"
    yield _ROWS.finding(row, seen=seen, doubt=doubts[0] if doubts else "")
    inside = re.compile(rf"arn:aws[a-z-]*:(iam|sts)::{account}:.*|{account}|{re.escape(role_arn)}")
    outside = [replace(one, principals=tuple(n for n in one.principals if not inside.fullmatch(n))) for one in others]
    named = sentences([one for one in outside if one.principals], account)
    whom = "; ".join([*(f"{one} (deleted)" for one in deleted), *named])
    yield _ROWS.finding("others" if whom else "others.none", whom=whom)


def _about_action(action: str, answer: policy.Said, deleted: Sequence[str]) -> Finding:
    how = f"{action} through an AWS service" if action in guide.GRANTS else action
    by = printable(answer.statement.name) if answer.statement else "no statement"
    row = {
        policy.Verdict.YES: "action",
        policy.Verdict.BY_ACCOUNT: "action.by-account",
        policy.Verdict.CANNOT_TELL: "action.in-doubt",
        policy.Verdict.NO: "action.denied" if answer.statement else "action.deleted" if deleted else "action.missing",
    }[answer.verdict]
    doubt, whom = words.plain(words.in_doubt(answer.hangs_on)), ", ".join(deleted)
    return _ROWS.finding(row, action=action, how=how, by=by, doubt=doubt, deleted=whom)


def _about_vendor(seen: CustomerKeySeen, role_arn: str, vendor: Entry | None) -> Finding:
    """The other half: across accounts, AWS wants both sides to allow."""
    row, account, role = "vendor", role_arn.split(":")[4], role_arn.rpartition("/")[2]
    if vendor is None:
        row = "vendor.not-visible"
    elif vendor.account != account:
        row = "vendor.another-account"
    elif vendor.role_name not in (None, role):
        row = "vendor.another-role"
    elif vendor.suspended:
        row = "vendor.suspended"
    elif vendor.customers is None or not vendor.customers.cover(seen.arn):
        row = "vendor.not-a-customer"
    return _ROWS.finding(row, seen=seen, vendor=vendor, account=account, both=" and ".join(guide.ENCRYPT_DECRYPT))
