"""Reads cmek.yaml: entries to make stacks of, or every mistake with its line and its cure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cmek_construct import checks
from cmek_construct.deployment.config import Config, StackSettings
from cmek_construct.deployment.yaml_text import YamlText
from cmek_construct.trust import Trust


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
    entries = parse_entries(text_of(Path(path)), path)
    names = [entry.name for entry in entries]
    wanted = only.split(",") if only else names
    for name in wanted:
        if name not in names:
            raise ConfigError(
                f"{path}: stacks: got {name!r}, but the file has {_few(names)}. Check the name."
            )
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
        raise ConfigError(
            f"{path}: there is no such file here. `cmek init` writes one; examples/cmek.yaml "
            "shows what can stand in it."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None


def _parse(source: str, path: Path) -> tuple[YamlText, Config]:
    try:
        text = YamlText(source)
    except ValueError as error:
        raise ConfigError(f"{path}:{error}") from None
    problems = [
        f"{path}:{line}: {_dotted(*name)}: it stands here and in line "
        f"{first}, and only one can count. Remove or rename one of the two."
        for line, first, name in text.duplicates()
    ] + [
        f"{path}:{text.line_of(location)}: {_dotted(*location, prop)}: it is missing, here and at "
        f"the top of the file. {_purpose(prop)}"
        for location, prop in _missing(text.data)
    ]
    try:
        config = Config.model_validate(text.data)
    except ValidationError as error:
        problems += [_said(path, text, problem) for problem in error.errors()]
    if problems:
        raise ConfigError("\n".join(problems))
    return text, config


def _missing(data: Any) -> Iterator[tuple[tuple[Any, ...], str]]:
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
        everywhere = len(lacking) == len(stacks)
        for location in [("stacks",)] if lacking and everywhere else lacking:
            yield location, prop


def _said(path: Path, text: YamlText, problem: Any) -> str:
    """What pydantic found, in the words of this library."""
    location = tuple(part for part in problem["loc"] if part != "[key]")
    line = text.line_of(location)
    *parents, last = [checks.printable(part) for part in location or ("the file",)]
    where = "".join(f"{part}." for part in parents)
    if problem["type"] == "value_error":
        said = str(problem["ctx"]["error"])
        return f"{path}:{line}: {'' if said.startswith('stacks:') else where}{said}"
    if problem["type"] == "extra_forbidden" and not parents and last in StackSettings.model_fields:
        return f"{path}:{line}: {last}: it stands at the top, but each stack has its own. Move it."
    if problem["type"] == "extra_forbidden":
        allowed = StackSettings if parents else Config
        close = get_close_matches(last, allowed.model_fields, n=1)
        hint = f"Is it {close[0]}?" if close else f"There are {', '.join(allowed.model_fields)}."
        return f"{path}:{line}: {where}{last}: there is no such prop. {hint}"
    if problem["type"] == "missing":
        return f"{path}:{line}: {where}{last}: it is missing. {_purpose(last)}"
    wanted = "names to stacks" if last == "stacks" else "props to values"
    return (
        f"{path}:{line}: {where}{last}: got {_kind(problem['input'])}, but it is a mapping of "
        f"{wanted}, with one at least. examples/cmek.yaml shows the form."
    )


def _share_and_check(path: Path, text: YamlText, config: Config) -> list[Entry]:
    shared = {name: getattr(config, name) for name in config.model_fields_set if name != "stacks"}
    entries = [
        Entry(
            name,
            StackSettings.model_construct(
                **(shared | {field: getattr(own, field) for field in own.model_fields_set})
            ),
        )
        for name, own in config.stacks.items()
    ]
    wrong = [
        (entry.name, said) for entry in entries for said in _contradictions(entry.settings)
    ] + list(_collisions(entries))
    if wrong:
        raise ConfigError(
            "\n".join(
                f"{path}:{text.line_of(('stacks', name, said.partition(':')[0]))}: "
                f"stacks.{name}.{said}"
                for name, said in wrong
            )
        )
    return _with_same_external_ids(entries)


def _contradictions(settings: StackSettings) -> Iterator[str]:
    """What is wrong only when the shared and the own values are taken together."""
    trust = Trust(
        settings.pinecone_account_id or "",
        settings.allowed_regions,
        settings.external_id,
        bool(settings.pin_account),
    )
    problems = [
        *checks.trust(trust.external_id, trust.regions, trust.pin_account),
        *checks.rotation(settings.enable_key_rotation, settings.rotation_period),
        *_props_of_the_given(settings),
    ]
    try:
        checks.trust_policy_size(trust.known_size())
    except ValueError as error:
        problems.append(error)
    yield from map(str, problems)


def _props_of_the_given(settings: StackSettings) -> Iterator[ValueError]:
    def shaping(*names: str) -> dict[str, Any]:
        return {name: getattr(settings, name) for name in names}

    if settings.role is not None:
        yield from checks.only_for_new(
            "role", **shaping("role_name", "role_path", "permissions_boundary")
        )
    if settings.key is not None:
        yield from checks.only_for_new(
            "key",
            **shaping(
                "key_admins",
                "alias",
                "description",
                "enable_key_rotation",
                "rotation_period",
                "multi_region",
                "pending_window",
            ),
        )
    if settings.role is not None and settings.key is not None:
        yield from checks.only_for_new("role and key", **shaping("removal_policy"))
        if settings.suspended:
            yield ValueError(
                "suspended: got True, but role and key are both given by ARN, so neither policy "
                "can be changed from here. Change the key policy by hand."
            )


def _collisions(entries: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    """Names that AWS allows once per account (roles) or per account and region (aliases)."""
    taken: dict[tuple[str, ...], str] = {}
    for entry in entries:
        own = entry.settings
        for prop, value, place in (
            ("role_name", own.role_name and own.role_name.lower(), (own.account,)),
            ("alias", own.alias and own.alias.removeprefix("alias/"), (own.account, own.region)),
        ):
            if value is None:
                continue
            first = taken.setdefault((prop, value, *map(str, place)), entry.name)
            if first != entry.name:
                yield (
                    entry.name,
                    f"{prop}: got {value!r}, but stacks.{first} has it in the same account. Give "
                    "each its own, or leave it out for a unique one.",
                )


def _with_same_external_ids(entries: list[Entry]) -> list[Entry]:
    names = defaultdict(list)
    for entry in entries:
        names[entry.settings.external_id].append(entry.name)
    return [
        Entry(entry.name, entry.settings, tuple(names[entry.settings.external_id]))
        if entry.settings.external_id is not None and len(names[entry.settings.external_id]) > 1
        else entry
        for entry in entries
    ]


def _purpose(name: str) -> str:
    field = Config.model_fields.get(name) or StackSettings.model_fields[name]
    return field.description or ""


def _dotted(*path: object) -> str:
    return ".".join(map(checks.printable, path))


def _kind(value: object) -> str:
    return "nothing" if not value else f"a {type(value).__name__}"


def _few(names: list[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
