"""Reads cmek.yaml: entries to make stacks of, or every mistake with its line and its cure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from cmek_construct import checks, props
from cmek_construct.deployment.config import Config, StackSettings
from cmek_construct.deployment.yaml_text import YamlText
from cmek_construct.trust import Trust

Mistake: TypeAlias = tuple[tuple[Any, ...], str]
"""Where something is wrong, as keys from the top of the file, and what to say of it."""


class ConfigError(ValueError):
    """cmek.yaml cannot be used. The message has one line per mistake."""


@dataclass(frozen=True)
class Entry:
    """One stack of cmek.yaml, with what the top of the file says for all."""

    name: str
    settings: StackSettings
    same_external_id: tuple[str, ...] = ()
    """The names of all stacks that have this one's external ID, if there are others."""


def read_entries(path: str | Path, only: str | None = None) -> list[Entry]:
    """Read the entries of a file.

    Args:
        path: the file, usually ``cmek.yaml``.
        only: names of stacks, separated by commas. Default: all.

    Raises:
        ConfigError: there is no such file, or it has mistakes; all of them are named.
    """
    return named(parse_entries(text_of(Path(path)), path), path, only)


def named(entries: list[Entry], path: str | Path, only: str | None) -> list[Entry]:
    """The entries of these names, separated by commas; all where there are none.

    Raises:
        ConfigError: the file has no entry of a name.
    """
    names = [entry.name for entry in entries]
    wanted = only.split(",") if only else names
    for name in wanted:
        if name not in names:
            raise ConfigError(f"{path}: stacks: got {name!r}, but the file has {checks.few(names)}. Check the name.")
    return [entry for entry in entries if entry.name in wanted]


def text_of(path: Path) -> str:
    """The text of a file, with its own line ends.

    Raises:
        ConfigError: it is not there, or is no text.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        instead = "`cmek init` writes one; examples/cmek.yaml shows what can stand in it."
        if is_of_another_app(path.parent):
            instead = (
                "This is an app of your own, and the command is for the stacks of a cmek.yaml. Here work cmek check, "
                "who, review, lock, unlock, customer-kit and sheet --fleet; to cut Pinecone off, suspended=True and a "
                "deploy."
            )
        raise ConfigError(f"{path}: there is no such file here. {instead}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: cannot be read: it is not UTF-8. Save it in UTF-8.") from None


def is_of_another_app(folder: Path) -> bool:
    """Whether an app is here that does not read cmek.yaml, as far as its files say."""
    app = folder / "app.py"
    if not app.exists():
        return (folder / "cdk.json").exists()
    try:
        return "cmek_construct.deployment" not in app.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return True


def parse_entries(text: str, path: str | Path) -> list[Entry]:
    """The entries of a text that stands, or is to stand, at ``path``.

    Raises:
        ConfigError: it has mistakes; all of them are named.
    """
    try:
        yaml = YamlText(text)
    except ValueError as error:
        raise ConfigError(f"{path}:{error}") from None
    found, stacks = [*_repeated(yaml), *_missing(yaml.data)], {}
    try:
        stacks = _with_shared(Config.model_validate(yaml.data))
    except ValidationError as error:
        found += map(_said, error.errors())
    found = found or [*_contradictions(stacks), *_collisions(stacks)]
    if found:
        lines = sorted((yaml.line_of(location), said) for location, said in found)
        raise ConfigError("\n".join(f"{path}:{line}: {said}" for line, said in lines))
    by_id = defaultdict(list)
    for name, own in stacks.items():
        by_id[own.external_id].append(name)
    same = {one: tuple(names) for one, names in by_id.items() if one and len(names) > 1}
    return [Entry(name, own, same.get(own.external_id, ())) for name, own in stacks.items()]


def _with_shared(config: Config) -> dict[str, StackSettings]:
    """The stacks, each with what the top of the file says for all."""
    shared = {name: getattr(config, name) for name in config.model_fields_set if name != "stacks"}
    return {
        name: StackSettings.model_construct(**(shared | {field: getattr(own, field) for field in own.model_fields_set}))
        for name, own in config.stacks.items()
    }


def _repeated(yaml: YamlText) -> Iterator[Mistake]:
    """Keys that stand twice, of which YAML silently takes one."""
    for location, first in yaml.duplicates():
        where = _dotted(*location)
        words = f"it stands twice, first in line {first}, and only one can count. Remove or rename one of the two."
        yield location, f"{where}: {words}"


def _missing(data: Any) -> Iterator[Mistake]:
    """What neither a stack nor the top of the file says: once, where no stack says it."""
    stacks = data.get("stacks") if isinstance(data, dict) else None
    own = {name: one for name, one in stacks.items() if isinstance(one, dict)} if isinstance(stacks, dict) else {}
    for prop in ("region", "pinecone_account_id", "regions"):
        lacking = [("stacks", name) for name, one in own.items() if one.get(prop, data.get(prop)) is None]
        for location in [()] if lacking and len(lacking) == len(stacks or ()) else lacking:
            words = f"it is missing, here and at the top of the file. {_purpose(prop)}"
            yield location, f"{_dotted(*location, prop)}: {words}"


def _said(problem: Any) -> Mistake:
    """What pydantic found, in the words of this library."""
    location = tuple(part for part in problem["loc"] if part != "[key]")
    *parents, last = [checks.printable(part) for part in location or ("the file",)]
    where = "".join(f"{part}." for part in parents)
    if problem["type"] == "value_error":
        words = str(problem["ctx"]["error"])
        return location, words if words.startswith("stacks:") else where + words
    if problem["type"] == "extra_forbidden":
        words = _unknown(last, in_a_stack=bool(parents))
    elif problem["type"] == "missing":
        words = f"it is missing. {_purpose(last)}"
    else:
        got = f"a {type(problem['input']).__name__}" if problem["input"] else "nothing"
        wanted = "names to stacks" if last == "stacks" else "props to values"
        words = f"got {got}, but it is a mapping of {wanted}, with one at least. examples/cmek.yaml shows the form."
    return location, f"{where}{last}: {words}"


def _unknown(prop: str, *, in_a_stack: bool) -> str:
    if not in_a_stack and prop in StackSettings.model_fields:
        return "it stands at the top, but each stack has its own. Move it."
    allowed = (StackSettings if in_a_stack else Config).model_fields
    close = get_close_matches(prop, allowed, n=1)
    hint = f"Is it {close[0]}?" if close else f"There are {', '.join(allowed)}."
    return f"there is no such prop. {hint}"


def _contradictions(stacks: Mapping[str, StackSettings]) -> Iterator[Mistake]:
    """What is wrong only when the shared and the own values are taken together."""
    for name, own in stacks.items():
        for problem in map(str, _problems(own)):
            yield ("stacks", name, problem.partition(":")[0]), f"stacks.{name}.{problem}"


def _problems(own: StackSettings) -> Iterator[ValueError]:
    trust = Trust(own.pinecone_account_id or "", own.allowed_regions, own.external_id, bool(own.pin_account))
    yield from trust.problems()
    yield from props.rotation(dict(own))
    yield from props.beside(dict(own))
    if own.customers is not None:
        yield from own.customers.problems(own.account, own.pinecone_account_id or "")
        for prop in ("role", "key", "key_access", *(row.name for row in props.SHAPING["key"])):
            if getattr(own, prop) is not None:
                yield ValueError(
                    f"{prop}: it stands together with customers, but their stack makes a role of its own and no key. "
                    f"Leave it out, or take back what the top of the file says with `{prop}: null`."
                )
    if own.role and own.key and own.suspended:
        yield ValueError(
            "suspended: got True, but role and key are both given by ARN, so neither policy can "
            "be changed from here. Change the key policy by hand."
        )


def _collisions(stacks: Mapping[str, StackSettings]) -> Iterator[Mistake]:
    """Names that AWS allows once per account (roles) or per account and region (aliases)."""
    taken: dict[tuple[str | None, ...], str] = {}
    for name, own in stacks.items():
        for prop, value, region in (
            ("role_name", own.role_name and own.role_name.lower(), None),
            ("alias", own.alias and own.alias.removeprefix("alias/"), own.region),
        ):
            first = taken.setdefault((prop, value, own.account, region), name)
            if value is not None and first != name:
                yield (
                    ("stacks", name, prop),
                    f"stacks.{name}.{prop}: got {value!r}, but stacks.{first} has it in the same account. Give each "
                    "its own, or leave it out for a unique one.",
                )


def _dotted(*path: object) -> str:
    return ".".join(map(checks.printable, path))


def _purpose(name: str) -> str:
    field = Config.model_fields.get(name) or StackSettings.model_fields[name]
    return field.description or ""
