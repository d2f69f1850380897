"""A benchmark of two different things is a lie: all apps make the same resources."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

# Our app also writes out what is KMS's default, and each app names the alias in its own way.
_COMPARED = ("AssumeRolePolicyDocument", "KeyPolicy", "EnableKeyRotation", "TargetKeyId")


def essence(output: Path) -> str:
    """What a cloud assembly deploys, whatever its parts are called.

    The types of resources, their retention, both policies to the letter but for Sids, the values of the outputs, and
    how many files each stack uploads.
    """
    stacks = [
        _essence(json.loads(template.read_text()), len(json.loads(assets.read_text())["files"]))
        for template, assets in zip(
            sorted(output.glob("*.template.json")), sorted(output.glob("*.assets.json")), strict=True
        )
    ]
    return json.dumps(stacks, indent=1, sort_keys=True)


def check_same(made: dict[str, str]) -> None:
    """Compare the first app's essence with each other one's.

    Raises:
        RuntimeError: one differs; says in which lines.
    """
    (first, wanted), *others = made.items()
    for name, found in others:
        if found != wanted:
            lines = difflib.unified_diff(wanted.splitlines(), found.splitlines(), first, name, lineterm="")
            raise RuntimeError("The apps do not make the same, so nothing is measured.\n" + "\n".join(lines))


def _essence(template: dict[str, Any], files: int) -> dict[str, Any]:
    types = {name: resource["Type"] for name, resource in template["Resources"].items()}
    resources = [
        {
            "Type": resource["Type"],
            "DeletionPolicy": resource["DeletionPolicy"],
            **{
                name: _plain(resource["Properties"][name], types)
                for name in _COMPARED
                if name in resource["Properties"]
            },
        }
        for resource in template["Resources"].values()
    ]
    return {
        "Resources": sorted(resources, key=lambda resource: str(resource["Type"])),
        "Outputs": [_plain(output["Value"], types) for output in template["Outputs"].values()],
        "files": files,
    }


def _plain(value: Any, types: dict[str, str]) -> Any:
    match value:
        case {"Ref": "AWS::Partition"}:
            return "aws"
        case {"Fn::Join": ["", parts]}:
            return "".join(_plain(part, types) for part in parts)
        case {"Fn::GetAtt": [name, "Arn"]}:
            return f"<ARN of {types[name]}>"
        case {"Statement": list(statements)}:
            return _together([_plain(statement, types) for statement in statements])
        case dict():
            return {name: _plain(inner, types) for name, inner in value.items() if name != "Sid"}
        case list():
            return [_plain(inner, types) for inner in value]
        case _:
            return value


def _together(statements: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Principals by what they may do: L2s write a statement for each of several principals."""
    principals: dict[str, list[str]] = {}
    for statement in statements:
        named = statement.pop("Principal")["AWS"]
        allowed = principals.setdefault(json.dumps(statement, sort_keys=True), [])
        allowed += named if isinstance(named, list) else [named]
    return principals
