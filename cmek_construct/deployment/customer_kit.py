"""The kit for a vendor's customer who knows no CDK: a template, a key policy and a page.

Its key policy is the one that `CustomerKey` makes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from string import Template
from textwrap import indent
from typing import Any
from urllib.parse import urlencode

import yaml

from cmek_construct import guide
from cmek_construct.guide import KeyAccess, key_policy_in_template

TEMPLATE = "customer-key.yaml"
POLICY = "key-policy.json"
PAGE = "README.md"
ACCOUNT_PLACEHOLDER = "YOUR_ACCOUNT_ID"
"""Stands where no account number is known. KMS refuses a policy that still has it."""
REGION_PLACEHOLDER = "REGION"
STACK_NAME = "pinecone-cmek-key"


@dataclass(frozen=True)
class Kit:
    """What a kit is made of."""

    role_arn: str
    """Of the vendor's role."""
    key_access: KeyAccess = KeyAccess.ENCRYPT_DECRYPT
    customer_account_id: str | None = None
    region: str | None = None
    """Of the key, where the vendor says it."""
    vendor_name: str = "Your vendor"
    template_url: str | None = None
    """Where the vendor has put the template in S3, for a link that opens the AWS console on it."""

    @property
    def vendor_account_id(self) -> str:
        """The account of the role."""
        return self.role_arn.split(":")[4]

    @property
    def alias(self) -> str:
        """The alias that the template proposes."""
        return f"alias/pinecone-cmek/{self.vendor_account_id}"

    @property
    def quick_create(self) -> str:
        """The paragraph with the link to CloudFormation's quick-create page, if there is one."""
        if self.template_url is None:
            return ""
        stack = urlencode({"templateURL": self.template_url, "stackName": STACK_NAME})
        region = f"?region={self.region}" if self.region else ""
        place = f"https://console.aws.amazon.com/cloudformation/home{region}"
        return (
            f"Or open [CloudFormation's quick-create page]({place}#/stacks/create/review?{stack}), "
            "with the template filled in: compare it with `customer-key.yaml`, and click **Create "
            "stack**.\n\n"
        )

    def files(self) -> dict[str, str]:
        """The text of each file by its name."""
        return {PAGE: page(self), TEMPLATE: template_text(self), POLICY: policy_text(self)}


class _Readable(yaml.SafeDumper):
    """YAML as a person writes it: no anchors, and lists indented."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def template_text(kit: Kit) -> str:
    """The CloudFormation template, in YAML: key, alias and output."""
    policy = key_policy_in_template(kit.role_arn, kit.key_access, "IsSuspended")
    text = yaml.dump(policy, Dumper=_Readable, sort_keys=False, width=1000)
    return _text("customer_key.yaml").substitute(
        role_arn=kit.role_arn, alias=kit.alias, key_policy=indent(text, " " * 8).rstrip()
    )


def policy_text(kit: Kit) -> str:
    """The key policy alone, for a key that is there already."""
    owner = kit.customer_account_id or ACCOUNT_PLACEHOLDER
    return _json(guide.key_policy(owner, kit.role_arn, kit.key_access))


def page(kit: Kit) -> str:
    """The page that explains the kit to the customer."""
    statements = guide.role_statements(kit.role_arn, kit.key_access)
    return _text("customer_kit.md").substitute(
        role_arn=kit.role_arn,
        vendor=kit.vendor_name,
        quick_create=kit.quick_create,
        vendor_account_id=kit.vendor_account_id,
        account=kit.customer_account_id or ACCOUNT_PLACEHOLDER,
        key_access="" if kit.key_access is Kit.key_access else f" --key-access {kit.key_access.name}",
        region=kit.region or REGION_PLACEHOLDER,
        region_note=f"Your vendor asks for `{kit.region}`."
        if kit.region
        else f"Ask the vendor for it, such as `us-east-1`, and write it in place of `{REGION_PLACEHOLDER}` below.",
        alias=kit.alias,
        stack_name=STACK_NAME,
        sids=" and ".join(f"`{statement['Sid']}`" for statement in statements),
        actions="\n".join(
            f"- `{action}`{', only through an AWS service' * ('Condition' in statement)}"
            for statement in statements
            for action in statement["Action"]
        ),
        denial=_json(guide.key_denial(kit.role_arn)).rstrip(),
    )


def _text(name: str) -> Template:
    return Template(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _json(data: Any) -> str:
    return json.dumps(data, indent=2) + "\n"
