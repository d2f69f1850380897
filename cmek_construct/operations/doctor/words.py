"""What the doctor's findings have in common: their words, and the case that they are about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cmek_construct.deployment.documents import is_suspended_by_trust
from cmek_construct.deployment.reading import Entry
from cmek_construct.operations.doctor.lock import LockedIdentity
from cmek_construct.operations.doctor.source import Unread
from cmek_construct.operations.drift import Place
from cmek_construct.operations.findings import Finding, Verdict

CACHED: Final = (
    "about 15 minutes from when it began, while Pinecone's cached data keys live; then every "
    "request to the indexes fails until this is mended"
)
NOTHING_LOST: Final = "nothing is lost, but Pinecone cannot use the key"
NOW: Final = "none: it is open now"
NO_HURRY: Final = "no hurry"


@dataclass(frozen=True)
class Case:
    """One stack, its role and its key, which the doctor looks at."""

    entry: Entry
    role_arn: str
    key_arn: str | None
    """None in a vendor's stack, whose customers own the keys."""
    lock: LockedIdentity
    now: datetime
    way_back: str | None = None
    """The command that takes role and key back; None where their stack is there."""

    @property
    def trust(self) -> Place:
        """Where the role's trust policy stands."""
        return Place("trust", self.role_arn)

    @property
    def key_policy(self) -> Place:
        """Where the key policy stands."""
        return Place("key", self.key_arn)

    @property
    def brake(self) -> Place:
        """Where the suspension stands."""
        by_trust = is_suspended_by_trust(self.entry.settings)
        return self.trust if by_trust else self.key_policy

    @property
    def role_name(self) -> str:
        """The name of the role."""
        return self.role_arn.rpartition("/")[2]

    def kms(self, command: str) -> str:
        """A command of the AWS CLI about the key."""
        assert self.key_arn is not None
        region = self.key_arn.split(":")[3]
        return f"aws kms {command} --region {region} --key-id {self.key_arn}"

    def iam(self, command: str) -> str:
        """A command of the AWS CLI about the role."""
        return f"aws iam {command} --role-name {self.role_name}"

    @property
    def put_trust_policy(self) -> str:
        """The command that puts the trust policy of the file."""
        shown = f'"$(cmek doctor {self.entry.name} --show trust-policy)"'
        return f"{self.iam('update-assume-role-policy')} --policy-document {shown}"

    @property
    def put_key_policy(self) -> str:
        """The command that puts the key policy of the file."""
        shown = f'"$(cmek doctor {self.entry.name} --show key-policy)"'
        return f"{self.kms('put-key-policy')} --policy-name default --policy {shown}"


def not_read(about: str, what: str, unread: Unread, action: str) -> Finding:
    """One that cannot be judged, because it could not be read."""
    return Finding(
        about,
        Verdict.UNKNOWN,
        f"not read: {what} ({unread.why})",
        f"Ask again with credentials that may {action} (--profile).",
        means="not known: do not take it for healthy",
    )


def right(about: str, words: str) -> Finding:
    """One that is right."""
    return Finding(about, Verdict.RIGHT, words)


def said(about: str, words: str) -> Finding:
    """One to be known."""
    return Finding(about, Verdict.SAID, words)
