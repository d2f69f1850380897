"""The doctor: whether the deployed role and key are what the file says, and what to do if not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final

from cmek_construct.deployment import documents
from cmek_construct.deployment.reading import Entry
from cmek_construct.guide import Policy
from cmek_construct.lock.model import LockError
from cmek_construct.operations.deployed import _DEPLOYED, EMPTY, NotDeployedError, reading_session
from cmek_construct.operations.doctor import key as doctor_key
from cmek_construct.operations.doctor import policies as doctor_policies
from cmek_construct.operations.doctor import role as doctor_role
from cmek_construct.operations.doctor.lock import LOCK, LockedIdentity, locked_identity
from cmek_construct.operations.doctor.source import Key, Role, Stack, Unread
from cmek_construct.operations.doctor.words import Case, not_read, right
from cmek_construct.operations.findings import Finding, Verdict, as_data

HEALTHY, WRONG, UNREAD = 0, 1, 3
"""Exit codes: for cron, wrong goes before what could not be read."""
_VERDICTS: Final = {HEALTHY: "healthy", WRONG: "WRONG", UNREAD: "NOT ALL COULD BE READ"}


@dataclass(frozen=True)
class Examined:
    """What the doctor found at one stack."""

    entry: Entry
    role_arn: str | None
    key_arn: str | None
    findings: Sequence[Finding]

    @property
    def code(self) -> int:
        """The exit code for this stack alone."""
        verdicts = {finding.verdict for finding in self.findings}
        if Verdict.WRONG in verdicts:
            return WRONG
        return UNREAD if Verdict.UNKNOWN in verdicts or not verdicts else HEALTHY

    @property
    def verdict(self) -> str:
        """The same in words."""
        return _VERDICTS[self.code]

    def as_data(self) -> dict[str, Any]:
        """All of it for a machine."""
        return {
            "name": self.entry.name,
            "account": self.entry.settings.account,
            "region": self.entry.settings.region,
            "role_arn": self.role_arn,
            "key_arn": self.key_arn,
            "verdict": self.verdict.lower(),
            "findings": as_data(self.findings),
        }


def examine(entry: Entry, profile: str | None = None, *, cloudtrail: bool = True) -> Examined:
    """Look at one stack, and change nothing.

    Args:
        entry: of cmek.yaml.
        profile: the AWS profile to ask with.
        cloudtrail: ask CloudTrail for the last use.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        lock, of_lock = locked_identity(entry), None
    except LockError as error:
        lock, of_lock = LockedIdentity(), _lock_unread(error)
    try:
        session = reading_session(entry, profile)
    except (NotDeployedError, BotoCoreError, ClientError) as error:
        return Examined(entry, None, None, [_no_aws(entry, error)])
    stack = Stack(session, entry)
    role_arn, key_arn = identities(entry, stack, lock)
    way_back = of_lock.cure if of_lock else lock.way_back(entry, profile)
    found = [_about_stack(entry, stack, way_back), *([of_lock] if of_lock else [])]
    if role_arn is None or (key_arn is None and entry.settings.customers is None):
        found.append(_not_found(entry))
        return Examined(entry, role_arn, key_arn, found)
    case = Case(entry, role_arn, key_arn, lock, datetime.now(timezone.utc))
    found += _examine(case, session, stack, cloudtrail)
    return Examined(entry, role_arn, key_arn, found)


def identities(entry: Entry, stack: Stack, lock: LockedIdentity) -> tuple[str | None, str | None]:
    """The ARNs of role and key: given in the file, of the stack, or of the lock."""
    own = entry.settings
    role_arn = own.role or stack.outputs.get("RoleArn") or lock.role_arn
    if own.customers is not None:
        return role_arn, None
    return role_arn, own.key or stack.outputs.get("KeyArn") or lock.key_arn


def role_arn_of(entry: Entry, profile: str | None) -> str | None:
    """The ARN of the role of a stack, or None where it is not to be known."""
    from botocore.exceptions import BotoCoreError, ClientError

    if entry.settings.role is not None:
        return entry.settings.role
    try:
        lock = locked_identity(entry)
        return identities(entry, Stack(reading_session(entry, profile), entry), lock)[0]
    except (LockError, NotDeployedError, BotoCoreError, ClientError):
        return None


def _examine(case: Case, session: Any, stack: Stack, cloudtrail: bool) -> Iterator[Finding]:
    role = Role(session, case.role_arn)
    absent = Unread("there is no such role")
    unread = role.described if isinstance(role.described, Unread) else absent
    is_there = isinstance(role.described, dict)
    trust = role.trust() if is_there else unread
    key = Key(session, case.key_arn) if case.key_arn else None
    policy = key.policy() if key and key.described is not None else Unread("no such key")
    gone_from = doctor_policies.role_is_gone_from(case, policy)
    yield from doctor_role.about_role(case, role.described, gone_from)
    if is_there:
        yield from doctor_policies.about_trust(case, trust)
        yield doctor_policies.about_permissions(case, role.permissions())
    if key is not None:
        yield from _about_key(case, key, policy, stack)
    if is_there or not documents.is_suspended_by_trust(case.entry.settings):
        yield doctor_role.about_brake(case, trust, policy)
    use = key.last_use(case.role_arn) if key and cloudtrail else None
    yield from doctor_role.about_use(case, role.described, use)


def _about_key(case: Case, key: Key, policy: list[Any] | Unread, stack: Stack) -> Iterator[Finding]:
    yield from doctor_key.about_key(case, key.described)
    if key.described is None:
        return
    if not doctor_key.is_ending(key.described):
        # Of a key that is to be deleted KMS says that it does not rotate.
        yield doctor_key.about_rotation(case, key.rotation())
    alias = doctor_key.about_alias(case, key, stack.alias())
    if alias is not None:
        yield alias
    yield from doctor_policies.about_key_policy(case, policy)
    yield doctor_key.about_grants(case, key.grants())


def _about_stack(entry: Entry, stack: Stack, way_back: str | None) -> Finding:
    status = stack.status
    if isinstance(status, Unread):
        return not_read("stack", "the stack", status, "cloudformation:DescribeStacks")
    if status is None or (way_back and status in EMPTY):
        return Finding(
            "stack",
            Verdict.WRONG,
            f"the stack came to nothing ({status})" if status else "there is no such stack",
            f"{way_back}\nBefore any deploy; and delete nothing that seems to be left over."
            if way_back
            else f"npx cdk deploy {entry.name}\nThat is if it was never deployed. If it was "
            "deleted, role and key are still there: take them back, and delete nothing.",
            means="none by itself: role and key outlive their stack, and so does Pinecone's access",
            time="no hurry, unless somebody deletes what seems to be left over",
        )
    if status.endswith("_IN_PROGRESS") and status not in _DEPLOYED:
        return Finding(
            "stack",
            Verdict.UNKNOWN,
            f"a deploy is running ({status})",
            "Ask again when it has ended.",
            means="not known: what is seen now may not last",
        )
    if status not in _DEPLOYED:
        return Finding(
            "stack",
            Verdict.WRONG,
            f"the last deploy failed ({status})",
            f"npx cdk deploy {entry.name}\nSee its events in the CloudFormation console first.",
            means="none by itself, but a change of the file may not have arrived",
            time="no hurry",
        )
    return right("stack", f"the stack is whole ({status})")


def _no_aws(entry: Entry, error: Exception) -> Finding:
    words = str(error).removeprefix(f"{entry.name}: ").rstrip(".")
    return not_read("aws", "anything", Unread(words), "read in this account (`aws sso login`)")


def _lock_unread(error: LockError) -> Finding:
    return Finding(
        "lock",
        Verdict.UNKNOWN,
        f"not read: {LOCK} ({error})",
        "Mend the file, or take it from git as it was.",
        means="not known: a role that was made again may not be seen",
    )


def _not_found(entry: Entry) -> Finding:
    return not_read(
        "role-and-key",
        "role and key: neither the stack's outputs nor cmek.lock say which they are",
        Unread("nothing was looked at"),
        f"read the stack {entry.name}",
    )


def policies(entry: Entry, role_arn: str) -> dict[str, Policy]:
    """The policies that the file says, by the names that ``--show`` takes."""
    own, suspended = entry.settings, bool(entry.settings.suspended)
    found = {"trust-policy": documents.trust_policy(own, suspended=suspended)}
    if own.customers is None and own.key is None:
        found["key-policy"] = documents.key_policy(own, role_arn, suspended=suspended)
    return found
