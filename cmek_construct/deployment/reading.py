"""Reads cmek.yaml: entries to make stacks of, or every mistake with its line and its cure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cmek_construct import checks, props
from cmek_construct.deployment.config import Config, StackSettings
from cmek_construct.deployment.yaml_text import YamlText
from cmek_construct.trust import Trust


class ConfigError(ValueError):
    """cmek.yaml cannot be used. The message has one line per mistake."""


@dataclass(frozen=True)
class Mistake:
    """Where something is wrong, as keys from the top of the file, and what to say of it."""

    location: tuple[Any, ...]
    said: str


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


def parse_entries(text: str, path: str | Path) -> list[Entry]:
    """The entries of a text that stands, or is to stand, at ``path``.

    Raises:
        ConfigError: it has mistakes; all of them are named.
    """
    return _share_and_check(Path(path), *_parse(text, Path(path)))


def text_of(path: Path) -> str:
    """The text of a file, with its own line ends.

    Raises:
        ConfigError: it is not there, or is no text.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file here. {_instead(path.parent)}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: cannot be read: it is not UTF-8. Save it in UTF-8.") from None


def _instead(folder: Path) -> str:
    """What to do where there is no cmek.yaml: in a CDK app of one's own, nothing needs one."""
    if is_of_another_app(folder):
        return (
            "This is an app of your own, and the command is for the stacks of a cmek.yaml. Here work cmek check, who, "
            "review, lock, unlock, customer-kit and sheet --fleet; to cut Pinecone off, suspended=True and a deploy."
        )
    return "`cmek init` writes one; examples/cmek.yaml shows what can stand in it."


def is_of_another_app(folder: Path) -> bool:
    """Whether an app is here that does not read cmek.yaml, as far as its files say."""
    app = folder / "app.py"
    if not app.exists():
        return (folder / "cdk.json").exists()
    try:
        return "cmek_construct.deployment" not in app.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return True


def _parse(source: str, path: Path) -> tuple[YamlText, Config]:
    try:
        text = YamlText(source)
    except ValueError as error:
        raise ConfigError(f"{path}:{error}") from None
    found = [*_repeated(text), *_missing(text.data)]
    try:
        config = Config.model_validate(text.data)
    except ValidationError as error:
        found += map(_said, error.errors())
    _refuse(path, text, found)
    return text, config


def _refuse(path: Path, text: YamlText, found: list[Mistake]) -> None:
    """Raise all that is wrong, in the order of the lines."""
    lines = sorted((text.line_of(mistake.location), mistake.said) for mistake in found)
    if lines:
        raise ConfigError("\n".join(f"{path}:{line}: {said}" for line, said in lines))


def _share_and_check(path: Path, text: YamlText, config: Config) -> list[Entry]:
    shared = {name: getattr(config, name) for name in config.model_fields_set if name != "stacks"}
    stacks = {
        name: StackSettings.model_construct(**(shared | {field: getattr(own, field) for field in own.model_fields_set}))
        for name, own in config.stacks.items()
    }
    _refuse(path, text, [*_taken_together(stacks), *_collisions(stacks)])
    by_id = defaultdict(list)
    for name, own in stacks.items():
        by_id[own.external_id or ""].append(name)
    same = {one: tuple(names) for one, names in by_id.items() if one and len(names) > 1}
    return [Entry(name, own, same.get(own.external_id or "", ())) for name, own in stacks.items()]


def _repeated(text: YamlText) -> Iterator[Mistake]:
    """Keys that stand twice, of which YAML silently takes one."""
    for location, first in text.duplicates():
        yield Mistake(
            location,
            f"{_dotted(*location)}: it stands twice, first in line {first}, and only one can "
            "count. Remove or rename one of the two.",
        )


def _missing(data: Any) -> Iterator[Mistake]:
    """What neither a stack nor the top of the file says: once, where no stack says it."""
    stacks = data.get("stacks") if isinstance(data, dict) else None
    if not isinstance(stacks, dict):
        return
    for prop in ("region", "pinecone_account_id", "regions"):
        lacking = [
            ("stacks", name)
            for name, own in stacks.items()
            if isinstance(own, dict) and own.get(prop, data.get(prop)) is None
        ]
        everywhere = lacking and len(lacking) == len(stacks)
        for location in [()] if everywhere else lacking:
            yield Mistake(
                location,
                f"{_dotted(*location, prop)}: it is missing, here and at the top of the file. {_purpose(prop)}",
            )


def _said(problem: Any) -> Mistake:
    """What pydantic found, in the words of this library."""
    location = tuple(part for part in problem["loc"] if part != "[key]")
    *parents, last = [checks.printable(part) for part in location or ("the file",)]
    where = "".join(f"{part}." for part in parents)
    if problem["type"] == "value_error":
        words = str(problem["ctx"]["error"])
        return Mistake(location, words if words.startswith("stacks:") else where + words)
    if problem["type"] == "extra_forbidden":
        return Mistake(location, f"{where}{last}: {_unknown(last, in_a_stack=bool(parents))}")
    if problem["type"] == "missing":
        return Mistake(location, f"{where}{last}: it is missing. {_purpose(last)}")
    wanted = "names to stacks" if last == "stacks" else "props to values"
    return Mistake(
        location,
        f"{where}{last}: got {_kind(problem['input'])}, but it is a mapping of {wanted}, with one "
        "at least. examples/cmek.yaml shows the form.",
    )


def _unknown(prop: str, *, in_a_stack: bool) -> str:
    if not in_a_stack and prop in StackSettings.model_fields:
        return "it stands at the top, but each stack has its own. Move it."
    allowed = (StackSettings if in_a_stack else Config).model_fields
    close = get_close_matches(prop, allowed, n=1)
    hint = f"Is it {close[0]}?" if close else f"There are {', '.join(allowed)}."
    return f"there is no such prop. {hint}"


def _taken_together(stacks: Mapping[str, StackSettings]) -> Iterator[Mistake]:
    """What is wrong only when the shared and the own values are taken together."""
    for name, own in stacks.items():
        for problem in _contradictions(own):
            words = str(problem)
            location = ("stacks", name, words.partition(":")[0])
            yield Mistake(location, f"stacks.{name}.{words}")


def _contradictions(settings: StackSettings) -> Iterator[ValueError]:
    trust = Trust(
        settings.pinecone_account_id or "", settings.allowed_regions, settings.external_id, bool(settings.pin_account)
    )
    yield from trust.problems()
    yield from props.contradictions(dict(settings))
    yield from _of_a_vendor(settings)
    if settings.role and settings.key and settings.suspended:
        yield ValueError(
            "suspended: got True, but role and key are both given by ARN, so neither policy can "
            "be changed from here. Change the key policy by hand."
        )


def _of_a_vendor(settings: StackSettings) -> Iterator[ValueError]:
    """A vendor's stack is a role: the keys are made by its customers."""
    if settings.customers is None:
        return
    yield from settings.customers.problems(settings.account, settings.pinecone_account_id or "")
    shaping = [row.name for row in props.SHAPING["key"]]
    for prop in ("role", "key", "key_access", *shaping):
        if getattr(settings, prop) is not None:
            yield ValueError(
                f"{prop}: it stands together with customers, but their stack makes a role of its own and no key. Leave "
                f"it out, or take back what the top of the file says with `{prop}: null`."
            )


def _collisions(stacks: Mapping[str, StackSettings]) -> Iterator[Mistake]:
    """Names that AWS allows once per account (roles) or per account and region (aliases)."""
    taken: dict[tuple[str, ...], str] = {}
    for name, own in stacks.items():
        for prop, value, place in (
            ("role_name", own.role_name and own.role_name.lower(), (own.account,)),
            ("alias", own.alias and own.alias.removeprefix("alias/"), (own.account, own.region)),
        ):
            if value is None:
                continue
            first = taken.setdefault((prop, value, *map(str, place)), name)
            if first != name:
                yield Mistake(
                    ("stacks", name, prop),
                    f"stacks.{name}.{prop}: got {value!r}, but stacks.{first} has it in the same "
                    "account. Give each its own, or leave it out for a unique one.",
                )


def _dotted(*path: object) -> str:
    return ".".join(map(checks.printable, path))


def _purpose(name: str) -> str:
    field = Config.model_fields.get(name) or StackSettings.model_fields[name]
    return field.description or ""


def _kind(value: object) -> str:
    return "nothing" if not value else f"a {type(value).__name__}"
