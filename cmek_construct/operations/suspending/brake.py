"""The brake: one statement that cuts Pinecone off, put into a policy that is there, and taken out.

What is set is the policy that the next deploy sets. Where somebody has changed the deployed policy,
those statements are kept: the brake neither fails for them nor wipes them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cmek_construct.checks import printable
from cmek_construct.deployment import documents
from cmek_construct.guide import Statement, policy_document
from cmek_construct.operations.deleted import GONE, gone, principals, written_as
from cmek_construct.operations.doctor.source import as_document, as_statements, client
from cmek_construct.operations.doctor.suspension import is_denial, is_suspended
from cmek_construct.operations.doctor.words import Case
from cmek_construct.operations.drift import in_words

_MALFORMED: Final = ("MalformedPolicyDocumentException", "MalformedPolicyDocument")
_TRIES: Final = 6
"""How often a policy is read back, a second apart, until it says what was written."""


class BrakeError(Exception):
    """The policy is not what it should be. The message says why."""


@dataclass(frozen=True)
class Braked:
    """What was done to the policy."""

    what: str
    changed: bool
    """False: it said so already."""
    kept: str
    """Statements that are there and not as in the file, in words."""


@dataclass(frozen=True)
class _Door:
    """The policy that holds the brake."""

    what: str
    get: Callable[[], object]
    put: Callable[[str], object]

    def read(self) -> dict[str, Any]:
        """The policy document."""
        return as_document(self.get())


def _door(case: Case, session: Any) -> _Door:
    if case.key_arn is None or documents.is_suspended_by_trust(case.entry.settings):
        iam = client(session, "iam")
        return _Door(
            "trust policy",
            lambda: iam.get_role(RoleName=case.role_name)["Role"]["AssumeRolePolicyDocument"],
            lambda text: iam.update_assume_role_policy(
                RoleName=case.role_name, PolicyDocument=text
            ),
        )
    key = case.key_arn
    kms = client(session, "kms", key.split(":")[3])
    return _Door(
        "key policy",
        lambda: kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"],
        # Never BypassPolicyLockoutSafetyCheck: KMS refuses what would lock the account out.
        lambda text: kms.put_key_policy(KeyId=key, PolicyName="default", Policy=text),
    )


def set_brake(case: Case, session: Any, on: bool) -> Braked:
    """Put the brake on or take it off, and read it back.

    Args:
        case: the stack, its role and its key.
        session: of somebody who may read and write the policy.
        on: True cuts Pinecone off.

    Raises:
        BrakeError: the policy is not so, or it is not known.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    door = _door(case, session)
    try:
        before = door.read()
        wanted = list(_candidates(case, as_statements(before), on))
        changed = not _same(case, as_statements(before), wanted[0])
        if changed:
            _put(door, before, case, wanted)
        after = _read_back(door, case, on)
    except (ClientError, BotoCoreError) as error:
        raise BrakeError(f"AWS refused: {printable(error)}") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BrakeError(f"the {door.what} cannot be read: {printable(error)}") from None
    kept = [one for one in after if not is_denial(case, one)]
    found = case.brake.drift(kept, _of_the_file(case, on=False))
    return Braked(door.what, changed, in_words(found, case.entry.settings.account))


def _of_the_file(case: Case, on: bool) -> list[Statement]:
    """The statements that the next deploy sets."""
    own = case.entry.settings
    policy = (
        documents.trust_policy(own, suspended=on)
        if documents.is_suspended_by_trust(own)
        else documents.key_policy(own, case.role_arn, suspended=on)
    )
    return list(policy["Statement"])


def _candidates(case: Case, observed: Sequence[Any], on: bool) -> Iterator[list[Any]]:
    """What to write, the best first: AWS refuses a policy that names somebody who was deleted."""
    usual = _of_the_file(case, on=False)
    rest = [one for one in observed if not is_denial(case, one)]
    denials = [documents.denial(case.entry.settings, case.role_arn)] if on else []
    role_alone = [one for one in usual if case.role_arn in json.dumps(one)]
    choices = [rest] if on else []
    choices += [list(_mended(case, rest, usual)), list(_mended(case, rest, role_alone))]
    for index, statements in enumerate(choices):
        ours = role_alone if index == len(choices) - 1 else usual
        missing = [] if on else [one for one in ours if not _is_there(case, one, statements)]
        found = [*statements, *missing, *denials]
        # In the order and the words of the template, where it says the same.
        yield _of_the_file(case, on) if _same(case, found, _of_the_file(case, on)) else found


def _mended(case: Case, statements: Sequence[Any], ours: Sequence[Statement]) -> Iterator[Any]:
    """The statements without deleted principals: ours anew, and others without them."""
    for one in statements:
        left = written_as(case.brake, one, ours) or _without_gone(one)
        if left is not None:
            yield left


def _without_gone(statement: Any) -> Any:
    """A statement without principals that match nobody any more; None if it has no other."""
    if not gone(statement):
        return statement
    left = [name for name in principals(statement) if not GONE.fullmatch(name)]
    kinds = {kind: names for kind, names in statement["Principal"].items() if kind != "AWS"}
    if left:
        kinds["AWS"] = left
    return {**statement, "Principal": kinds} if kinds else None


def _is_there(case: Case, one: Statement, statements: Sequence[Any]) -> bool:
    """Whether a statement of ours is there, under its Sid perhaps with other words."""
    return any(
        (isinstance(other, dict) and other.get("Sid") == one["Sid"]) or case.brake.same(one, other)
        for other in statements
    )


def _same(case: Case, some: Sequence[Any], others: Sequence[Any]) -> bool:
    """Whether each statement of two policies means what one of the other's does."""
    return len(some) == len(others) and all(
        any(case.brake.same(one, other) for other in those)
        for these, those in ((some, others), (others, some))
        for one in these
    )


def _put(door: _Door, before: dict[str, Any], case: Case, wanted: Sequence[list[Any]]) -> None:
    from botocore.exceptions import ClientError

    for index, statements in enumerate(wanted):
        ours = policy_document(*statements)
        try:
            door.put(json.dumps(ours if "Id" not in before else {**ours, "Id": before["Id"]}))
            return
        except ClientError as error:
            is_last = index == len(wanted) - 1
            if is_last or error.response["Error"]["Code"] not in _MALFORMED:
                raise


def _read_back(door: _Door, case: Case, on: bool) -> list[Any]:
    for _try in range(_TRIES):
        found = as_statements(door.read())
        if is_suspended(case, found) is on:
            return found
        time.sleep(1)
    raise BrakeError(f"the {door.what} was written, but reads as before")
