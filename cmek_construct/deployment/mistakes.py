"""Every mistake that can stand in cmek.yaml, where it stands, and its cure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from cmek_construct import checks, props
from cmek_construct.deployment.config import Config, StackSettings
from cmek_construct.deployment.yaml_text import YamlText
from cmek_construct.trust import Trust


@dataclass(frozen=True)
class Mistake:
    """Where something is wrong, as keys from the top of the file, and what to say of it."""

    location: tuple[Any, ...]
    said: str


def repeated(text: YamlText) -> Iterator[Mistake]:
    """Keys that stand twice, of which YAML silently takes one."""
    for location, first in text.duplicates():
        yield Mistake(
            location,
            f"{_dotted(*location)}: it stands twice, first in line {first}, and only one can "
            "count. Remove or rename one of the two.",
        )


def missing(data: Any) -> Iterator[Mistake]:
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
                f"{_dotted(*location, prop)}: it is missing, here and at the top of the file. "
                f"{_purpose(prop)}",
            )


def said(problem: Any) -> Mistake:
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


def contradictions(stacks: Mapping[str, StackSettings]) -> Iterator[Mistake]:
    """What is wrong only when the shared and the own values are taken together."""
    for name, own in stacks.items():
        for problem in _contradictions(own):
            words = str(problem)
            location = ("stacks", name, words.partition(":")[0])
            yield Mistake(location, f"stacks.{name}.{words}")


def _contradictions(settings: StackSettings) -> Iterator[ValueError]:
    trust = Trust(
        settings.pinecone_account_id or "",
        settings.allowed_regions,
        settings.external_id,
        bool(settings.pin_account),
    )
    yield from trust.problems()
    yield from props.rotation(dict(settings))
    yield from props.beside(dict(settings))
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
                f"{prop}: it stands together with customers, but their stack makes a role of its "
                "own and no key. Leave it out, or take back what the top of the file says with "
                f"`{prop}: null`."
            )


def collisions(stacks: Mapping[str, StackSettings]) -> Iterator[Mistake]:
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
