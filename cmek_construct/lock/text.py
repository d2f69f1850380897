"""What a lock holds, and its text: one line a thing, each says all, so any merge of them is right.

``STACK ACCOUNT REGION RESOURCE WHAT VALUE``, the value in JSON. The stack stands in every line for the sake of merges:
git may put the lines of two branches between each other. A line may stand twice; two lines that contradict each other
are refused.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from cmek_construct import templates
from cmek_construct.checks import ACCOUNT_ID, REGION, STACK_NAME, printable
from cmek_construct.rows import rows
from cmek_construct.templates.choices import OTHER_VALUE
from cmek_construct.templates.files import STACK_SET
from cmek_construct.templates.reading import each_of
from cmek_construct.templates.stacks import KEY, KEYS, ROLE

FILE: Final = "cmek.lock"
FORMAT: Final = 2
HEADER: Final = f"""\
# What Pinecone stores for good: the external ID, and what role and key would be replaced by.
# `cmek lock` writes this file and `cmek unlock` takes a role or key out of force, with a reason.
# Commit it. Comments are not kept.
format = {FORMAT}
"""
_LINE: Final = re.compile(r"(\S+) (\S+) (\S+) (\S+) (\S+) (.+)")
_FORMAT: Final = re.compile(r"format = ([0-9]{1,9})")
_DEPLOYED: Final = ("Arn", "RoleId")
_NOTES: Final = ("Unlocked", "History", "Gone")
ANY_ACCOUNT: Final = "any-account"
ANY_REGION: Final = "any-region"
CONDITION: Final = "Condition"  # the cases in which a resource is there, if not in all: else CloudFormation drops it
OF_ACCOUNT: Final = "account"  # in place of a type, for an account or an organizational unit that a stack set is for
BY_DEFAULT: Final = {
    "KeySpec": "SYMMETRIC_DEFAULT",
    "KeyUsage": "ENCRYPT_DECRYPT",
    "Origin": "AWS_KMS",
    "MultiRegion": "false",
}
"""What a property of a key is where it is not set. Source: its page in CloudFormation's guide."""
WORDS: Final = {ROLE: "role", **dict.fromkeys(KEYS, "key"), STACK_SET: "stack set", OF_ACCOUNT: "deployment target"}
"""All that can be locked: by type, what a message calls it."""
RESOURCE: Final = re.compile(r"[A-Za-z0-9]{1,255}(/[A-Za-z0-9]{1,255})*(/(ou|r)-[a-z0-9-]{4,68})?")
"""A logical ID, or an account or unit of a stack set, after those of what it is nested in."""
_FORMS: Final = (
    STACK_NAME,
    re.compile(f"{ANY_ACCOUNT}|{ACCOUNT_ID.pattern}"),
    re.compile(f"{ANY_REGION}|{REGION.pattern}"),
    RESOURCE,
    re.compile("|".join((*WORDS, *_NOTES))),
)
"""Of the parts of a line before its value."""


class LockError(ValueError):
    """The lock cannot be used. The message has one line for each fault, and the way out."""


class Place(NamedTuple):
    """A stack by its name, account and region, as far as the app knows them."""

    stack: str
    account: str = ANY_ACCOUNT
    region: str = ANY_REGION

    @classmethod
    def of(cls, stack: str, account: str | None, region: str | None) -> "Place":
        """The place of a stack; account and region where they are told."""
        return cls(stack, account or ANY_ACCOUNT, region or ANY_REGION)

    @classmethod
    def of_top(cls, top: templates.Stack) -> "Place":
        """The place of a stack of a run; a template by itself counts as that of its file's name."""
        one = top.template
        return cls.of(one.stack or one.file.name.partition(".")[0], one.account, one.region)

    @property
    def is_told(self) -> bool:
        """Whether the app says both account and region."""
        return self.account != ANY_ACCOUNT and self.region != ANY_REGION

    def may_be(self, other: "Place") -> bool:
        """Whether both can be one stack."""
        pairs = zip(self[1:], other[1:], strict=True)
        return self.stack == other.stack and all(a == b or {a, b} & {ANY_ACCOUNT, ANY_REGION} for a, b in pairs)

    def __str__(self) -> str:
        return self.stack if self == Place(self.stack) else f"{self.stack} ({self.account}, {self.region})"


@dataclass(frozen=True)
class Locked:
    """One role, key, stack set, or what a set is for, with what makes it the one that Pinecone stores."""

    type: str
    values: Mapping[str, Any]  # by name, of JSON. What is not set has no name here.
    deployed: Mapping[str, str] = field(default_factory=dict)  # what AWS calls it: ``Arn``, of a role ``RoleId`` too
    unlocked: tuple[str, ...] = ()
    """Date and reason of whoever unlocked it, since when no change is refused; of both, if two branches did."""
    history: tuple[str, ...] = ()  # what it was before, and why it was changed
    gone: str = ""  # the date on which its stack, which was deployed, was seen to be gone

    @property
    def word(self) -> str:
        """``role``, ``key``, ``stack set`` or ``deployment target``."""
        return WORDS[self.type]

    def differences(self, other: "Locked") -> list[tuple[str, str, str]]:
        """Name, own value and the other's value of what is not the same.

        In more cases than there were it may be another; but where one case stands for all other values, it is. What a
        case came of is no matter where nothing hangs on it any more.
        """
        if self.type != other.type:
            return [("Type", self.type, other.type)]
        found, text = [], _in_json(self.values)
        for name in dict.fromkeys([*self.values, *other.values]):
            was, now = self.values.get(name), other.values.get(name)
            cases = _by_case(name, was)
            is_kept = cases.items() <= _by_case(name, now).items() and not any(OTHER_VALUE in case for case in cases)
            is_source = " " in name and f"${{{name.rpartition(' ')[2]}" not in text
            is_over = now is None and (is_source or (name == CONDITION and isinstance(was, list)))
            if self._meant(name) != other._meant(name) and not (cases and is_kept) and not is_over:
                found.append((name, _in_json(was), _in_json(now)))
        return found

    def _meant(self, name: str) -> Any:
        """A value as AWS takes it: of a key also what is not set, and a truth value in any case."""
        value = self.values.get(name, BY_DEFAULT.get(name) if self.type == KEY else None)
        return value.lower() if name == "MultiRegion" and isinstance(value, str) else value


def _by_case(name: str, value: Any) -> Mapping[str, Any]:
    """A value that is told case by case; nothing of one that is not, or that says itself what a value comes of."""
    if name in (CONDITION, "Regions") and isinstance(value, str | list):
        return dict.fromkeys(each_of(value))
    return value if isinstance(value, dict) and " " not in name else {}


def _in_json(value: Any) -> str:
    return "not set" if value is None else json.dumps(value, sort_keys=True, ensure_ascii=True)


Stack = Mapping[str, Locked]  # what is locked, by logical ID, after those of the nested stacks and stack sets around it
Lock = Mapping[Place, Stack]
_Line: TypeAlias = tuple[int, str, Any]  # its number, what is said of a thing, and the value


def stacks_at(lock: Lock, place: Place, others: Collection[Place] = ()) -> list[Place]:
    """The stacks of a lock that one is: the very one, or those that it may be and that none beside it is."""
    if place in lock:
        return [place]
    return [one for one in lock if one.may_be(place) and one not in others]


def is_locked(lock: Lock, place: templates.Place) -> bool:
    """Whether a lock has a role or key of a run, which is known to be Pinecone's then, whatever it looks like."""
    return any(place.path in lock[one] for one in stacks_at(lock, Place.of_top(place.stack.top)))


def read(file: Path) -> Lock:
    """The lock of a file; an empty one if there is no such file. What cannot be read is a `LockError`."""
    try:
        text = file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        if not file.is_symlink():
            return {}
        raise LockError(f"{file}: {said('file', 'link')}") from None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise LockError(f"{file}: {said('file', 'unread', why=why)}") from None
    return parse(text, str(file))


def parse(text: str, name: str) -> Lock:
    """The lock that a text says, or a `LockError` in which the name of its file stands."""
    found: dict[Place, dict[str, list[_Line]]] = {}
    has_format = False
    try:
        for number, line in enumerate(map(str.rstrip, text.split("\n")), 1):
            if told := _FORMAT.fullmatch(line):
                has_format = True
                if told[1] == "1":
                    raise _wrong(number, "old")
                if int(told[1]) != FORMAT:
                    raise _wrong(number, "newer", format=told[1], own=FORMAT)
            elif line.startswith(("<<<<<<<", "|||||||", "=======", ">>>>>>>")):
                raise _wrong(number, "unmerged", marker=line[:7])
            elif line and not line.startswith("#"):
                place, resource, what, value = _parts(number, line)
                found.setdefault(place, {}).setdefault(resource, []).append((number, what, value))
        if not has_format:
            raise _wrong(1, "damaged", what=f'"format = {FORMAT}" is missing')
        if not found:
            raise _wrong(1, "empty")
        return {
            place: {resource: _locked(f"{place}: {resource}", lines) for resource, lines in stack.items()}
            for place, stack in found.items()
        }
    except LockError as error:
        raise LockError(f"{name}:{error}") from None


def _parts(number: int, line: str) -> tuple[Place, str, str, Any]:
    """Place, resource, what is said of it, and the value."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise _wrong(number, "damaged", what=f"got {shortened(line)}")
    stack, account, region, resource, what, text = found.groups()
    wrong = [part for part, form in zip(found.groups(), _FORMS, strict=False) if not form.fullmatch(part)]
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if wrong or not isinstance(value, str if what in _NOTES else dict):
        raise _wrong(number, "damaged", what=f"got {shortened([*wrong, text][0])}")
    return Place(stack, account, region), resource, what, value


def _locked(where: str, lines: Sequence[_Line]) -> Locked:
    """One thing out of its lines."""
    told = [(number, {**value, "Type": what}) for number, what, value in lines if what not in _NOTES]
    if not told:
        raise _wrong(lines[0][0], "damaged", what=f"{where} has no line that says what it is")
    values = told[0][1]
    for number, own in told:
        for name in {**own, **values}:
            one, another = own.get(name), values.get(name)
            if name in _DEPLOYED and not isinstance(own.get(name, ""), str):
                raise _wrong(number, "damaged", what=f"{name} is no text")
            if one != another and not (name in _DEPLOYED and None in (one, another)):
                both = shortened(_in_json(one)), shortened(_in_json(another))
                raise _wrong(number, "two", where=where, name=name, one=both[0], another=both[1], line=told[0][0])
        values |= own
    deployed: dict[str, str] = {name: values.pop(name) for name in _DEPLOYED if name in values}
    unlocked, history, gone = (tuple(sorted({value for _, what, value in lines if what == note})) for note in _NOTES)
    # A merge brings back the note of what another branch has locked again.
    unlocked = tuple(note for note in unlocked if not any(one.startswith(f"{note} (") for one in history))
    return Locked(values.pop("Type"), values, deployed, unlocked, history, max(gone, default=""))


def render(lock: Lock) -> str:
    """The text of a lock."""
    blocks = [HEADER]
    for place in sorted(lock):
        block = ""
        for resource, locked in sorted(lock[place].items()):
            notes = zip(_NOTES, (locked.unlocked, locked.history, (locked.gone,)), strict=True)
            told: list[tuple[str, Any]] = [(what, note) for what, some in notes for note in some if note]
            for what, value in [(locked.type, {**locked.values, **locked.deployed}), *told]:
                # A line ends at a line feed alone, and JSON writes that as \n; what is no character as \ud800.
                text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
                text = text.encode(errors="backslashreplace").decode()
                block += " ".join((*place, resource, what, f"{text}\n"))
        blocks.append(block)
    return "\n".join(filter(None, blocks))


def shortened(text: str) -> str:
    """A text for a message: in one line, without control characters, with its length if it is cut."""
    line = re.sub(r"\s+", " ", text)
    return printable(line if len(line) <= 120 else f"{line[:100]}… ({len(line):,} characters)")


def said(row: str, what: str, /, **facts: object) -> str:
    """A text of `refusals.ini`, filled in."""
    return rows(Path(__file__).with_name("refusals.ini"))[row][what].format(**facts)


def _wrong(line: int, why: str, /, **facts: object) -> LockError:
    return LockError(f"{line}: {said('file', why, **facts)}")
