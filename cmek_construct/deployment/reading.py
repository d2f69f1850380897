"""Reads cmek.yaml: entries to make stacks of, or every mistake with its line and its cure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from cmek_construct.deployment import mistakes
from cmek_construct.deployment.config import Config, StackSettings
from cmek_construct.deployment.mistakes import Mistake
from cmek_construct.deployment.yaml_text import YamlText


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
        raise ConfigError(f"{path}: there is no such file here. {_instead(path.parent)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None


def _instead(folder: Path) -> str:
    """What to do where there is no cmek.yaml: in a CDK app of one's own, nothing needs one."""
    if is_of_another_app(folder):
        return (
            "This is an app of your own, and the command is for the stacks of a cmek.yaml. Here "
            "work cmek check, who, review, lock, unlock, customer-kit and sheet --fleet; to cut "
            "Pinecone off, suspended=True and a deploy."
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
    found = [*mistakes.repeated(text), *mistakes.missing(text.data)]
    try:
        config = Config.model_validate(text.data)
    except ValidationError as error:
        found += map(mistakes.said, error.errors())
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
        name: StackSettings.model_construct(
            **(shared | {field: getattr(own, field) for field in own.model_fields_set})
        )
        for name, own in config.stacks.items()
    }
    _refuse(path, text, [*mistakes.contradictions(stacks), *mistakes.collisions(stacks)])
    return _with_same_external_ids([Entry(name, own) for name, own in stacks.items()])


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


def _few(names: list[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
