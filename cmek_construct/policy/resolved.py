"""A policy as CDK resolves it, before there is a template: does it surely allow what is needed?"""

from __future__ import annotations

import json
from typing import Any

from cmek_construct.policy.comparing import short
from cmek_construct.policy.patterns import CannotBeJudged
from cmek_construct.policy.statements import read
from cmek_construct.policy.text import canonical


def surely_allows(document: Any, need: Any) -> bool:
    """Whether a trust policy surely allows all that another one does, whatever the deploy fills in.

    Args:
        document: the policy, as resolved by CDK: CloudFormation's functions are JSON in it.
        need: the other one, resolved beside it.
    """
    own, needed = (read(_with_holes(one), "trust", texts=canonical) for one in (document, need))
    try:
        return not short(own, needed)
    except CannotBeJudged:
        return False


def _with_holes(value: Any) -> Any:
    """A document with CloudFormation's functions as holes, each named by its own JSON."""
    if isinstance(value, list):
        return [_with_holes(one) for one in value]
    if isinstance(value, str):
        return value.replace("${", "${!")
    if not isinstance(value, dict):
        return value
    if list(value) == ["Fn::Join"] and isinstance(value["Fn::Join"][1], list):
        between, parts = value["Fn::Join"]
        return between.join(map(_with_holes, parts))
    if any(name == "Ref" or name.startswith("Fn::") for name in value):
        return f"${{{json.dumps(value)}".replace("}", ")") + "}"
    return {name: _with_holes(one) for name, one in value.items()}
