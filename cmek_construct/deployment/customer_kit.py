"""The kit for a vendor's customer who knows no CDK: a template, a key policy and a page.

Its key policy is the one that `CustomerKey` makes.
"""

import json
from typing import Final

import yaml

from cmek_construct import guide
from cmek_construct.deployment.writing import rendered
from cmek_construct.guide import KeyAccess, key_policy_in_template

TEMPLATE = "customer-key.yaml"
POLICY = "key-policy.json"
PAGE = "README.md"
ACCOUNT_PLACEHOLDER = "YOUR_ACCOUNT_ID"  # where no account number is known: KMS refuses a policy that still has it
STACK_NAME = "pinecone-cmek-key"
ACCESS: Final = KeyAccess.ENCRYPT_DECRYPT  # what the key lets the role do, where nothing else is said
VENDOR: Final = "Your vendor"


class _Readable(yaml.SafeDumper):
    """YAML as a person writes it: lists indented."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def files(
    role_arn: str,
    access: KeyAccess = ACCESS,
    customer_account_id: str | None = None,
    region: str | None = None,
    vendor_name: str = VENDOR,
    template_url: str | None = None,
) -> dict[str, str]:
    """The text of each file by its name; with the template's URL in S3, a link that opens the AWS console on it."""
    owner, vendor = customer_account_id or ACCOUNT_PLACEHOLDER, role_arn.split(":")[4]
    # As JSON and back, nothing stands twice, which YAML would write as an anchor and its aliases.
    in_template = json.loads(json.dumps(key_policy_in_template(role_arn, access, "IsSuspended")))
    values = {
        "role_arn": role_arn,
        "asked_region": region,
        "vendor_name": vendor_name,
        "vendor_account_id": vendor,
        "template_url": template_url,
        "account": owner,
        "access": "" if access is ACCESS else f" --key-access {access.name}",
        "alias": f"alias/pinecone-cmek/{vendor}",
        "stack_name": STACK_NAME,
        "statements": guide.role_statements(role_arn, access),
        "denial": json.dumps(guide.key_denial(role_arn), indent=2),
        "key_policy": yaml.dump(in_template, Dumper=_Readable, sort_keys=False, width=1000),
    }
    return {
        PAGE: rendered("customer_kit.md", **values),
        TEMPLATE: rendered("customer_key.yaml", **values),
        POLICY: f"{json.dumps(guide.key_policy(owner, role_arn, access), indent=2)}\n",
    }
