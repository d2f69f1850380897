"""CloudFormation templates out of files and folders, in JSON or YAML.

What two readers could take for two things is refused: a member that stands twice, an alias of
YAML, a file that CloudFormation would not take.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from cmek_construct import checks
from cmek_construct.checks import printable
from cmek_construct.guardrails.recognition import LOOK_ALIKE
from cmek_construct.operations.reviewing.template_yaml import from_yaml
from cmek_construct.templates.reading import UnreadableError, text_of

MANIFEST: Final = "manifest.json"
STACK_SET: Final = "AWS::CloudFormation::StackSet"
_IN_FOLDERS: Final = "*.template.json"
_ASSET: Final = "asset."
_DEEPEST: Final = 100


@dataclass(frozen=True)
class Template:
    """One template, and where it was found."""

    name: str
    """The file, and the stack set within it if it stands in one. Safe to print."""
    content: dict[str, Any]
    """Its JSON. What stands in a stack set was taken out, into a template of its own."""
    account: str | None = None
    """The account of its stack, where the cloud assembly around it says that."""

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources by their logical IDs."""
        found: dict[str, dict[str, Any]] = self.content["Resources"]
        return found


@dataclass(frozen=True)
class Read:
    """What was found in all files."""

    templates: list[Template]
    problems: list[str]
    """What could not be read, each in one line."""


def read(paths: Sequence[Path]) -> Read:
    """Every template in these files and folders, and in the stack sets in them.

    Args:
        paths: files; or folders such as ``cdk.out``, of which every ``*.template.json`` is read,
            also those of nested assemblies, but none in the folder of an asset.
    """
    found = Read([], [])
    accounts = cache(_accounts)
    for path in dict.fromkeys(_files(paths, found.problems)):
        try:
            template = Template(
                printable(path), parsed(text_of(path)), accounts(path.parent).get(path)
            )
        except UnreadableError as error:
            found.problems.append(f"{printable(path)}: {error}")
            continue
        _add(template, found)
    return found


def _files(paths: Iterable[Path], problems: list[str]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = sorted(
            file
            for file in path.rglob(_IN_FOLDERS)
            if not any(part.startswith(_ASSET) for part in file.relative_to(path).parent.parts)
        )
        yield from inside
        if not inside:
            problems.append(
                f"{printable(path)}: it has no {_IN_FOLDERS}. `npx cdk synth` writes them into "
                "cdk.out; name other files one by one."
            )


def parsed(text: str) -> dict[str, Any]:
    """A template out of its text.

    Raises:
        UnreadableError: it is none.
    """
    try:
        if text.lstrip()[:1] == "{":
            content = json.loads(text, object_pairs_hook=_each_once)
        else:
            content = from_yaml(text)
    except (ValueError, LookupError, RecursionError) as error:
        reason = printable(" ".join(str(error).split()))
        raise UnreadableError(f"it is neither JSON nor YAML: {reason}") from None
    if not isinstance(content, dict) or _is_deep(content):
        raise UnreadableError("it is no CloudFormation template: that is an object, and not deep.")
    resources = content.get("Resources")
    if not isinstance(resources, dict) or not all(map(_is_resource, resources.values())):
        raise UnreadableError(
            "it is no CloudFormation template: that has Resources, each with a Type."
        )
    return content


def _accounts(folder: Path) -> dict[Path, str]:
    """The accounts of the stacks in a folder, where a cloud assembly that can be read says them."""
    if not (folder / MANIFEST).is_file():
        return {}
    try:
        artifacts = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["artifacts"]
        found = {
            folder / one["properties"]["templateFile"]: one["environment"].split("/")[2]
            for one in artifacts.values()
            if one["type"] == "aws:cloudformation:stack"
        }
    except (OSError, ValueError, LookupError, AttributeError, TypeError):
        return {}
    return {file: one for file, one in found.items() if checks.ACCOUNT_ID.fullmatch(one)}


def _is_deep(content: Any) -> bool:
    level, depth = [content], 0
    while level and depth <= _DEEPEST:
        inside = [one.values() if isinstance(one, dict) else one for one in level]
        level = [one for some in inside for one in some if isinstance(one, dict | list)]
        depth += 1
    return bool(level)


def _is_resource(resource: Any) -> bool:
    return (
        isinstance(resource, dict)
        and isinstance(resource.get("Type"), str)
        and isinstance(resource.get("Properties", {}), dict)
    )


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(name for index, (name, _) in enumerate(pairs) if name in dict(pairs[:index]))
        raise ValueError(f"{twice!a} stands twice in one object")
    return found


def _add(template: Template, found: Read) -> None:
    """A template, and those inside of its stack sets; of theirs one that is ours must be read."""
    found.templates.append(template)
    for logical_id, resource in template.resources.items():
        body = resource.get("Properties", {}).get("TemplateBody")
        if resource["Type"] != STACK_SET or body is None:
            continue
        name = f"{template.name} > {printable(logical_id)}"
        try:
            if not isinstance(body, str):
                raise UnreadableError("its TemplateBody is known to the deploy alone.")
            _add(Template(name, parsed(body)), found)
            del resource["Properties"]["TemplateBody"]
        except UnreadableError as error:
            if LOOK_ALIKE.search(json.dumps(body, default=str)):
                found.problems.append(f"{name}: {error}")
