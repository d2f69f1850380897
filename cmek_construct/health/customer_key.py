"""Whether a customer's key serves a vendor's role: all that is right and wrong with it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cmek_construct import guide, policy
from cmek_construct.checks import printable
from cmek_construct.deployment.reading import Entry
from cmek_construct.guide import ENCRYPT_DECRYPT, GRANTS, KeyAccess
from cmek_construct.health.comparing import sentences, use_of, uses_of
from cmek_construct.health.findings import Effect, Finding, right, said, unknown, wrong
from cmek_construct.policy import Said, Verdict
from cmek_construct.policy.aws import RULING
from cmek_construct.policy.statements import gone
from cmek_construct.policy.words import in_doubt, plain

ANY_KEY_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:((?P<key>key)/[A-Za-z0-9-]{1,64}|alias/[A-Za-z0-9/_-]{1,250})"
)
"""The ARN of a key or of an alias, in any partition."""
_WANTED: Final = (
    ("KeySpec", "SYMMETRIC_DEFAULT", "symmetric"),
    ("KeyUsage", "ENCRYPT_DECRYPT", "for encryption and decryption"),
    ("KeyManager", "CUSTOMER", "managed by the customer"),
    ("Origin", "AWS_KMS", "made of key material of KMS"),
    ("KeyState", "Enabled", "enabled"),
)
"""What KMS must say of the key, and that in words."""
_STATES: Final = {
    "Disabled": "Enable it: `aws kms enable-key --key-id {arn}`.",
    "PendingDeletion": "Stop that at once, or the data is lost: `aws kms cancel-key-deletion --key-id {arn}`, then "
    "`aws kms enable-key --key-id {arn}`.",
}
_READ_IT: Final = "Have somebody read it who knows IAM, or write it in plain terms."
_OUT: Final = Effect.PINECONE_LOCKED_OUT


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
    seen: CustomerKeySeen, role_arn: str, access: KeyAccess, *, given: str | None = None, vendor: Entry | None = None
) -> list[Finding]:
    """All that is right and wrong with a customer's key, for what the vendor's role must be able to do.

    Pinecone will store the ARN that the customer gave back, where there is one. The vendor's stack in cmek.yaml is the
    other half.
    """
    found = [*_about_key(seen, role_arn, given or seen.arn), *_about_policy(seen, role_arn, access)]
    return [*found, _about_vendor(seen, role_arn, vendor)]


def _about_key(seen: CustomerKeySeen, role_arn: str, arn: str) -> Iterator[Finding]:
    """Whether it is a key, the one that is meant, and of the kind that Pinecone uses."""
    form = ANY_KEY_ARN.fullmatch(arn)
    if form is None or not form["key"]:
        words = f"{arn} is the ARN of an alias, which Pinecone would store"
        yield wrong("key-arn", words, f"Use the key's own ARN, {seen.arn}.")
    else:
        yield right("key-arn", f"{arn} is the ARN of a key")
        if arn != seen.arn:
            words = f"{arn} was given, but {seen.source} shows another key, {seen.arn}"
            yield wrong("same-key", words, "Ask the customer for the ARN and both files of one key.")
    if seen.arn.startswith("arn:aws:"):
        yield right("partition", "it is in AWS's partition aws, as Pinecone is")
    else:
        cure = "Make a key in a commercial region: no policy reaches across partitions."
        yield wrong("partition", "it is not in AWS's partition aws", cure)
    if seen.account == role_arn.split(":")[4]:
        words = f"key and role are both in account {seen.account}, so this is no customer's key"
        cure = "Compare --role-arn with the vendor's role. For one's own key use PineconeCmek."
        yield wrong("two-accounts", words, cure)
    data = {"KeySpec": seen.metadata.get("CustomerMasterKeySpec"), **seen.metadata}
    for name, wanted, what in _WANTED:
        value = data.get(name)
        shown = f"{what} ({name} {printable(value)})"
        if not isinstance(value, str):
            cure = "Give the whole output of a current `aws kms describe-key`."
            yield unknown(name, f"whether the key is {what}: there is no {name}", cure)
        elif value == wanted:
            yield right(name, f"the key is {shown}")
        elif name == "KeyState":
            cure = _STATES.get(value, "Find out why in the KMS console.").format(arn=seen.arn)
            yield wrong(name, f"the key is not {shown}", cure, Effect.KEY_ENDS if value == "PendingDeletion" else _OUT)
        else:
            cure = "That cannot be changed: make another key with the kit's template."
            yield wrong(name, f"the key is not {shown}", cure)


def _about_policy(seen: CustomerKeySeen, role_arn: str, access: KeyAccess) -> Iterator[Finding]:
    document, account = guide.key_policy(seen.account, role_arn, access), seen.account
    own, limit = (policy.read(one, "key", resource=seen.arn) for one in (seen.policy, document))
    uses = uses_of(seen.arn, role_arn, guide.role_statements(role_arn, access))
    root = f"arn:{seen.arn.split(':')[1]}:iam::{account}:root"
    try:
        answers = policy.answers(own, [*uses, *(use_of(seen.arn, root, one) for one in RULING)])
        more, others = policy.beyond(own, limit, role_arn), policy.beyond(own, limit)
    except policy.CannotBeJudged as reason:
        yield unknown("policy", f"the key policy cannot be judged: {reason}", _READ_IT)
        return
    allowing = [one.raw for one in own.statements if one.effect != "Deny"]
    deleted = list(dict.fromkeys(map(printable, gone(*allowing))))
    for use, answer in zip(uses, answers, strict=False):
        yield _about_action(use.action, answer, deleted)
    if more:
        words = "; ".join(sentences(more, account))
        yield said("more", f"the key policy lets the role do more than it must: {words}")
    rules = answers[len(uses) :]
    if doubts := [one for one in rules if one.verdict is Verdict.CANNOT_TELL]:
        words = f"whether the account's root rules the key hangs on {plain(in_doubt(doubts[0].hangs_on))}"
        yield unknown("root", words, "Read that statement yourself.")
    elif all(one.verdict is Verdict.YES for one in rules):
        yield right("root", f"the root of account {account} rules the key")
    else:
        words = f"the root of account {account} does not rule the key, so nobody may be able to manage it"
        cure = "Add the first statement of key-policy.json, with this account's number; or these are the metadata of "
        yield wrong("root", words, cure + "one key and the policy of another.", Effect.OWNER_LOCKED_OUT)
    inside = re.compile(rf"arn:aws[a-z-]*:(iam|sts)::{account}:.*|{account}|{re.escape(role_arn)}")
    outside = [replace(one, principals=tuple(n for n in one.principals if not inside.fullmatch(n))) for one in others]
    named = sentences([one for one in outside if one.principals], account)
    whom = "; ".join([*(f"{one} (deleted)" for one in deleted), *named])
    nobody = "nobody else outside the customer's account may do anything"
    yield said("others", f"the key policy also names: {whom}") if whom else right("others", nobody)


def _about_action(action: str, answer: Said, deleted: Sequence[str]) -> Finding:
    how = f"{action} through an AWS service" if action in GRANTS else action
    by = printable(answer.statement.name) if answer.statement else "no statement"
    if answer.verdict is Verdict.CANNOT_TELL:
        words = f"whether the key policy lets the role do {how}: {by} hangs on {plain(in_doubt(answer.hangs_on))}"
        return unknown(action, words, _READ_IT)
    if answer.verdict is not Verdict.NO:
        by += ", which names the role's whole account" if answer.verdict is Verdict.BY_ACCOUNT else ""
        return right(action, f"the key policy lets the role do {how} ({by})")
    if answer.statement:
        cure = "Deploy the kit's stack with Suspended=false, or take that statement out."
        return wrong(action, f"the key policy denies the role {how} ({by})", cure, _OUT)
    cure = "Add the statements of key-policy.json that name the role."
    if deleted:
        whom = f"The policy names one that was deleted ({', '.join(deleted)})"
        cure = f"{cure} {whom}: if that was the vendor's, save the policy with the role's ARN again."
    return wrong(action, f"the key policy does not let the role do {how}", cure, _OUT)


def _about_vendor(seen: CustomerKeySeen, role_arn: str, vendor: Entry | None) -> Finding:
    """The other half: across accounts, AWS wants both sides to allow."""
    both = " and ".join(ENCRYPT_DECRYPT)
    if vendor is None:
        words = f"not visible from here: the vendor's role must allow {both} on this key (customer_account_ids)"
        return unknown("vendor", words, "The vendor sees it with --vendor.", elsewhere=True)
    own, name, cure = vendor.settings, vendor.name, "Compare --role-arn and --vendor."
    account, role = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    if own.account != account:
        words = f"{name} is in account {own.account}, but the role in account {account}"
    elif own.role_name not in (None, role):
        words = f"the role of {name} is named {own.role_name}, but another role was given"
    elif own.suspended:
        words = f"{name} is suspended in cmek.yaml: nobody can assume the role"
        cure = "Deploy it with suspended: false."
    elif own.customers is None or not own.customers.cover(seen.arn):
        words = f"{name} does not let the role use this key: cmek.yaml has neither its account nor the key"
        cure = f'Add "{seen.account}" to customer_account_ids of {name}, and deploy.'
    else:
        return right("vendor", f"{name} lets the role do {both} on this key, by cmek.yaml")
    return wrong("vendor", words, cure, _OUT)
