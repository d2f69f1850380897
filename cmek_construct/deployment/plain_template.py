"""One plain CloudFormation template: role, key, alias and outputs, for people without the CDK.

What Pinecone's dialog says and who may come in are parameters. It is what `PineconeCmek` makes, synthesized once for
the guide's regions and once for all of them, and the two as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import aws_cdk as cdk

from cmek_construct.constructs.cmek import PineconeCmek
from cmek_construct.constructs.own_stage import synthesized
from cmek_construct.guide import ALL_REGIONS, PINECONE_REGIONS, Regions
from cmek_construct.in_template import NO_VALUE, only_if

_ACCOUNT: Final = "PineconeAccountId"
_EXTERNAL_ID: Final = "PineconeExternalId"
_ALL_REGIONS: Final = "AllRegions"
_CONDITIONS: Final = {region: region.title().replace("-", "") for region in PINECONE_REGIONS}
"""``us-east-1`` as a logical ID. The parameter that a condition hangs on has ``In`` before it."""


def plain_template() -> dict[str, Any]:
    """The template: it deploys as it is, by console, CLI, StackSets or Service Catalog.

    Its parameters: Pinecone's account number, the external ID, and for each region of the guide, and for all regions,
    yes or no. The alias has the stack's name.
    """
    some, every = _synthesized(PINECONE_REGIONS), _synthesized(ALL_REGIONS)
    (role,) = (one["Properties"] for one in some["Resources"].values() if one["Type"] == "AWS::IAM::Role")
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    principals = zip(_CONDITIONS.values(), statement["Principal"]["AWS"], strict=True)
    statement["Principal"]["AWS"] = [only_if(condition, principal) for condition, principal in principals]
    template: dict[str, Any] = _either(every, some)
    return template


def _either(every: Any, some: Any) -> Any:
    """Two templates as one, which asks for all regions where they differ."""
    if every == some:
        return some
    if isinstance(every, Mapping) and isinstance(some, Mapping):
        names = dict.fromkeys((*some, *every))
        return {name: _either(every.get(name, NO_VALUE), some.get(name, NO_VALUE)) for name in names}
    return only_if(_ALL_REGIONS, every, some)


def _synthesized(regions: Regions) -> dict[str, Any]:
    def make(stack: cdk.Stack) -> None:
        account = cdk.CfnParameter(
            stack,
            _ACCOUNT,
            allowed_pattern="^[0-9]{12}$",
            constraint_description="12 digits, as the Pinecone console shows them.",
            description="From the Pinecone console: Manage > CMEK > Add CMEK.",
        )
        external_id = cdk.CfnParameter(
            stack,
            _EXTERNAL_ID,
            min_length=2,
            max_length=1224,
            allowed_pattern=r"^[\w+=,.@:\/-]+$",
            constraint_description="2 to 1,224 letters, digits and the characters +=,.@:/- "
            "(by Pinecone's guide a UUID).",
            description="What Pinecone must present to assume the role: a UUID (version 4) of your own making. "
            "Pinecone stores it for good.",
        )
        _ask_for_regions(stack)
        alias = f"alias/pinecone-cmek/{cdk.Aws.STACK_NAME}"
        PineconeCmek(
            stack,
            "Default",
            pinecone_account_id=account.value_as_string,
            regions=regions,
            external_id=external_id.value_as_string,
            alias=alias,
        )

    return synthesized(make, description="Role and KMS key for a Pinecone project (CMEK)")


def _ask_for_regions(stack: cdk.Stack) -> None:
    """A yes or no for all regions and for each, the rule that wants one of them, and how the console asks."""
    asked = {_ALL_REGIONS: "Every Pinecone role, of regions to come too. The regions below then do not matter."}
    asked |= {name: f"Whether Pinecone's role of {region} may come in." for region, name in _CONDITIONS.items()}
    said = []
    for name, description in asked.items():
        parameter = cdk.CfnParameter(
            stack, f"In{name}", allowed_values=["yes", "no"], default="no", description=description
        )
        said.append(cdk.Fn.condition_equals(parameter.value_as_string, "yes"))
        cdk.CfnCondition(stack, name, expression=said[-1])
    cdk.CfnRule(stack, "AtLeastOneRegion").add_assertion(
        cdk.Fn.condition_or(*said), "Say yes to all regions, or to one of them at least."
    )
    groups = {
        "From Pinecone's dialog": {_ACCOUNT: "Pinecone's AWS account number", _EXTERNAL_ID: "External ID"},
        "Regions whose Pinecone role may come in": {f"In{_ALL_REGIONS}": "All regions"}
        | {f"In{name}": region for region, name in _CONDITIONS.items()},
    }
    labels = {name: {"default": label} for names in groups.values() for name, label in names.items()}
    listed = [{"Label": {"default": label}, "Parameters": list(names)} for label, names in groups.items()]
    interface = {"ParameterGroups": listed, "ParameterLabels": labels}
    stack.add_metadata("AWS::CloudFormation::Interface", interface)
