"""Reads cmek.yaml: entries to make stacks of, or every mistake with its line and its cure.

YAML without YAML 1.1's surprises: ``no`` stays a string and ``0123`` decimal, as in YAML 1.2. Parsed by PyYAML, by its
C parser where it has one: a thousand stacks take milliseconds.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml

from cmek_construct import checks, props
from cmek_construct.deployment.config import AT_TOP, IN_STACK, ROWS, StackSettings, judge, sentence, stack_name


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012


_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(~|null|)$"), ["~", "n", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|false)$"), ["t", "f"])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?[0-9]+$"), list("-0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^-?[0-9]+\.[0-9]+$"), list("-0123456789"))
_Loader.add_constructor("tag:yaml.org,2002:int", lambda _loader, node: int(node.value))

_PACKAGE: Final = Path(__file__).parents[1]
EXAMPLE: Final = (_PACKAGE if (_PACKAGE / "examples").exists() else _PACKAGE.parent) / "examples" / "cmek.yaml"
"""Shows what can stand in the file: the wheel has it in the package."""
Location: TypeAlias = tuple[Any, ...]  # the keys to a value, from the top of the file
Mistake: TypeAlias = tuple[Location, str]  # where something is wrong, and what to say of it


class ConfigError(ValueError):
    """cmek.yaml cannot be used: there is none, or it has mistakes, of which each has a line of the message."""


@dataclass(frozen=True, kw_only=True)
class Entry(StackSettings):
    """One stack of cmek.yaml, with what the top of the file says for all."""

    name: str
    same_external_id: tuple[str, ...] = ()  # the names of all stacks that have it, if there are others


def read_entries(path: str | Path, only: str | None = None) -> list[Entry]:
    """The entries of a file, usually ``cmek.yaml``; ``only`` those of some names, separated by commas."""
    entries = parse_entries(text_of(Path(path)), path)
    names = [entry.name for entry in entries]
    wanted = only.split(",") if only else names
    for name in wanted:
        if name not in names:
            raise ConfigError(f"{path}: stacks: got {name!r}, but the file has {checks.few(names)}. Check the name.")
    return [entry for entry in entries if entry.name in wanted]


def text_of(path: Path) -> str:
    """The text of a file, with its own line ends."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        instead = f"`cmek init` writes one; {EXAMPLE} shows what can stand in it."
        if is_of_another_app(path.parent):
            instead = (
                "This is an app of your own, and the command is for the stacks of a cmek.yaml. Here work cmek check, "
                "who, review, lock, unlock, template, customer-kit and sheet --fleet. What to paste into Pinecone are "
                "the outputs of the stack; to cut Pinecone off, suspended=True and a deploy."
            )
        raise ConfigError(f"{path}: there is no such file here. {instead}") from None
    except (OSError, UnicodeDecodeError) as error:
        why = f"{error.strerror}." if isinstance(error, OSError) else "it is not UTF-8. Save it in UTF-8."
        raise ConfigError(f"{checks.printable(path)}: cannot be read: {why}") from None


def is_of_another_app(folder: Path) -> bool:
    """Whether an app is here that does not read cmek.yaml, as far as its files say."""
    try:
        return "cmek_construct.deployment" not in (folder / "app.py").read_text(encoding="utf-8")
    except FileNotFoundError:
        return (folder / "cdk.json").exists()
    except (OSError, UnicodeDecodeError):
        return True


def parse_entries(text: str, path: str | Path) -> list[Entry]:
    """The entries of a text that stands, or is to stand, at ``path``."""
    read = YamlText(text, path)
    found = [*read.repeated(), *_of_file(read.data)]
    entries = list[Entry]()
    if not found:
        shared = {name: value for name, value in read.data.items() if name != "stacks"}
        entries = [Entry(name=name, **(shared | own)) for name, own in read.data["stacks"].items()]
        found = [*_of_stacks(entries)]
    if found:
        lines = sorted((read.line_of(location), said) for location, said in found)
        raise ConfigError("\n".join(f"{path}:{line}: {said}" for line, said in lines))
    by_id = defaultdict(list)
    for one in entries:
        by_id[one.external_id].append(one.name)
    same = {one: tuple(names) if one and len(names) > 1 else () for one, names in by_id.items()}
    return [replace(one, same_external_id=same[one.external_id]) for one in entries]


def _of_file(data: Any) -> Iterator[Mistake]:
    """What is wrong with each value by itself, and what is missing."""
    yield from _of_props((), data, AT_TOP, "stacks")
    stacks = data.get("stacks") if isinstance(data, dict) else None
    stacks = stacks if isinstance(stacks, dict) else {}
    for name, own in stacks.items():
        try:
            judge(stack_name, "stacks", name)
        except ValueError as error:
            yield ("stacks", name), str(error)
        yield from _of_props(("stacks", name), own, IN_STACK, "account")
    # What neither a stack nor the top says: once, where no stack says it.
    for prop in ("region", "pinecone_account_id", "regions"):
        mappings = {name: own for name, own in stacks.items() if isinstance(own, dict)}
        lacking = [("stacks", name) for name, own in mappings.items() if own.get(prop, data.get(prop)) is None]
        for location in [()] if lacking and len(lacking) == len(stacks) else lacking:
            words = f"it is missing, here and at the top of the file. {sentence(prop)}"
            yield location, f"{_dotted(*location, prop)}: {words}"


def _of_props(location: Location, said: Any, allowed: Sequence[str], needed: str) -> Iterator[Mistake]:
    """What is wrong with the props of a stack, or of the top of the file, by the limits of the constructor."""
    if not isinstance(said, dict):
        yield location, _no_mapping(location or ("the file",), said, "props to values")
        return
    for name, value in said.items():
        where = (*location, name)
        try:
            if name not in allowed:
                why = f"there is no such prop. {checks.nearest(checks.printable(name), allowed)}"
                if name in IN_STACK:
                    why = "it stands at the top, but each stack has its own. Move it."
                yield where, f"{_dotted(*where)}: {why}"
            elif name == "stacks" and not (value and isinstance(value, dict)):
                yield where, _no_mapping(where, value, "names to stacks")
            elif name in ROWS and (value is not None or name == needed):
                judge(ROWS[name].check, name, value)
        except ValueError as error:
            yield where, f"{_dotted(*location, '')}{error}"
    if needed not in said:
        yield (*location, needed), f"{_dotted(*location, needed)}: it is missing. {sentence(needed)}"


def _no_mapping(location: Location, value: Any, wanted: str) -> str:
    got = f"a {type(value).__name__}" if value else "nothing"
    words = f"got {got}, but it is a mapping of {wanted}, with one at least. {EXAMPLE} shows the form."
    return f"{_dotted(*location)}: {words}"


def _of_stacks(entries: Sequence[Entry]) -> Iterator[Mistake]:
    """What is wrong only when the shared and the own values are taken together, or those of several stacks."""
    taken: dict[tuple[str | None, ...], str] = {}
    for own in entries:
        name = own.name
        for problem in map(str, _problems(own)):
            yield ("stacks", name, problem.partition(":")[0]), f"stacks.{name}.{problem}"
        for prop, value, region in (  # which AWS takes once per account (roles), or per account and region (aliases)
            ("role_name", own.role_name and own.role_name.lower(), None),
            ("alias", own.alias and own.alias.removeprefix("alias/"), own.region),
        ):
            first = taken.setdefault((prop, value, own.account, region), name)
            if value is not None and first != name:
                words = f"got {value!r}, but stacks.{first} has it in the same account. Give each its own"
                yield ("stacks", name, prop), f"stacks.{name}.{prop}: {words}, or leave it out for a unique one."


def _problems(own: StackSettings) -> Iterator[ValueError]:
    yield from own.trust.problems()
    yield from props.contradictions(vars(own))
    if own.customers is not None:
        yield from own.customers.problems(own.account, own.pinecone_account_id or "")
        for prop in ("role", "key", "key_access", *(row.name for row in props.SHAPING["key"])):
            if getattr(own, prop) is not None:
                why = "it stands together with customers, but their stack makes a role of its own and no key"
                cure = f"Leave it out, or take back what the top of the file says with `{prop}: null`."
                yield ValueError(f"{prop}: {why}. {cure}")
    if own.role and own.key and own.suspended:
        why = "got True, but role and key are both given by ARN, so neither policy can be changed from here"
        yield ValueError(f"suspended: {why}. Change the key policy by hand.")


def _dotted(*path: object) -> str:
    return ".".join(map(checks.printable, path))


class YamlText:
    """A parsed document that knows where each value stands."""

    def __init__(self, text: str, path: str | Path = "") -> None:
        """Parse; a `ConfigError` says why it is no YAML that can be used, and where."""
        try:
            loader = _Loader(text)
            self._root = loader.get_single_node()
            self.data: Any = loader.construct_document(self._root) if self._root else None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            cure = "This is no YAML: check colons, quotes and indents (spaces, no tabs)."
            raise ConfigError(f"{path}:{mark.line + 1 if mark else 1}: {error.problem}. {cure}") from None
        except yaml.YAMLError as error:
            raise ConfigError(f"{path}:1: {' '.join(str(error).split())}") from None
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
            why = "a value cannot be read as the type of its !!tag, or is too large"
            raise ConfigError(f"{path}:1: {why}. Write plain values without tags.") from None

    def pair(self, *location: Any) -> tuple[Any, Any]:
        """The nodes of a key and its value; twice None where there is no such key."""
        found = (None, self._root)
        for part in location:
            pairs = found[1].value if isinstance(found[1], yaml.MappingNode) else []
            # Of two, the one that YAML takes
            found = next((pair for pair in reversed(pairs) if pair[0].value == str(part)), (None, None))
        return found

    def line_of(self, location: Location) -> int:
        """The line of a value, or of the nearest thing around it; the first line is 1."""
        key, value = self.pair(*location)
        if location and key is None:
            return self.line_of(location[:-1])
        node = key or value
        return int(node.start_mark.line) + 1 if node else 1

    def repeated(self) -> Iterator[Mistake]:
        """Keys that stand twice in one mapping, of which YAML silently takes one."""
        nodes: list[tuple[Any, tuple[str, ...]]] = [(self._root, ())]
        visited = set()
        while nodes:
            node, path = nodes.pop()
            if id(node) in visited:  # an alias of an anchor
                continue
            visited.add(id(node))
            lines: dict[tuple[str, ...], int] = {}
            for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
                where = (*path, str(key.value))
                if where in lines:
                    words = f"it stands twice, first in line {lines[where]}, and only one can count."
                    yield where, f"{_dotted(*where)}: {words} Remove or rename one of the two."
                lines.setdefault(where, key.start_mark.line + 1)
                nodes.append((value, where))
            if isinstance(node, yaml.SequenceNode):
                nodes += [(member, path) for member in node.value]
