"""What the stacks of a stack set give out, account by account, asked of AWS."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from cmek_construct import checks
from cmek_construct.guide import key_denial
from cmek_construct.operations.deployed import _DEPLOYED, NotDeployedError

_AT_A_TIME = 10
_SUSPENDED = key_denial("")["Sid"]


@dataclass(frozen=True)
class Ask:
    """Which stack set, and with which credentials."""

    stack_set: str
    role: str
    profile: str | None = None
    region: str | None = None
    call_as: str | None = None

    @property
    def on_behalf(self) -> dict[str, str]:
        """The parameters of each call about the set."""
        named = {"StackSetName": self.stack_set}
        return named if self.call_as is None else {**named, "CallAs": self.call_as}


@dataclass(frozen=True)
class Row:
    """What to paste for one account; with a problem, nothing to paste."""

    account: str
    region: str
    role_arn: str | None = None
    key_arn: str | None = None
    external_id: str | None = None
    status: str = ""
    problem: str | None = None


@dataclass(frozen=True)
class Template:
    """What the template of the set says of every account."""

    role: str
    external_id: str | None
    parameter: str | None
    suspended: bool

    @classmethod
    def of(cls, stack_set: Mapping[str, Any]) -> Template:
        """Read it.

        Raises:
            NotDeployedError: it is not the template of a `PineconeCmekStackSet`.
        """
        try:
            body = json.loads(stack_set["TemplateBody"])
            (role,) = _of_type(body, "AWS::IAM::Role")
            (key,) = _of_type(body, "AWS::KMS::Key")
            external_id = body["Outputs"].get("ExternalId", {}).get("Value")
            parameter = external_id["Ref"] if isinstance(external_id, dict) else None
            return cls(
                role=f"role{role.get('Path', '/')}{role['RoleName']}",
                external_id=None if parameter else external_id,
                parameter=parameter,
                suspended=any(
                    statement.get("Sid") == _SUSPENDED
                    for statement in key["KeyPolicy"]["Statement"]
                ),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise NotDeployedError(
                f"{stack_set['StackSetName']}: the template of this stack set is not that of a "
                "PineconeCmekStackSet. Check the name and the region: `cmek sheet --fleet` reads "
                "no other."
            ) from None


def _of_type(body: Mapping[str, Any], resource_type: str) -> Iterator[dict[str, Any]]:
    for resource in body["Resources"].values():
        if resource["Type"] == resource_type:
            yield resource["Properties"]


def read(ask: Ask) -> list[Row]:
    """A row for every account of the set, also for one that cannot be read.

    Raises:
        NotDeployedError: the set is not there, is not ours, or has no stacks.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        session = boto3.Session(profile_name=ask.profile, region_name=ask.region)
        cloudformation = session.client("cloudformation")
        stack_set = cloudformation.describe_stack_set(**ask.on_behalf)["StackSet"]
        pages = cloudformation.get_paginator("list_stack_instances").paginate(**ask.on_behalf)
        instances = [instance for page in pages for instance in page["Summaries"]]
        accounts = _Accounts(session, ask.role)
    except ClientError as error:
        raise NotDeployedError(
            f"{ask.stack_set}: AWS refused: {error} Check the name and --region: the set is in the "
            "account and region of the stack that made it. A delegated administrator gives "
            "--call-as DELEGATED_ADMIN."
        ) from None
    except BotoCoreError as error:
        raise NotDeployedError(
            f"AWS could not be asked: {error}. Sign in (`aws sso login`), or choose another "
            "--profile or --region."
        ) from None
    template = Template.of(stack_set)
    if not instances:
        raise NotDeployedError(
            f"{ask.stack_set}: the stack set has no stacks. Look at its operations in the "
            "CloudFormation console, StackSets."
        )
    reader = _Reader(ask, template, stack_set, cloudformation, accounts)
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        rows = pool.map(reader.row, instances)
        return sorted(rows, key=lambda row: (row.account, row.region))


class _Accounts:
    """Clients of CloudFormation in the accounts of the set."""

    def __init__(self, session: Any, role: str) -> None:
        self._session = session
        self._role = role
        self._sts = session.client("sts")
        self._own = self._sts.get_caller_identity()["Account"]
        # A session makes one client at a time; the clients may then work side by side.
        self._one_at_a_time = threading.Lock()

    def cloudformation(self, account: str, region: str) -> Any:
        """A client in one account, through the role there if it is another one."""
        from botocore.exceptions import ClientError

        keys = {}
        if account != self._own:
            arn = f"arn:aws:iam::{account}:role/{self._role}"
            try:
                given = self._sts.assume_role(RoleArn=arn, RoleSessionName="cmek-sheet")
            except ClientError as error:
                raise NotDeployedError(
                    f"credentials of account {self._own} may not assume {arn} "
                    f"({error.response['Error']['Code']}): choose --role or --profile"
                ) from None
            keys = {
                "aws_access_key_id": given["Credentials"]["AccessKeyId"],
                "aws_secret_access_key": given["Credentials"]["SecretAccessKey"],
                "aws_session_token": given["Credentials"]["SessionToken"],
            }
        with self._one_at_a_time:
            return self._session.client("cloudformation", region_name=region, **keys)


@dataclass(frozen=True)
class _Reader:
    """Reads the stack of one account after the other."""

    ask: Ask
    template: Template
    stack_set: Mapping[str, Any]
    cloudformation: Any
    accounts: _Accounts

    def row(self, instance: Mapping[str, Any]) -> Row:
        """What one stack gives out, or why nothing can be pasted for it."""
        from botocore.exceptions import BotoCoreError, ClientError

        row = Row(instance["Account"], instance["Region"], status=_status(instance))
        if self.template.suspended:
            row = replace(row, status=f"{row.status}, suspended")
        try:
            return self._read(row, instance)
        except NotDeployedError as error:
            problem = str(error)
        except (ClientError, BotoCoreError) as error:
            problem = f"AWS refused: {error}"
        return replace(row, problem=checks.printable(problem))

    def _read(self, row: Row, instance: Mapping[str, Any]) -> Row:
        if not instance.get("StackId"):
            reason = instance.get("StatusReason", "look at the set's operations")
            raise NotDeployedError(f"there is no stack in this account: {reason}")
        external_id = self._external_id(row)
        there = self.accounts.cloudformation(row.account, row.region)
        stack = there.describe_stacks(StackName=instance["StackId"])["Stacks"][0]
        if stack["StackStatus"] not in _DEPLOYED:
            raise NotDeployedError(f"the stack is in {stack['StackStatus']}: mend it first")
        outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
        return replace(
            row,
            role_arn=_role_arn(outputs, f"arn:aws:iam::{row.account}:{self.template.role}"),
            key_arn=_key_arn(outputs, f"arn:aws:kms:{row.region}:{row.account}:key/"),
            external_id=_same_external_id(outputs, external_id),
        )

    def _external_id(self, row: Row) -> str | None:
        """What the set says: in its template, or in the override of the account."""
        if self.template.parameter is None:
            return self.template.external_id
        instance = self.cloudformation.describe_stack_instance(
            **self.ask.on_behalf,
            StackInstanceAccount=row.account,
            StackInstanceRegion=row.region,
        )["StackInstance"]
        given = [*self.stack_set.get("Parameters", []), *instance.get("ParameterOverrides", [])]
        values = {one["ParameterKey"]: one.get("ParameterValue") for one in given}
        external_id = values.get(self.template.parameter)
        if not external_id:
            raise NotDeployedError(
                "the set has no external ID for this account: add it to external_ids and deploy"
            )
        return str(external_id)


def _status(instance: Mapping[str, Any]) -> str:
    """CURRENT, OUTDATED or INOPERABLE, and the state of the last operation if it failed."""
    status = instance.get("Status", "")
    detailed = instance.get("StackInstanceStatus", {}).get("DetailedStatus", "SUCCEEDED")
    return status if detailed == "SUCCEEDED" else f"{status}, {detailed}"


def _role_arn(outputs: Mapping[str, str], expected: str) -> str:
    if outputs.get("RoleArn") != expected:
        raise NotDeployedError(
            f"the output RoleArn is {outputs.get('RoleArn')!a}, but that of the set is {expected}"
        )
    return expected


def _key_arn(outputs: Mapping[str, str], place: str) -> str:
    found = outputs.get("KeyArn", "")
    if not checks.KEY_ARN.fullmatch(found) or not found.startswith(place):
        raise NotDeployedError(f"the output KeyArn is {found!a}, but that of the set is {place}…")
    return found


def _same_external_id(outputs: Mapping[str, str], expected: str | None) -> str | None:
    found = outputs.get("ExternalId")
    if found != expected:
        raise NotDeployedError(
            f"the external ID is {expected!a} in the set, but {found!a} in the deployed stack: "
            "deploy first, or, if Pinecone has the key already, put the deployed one back"
        )
    return found
