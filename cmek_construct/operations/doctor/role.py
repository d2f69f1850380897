"""The doctor on the role and on the brake: whether it is the very role, bounded, and in use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cmek_construct.checks import printable
from cmek_construct.deployment.documents import is_suspended_by_trust
from cmek_construct.operations.doctor.source import Unread, Use
from cmek_construct.operations.doctor.suspension import is_cut_off, is_suspended
from cmek_construct.operations.doctor.words import (
    CACHED,
    NO_HURRY,
    NOTHING_LOST,
    NOW,
    Case,
    not_read,
    right,
    said,
)
from cmek_construct.operations.findings import Finding, Verdict, judged


def about_role(case: Case, described: Any, gone_from: str | None) -> Iterator[Finding]:
    """Whether it is the very role that Pinecone stores.

    Args:
        case: the stack.
        described: what IAM shows of the role.
        gone_from: the statement of the key policy that names a deleted role in its place.
    """
    if isinstance(described, Unread):
        yield not_read("role", f"the role {case.role_name}", described, "iam:GetRole")
        return
    if described is None:
        yield _no_role(case)
        return
    yield right("role", "the role is there")
    yield _same_role(case, str(described["RoleId"]), gone_from)
    yield _boundary(case, described)


def _no_role(case: Case) -> Finding:
    path = case.role_arn.partition(":role")[2].rpartition("/")[0] + "/"
    shown = f'"$(cmek doctor {case.entry.name} --show trust-policy)"'
    return Finding(
        "role",
        Verdict.WRONG,
        f"there is no role {case.role_arn}: somebody deleted it",
        f"{case.iam('create-role')} --path {path} --assume-role-policy-document {shown}\n"
        f"{_anew(case)}\nThe second makes the key know it. Find out who deleted it (CloudTrail, "
        "us-east-1: DeleteRole).",
        means=NOTHING_LOST,
        time=CACHED,
    )


def _anew(case: Case) -> str:
    """How the key policy is written anew for a role that was made again."""
    name = case.entry.name
    if case.key_arn is None:
        return "Have each customer save the key policy again, with the role's ARN."
    if is_suspended_by_trust(case.entry.settings):
        return "Save your key's policy again, with the role's ARN in place of the unique ID."
    if case.entry.settings.suspended:
        return f'cmek suspend {name} --reason "role made again"'
    return f'cmek suspend {name} --reason "role made again" && cmek resume {name}'


def _same_role(case: Case, role_id: str, gone_from: str | None) -> Finding:
    lock = case.lock
    if lock.role_arn and lock.role_arn != case.role_arn:
        return Finding(
            "same-role",
            Verdict.WRONG,
            f"the role is {case.role_arn}, but cmek.lock has {lock.role_arn}, which Pinecone "
            "stores",
            "Do not delete either. Look in git what changed the name or the path, and undo it.",
            means=NOTHING_LOST + " by a role that it does not know",
            time=CACHED,
        )
    another = lock.role_id is not None and lock.role_id != role_id
    if another or gone_from:
        words = f"unique ID {role_id}" + (f", in cmek.lock {lock.role_id}" if another else "")
        names = f"; {gone_from} of the key policy still names the deleted one" if gone_from else ""
        return Finding(
            "same-role",
            Verdict.WRONG,
            f"the role was deleted and made again under its old name ({words}){names}",
            f"{_anew(case)}\nFind out who deleted it (CloudTrail, us-east-1: DeleteRole), and lock "
            "the new one (`cmek lock --deployed`).",
            means=f"to the key it is a stranger: {NOTHING_LOST}",
            time=CACHED,
        )
    if lock.role_id is None:
        return said("same-role", f"not locked (`cmek lock --deployed`): unique ID {role_id}")
    return right("same-role", f"the role is the locked one ({role_id})")


def _boundary(case: Case, described: Any) -> Finding:
    own = case.entry.settings
    found = described.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    if own.role is not None:
        words = f"bounded by {printable(found)}" if found else "not bounded"
        return said("boundary", f"the role is yours, and {words}")
    wanted = own.permissions_boundary
    put = f"{case.iam('put-role-permissions-boundary')} --permissions-boundary {wanted}"
    return judged(
        "boundary",
        found == wanted,
        (
            f"the role is bounded by {wanted}" if wanted else "the role has no boundary",
            f"the role's permissions boundary is {printable(found or 'missing')}, but "
            f"{wanted or 'there is none'} in the file",
        ),
        f"{put if wanted else case.iam('delete-role-permissions-boundary')}\nFind out who did it "
        "(CloudTrail, us-east-1: PutRolePermissionsBoundary).",
        means="a boundary that does not allow the actions on the key keeps Pinecone out; without "
        "one, the role may do all that its permissions say",
        time=NO_HURRY,
    )


def about_brake(case: Case, trust: list[Any] | Unread, policy: list[Any] | Unread) -> Finding:
    """Whether Pinecone is cut off if, and only if, the file says so."""
    by_trust = is_suspended_by_trust(case.entry.settings)
    observed, name = trust if by_trust else policy, case.entry.name
    if isinstance(observed, Unread):
        action = "iam:GetRole" if by_trust else "kms:GetKeyPolicy"
        return not_read("suspended", "whether Pinecone is cut off", observed, action)
    if case.entry.settings.suspended and is_cut_off(case, observed):
        return said("suspended", "SUSPENDED on purpose: Pinecone is cut off, as the file says")
    if is_suspended(case, observed) and not case.entry.settings.suspended:
        return Finding(
            "suspended",
            Verdict.WRONG,
            "Pinecone is cut off by the suspension, but the file does not say suspended: true",
            f"cmek resume {name}\nIf it is meant, write `suspended: true` into cmek.yaml instead, "
            "and commit it.",
            means=NOTHING_LOST + "; the next deploy that changes the policy lets it back in",
            time=CACHED,
        )
    return judged(
        "suspended",
        not case.entry.settings.suspended,
        (
            "not suspended, as the file says",
            "the file says suspended: true, but nothing cuts Pinecone off",
        ),
        f'cmek suspend {name} --reason "…"',
        means="Pinecone can read and write all data, against the file",
        time=NOW,
    )


def about_use(case: Case, described: Any, use: Use | int | Unread | None) -> Iterator[Finding]:
    """When Pinecone came last, by IAM and by CloudTrail."""
    last = described.get("RoleLastUsed") or {} if isinstance(described, dict) else {}
    words = (
        f"the role was last taken on at {last['LastUsedDate']:%Y-%m-%d %H:%M} UTC, by IAM, which "
        "is some hours late"
        if last.get("LastUsedDate")
        else "IAM has seen nobody take on the role in 400 days"
    )
    if isinstance(use, Unread):
        action = "cloudtrail:LookupEvents, or leave it out with --no-cloudtrail"
        yield not_read("last-use", f"Pinecone's last use of the key; {words}", use, action)
    elif isinstance(use, Use):
        yield said(
            "last-use",
            f"Pinecone last used the key at {use.when:%Y-%m-%d %H:%M} UTC "
            f"({printable(use.action)}, by CloudTrail)",
        )
    elif use == 0:
        yield said("last-use", f"CloudTrail has no event of this key in 90 days; {words}")
    elif use is not None:
        yield said(
            "last-use",
            f"none of the key's last {use} events in CloudTrail (90 days) is a "
            f"use by Pinecone; {words}",
        )
    elif isinstance(described, dict):
        yield said("last-use", words)
