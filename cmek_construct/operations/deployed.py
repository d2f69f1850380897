"""What a deployed stack gives out, from AWS or from the file of `cdk deploy --outputs-file`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from cmek_construct import checks
from cmek_construct.customers import Customers
from cmek_construct.deployment.reading import Entry
from cmek_construct.lock.model import LockError
from cmek_construct.operations.doctor.lock import locked_identity

_KEY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")
_DEPLOYED = (
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
)
EMPTY = ("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED")
"""The CDK CLI begins such a stack anew: its first deploy failed, or was not approved."""


class NotDeployedError(Exception):
    """The outputs of a stack cannot be had. The message says why, and the way out."""


def from_outputs_file(entry: Entry, path: Path) -> dict[str, str]:
    """The outputs of one stack in the file that `cdk deploy --outputs-file` wrote.

    Raises:
        NotDeployedError: the file or the stack in it is missing.
    """
    try:
        outputs = json.loads(path.read_text(encoding="utf-8"))[entry.name]
    except OSError as error:
        raise NotDeployedError(
            f"{path}: cannot be read: {error.strerror}. {_instead_of(path, entry)}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise NotDeployedError(f"{path}: cannot be read as JSON: {error}") from None
    except (KeyError, TypeError):
        raise NotDeployedError(
            f"{entry.name}: {path} has no such stack. {_instead_of(path, entry)}"
        ) from None
    return _checked(entry, outputs)


def _instead_of(path: Path, entry: Entry) -> str:
    if _way_back(entry, None):
        return "Leave --outputs out, and AWS is asked."
    return f"`npx cdk deploy {entry.name} --outputs-file {path}` writes it."


def _way_back(entry: Entry, profile: str | None) -> str | None:
    try:
        return locked_identity(entry).way_back(entry, profile)
    except LockError as error:
        raise NotDeployedError(f"{entry.name}: {error}") from None


def _absent(entry: Entry, profile: str | None, what: str) -> NotDeployedError:
    own = entry.settings
    command = _way_back(entry, profile) or f"npx cdk deploy {entry.name}"
    return NotDeployedError(
        f"{entry.name}: {what} in account {own.account}, {own.region}. Run `{command}` first."
    )


def from_aws(entry: Entry, profile: str | None = None) -> dict[str, str]:
    """The outputs of one stack, asked of CloudFormation.

    Credentials of another account are enough if they may assume the lookup role that
    `cdk bootstrap --trust` made in the account of the stack.

    Raises:
        NotDeployedError: the stack is not there, is not whole, or AWS cannot be asked.
    """
    # Imported where it is needed: it takes longer than all else that `cmek` does.
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        cloudformation = reading_session(entry, profile).client("cloudformation")
        stack = cloudformation.describe_stacks(StackName=entry.name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            raise _absent(entry, profile, "there is no such stack") from None
        raise NotDeployedError(f"{entry.name}: AWS refused: {error}") from None
    except BotoCoreError as error:
        raise NotDeployedError(
            f"AWS could not be asked: {error}. Sign in (`aws sso login`), choose another "
            "--profile, or give --outputs with the file of `cdk deploy --outputs-file`."
        ) from None
    if stack["StackStatus"] in EMPTY:
        raise _absent(entry, profile, f"the stack came to nothing ({stack['StackStatus']})")
    if stack["StackStatus"] not in _DEPLOYED:
        raise NotDeployedError(
            f"{entry.name}: the stack is in {stack['StackStatus']}, so its role and key may not "
            "last. Wait for the deploy to end, or mend it and deploy again."
        )
    return _checked(
        entry, {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    )


def customers_from_aws(entry: Entry, profile: str | None = None) -> Customers:
    """The customers in a vendor's deployed template, when `from_aws` has found the stack."""
    cloudformation = reading_session(entry, profile).client("cloudformation")
    body = cloudformation.get_template(StackName=entry.name)["TemplateBody"]
    template = yaml.safe_load(body) if isinstance(body, str) else body
    resources = [
        resource
        for policy in template["Resources"].values()
        if policy["Type"] == "AWS::IAM::ManagedPolicy"
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for resource in _listed(statement["Resource"])
    ]
    whole = [resource.split(":")[4] for resource in resources if resource.endswith(":key/*")]
    return Customers(whole, [one for one in resources if not one.endswith(":key/*")])


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def with_customer_key(
    entry: Entry, outputs: dict[str, str], key_arn: str | None, deployed: Customers | None
) -> dict[str, str]:
    """The outputs of a vendor's stack, and the key of one of its customers.

    Args:
        entry: of the stack.
        outputs: of the stack.
        key_arn: what the customer sent back.
        deployed: the customers in the deployed stack, where they are known.

    Raises:
        NotDeployedError: there is no such key, or the role may not use it.
    """
    customers = entry.settings.customers
    if customers is None:
        if key_arn is not None:
            raise NotDeployedError(
                f"{entry.name}: --key-arn is for the stack of a vendor, with customer_account_ids "
                "or customer_key_arns in its entry. This one has its own key: leave it out."
            )
        return outputs
    if key_arn is None:
        raise NotDeployedError(
            f"{entry.name}: the keys of this stack are its customers'. Give --key-arn with the "
            "Key ARN that the customer sent back."
        )
    if not _KEY_ID.fullmatch(key_arn.rpartition("/")[2]):
        raise NotDeployedError(
            f"{entry.name}: --key-arn is {key_arn}, but a key ID is a UUID, or mrk- and 32 "
            "hexadecimal digits. A part may be missing: copy the Key ARN whole."
        )
    if not customers.cover(key_arn):
        raise NotDeployedError(
            f"{entry.name}: --key-arn is {key_arn}, but the role may not use it: neither "
            "customer_account_ids has its account nor customer_key_arns the key. Add it, deploy, "
            "and ask again; or correct the ARN."
        )
    if deployed is not None and not deployed.cover(key_arn):
        raise NotDeployedError(
            f"{entry.name}: cmek.yaml has the customer of {key_arn}, but the deployed role does "
            f"not. Run `npx cdk deploy {entry.name}` first."
        )
    return outputs | {"KeyArn": key_arn}


def reading_session(entry: Entry, profile: str | None) -> Any:
    """A session in the account of the stack, through its lookup role if need be: it reads alone.

    Raises:
        NotDeployedError: the credentials are of another account and may not assume that role.
    """
    import boto3
    from botocore.exceptions import ClientError

    account, region = entry.settings.account, entry.settings.region
    session = boto3.Session(profile_name=profile, region_name=region)
    sts = session.client("sts")
    caller = sts.get_caller_identity()["Account"]
    if caller == account:
        return session
    role = f"arn:aws:iam::{account}:role/cdk-hnb659fds-lookup-role-{account}-{region}"
    try:
        credentials = sts.assume_role(RoleArn=role, RoleSessionName="cmek-sheet")["Credentials"]
    except ClientError:
        raise NotDeployedError(
            f"{entry.name}: it is in account {account}, but your credentials are of account "
            f"{caller} and may not assume {role}. Choose --profile, or give --outputs with the "
            "file of `cdk deploy --outputs-file`."
        ) from None
    return boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        region_name=region,
    )


def _checked(entry: Entry, outputs: Any) -> dict[str, str]:
    """The outputs, if they are those of this very stack: what Pinecone stores stays for good."""
    own = entry.settings
    found: dict[str, Any] = outputs if isinstance(outputs, dict) else {}
    role, key = found.get("RoleArn"), found.get("KeyArn")
    where = f"arn:aws:kms:{own.region}:{own.account}:key/"
    named = [("RoleArn", role, checks.ROLE_ARN, f"arn:aws:iam::{own.account}:role/", own.role)]
    if own.customers is None:
        named.append(("KeyArn", key, checks.KEY_ARN, where, own.key))
    for name, value, form, place, given in named:
        right = isinstance(value, str) and form.fullmatch(value)
        if not right or not (value == given if given else str(value).startswith(place)):
            raise NotDeployedError(
                f"{entry.name}: the output {name} is {value!a}, but that of this stack is "
                f"{given or place + '…'}. Check the name, the account and the region, or the file "
                "of outputs: it may be of another deploy."
            )
    if found.get("ExternalId") != own.external_id:
        raise NotDeployedError(
            f"{entry.name}: external_id is {own.external_id} in cmek.yaml, but "
            f"{found.get('ExternalId')!a} in the deployed stack. If Pinecone has the key already, "
            "put the deployed one back into the file; if not, deploy first."
        )
    return found
