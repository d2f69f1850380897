"""`cmek suspend` and `cmek resume`, the emergency brake: the file first, then AWS.

The file goes first both ways: no later deploy can undo a suspension, and a resumption that stops halfway leaves
Pinecone out while the file says in, which is safe; the reverse would let Pinecone in while the file says out. Run
again, either comes to its end.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import typer

from cmek_construct.aws import reading
from cmek_construct.aws.objects import Stack, Unread
from cmek_construct.aws.session import Asking, AwsError, Reason, Session
from cmek_construct.checks import printable
from cmek_construct.commands.looking import locked, look, refuse_unknown
from cmek_construct.commands.options import NAME, PROFILE, a_role, flag, option
from cmek_construct.commands.printing import refusals, tell
from cmek_construct.deployment.reading import Entry, read_entries
from cmek_construct.deployment.writing import FILE, NotWrittenError, set_suspended
from cmek_construct.guide import key_denial
from cmek_construct.health import Refused
from cmek_construct.health.deployed import Deployed, LockedIdentity
from cmek_construct.health.doctor import grant_in_words, is_ours
from cmek_construct.health.policies import is_suspended, kept, to_write
from cmek_construct.policy.statements import as_of_2012

_ROLE: Final = a_role(
    "role",
    "A role of the stack's account to act as. It needs kms:GetKeyPolicy, kms:PutKeyPolicy, kms:ListGrants, "
    "kms:RevokeGrant and cloudformation:DescribeStacks; where the denial is in the role's trust policy, iam:GetRole "
    "and iam:UpdateAssumeRolePolicy.",
)


def suspend(
    name: str = NAME,
    reason: str = option("TEXT", "Why. It is written into cmek.yaml, for others.", default=...),
    profile: str | None = PROFILE,
    role: str | None = _ROLE,
    revoke_grants: bool = flag(
        "--revoke-grants",
        "Revoke the grants on the key (of a key that is given by ARN, the role's): they do not come back. Without "
        "it they are listed.",
    ),
) -> None:
    """Cut Pinecone off, in seconds.

    Writes suspended: true into cmek.yaml, then denies the role everything in the key policy, and reads it back. Run it
    again as often as you like.
    """
    if not reason.strip():
        raise typer.BadParameter("say why, in words", param_hint="--reason")
    _Brake(name, True, Asking("suspend", profile, role), reason, revoke_grants).run()


def resume(name: str = NAME, profile: str | None = PROFILE, role: str | None = _ROLE) -> None:
    """Let Pinecone back in.

    Takes suspended: true out of cmek.yaml, then the denial out of the key policy, and reads it back. Run it again as
    often as you like.
    """
    _Brake(name, False, Asking("resume", profile, role)).run()


@dataclass(frozen=True)
class _Brake:
    """What was asked for, and with which credentials."""

    name: str
    on: bool
    asking: Asking
    reason: str = ""
    revoke_grants: bool = False

    def run(self) -> None:
        with refusals(self.asking.command, interrupted=self._not_done("It was interrupted.")):
            tell(self._lines())

    def _lines(self) -> Iterator[str]:
        """Suspend or resume one stack; the lines say what is done, as it is done."""
        (entry,) = read_entries(FILE, only=self.name)
        own, case, by_hand = entry.settings, None, ""
        if own.role and own.key:
            does = "Add to" if self.on else "Take out of"
            raise Refused(
                f"{self.name}: role and key are both given by ARN, and their policies are yours. {does} the key "
                f"policy, by hand: {json.dumps(key_denial(own.role))}"
            )
        try:
            already = "" if set_suspended(self.name, self.on, self.reason) else "already "
            yield f"{FILE}: {self.name}: {already}suspended: {str(self.on).lower()}"
        except NotWrittenError:
            if not self.on:
                raise
            by_hand = "suspended: true"  # the file cannot be edited, and Pinecone is to be cut off now
        entry = replace(entry, settings=replace(own, suspended=self.on))
        try:
            # A lock that cannot be read does not hold up the brake.
            case, session = look(entry, self.asking, locked(entry, LockedIdentity()), writes=True)
            refuse_unknown(case)
            how, left = self._put(case, session)
        except (AwsError, Refused) as error:
            raise Refused(self._not_done(f"{str(error).rstrip('.')}.", entry, case)) from None
        if case.brake.kind == "trust":
            who = "nobody can take on" if self.on else "Pinecone can take on"
            done = f"{who} the role {case.role_arn} (trust policy: {how})"
        else:
            may = "can do nothing with" if self.on else "is no longer denied"
            done = f"{case.role_arn} {may} {case.key_arn} (key policy: {how})"
        yield f"{'CUT OFF' if self.on else 'LET IN'}: {done}"
        if left:
            yield f"Kept as it is, though not as in the file; the next deploy undoes it: {left}"
        if by_hand:
            yield (
                f"{FILE} IS NOT CHANGED: it is written in a way in which that cannot be set alone. Write by hand "
                f"into stacks.{self.name}:  {by_hand}  Without it the next deploy that changes the policy lets "
                "Pinecone back in."
            )
        if isinstance(case.stack, Stack) and case.stack.status.endswith("_IN_PROGRESS"):
            yield (
                f"A DEPLOY IS RUNNING ({case.stack.status}), and may write the policy of the file that it began with. "
                "Run this again when it has ended."
            )
        if self.on and case.key_arn is not None:
            yield from self._grants(case, session)
        yield from self._what_is_left(case)

    def _put(self, case: Deployed, session: Session) -> tuple[str, str]:
        """Put the brake on or take it off, and read it back; in words how, and what is there and not as in the file."""
        brake, arn = case.brake, str(case.brake.resource)
        before = reading.read_policy(session, arn)
        wanted = to_write(case, before, as_of_2012(before), self.on)
        for policy in wanted:
            try:
                session.put_policy(arn, policy)
                break
            except AwsError as error:
                if policy is wanted[-1] or error.reason is not Reason.MALFORMED:
                    raise
        for _try in range(6):  # a second apart, until it says what was written
            after = as_of_2012(reading.read_policy(session, arn))
            if is_suspended(case, after) is self.on:
                left = brake.drift(kept(case, after), case.wanted(brake.kind))
                how = "written and read back" if wanted else "it was so already, and was read again"
                return how, left.in_words(case.entry.settings.account)
            time.sleep(1)
        raise Refused(f"the {brake.kind} policy was written, but reads as before")

    def _grants(self, case: Deployed, session: Session) -> Iterator[str]:
        found = reading.read_grants(session, str(case.key_arn))
        if isinstance(found, Unread):
            raise Refused(
                f"Pinecone's role is cut off, but the grants on the key could not be listed ({found.why}), and a grant "
                f"outlives the suspension. Look yourself: {case.kms('list-grants')}"
            )
        if not found:
            yield "Grants on the key: none"
            return
        yield "Grants on the key, which outlive the suspension (KMS does not show who made them):"
        yield from (f"  {grant_in_words(one)}" for one in found)
        # Of a key that serves Pinecone alone each is to be revoked, of another the role's.
        theirs = [one for one in found if case.entry.settings.key is None or is_ours(case.role_arn, one)]
        for grant in theirs if self.revoke_grants else ():
            try:
                session.revoke_grant(str(case.key_arn), grant.id)
            except AwsError as error:
                raise Refused(
                    f"Pinecone's role is cut off, but a grant is left, and outlives the suspension: {error}. By "
                    f"hand: {case.kms('revoke-grant')} --grant-id {printable(grant.id)}"
                ) from None
        if theirs:
            again = "Not revoked. To do it: the same command with --revoke-grants"
            yield f"Revoked: {len(theirs)}" if self.revoke_grants else again

    def _what_is_left(self, case: Deployed) -> Iterator[str]:
        name = self.name
        yield ""
        if self.on and case.brake.kind == "trust":
            yield "- A session of Pinecone's that runs goes on to its end, an hour at most."
            end = "A customer ends it at once with Suspended=true in the kit's stack."
            if case.entry.settings.key is not None:
                end = f"To end it now, add to the policy of your key: {json.dumps(key_denial(case.role_arn))}"
            yield f"  {end}"
        if self.on:
            yield (
                "- Pinecone goes on with the data keys that it has cached, for some time, which it does not publish. "
                "Then every request to the project's indexes fails. Nothing is lost."
            )
        else:
            yield "- Pinecone works again as soon as it asks the next time: read a record to see it."
        if case.way_back:
            yield f"- Commit {FILE} now. The stack is gone; before any deploy: {case.way_back}"
        else:
            old = "let Pinecone back in" if self.on else "cut Pinecone off"
            deploy = f"npx cdk deploy {name}. A deploy of the old file could {old}."
            yield f"- Commit {FILE} now, and deploy it: {deploy}"
        back = f"cmek resume {name}" if self.on else f'cmek suspend {name} --reason "…"'
        yield f"- The way back: {back}. To see how it stands: cmek doctor {name}"

    def _not_done(self, why: str, entry: Entry | None = None, case: Deployed | None = None) -> str:
        """What stands where, if it could not be done, and what to do now, the best first."""
        name = self.name
        own = entry.settings if entry else None
        again = f"cmek resume {name}"
        head = f"PINECONE IS PERHAPS STILL CUT OFF. {FILE} says not suspended, but AWS may do it:"
        if self.on:
            again = f"cmek suspend {name} --reason {json.dumps(printable(self.reason), ensure_ascii=False)}"
            head = f"PINECONE IS PERHAPS NOT CUT OFF. {FILE} says suspended, but AWS may not do it yet:"
        ways = [
            f"{again} --profile NAME   (or --role ARN: somebody of account {own.account if own else 'of the stack'} "
            "who may write the policy; --help lists the actions. The roles of `cdk bootstrap` may not.)"
        ]
        if case is None or case.way_back is None:
            ways.append(
                f"npx cdk deploy {name} -c only={name} --require-approval never   (minutes, and only if the stack was "
                f"not deleted; then see with `cmek doctor {name}`: it does nothing if the last deploy said so already)"
            )
        if self.on and entry and own and own.customers is None and own.key is None and own.protect_used_key is None:
            key_arn = case.key_arn if case else Deployed.of(entry, locked(entry, LockedIdentity())).key_arn
            ways.append(
                f"aws kms disable-key --region {own.region} --key-id {key_arn or 'KEY-ARN'}   (cuts everybody off; "
                "enable-key takes it back)"
            )
        return "\n".join([head, f"  {why}", "Now, one of:", *(f"  {n}. {way}" for n, way in enumerate(ways, 1))])
