"""YAML with line numbers, and without YAML 1.1's surprises.

``no`` stays a string and ``0123`` decimal, as in YAML 1.2. Parsed by PyYAML, by its C parser where it has one: a
thousand stacks take milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
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


class YamlText:
    """A parsed document that knows where each value stands."""

    def __init__(self, text: str) -> None:
        """Parse.

        Raises:
            ValueError: it is no YAML; begins with the line.
        """
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

    def way(self, location: tuple[Any, ...]) -> list[tuple[Any, Any]]:
        """The nodes of key and value of each step to a value, as far as there is one."""
        found: list[tuple[Any, Any]] = []
        for part in location:
            node = found[-1][1] if found else self._root
            pairs = node.value if isinstance(node, yaml.MappingNode) else []
            named = [pair for pair in pairs if pair[0].value == str(part)]
            if not named:
                break
            found.append(named[-1])  # of two, the one that YAML takes
        return found

    def pair(self, *location: str) -> tuple[Any, Any] | None:
        """The nodes of a key and its value; None where there is no such key."""
        way = self.way(location)
        return way[-1] if len(way) == len(location) else None

    def line_of(self, location: tuple[Any, ...]) -> int:
        """The line of a value, or of the nearest thing around it; the first line is 1."""
        nodes = [key for key, _ in self.way(location)] or [self._root]
        return int(nodes[-1].start_mark.line) + 1 if nodes[-1] else 1

    def duplicates(self) -> Iterator[tuple[tuple[str, ...], int]]:
        """Keys that stand twice in one mapping: the path, and the line of the first."""
        nodes: list[tuple[Any, tuple[str, ...]]] = [(self._root, ())]
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
