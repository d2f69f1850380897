"""Which role `cdk bootstrap` made for looking things up in the account of a stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

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
    environment = f"aws://{account}/{region}"
    for name, found in _in_assembly(Path(out) if isinstance(out, str) else Path("cdk.out")):
        arn = str(found.get("arn", "")).replace("${AWS::Partition}", "aws")
        if name == (stack, environment) and arn.startswith(f"arn:aws:iam::{account}:role/"):
            return LookupRole(arn, found.get("assumeRoleExternalId"))
    context = cdk.get("context")
    qualifier = context.get(_QUALIFIER) if isinstance(context, dict) else None
    role = f"cdk-{qualifier or _DEFAULT}-lookup-role-{account}-{region}"
    return LookupRole(f"arn:aws:iam::{account}:role/{role}")


def _in_assembly(folder: Path) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    """The lookup roles of the stacks of an assembly and of its stages."""
    artifacts = _json(folder / "manifest.json").get("artifacts")
    for name, artifact in artifacts.items() if isinstance(artifacts, dict) else ():
        one = artifact if isinstance(artifact, dict) else {}
        properties = one.get("properties")
        own = properties if isinstance(properties, dict) else {}
        if one.get("type") == "cdk:cloud-assembly" and isinstance(own.get("directoryName"), str):
            yield from _in_assembly(folder / own["directoryName"])
        if isinstance(own.get("lookupRole"), dict):
            place = str(own.get("stackName", name)), str(one.get("environment"))
            yield place, own["lookupRole"]


def _json(path: Path) -> dict[str, Any]:
    """A JSON object in a file; an empty one where there is none."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
