"""In which direction a changed policy goes: who is locked out, who is let in, or nobody.

Each change is made by hand to the policies of the file, and judged by what the doctor asks of them.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from cmek_construct.aws.objects import Control, Grant, Key, PermissionsPolicy, Role, Stack, Unread
from cmek_construct.deployment.reading import parse_entries
from cmek_construct.guide import assume_role_denial, key_denial
from cmek_construct.health.comparing import Where
from cmek_construct.health.deployed import Deployed, LockedIdentity, about_stack
from cmek_construct.health.doctor import (
    about_brake,
    about_controls,
    about_grants,
    about_key,
    about_role,
)
from cmek_construct.health.findings import Effect, Finding, Rows, Verdict
from cmek_construct.health.policies import about_policy
from cmek_construct.policy import Request
from cmek_construct.policy import Verdict as Answer
from cmek_construct.policy.statements import Kind, as_of_2012
from tests.building import EXTERNAL_ID, PINECONE
from tests.policies import allows
from tests.runnable import check
from tests.test_doctor import ACCOUNT, GONE, KEY_ARN, OTHER, OWN, ROLE_ARN, VENDOR, template, text_of

Given = dict[str, Any]
Change = Callable[[list[Given]], object]
OUT, IN, OWNER = (Effect.PINECONE_LOCKED_OUT, Effect.SOMEBODY_LET_IN, Effect.OWNER_LOCKED_OUT)
NOW, CACHED, NO_HURRY = (
    Rows("findings.ini").text(row, "time") for row in ("somebody-let-in", "pinecone-locked-out", "no-effect")
)
NO, CANNOT_TELL = Answer.NO, Answer.CANNOT_TELL
STRANGER = f"arn:aws:iam::{OTHER}:role/stranger"
BILLING = f"arn:aws:iam::{ACCOUNT}:role/billing"
ADMIN = f"arn:aws:iam::{ACCOUNT}:role/security"
NO_ID: Given = {"account": ACCOUNT}
ADMINS: Given = {**OWN, "key_admins": [ADMIN]}
ALL: Given = {**OWN, "regions": "ALL_REGIONS"}


def case_of(own: Given) -> Deployed:
    (entry,) = parse_entries(text_of({"acme": own}), "cmek.yaml")
    key_arn = None if "customer_account_ids" in own else KEY_ARN
    return Deployed(entry, ROLE_ARN, key_arn, LockedIdentity(), datetime.now(timezone.utc))


UNREAD = Unread("not looked at")


def there(
    own: Given,
    *,
    trust: list[Given] | Unread = UNREAD,
    permissions: list[PermissionsPolicy] | Unread = UNREAD,
    key: list[Given] | Unread = UNREAD,
) -> Deployed:
    """The stack, with these policies of its role and its key."""
    return replace(
        case_of(own),
        role=Role(ROLE_ARN, "AROAEXAMPLE0000000001", trust, permissions),
        key=Key(KEY_ARN, "Enabled", key, 365, UNREAD, UNREAD, None),
    )


def changed(own: Given, name: str, change: Change) -> list[Given]:
    """The statements that the file says, with a change."""
    kind: Kind = "key" if name == "key-policy" else "trust"
    found = copy.deepcopy(case_of(own).wanted(kind, suspended=bool(own.get("suspended"))))
    change(found)
    return found


def trust(change: Change, own: Given = OWN) -> list[Finding]:
    case = there(own, trust=changed(own, "trust-policy", change))
    found = list(about_policy(replace(case, stack=deployed(own)), "trust"))
    return [one for one in found if one.about == "trust-policy"]


def deployed(own: Given) -> Stack:
    """The stack, of which the outputs say what its external ID is."""
    outputs = {"RoleArn": ROLE_ARN, "ExternalId": own.get("external_id")}
    return Stack("CREATE_COMPLETE", {name: one for name, one in outputs.items() if one})


def key(change: Change, own: Given = ADMINS) -> list[Finding]:
    found = list(about_policy(there(own, key=changed(own, "key-policy", change)), "key"))
    return [one for one in found if one.about == "key-policy"]


def has(found: list[Finding], effects: Iterable[Effect]) -> None:
    """A finding for each of these, with a meaning and a time of its own; or one without."""
    wanted: list[Effect | None] = [*effects] or [None]
    assert sorted(map(str, (one.effect for one in found))) == sorted(map(str, wanted)), found
    for one in found:
        assert one.verdict is Verdict.WRONG, one.words
        assert check(one.cure), one.cure
        assert ("somebody is let in" in one.means) is (one.effect is IN)
        assert ("Pinecone is locked out" in one.means) is (one.effect is OUT)
        assert ("the owner is locked out" in one.means) is (one.effect is OWNER)
        assert (NOW in one.time) is (one.effect is IN)
        assert (CACHED in one.time) is (one.effect is OUT)


def only(found: list[Finding]) -> Finding:
    (one,) = found
    return one


def where(**condition: Given) -> Change:
    """A condition more."""
    return lambda s: s[0]["Condition"].update(condition)


def member(index: int, **more: Any) -> Change:
    return lambda s: s[index].update(more)


def more(effect: str, who: Any, action: Any, **others: Any) -> Change:
    """A statement more."""
    statement = {"Sid": "X", "Effect": effect, "Principal": who, "Action": action, **others}
    return lambda s: s.append(statement)


def on_key(effect: str, who: Any, action: Any, **others: Any) -> Change:
    return more(effect, who, action, Resource="*", **others)


def pinecone(region: str, account: str = PINECONE) -> str:
    return f"arn:aws:iam::{account}:role/pinecone_cmek_access_{region}"


ROLES = [pinecone("us-east-1"), pinecone("eu-west-1")]


@pytest.mark.parametrize(
    ("change", "effects"),
    [
        (member(0, Principal={"AWS": ROLES[0]}), {OUT}),
        (where(Bool={"aws:MultiFactorAuthPresent": "true"}), {OUT}),
        (where(IpAddress={"aws:SourceIp": "192.0.2.0/24"}), {OUT}),
        (where(DateLessThan={"aws:CurrentTime": "2027-01-01T00:00:00Z"}), {OUT}),
        (more("Deny", "*", "sts:*"), {OUT}),
        (more("Deny", {"AWS": PINECONE}, "sts:AssumeRole"), {OUT}),
        (member(0, Principal={"AWS": [pinecone("us-east-1", OTHER)]}), {OUT, IN}),
        (member(0, Condition={"StringEquals": {"sts:ExternalId": "another"}}), {OUT, IN}),
        (member(0, Principal={"AWS": [*ROLES, STRANGER]}), {IN}),
        (member(0, Principal={"AWS": [*ROLES, OTHER]}), {IN}),
        (member(0, Principal={"AWS": [*ROLES, "*"]}), {IN}),
        (member(0, Principal={"AWS": [*ROLES, pinecone("us-west-2")]}), {IN}),
        (lambda s: s[0].pop("Condition"), {IN}),
        (where(StringEquals={"sts:ExternalId": [EXTERNAL_ID, "another"]}), {IN}),
        (member(0, Condition={"StringLike": {"sts:ExternalId": "*"}}), {IN}),
        (more("Allow", {"AWS": ROLES}, "sts:TagSession"), {IN}),
        pytest.param(member(0, Action=["sts:AssumeRole", "sts:TagSession"]), {IN}),
        (more("Allow", {"Service": "ec2.amazonaws.com"}, "sts:AssumeRole"), {IN}),
        (lambda s: s.clear(), {OUT}),
    ],
)
def test_a_changed_trust_policy_goes_in_its_direction(change: Change, effects: set[Effect]) -> None:
    has(trust(change), effects)


@pytest.mark.parametrize(
    ("own", "change", "effects"),
    [
        (NO_ID, member(0, Condition={"StringEquals": {"sts:ExternalId": "x"}}), {OUT}),
        (ALL, where(StringLike={"aws:PrincipalArn": pinecone("us-*")}), {OUT}),
        (ALL, where(StringLike={"aws:PrincipalArn": pinecone("*", OTHER)}), {OUT, IN}),
        (ALL, where(StringLike={"aws:PrincipalArn": f"arn:aws:iam::{PINECONE}:role/*"}), {IN}),
        (ALL, member(0, Principal={"AWS": OTHER}), {OUT}),
        (VENDOR, member(0, Principal={"AWS": ROLES[0]}), {OUT}),
    ],
)
def test_so_does_one_of_another_form(own: Given, change: Change, effects: set[Effect]) -> None:
    has(trust(change, own), effects)


@pytest.mark.parametrize(
    ("change", "effects"),
    [
        (member(2, Action="kms:Decrypt"), {OUT}),
        (member(2, Condition={"StringEquals": {"kms:ViaService": "s3.amazonaws.com"}}), {OUT}),
        (on_key("Deny", "*", "kms:Decrypt"), {OUT}),
        (on_key("Deny", {"AWS": ROLE_ARN}, "kms:Encrypt"), {OUT}),
        (lambda s: s.__delitem__(slice(2, 4)), {OUT}),
        (on_key("Deny", "*", "kms:*"), {OUT, OWNER}),
        (on_key("Allow", {"AWS": STRANGER}, "kms:Decrypt"), {IN}),
        (on_key("Allow", {"AWS": BILLING}, "kms:DescribeKey"), {IN}),
        (on_key("Allow", "*", "kms:Decrypt"), {IN}),
        (
            on_key(
                "Allow", "*", "kms:Decrypt", Condition={"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}}
            ),
            {IN},
        ),
        (member(2, Principal={"AWS": [ROLE_ARN, BILLING]}), {IN}),
        (member(2, Action="kms:*"), {IN}),
        (lambda s: s[3].pop("Condition"), {IN}),
        (member(2, Principal={"AWS": STRANGER}), {OUT, IN}),
        (lambda s: s.pop(0), {OWNER}),
        (member(0, Action="kms:Decrypt"), {OWNER}),
        (member(0, Principal={"AWS": OTHER}), {OWNER, IN}),
    ],
)
def test_a_changed_key_policy_goes_in_its_direction(change: Change, effects: set[Effect]) -> None:
    has(key(change), effects)


def test_of_two_who_are_locked_out_each_is_told_what_it_lost() -> None:
    found = key(lambda s: (s[2].update(Action="kms:Decrypt"), s.pop(0)))
    has(found, {OUT, OWNER})
    pinecone, owner = sorted(found, key=lambda one: one.effect is OWNER)
    assert "Allow use of the key" in pinecone.words
    assert "Enable IAM User Permissions" not in pinecone.words
    assert "Enable IAM User Permissions" in owner.words
    assert "Allow use of the key" not in owner.words
    assert "a key administrator" in owner.cure


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.pop(1),
        lambda s: s[1]["Action"].remove("kms:ScheduleKeyDeletion"),
        on_key("Deny", "*", "kms:*", Condition={"Bool": {"aws:SecureTransport": "false"}}),
    ],
    ids=["administrators", "one action of theirs", "calls without TLS"],
)
def test_what_neither_pinecone_nor_the_owner_needs_locks_neither_out(change: Change) -> None:
    found = key(change)
    has(found, ())
    assert only(found).time == NO_HURRY
    assert "it lacks statement" in only(found).words


def rewritten(statements: list[Given]) -> None:
    """The same in other words."""
    statements.reverse()
    for one in statements:
        one["Sid"] = f"other{len(json.dumps(one))}"
        for name in ("Action", "Principal", "Resource", "Condition"):
            value = one.get(name)
            if isinstance(value, list):
                one[name] = [*reversed(value), value[0].upper().replace("KMS:", "kms:", 1)]
            elif isinstance(value, str):
                one[name] = [value.replace("kms:*", "KMS:*").replace("sts:", "STS:")]
        if "AWS" in one["Principal"]:
            names = one["Principal"]["AWS"]
            listed = names if isinstance(names, list) else [names]
            one["Principal"]["AWS"] = [name.split(":")[4] if name.endswith(":root") else name for name in listed]


SAME_TRUST: list[tuple[Given, Change]] = [
    (OWN, lambda s: None),
    (OWN, rewritten),
    (NO_ID, rewritten),
    (ALL, rewritten),
    (VENDOR, rewritten),
    (OWN, member(0, Condition={"StringLike": {"sts:externalid": [EXTERNAL_ID]}})),
    (OWN, lambda s: s.append({**s[0], "Sid": "again"})),
    (OWN, lambda s: s.insert(0, {**s[0], "Principal": {"AWS": ROLES[:1]}, "Sid": "a part"})),
    (ALL, member(0, Principal={"AWS": PINECONE})),
    (OWN, more("Deny", {"AWS": STRANGER}, "sts:AssumeRole")),
]
SAME_KEY: list[Change] = [
    lambda s: None,
    rewritten,
    member(0, Action=["kms:*", "kms:Decrypt"], Resource=[KEY_ARN]),
    member(2, Principal="*", Condition={"ArnEquals": {"aws:PrincipalArn": ROLE_ARN}}),
    on_key("Deny", {"AWS": STRANGER}, "kms:*"),
]


@pytest.mark.parametrize(("own", "change"), SAME_TRUST)
def test_a_trust_policy_in_other_words_is_no_drift(own: Given, change: Change) -> None:
    finding = only(trust(change, own))
    assert (finding.verdict, finding.effect) == (Verdict.RIGHT, None), finding.words


@pytest.mark.parametrize("change", SAME_KEY)
def test_a_key_policy_in_other_words_is_no_drift(change: Change) -> None:
    finding = only(key(change))
    assert (finding.verdict, finding.effect) == (Verdict.RIGHT, None), finding.words


def permissions(own: Given, *statements: Given) -> list[Finding]:
    policies = [PermissionsPolicy("more", statements)]
    return list(about_policy(there(own, permissions=policies), "permissions"))


OF_VENDOR = [
    {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:Encrypt"], "Resource": resource}
    for resource in (f"arn:aws:kms:*:{OTHER}:key/*", "arn:aws:kms:*:444455556666:key/*")
]


@pytest.mark.parametrize(
    ("own", "statements", "effects"),
    [
        (OWN, [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}], {IN}),
        (OWN, [{"Effect": "Allow", "Action": "kms:PutKeyPolicy", "Resource": "*"}], {IN}),
        (OWN, [{"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "*"}], {OUT}),
        (OWN, [{"Effect": "Deny", "NotAction": "s3:*", "Resource": KEY_ARN}], {OUT}),
        (VENDOR, OF_VENDOR[:1], {OUT}),
        (VENDOR, [*OF_VENDOR, {**OF_VENDOR[0], "Action": "kms:ReEncrypt*"}], {IN}),
        (VENDOR, [*OF_VENDOR, {**OF_VENDOR[0], "Effect": "Deny"}], {OUT}),
    ],
)
def test_changed_permissions_go_in_their_direction(own: Given, statements: list[Given], effects: set[Effect]) -> None:
    has(permissions(own, *statements), effects)


@pytest.mark.parametrize(
    ("own", "statements"),
    [
        (OWN, []),
        (OWN, [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY_ARN}]),
        (OWN, [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]),
        (VENDOR, OF_VENDOR),
        (VENDOR, [{**OF_VENDOR[0], "Resource": [one["Resource"] for one in OF_VENDOR]}]),
    ],
)
def test_permissions_in_other_words_are_no_drift(own: Given, statements: list[Given]) -> None:
    assert only(permissions(own, *statements)).verdict is Verdict.RIGHT


def test_what_cannot_be_told_is_said_with_what_it_hangs_on_and_never_right() -> None:
    odd = {"BinaryEquals": {"aws:PrincipalTag/a": "QUJD"}}
    finding = only(key(on_key("Allow", {"AWS": STRANGER}, "kms:Decrypt", Condition=odd)))
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.effect is IN
    assert "That hangs on" in finding.words
    many = [{"Effect": "Allow", "Principal": "*", "Action": "kms:a", "Resource": "*"}] * 2_001
    finding = only(key(lambda s: s.extend(many)))
    assert (finding.verdict, finding.effect) == (Verdict.UNKNOWN, None)
    assert "2,000 statements" in finding.words


@pytest.mark.parametrize(("version", "answer"), [("2008-10-17", NO), ("2012-10-17", CANNOT_TELL)])
def test_only_the_newer_version_of_a_policy_has_variables(version: str, answer: Answer) -> None:
    own_tag = {"StringEquals": {"aws:PrincipalTag/a": "${aws:PrincipalTag/b}"}}
    allow = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": own_tag}
    found = Where("permissions").read(as_of_2012({"Version": version, "Statement": allow}))
    tagged = {"aws:PrincipalTag/a": "x"}
    assert allows(found, Request(ROLE_ARN, "kms:Decrypt", KEY_ARN, tagged)).verdict is answer


@pytest.mark.parametrize("version", ["2008-10-17", "2012-10-17"])
def test_what_the_last_deploy_wrote_is_no_drift_with_variables_or_without(version: str) -> None:
    tagged = {"StringEquals": {"aws:PrincipalTag/a": "${aws:username}"}}
    more = on_key("Deny", {"AWS": "*"}, "kms:Tag*", Condition=tagged)
    case = there(OWN, key=as_of_2012({"Version": version, "Statement": changed(OWN, "key-policy", more)}))
    written = copy.deepcopy(template(case.entry))
    (policy,) = (
        one["Properties"]["KeyPolicy"] for one in written["Resources"].values() if "KeyPolicy" in one["Properties"]
    )
    policy["Version"] = version
    more(policy["Statement"])
    case = replace(case, template=json.dumps(written))
    ahead = only([*about_policy(case, "key")])
    assert ahead.about == "file-ahead"
    assert ahead.means.startswith("none by itself: the file is ahead of the deploy")


def brake(own: Given, change: Change) -> Finding:
    kind = "trust" if "customer_account_ids" in own else "key"
    statements = changed(own, f"{kind}-policy", change)
    case = there(own, trust=statements) if kind == "trust" else there(own, key=statements)
    return about_brake(case)


SUSPENDED: Given = {**ADMINS, "suspended": True}
OTHER_WORDS = on_key("Deny", "*", ["kms:*", "kms:Decrypt"], Condition={"ArnEquals": {"aws:PrincipalArn": ROLE_ARN}})


@pytest.mark.parametrize(
    ("own", "change", "verdict"),
    [
        (ADMINS, lambda s: s.append(key_denial(ROLE_ARN)), Verdict.WRONG),
        (ADMINS, OTHER_WORDS, Verdict.WRONG),
        (ADMINS, on_key("Deny", "*", "kms:Decrypt"), Verdict.RIGHT),
        (ADMINS, on_key("Deny", {"AWS": STRANGER}, "kms:*"), Verdict.RIGHT),
        (SUSPENDED, lambda s: None, Verdict.SAID),
        (SUSPENDED, lambda s: (s.pop(), OTHER_WORDS(s)), Verdict.SAID),
        (SUSPENDED, lambda s: (s.pop(), on_key("Deny", "*", "kms:*")(s)), Verdict.SAID),
        (SUSPENDED, lambda s: s.pop(), Verdict.WRONG),
        (SUSPENDED, member(-1, Action="kms:Decrypt"), Verdict.WRONG),
        (VENDOR, lambda s: s.append(assume_role_denial()), Verdict.WRONG),
        ({**VENDOR, "suspended": True}, rewritten, Verdict.SAID),
        ({**VENDOR, "suspended": True}, lambda s: s.pop(), Verdict.WRONG),
    ],
)
def test_whether_it_is_suspended_is_seen_in_any_words(own: Given, change: Change, verdict: Verdict) -> None:
    assert brake(own, change).verdict is verdict


@pytest.mark.parametrize("own", [ADMINS, SUSPENDED])
@pytest.mark.parametrize("denial", [lambda s: s.append(key_denial(ROLE_ARN)), OTHER_WORDS])
def test_a_suspension_is_no_drift_and_hides_none(own: Given, denial: Change) -> None:
    assert only(key(denial, own)).verdict is Verdict.RIGHT
    has(key(lambda s: (denial(s), s[2].update(Action="kms:*")), own), {IN})


def test_a_suspension_in_other_words_is_the_files_policy_or_what_it_does_besides() -> None:
    assert only(key(lambda s: s.pop(), SUSPENDED)).verdict is Verdict.RIGHT
    has(key(lambda s: (s.pop(), on_key("Deny", "*", "kms:*")(s)), SUSPENDED), {OWNER})


def test_a_unique_id_is_told_and_is_a_loss_only_in_place_of_somebody() -> None:
    own = changed(OWN, "trust-policy", member(0, Principal={"AWS": [ROLES[0], GONE]}))
    gone, policy = about_policy(there(OWN, trust=own), "trust")
    assert (gone.verdict, gone.effect, policy.verdict) == (Verdict.WRONG, OUT, Verdict.RIGHT)
    assert f"in place of {ROLES[1]}: Pinecone made its role again, or somebody typed a wrong name" in gone.words
    assert gone.means == "Pinecone cannot come in from there; nothing is lost"
    assert "key_admins" not in gone.cure
    own = changed(OWN, "trust-policy", member(0, Principal={"AWS": [*ROLES, GONE]}))
    gone, policy = about_policy(there(OWN, trust=own), "trust")
    assert (gone.verdict, policy.verdict) == (Verdict.SAID, Verdict.RIGHT)
    assert GONE in gone.words


def test_a_statement_that_somebody_widened_is_not_ours_because_a_role_was_deleted() -> None:
    def widened(statements: list[Given]) -> None:
        statements[0]["Principal"] = {"AWS": [ROLES[0], GONE]}
        del statements[0]["Condition"]

    has(trust(widened), {OUT, IN})


def test_what_is_the_users_own_is_said_and_nothing_is_to_be_done_about_it() -> None:
    case = there({**OWN, "role": ROLE_ARN, "key": KEY_ARN}, permissions=[policy_of_anything()])
    assert isinstance(case.role, Role)
    assert isinstance(case.key, Key)
    arn = f"arn:aws:iam::{ACCOUNT}:policy/b"
    boundary = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    stranger = replace(case.key, grants=[Grant("g", STRANGER, ["Decrypt"])])
    case = replace(case, role=replace(case.role, session_seconds=7200, boundary_arn=arn, boundary=boundary))
    role = {one.about: one for one in about_role(case)}
    assert (role["boundary"].verdict, role["boundary"].cure) == (Verdict.RIGHT, "")
    for what, one in (
        ("role", role["session"]),
        ("role", only([*about_policy(case, "permissions")])),
        ("key", about_grants(case, stranger)),
    ):
        assert (one.verdict, one.cure) == (Verdict.SAID, "")
        assert one.words.startswith(f"the {what} is yours: ")


def policy_of_anything() -> PermissionsPolicy:
    return PermissionsPolicy("more", [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}])


def of_key(own: Given, **more: Any) -> dict[str, Finding]:
    case = there(own)
    assert isinstance(case.key, Key)
    return {one.about: one for one in about_key(replace(case, key=replace(case.key, **more)))}


def test_a_key_that_rotates_against_the_file_is_told_with_what_stops_it() -> None:
    found = of_key({**OWN, "enable_key_rotation": False}, rotation_days=90)["rotation"]
    assert found.words == "the key rotates every 90 days, but by the file it does not rotate"
    assert found.cure == f"aws kms disable-key-rotation --region us-east-1 --key-id {KEY_ARN}"
    assert found.means == "none: old data stays readable, and Pinecone notices nothing"
    assert (found.verdict, found.effect, found.time) == (Verdict.WRONG, None, NO_HURRY)
    assert found.events == ("kms:DisableKeyRotation", "kms:EnableKeyRotation")
    assert of_key({**OWN, "enable_key_rotation": False}, rotation_days=None)["rotation"].words == "it does not rotate"


def test_a_suspension_that_the_file_does_not_say_is_told_with_both_ways_out() -> None:
    found = brake(ADMINS, lambda s: s.append(key_denial(ROLE_ARN)))
    assert found.words == "Pinecone is cut off by the suspension, but the file does not say suspended: true"
    meant = "If it is meant, write `suspended: true` into cmek.yaml instead, and commit it."
    assert found.cure == f"cmek resume acme\n{meant}"
    way = "the next deploy that changes the policy lets it back in"
    assert found.means == f"nothing is lost, but Pinecone cannot use the key; {way}"
    assert (found.effect, found.time, found.events) == (OUT, CACHED, ("kms:PutKeyPolicy",))


def test_another_role_than_the_locked_one_is_told_and_neither_is_to_be_deleted() -> None:
    locked = ROLE_ARN.replace("theirs", "ours")
    case = replace(there(OWN), lock=LockedIdentity(role_arn=locked))
    (found,) = (one for one in about_role(case) if one.about == "same-role")
    assert found.words == f"the role is {ROLE_ARN}, but cmek.lock has {locked}, which Pinecone stores"
    assert found.cure == "Do not delete either. Look in git what changed the name or the path, and undo it."
    assert found.means == "nothing is lost, but Pinecone cannot use the key by a role that it does not know"
    assert (found.verdict, found.effect, found.time, found.events) == (Verdict.WRONG, OUT, CACHED, ())


def test_an_administrator_that_was_deleted_is_told_with_what_is_to_be_done() -> None:
    statements = changed(ADMINS, "key-policy", member(1, Principal={"AWS": GONE}))
    found, policy = about_policy(there(ADMINS, key=statements), "key")
    words = f"the key policy names a unique ID in place of {ADMIN}: deleted, and perhaps made again"
    assert (found.about, found.words) == ("key-gone", words)
    put, *more = found.cure.splitlines()
    assert put.startswith("aws kms put-key-policy --region us-east-1 ")
    out = "If they are not to come back, take them out of key_admins first: AWS takes no policy that names somebody"
    assert more == [f"{out} who is not there."]
    assert found.means == "they administer the key no more; Pinecone's use of it goes on"
    assert (found.verdict, found.effect, found.time) == (Verdict.WRONG, None, NO_HURRY)
    assert policy.verdict is Verdict.RIGHT


def test_an_alias_whose_key_was_not_read_is_not_said_to_be_of_another() -> None:
    case = there(OWN)
    assert isinstance(case.key, Key)
    case = replace(case, key=replace(case.key, aliases=()), alias="alias/x", alias_target=UNREAD)
    alias = only([one for one in about_key(case) if one.about == "alias"])
    assert alias.words == "alias/x does not point to it; to which it does was not read (not looked at)"
    assert alias.means.startswith("none for Pinecone, which goes by the key's ARN")


@pytest.mark.parametrize("statement", ["s3:*", 7, None])
def test_a_statement_of_an_organizations_policy_that_is_no_object_is_shown_as_it_is(statement: object) -> None:
    found = only([*about_controls(case_of(OWN), [Control("SCP", "odd", "r-1", [statement])])])
    said = f"a statement that is no object. As text: {json.dumps(statement)}"
    assert found.words == f"look at this SCP, odd on r-1: {said}"


@pytest.mark.parametrize("elsewhere", [(), (f"{OTHER}, eu-west-1",)])
@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"])
def test_a_stack_that_came_to_nothing_is_no_failed_deploy(status: str, elsewhere: tuple[str, ...]) -> None:
    case = replace(case_of(OWN), stack=Stack(status, {}), lock=LockedIdentity(elsewhere=elsewhere))
    found = about_stack(case)
    assert found.words.startswith(f"the stack came to nothing ({status})")
    assert ("role and key are where they were" in found.means) is bool(elsewhere)
