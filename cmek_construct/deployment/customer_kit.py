"""The kit for a vendor's customer who knows no CDK: a template, a key policy and a page.

Its key policy is the one that `CustomerKey` makes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import yaml

from cmek_construct import guide
from cmek_construct.deployment.writing import rendered
from cmek_construct.guide import KeyAccess, key_policy_in_template

TEMPLATE = "customer-key.yaml"
POLICY = "key-policy.json"
PAGE = "README.md"
ACCOUNT_PLACEHOLDER = "YOUR_ACCOUNT_ID"  # where no account number is known: KMS refuses a policy that still has it
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

    role_arn: str  # of the vendor's role
    key_access: KeyAccess = KeyAccess.ENCRYPT_DECRYPT
    customer_account_id: str | None = None
    region: str | None = None  # of the key, where the vendor says it
    vendor_name: str = "Your vendor"
    template_url: str | None = None  # of the template in S3, for a link that opens the AWS console on it

    @property
    def vendor_account_id(self) -> str:
        return self.role_arn.split(":")[4]

    def files(self) -> dict[str, str]:
        """The text of each file by its name."""
        role, access = self.role_arn, self.key_access
        owner = self.customer_account_id or ACCOUNT_PLACEHOLDER
        in_template = key_policy_in_template(role, access, "IsSuspended")
        values = {
            "kit": self,
            "account": owner,
            "access": "" if access is Kit.key_access else f" --key-access {access.name}",
            "alias": f"alias/pinecone-cmek/{self.vendor_account_id}",
            "stack_name": STACK_NAME,
            "statements": guide.role_statements(role, access),
            "denial": json.dumps(guide.key_denial(role), indent=2),
            "key_policy": yaml.dump(in_template, Dumper=_Readable, sort_keys=False, width=1000),
        }
        return {
            PAGE: rendered("customer_kit.md", **values),
            TEMPLATE: rendered("customer_key.yaml", **values),
            POLICY: f"{json.dumps(guide.key_policy(owner, role, access), indent=2)}\n",
        }
