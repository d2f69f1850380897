"""The doctor: all that is right and wrong with one stack of cmek.yaml, and what is around it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cmek_construct.aws.objects import Control, Event, Key, Role, Unread
from cmek_construct.checks import few, printable
from cmek_construct.deployment.reading import Entry
from cmek_construct.guide import Policy
from cmek_construct.health.deployed import Deployed
from cmek_construct.health.findings import Finding, Verdict, not_read, right, said, unknown, wrong
from cmek_construct.health.policies import about_policy, about_used_key
from cmek_construct.health.role_and_key import about_brake, about_grants, about_key, about_role, about_use, at
from cmek_construct.policy.sentences import as_list, plain
from cmek_construct.policy.words import of_statement

HEALTHY, WRONG, UNREAD = 0, 1, 3
"""Exit codes: for cron, wrong goes before what could not be read."""
_VERDICTS: Final = {HEALTHY: "healthy", WRONG: "WRONG", UNREAD: "NOT ALL COULD BE READ"}


@dataclass(frozen=True)
class Examined:
    entry: Entry
    role_arn: str | None
    key_arn: str | None
    findings: Sequence[Finding]

    @property
    def code(self) -> int:
        """The exit code for this stack alone."""
        found = {one.verdict for one in self.findings} or {Verdict.UNKNOWN}
        return WRONG if Verdict.WRONG in found else UNREAD if Verdict.UNKNOWN in found else HEALTHY

    @property
    def verdict(self) -> str:
        """The same in words; what is suspended is never just healthy."""
        suspended = any(one.about == "suspended" and one.verdict is Verdict.SAID for one in self.findings)
        return _VERDICTS[self.code] + (", and SUSPENDED on purpose" if suspended else "")

    def as_data(self) -> dict[str, Any]:
        return {
            "name": self.entry.name,
            "account": self.entry.settings.account,
            "region": self.entry.settings.region,
            "role_arn": self.role_arn,
            "key_arn": self.key_arn,
            "verdict": self.verdict.lower(),
            "findings": [one.as_data() for one in self.findings],
        }


def diagnosis(case: Deployed, last_user: str | Unread | None) -> Iterator[Finding]:
    """All that is right and wrong with role and key, and who used the key the last time, where that was asked."""
    is_there, key = isinstance(case.role, Role), case.key
    yield from about_role(case)
    if is_there:
        yield from about_policy(case, "trust")
        yield from about_policy(case, "permissions")
    if case.key_arn is not None:
        yield from about_key(case)
    if key is not None:
        yield from about_policy(case, "key")
        yield from about_used_key(case)
    if isinstance(key, Key):
        yield about_grants(case, key)
    if is_there or case.brake.kind == "key":
        yield about_brake(case)
    yield from about_use(case, last_user)


def about_stack(case: Deployed, way_back: str | None) -> Finding:
    """Whether the stack is there, and whole; if it is gone, with what takes role and key back, where they are known."""
    stack, own, elsewhere = case.stack, case.entry.settings, case.lock.elsewhere
    deploy = f"npx cdk deploy {case.entry.name}"
    if isinstance(stack, Unread):
        return not_read("stack", "the stack", stack, "cloudformation:DescribeStacks")
    if stack and stack.is_whole:
        return right("stack", f"the stack is whole ({stack.status})")
    if stack and stack.is_changing:
        words = f"a deploy is running ({stack.status}), and what is seen now may not last"
        return unknown("stack", words, "Ask again when it has ended.")
    if stack and not stack.is_empty:
        cure = (
            f"{deploy}\nSee its events in the CloudFormation console first: a change of the file may not have arrived."
        )
        return wrong("stack", f"the last deploy failed ({stack.status})", cure)
    words = f"the stack came to nothing ({stack.status})" if stack else "there is no such stack"
    if elsewhere and not way_back:
        return wrong(
            "stack",
            f"{words} in {own.account}, {own.region}, but cmek.lock has it in {'; '.join(elsewhere)}",
            "Write account and region back into cmek.yaml as they were. A deploy of this file would make a second role "
            "and key, which Pinecone does not know.",
            means="none by itself: role and key are where they were, and Pinecone uses them",
            time="before the next deploy",
        )
    cure = f"{way_back}\nBefore any deploy; and delete nothing that seems to be left over."
    if not way_back:
        outlive = "If it was deleted, role and key are still there: take them back, and delete nothing."
        cure = f"{deploy}\nThat is if it was never deployed. {outlive}"
    means = "none by itself: role and key outlive their stack, and so does Pinecone's access"
    return wrong("stack", words, cure, means=means, time="no hurry, unless somebody deletes what seems to be left over")


def with_culprit(finding: Finding, events: Sequence[Event] | Unread) -> Finding:
    """A finding with who did it, by events of CloudTrail, the newest first; or where to look for that."""
    names = [one.partition(":")[2] for one in finding.events]
    for one in [] if isinstance(events, Unread) else events:
        if one.name in names and not one.refused:
            words = f"{finding.words}. {one.name} by {printable(one.by)} at {at(one.when)}, by CloudTrail"
            return replace(finding, words=words)
    place = "CloudTrail, us-east-1" if finding.events[0].startswith("iam:") else "CloudTrail"
    return replace(finding, cure=f"{finding.cure}\nFind out who did it ({place}: {', '.join(names)}).")


def expected_policies(entry: Entry, role_arn: str) -> dict[str, Policy]:
    """The policies that the file says, by the names that ``--show`` takes."""
    own, suspended = entry.settings, bool(entry.settings.suspended)
    found = {"trust-policy": own.trust_policy(suspended=suspended)}
    if own.customers is None and own.key is None:
        found["key-policy"] = own.key_policy(role_arn, suspended=suspended)
    return found


def about_indexes(case: Deployed, found: Mapping[str, str | None] | Unread) -> Iterator[Finding]:
    """Whether the indexes of the project are under this key.

    Each key is as Pinecone says it: an ARN, or an ID of its own; None where the index is under no key of a customer.
    """
    if isinstance(found, Unread):
        yield replace(unknown("indexes", f"not read: the project's indexes ({found.why})", ""), means="")
        return
    without = [name for name, key in found.items() if key is None]
    known = {name: key for name, key in found.items() if key is not None}
    others = [name for name, key in known.items() if key.startswith("arn:") and key != case.key_arn]
    untold = [f"{name} ({key})" for name, key in known.items() if not key.startswith("arn:")]
    if without:
        yield wrong(
            "indexes",
            f"indexes under no key of yours: {few(without)}",
            "Look in Pinecone's console whether the project is the right one, and its encryption forced; an index "
            "cannot be moved under a key: make it anew, and copy its records.",
            means="their data does not hang on this key: cutting Pinecone off does not shut them",
        )
    if others:
        where = "Look in Pinecone's console, Manage > CMEK, which key the project has"
        cure = f"{where}: PINECONE_API_KEY may be of another project."
        means = "their data does not hang on this key"
        yield wrong("indexes", f"indexes under another key: {few(others)}", cure, means=means)
    if untold:
        words = f"indexes under a customer's key, which Pinecone calls by an ID of its own: {few(untold)}"
        yield said("indexes", f"{words}. Whether that is this key, it does not say")
    if not found:
        yield said("indexes", "there are no indexes in the project of PINECONE_API_KEY")
    elif not (without or others or untold):
        yield right("indexes", f"all indexes are under this key ({few(list(found))})")


def about_controls(case: Deployed, found: Sequence[Control] | Unread) -> Iterator[Finding]:
    """The SCPs and RCPs over the account that mention STS or KMS; no verdict on any."""
    if isinstance(found, Unread):
        action = "organizations:ListParents, ListPoliciesForTarget and DescribePolicy"
        yield not_read("organization", "the organization's policies", found, action)
        return
    mentioned = [(one, statement) for one in found for statement in one.statements if _mentions(statement)]
    for one, statement in mentioned:
        words = plain(of_statement(statement, case.entry.settings.account)).rstrip(".")
        look = f"look at this {one.kind}, {printable(one.name)} on {printable(one.on)}"
        yield said("organization", f"{look}: {words}. As text: {json.dumps(statement, ensure_ascii=True)}")
    if not mentioned:
        yield said("organization", "no SCP or RCP over the account mentions STS or KMS, as far as is seen")


def _mentions(statement: object) -> bool:
    """Whether a statement may hinder STS or KMS: by its actions, or by what it leaves out."""
    if not isinstance(statement, dict) or "Action" not in statement:
        return True
    if statement.get("Effect") == "Allow" and "*" in as_list(statement["Action"]):
        return "Condition" in statement  # without one it forbids nothing
    return any(str(one).lower().startswith(("sts:", "kms:", "*")) for one in as_list(statement["Action"]))
