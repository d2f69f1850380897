"""`cmek retire`: every right and wrong order, against moto and a stand-in for Pinecone's API.

Moto lacks CloudTrail's look-ups and a role's last use, which are answered here as AWS documents them, and takes no ARN
where a key is ended or enabled.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError

from cmek_construct.aws.objects import Event, Key, LastUse
from cmek_construct.health.findings import Finding, Verdict
from cmek_construct.health.retirement import steps
from tests.command import cmek
from tests.pinecone_stand_in import API_KEY, Pinecone
from tests.test_direction import changed, there
from tests.test_doctor import (
    ACCOUNT,
    KEY_ARN,
    OTHER,
    OWN,
    ROLE_ARN,
    VENDOR,
    answer,
    aws,
    deploy,
    key_id,
    key_statements,
    lock_what_is_deployed,
    outputs,
    refusing,
    role_name,
    text_of,
    without_stack,
)
from tests.test_project import pinecone
from tests.test_suspend import REASON, Killed

__all__ = ["aws", "pinecone"]
NOW = datetime.now(timezone.utc)
SCHEDULE = "--schedule-deletion"
TYPED = "acme\nacme\n"


class CloudTrail:
    """What CloudTrail shows, the newest first; and when KMS and IAM saw key and role used."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.role_used: datetime | None = None
        self.key_used: datetime | None = None
        self.page = 50

    def add(self, name: str, days: float, **said: Any) -> None:
        when = NOW - timedelta(days=days)
        event = {"EventName": name, "EventTime": when, "CloudTrailEvent": json.dumps(said)}
        self.events = sorted([*self.events, event], key=lambda one: one["EventTime"], reverse=True)

    def used(self, days: float, by: str | None = None, **more: Any) -> None:
        issuer = {"sessionIssuer": {"arn": by or outputs()["RoleArn"]}}
        self.add("Decrypt", days, userIdentity={"sessionContext": issuer}, **more)

    def reply(self, operation: str, parameters: dict[str, Any]) -> Any:
        if operation == "GetKeyLastUsage":
            use = {"Operation": "Decrypt", "Timestamp": self.key_used, "CloudTrailEventId": "e"}
            tracked = {"TrackingStartDate": NOW - timedelta(days=200)}
            return {**tracked, "KeyLastUsage": use} if self.key_used else tracked
        if operation != "LookupEvents":
            return NotImplemented
        (attribute,) = parameters["LookupAttributes"]
        if attribute["AttributeKey"] == "EventName":
            name = attribute["AttributeValue"]
            return {"Events": [one for one in self.events if one["EventName"] == name]}
        assert attribute["AttributeValue"] == outputs()["KeyArn"]
        events = [one for one in self.events if one["EventTime"] >= parameters["StartTime"]]
        first = int(parameters.get("NextToken", 0))
        token = {"NextToken": str(first + self.page)} if first + self.page < len(events) else {}
        return {"Events": events[first : first + self.page], **token}


@pytest.fixture
def cloudtrail(aws: None, pinecone: Pinecone, monkeypatch: pytest.MonkeyPatch) -> CloudTrail:
    found = CloudTrail()
    monkeypatch.setenv("PINECONE_API_KEY", API_KEY)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    answer(monkeypatch, found.reply)
    call = BaseClient._make_api_call

    def mended(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        if operation.endswith(("KeyDeletion", "EnableKey")):
            parameters = {**parameters, "KeyId": parameters["KeyId"].rpartition("/")[2]}
        answered = call(client, operation, parameters)
        if operation == "GetRole" and found.role_used:
            answered["Role"]["RoleLastUsed"] = {"LastUsedDate": found.role_used}
        return answered

    monkeypatch.setattr(BaseClient, "_make_api_call", mended)
    return found


def retire(folder: Path, *options: str, typed: str = "", code: int = 0) -> str:
    printed = cmek(folder, "retire", "acme", *options, answers=typed, code=code)
    assert API_KEY not in printed.stdout + printed.stderr
    return printed.stdout + printed.stderr


def suspended(folder: Path, cloudtrail: CloudTrail, days: float) -> None:
    """Deployed, without indexes, suspended, and last used so long ago."""
    deploy(folder)
    cmek(folder, "suspend", "acme", REASON)
    make_older()
    cloudtrail.key_used = NOW - timedelta(days=days)


def make_older() -> None:
    from moto.kms.models import kms_backends

    key = kms_backends[ACCOUNT]["us-east-1"].keys[key_id()]
    key.creation_date = (NOW - timedelta(days=400)).timestamp()


def key() -> dict[str, Any]:
    found = boto3.client("kms").describe_key(KeyId=key_id())["KeyMetadata"]
    assert isinstance(found, dict)
    return found


def state() -> str:
    return str(key()["KeyState"])


def done(printed: str) -> list[int]:
    """The numbers of the steps that are done."""
    return [int(line[2]) for line in printed.splitlines() if line.startswith("✓ ")]


def after_next(printed: str) -> str:
    return printed.partition("Next: ")[2].strip()


def test_from_the_first_step_to_the_end(tmp_path: Path, cloudtrail: CloudTrail, pinecone: Pinecone) -> None:
    deploy(tmp_path)
    make_older()
    pinecone.indexes = ["old", "older"]
    printed = retire(tmp_path)
    assert done(printed) == []
    assert "Indexes are left (2): old, older" in printed
    assert after_next(printed).startswith("step 1. ")

    pinecone.indexes = []
    printed = retire(tmp_path)
    assert done(printed) == [1]
    assert after_next(printed) == 'step 3. cmek suspend acme --reason "retirement"'
    assert "? 2. Key deleted at Pinecone" in printed

    cmek(tmp_path, "suspend", "acme", REASON)
    cloudtrail.key_used = NOW - timedelta(days=6.9)
    printed = retire(tmp_path)
    assert done(printed) == [1, 3]
    assert "by KMS, the key was used then (Decrypt)" in printed
    assert after_next(printed).startswith("step 4. Wait until ")

    cloudtrail.key_used = NOW - timedelta(days=7.1)
    printed = retire(tmp_path)
    assert done(printed) == [1, 3, 4]
    assert after_next(printed) == "step 5. cmek retire acme --schedule-deletion"
    assert state() == "Enabled"

    printed = retire(tmp_path, SCHEDULE, typed=TYPED)
    assert state() == "PendingDeletion"
    assert (key()["DeletionDate"] - NOW).days in (29, 30)
    assert f"{key()['DeletionDate']:%Y-%m-%d}" in printed.partition("Done: ")[2]
    assert "cmek retire acme --cancel" in printed
    for told in ("termination_protection: false", "cdk destroy", "delete-role", "cmek unlock"):
        assert told in printed
    for options in ((), (SCHEDULE,)):
        printed = retire(tmp_path, *options)
        assert done(printed) == [1, 3, 4, 5]
        assert "--cancel" in printed


def refused(folder: Path, *options: str, typed: str = TYPED) -> str:
    """What is said where nothing may be changed."""
    before = state()
    printed = retire(folder, SCHEDULE, *options, typed=typed, code=1)
    assert state() == before
    return printed


def test_with_indexes_left_it_is_refused(tmp_path: Path, cloudtrail: CloudTrail, pinecone: Pinecone) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    pinecone.indexes = ["old"]
    assert "Refused. First, step 1: Indexes are left (1): old" in refused(tmp_path)


def test_not_suspended_it_is_refused(tmp_path: Path, cloudtrail: CloudTrail) -> None:
    deploy(tmp_path)
    assert "Refused. First, step 3: Suspended: not yet" in refused(tmp_path)


def test_suspended_in_the_file_alone_or_in_kms_alone_it_is_refused(tmp_path: Path, cloudtrail: CloudTrail) -> None:
    deploy(tmp_path)
    file = tmp_path / "cmek.yaml"
    text = file.read_text()
    file.write_text(text + "    suspended: true\n")
    assert "nothing cuts Pinecone off" in refused(tmp_path)
    assert "✗ 3." in retire(tmp_path, code=1)
    cmek(tmp_path, "suspend", "acme", REASON)
    file.write_text(text)
    assert "the file does not say suspended" in refused(tmp_path)


def test_before_the_days_are_over_it_is_refused(tmp_path: Path, cloudtrail: CloudTrail) -> None:
    suspended(tmp_path, cloudtrail, days=6.9)
    assert "Refused. First, step 4" in refused(tmp_path)
    assert "14 days without use" in refused(tmp_path, "--days=14")
    retire(tmp_path, SCHEDULE, "--days=6", typed=TYPED)
    assert state() == "PendingDeletion"


@pytest.mark.parametrize("by", [None, f"arn:aws:iam::{ACCOUNT}:role/reports"], ids=["Pinecone", "somebody else"])
def test_the_days_begin_anew_with_each_attempt_even_if_it_was_denied(
    tmp_path: Path, cloudtrail: CloudTrail, by: str | None
) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    cloudtrail.used(days=2, by=by, errorCode="AccessDenied")
    cloudtrail.used(days=20, by=by)
    printed = refused(tmp_path)
    assert "Refused. First, step 4" in printed
    assert f"{by or 'Pinecone'} asked for Decrypt then" in printed
    cloudtrail.events.pop(0)
    assert done(retire(tmp_path)) == [1, 3, 4]


def test_a_role_that_is_still_used_is_an_attempt(tmp_path: Path, cloudtrail: CloudTrail) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    cloudtrail.role_used = NOW - timedelta(days=3)
    assert "Pinecone still asks" in refused(tmp_path)


def test_a_use_on_a_later_page_is_seen(tmp_path: Path, cloudtrail: CloudTrail) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    cloudtrail.page = 1
    cloudtrail.add("DescribeKey", days=1)
    cloudtrail.used(days=5)
    assert "asked for Decrypt" in refused(tmp_path)


def test_more_events_than_are_read_are_not_called_none(tmp_path: Path, cloudtrail: CloudTrail) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    for _each in range(1_001):
        cloudtrail.add("DescribeKey", days=1)
    assert "more than 1,000 events" in refused(tmp_path)


def test_few_events_on_many_pages_are_read_to_their_end(tmp_path: Path, cloudtrail: CloudTrail) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    cloudtrail.page = 1
    for _each in range(25):
        cloudtrail.add("DescribeKey", days=1)
    assert done(retire(tmp_path)) == [1, 3, 4]


@pytest.mark.parametrize("operation", ["LookupEvents", "GetRole", "GetKeyLastUsage"])
def test_use_that_cannot_be_read_is_never_none(
    tmp_path: Path, cloudtrail: CloudTrail, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    answer(monkeypatch, refusing(operation, code="AccessDeniedException"))
    assert "not known" in refused(tmp_path)
    assert "? 4." in retire(tmp_path, code=1)
    day = f"{NOW - timedelta(days=3):%Y-%m-%d}"
    assert "Refused. First, step 4" in refused(tmp_path, f"--quiet-since={day}")
    retire(tmp_path, SCHEDULE, "--quiet-since=2020-01-01", typed=TYPED)
    assert state() == "PendingDeletion"


def test_what_a_person_says_never_goes_before_what_is_seen(tmp_path: Path, cloudtrail: CloudTrail) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    cloudtrail.used(days=1)
    assert "asked for Decrypt" in refused(tmp_path, "--quiet-since=2020-01-01")
    cloudtrail.events.clear()
    cloudtrail.key_used = NOW - timedelta(days=1)
    assert "the key was used then" in refused(tmp_path, "--quiet-since=2020-01-01")


def test_days_in_which_the_suspension_hides_use_are_told_apart(tmp_path: Path, cloudtrail: CloudTrail) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    assert "since when there is one is not known" in retire(tmp_path)
    cloudtrail.add("PutKeyPolicy", 0, on=key_id())
    assert f"Until {NOW:%Y-%m-%d %H:%M} UTC it could be used, and was not" in retire(tmp_path)
    cloudtrail.events.clear()
    cloudtrail.add("PutKeyPolicy", 31, on=key_id())
    cloudtrail.add("PutKeyPolicy", 1, on=key_id(), errorCode="AccessDenied")
    printed = retire(tmp_path)
    assert "In all that time it was suspended (since " in printed
    assert done(printed) == [1, 3, 4]


@pytest.mark.parametrize(
    ("put", "hidden"),
    [
        (
            None,
            "A suspension hides use, and since when there is one is not known: see that for some days the key could ",
        ),
        (9, "In all that time it was suspended (since 2026-06-22 12:00 UTC at the latest), which hides use: that "),
        (2, "Until 2026-06-29 12:00 UTC it could be used, and was not; since then it is suspended, which hides use, "),
    ],
)
def test_the_quiet_step_says_since_when_and_what_speaks_for_it(put: int | None, hidden: str) -> None:
    now = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)
    found = there({**OWN, "suspended": True}, key=changed({**OWN, "suspended": True}, "key-policy", lambda _: None))
    assert isinstance(found.key, Key)
    use = LastUse(now - timedelta(days=90), now - timedelta(days=8), "Decrypt", "e")
    case = replace(found, now=now, key=replace(found.key, last_use=use))
    changes = [] if put is None else [Event("PutKeyPolicy", now - timedelta(days=put), ROLE_ARN, False, "")]

    def quiet(days: int) -> Finding:
        return steps(case, [], None, days, None, changes)[3]

    since = "quiet since 2026-06-23 12:00 UTC (by KMS, the key was used then (Decrypt))"
    assert quiet(7).verdict is Verdict.RIGHT
    assert quiet(7).words.startswith(f"7 days without use: {since}. {hidden}")
    assert quiet(30).verdict is Verdict.SAID
    assert quiet(30).words.startswith(f"30 days without use: not yet, {since}. {hidden}")
    assert quiet(30).cure == "Wait until 2026-07-23 12:00 UTC, and run cmek retire acme again"


def test_a_key_that_kms_has_seen_nobody_use_is_quiet_since_it_looks(tmp_path: Path, cloudtrail: CloudTrail) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    cloudtrail.key_used = None
    printed = retire(tmp_path)
    assert done(printed) == [1, 3, 4]
    assert "KMS has seen no use since" in printed


def test_a_key_that_is_younger_than_what_a_person_says_is_not_quiet(tmp_path: Path, cloudtrail: CloudTrail) -> None:
    deploy(tmp_path)
    cmek(tmp_path, "suspend", "acme", REASON)
    assert "the key was made then" in refused(tmp_path, "--quiet-since=2020-01-01")


def test_without_the_name_typed_twice_nothing_is_changed(tmp_path: Path, cloudtrail: CloudTrail) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    for typed in ("", "acme\n", "acme\nyes\n", "yes\nacme\n", "Acme\nacme\n"):
        printed = refused(tmp_path, typed=typed)
        assert "all indexes are deleted, and then the key" in printed
        assert "nothing was changed" in printed or "Interrupted" in printed


def test_without_an_api_key_the_indexes_are_said_not_to_be_known_and_asked(
    tmp_path: Path, cloudtrail: CloudTrail, pinecone: Pinecone, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    monkeypatch.delenv("PINECONE_API_KEY")
    pinecone.requests.clear()
    printed = retire(tmp_path)
    assert "? 1. Indexes of the project: not known" in printed
    refused(tmp_path, typed="no\n")
    retire(tmp_path, SCHEDULE, typed=TYPED)
    assert state() == "PendingDeletion"
    assert pinecone.requests == []


def test_indexes_that_cannot_be_listed_are_never_none(
    tmp_path: Path, cloudtrail: CloudTrail, pinecone: Pinecone
) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    for failure in (401, 403, 429, 500, "drop before"):
        pinecone.failures["GET /indexes"] = [failure] * 4
        assert "could not list the indexes" in refused(tmp_path)


def test_a_wrong_api_key_is_said_without_the_key(
    tmp_path: Path, cloudtrail: CloudTrail, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    monkeypatch.setenv("PINECONE_API_KEY", "pcsk_of_another")
    printed = refused(tmp_path)
    assert "check PINECONE_API_KEY" in printed
    assert "pcsk_of_another" not in printed


def order_by_hand() -> None:
    boto3.client("kms").schedule_key_deletion(KeyId=key_id(), PendingWindowInDays=7)


def test_a_deletion_ordered_too_early_is_an_alarm(tmp_path: Path, cloudtrail: CloudTrail, pinecone: Pinecone) -> None:
    deploy(tmp_path)
    order_by_hand()
    pinecone.indexes = ["in-use"]
    for options in ((), (SCHEDULE,)):
        printed = retire(tmp_path, *options, code=1)
        assert "there are indexes left; it was not suspended before" in printed.replace(", whose data goes with it", "")
        assert after_next(printed).startswith("step 5. Take it back NOW: cmek retire acme --cancel")


def test_an_attempt_after_the_order_is_an_alarm(tmp_path: Path, cloudtrail: CloudTrail) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    retire(tmp_path, SCHEDULE, typed=TYPED)
    cloudtrail.used(days=0, errorCode="KMSInvalidStateException")
    assert "somebody still asks for it" in retire(tmp_path, code=1)


def test_cancelled_the_key_is_enabled_and_still_suspended(tmp_path: Path, cloudtrail: CloudTrail) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    before = key_statements()
    retire(tmp_path, SCHEDULE, typed=TYPED)
    printed = retire(tmp_path, "--cancel")
    assert state() == "Enabled"
    assert key_statements() == before
    assert "Taken back" in printed
    assert "cmek resume acme" in printed
    assert "Nothing to take back" in retire(tmp_path, "--cancel")
    assert done(retire(tmp_path)) == [1, 3, 4]


def test_whatever_was_ordered_can_be_taken_back(tmp_path: Path, cloudtrail: CloudTrail, pinecone: Pinecone) -> None:
    deploy(tmp_path)
    order_by_hand()
    pinecone.indexes = ["in-use"]
    assert "NOT suspended" in retire(tmp_path, "--cancel")
    assert state() == "Enabled"


def test_a_key_that_somebody_disabled_is_not_enabled(tmp_path: Path, cloudtrail: CloudTrail) -> None:
    deploy(tmp_path)
    boto3.client("kms").disable_key(KeyId=key_id())
    assert "for another reason" in retire(tmp_path, "--cancel", code=1)
    assert state() == "Disabled"


def run(folder: Path, cancels: bool) -> str:
    options = ("--cancel",) if cancels else (SCHEDULE,)
    return retire(folder, *options, typed="" if cancels else TYPED)


@pytest.mark.parametrize("cancels", [False, True], ids=["schedule", "cancel"])
def test_killed_anywhere_and_run_again_it_comes_to_the_same_end(
    tmp_path: Path, cloudtrail: CloudTrail, monkeypatch: pytest.MonkeyPatch, cancels: bool
) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    wanted = "Enabled" if cancels else "PendingDeletion"

    def trace(kill_after: int) -> int:
        count = 0
        call = BaseClient._make_api_call

        def step(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
            nonlocal count
            # Killed after a call that reads, all is as before: one of these is enough.
            count += not (count and operation.startswith(("Describe", "Get", "List", "Lookup")))
            found = call(client, operation, parameters)
            if count == kill_after:
                raise Killed
            return found

        with monkeypatch.context() as patched:
            patched.setattr(BaseClient, "_make_api_call", step)
            try:
                run(tmp_path, cancels)
            except Killed:
                assert kill_after
        return count

    def begin() -> None:
        if state() == "PendingDeletion":
            boto3.client("kms").cancel_key_deletion(KeyId=key_id())
            boto3.client("kms").enable_key(KeyId=key_id())
        if cancels:
            order_by_hand()

    begin()
    steps = trace(0)
    assert steps == (3 if cancels else 2)
    assert state() == wanted
    for kill_after in range(1, steps + 1):
        begin()
        trace(kill_after)
        run(tmp_path, cancels)
        assert state() == wanted


@pytest.mark.parametrize(("cancels", "code"), [(False, "ThrottlingException"), (True, "no network")])
def test_any_call_that_fails_ends_in_a_clear_message_and_run_again_it_is_done(
    tmp_path: Path, cloudtrail: CloudTrail, monkeypatch: pytest.MonkeyPatch, cancels: bool, code: str
) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    if cancels:
        order_by_hand()
    operations = ["GetCallerIdentity", "DescribeKey"]
    operations += ["CancelKeyDeletion", "EnableKey"] if cancels else ["ScheduleKeyDeletion"]
    operations += [] if cancels else ["GetKeyPolicy", "LookupEvents", "GetRole", "GetKeyLastUsage"]
    for operation in operations:

        def fail(called: str, parameters: Any, operation: str = operation) -> Any:
            if called != operation:
                return NotImplemented
            if code == "no network":
                raise EndpointConnectionError(endpoint_url="https://kms")
            return refusing(operation, code=code)(called, parameters)

        options = ("--cancel",) if cancels else (SCHEDULE,)
        with monkeypatch.context() as patched:
            answer(patched, fail)
            said = retire(tmp_path, *options, typed=TYPED, code=1)
        assert code in said or "Could not connect" in said
        assert "--profile" in said or "--quiet-since" in said
    run(tmp_path, cancels)
    assert state() == ("Enabled" if cancels else "PendingDeletion")


def test_an_answer_that_was_lost_is_no_failure(
    tmp_path: Path, cloudtrail: CloudTrail, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    kms = boto3.client("kms")
    call = BaseClient._make_api_call

    def reply(operation: str, parameters: dict[str, Any]) -> Any:
        if operation == "ScheduleKeyDeletion":
            call(kms, operation, parameters)
            raise ClientError({"Error": {"Code": "KMSInvalidStateException"}}, operation)
        return NotImplemented

    answer(monkeypatch, reply)
    assert "Done: the deletion" in retire(tmp_path, SCHEDULE, typed=TYPED)


def test_a_key_that_is_gone_is_the_end_and_says_what_is_left(
    tmp_path: Path, cloudtrail: CloudTrail, pinecone: Pinecone, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    answer(monkeypatch, refusing("DescribeKey", "GetKeyPolicy", code="NotFoundException"))
    printed = retire(tmp_path)
    assert done(printed) == [1, 3, 4, 5]
    assert "The key is gone. What is left" in printed
    assert "cmek unlock acme" in printed
    assert "it is deleted, for good" in retire(tmp_path, "--cancel", code=1)
    pinecone.indexes = ["in-use"]
    assert "IT IS DELETED, but there are indexes left" in retire(tmp_path, code=1)


def test_a_stack_that_is_gone_is_not_deployed_to_be_destroyed(
    tmp_path: Path, cloudtrail: CloudTrail, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    lock_what_is_deployed(tmp_path)
    answer(
        monkeypatch,
        lambda operation, parameters: (
            cloudtrail.reply(operation, parameters)
            if operation in ("LookupEvents", "GetKeyLastUsage")
            else without_stack()(operation, parameters)
        ),
    )
    answer(monkeypatch, refusing("DescribeKey", "GetKeyPolicy", code="NotFoundException"))
    printed = retire(tmp_path)
    assert "The key is gone. What is left" in printed
    assert "cdk deploy" not in printed


def test_a_key_that_is_not_the_locked_one_is_refused(tmp_path: Path, cloudtrail: CloudTrail) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    lock_what_is_deployed(tmp_path)
    file = tmp_path / "cmek.lock"
    file.write_text(file.read_text().replace(key_id(), KEY_ARN.rpartition("/")[2]))
    assert "which Pinecone stores" in refused(tmp_path)


@pytest.mark.parametrize(
    ("own", "said"),
    [(VENDOR, "a vendor's stack has no key"), ({**OWN, "key": KEY_ARN}, "given by ARN")],
    ids=["vendor", "imported key"],
)
def test_a_key_that_was_not_made_here_is_refused(tmp_path: Path, own: dict[str, Any], said: str) -> None:
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": own}))
    for options in ((), (SCHEDULE,)):
        assert said in retire(tmp_path, *options, code=1)


def test_wrong_usage_and_wrong_names(tmp_path: Path, cloudtrail: CloudTrail) -> None:
    deploy(tmp_path)
    for options in (
        ("--cancel", SCHEDULE),
        ("--days=0",),
        ("--quiet-since=soon",),
        ("--quiet-since=2999-01-01",),
    ):
        retire(tmp_path, *options, code=2)
    assert "got 'nobody'" in cmek(tmp_path, "retire", "nobody", code=1).stderr


def test_another_account_is_refused(tmp_path: Path, cloudtrail: CloudTrail) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    file = tmp_path / "cmek.yaml"
    file.write_text(file.read_text().replace(ACCOUNT, OTHER))
    assert f"your credentials are of account {ACCOUNT}" in refused(tmp_path)


def test_without_credentials_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "cmek.yaml").write_text(text_of({"acme": OWN}))
    for options in ((), (SCHEDULE,), ("--cancel",)):
        assert "credentials" in retire(tmp_path, *options, code=1)


def test_the_role_name_in_the_last_words_is_the_deployed_one(tmp_path: Path, cloudtrail: CloudTrail) -> None:
    suspended(tmp_path, cloudtrail, days=30)
    assert f"--role-name {role_name()}" in retire(tmp_path, SCHEDULE, typed=TYPED)
