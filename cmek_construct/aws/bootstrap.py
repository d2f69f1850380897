"""Which role `cdk bootstrap` made for looking things up in the account of a stack."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cmek_construct.templates.files import MANIFEST
from cmek_construct.templates.reading import members

_CDK_JSON: Final = Path("cdk.json")
_QUALIFIER: Final = "@aws-cdk/core:bootstrapQualifier"
_DEFAULT: Final = "hnb659fds"


@dataclass(frozen=True)
class LookupRole:
    """A role that may read."""

    arn: str
    external_id: str | None = None


def lookup_role(stack: str, account: str, region: str) -> LookupRole:
    """The one that the cloud assembly in this folder names, else the one of the app's qualifier.

    Args:
        stack: its name.
        account: of the stack.
        region: of the stack.
    """
    cdk = _json(_CDK_JSON)
    out = cdk.get("output")
    place = stack, f"aws://{account}/{region}"
    for where, found in _in_assembly(Path(out) if isinstance(out, str) else Path("cdk.out")):
        arn = str(found.get("arn", "")).replace("${AWS::Partition}", "aws")
        if where == place and arn.startswith(f"arn:aws:iam::{account}:role/"):
            return LookupRole(arn, found.get("assumeRoleExternalId"))
    qualifier = members(cdk.get("context")).get(_QUALIFIER) or _DEFAULT
    return LookupRole(f"arn:aws:iam::{account}:role/cdk-{qualifier}-lookup-role-{account}-{region}")


def _in_assembly(folder: Path) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
    """The lookup roles of the stacks of an assembly and of its stages."""
    for name, artifact in members(_json(folder / MANIFEST).get("artifacts")).items():
        one = members(artifact)
        own = members(one.get("properties"))
        if one.get("type") == "cdk:cloud-assembly" and isinstance(own.get("directoryName"), str):
            yield from _in_assembly(folder / own["directoryName"])
        if members(own.get("lookupRole")):
            place = str(own.get("stackName", name)), str(one.get("environment"))
            yield place, own["lookupRole"]


def _json(path: Path) -> Mapping[str, Any]:
    """A JSON object in a file; an empty one where there is none."""
    try:
        return members(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError):
        return {}
