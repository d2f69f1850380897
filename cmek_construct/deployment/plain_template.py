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
from cmek_construct.guide import ALL_REGIONS, NO_VALUE, PINECONE_REGIONS, Regions, only_if

_ACCOUNT: Final = "PineconeAccountId"
_EXTERNAL_ID: Final = "PineconeExternalId"
_ALL_REGIONS: Final = "AllRegions"


def plain_template() -> dict[str, Any]:
    """The template: it deploys as it is, by console, CLI, StackSets or Service Catalog.

    Its parameters: Pinecone's account number, the external ID, and for each region of the guide, and for all regions,
    yes or no. The alias has the stack's name.
    """
    some, every = _synthesized(PINECONE_REGIONS), _synthesized(ALL_REGIONS)
    (role,) = (
        one["Properties"]["AssumeRolePolicyDocument"]
        for one in some["Resources"].values()
        if one["Type"] == "AWS::IAM::Role"
    )
    (statement,) = role["Statement"]
    statement["Principal"]["AWS"] = [
        only_if(_condition(region), principal)
        for region, principal in zip(PINECONE_REGIONS, statement["Principal"]["AWS"], strict=True)
    ]
    template: dict[str, Any] = _either(every, some)
    return template


def _either(every: Any, some: Any) -> Any:
    """Two templates as one, which asks for all regions where they differ."""
    if every == some:
        return some
    if isinstance(every, Mapping) and isinstance(some, Mapping):
        return {
            name: _either(every.get(name, NO_VALUE), some.get(name, NO_VALUE))
            for name in dict.fromkeys((*some, *every))
        }
    return only_if(_ALL_REGIONS, every, some)


def _synthesized(regions: Regions) -> dict[str, Any]:
    def make(stack: cdk.Stack) -> None:
        account, external_id = _of_pinecone(stack)
        _of_regions(stack)
        _ask_in_order(stack)
        PineconeCmek(
            stack,
            "Default",
            pinecone_account_id=account,
            regions=regions,
            external_id=external_id,
            alias=f"alias/pinecone-cmek/{cdk.Aws.STACK_NAME}",
        )

    return synthesized(make, description="Role and KMS key for a Pinecone project (CMEK)")


def _of_pinecone(stack: cdk.Stack) -> tuple[str, str]:
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
        constraint_description=("2 to 1,224 letters, digits and the characters +=,.@:/- (by Pinecone's guide a UUID)."),
        description=(
            "What Pinecone must present to assume the role: a UUID (version 4) of your own making. "
            "Pinecone stores it for good."
        ),
    )
    return account.value_as_string, external_id.value_as_string


def _of_regions(stack: cdk.Stack) -> None:
    """A yes or no for all regions and for each, and the rule that wants one of them."""
    whole = "Every Pinecone role, of regions to come too. The regions below then do not matter."
    said = {_ALL_REGIONS: _yes_or_no(stack, _ALL_REGIONS, whole)}
    for region in PINECONE_REGIONS:
        one = f"Whether Pinecone's role of {region} may come in."
        said[_condition(region)] = _yes_or_no(stack, _condition(region), one)
    cdk.CfnRule(stack, "AtLeastOneRegion").add_assertion(
        cdk.Fn.condition_or(*said.values()), "Say yes to all regions, or to one of them at least."
    )


def _yes_or_no(stack: cdk.Stack, name: str, description: str) -> cdk.ICfnRuleConditionExpression:
    parameter = cdk.CfnParameter(
        stack, _parameter(name), allowed_values=["yes", "no"], default="no", description=description
    )
    is_yes = cdk.Fn.condition_equals(parameter.value_as_string, "yes")
    cdk.CfnCondition(stack, name, expression=is_yes)
    return is_yes


def _ask_in_order(stack: cdk.Stack) -> None:
    """How the console asks: what Pinecone's dialog says first, then who may come in."""
    regions = {_parameter(_ALL_REGIONS): "All regions"}
    regions |= {_parameter(_condition(region)): region for region in PINECONE_REGIONS}
    groups = {
        "From Pinecone's dialog": {_ACCOUNT: "Pinecone's AWS account number", _EXTERNAL_ID: "External ID"},
        "Regions whose Pinecone role may come in": regions,
    }
    stack.add_metadata(
        "AWS::CloudFormation::Interface",
        {
            "ParameterGroups": [
                {"Label": {"default": label}, "Parameters": list(names)} for label, names in groups.items()
            ],
            "ParameterLabels": {name: {"default": label} for names in groups.values() for name, label in names.items()},
        },
    )


def _condition(region: str) -> str:
    """``us-east-1`` as a logical ID."""
    return region.title().replace("-", "")


def _parameter(condition: str) -> str:
    """The parameter that a condition hangs on."""
    return f"In{condition}"
