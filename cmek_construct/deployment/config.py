"""What cmek.yaml says: every prop of `PineconeCmek`, and where its stack goes.

A field is its type; limits and description are those of its row, by which `reading` judges what the file says. What the
file alone says of a stack, its account, name and tags, has its rows here. `cmek.schema.json` beside this file, which
`scripts/docs` makes of types and rows, gives an editor completion.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

from cmek_construct import checks, guide, props
from cmek_construct.customers import CUSTOMERS, Customers
from cmek_construct.warnings import misspelt

own_account_id: Final = partial(  # the account that role and key are deployed to
    checks.account_id, way_out="Write the number of the AWS account to deploy to, in quotes."
)
_STACKS: Final = props.row("stacks")  # the name of an entry is the name of its stack
stack_name: Final = _STACKS.check


def judge(check: checks.Check, parameter: str, value: Any) -> None:
    """Hold a value of the file to its check; in a file there is nothing that a token could stand for."""
    for one in value if isinstance(value, list) else [value]:
        if checks.is_unknown(one):
            checks.refuse(parameter, one, "a file has values that are known", "Write the value itself.")
    check(parameter, guide.ALL_REGIONS if (parameter, value) == ("regions", "ALL_REGIONS") else value)


def region(parameter: str, value: object) -> None:
    """A region to deploy to, where Pinecone's partition is."""
    checks.matching(checks.REGION, "a region looks like us-east-1", "Write the region to deploy to.")(parameter, value)
    checks.in_pinecone_partition(str(value))


def _tags(parameter: str, value: object) -> None:
    if not isinstance(value, dict):
        checks.refuse(parameter, value, "it is a mapping of names to values", "Write  name: value  lines.")
    checks.tags(parameter, value.items())


def _reasons(parameter: str, value: object) -> None:
    if not isinstance(value, dict):
        checks.refuse(parameter, value, "it is a mapping of ids to reasons", "Write  id: reason  lines.")
    for notice, reason in value.items():
        if not isinstance(notice, str) or not isinstance(reason, str) or not reason:
            raise checks.refusal("cmek.yaml", "no-reason", id=checks.printable(notice), got=checks.shown(reason))
        if instead := misspelt(notice):
            raise checks.refusal("cmek.yaml", "no-such-id", got=checks.shown(notice), instead=instead)


# What the file says of a stack beside the props of what is in it: by these checks, and two flags
_CHECKS: dict[str, checks.Check] = {"account": own_account_id, "region": region, "tags": _tags, "acknowledge": _reasons}
_OF_A_STACK: Final = [props.row(name, _CHECKS.get(name)) for name in (*_CHECKS, "bootstrap", "termination_protection")]
ROWS: Final = {row.name: row for row in (*props.CMEK, *CUSTOMERS, *_OF_A_STACK)}  # of each field


def sentence(prop: str) -> str:
    """What there is to say of a prop in the file, where a CDK object is its ARN, name or number."""
    if prop == "stacks":
        return _STACKS.says
    row = ROWS[prop]
    shape = row.shape or row.in_file
    default = f" Default: {row.default}." if row.default else ""
    return f"{row.says} {shape[0].upper()}{shape[1:]}.{default}".replace("`", "")


@dataclass(frozen=True, kw_only=True)
class StackSettings:
    """One stack: role and key for one Pinecone project, in one account and region.

    With customers it has the role alone: the keys are theirs.
    """

    region: str | None = None
    pinecone_account_id: str | None = None
    regions: list[str] | Literal["ALL_REGIONS"] | None = None
    pin_account: bool | None = None
    role: str | None = None
    role_name: str | None = None
    role_path: str | None = None
    permissions_boundary: str | None = None
    key: str | None = None
    key_access: Literal["KEY_USER", "ENCRYPT_DECRYPT"] | None = None
    key_admins: list[str] | None = None
    alias: str | None = None
    description: str | None = None
    enable_key_rotation: bool | None = None
    rotation_period: int | None = None
    multi_region: bool | None = None
    pending_window: int | None = None
    protect_used_key: int | None = None
    removal_policy: Literal["RETAIN_ON_UPDATE_OR_DELETE", "RETAIN", "DESTROY"] | None = None
    suspended: bool | None = None
    tags: dict[str, str] | None = None
    acknowledge: dict[str, str] | None = None
    bootstrap: bool | None = None
    termination_protection: bool | None = None
    # What is above may stand at the top of the file for every stack; ``null`` in a stack takes it back.
    account: str
    external_id: str | None = None
    customer_account_ids: list[str] | None = None
    customer_key_arns: list[str] | None = None

    @property
    def customers(self) -> Customers | None:
        """The customers of a vendor's role; None for a role with a key of one's own."""
        if self.customer_account_ids is None and self.customer_key_arns is None:
            return None
        return Customers(self.customer_account_ids or [], self.customer_key_arns or [])

    @property
    def trust(self) -> props.Trust:
        """Who of Pinecone may come in."""
        regions: guide.Regions = guide.ALL_REGIONS if self.regions == "ALL_REGIONS" else list(self.regions or [])
        return props.Trust(self.pinecone_account_id or "", regions, self.external_id, bool(self.pin_account))

    @property
    def access(self) -> guide.KeyAccess:
        """What the key policy lets the role do."""
        return guide.KeyAccess[self.key_access or "KEY_USER"]

    @property
    def is_suspended_by_trust(self) -> bool:
        """Whether the brake is in the role's trust policy: no key of the stack could deny the role."""
        return self.customers is not None or self.key is not None

    def denial(self, role_arn: str) -> guide.Statement:
        """The statement that cuts Pinecone off."""
        return guide.assume_role_denial() if self.is_suspended_by_trust else guide.key_denial(role_arn)

    def permissions(self) -> list[guide.Statement]:
        """The statements of all permissions policies of the role."""
        policies = self.customers.policies() if self.customers else {}
        return [one for policy in policies.values() for one in policy["Statement"]]


IN_STACK: Final = tuple(StackSettings.__dataclass_fields__)
AT_TOP: Final = (*IN_STACK[: IN_STACK.index("account")], "stacks")
