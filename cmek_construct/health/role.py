"""The role: whether it is the very one, what bounds it, and whether it is cut off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cmek_construct.aws.objects import SESSION_SECONDS, Role, Unread
from cmek_construct.checks import printable
from cmek_construct.deployment.documents import is_suspended_by_trust
from cmek_construct.health import lockout
from cmek_construct.health.deployed import Deployed
from cmek_construct.health.findings import NOTHING_LOST, Effect, Finding, not_read, right, said, unknown, wrong
from cmek_construct.health.lockout import is_cut_off, is_suspended
from cmek_construct.health.policies import EVENTS, role_is_gone_from

_MADE_AGAIN: Final = ("iam:DeleteRole",)
_BOUNDING: Final = ("iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary")


def about_role(case: Deployed) -> Iterator[Finding]:
    """Whether it is the very role that Pinecone stores."""
    role = case.role
    if isinstance(role, Unread):
        yield not_read("role", f"the role {case.role_name}", role, "iam:GetRole")
    elif role is None:
        yield _no_role(case)
    else:
        yield right("role", "the role is there")
        yield _same_role(case, role.role_id)
        yield about_boundary(case, role)
        yield from about_session(case, role)


def _no_role(case: Deployed) -> Finding:
    path = case.role_arn.partition(":role")[2].rpartition("/")[0] + "/"
    shown = f'"$(cmek doctor {case.entry.name} --show trust-policy)"'
    return wrong(
        "role",
        f"there is no role {case.role_arn}: somebody deleted it",
        f"{case.iam('create-role')} --path {path} --assume-role-policy-document {shown}\n"
        f"{_anew(case)}\nThe second makes the key know it.",
        Effect.PINECONE_LOCKED_OUT,
        events=_MADE_AGAIN,
    )


def _anew(case: Deployed) -> str:
    """How the key policy is written anew for a role that was made again."""
    name = case.entry.name
    if case.key_arn is None:
        return "Have each customer save the key policy again, with the role's ARN."
    if is_suspended_by_trust(case.entry.settings):
        return "Save your key's policy again, with the role's ARN in place of the unique ID."
    if case.entry.settings.suspended:
        return f'cmek suspend {name} --reason "role made again"'
    return f'cmek suspend {name} --reason "role made again" && cmek resume {name}'


def _same_role(case: Deployed, role_id: str) -> Finding:
    lock, gone_from = case.lock, role_is_gone_from(case)
    if lock.role_arn and lock.role_arn != case.role_arn:
        return wrong(
            "same-role",
            f"the role is {case.role_arn}, but cmek.lock has {lock.role_arn}, which Pinecone stores",
            "Do not delete either. Look in git what changed the name or the path, and undo it.",
            Effect.PINECONE_LOCKED_OUT,
            means=NOTHING_LOST + " by a role that it does not know",
        )
    another = lock.role_id is not None and lock.role_id != role_id
    if another or gone_from:
        words = f"unique ID {role_id}" + (f", in cmek.lock {lock.role_id}" if another else "")
        names = f"; {gone_from} of the key policy still names the deleted one" if gone_from else ""
        return wrong(
            "same-role",
            f"the role was deleted and made again under its old name ({words}){names}",
            f"{_anew(case)}\nThen lock the new one (`cmek lock --deployed`).",
            Effect.PINECONE_LOCKED_OUT,
            means=f"to the key it is a stranger: {NOTHING_LOST}",
            events=_MADE_AGAIN,
        )
    if lock.role_id is None:
        words = f"the role is not locked (`cmek lock --deployed`); its unique ID is {role_id}"
        return said("same-role", words)
    return right("same-role", f"the role is the locked one ({role_id})")


def about_boundary(case: Deployed, role: Role) -> Finding:
    """Whether what bounds it is what the file says, and lets it use the key."""
    own, found = case.entry.settings, role.boundary.arn if role.boundary else None
    wanted = own.permissions_boundary
    if own.role is not None:
        wanted = found
    refused, doubt = _refused_by(case, role)
    if doubt:
        return unknown(
            "boundary",
            f"whether the permissions boundary {printable(found)} lets the role use the key: {doubt}",
            "Ask again with credentials that may iam:GetPolicy and iam:GetPolicyVersion "
            "(--profile), or have somebody read it who knows IAM.",
            Effect.PINECONE_LOCKED_OUT,
        )
    put = f"{case.iam('put-role-permissions-boundary')} --permissions-boundary {wanted}"
    cure = put if wanted else case.iam("delete-role-permissions-boundary")
    if refused:
        words = f"the role's permissions boundary, {printable(found)}, does not let it do "
        return wrong(
            "boundary",
            words + " and ".join(refused),
            cure if found != wanted else "Have its owner allow these actions on the key in it.",
            Effect.PINECONE_LOCKED_OUT,
            events=_BOUNDING,
        )
    if own.role is not None:
        bounded = f"bounded by {printable(found)}, which lets it use the key"
        return said("boundary", f"the role is yours, and {bounded if found else 'not bounded'}")
    if found == wanted:
        words = f"the role is bounded by {wanted}" if wanted else "the role has no boundary"
        return right("boundary", words)
    return wrong(
        "boundary",
        f"the role's permissions boundary is {printable(found or 'missing')}, but "
        f"{wanted or 'there is none'} in the file",
        cure,
        events=_BOUNDING,
    )


def _refused_by(case: Deployed, role: Role) -> tuple[list[str], str]:
    """The actions on the key that a boundary does not let the role do; or why that is not known."""
    if role.boundary is None:
        return [], ""
    if isinstance(role.boundary.statements, Unread):
        return [], f"not read ({role.boundary.statements.why})"
    return lockout.refused(case, case.where("permissions").read(role.boundary.statements))


def about_session(case: Deployed, role: Role) -> Iterator[Finding]:
    """Whether its sessions end after an hour, as of a role that a stack makes."""
    hours = f"{role.session_seconds / SESSION_SECONDS:g} hours"
    if role.session_seconds == SESSION_SECONDS:
        return
    if case.entry.settings.role is not None:
        yield said("session", f"the role is yours, and a session of it may last {hours}")
        return
    yield wrong(
        "session",
        f"a session of the role may last {hours}, not one hour as by the file",
        f"{case.iam('update-role')} --max-session-duration {SESSION_SECONDS}",
        Effect.SOMEBODY_LET_IN,
        means="somebody is let in for longer: who has a session keeps it that long, whatever the "
        "trust policy says by then",
        events=("iam:UpdateRole",),
    )


def about_brake(case: Deployed) -> Finding:
    """Whether Pinecone is cut off if, and only if, the file says so."""
    kind, name, own = case.brake.kind, case.entry.name, case.entry.settings
    observed, events = case.statements(kind), EVENTS[kind]
    if isinstance(observed, Unread):
        action = "iam:GetRole" if kind == "trust" else "kms:GetKeyPolicy"
        return not_read("suspended", "whether Pinecone is cut off", observed, action)
    if own.suspended and is_cut_off(case, observed):
        return said("suspended", "SUSPENDED on purpose: Pinecone is cut off, as the file says")
    if own.suspended:
        return wrong(
            "suspended",
            "the file says suspended: true, but nothing cuts Pinecone off",
            f'cmek suspend {name} --reason "…"',
            Effect.SOMEBODY_LET_IN,
            means="Pinecone is let in: it can read and write all data, against the file",
            events=events,
        )
    if not is_suspended(case, observed):
        return right("suspended", "not suspended, as the file says")
    return wrong(
        "suspended",
        "Pinecone is cut off by the suspension, but the file does not say suspended: true",
        f"cmek resume {name}\nIf it is meant, write `suspended: true` into cmek.yaml instead, and commit it.",
        Effect.PINECONE_LOCKED_OUT,
        means=NOTHING_LOST + "; the next deploy that changes the policy lets it back in",
        events=events,
    )
