"""The doctor: all that is right and wrong with one stack of cmek.yaml, and what is around it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cmek_construct.aws.objects import Control, Event, Key, Role, Stack, Unread
from cmek_construct.checks import few, printable
from cmek_construct.deployment import documents
from cmek_construct.deployment.reading import Entry
from cmek_construct.guide import Policy
from cmek_construct.health import policies
from cmek_construct.health.deployed import Deployed, LockedIdentity
from cmek_construct.health.findings import NOT_KNOWN, Finding, Verdict, as_data, not_read, right, said, unknown, wrong
from cmek_construct.health.key import about_grants, about_key, about_use, at
from cmek_construct.health.role import about_brake, about_role
from cmek_construct.policy.sentences import as_list, plain
from cmek_construct.policy.words import of_statement

HEALTHY, WRONG, UNREAD = 0, 1, 3
"""Exit codes: for cron, wrong goes before what could not be read."""
_SERVICES: Final = ("sts:", "kms:", "*")
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
        """The same in words; what is suspended is never just healthy."""
        suspended = any(one.about == "suspended" and one.verdict is Verdict.SAID for one in self.findings)
        return _VERDICTS[self.code] + (", and SUSPENDED on purpose" if suspended else "")

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


def diagnosis(case: Deployed, last_user: str | Unread | None) -> Iterator[Finding]:
    """All that is right and wrong with role and key.

    Args:
        case: the stack, its role and its key, as they are.
        last_user: who used the key the last time, where that was asked.
    """
    is_there, key = isinstance(case.role, Role), case.key
    yield from about_role(case)
    if is_there:
        yield from policies.about_trust(case)
        yield from policies.about_permissions(case)
    if case.key_arn is not None:
        yield from about_key(case)
    if key is not None:
        yield from policies.about_key_policy(case)
        yield from policies.about_used_key(case)
    if isinstance(key, Key):
        yield about_grants(case, key)
    if is_there or case.brake.kind == "key":
        yield about_brake(case)
    yield from about_use(case, last_user)


def about_stack(entry: Entry, stack: Stack | Unread | None, way_back: str | None, lock: LockedIdentity) -> Finding:
    """Whether the stack is there, and whole.

    Args:
        entry: of the stack.
        stack: as CloudFormation shows it.
        way_back: the command that takes role and key back, where they are known.
        lock: what is locked of it.
    """
    if isinstance(stack, Unread):
        return not_read("stack", "the stack", stack, "cloudformation:DescribeStacks")
    if stack is None or (way_back and stack.is_empty):
        return _no_stack(entry, stack, way_back, lock)
    if stack.is_changing:
        return unknown(
            "stack",
            f"a deploy is running ({stack.status}), and what is seen now may not last",
            "Ask again when it has ended.",
        )
    if not stack.is_whole:
        return wrong(
            "stack",
            f"the last deploy failed ({stack.status})",
            f"npx cdk deploy {entry.name}\nSee its events in the CloudFormation console first.",
            means="none by itself, but a change of the file may not have arrived",
        )
    return right("stack", f"the stack is whole ({stack.status})")


def _no_stack(entry: Entry, stack: Stack | None, way_back: str | None, lock: LockedIdentity) -> Finding:
    own = entry.settings
    if lock.elsewhere and not way_back:
        return wrong(
            "stack",
            f"there is no such stack in {own.account}, {own.region}, but cmek.lock has it in "
            f"{'; '.join(lock.elsewhere)}",
            "Write account and region back into cmek.yaml as they were. A deploy of this file "
            "would make a second role and key, which Pinecone does not know.",
            means="none by itself: role and key are where they were, and Pinecone uses them",
            time="before the next deploy",
        )
    cure = (
        f"{way_back}\nBefore any deploy; and delete nothing that seems to be left over."
        if way_back
        else f"npx cdk deploy {entry.name}\nThat is if it was never deployed. If it was deleted, "
        "role and key are still there: take them back, and delete nothing."
    )
    return wrong(
        "stack",
        f"the stack came to nothing ({stack.status})" if stack else "there is no such stack",
        cure,
        means="none by itself: role and key outlive their stack, and so does Pinecone's access",
        time="no hurry, unless somebody deletes what seems to be left over",
    )


def no_aws(why: str, cure: str) -> Finding:
    """Nothing could be asked."""
    return unknown("aws", f"not read: anything ({why})", cure)


def lock_unread(file: str, why: str) -> Finding:
    """There is a lock, and it cannot be used."""
    return Finding(
        "lock",
        Verdict.UNKNOWN,
        f"not read: {file} ({why})",
        "Mend the file, or take it from git as it was.",
        means=f"{NOT_KNOWN}: a role that was made again may not be seen",
    )


def not_found(entry: Entry) -> Finding:
    """It is not known which role and key it is."""
    return not_read(
        "role-and-key",
        "role and key: neither the stack's outputs nor cmek.lock say which they are",
        Unread("nothing was looked at"),
        f"read the stack {entry.name}",
    )


def with_culprit(finding: Finding, events: Sequence[Event] | Unread) -> Finding:
    """A finding with who did it, by CloudTrail; or where to look for that.

    Args:
        finding: which somebody has caused.
        events: of the role or the key, the newest first.
    """
    names = [one.partition(":")[2] for one in finding.events]
    done = [] if isinstance(events, Unread) else [one for one in events if one.name in names]
    by = next((one for one in done if not one.refused), None)
    if by is not None:
        words = f"{finding.words}. {by.name} by {printable(by.by)} at {at(by.when)}, by CloudTrail"
        return replace(finding, words=words)
    place = "CloudTrail, us-east-1" if finding.events[0].startswith("iam:") else "CloudTrail"
    look = f"Find out who did it ({place}: {', '.join(names)})."
    return replace(finding, cure=f"{finding.cure}\n{look}")


def expected_policies(entry: Entry, role_arn: str) -> dict[str, Policy]:
    """The policies that the file says, by the names that ``--show`` takes."""
    own, suspended = entry.settings, bool(entry.settings.suspended)
    found = {"trust-policy": documents.trust_policy(own, suspended=suspended)}
    if own.customers is None and own.key is None:
        found["key-policy"] = documents.key_policy(own, role_arn, suspended=suspended)
    return found


def about_indexes(case: Deployed, found: Mapping[str, str | None] | Unread) -> Iterator[Finding]:
    """Whether the indexes of the project are under this key.

    Args:
        case: the stack.
        found: the key of each index by its name, as Pinecone says it: an ARN, or an ID of its own; None where the index
            is under no key of a customer.
    """
    if isinstance(found, Unread):
        yield replace(unknown("indexes", f"not read: the project's indexes ({found.why})", ""), means="")
        return
    if not found:
        yield said("indexes", "there are no indexes in the project of PINECONE_API_KEY")
        return
    without = [name for name, key in found.items() if key is None]
    known = {name: key for name, key in found.items() if key is not None}
    others = [n for n, key in known.items() if key.startswith("arn:") and key != case.key_arn]
    untold = [f"{n} ({key})" for n, key in known.items() if not key.startswith("arn:")]
    if without:
        yield wrong(
            "indexes",
            f"indexes under no key of yours: {few(without)}",
            "Look in Pinecone's console whether the project is the right one, and its encryption "
            "forced; an index cannot be moved under a key: make it anew, and copy its records.",
            means="their data does not hang on this key: cutting Pinecone off does not shut them",
        )
    if others:
        yield wrong(
            "indexes",
            f"indexes under another key: {few(others)}",
            "Look in Pinecone's console, Manage > CMEK, which key the project has: "
            "PINECONE_API_KEY may be of another project.",
            means="their data does not hang on this key",
        )
    if untold:
        yield said(
            "indexes",
            f"indexes under a customer's key, which Pinecone calls by an ID of its own: "
            f"{few(untold)}. Whether that is this key, it does not say",
        )
    if not without and not others and not untold:
        yield right("indexes", f"all indexes are under this key ({few(list(found))})")


def about_controls(case: Deployed, found: Sequence[Control] | Unread) -> Iterator[Finding]:
    """The SCPs and RCPs over the account that mention STS or KMS; no verdict on any."""
    if isinstance(found, Unread):
        action = "organizations:ListParents, ListPoliciesForTarget and DescribePolicy"
        yield not_read("organization", "the organization's policies", found, action)
        return
    shown = 0
    for one in found:
        for statement in one.statements:
            if _mentions(statement):
                shown += 1
                words = plain(of_statement(statement, case.entry.settings.account)).rstrip(".")
                text = json.dumps(statement, ensure_ascii=True)
                yield said(
                    "organization",
                    f"look at this {one.kind}, {printable(one.name)} on {printable(one.on)}: {words}. As text: {text}",
                )
    if not shown:
        yield said("organization", "no SCP or RCP over the account mentions STS or KMS, as far as is seen")


def _mentions(statement: object) -> bool:
    """Whether a statement may hinder STS or KMS: by its actions, or by what it leaves out."""
    if not isinstance(statement, dict) or "Action" not in statement:
        return True
    if statement.get("Effect") == "Allow" and "*" in as_list(statement["Action"]):
        return "Condition" in statement  # without one it forbids nothing
    return any(str(one).lower().startswith(_SERVICES) for one in as_list(statement["Action"]))
