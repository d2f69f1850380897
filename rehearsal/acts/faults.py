"""Whatever can be broken by hand in a deployed stack: the doctor says what, and whom it hurts.

Pinecone tries each time whether it is out, as the doctor says, or not.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, NamedTuple, TypeAlias

from rehearsal.accounts import ANYBODY, PINECONE, STRANGER, WITH_ID
from rehearsal.acts.life import HEALTHY, cmek, doctor
from rehearsal.aws import ALLOWED, answer, root
from rehearsal.guide import Document
from rehearsal.world import PLAINTEXT, World

_TRUST, _KEY = "trust-policy", "key-policy"
_OUT, _IN = " pinecone-locked-out", " somebody-let-in"


class _Hands:
    """Of the account's root, whom the emulator refuses nothing: what there is, and is changed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.iam, self.kms = (
            world.aws.client(service, root(WITH_ID.account), WITH_ID.region) for service in ("iam", "kms")
        )
        self.role_arn, key, self.alias = world.first[WITH_ID]
        self.role, self.key = {"RoleName": self.role_arn.rpartition("/")[2]}, {"KeyId": key}
        self.policies: dict[str, Document] = {
            name: json.loads(cmek(world, "doctor", WITH_ID.name, "--show", name).stdout) for name in (_TRUST, _KEY)
        }

    def put(self, name: str, policy: Document) -> None:
        """Write one of the two policies."""
        text = json.dumps(policy)
        if name == _TRUST:
            self.iam.update_assume_role_policy(**self.role, PolicyDocument=text)
        else:
            self.kms.put_key_policy(**self.key, Policy=text)


_Fault: TypeAlias = Callable[[_Hands], AbstractContextManager[None]]
"""It lasts as long as the block."""


def _written(name: str, change: Callable[[list[Document]], object]) -> _Fault:
    """One of the two policies with a change; put back as the doctor shows it."""

    @contextmanager
    def fault(hands: _Hands) -> Iterator[None]:
        policy = copy.deepcopy(hands.policies[name])
        change(policy["Statement"])
        hands.put(name, policy)
        yield
        hands.put(name, hands.policies[name])

    return fault


def _condition(**more: Document) -> _Fault:
    return _written(_TRUST, lambda s: s[0]["Condition"].update(more))


def _principal(statements: list[Document]) -> None:
    names = json.dumps(statements[0]["Principal"])
    statements[0]["Principal"] = json.loads(names.replace(PINECONE, STRANGER))


def _added(name: str, like: int, **others: object) -> _Fault:
    return _written(name, lambda s: s.append({**s[like], "Sid": "X", **others}))


def _narrowed(**others: object) -> _Fault:
    """The role's use of the key, with something else in its statement."""
    return _written(_KEY, lambda s: s[1].update(others))


def _own_policy(effect: str, action: str) -> _Fault:
    @contextmanager
    def fault(hands: _Hands) -> Iterator[None]:
        name = {**hands.role, "PolicyName": "by-hand"}
        hands.iam.put_role_policy(**name, PolicyDocument=_policy(effect, action))
        yield
        hands.iam.delete_role_policy(**name)

    return fault


def _policy(effect: str, action: str) -> str:
    statement = {"Effect": effect, "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@contextmanager
def _boundary(hands: _Hands) -> Iterator[None]:
    text = _policy("Allow", "s3:*")
    made = hands.iam.create_policy(PolicyName="bounding", PolicyDocument=text)["Policy"]["Arn"]
    hands.iam.put_role_permissions_boundary(**hands.role, PermissionsBoundary=made)
    yield
    hands.iam.delete_role_permissions_boundary(**hands.role)


@contextmanager
def _long_sessions(hands: _Hands) -> Iterator[None]:
    hands.iam.update_role(**hands.role, MaxSessionDuration=43_200)
    yield
    hands.iam.update_role(**hands.role, MaxSessionDuration=3_600)


@contextmanager
def _role_deleted(hands: _Hands) -> Iterator[None]:
    gone = hands.iam.get_role(**hands.role)["Role"]["RoleId"]
    hands.iam.delete_role(**hands.role)
    # AWS does this by itself; the emulator leaves the ARN in the policy.
    text = json.dumps(hands.policies[_KEY]).replace(hands.role_arn, gone)
    hands.put(_KEY, json.loads(text))
    yield
    trust = json.dumps(hands.policies[_TRUST])
    hands.iam.create_role(**hands.role, AssumeRolePolicyDocument=trust)


@contextmanager
def _role_made_again(hands: _Hands) -> Iterator[None]:
    yield  # By the one before.
    cmek(hands.world, "suspend", WITH_ID.name, "--reason", "role made again")
    ended = cmek(hands.world, "resume", WITH_ID.name)
    hands.world.ends("   `cmek suspend`, `cmek resume`", ended)


@contextmanager
def _grant(hands: _Hands) -> Iterator[None]:
    made = hands.kms.create_grant(**hands.key, GranteePrincipal=ANYBODY, Operations=["Decrypt"])
    yield
    hands.kms.revoke_grant(**hands.key, GrantId=made["GrantId"])


@contextmanager
def _disabled(hands: _Hands) -> Iterator[None]:
    hands.kms.disable_key(**hands.key)
    yield
    hands.kms.enable_key(**hands.key)


@contextmanager
def _deletion_ordered(hands: _Hands) -> Iterator[None]:
    hands.kms.schedule_key_deletion(**hands.key, PendingWindowInDays=7)
    yield
    hands.kms.cancel_key_deletion(**hands.key)
    hands.kms.enable_key(**hands.key)


@contextmanager
def _no_rotation(hands: _Hands) -> Iterator[None]:
    hands.kms.disable_key_rotation(**hands.key)
    yield
    hands.kms.enable_key_rotation(**hands.key, RotationPeriodInDays=365)


@contextmanager
def _alias_moved(hands: _Hands) -> Iterator[None]:
    another = hands.kms.create_key()["KeyMetadata"]["KeyId"]
    hands.kms.update_alias(AliasName=hands.alias, TargetKeyId=another)
    yield
    own = hands.key["KeyId"].rpartition("/")[2]
    hands.kms.update_alias(AliasName=hands.alias, TargetKeyId=own)
    hands.kms.schedule_key_deletion(KeyId=another, PendingWindowInDays=7)


class _Row(NamedTuple):
    """A fault, and what the doctor names then, each with its effect."""

    words: str
    fault: _Fault
    found: str
    code: int = 1
    """With which the doctor ends."""


_EVERYBODY: Final = {"Effect": "Deny", "Principal": {"AWS": "*"}}
_ROOT: Final = {"AWS": f"arn:aws:iam::{STRANGER}:root"}
_BY_SERVICE: Final = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
_BOTH: Final = f"{_TRUST}{_OUT}, {_TRUST}{_IN}"
_NO_ROOT: Final = "key, key-policy, suspended"
"""The doctor is let in by the account's IAM, as the owner is: now neither can look."""

_ROWS: Final = [
    _Row("a region less", _written(_TRUST, lambda s: s[0]["Principal"]["AWS"].pop(0)), _TRUST + _OUT),
    _Row("with MFA", _condition(Bool={"aws:MultiFactorAuthPresent": "true"}), _TRUST + _OUT),
    _Row("from an address", _condition(IpAddress={"aws:SourceIp": "192.0.2.0/24"}), _TRUST + _OUT),
    _Row("everybody denied", _added(_TRUST, 0, **_EVERYBODY, Condition={}), _TRUST + _OUT),
    _Row("another account number", _written(_TRUST, _principal), _BOTH),
    _Row("another external ID", _condition(StringEquals={"sts:ExternalId": "another"}), _BOTH),
    _Row("no external ID", _written(_TRUST, lambda s: s[0].pop("Condition")), _TRUST + _IN),
    _Row("a principal more comes in", _added(_TRUST, 0, Principal=_ROOT), _TRUST + _IN),
    _Row("decryption alone", _narrowed(Action="kms:Decrypt"), _KEY + _OUT),
    _Row("through a service alone", _narrowed(Condition=_BY_SERVICE), _KEY + _OUT),
    _Row("decryption denied", _added(_KEY, 1, **_EVERYBODY, Action="kms:Decrypt"), _KEY + _OUT),
    _Row("a principal more uses the key", _added(_KEY, 1, Principal=_ROOT), _KEY + _IN),
    _Row("all of KMS for the role", _narrowed(Action="kms:*"), _KEY + _IN),
    _Row("without the account's root", _written(_KEY, lambda s: s.pop(0)), _NO_ROOT, code=3),
    _Row("denied by the role itself", _own_policy("Deny", "kms:Decrypt"), f"permissions{_OUT}"),
    _Row("a permission more", _own_policy("Allow", "s3:*"), f"permissions{_IN}"),
    _Row("a boundary without KMS", _boundary, f"boundary{_OUT}"),
    _Row("sessions of 12 hours", _long_sessions, f"session{_IN}"),
    _Row("the role deleted", _role_deleted, f"role{_OUT}"),
    _Row("the role made again under its old name", _role_made_again, f"same-role{_OUT}"),
    _Row("a grant to a stranger", _grant, f"grants{_IN}"),
    _Row("the key disabled", _disabled, f"enabled{_OUT}"),
    _Row("the key's deletion ordered", _deletion_ordered, "deletion key-ends"),
    _Row("no rotation", _no_rotation, "rotation"),
    _Row("the alias moved to another key", _alias_moved, "alias"),
]


def play(world: World) -> None:
    """Break one thing after another, and mend it."""
    world.report.heading("The doctor names each fault by its own finding, and by no other")
    hands = _Hands(world)
    for words, fault, found, code in _ROWS:
        with fault(hands):
            doctor(world, words, f"exit code {code}, {found} wrong")
            out = _OUT in found or "key-ends" in found
            world.report.row("   Pinecone is", "out" if out else "in", _pinecone(world))
    doctor(world, "all mended", HEALTHY)
    world.compare_with_first(WITH_ID)


def _pinecone(world: World) -> str:
    """Whether Pinecone comes in, encrypts and decrypts."""

    def use() -> None:
        kms: Any = world.aws.client("kms", world.pinecone(WITH_ID), WITH_ID.region)
        key = {"KeyId": world.first[WITH_ID].key_arn}
        kms.encrypt(**key, Plaintext=PLAINTEXT)
        kms.decrypt(**key, CiphertextBlob=world.ciphertexts[WITH_ID])

    return "in" if answer(use) == ALLOWED else "out"
