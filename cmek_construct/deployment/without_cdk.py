"""What people without the CDK are given: a plain template for anybody, and the kit for a vendor's customer.

The plain template has role, key, alias and outputs. What Pinecone's dialog says and who may come in are parameters. It
is what `PineconeCmek` makes, synthesized once for the guide's regions and once for all of them, and the two as one,
with what `plain_template.yaml` asks around it.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import yaml

from cmek_construct import guide
from cmek_construct.deployment.writing import rendered
from cmek_construct.guide import ALL_REGIONS, NO_VALUE, PINECONE_REGIONS, KeyAccess, Regions, only_if

# By the condition under which each may come in: ``us-east-1`` as a logical ID. ``In`` and it is the parameter
_REGIONS: Final = {region.title().replace("-", ""): region for region in PINECONE_REGIONS}
# The kit's files, and what it says where nothing else is asked for
TEMPLATE, POLICY, PAGE = "customer-key.yaml", "key-policy.json", "README.md"
ACCESS: Final = KeyAccess.ENCRYPT_DECRYPT  # what the key lets the role do, where nothing else is said
VENDOR: Final = "Your vendor"


def plain_template() -> dict[str, Any]:
    """The template: it deploys as it is, by console, CLI, StackSets or Service Catalog. The alias has the stack's name.

    Its parameters: Pinecone's account number, the external ID, and yes or no for each region of the guide and for all.
    """
    some, every = _synthesized(PINECONE_REGIONS), _synthesized(ALL_REGIONS)
    (role,) = (one["Properties"] for one in some["Resources"].values() if one["Type"] == "AWS::IAM::Role")
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    principals = zip(_REGIONS, statement["Principal"]["AWS"], strict=True)
    statement["Principal"]["AWS"] = [only_if(condition, principal) for condition, principal in principals]
    made: dict[str, Any] = _either(every, some)
    around = yaml.safe_load(rendered("plain_template.yaml", regions=_REGIONS))
    around["Metadata"] |= made.pop("Metadata")
    return {"Description": made.pop("Description"), **around, **made}


def _either(every: Any, some: Any) -> Any:
    """Two templates as one, which asks for all regions where they differ."""
    if every == some:
        return some
    if isinstance(every, Mapping) and isinstance(some, Mapping):
        names = dict.fromkeys((*some, *every))
        return {name: _either(every.get(name, NO_VALUE), some.get(name, NO_VALUE)) for name in names}
    return only_if("AllRegions", every, some)


def _synthesized(regions: Regions) -> dict[str, Any]:
    import aws_cdk as cdk  # starts Node, for which the kit does not wait

    from cmek_construct.constructs.cmek import PineconeCmek
    from cmek_construct.constructs.own_stage import synthesized

    def make(stack: cdk.Stack) -> None:
        stack.template_options.description = "Role and KMS key for a Pinecone project (CMEK)"
        account, its_id = cdk.Fn.ref("PineconeAccountId"), cdk.Fn.ref("PineconeExternalId")
        alias = f"alias/pinecone-cmek/{cdk.Aws.STACK_NAME}"
        PineconeCmek(stack, "Default", pinecone_account_id=account, regions=regions, external_id=its_id, alias=alias)

    return synthesized(make, region=None, flags={})


class _Readable(yaml.SafeDumper):
    """YAML as a person writes it: lists indented."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def customer_kit(
    role_arn: str,
    access: KeyAccess = ACCESS,
    customer_account_id: str | None = None,
    region: str | None = None,
    vendor_name: str = VENDOR,
    template_url: str | None = None,
) -> dict[str, str]:
    """What a vendor sends to a customer: a template, a key policy and a page; the text of each file by its name.

    The key policy is the one that `CustomerKey` makes. With the template's URL in S3, the page has a link that opens
    the AWS console on it.
    """
    owner = customer_account_id or "YOUR_ACCOUNT_ID"  # KMS refuses a policy that still has it
    vendor = role_arn.split(":")[4]
    # As JSON and back, nothing stands twice, which YAML would write as an anchor and its aliases.
    in_template = json.loads(json.dumps(guide.key_policy_in_template(role_arn, access, "IsSuspended")))
    values = {
        "role_arn": role_arn,
        "asked_region": region,
        "vendor_name": vendor_name,
        "vendor_account_id": vendor,
        "template_url": template_url,
        "account": owner,
        "access": "" if access is ACCESS else f" --key-access {access.name}",
        "alias": f"alias/pinecone-cmek/{vendor}",
        "statements": guide.role_statements(role_arn, access),
        "denial": json.dumps(guide.key_denial(role_arn), indent=2),
        "key_policy": yaml.dump(in_template, Dumper=_Readable, sort_keys=False, width=1000),
    }
    return {
        PAGE: rendered("customer_kit.md", **values),
        TEMPLATE: rendered("customer_key.yaml", **values),
        POLICY: f"{json.dumps(guide.key_policy(owner, role_arn, access), indent=2)}\n",
    }
