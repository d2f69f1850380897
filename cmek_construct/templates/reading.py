"""A template out of its text, in JSON or YAML, as CloudFormation reads it.

What two readers could take for two things is refused: a member that stands twice, an alias of YAML, a number that
CloudFormation takes for octal.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from cmek_construct.checks import TEMPLATE, printable

if TYPE_CHECKING:
    import yaml

SECTIONS: Final = {
    "AWSTemplateFormatVersion", "Conditions", "Description", "Globals", "Hooks", "Mappings",
    "Metadata", "Outputs", "Parameters", "Resources", "Rules", "Transform",
}  # fmt: skip
FOR_EACH: Final = "Fn::ForEach::"
_TRANSFORM: Final = "Fn::Transform"
_DEEPEST: Final = 100
S = TypeVar("S")
K = TypeVar("K", bound=Hashable)


class UnreadableError(Exception):
    """No template can be read there. The message says why."""


def parsed(text: str) -> dict[str, Any]:
    """A template out of its text; what is none is an `UnreadableError`. A stack without resources is one."""
    text = text.removeprefix("\ufeff")
    try:
        if text.lstrip()[:1] == "{":
            content = json.loads(text, object_pairs_hook=each_once, parse_constant=_no_number)
        else:
            content = _from_yaml(text)
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnreadableError(f"it is neither JSON nor YAML: {printable(' '.join(str(error).split()))}") from None
    level: list[Any] = [content] if isinstance(content, dict) else []
    for _ in range(_DEEPEST + 1):
        inside = (one for some in level for one in (some.values() if isinstance(some, dict) else some))
        level = [one for one in inside if isinstance(one, dict | list)]
    if not isinstance(content, dict) or level:
        raise UnreadableError("it is no CloudFormation template: that is one object, not nested too deeply.")
    if content and not content.keys() & SECTIONS:
        raise UnreadableError("it is no CloudFormation template: none of its members is of one.")
    resources = {} if content.get("Resources") is None else content["Resources"]
    if not isinstance(resources, dict) or not all(
        name.startswith((FOR_EACH, _TRANSFORM))
        or (isinstance(members(one).get("Type"), str) and isinstance(one.get("Properties") or {}, dict))
        for name, one in resources.items()
    ):
        raise UnreadableError("it is no CloudFormation template: each of its Resources has a Type.")
    return content


def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for index, name in enumerate(names) if name in names[:index])
        raise ValueError(f"{twice!a} stands twice in one object")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _from_yaml(text: str) -> Any:
    """A template in YAML, as it would stand in JSON."""
    import yaml  # which an app that reads JSON alone need not have

    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise ValueError(f"*{event.anchor} is an alias, which CloudFormation refuses")
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        return None if node is None else _value(node, yaml.constructor.SafeConstructor())
    except (yaml.YAMLError, LookupError, TypeError, AttributeError) as error:
        # A tag of YAML's own on what it does not fit, such as !!int '', is no YAMLError there.
        raise ValueError(str(error)) from None


def _value(node: Any, plain: yaml.constructor.SafeConstructor) -> Any:
    """A value of YAML, of ``!Sub x`` ``{"Fn::Sub": "x"}``; a date or a fraction stays the text that it is."""
    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    short = kind[1:] if kind.startswith("!") else ""
    value: Any
    if node.id == "mapping" and (short or kind == "map"):
        value = {}
        for key, one in node.value:
            if key.id != "scalar" or key.value == "<<":
                raise ValueError(f"line {key.start_mark.line + 1}: a key is a plain word")
            if key.value in value:
                raise ValueError(f"line {key.start_mark.line + 1}: {key.value!a} stands twice")
            value[key.value] = _value(one, plain)
    elif node.id == "sequence" and (short or kind == "seq"):
        value = [_value(one, plain) for one in node.value]
    elif node.id == "scalar" and (short or kind in ("timestamp", "float")):
        value = node.value.split(".", 1) if short == "GetAtt" else node.value
    elif kind == "int" and len(node.value) >= 1_000:
        raise ValueError(f"{node.value[:40]}… is longer than any number; write it in quotes")
    elif kind == "int" and re.fullmatch("0[0-7]+", str(node.value)):
        # What it looks like is what it must be, also to CloudFormation, for which 0… is octal.
        if len(node.value) >= 10:
            why = "stands without quotes and begins with 0, which CloudFormation takes for another number"
            raise ValueError(f'{node.value} {why}; write "{node.value}"')
        value = int(node.value, 8)
    else:
        value = plain.construct_object(node, deep=True)
    return {short if short in ("Ref", "Condition") else f"Fn::{short}": value} if short else value


def members(value: Any) -> Mapping[str, Any]:
    """A section, or another object; of what is none, no members."""
    return value if isinstance(value, dict) else {}


def each_of(value: Any) -> list[Any]:
    """One value, or a list of some, as a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def by(some: Iterable[S], of: Callable[[S], K]) -> dict[K, list[S]]:
    """Some by what they are of."""
    found: dict[K, list[S]] = {}
    for one in some:
        found.setdefault(of(one), []).append(one)
    return found


def objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects in a value, at any depth, each before those in it."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    for one in value if isinstance(value, list) else ():
        yield from objects(one)


def writers(value: Any) -> list[str]:
    """The members, at any depth, in whose place the deploy writes others."""
    names = (str(name) for one in objects(value) for name in one)
    return list(dict.fromkeys(name for name in names if name == _TRANSFORM or name.startswith(FOR_EACH)))


def function_of(value: Any) -> tuple[str, Any] | None:
    """The name and the argument of an intrinsic function."""
    if isinstance(value, dict) and len(value) == 1:
        [(name, argument)] = value.items()
        if name == "Ref" or str(name).startswith("Fn::"):
            return name, argument
    return None


def written(value: Any) -> str | None:
    """A text, a number or a truth value as it is written, a list with commas; None of what is none of them."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def refers(text: str, logical_id: str) -> bool:
    """Whether JSON as text refers to a resource of its own stack."""
    return re.search(rf'["{{]{re.escape(logical_id)}["}}.]', text) is not None


def text_of(path: Path, most: int = TEMPLATE) -> tuple[str, str]:
    """The text of a file in UTF-8, and the SHA-256 of its bytes.

    What cannot be read, is no text, or has more bytes than it may is an `UnreadableError`.
    """
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise UnreadableError(f"it has more than the {most:,} bytes that CloudFormation takes.")
        return content.decode("utf-8-sig"), hashlib.sha256(content).hexdigest()
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise UnreadableError(f"it is no text in UTF-8: byte {error.start:,}.") from None
    except ValueError:
        raise UnreadableError("that is no name of a file.") from None
