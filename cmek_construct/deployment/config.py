"""The models of cmek.yaml: every prop of `PineconeCmek`, and where its stack goes.

Their JSON Schema, `cmek.schema.json` beside this file, gives an editor completion.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from cmek_construct import checks, limits
from cmek_construct.customers import Customers, account_ids, key_arns
from cmek_construct.deployment import values
from cmek_construct.guide import ALL_REGIONS, PINECONE_REGIONS, Regions

RemovalPolicyName = Literal["RETAIN_ON_UPDATE_OR_DELETE", "RETAIN", "DESTROY"]
KeyAccessName = Literal["KEY_USER", "ENCRYPT_DECRYPT"]


def _check(check: Callable[..., None], *arguments: Any) -> BeforeValidator:
    """The construct's own check, on what the file says, under the name of the field."""

    def run(value: Any, info: ValidationInfo) -> Any:
        parameter = info.field_name or ""
        values.no_token(parameter, value)
        check(parameter, value, *arguments)
        return value

    return BeforeValidator(run)


def _check_said(check: Callable[[str, object], None]) -> BeforeValidator:
    """The check of a value that may be left out."""

    def run(parameter: str, value: Any) -> None:
        if value is not None:
            check(parameter, value)

    return _check(run)


def _regions(parameter: str, value: Any) -> None:
    for region in value if isinstance(value, list) else []:
        values.no_token(parameter, region)
    if value is not None:
        checks.regions(parameter, ALL_REGIONS if value == "ALL_REGIONS" else value)


Flag = Annotated[bool | None, _check(checks.flag)]
_EXTERNAL_ID: Any = {"pattern": f"^{checks.EXTERNAL_ID.pattern}$"}
_ACCOUNT: Any = {"pattern": f"^{checks.ACCOUNT_ID.pattern}$"}


class Settings(BaseModel):
    """What may stand at the top of the file for every stack, and in a stack for itself.

    A value of ``null`` in a stack takes back what the top says.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    region: Annotated[str | None, _check(values.region)] = Field(
        default=None, description="AWS region of role and key's stack, such as us-east-1."
    )
    pinecone_account_id: Annotated[str | None, _check(checks.pinecone_account_id)] = Field(
        default=None,
        description="Pinecone's AWS account number, 12 digits in quotes, from the Pinecone "
        "console, Manage > CMEK > Add CMEK.",
        json_schema_extra=_ACCOUNT,
    )
    regions: Annotated[list[str] | Literal["ALL_REGIONS"] | None, _check(_regions)] = Field(
        default=None,
        description="The AWS regions whose Pinecone role may come in, or ALL_REGIONS.",
        json_schema_extra={"examples": [list(PINECONE_REGIONS), "ALL_REGIONS"]},
    )
    pin_account: Flag = Field(
        default=None,
        description="With ALL_REGIONS: Pinecone's account root as the principal in place of *.",
    )
    role: Annotated[str | None, _check_said(checks.role_arn)] = Field(
        default=None, description="ARN of a role of yours to use, in place of a new one."
    )
    role_name: Annotated[str | None, _check(checks.role_name)] = Field(
        default=None,
        description="Name of the role, 1 to 64 characters. A change makes another role.",
    )
    role_path: Annotated[str | None, _check(checks.role_path)] = Field(
        default=None, description="Path of the role, / or /…/. A change makes another role."
    )
    permissions_boundary: Annotated[str | None, _check_said(values.policy_arn)] = Field(
        default=None, description="ARN of the managed policy that bounds the role."
    )
    key: Annotated[
        str | None,
        _check_said(checks.key_arn),
    ] = Field(default=None, description="ARN of a key of yours to use, in place of a new one.")
    key_access: Annotated[KeyAccessName | None, _check(values.one_of, get_args(KeyAccessName))] = (
        Field(default=None, description="What the key policy lets the role do. Default: KEY_USER.")
    )
    key_admins: Annotated[list[str] | None, _check(values.principal_arns)] = Field(
        default=None, description="ARNs of roles and users that administer the key."
    )
    alias: Annotated[str | None, _check(checks.alias)] = Field(
        default=None, description="Alias of the key. Default: a unique one."
    )
    description: Annotated[str | None, _check(checks.text, limits.KEY_DESCRIPTION)] = Field(
        default=None, description="Description of the key."
    )
    enable_key_rotation: Flag = Field(
        default=None, description="New key material every year. Default: true."
    )
    rotation_period: Annotated[int | None, _check(checks.days, limits.ROTATION_DAYS)] = Field(
        default=None, description="Days between two rotations, 90 to 2560. Default: 365."
    )
    multi_region: Flag = Field(
        default=None, description="A multi-Region primary key, for good. Default: false."
    )
    pending_window: Annotated[int | None, _check(checks.days, limits.PENDING_WINDOW_DAYS)] = Field(
        default=None, description="Days from the order to delete the key to its end. Default: 30."
    )
    removal_policy: Annotated[
        RemovalPolicyName | None,
        _check(values.one_of, get_args(RemovalPolicyName)),
    ] = Field(
        default=None,
        description="What becomes of role and key when they leave the stack. Default: kept.",
    )
    suspended: Flag = Field(default=None, description="Cut Pinecone off. Default: false.")
    tags: Annotated[dict[str, str] | None, _check(values.tags)] = Field(
        default=None, description="Tags of the stack, and so of role and key."
    )
    acknowledge: Annotated[dict[str, str] | None, _check(values.acknowledgements)] = Field(
        default=None, description="Warnings that are decided: the id of each, and the reason."
    )
    bootstrap: Flag = Field(
        default=None,
        description="false: deploy to an account without `cdk bootstrap`, with that account's "
        "own credentials. Default: true.",
    )
    termination_protection: Flag = Field(
        default=None, description="false: `cdk destroy` may delete the stack. Default: true."
    )


class StackSettings(Settings):
    """One stack: role and key for one Pinecone project, in one account and region.

    With customers it has the role alone: the keys are theirs.
    """

    account: Annotated[str, _check(values.own_account_id)] = Field(
        description="The AWS account of the stack, 12 digits in quotes.",
        json_schema_extra=_ACCOUNT,
    )
    external_id: Annotated[str | None, _check(checks.external_id)] = Field(
        default=None,
        description="What Pinecone must present: a UUID v4, made once. `cmek add` makes it.",
        json_schema_extra=_EXTERNAL_ID,
    )
    customer_account_ids: Annotated[list[str] | None, _check_said(account_ids)] = Field(
        default=None,
        description="A vendor's role, without a key of its own: AWS accounts of customers, 12 "
        "digits in quotes, of which the role may use every key that lets it in.",
    )
    customer_key_arns: Annotated[list[str] | None, _check_said(key_arns)] = Field(
        default=None,
        description="ARNs of single keys of customers, in place of all keys of their accounts.",
    )

    @property
    def customers(self) -> Customers | None:
        """The customers of a vendor's role; None for a role with a key of one's own."""
        if self.customer_account_ids is None and self.customer_key_arns is None:
            return None
        return Customers(self.customer_account_ids or [], self.customer_key_arns or [])

    @property
    def allowed_regions(self) -> Regions:
        """The regions as the construct takes them."""
        return ALL_REGIONS if self.regions == "ALL_REGIONS" else list(self.regions or [])


class Config(Settings):
    """cmek.yaml: shared values at the top, and one stack per Pinecone project."""

    stacks: dict[Annotated[str, _check(values.stack_name)], StackSettings] = Field(
        min_length=1, description="The stacks by name: a name is the stack's, for good."
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the file, which `scripts/schema` writes beside this module."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Config.model_json_schema(),
        "title": "cmek.yaml",
    }
