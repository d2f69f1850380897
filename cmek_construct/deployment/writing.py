"""Writes cmek.yaml: a new one, one more stack in the one that is there, or a suspension.

External IDs are minted here and nowhere else, once, into the file.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from cmek_construct.checks import printable
from cmek_construct.deployment.config import Settings, StackSettings
from cmek_construct.deployment.reading import ConfigError, Entry, parse_entries, text_of
from cmek_construct.deployment.yaml_text import YamlText

FILE = Path("cmek.yaml")
SCHEMA = Path("cmek_construct/deployment/cmek.schema.json")

_FIRST_LINE = f"# yaml-language-server: $schema={SCHEMA}\n"

_NEW_FILE = """\
{schema}# One stack per Pinecone project: a role and a KMS key in one AWS account and region. With
# customer_account_ids it is a vendor's role, for the keys of its customers.
# The top holds for all stacks, and a stack overrides it. Every key is in docs/reference/props.md of
# cmek-construct.

# Pinecone's AWS account number: Pinecone console, Manage > CMEK > Add CMEK.
pinecone_account_id: {pinecone_account_id}

# The regions whose Pinecone role may assume the role, or ALL_REGIONS.
regions: {regions}

# The AWS region of the keys.
region: {region}

stacks:
  # The name is the stack's, for good: another name is another key.
  {name}:
    account: {account}
"""

_ASKED: Final = ("pinecone_account_id", "regions", "region", "account")
_COMMENTS: Final = {
    "external_id": ["Made once for this stack. Pinecone stores it: never change it."],
    "customer_account_ids": [
        "Accounts of customers whose keys the role may use: the stack makes the role alone. When the",
        "last one leaves, leave [] here: without the line, the stack would make a key.",
    ],
}
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_/-]*|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What is text without quotes: a word, or a UUID."""
_WORDS: Final = ("null", "true", "false")
_NOT_SEEN: Final = ("removal_policy", "tags", "acknowledge", "bootstrap", "termination_protection")
"""What is of the stack, not of role and key: it holds as the top of the file says."""


class NotWrittenError(ConfigError):
    """A suspension cannot be written alone into the form that the file has."""

    def __init__(self, name: str, line: str) -> None:
        super().__init__(
            f"{FILE}: stacks.{name}: it is written in a way in which suspended cannot be set "
            f"without changing the rest. Write by hand into it:  {line}  and run this again."
        )
        self.line = line
        """To be written by hand."""


def mint_external_id() -> str:
    """A new external ID: a UUID v4, as the guide asks."""
    return str(uuid.uuid4())


def beside_top(props: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """The props that a stack has to say for itself: None takes back what the top of the file says.

    Args:
        props: of the stack.
        top: what the file says for all stacks.
    """
    shared = {name: value for name, value in top.items() if name in Settings.model_fields}
    left_out = (*_NOT_SEEN, *(["pending_window"] if "alias" in props else []))
    return {
        name: props.get(name)
        for name in dict.fromkeys(["account", *StackSettings.model_fields])
        if name not in left_out and props.get(name) != shared.get(name)
    }


def _text(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if not isinstance(value, str) or (_PLAIN.fullmatch(value) and value.lower() not in _WORDS):
        return value if isinstance(value, str) else json.dumps(value)
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in quoted)


def new_text(name: str, props: Mapping[str, Any]) -> str:
    """The text of a new cmek.yaml with one stack.

    Args:
        name: of the stack.
        props: what it says; what `cmek init` asks for is among them.
    """
    lines = [
        f"    {line}\n"
        for prop in (one for one in props if one not in _ASKED)
        for line in (*(f"# {one}" for one in _COMMENTS.get(prop, [])), _line(prop, props[prop]))
    ]
    first = {prop: _text(props[prop]) for prop in _ASKED}
    schema = _FIRST_LINE if SCHEMA.exists() else ""
    return _NEW_FILE.format(schema=schema, name=name, **first) + "".join(lines)


def write_new(text: str) -> None:
    """Write cmek.yaml into the current folder.

    Raises:
        ConfigError: there is one already.
    """
    try:
        with FILE.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        refuse_if_there()
        raise


def refuse_if_there() -> None:
    """Keep a file that is there.

    Raises:
        ConfigError: it is there.
    """
    if os.path.lexists(FILE):
        raise ConfigError(
            f"{FILE}: it is there already, and is never overwritten: its external IDs are in use. "
            "`cmek add` adds a stack to it."
        )


def with_entry(text: str, name: str, props: Mapping[str, Any]) -> str:
    """The text of cmek.yaml with a stack more; every other byte stays.

    Args:
        text: of the file.
        name: of the stack.
        props: what it says.

    Raises:
        ConfigError: it has mistakes, it has the name already, or it is written in a way that cannot be continued.
    """
    entries = parse_entries(text, FILE)
    if any(entry.name == name for entry in entries):
        raise ConfigError(
            f"{FILE}: stacks.{name}: it is there already. Choose another name: a stack's role and "
            "key are for one Pinecone project."
        )
    block = [f"{name}:", *(f"  {_line(*one)}" for one in props.items())]
    changed = _with_block(text, block)
    if changed is None or _others(parse_entries(changed, f"{FILE}, with {name} added"), name) != _others(entries, name):
        raise ConfigError(
            f"{FILE}: stacks: they are not written one below the other, so none can be added "
            "without changing the rest. Add by hand:  " + "  ".join(block)
        )
    return changed


def write_whole(text: str) -> None:
    """Write cmek.yaml: all of it or nothing."""
    replace(FILE.resolve(), text)


def _line(prop: str, value: Any) -> str:
    return f"{prop}: {_text(value)}"


def set_suspended(name: str, value: bool, reason: str) -> bool:
    """Set ``suspended`` of one stack in cmek.yaml; every other byte of the file stays.

    Args:
        name: of the stack.
        value: what it is to be. False takes a line of ``true`` away, with its comment.
        reason: is written beside it, as a comment; empty for none.

    Returns:
        Whether the file was changed: it is not if it says so already.

    Raises:
        ConfigError: there is no such file or stack, or the file has mistakes.
        NotWrittenError: it is written in a way in which it cannot be set alone.
    """
    path = FILE.resolve()
    text = text_of(FILE)
    entries = parse_entries(text, FILE)
    own = next((entry.settings for entry in entries if entry.name == name), None)
    if own is None:
        raise ConfigError(f"{FILE}: stacks.{name}: there is no such stack. Check the name.")
    if bool(own.suspended) is value:
        return False
    for changed in _with_suspended(text, name, value, reason):
        if _is_only_change(entries, changed, name, value):
            replace(path, changed)
            return True
    raise NotWrittenError(name, _line("suspended", value))


def _with_suspended(text: str, name: str, value: bool, reason: str) -> Iterator[str]:
    """The text with it set, where it stands or before the account, the shortest first."""
    yaml = YamlText(text)
    there = yaml.pair(("stacks", name, "suspended"))
    pair = there or yaml.pair(("stacks", name, "account"))
    if pair is None:
        return
    word = str(value).lower()
    comment = f"  # {printable(' '.join(reason.split()))}" if reason else ""
    line = text.rfind("\n", 0, pair.key[0]) + 1
    is_first = not text[line : pair.key[0]].strip(" ")
    if there is not None:
        begin, end = pair.value
        is_alone = is_first and not pair.in_flow and "\n" not in text[pair.key[0] : begin]
        if not value and is_alone and text[begin:end] == "true":
            after = text.find("\n", end) + 1 or len(text)
            yield text[:line] + text[after:]
        word = word if begin < end else f" {word}"
        yield f"{text[:begin]}{word}{'' if pair.in_flow else comment}{text[end:]}"
    elif not is_first:
        yield f"{text[: pair.key[0]]}suspended: {word}, {text[pair.key[0] :]}"
    else:
        newline = "\r\n" if "\r\n" in text else "\n"
        comma = "," if pair.in_flow else ""
        indent = text[line : pair.key[0]]
        yield f"{text[:line]}{indent}suspended: {word}{comma}{comment}{newline}{text[line:]}"


def _is_only_change(entries: list[Entry], changed: str, name: str, value: bool) -> bool:
    """Whether a changed text says all that the entries say, but for one stack's ``suspended``."""
    try:
        after = parse_entries(changed, FILE)
    except ConfigError:
        return False
    own = next(entry.settings for entry in entries if entry.name == name)
    new = next((entry.settings for entry in after if entry.name == name), None)
    if new is None or bool(new.suspended) is not value:
        return False
    same = own.model_copy(update={"suspended": new.suspended}) == new
    in_order = [entry.name for entry in entries] == [entry.name for entry in after]
    return same and in_order and _others(entries, name) == _others(after, name)


def _with_block(text: str, block: list[str]) -> str | None:
    place = YamlText(text).end_of("stacks")
    if place is None:
        return None
    end, column = place
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    if not lines[end - 1].endswith(("\n", "\r")):
        lines[end - 1] += newline
    added = [" " * column + line + newline for line in block]
    return "".join([*lines[:end], *added, *lines[end:]])


def _others(entries: list[Entry], name: str) -> list[tuple[str, StackSettings]]:
    return [(entry.name, entry.settings) for entry in entries if entry.name != name]


def replace(path: Path, text: str) -> None:
    """All of the new file, or all of the old; its mode stays.

    Raises:
        ConfigError: it cannot be written.
    """
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
