"""The kit for a vendor's customer who knows no CDK: a template, a key policy and a page.

Its key policy is the one that `CustomerKey` makes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from textwrap import indent
from typing import Any
from urllib.parse import urlencode

import yaml

from cmek_construct import guide
from cmek_construct.deployment.writing import template_of
from cmek_construct.guide import KeyAccess
from cmek_construct.in_template import key_policy_in_template

TEMPLATE = "customer-key.yaml"
POLICY = "key-policy.json"
PAGE = "README.md"
ACCOUNT_PLACEHOLDER = "YOUR_ACCOUNT_ID"
"""Stands where no account number is known. KMS refuses a policy that still has it."""
REGION_PLACEHOLDER = "REGION"
STACK_NAME = "pinecone-cmek-key"


class _Readable(yaml.SafeDumper):
    """YAML as a person writes it: no anchors, and lists indented."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


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
        return self.role_arn.split(":")[4]

    def files(self) -> dict[str, str]:
        """The text of each file by its name."""
        role, access, owner = self.role_arn, self.key_access, self.customer_account_id or ACCOUNT_PLACEHOLDER
        alias = f"alias/pinecone-cmek/{self.vendor_account_id}"
        policy = yaml.dump(
            key_policy_in_template(role, access, "IsSuspended"), Dumper=_Readable, sort_keys=False, width=1000
        )
        return {
            PAGE: self._page(owner, alias),
            TEMPLATE: template_of("customer_key.yaml").substitute(
                role_arn=role, alias=alias, key_policy=indent(policy, " " * 8).rstrip()
            ),
            POLICY: f"{json.dumps(guide.key_policy(owner, role, access), indent=2)}\n",
        }

    def _page(self, owner: str, alias: str) -> str:
        """What explains the kit to the customer."""
        statements = guide.role_statements(self.role_arn, self.key_access)
        region_note = (
            f"Ask the vendor for it, such as `us-east-1`, and write it in place of `{REGION_PLACEHOLDER}` below."
        )
        return template_of("customer_kit.md").substitute(
            role_arn=self.role_arn,
            vendor=self.vendor_name,
            quick_create=self._quick_create(),
            vendor_account_id=self.vendor_account_id,
            account=owner,
            key_access="" if self.key_access is Kit.key_access else f" --key-access {self.key_access.name}",
            region=self.region or REGION_PLACEHOLDER,
            region_note=f"Your vendor asks for `{self.region}`." if self.region else region_note,
            alias=alias,
            stack_name=STACK_NAME,
            sids=" and ".join(f"`{statement['Sid']}`" for statement in statements),
            actions="\n".join(
                f"- `{action}`{', only through an AWS service' * ('Condition' in statement)}"
                for statement in statements
                for action in statement["Action"]
            ),
            denial=json.dumps(guide.key_denial(self.role_arn), indent=2),
        )

    def _quick_create(self) -> str:
        """The paragraph with the link to CloudFormation's quick-create page, if there is one."""
        if self.template_url is None:
            return ""
        stack = urlencode({"templateURL": self.template_url, "stackName": STACK_NAME})
        region = f"?region={self.region}" if self.region else ""
        place = f"https://console.aws.amazon.com/cloudformation/home{region}#/stacks/create/review?{stack}"
        return (
            f"Or open [CloudFormation's quick-create page]({place}), with the template filled in: compare it with "
            "`customer-key.yaml`, and click **Create stack**.\n\n"
        )
