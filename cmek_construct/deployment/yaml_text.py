"""YAML with line numbers, and without YAML 1.1's surprises.

``no`` stays a string and ``0123`` decimal, as in YAML 1.2. Parsed by PyYAML, by its C parser where it has one: a
thousand stacks take milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

_FastLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_FastLoader):  # type: ignore[misc]
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012


for _tag, _pattern, _first in (
    ("null", r"~|null|", ["~", "n", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"-?[0-9]+", list("-0123456789")),
    ("float", r"-?[0-9]+\.[0-9]+", list("-0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)
_Loader.add_constructor("tag:yaml.org,2002:int", lambda _loader, node: int(node.value))


@dataclass(frozen=True)
class Pair:
    """Where a key and its value stand in a text: begin and end, in characters."""

    key: tuple[int, int]
    value: tuple[int, int]
    in_flow: bool
    """Whether they stand between braces."""


class YamlText:
    """A parsed document that knows where each value stands."""

    def __init__(self, text: str) -> None:
        """Parse.

        Raises:
            ValueError: it is no YAML; begins with the line.
        """
        self._lines = text.splitlines()
        try:
            loader = _Loader(text)
            self._root = loader.get_single_node()
            self.data: Any = loader.construct_document(self._root) if self._root else None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            raise ValueError(
                f"{line}: {error.problem}. This is no YAML: check colons, quotes and indents (spaces, no tabs)."
            ) from None
        except yaml.YAMLError as error:
            raise ValueError(f"1: {' '.join(str(error).split())}") from None
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
            raise ValueError(
                "1: a value cannot be read as the type of its !!tag, or is too large. Write plain values without tags."
            ) from None

    def _way(self, location: tuple[Any, ...]) -> Iterator[tuple[Any, Any, Any]]:
        """Each step to a value, as far as there is one: what it stands in, its key, and itself."""
        node = self._root
        for part in location:
            if not isinstance(node, yaml.MappingNode):
                return
            pairs = [pair for pair in node.value if pair[0].value == str(part)]
            if not pairs:
                return
            key, value = pairs[-1]  # of two, the one that YAML takes
            yield node, key, value
            node = value

    def line_of(self, location: tuple[Any, ...]) -> int:
        """The line of a value, or of the nearest thing around it; the first line is 1."""
        marks = [self._root.start_mark] if self._root else []
        marks += [key.start_mark for _, key, _ in self._way(location)]
        return int(marks[-1].line) + 1 if marks else 1

    def duplicates(self) -> Iterator[tuple[tuple[str, ...], int]]:
        """Keys that stand twice in one mapping: the path, and the line of the first."""
        nodes: list[tuple[Any, tuple[str, ...]]] = [(self._root, ())] if self._root else []
        visited = set()
        while nodes:
            node, path = nodes.pop()
            if id(node) in visited:  # an alias of an anchor
                continue
            visited.add(id(node))
            if isinstance(node, yaml.MappingNode):
                lines: dict[str, int] = {}
                for key, value in node.value:
                    name = str(key.value)
                    if name in lines:
                        yield (*path, name), lines[name]
                    lines.setdefault(name, key.start_mark.line + 1)
                    nodes.append((value, (*path, name)))
            elif isinstance(node, yaml.SequenceNode):
                nodes.extend((member, path) for member in node.value)

    def pair(self, location: tuple[str, ...]) -> Pair | None:
        """Where a key and its value stand; None where there is no such key in a mapping."""
        way = list(self._way(location))
        if len(way) < len(location):
            return None
        mapping, key, value = way[-1]
        return Pair(
            (key.start_mark.index, key.end_mark.index),
            (value.start_mark.index, value.end_mark.index),
            bool(mapping.flow_style),
        )

    def end_of(self, name: str) -> tuple[int, int] | None:
        """Where a mapping at the top can be continued, if it is written with indents.

        Returns:
            The number of lines up to the end of its last value, with the comments that are
            indented like its content; and the column of its keys.
        """
        node = self._root
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        block = next((value for key, value in pairs if key.value == name), None)
        if not isinstance(block, yaml.MappingNode) or block.flow_style or not block.value:
            return None
        column = block.value[0][0].start_mark.column
        leaf = block
        while isinstance(leaf, yaml.CollectionNode) and not leaf.flow_style:
            last = leaf.value[-1]
            leaf = last[1] if isinstance(last, tuple) else last
        end = leaf.end_mark.line + (leaf.end_mark.column > 0)
        for line in self._lines[end:]:
            indent = len(line) - len(line.lstrip(" "))
            if not line.lstrip(" ").startswith("#") or indent <= column:
                break
            end += 1
        return end, column
