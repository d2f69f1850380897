"""The stacks of a cloud assembly: where each goes, and every role and key in its template.

Those in nested stacks and in stack sets count with the stack, under the ID of what they stand in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cmek_construct.lock.identity import (
    REPLACING_STACK_SET,
    STACK_SET,
    Identity,
    identity_of,
    values_of,
)
from cmek_construct.lock.model import Place

MANIFEST: Final = "manifest.json"
_STACK: Final = "aws:cloudformation:stack"
_NESTED: Final = "AWS::CloudFormation::Stack"


@dataclass(frozen=True)
class Part:
    """One template of a stack: its own, that of a nested stack, or that in a stack set."""

    file: Path
    """The file in which it stands."""
    template: Mapping[str, Any]
    within: tuple[str, ...] = ()
    """The logical IDs of the nested stacks and stack sets around it."""
    stack_set: Mapping[str, str] = field(default_factory=dict)
    """The identity of the stack set around it."""

    def resource(self, logical_id: str) -> str:
        """The name of a resource of this part in the lock."""
        return "/".join((*self.within, logical_id))

    def identities(self) -> dict[str, Identity]:
        """Every role and key of this part."""
        found = {
            self.resource(logical_id): identity_of(resource, self.stack_set)
            for logical_id, resource in _resources(self.template).items()
        }
        return {name: identity for name, identity in found.items() if identity is not None}


@dataclass(frozen=True)
class Synthesized:
    """One stack."""

    place: Place
    parts: tuple[Part, ...]

    @property
    def file(self) -> Path:
        """The file of its template."""
        return self.parts[0].file

    def identities(self) -> dict[str, Identity]:
        """Every role and key of the stack."""
        return {name: one for part in self.parts for name, one in part.identities().items()}


def places(folder: Path) -> dict[Path, Place]:
    """The template files of the stacks of a cloud assembly, and where each goes."""
    found = {}
    for artifact_id, artifact in _json(folder / MANIFEST).get("artifacts", {}).items():
        properties = artifact.get("properties", {})
        if artifact.get("type") == _STACK and properties.get("templateFile"):
            account, _, region = artifact["environment"].removeprefix("aws://").partition("/")
            stack = properties.get("stackName", artifact_id)
            found[folder / properties["templateFile"]] = Place.of(stack, account, region)
    return found


def read(file: Path, place: Place) -> Synthesized:
    """A stack of a cloud assembly."""
    return synthesized(file, place, _json(file))


def synthesized(file: Path, place: Place, template: Mapping[str, Any]) -> Synthesized:
    """A stack out of its template."""
    return Synthesized(place, tuple(_parts(Part(file, template), _nested_templates(file))))


def _parts(part: Part, nested: Mapping[str, Path]) -> Iterator[Part]:
    yield part
    for logical_id, resource in _resources(part.template).items():
        within = (*part.within, logical_id)
        if resource.get("Type") == _NESTED:
            url = json.dumps(resource.get("Properties"))
            for file in {file for asset, file in nested.items() if asset in url}:
                yield from _parts(Part(file, _json(file), within, part.stack_set), nested)
        if resource.get("Type") == STACK_SET:
            stack_set = values_of(resource, REPLACING_STACK_SET)
            yield Part(part.file, _body(resource), within, stack_set)


def _nested_templates(file: Path) -> dict[str, Path]:
    """The templates of nested stacks, by the hashes that their URLs carry."""
    assets = file.with_name(file.name.replace(".template.json", ".assets.json"))
    if assets == file or not assets.is_file():
        return {}
    sources = {
        asset: one.get("source", {}).get("path", "")
        for asset, one in _json(assets).get("files", {}).items()
    }
    return {
        asset: file.with_name(path)
        for asset, path in sources.items()
        if path.endswith(".nested.template.json")
    }


def _body(stack_set: Mapping[str, Any]) -> dict[str, Any]:
    body = (stack_set.get("Properties") or {}).get("TemplateBody")
    try:
        found = json.loads(body) if isinstance(body, str) else None
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}


def _resources(template: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    resources = template.get("Resources")
    if not isinstance(resources, dict):
        return {}
    return {name: one for name, one in resources.items() if isinstance(one, dict)}


def _json(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found
