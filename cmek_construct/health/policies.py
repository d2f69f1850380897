"""The policies of a role and a key: whether they mean what they should, and what it does if not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from cmek_construct.aws.objects import PermissionsPolicy, Unread
from cmek_construct.checks import printable
from cmek_construct.deployment import documents
from cmek_construct.deployment.config import StackSettings
from cmek_construct.health import needs
from cmek_construct.health.beside import Beside, of_key, of_trust
from cmek_construct.health.comparing import Where, gone, in_words, written_as
from cmek_construct.health.deployed import EXTERNAL_ID, ROLE_ARN, Deployed
from cmek_construct.health.entries import said_external_id
from cmek_construct.health.findings import (
    Effect,
    Finding,
    not_read,
    right,
    said,
    unknown,
    wrong,
)
from cmek_construct.policy import CannotBeJudged
from cmek_construct.policy import Verdict as Answer

_NO_DEPLOY: Final = "`cdk deploy` does not mend it: CloudFormation sees no change."
_TRUST: Final = ("iam:UpdateAssumeRolePolicy",)
_KEY: Final = ("kms:PutKeyPolicy",)
PERMISSIONS: Final = (
    *("iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:AttachRolePolicy"),
    *("iam:DetachRolePolicy", "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"),
)


def about_external_id(case: Deployed, observed: Sequence[Any]) -> Iterator[Finding]:
    """Whether the file has the external ID that the deployed stack has, which Pinecone stores."""
    own, there = case.entry.settings.external_id, said_external_id(observed)
    known, stays = _stored_id(case)
    if known and stays != own:
        back = f"Write  external_id: {stays}  back into" if stays else "Take external_id out of"
        yield wrong(
            "external-id",
            f"external_id is {own or 'missing'} in cmek.yaml, but {stays or 'missing'} in the "
            "deployed stack",
            f"{back} cmek.yaml (git shows who changed it). Never deploy another one, and change "
            "nothing in AWS: Pinecone stores the deployed one.",
            means="none by itself; the next deploy would lock Pinecone out",
            time="until somebody deploys",
        )
    elif not known and there is not None and there != own:
        yield unknown(
            "external-id",
            f"external_id is {own or 'missing'} in cmek.yaml, but {there} in the role's trust "
            "policy, and no deployed stack says which is right",
            f"If git shows that cmek.yaml was changed, write  external_id: {there}  back into it. "
            "Change nothing in AWS before you know: Pinecone stores one of the two for good. Then "
            f"look again: cmek doctor {case.entry.name}",
            Effect.PINECONE_LOCKED_OUT,
        )


def _stored_id(case: Deployed) -> tuple[bool, str | None]:
    """Whether a deployed stack says what the external ID is, and what it says."""
    return ROLE_ARN in case.outputs, case.outputs.get(EXTERNAL_ID)


def _with_deployed_id(case: Deployed, observed: Sequence[Any]) -> Deployed:
    """The case with the external ID that stays, if the file has another one."""
    own = case.entry.settings
    known, stays = _stored_id(case)
    if not known:
        stays = said_external_id(observed) or own.external_id
    if stays == own.external_id:
        return case
    changed: StackSettings = own.model_copy(update={"external_id": stays})
    return replace(case, entry=replace(case.entry, settings=changed))


def about_trust(case: Deployed, observed: Sequence[Any] | Unread) -> Iterator[Finding]:
    """The trust policy of the role."""
    if isinstance(observed, Unread):
        yield not_read("trust-policy", "the role's trust policy", observed, "iam:GetRole")
        return
    yield from about_external_id(case, observed)
    asked, case = case, _with_deployed_id(case, observed)
    own = case.entry.settings
    beside = of_trust(case, observed)
    if beside.lost:
        yield wrong(
            "trust-gone",
            f"the trust policy names a deleted role in place of {', '.join(beside.lost)}: Pinecone "
            "made its role again, or somebody typed a wrong name",
            case.put_trust_policy,
            Effect.PINECONE_LOCKED_OUT,
            means="Pinecone cannot come in from there; nothing is lost",
            events=_TRUST,
        )
    else:
        yield from _nobody("trust-gone", "trust policy", beside.there)
    found = beside.found
    if own.role is not None and not (found.taken or found.doubt):
        more = in_words(found, own.account)
        yours = "the trust policy is yours, and lets Pinecone in"
        yield said("trust-policy", f"{yours}; {more}") if more else right("trust-policy", yours)
        return
    cure = f"{case.put_trust_policy}\n{_NO_DEPLOY}"
    for one in beside.findings(case, "trust-policy", cure, _TRUST):
        # Neither a deploy nor a write of the file's policy, while its external ID is another.
        first = f"First put external_id right in cmek.yaml; then: cmek doctor {case.entry.name}"
        yield one if asked is case or not one.fails else replace(one, cure=first)


def about_key_policy(case: Deployed, observed: Sequence[Any] | Unread) -> Iterator[Finding]:
    """The key policy."""
    if isinstance(observed, Unread):
        yield not_read("key-policy", "the key policy", observed, "kms:GetKeyPolicy")
        return
    own = case.entry.settings
    if own.key is not None:
        yield _about_given_key(case, observed)
        return
    beside = of_key(case, observed)
    others = sorted(set(beside.lost) - {case.role_arn})
    if others:
        yield wrong(
            "key-gone",
            f"the key policy names a unique ID in place of {', '.join(others)}: deleted, and "
            "perhaps made again",
            f"{case.put_key_policy}\nIf they are not to come back, take them out of key_admins "
            "first: AWS takes no policy that names somebody who is not there.",
            means="they administer the key no more; Pinecone's use of it goes on",
            events=_KEY,
        )
    else:
        yield from _nobody("key-gone", "key policy", beside.there)
    cure = f"{case.put_key_policy}\n{_NO_DEPLOY}"
    yield from beside.findings(case, "key-policy", cure, _KEY)


def _nobody(about: str, what: str, there: Sequence[Any]) -> Iterator[Finding]:
    """Who is named and is nobody any more."""
    ids = gone(*there)
    if ids:
        yield said(about, f"the {what} names {', '.join(ids)}: deleted, and nobody any more")


def role_is_gone_from(case: Deployed, observed: Sequence[Any] | Unread) -> str | None:
    """The statement of the key policy that names a deleted role in the role's place."""
    if isinstance(observed, Unread) or case.key_arn is None:
        return None
    wanted = documents.role_statements(case.entry.settings, case.role_arn)
    where = case.key_policy
    for one, meant in zip(observed, where.read(observed).statements, strict=True):
        if written_as(where, one, wanted):
            return printable(meant.name)
    return None


def _about_given_key(case: Deployed, observed: Sequence[Any]) -> Finding:
    """The policy of a key of the user's own: in whatever words, it must let the role use it."""
    refused, own = [], case.entry.settings
    try:
        answers = needs.of_use(case, case.key_policy, observed)
    except CannotBeJudged as reason:
        return _doubt(f"there are {reason}")
    for action, one in answers.items():
        if one.verdict is Answer.CANNOT_TELL:
            return _doubt(f"that hangs on {printable(', '.join(one.hangs_on))}")
        if one.verdict is Answer.BY_ACCOUNT and own.role is not None:
            return _doubt("it names only the account, so the role's own permissions decide")
        if one.verdict is not Answer.YES:
            refused.append(action)
    if not refused or role_is_gone_from(case, observed) is not None:
        return right(
            "key-policy", "your key's policy lets the role use it; who else may is not judged here"
        )
    return wrong(
        "key-policy",
        f"your key's policy does not let the role do {' and '.join(refused)}",
        "Add the statements that `npx cdk synth` warns of (cmek-construct:key-policy).",
        Effect.PINECONE_LOCKED_OUT,
        events=_KEY,
    )


def _doubt(doubt: str) -> Finding:
    return unknown(
        "key-policy",
        f"whether your key's policy lets the role use it: {doubt}",
        "Have somebody read that statement who knows IAM.",
    )


def about_permissions(
    case: Deployed, observed: Sequence[PermissionsPolicy] | Unread
) -> Iterator[Finding]:
    """What the role may do by itself, beside what the key policy lets it do."""
    if isinstance(observed, Unread):
        action = "iam:ListRolePolicies, iam:ListAttachedRolePolicies, iam:GetPolicyVersion"
        yield not_read("permissions", "the role's permissions", observed, action)
        return
    own, where = case.entry.settings, Where("permissions")
    by_key = documents.role_permissions(own, case.key_arn) if case.key_arn else []
    wanted = [*documents.permissions(own), *by_key]
    there = [*(one for policy in observed for one in policy.statements), *by_key]
    found = where.drift(there, wanted)
    if own.role is not None and found.given and not found.taken:
        names = ", ".join(printable(one.name) for one in observed)
        yield said("permissions", f"the role is yours, and has permissions of its own: {names}")
        return
    if found.is_none:
        customers = len(wanted) - len(by_key)
        words = f"for {customers} customers" if customers else "none, as it should be"
        yield right("permissions", f"the role's permissions are those of the file ({words})")
        return
    holding = [
        one for one in observed if not where.drift([*wanted, *one.statements], wanted).is_none
    ]
    names = ", ".join(printable(one.name) for one in holding)
    beside = Beside(
        where, "role's permissions" + (f" (in {names})" if names else ""), there, wanted
    )
    yield from beside.findings(case, "permissions", _cure(case, holding), PERMISSIONS)


def _cure(case: Deployed, holding: Sequence[PermissionsPolicy]) -> str:
    detach = [
        f"{case.iam('detach-role-policy')} --policy-arn {one.arn}"
        if one.arn
        else f"{case.iam('delete-role-policy')} --policy-name {one.name}"
        for one in holding
    ]
    return "\n".join(detach) or f"Put the statements back: npx cdk deploy {case.entry.name}"
