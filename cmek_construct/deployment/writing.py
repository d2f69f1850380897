"""Writes cmek.yaml: a new one, one more stack in the one that is there, or a suspension; and the folder around it.

What cannot be written, or be added to what is there, raises a `ConfigError`.
"""

import dataclasses
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from cmek_construct.checks import printable
from cmek_construct.deployment import reading
from cmek_construct.deployment.config import IN_STACK
from cmek_construct.deployment.reading import ConfigError, Entry, YamlText, parse_entries, text_of, wrong

FILE = Path("cmek.yaml")
SCHEMA = Path("cmek_construct/deployment/cmek.schema.json")
_FOLDER: Final = ("app.py", "cdk.json", "requirements.txt", "package.json", ".gitignore")
_PLAIN: Final = re.compile(  # what is text without quotes: a word, or a UUID
    r"(?!(?i:null|true|false)$)[A-Za-z][A-Za-z0-9_/-]*|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)
_NOT_SEEN: Final = ("removal_policy", "tags", "acknowledge", "bootstrap", "termination_protection")
"""What is of the stack, not of role and key: it holds as the top of the file says."""


class NotWrittenError(ConfigError):
    """A suspension cannot be written alone into the form that the file has."""


def beside_top(props: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """The props of a stack that it has to say for itself: None takes back what the top of the file says."""
    left_out = (*_NOT_SEEN, *(["pending_window"] if "alias" in props else []))
    names = [name for name in dict.fromkeys(["account", *IN_STACK]) if name not in left_out]
    return {name: props.get(name) for name in names if props.get(name) != top.get(name)}


@cache
def to_fill_in(room: str) -> Any:
    """The files of a room that are filled in: text that stays as it is written, around what is given."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # takes its time, and few commands need it

    as_written: dict[str, Any] = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
    return Environment(loader=PackageLoader(room, ""), undefined=StrictUndefined, **as_written)  # noqa: S701 - no HTML


def rendered(file: str, **values: Any) -> str:
    """A file of this room, filled in."""
    return str(to_fill_in(__package__).get_template(file).render(values))


def _text(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if not isinstance(value, str):
        return json.dumps(value)
    quoted = value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
    return "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in quoted)


def refuse_if_there() -> None:
    if os.path.lexists(FILE):
        raise ConfigError(wrong("is-there", FILE))


def with_entry(text: str | None, name: str, props: Mapping[str, Any]) -> tuple[str, Entry]:
    """The text of cmek.yaml with a stack more, and its entry; every other byte stays.

    Without a text it is that of a new one: what `cmek init` asks for is then among the props.
    """
    if text is None:
        said, schema = {prop: _text(value) for prop, value in props.items()}, SCHEMA if SCHEMA.exists() else ""
        changed = rendered("new_folder/cmek.yaml.j2", name=name, props=said, schema=schema)
        return changed, parse_entries(changed, FILE)[0]
    before = _meaning(parse_entries(text, FILE))
    if name in before:
        raise ConfigError(f"{FILE}: {wrong('name-is-there', 'stacks', name)}")
    block = [f"{name}:", *(f"  {prop}: {_text(value)}" for prop, value in props.items())]
    changed = _with_block(text, block)
    after = _meaning(parse_entries(changed, f"{FILE}, with {name} added")) if changed else {}
    added = after.pop(name, None)
    if added is None or after != before:
        raise ConfigError(f"{FILE}: {wrong('no-place', 'stacks', block='  '.join(block))}")
    return changed, added


def _with_block(text: str, block: list[str]) -> str:
    """The text with more lines after the stacks and the comments indented like them; empty where that is no YAML."""
    _, stacks = YamlText(text).pair("stacks")
    if stacks is None or stacks.flow_style:  # none: by an explicit merge
        return ""
    first, newline = stacks.value[0][0].start_mark, "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    end = first.line
    for number, line in enumerate(lines[first.line :], first.line + 1):
        content, indent = line.strip(), len(line) - len(line.lstrip(" "))
        if content and indent < first.column and not content.startswith("#"):
            break
        if content and indent >= first.column + content.startswith("#"):
            end = number
    lines[end - 1] = lines[end - 1].rstrip("\r\n") + newline
    lines[end:end] = [" " * first.column + line + newline for line in block]
    with suppress(ConfigError):
        YamlText("".join(lines))
        return "".join(lines)
    return ""


def _meaning(entries: list[Entry]) -> dict[str, Entry]:
    """What is said of each stack, in whichever way it is said that it is not suspended."""
    return {one.name: dataclasses.replace(one, suspended=bool(one.suspended), same_external_id=()) for one in entries}


def set_suspended(name: str, value: bool, reason: str) -> bool:
    """Set ``suspended`` of a stack, with a reason, if there is one, as a comment; every other byte stays.

    False takes a line of ``true`` away, with its comment. Gives whether the file was changed: it may say so already.

    Raises:
        NotWrittenError: it is written in a way in which it cannot be set alone.
    """
    text = text_of(FILE)
    wanted = _meaning(parse_entries(text, FILE))
    if wanted[name].suspended is value:
        return False
    wanted[name] = dataclasses.replace(wanted[name], suspended=value)
    for changed in _with_suspended(text, name, value, reason):
        with suppress(ConfigError):
            if _meaning(parse_entries(changed, FILE)) == wanted:
                break
    else:
        raise NotWrittenError(f"{FILE}: {wrong('not-set', 'stacks', name, value=str(value).lower())}")
    write_whole(changed)
    return True


def _with_suspended(text: str, name: str, value: bool, reason: str) -> Iterator[str]:
    """Texts that may say it, and nothing else: where it stands or before the account, the best first."""
    yaml = YamlText(text)
    there = yaml.pair("stacks", name, "suspended") != (None, None)
    key, found = yaml.pair("stacks", name, "suspended" if there else "account")
    if key is None:  # by an explicit merge
        return
    said = str(value).lower()
    comment = f"  # {printable(' '.join(reason.split()))}" if reason else ""
    at, begin, end = key.start_mark.index, found.start_mark.index, found.end_mark.index
    line = text.rfind("\n", 0, at) + 1
    if there:
        if not value:
            yield text[:line] + text[text.find("\n", end) + 1 or len(text) :]
        goes_on = text[end:].lstrip(" ").startswith((",", "}"))
        for beside in ("",) if goes_on else (comment, ""):
            yield f"{text[:begin]}{'' if begin < end else ' '}{said}{beside}{text[end:]}"
    else:
        newline = "\r\n" if "\r\n" in text else "\n"
        for comma in ("", ","):
            yield f"{text[:at]}suspended: {said}{comma}{comment}{newline}{text[line:at]}{text[at:]}"
        yield f"{text[:at]}suspended: {said}, {text[at:]}"


def write_whole(text: str) -> None:
    """Write cmek.yaml: all of it or nothing."""
    replace(FILE.resolve(), text)


def replace(path: Path, text: str) -> None:
    """All of the new file, or all of the old; its mode stays."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(text.encode("utf-8"))
        if path.exists():
            shutil.copymode(path, draft)
        draft.replace(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}.") from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def make_folder() -> dict[str, list[str]]:
    """Write what the folder of a new cmek.yaml lacks, never over a file that is there.

    Gives which files are new, with cmek.yaml itself, and which were left as they were; none beside another app.
    """
    if reading.is_of_another_app(Path()):
        return {"new": [], "left": []}
    installed = distribution("cmek-construct")
    # What it was installed from, where that is still there: by PEP 610, as pip and uv do.
    url = json.loads(installed.read_text("direct_url.json") or "{}").get("url", "")
    origin = Path(url2pathname(urlsplit(url).path) if url.startswith("file:") else os.devnull)
    wheel = origin.name if origin.suffix == ".whl" and origin.is_file() else ""
    package = f"cmek-construct[cli] @ {url}" if origin.is_dir() else f"cmek-construct[cli]=={installed.version}"
    values = {"wheel": wheel, "package": package, "version": installed.version}
    contents = {name: rendered(f"new_folder/{name.lstrip('.')}.j2", **values).encode() for name in _FOLDER}
    new, left = [str(FILE)], list[str]()
    for name, content in (contents | ({wheel: origin.read_bytes()} if wheel else {})).items():
        try:
            with Path(name).open("xb") as file:
                file.write(content)
            new.append(name)
        except FileExistsError:
            if Path(name).is_dir() or Path(name).read_bytes() != content:
                left.append(name)
    return {"new": new, "left": left}
