"""The one way in which this library warns."""

from __future__ import annotations

from collections.abc import Iterable

import aws_cdk as cdk
from constructs import IConstruct

from cmek_construct.notices import Notice


def warn(construct: IConstruct, notices: Iterable[Notice]) -> None:
    """Put warnings on a construct: `cdk synth` and `cdk deploy` print them."""
    for notice in notices:
        cdk.Validations.of(construct).add_warning(notice.id, notice.message)
