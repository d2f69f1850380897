"""YAML as CloudFormation reads it: its short tags, and no value that YAML makes of another."""

from __future__ import annotations

import re
from typing import Any

import yaml


def from_yaml(text: str) -> Any:
    """A template in YAML, as it would stand in JSON.

    Raises:
        ValueError: it is no YAML, or none that CloudFormation takes.
    """
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise ValueError(f"*{event.anchor} is an alias, which CloudFormation refuses")
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, LookupError, TypeError, AttributeError) as error:
        # A tag of YAML's own on what it does not fit, such as !!int '', is no YAMLError there.
        raise ValueError(str(error)) from None


class _Loader(yaml.CSafeLoader):
    """A safe loader: of tags it knows those of CloudFormation and the plain ones of YAML."""


def _short(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    """``!Sub x`` as ``{"Fn::Sub": "x"}``."""
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        value = value.split(".", 1) if suffix == "GetAtt" else value
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = _mapping(loader, node)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


def _mapping(loader: _Loader, node: yaml.Node) -> dict[str, Any]:
    if not isinstance(node, yaml.MappingNode):
        raise yaml.constructor.ConstructorError(None, None, "a mapping", node.start_mark)
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode) or key_node.value == "<<":
            raise ValueError(f"line {line}: a key is a plain word")
        if key_node.value in found:
            raise ValueError(f"line {line}: {key_node.value!a} stands twice")
        found[key_node.value] = loader.construct_object(value_node, deep=True)
    return found


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


def _number(loader: _Loader, node: yaml.ScalarNode) -> Any:
    """A number without quotes: what it looks like is what it must be, also to CloudFormation, for which 0… is octal."""
    text = _text(loader, node)
    if not re.fullmatch("0[0-7]+", text):
        return loader.construct_yaml_int(node)
    if len(text) >= 10:
        raise ValueError(
            f"{text} stands without quotes and begins with 0, which CloudFormation takes for "
            f'another number; write "{text}"'
        )
    return int(text, 8)


_Loader.add_multi_constructor("!", _short)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
for _kind, _make in {"timestamp": _text, "int": _number, "float": _text}.items():
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _make)
