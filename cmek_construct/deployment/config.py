"""The models of cmek.yaml: every prop of `PineconeCmek`, and where its stack goes.

A field is its type; limits and description are those of its row, by which `reading` judges what the file says. What the
file alone says of a stack, its account, name and tags, has its rows here. The JSON Schema of the models,
`cmek.schema.json` beside this file, gives an editor completion.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from cmek_construct import checks, props
from cmek_construct.customers import CUSTOMERS, Customers
from cmek_construct.guide import ALL_REGIONS, PINECONE_REGIONS, Regions
from cmek_construct.props import Prop

own_account_id: Final = partial(
    checks.account_id, way_out="Write the number of the AWS account to deploy to, in quotes."
)
"""The account that role and key are deployed to."""
stack_name: Final = checks.matching(
    checks.STACK_NAME,
    "the name of a stack begins with a letter and has up to 128 letters, digits and hyphens",
    "Rename it before the first deploy; later, a new name is a new stack.",
)
"""The name of an entry of cmek.yaml, which is the name of its stack."""


def no_token(parameter: str, value: object) -> None:
    """In a file there is nothing that a token could stand for."""
    if checks.is_token(value):
        checks.refuse(parameter, value, "a file has values that are known", "Write the value itself.")


def region(parameter: str, value: object) -> None:
    """A region to deploy to, where Pinecone's partition is."""
    checks.matching(checks.REGION, "a region looks like us-east-1", "Write the region to deploy to.")(parameter, value)
    checks.in_pinecone_partition(str(value))


def _tags(parameter: str, value: object) -> None:
    if not isinstance(value, dict):
        checks.refuse(parameter, value, "it is a mapping of names to values", "Write  name: value  lines.")
    checks.tags(parameter, value.items())


def _acknowledgements(parameter: str, value: object) -> None:
    if not isinstance(value, dict):
        checks.refuse(parameter, value, "it is a mapping of ids to reasons", "Write  id: reason  lines.")
    for notice, reason in value.items():
        if not isinstance(notice, str) or not isinstance(reason, str) or not reason:
            one = f"{parameter}.{checks.printable(notice)}"
            in_words = "a warning is acknowledged with a reason in words"
            checks.refuse(one, reason, in_words, "Write why this was decided, and by whom.")


OF_A_STACK: Final = (
    Prop("account", "12 digits in quotes", "The AWS account of the stack.", own_account_id, default=""),
    Prop("region", "such as us-east-1", "AWS region of role and key's stack.", region, default=""),
    Prop("tags", "names and values", "Tags of the stack, and so of role and key.", _tags),
    Prop(
        "acknowledge",
        "ids and reasons",
        "Warnings that are decided: the id of each, and the reason.",
        _acknowledgements,
    ),
    Prop(
        "bootstrap",
        "bool",
        "false: deploy to an account without `cdk bootstrap`, with that account's own credentials.",
        checks.flag,
        default="true",
    ),
    Prop("termination_protection", "bool", "false: `cdk destroy` may delete the stack.", checks.flag, default="true"),
)
"""What the file says of a stack beside the props of what is in it."""
_PLAIN: Final = {
    "KeyAccess": "KEY_USER or ENCRYPT_DECRYPT",
    "cdk.RemovalPolicy": "RETAIN_ON_UPDATE_OR_DELETE, RETAIN or DESTROY",
    "iam.IManagedPolicy": "ARN of a managed policy",
    "iam.IRole": "ARN of a role",
    "kms.IKey": "ARN of a key",
    "list[iam.IPrincipal]": "list of ARNs of roles and users",
}
ROWS: Final = {row.name: row for row in (*props.CMEK, *CUSTOMERS, *OF_A_STACK)}
"""The row of each field."""


def sentence(row: Prop) -> str:
    """What there is to say of a prop in the file, where a CDK object is its ARN, name or number."""
    shape = row.shape or _PLAIN[row.cdk]
    default = f" Default: {row.default}." if row.default else ""
    return f"{row.says} {shape[0].upper()}{shape[1:]}.{default}".replace("`", "")


def _of(prop: str, default: Any = None, **schema: Any) -> Any:
    """The field of a prop."""
    return Field(default=default, description=sentence(ROWS[prop]), json_schema_extra=schema)


class Settings(BaseModel):
    """What may stand at the top of the file for every stack, and in a stack for itself.

    A value of ``null`` in a stack takes back what the top says.
    """

    # Deferred: the rows judge, and what pydantic would judge by is made for the schema alone.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)

    region: str | None = _of("region")
    pinecone_account_id: str | None = _of("pinecone_account_id", pattern=f"^{checks.ACCOUNT_ID.pattern}$")
    regions: list[str] | Literal["ALL_REGIONS"] | None = _of(
        "regions", examples=[list(PINECONE_REGIONS), "ALL_REGIONS"]
    )
    pin_account: bool | None = _of("pin_account")
    role: str | None = _of("role")
    role_name: str | None = _of("role_name")
    role_path: str | None = _of("role_path")
    permissions_boundary: str | None = _of("permissions_boundary")
    key: str | None = _of("key")
    key_access: Literal["KEY_USER", "ENCRYPT_DECRYPT"] | None = _of("key_access")
    key_admins: list[str] | None = _of("key_admins")
    alias: str | None = _of("alias")
    description: str | None = _of("description")
    enable_key_rotation: bool | None = _of("enable_key_rotation")
    rotation_period: int | None = _of("rotation_period")
    multi_region: bool | None = _of("multi_region")
    pending_window: int | None = _of("pending_window")
    protect_used_key: int | None = _of("protect_used_key")
    removal_policy: Literal["RETAIN_ON_UPDATE_OR_DELETE", "RETAIN", "DESTROY"] | None = _of("removal_policy")
    suspended: bool | None = _of("suspended")
    tags: dict[str, str] | None = _of("tags")
    acknowledge: dict[str, str] | None = _of("acknowledge")
    bootstrap: bool | None = _of("bootstrap")
    termination_protection: bool | None = _of("termination_protection")


class StackSettings(Settings):
    """One stack: role and key for one Pinecone project, in one account and region.

    With customers it has the role alone: the keys are theirs.
    """

    account: str = _of("account", ..., pattern=f"^{checks.ACCOUNT_ID.pattern}$")
    external_id: str | None = _of("external_id", pattern=f"^{checks.EXTERNAL_ID.pattern}$")
    customer_account_ids: list[str] | None = _of("customer_account_ids")
    customer_key_arns: list[str] | None = _of("customer_key_arns")

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

    stacks: dict[str, StackSettings] = Field(
        min_length=1, description="The stacks by name: a name is the stack's, for good."
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the file, which `scripts/docs` writes beside this module."""
    schema = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": schema, **Config.model_json_schema(), "title": "cmek.yaml"}
