"""Whatever can be broken by hand in a deployed stack: the doctor says what, and whom it hurts.

Pinecone tries each time whether it is out, as the doctor says, or not.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias

from rehearsal.accounts import ANYBODY, PINECONE, STRANGER, WITH_ID
from rehearsal.acts.life import HEALTHY, cmek, doctor
from rehearsal.aws import ALLOWED, answer, root
from rehearsal.guide import Document
from rehearsal.world import PLAINTEXT, World

_TRUST, _KEY = "trust-policy", "key-policy"
_OUT, _IN = "pinecone-locked-out", "somebody-let-in"
_Change: TypeAlias = Callable[[list[Document]], object]


class _Hands:
    """Of the account's root, whom the emulator refuses nothing: what there is, and is changed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.iam, self.kms = (
            world.aws.client(service, root(WITH_ID.account), WITH_ID.region)
            for service in ("iam", "kms")
        )
        self.role_arn, key, self.alias = world.first[WITH_ID]
        self.role, self.key = {"RoleName": self.role_arn.rpartition("/")[2]}, {"KeyId": key}
        self._policies = {
            name: json.loads(cmek(world, "doctor", WITH_ID.name, "--show", name).stdout)
            for name in (_TRUST, _KEY)
        }
        self.role_id = self.iam.get_role(**self.role)["Role"]["RoleId"]
        self.another_key = self.grant = ""

    def put(self, name: str, change: _Change = lambda statements: None) -> None:
        """Put a policy back as the doctor shows it, or with a change."""
        policy = copy.deepcopy(self._policies[name])
        change(policy["Statement"])
        text = json.dumps(policy)
        if name == _TRUST:
            self.iam.update_assume_role_policy(**self.role, PolicyDocument=text)
        else:
            self.kms.put_key_policy(**self.key, Policy=text)

    def allow_role(self, effect: str, action: str) -> None:
        """Give the role a policy of its own."""
        text = _policy({"Effect": effect, "Action": action, "Resource": "*"})
        self.iam.put_role_policy(**self.role, PolicyName="by-hand", PolicyDocument=text)

    def bound(self) -> None:
        """Give the role a boundary without KMS."""
        text = _policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
        made = self.iam.create_policy(PolicyName="bounding", PolicyDocument=text)["Policy"]["Arn"]
        self.iam.put_role_permissions_boundary(**self.role, PermissionsBoundary=made)

    def delete_role(self) -> None:
        """Put its unique ID into the key policy, as AWS does; the emulator leaves the ARN."""
        self.iam.delete_role(**self.role)
        policy = json.dumps(self._policies[_KEY]).replace(self.role_arn, self.role_id)
        self.kms.put_key_policy(**self.key, Policy=policy)

    def make_role_again(self) -> None:
        """Under its old name."""
        trust = json.dumps(self._policies[_TRUST])
        self.iam.create_role(**self.role, AssumeRolePolicyDocument=trust)

    def suspend_and_resume(self) -> None:
        """As the doctor advises for a role that was made again."""
        cmek(self.world, "suspend", WITH_ID.name, "--reason", "role made again")
        self.world.ends(
            "   `cmek suspend`, `cmek resume`", cmek(self.world, "resume", WITH_ID.name)
        )

    def move_alias(self) -> None:
        """To another key."""
        self.another_key = self.kms.create_key()["KeyMetadata"]["KeyId"]
        self.kms.update_alias(AliasName=self.alias, TargetKeyId=self.another_key)

    def move_alias_back(self) -> None:
        """And let the other key go."""
        key = self.key["KeyId"].rpartition("/")[2]
        self.kms.update_alias(AliasName=self.alias, TargetKeyId=key)
        self.kms.schedule_key_deletion(KeyId=self.another_key, PendingWindowInDays=7)

    def give_grant(self) -> None:
        """To a stranger."""
        made = self.kms.create_grant(**self.key, GranteePrincipal=ANYBODY, Operations=["Decrypt"])
        self.grant = made["GrantId"]

    def keep_key(self) -> None:
        """Take the order of its deletion back."""
        self.kms.cancel_key_deletion(**self.key)
        self.kms.enable_key(**self.key)


def _policy(*statements: Document) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


class _Fault(NamedTuple):
    """Something that is done by hand, and taken back."""

    words: str
    found: tuple[str, ...]
    """What the doctor names, each with its effect."""
    do: Callable[[_Hands], object]
    undo: Callable[[_Hands], object]
    code: int = 1
    """With which the doctor ends."""


def _trust(words: str, change: _Change, *effects: str) -> _Fault:
    found = tuple(f"{_TRUST} {effect}" for effect in effects)
    return _Fault(words, found, lambda h: h.put(_TRUST, change), lambda h: h.put(_TRUST))


def _key(words: str, change: _Change, *effects: str) -> _Fault:
    found = tuple(f"{_KEY} {effect}" for effect in effects)
    return _Fault(words, found, lambda h: h.put(_KEY, change), lambda h: h.put(_KEY))


def _where(**condition: Document) -> _Change:
    return lambda s: s[0]["Condition"].update(condition)


def _other_account(statements: list[Document]) -> None:
    names = json.dumps(statements[0]["Principal"])
    statements[0]["Principal"] = json.loads(names.replace(PINECONE, STRANGER))


_ROOT: Final = {"AWS": f"arn:aws:iam::{STRANGER}:root"}
_ANYBODY: Final[Document] = {"Sid": "X", "Effect": "Deny", "Principal": {"AWS": "*"}}
_FAULTS: Final = [
    _trust("a region taken out", lambda s: s[0]["Principal"]["AWS"].pop(0), _OUT),
    _trust("MFA asked for", _where(Bool={"aws:MultiFactorAuthPresent": "true"}), _OUT),
    _trust("one address alone", _where(IpAddress={"aws:SourceIp": "192.0.2.0/24"}), _OUT),
    _trust("everybody denied", lambda s: s.append({**_ANYBODY, "Action": "sts:AssumeRole"}), _OUT),
    _trust("another account number", _other_account, _OUT, _IN),
    _trust("another external ID", _where(StringEquals={"sts:ExternalId": "another"}), _OUT, _IN),
    _trust("no external ID", lambda s: s[0].pop("Condition"), _IN),
    _trust("a principal more", lambda s: s.append({**s[0], "Sid": "X", "Principal": _ROOT}), _IN),
    _key("use narrowed to decryption", lambda s: s[1].update(Action="kms:Decrypt"), _OUT),
    _key(
        "use through a service alone",
        lambda s: s[1].update(Condition={"StringEquals": {"kms:ViaService": "s3"}}),
        _OUT,
    ),
    _key(
        "decryption denied to everybody",
        lambda s: s.append({**_ANYBODY, "Action": "kms:Decrypt", "Resource": "*"}),
        _OUT,
    ),
    _key("a principal more", lambda s: s.append({**s[1], "Sid": "X", "Principal": _ROOT}), _IN),
    _key("all of KMS for the role", lambda s: s[1].update(Action="kms:*"), _IN),
    _Fault(
        # The doctor is let in by the account's IAM, as the owner is: now neither can look.
        "without the account's root",
        ("key", "key-policy", "suspended"),
        lambda h: h.put(_KEY, lambda s: s.pop(0)),
        lambda h: h.put(_KEY),
        code=3,
    ),
    _Fault(
        "a denial in a policy of the role's own",
        (f"permissions {_OUT}",),
        lambda h: h.allow_role("Deny", "kms:Decrypt"),
        lambda h: h.iam.delete_role_policy(**h.role, PolicyName="by-hand"),
    ),
    _Fault(
        "a permission more for the role",
        (f"permissions {_IN}",),
        lambda h: h.allow_role("Allow", "s3:*"),
        lambda h: h.iam.delete_role_policy(**h.role, PolicyName="by-hand"),
    ),
    _Fault(
        "a boundary without KMS",
        (f"boundary {_OUT}",),
        lambda h: h.bound(),
        lambda h: h.iam.delete_role_permissions_boundary(**h.role),
    ),
    _Fault(
        "sessions of 12 hours",
        (f"session {_IN}",),
        lambda h: h.iam.update_role(**h.role, MaxSessionDuration=43_200),
        lambda h: h.iam.update_role(**h.role, MaxSessionDuration=3_600),
    ),
    _Fault(
        "the role deleted",
        (f"role {_OUT}",),
        lambda h: h.delete_role(),
        lambda h: None,  # It is made again, and that is no cure.
    ),
    _Fault(
        "the role made again under its old name",
        (f"same-role {_OUT}",),
        lambda h: h.make_role_again(),
        lambda h: h.suspend_and_resume(),
    ),
    _Fault(
        "a grant to a stranger",
        (f"grants {_IN}",),
        lambda h: h.give_grant(),
        lambda h: h.kms.revoke_grant(**h.key, GrantId=h.grant),
    ),
    _Fault(
        "the key disabled",
        (f"enabled {_OUT}",),
        lambda h: h.kms.disable_key(**h.key),
        lambda h: h.kms.enable_key(**h.key),
    ),
    _Fault(
        "the key's deletion ordered",
        ("deletion key-ends",),
        lambda h: h.kms.schedule_key_deletion(**h.key, PendingWindowInDays=7),
        lambda h: h.keep_key(),
    ),
    _Fault(
        "no rotation",
        ("rotation",),
        lambda h: h.kms.disable_key_rotation(**h.key),
        lambda h: h.kms.enable_key_rotation(**h.key, RotationPeriodInDays=365),
    ),
    _Fault(
        "the alias moved to another key",
        ("alias",),
        lambda h: h.move_alias(),
        lambda h: h.move_alias_back(),
    ),
]


def play(world: World) -> None:
    """Break one thing after another, and mend it."""
    world.report.heading("The doctor names each fault by its own finding, and by no other")
    hands = _Hands(world)
    for fault in _FAULTS:
        fault.do(hands)
        doctor(
            world, fault.words, f"exit code {fault.code}, {', '.join(sorted(fault.found))} wrong"
        )
        out = any(one.endswith((_OUT, "key-ends")) for one in fault.found)
        world.report.row("   Pinecone is", "out" if out else "in", _pinecone(world))
        fault.undo(hands)
    doctor(world, "all mended", HEALTHY)
    world.compare_with_first(WITH_ID)


def _pinecone(world: World) -> str:
    """Whether Pinecone comes in, encrypts and decrypts."""

    def use() -> None:
        session = world.pinecone(WITH_ID)
        kms: Any = world.aws.client("kms", session, WITH_ID.region)
        key, first = world.first[WITH_ID].key_arn, world.ciphertexts[WITH_ID]
        kms.encrypt(KeyId=key, Plaintext=PLAINTEXT)
        kms.decrypt(KeyId=key, CiphertextBlob=first)

    return "in" if answer(use) == ALLOWED else "out"
