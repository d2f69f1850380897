"""What `cmek who` says of the deployed templates, beside what happens to whoever tries it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from botocore.exceptions import ClientError

from rehearsal.accounts import REVIEWED, SITES, STRANGER, Site, make_role
from rehearsal.aws import ALLOWED, REFUSED, Credentials, answer
from rehearsal.world import PLAINTEXT, World

_ASSUME: Final = "sts:AssumeRole"
_NO_SUCH_CALLS: Final = ("kms:ReEncryptFrom", "kms:ReEncryptTo")
"""The emulator does not have these."""


def play(world: World) -> None:
    """Ask for the table of each template, and try every row of it that can be tried."""
    for site in SITES:
        world.report.heading(f"{site.name}: `cmek who`, and who tries it")
        project = world.reviewed if site == REVIEWED else world.app
        template = f"cdk.out/{site.name}.template.json"
        command = ("cmek", "who", template, "--json")
        ended = world.run(project.folder, world.administrator(site), *command)
        world.ends("`cmek who` of the deployed template", ended)
        (found,) = json.loads(ended.stdout)["templates"]
        rows = [row for row in found["rows"] if _can_be_tried(row)]
        callers = _Callers(world, site, found["rows"])
        to_role = [row for row in rows if row["action"] == _ASSUME]
        to_key = [row for row in rows if row["action"] != _ASSUME]
        _compare(world, "assume the role", to_role, partial(_try_role, world, site, callers))
        _compare(world, "use the key", to_key, partial(_Key(world, site).attempt, callers))
        world.report.row("Pinecone decrypts after all that", ALLOWED, world.pinecone_reads(site))


def _can_be_tried(row: dict[str, Any]) -> bool:
    """Not by a root, whom the emulator refuses nothing, nor by or through an AWS service."""
    by_service = row["for_aws_service"] is True
    unanswered = by_service or row["action"] in _NO_SUCH_CALLS
    is_role = row["principal"].startswith("arn:") and not row["principal"].endswith(":root")
    return is_role and not unanswered


def _one_of(row: dict[str, Any]) -> str:
    """Who is asked about; of a group one role that is not left out of it."""
    arn: str = row["principal"]
    if arn.endswith(":*"):
        name = {True: "by-iam", False: "without-iam", None: "another"}[row["own_policies"]]
        arn = f"{arn.removesuffix('*')}role/{name}"
    return arn.replace("::*:", f"::{STRANGER}:").replace("*", "xx-none-1")


def _compare(world: World, what: str, rows: list[dict[str, Any]], ask: Callable[[dict[str, Any]], str]) -> None:
    """One row of the report for all of a table, which names those that are answered otherwise."""
    others = []
    for row in rows:
        given = ask(row)
        if given != _expected(row):
            asked = f"{row['who']}, {row['action']}, {row['presents']}"
            others.append(f"{asked}: {row['answer']}, but {given}")
    allowed = sum(_expected(row) == ALLOWED for row in rows)
    question = f"who may {what}: {len(rows)} tries, of which {allowed} are allowed"
    world.report.row(question, "as `cmek who` says", "; ".join(others) or "as `cmek who` says")


def _expected(row: dict[str, Any]) -> str:
    """Nobody here has IAM policies for the key, but the account's administrator."""
    by_iam = row["answer"] not in ("yes", "no", "cannot tell") and row["own_policies"] is True
    return ALLOWED if row["answer"] == "yes" or by_iam else REFUSED


class _Callers:
    """Sessions of all who ask. Strangers may do everything by the IAM of their own account."""

    def __init__(self, world: World, site: Site, rows: Iterable[dict[str, Any]]) -> None:
        self._world = world
        self._site = site
        self._the_role = {row["principal"] for row in rows if row["who"] == "the role itself"}
        self._sessions: dict[str, Credentials] = {}

    def session(self, row: dict[str, Any]) -> Credentials:
        """The one who asks: this stack's role, or a role that is made if need be."""
        arn = _one_of(row)
        if arn not in self._sessions:
            is_role = arn in self._the_role
            self._sessions[arn] = self._world.pinecone(self._site) if is_role else self._other(arn, row)
        return self._sessions[arn]

    def kms(self, row: dict[str, Any]) -> Any:
        """A client of KMS that asks as the one who asks."""
        return self._world.aws.client("kms", self.session(row), self._site.region)

    def _other(self, arn: str, row: dict[str, Any]) -> Credentials:
        try:
            make_role(self._world.aws, arn, None if row["own_policies"] is False else "*")
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityAlreadyExists":
                raise
        return self._world.session(arn)


def _try_role(world: World, site: Site, callers: _Callers, row: dict[str, Any]) -> str:
    presented = {} if row["external_id"] is None else {"ExternalId": row["external_id"]}
    role_arn = world.first[site].role_arn
    return answer(lambda: world.aws.assume(role_arn, callers.session(row), **presented))


class _Key:
    """Tries what can be done with the key of a stack, and takes it back."""

    def __init__(self, world: World, site: Site) -> None:
        self._owner = world.client("kms", site)
        self._key = world.first[site].key_arn
        self._grantee = world.first[site].role_arn
        self._ciphertext = world.ciphertexts[site]
        self._policy = self._owner.get_key_policy(KeyId=self._key)["Policy"]

    def attempt(self, callers: _Callers, row: dict[str, Any]) -> str:
        """Whether the one who asks may do it."""
        kms, key = callers.kms(row), self._key
        calls: dict[str, Callable[[], object]] = {
            "kms:Encrypt": lambda: kms.encrypt(KeyId=key, Plaintext=PLAINTEXT),
            "kms:Decrypt": lambda: kms.decrypt(KeyId=key, CiphertextBlob=self._ciphertext),
            "kms:GenerateDataKey": lambda: kms.generate_data_key(KeyId=key, KeySpec="AES_256"),
            "kms:DescribeKey": lambda: kms.describe_key(KeyId=key),
            "kms:CreateGrant": lambda: self._grant(kms),
            "kms:PutKeyPolicy": lambda: kms.put_key_policy(KeyId=key, Policy=self._policy),
            "kms:DisableKey": lambda: self._disable(kms),
            "kms:ScheduleKeyDeletion": lambda: self._delete(kms),
        }
        return answer(calls[row["action"]])

    def _grant(self, kms: Any) -> None:
        made = kms.create_grant(KeyId=self._key, GranteePrincipal=self._grantee, Operations=["Decrypt"])
        self._owner.revoke_grant(KeyId=self._key, GrantId=made["GrantId"])

    def _disable(self, kms: Any) -> None:
        kms.disable_key(KeyId=self._key)
        self._owner.enable_key(KeyId=self._key)

    def _delete(self, kms: Any) -> None:
        kms.schedule_key_deletion(KeyId=self._key)
        self._owner.cancel_key_deletion(KeyId=self._key)
        self._owner.enable_key(KeyId=self._key)
