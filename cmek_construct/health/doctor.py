"""The doctor: all that is right and wrong with one stack of cmek.yaml, its role and its key, and what is around it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cmek_construct.aws.objects import ROTATION_DAYS, SESSION_SECONDS, Control, Event, Grant, Key, Role, Unread
from cmek_construct.checks import few, printable
from cmek_construct.health import policies
from cmek_construct.health.deployed import Deployed, at
from cmek_construct.health.findings import NO_LOSS, Effect, Finding, Verdict, not_read, right, said, unknown, wrong
from cmek_construct.policy.statements import DELETED, as_list
from cmek_construct.policy.words import of_statement, plain

_MADE_AGAIN: Final = ("iam:DeleteRole",)
_BOUNDING: Final = ("iam:PutRolePermissionsBoundary", "iam:DeleteRolePermissionsBoundary")
_OUT: Final = Effect.PINECONE_LOCKED_OUT
_SHOWN: Final = 6
HEALTHY, WRONG, UNREAD = 0, 1, 3
"""Exit codes: for cron, wrong goes before what could not be read."""


@dataclass(frozen=True)
class Examined:
    case: Deployed
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
        words = {HEALTHY: "healthy", WRONG: "WRONG", UNREAD: "NOT ALL COULD BE READ"}[self.code]
        return f"{words}, and SUSPENDED on purpose" if suspended else words

    def as_data(self) -> dict[str, Any]:
        return {
            "name": self.case.name,
            "account": self.case.own.account,
            "region": self.case.own.region,
            "role_arn": self.case.role_arn or None,
            "key_arn": self.case.key_arn,
            "verdict": self.verdict.lower(),
            "findings": [one.as_data() for one in self.findings],
        }


def diagnosis(case: Deployed, last_user: str | Unread | None) -> Iterator[Finding]:
    """All that is right and wrong with role and key, and who used the key the last time, where that was asked."""
    is_there, key = isinstance(case.role, Role), case.key
    yield from about_role(case)
    if is_there:
        yield from policies.about_policy(case, "trust")
        yield from policies.about_policy(case, "permissions")
    if case.key_arn is not None:
        yield from about_key(case)
    if key is not None:
        yield from policies.about_policy(case, "key")
        yield from policies.about_used_key(case)
    if isinstance(key, Key):
        yield about_grants(case, key)
    if is_there or case.brake.kind == "key":
        yield about_brake(case)
    yield from about_use(case, last_user)


def about_role(case: Deployed) -> Iterator[Finding]:
    """Whether it is the very role that Pinecone stores, and what bounds it and its sessions."""
    role = case.role
    if isinstance(role, Unread):
        yield not_read("role", f"the role {case.role_name}", role, "iam:GetRole")
    elif role is None:
        path = case.role_arn.partition(":role")[2].rpartition("/")[0] + "/"
        trust = f'"$(cmek doctor {case.name} --show trust-policy)"'
        create = f"{case.iam('create-role')} --path {path} --assume-role-policy-document {trust}"
        cure = f"{create}\n{_anew(case)}\nThe second makes the key know it."
        yield wrong("role", f"there is no role {case.role_arn}: somebody deleted it", cure, _OUT, events=_MADE_AGAIN)
    else:
        yield right("role", "the role is there")
        lock, gone_from = case.lock, policies.role_is_gone_from(case)
        locked = f", in cmek.lock {lock.role_id}" if lock.role_id not in (None, role.role_id) else ""
        if lock.role_arn not in (None, case.role_arn):
            words = f"the role is {case.role_arn}, but cmek.lock has {lock.role_arn}, which Pinecone stores"
            cure = "Do not delete either. Look in git what changed the name or the path, and undo it."
            yield wrong("same-role", words, cure, _OUT, means=f"{NO_LOSS} by a role that it does not know")
        elif locked or gone_from:
            names = f"; {gone_from} of the key policy still names the deleted one" if gone_from else ""
            words = f"the role was deleted and made again under its old name (unique ID {role.role_id}{locked}){names}"
            cure = f"{_anew(case)}\nThen lock the new one (`cmek lock --deployed`)."
            means = f"to the key it is a stranger: {NO_LOSS}"
            yield wrong("same-role", words, cure, _OUT, means=means, events=_MADE_AGAIN)
        elif lock.role_id:
            yield right("same-role", f"the role is the locked one ({role.role_id})")
        else:
            yield said("same-role", f"the role is not locked (`cmek lock --deployed`); its unique ID is {role.role_id}")
        found = [_boundary(case, role)]
        if role.session_seconds != SESSION_SECONDS:
            hours = f"{role.session_seconds / SESSION_SECONDS:g} hours"
            words = f"a session of the role may last {hours}, not one hour as by the file"
            cure = f"{case.iam('update-role')} --max-session-duration {SESSION_SECONDS}"
            means = "somebody is let in for longer: who has a session keeps it, whatever the trust policy says by then"
            found.append(wrong("session", words, cure, Effect.SOMEBODY_LET_IN, means=means, events=("iam:UpdateRole",)))
        for one in found:
            yield one.to_know("the role is yours: {}") if case.own.role and one.effect is not _OUT else one


def _anew(case: Deployed) -> str:
    """How the key policy is written anew for a role that was made again."""
    if case.key_arn is None:
        return "Have each customer save the key policy again, with the role's ARN."
    if case.brake.kind == "trust":
        return "Save your key's policy again, with the role's ARN in place of the unique ID."
    again = f'cmek suspend {case.name} --reason "role made again"'
    return again if case.own.suspended else f"{again} && cmek resume {case.name}"


def _boundary(case: Deployed, role: Role) -> Finding:
    """Whether what bounds it is what the file says, and lets it use the key."""
    found = role.boundary_arn
    wanted = found if case.own.role else case.own.permissions_boundary
    denied, doubt = policies.refused(case, "permissions", role.boundary) if found else ([], "")
    if doubt:
        words = f"whether the permissions boundary {printable(found)} lets the role use the key: {doubt}"
        cure = "Have somebody read it who knows IAM; or ask as somebody who may iam:GetPolicy and iam:GetPolicyVersion."
        return unknown("boundary", words, cure, _OUT)
    if found == wanted and not denied:
        return right("boundary", f"the role is bounded by {wanted}" if wanted else "the role has no boundary")
    cure = case.iam("delete-role-permissions-boundary")
    if wanted:
        cure = f"{case.iam('put-role-permissions-boundary')} --permissions-boundary {wanted}"
    if found == wanted:
        cure = "Have its owner allow these actions on the key in it."
    by_file = wanted or "there is none"
    words = f"the role's permissions boundary is {printable(found or 'missing')}, but {by_file} in the file"
    if denied:
        words = f"the role's permissions boundary, {printable(found)}, does not let it do {' and '.join(denied)}"
    return wrong("boundary", words, cure, _OUT if denied else None, events=_BOUNDING)


def about_brake(case: Deployed) -> Finding:
    """Whether Pinecone is cut off if, and only if, the file says so."""
    of, observed = policies.KINDS[case.brake.kind], case.statements(case.brake.kind)
    if isinstance(observed, Unread):
        return not_read("suspended", "whether Pinecone is cut off", observed, of.reads)
    if not case.own.suspended:
        if not policies.is_suspended(case, observed):
            return right("suspended", "not suspended, as the file says")
        words = "Pinecone is cut off by the suspension, but the file does not say suspended: true"
        meant = "If it is meant, write `suspended: true` into cmek.yaml instead, and commit it."
        means = f"{NO_LOSS}; the next deploy that changes the policy lets it back in"
        cure = f"cmek resume {case.name}\n{meant}"
        return wrong("suspended", words, cure, _OUT, means=means, events=of.events)
    if policies.is_cut_off(case, observed):
        return said("suspended", "SUSPENDED on purpose: Pinecone is cut off, as the file says")
    words = "the file says suspended: true, but nothing cuts Pinecone off"
    means = "Pinecone is let in: it can read and write all data, against the file"
    cure = f'cmek suspend {case.name} --reason "…"'
    return wrong("suspended", words, cure, Effect.SOMEBODY_LET_IN, means=means, events=of.events)


def about_key(case: Deployed) -> Iterator[Finding]:
    """Whether it is the very key that Pinecone stores, and can be used."""
    key, locked = case.key, case.lock.key_arn
    if isinstance(key, Unread):
        yield not_read("key", f"the key {case.key_arn}", key, "kms:DescribeKey")
        return
    if key is None:
        cure = "First see that account and region are right. Then call AWS Support, and Pinecone."
        means = "if it was deleted, all data of the project is lost for good"
        yield wrong("key", f"KMS knows no key {case.key_arn}", cure, Effect.KEY_ENDS, means=means, time="none")
        return
    yield right("key", "the key is there")
    if locked not in (None, case.key_arn):
        words = f"the stack's key is {case.key_arn}, but cmek.lock has {locked}, which Pinecone stores"
        cure = "Do not delete either key. Look in git what made another one, and undo it before the next deploy."
        means = "the data is encrypted with the locked key: it is lost if that key is"
        yield wrong("same-key", words, cure, means=means, time="before anybody deletes a key")
    elif locked:
        yield right("same-key", "the key is the locked one")
    elif case.lock.role_arn:
        yield said("same-key", "the key is not locked (`cmek lock --deployed`)")
    if key.is_ending:
        words, time = "the key WILL BE DELETED once its last replica is", ""
        if ends := key.deletion_date:
            days = (ends - case.now).days
            left = f"{days} days" if days > 1 else "1 day" if days == 1 else "LESS THAN A DAY"
            words, time = f"the key WILL BE DELETED at {at(ends)}", f"{left}, until {at(ends)}"
        cure = f"{case.kms('cancel-key-deletion')} && {case.kms('enable-key')}"
        yield wrong("deletion", words, cure, Effect.KEY_ENDS, time=time, events=("kms:ScheduleKeyDeletion",))
    else:
        yield right("deletion", "nobody has ordered its deletion")
        if key.state == "Enabled":
            yield right("enabled", "it is enabled")
        elif key.state == "Disabled":
            yield wrong("enabled", "the key is disabled", case.kms("enable-key"), _OUT, events=("kms:DisableKey",))
        else:
            cure = "See the KMS console: this key cannot be used as it is."
            yield wrong("enabled", f"the key is in state {printable(key.state)}", cure, _OUT)
        # Of a key that is to be deleted KMS says that it does not rotate.
        yield _rotation(case, key)
    if case.own.key is None:
        yield _alias(case, key)


def _rotation(case: Deployed, key: Key) -> Finding:
    own, found = case.own, key.rotation_days
    if isinstance(found, Unread):
        return not_read("rotation", "whether it rotates", found, "kms:GetKeyRotationStatus")
    wanted = None if own.enable_key_rotation is False else own.rotation_period or ROTATION_DAYS
    does, by_file = ("does not rotate" if days is None else f"rotates every {days} days" for days in (found, wanted))
    if own.key is not None:
        return said("rotation", f"the key is yours, and {does}")
    if found == wanted:
        return right("rotation", f"it {does}")
    cure = case.kms("disable-key-rotation")
    if wanted:
        cure = f"{case.kms('enable-key-rotation')} --rotation-period-in-days {wanted}"
    events = ("kms:DisableKeyRotation", "kms:EnableKeyRotation")
    means = "none: old data stays readable, and Pinecone notices nothing"
    return wrong("rotation", f"the key {does}, but by the file it {by_file}", cure, means=means, events=events)


def alias_of_file(case: Deployed) -> str | Unread | None:
    """The alias that the key should have: the file's, or the one that the stack made."""
    own = case.own.alias
    return f"alias/{own.removeprefix('alias/')}" if own else case.alias


def _alias(case: Deployed, key: Key) -> Finding:
    wanted, target = alias_of_file(case) or Unread("the stack shows no alias"), case.alias_target
    if isinstance(wanted, Unread):
        return not_read("alias", "the key's alias", wanted, "cloudformation:ListStackResources")
    if isinstance(key.aliases, Unread):
        return not_read("alias", "the key's aliases", key.aliases, "kms:ListAliases")
    if wanted in key.aliases:
        return right("alias", f"{wanted} points to it")
    words = f"{wanted} points to another key, {printable(target)}" if target else f"{wanted} does not exist"
    if isinstance(target, Unread):
        words = f"{wanted} does not point to it; to which it does was not read ({target.why})"
    command = f"aws kms {'update' if target else 'create'}-alias --region {case.own.region}"
    cure = f"{command} --alias-name {wanted} --target-key-id {case.key_arn}"
    means = "none for Pinecone, which goes by the key's ARN; people and policies that go by the alias "
    means += "take another key for this one, or none"
    return wrong("alias", words, cure, means=means, events=("kms:UpdateAlias", "kms:DeleteAlias"))


def about_grants(case: Deployed, key: Key) -> Finding:
    """Whom grants let use the key, beside the key policy."""
    if isinstance(key.grants, Unread):
        return not_read("grants", "the key's grants", key.grants, "kms:ListGrants")
    if not key.grants:
        return right("grants", "there are no grants on it")
    others = [one for one in key.grants if not is_ours(case.role_arn, one)]
    shown = few([*map(grant_in_words, others or key.grants)], _SHOWN)
    if not others:
        return said("grants", f"grants for the role itself or AWS services: {shown}")
    cures = [f"{case.kms('revoke-grant')} --grant-id {printable(one.id)}" for one in others[:_SHOWN]]
    cures += [f"Then see which are left: cmek doctor {case.name}"] if len(others) > _SHOWN else []
    words = f"grants let others use the key, whatever the key policy says: {shown}"
    found = wrong("grants", words, "\n".join(cures), Effect.SOMEBODY_LET_IN, events=("kms:CreateGrant",))
    return found.to_know("the key is yours: {}") if case.own.key is not None else found


def is_ours(role_arn: str, grant: Grant) -> bool:
    """Whether a grant lets in only the role, an AWS service, or nobody any more."""
    name, (account, _, role) = grant.grantee, role_arn.partition(":role/")
    session = f"{account.replace(':iam:', ':sts:')}:assumed-role/{role.rpartition('/')[2]}/"
    is_service = name.endswith(".amazonaws.com") and ":" not in name
    return name == role_arn or name.startswith(session) or is_service or bool(DELETED.fullmatch(name))


def grant_in_words(grant: Grant) -> str:
    return printable(f"{grant.grantee} may {', '.join(grant.operations)} (grant {grant.id})")


def about_use(case: Deployed, by: str | Unread | None) -> Iterator[Finding]:
    """When the key was last used, by KMS and by whom, and when the role was last assumed, by IAM."""
    last = case.role.last_used if isinstance(case.role, Role) else None
    use = case.key.last_use if isinstance(case.key, Key) else None
    words = "IAM has seen nobody take on the role in 400 days"
    if last:
        words = f"the role was last taken on at {at(last)}, by IAM, which is some hours late"
    if isinstance(use, Unread):
        action = "kms:GetKeyLastUsage, or leave it out with --no-cloudtrail"
        yield not_read("last-use", f"the last use of the key; {words}", use, action)
    elif use is not None:
        seen = f"KMS has seen no use of the key since {at(use.tracked_since)}"
        if use.when is not None:
            who = f"; by whom is not known ({by.why})" if isinstance(by, Unread) else f", by {by}" if by else ""
            seen = f"the key was last used at {at(use.when)} ({printable(use.operation)}, by KMS){who}"
        yield said("last-use", f"{seen}; {words}")
    elif isinstance(case.role, Role):
        yield said("last-use", words)


def who_used(case: Deployed, event: Event | Unread | None) -> str | Unread:
    """Who used the key, by an event of CloudTrail, for a person: the role is Pinecone."""
    if event is None or isinstance(event, Unread):
        return event or Unread("CloudTrail does not show it any more")
    return "Pinecone" if event.by == case.role_arn else printable(event.by)


def with_culprit(
    case: Deployed, finding: Finding, calls: Callable[[list[str], str, str], Sequence[Event] | Unread]
) -> Finding:
    """A finding with who did it, by CloudTrail's ``calls`` of some names, about a name, in a region; or where it is."""
    if finding.verdict is not Verdict.WRONG or not finding.events:
        return finding
    names, of_role = [one.partition(":")[2] for one in finding.events], finding.events[0].startswith("iam:")
    region = "us-east-1" if of_role else str(case.key_arn).split(":")[3]
    events = calls(names, (case.role_name if of_role else str(case.key_arn)).rpartition("/")[2], region)
    for one in [] if isinstance(events, Unread) else events:
        if one.name in names and not one.refused:
            who = f"{one.name} by {printable(one.by)} at {at(one.when)}, by CloudTrail"
            return replace(finding, words=f"{finding.words}. {who}")
    place = "CloudTrail, us-east-1" if of_role else "CloudTrail"
    return replace(finding, cure=f"{finding.cure}\nFind out who did it ({place}: {', '.join(names)}).")


def about_indexes(case: Deployed, found: Mapping[str, str | None] | Unread) -> Iterator[Finding]:
    """Whether the indexes of the project are under this key.

    Each key is as Pinecone says it: an ARN, or an ID of its own; None where the index is under no key of a customer.
    """
    if isinstance(found, Unread):
        yield replace(unknown("indexes", f"not read: the project's indexes ({found.why})", ""), means="")
        return
    without = [name for name, key in found.items() if key is None]
    others = [name for name, key in found.items() if key and key.startswith("arn:") and key != case.key_arn]
    untold = [f"{name} ({key})" for name, key in found.items() if key is not None and not key.startswith("arn:")]
    look, means = "Look in Pinecone's console", "their data does not hang on this key"
    if without:
        anew = "an index cannot be moved under a key: make it anew, and copy its records."
        cure = f"{look} whether the project is the right one, and its encryption forced; {anew}"
        means_here = f"{means}: cutting Pinecone off does not shut them"
        yield wrong("indexes", f"indexes under no key of yours: {few(without)}", cure, means=means_here)
    if others:
        cure = f"{look}, Manage > CMEK, which key the project has: PINECONE_API_KEY may be of another project."
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
    mentioned = []
    for one, statement in [(each, raw) for each in found for raw in each.statements]:
        own, words = {}, "a statement that is no object"
        if isinstance(statement, dict):
            own, words = statement, plain(of_statement(statement, case.own.account)).rstrip(".")
        actions = as_list(own.get("Action", "kms:*"))  # by what it leaves out, it may be about KMS
        forbids = own.get("Effect") != "Allow" or "*" not in actions or "Condition" in own
        if forbids and any(str(action).lower().startswith(("sts:", "kms:", "*")) for action in actions):
            look = f"look at this {one.kind}, {printable(one.name)} on {printable(one.on)}"
            text = json.dumps(statement, ensure_ascii=True)
            mentioned.append(said("organization", f"{look}: {words}. As text: {text}"))
    nothing = "no SCP or RCP over the account mentions STS or KMS, as far as is seen"
    yield from mentioned or [said("organization", nothing)]
