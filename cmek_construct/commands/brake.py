"""Puts the brake on or takes it off in AWS, and reads it back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cmek_construct.aws import reading, writing
from cmek_construct.aws.session import AwsError, Session
from cmek_construct.deployment import documents
from cmek_construct.guide import Policy
from cmek_construct.health.deployed import Deployed
from cmek_construct.health.findings import Refused
from cmek_construct.health.suspension import is_suspended, kept, to_write
from cmek_construct.policy.sentences import as_list

_TRIES: Final = 6
"""How often a policy is read back, a second apart, until it says what was written."""


@dataclass(frozen=True)
class Braked:
    """What was done to the policy."""

    what: str
    changed: bool
    """False: it said so already."""
    kept: str
    """Statements that are there and not as in the file, in words."""


def set_brake(case: Deployed, session: Session, on: bool) -> Braked:
    """Put the brake on or take it off, and read it back.

    Raises:
        AwsError: AWS refused, or could not be asked.
        Refused: the policy is not so.
    """
    what, arn = "key policy", case.key_arn or ""
    read: Callable[[Session, str], Policy] = reading.read_key_policy_document
    put: Callable[[Session, str, Policy], None] = writing.put_key_policy
    if documents.is_suspended_by_trust(case.entry.settings):
        what, arn = "trust policy", case.role_arn
        read, put = reading.read_trust_policy, writing.put_trust_policy
    before = read(session, arn)
    wanted = to_write(case, before, as_list(before["Statement"]), on)
    for index, policy in enumerate(wanted):
        try:
            put(session, arn, policy)
            break
        except AwsError as error:
            if index == len(wanted) - 1 or error.code not in writing.MALFORMED:
                raise
    for _try in range(_TRIES):
        after = as_list(read(session, arn)["Statement"])
        if is_suspended(case, after) is on:
            break
        time.sleep(1)
    else:
        raise Refused(f"the {what} was written, but reads as before")
    found = case.brake.drift(kept(case, after), case.wanted(case.brake.kind))
    return Braked(what, bool(wanted), found.in_words(case.entry.settings.account))
