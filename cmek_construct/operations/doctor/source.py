"""What AWS shows of a deployed stack, its role and its key: each answer, or why there is none.

Nothing here changes anything, and what could not be read never looks like what is right.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar

from cmek_construct import checks
from cmek_construct.checks import printable
from cmek_construct.deployment.reading import Entry
from cmek_construct.policy.sentences import as_list

T = TypeVar("T")
_EVENT_PAGES: Final = 5
"""CloudTrail answers two look-ups a second and account."""
_USE: Final = ("Decrypt", "Encrypt", "GenerateDataKey", "ReEncrypt")
_ABSENT: Final = ("NoSuchEntity", "NotFoundException")


@dataclass(frozen=True)
class Unread:
    """Something that could not be read."""

    why: str


@dataclass(frozen=True)
class Permissions:
    """One permissions policy of a role."""

    name: str
    statements: Sequence[Any]
    arn: str | None = None
    """Of a managed policy; None for one that stands in the role itself."""


@dataclass(frozen=True)
class Use:
    """The last use of a key by the role, by CloudTrail."""

    action: str
    when: Any


def as_document(policy: Any) -> dict[str, Any]:
    """A policy document as AWS gives it: KMS as text, IAM through boto3 as data.

    Raises:
        ValueError: it is none.
    """
    document = json.loads(policy) if isinstance(policy, str) else policy
    if not isinstance(document, dict) or "Statement" not in document:
        raise ValueError("it is no policy document")
    return document


def as_statements(policy: Any) -> list[Any]:
    """The statements of a policy document.

    Raises:
        ValueError: it is none.
    """
    return as_list(as_document(policy)["Statement"])


def client(session: Any, service: str, region: str | None = None) -> Any:
    """A client that asks again when AWS is busy, and gives up within a minute or two.

    Args:
        session: of boto3.
        service: such as ``kms``.
        region: Default: that of the session.
    """
    from botocore.config import Config

    patient = Config(
        retries={"mode": "standard", "total_max_attempts": 6}, connect_timeout=5, read_timeout=20
    )
    return session.client(service, region_name=region, config=patient)


def asked(call: Callable[[], T]) -> T | Unread | None:
    """The answer of AWS; None where it says that there is no such thing."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return call()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        # CloudFormation has no code of its own for a stack that is not there.
        absent = code in _ABSENT or (code == "ValidationError" and "not exist" in str(error))
        return None if absent else Unread(f"AWS refused: {printable(code)}")
    except BotoCoreError as error:
        return Unread(f"AWS could not be asked: {printable(error)}")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return Unread(f"the answer of AWS cannot be read: {printable(error)}")


class Stack:
    """The stack of an entry, as CloudFormation shows it."""

    def __init__(self, session: Any, entry: Entry) -> None:
        self._cloudformation = client(session, "cloudformation")
        self._name = entry.name
        self._own = entry.settings
        self.described: Any = asked(
            lambda: self._cloudformation.describe_stacks(StackName=entry.name)["Stacks"][0]
        )

    @property
    def status(self) -> str | Unread | None:
        """Its status; None if it is not there."""
        if not self._is_there:
            return None if self.described is None else Unread(self.described.why)
        return str(self.described["StackStatus"])

    @property
    def _is_there(self) -> bool:
        return isinstance(self.described, Mapping)

    @cached_property
    def outputs(self) -> dict[str, str]:
        """Those outputs that have the form and the place of this stack's."""
        listed = self.described.get("Outputs", []) if self._is_there else []
        found = {one.get("OutputKey"): one.get("OutputValue") for one in listed}
        own, right = self._own, {}
        for name, form, place in (
            ("RoleArn", checks.ROLE_ARN, f"arn:aws:iam::{own.account}:role/"),
            ("KeyArn", checks.KEY_ARN, f"arn:aws:kms:{own.region}:{own.account}:key/"),
        ):
            value = found.get(name)
            if isinstance(value, str) and form.fullmatch(value) and value.startswith(place):
                right[name] = value
        return right

    def alias(self) -> str | Unread | None:
        """The name of the alias that the stack made."""

        def call() -> str | None:
            listed = self._cloudformation.describe_stack_resources(StackName=self._name)
            aliases = (
                str(one["PhysicalResourceId"])
                for one in listed["StackResources"]
                if one["ResourceType"] == "AWS::KMS::Alias" and one.get("PhysicalResourceId")
            )
            return next(aliases, None)

        return asked(call)


class Role:
    """A role, as IAM shows it."""

    def __init__(self, session: Any, arn: str) -> None:
        self._iam = client(session, "iam")
        self.arn = arn
        self.name = arn.rpartition("/")[2]
        self.described: Any = asked(lambda: self._iam.get_role(RoleName=self.name)["Role"])

    def trust(self) -> list[Any] | Unread:
        """The statements of its trust policy."""
        found = asked(lambda: as_statements(self.described["AssumeRolePolicyDocument"]))
        return Unread("there is none") if found is None else found

    def permissions(self) -> list[Permissions] | Unread:
        """All its permissions policies."""
        found = asked(lambda: [*self._inline(), *self._attached()])
        return Unread("there is no such role or policy") if found is None else found

    def _inline(self) -> list[Permissions]:
        pages = self._iam.get_paginator("list_role_policies").paginate(RoleName=self.name)
        names = [name for page in pages for name in page["PolicyNames"]]
        found = (self._iam.get_role_policy(RoleName=self.name, PolicyName=name) for name in names)
        return [
            Permissions(name, as_statements(one["PolicyDocument"]))
            for name, one in zip(names, found, strict=True)
        ]

    def _attached(self) -> list[Permissions]:
        pages = self._iam.get_paginator("list_attached_role_policies").paginate(RoleName=self.name)
        return [
            self._managed(one["PolicyName"], one["PolicyArn"])
            for page in pages
            for one in page["AttachedPolicies"]
        ]

    def _managed(self, name: str, arn: str) -> Permissions:
        version = self._iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = self._iam.get_policy_version(PolicyArn=arn, VersionId=version)
        return Permissions(name, as_statements(found["PolicyVersion"]["Document"]), arn)


class Key:
    """A key, as KMS shows it."""

    def __init__(self, session: Any, arn: str) -> None:
        self._region = arn.split(":")[3]
        self._kms = client(session, "kms", self._region)
        self._session = session
        self.arn = arn
        self.described: Any = asked(lambda: self._kms.describe_key(KeyId=arn)["KeyMetadata"])

    def policy(self) -> list[Any] | Unread:
        """The statements of its policy."""
        found = asked(
            lambda: as_statements(
                self._kms.get_key_policy(KeyId=self.arn, PolicyName="default")["Policy"]
            )
        )
        return Unread("there is none") if found is None else found

    def rotation(self) -> Any:
        """KMS's rotation status."""
        found = asked(lambda: self._kms.get_key_rotation_status(KeyId=self.arn))
        return Unread("there is none") if found is None else found

    def grants(self) -> list[Any] | Unread:
        """All grants on it."""
        pages = self._kms.get_paginator("list_grants")
        found = asked(
            lambda: [one for page in pages.paginate(KeyId=self.arn) for one in page["Grants"]]
        )
        return Unread("there is no such key") if found is None else found

    def aliases(self) -> list[str] | Unread:
        """The names of its aliases."""
        pages = self._kms.get_paginator("list_aliases")
        found = asked(
            lambda: [
                str(one["AliasName"])
                for page in pages.paginate(KeyId=self.arn)
                for one in page["Aliases"]
            ]
        )
        return Unread("there is no such key") if found is None else found

    def target_of(self, alias: str) -> str | Unread | None:
        """The ARN of the key that an alias points to."""
        return asked(lambda: str(self._kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"]))

    def last_use(self, role_arn: str) -> Use | int | Unread:
        """The last use by the role; else how many events of the key CloudTrail showed."""
        found = asked(lambda: self._last_use(role_arn))
        return Unread("there is none") if found is None else found

    def _last_use(self, role_arn: str) -> Use | int:
        """Use of a key is a management event, which CloudTrail keeps for 90 days by itself."""
        cloudtrail = client(self._session, "cloudtrail", self._region)
        by_key = [{"AttributeKey": "ResourceName", "AttributeValue": self.arn}]
        answer: dict[str, Any] = {}
        seen = 0
        for _page in range(_EVENT_PAGES):
            more = {"NextToken": answer["NextToken"]} if answer.get("NextToken") else {}
            answer = cloudtrail.lookup_events(LookupAttributes=by_key, MaxResults=50, **more)
            for event in answer["Events"]:
                seen += 1
                if event["EventName"].startswith(_USE) and _is_by(role_arn, event):
                    return Use(event["EventName"], event["EventTime"])
            if not answer.get("NextToken"):
                break
        return seen


def _is_by(role_arn: str, event: Mapping[str, Any]) -> bool:
    said = json.loads(event["CloudTrailEvent"])
    issuer = said.get("userIdentity", {}).get("sessionContext", {}).get("sessionIssuer", {})
    return bool(issuer.get("arn") == role_arn and "errorCode" not in said)
