"""A finding about a role or a key: what it is, what it does to people, how soon, and the cure."""

import enum
from configparser import ConfigParser
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

from cmek_construct.aws.objects import Unread

T = TypeVar("T")


class Refused(Exception):  # noqa: N818 - what was done, not what went wrong
    """It is not done. The message says why, and the way out."""


def known(found: T | Unread | None, what: str = "all of it", gone: str = "", actions: str = "read it") -> T:
    """What AWS shows; refused where it is gone, as ``gone`` says, or was not read, which is no basis for anything."""
    if found is None:
        raise Refused(gone)
    if isinstance(found, Unread):
        cure = f"Ask again with credentials that may {actions} (--profile)."
        raise Refused(f"not read: {what} ({found.why}), and nothing goes on without it. {cure}")
    return found


class Verdict(enum.Enum):
    """How a finding is to be taken."""

    RIGHT = "right"
    WRONG = "wrong"
    UNKNOWN = "unknown"  # it cannot be told
    SAID = "said"  # to be known, and neither right nor wrong


class Effect(enum.Enum):
    """What a fault does to people."""

    SOMEBODY_LET_IN = "somebody-let-in"
    PINECONE_LOCKED_OUT = "pinecone-locked-out"
    OWNER_LOCKED_OUT = "owner-locked-out"
    KEY_ENDS = "key-ends"


CACHED: Final = (
    "soon: Pinecone goes on with data keys that it has cached, for some time, which it does not publish; then every "
    "request to the indexes fails until this is mended"
)
NO_LOSS: Final = "nothing is lost, but Pinecone cannot use the key"
NOW: Final = "it is open now"
NO_HURRY: Final = "no hurry"
Calls: TypeAlias = tuple[str, ...]  # of AWS, as CloudTrail names them, behind their service
_EFFECTS: Final[dict[Effect | None, tuple[str, str]]] = {
    None: ("neither is Pinecone or the owner locked out, nor is anybody let in", NO_HURRY),
    Effect.SOMEBODY_LET_IN: (
        "somebody is let in: who comes in by that may be able to read all data of the project that the key encrypts, "
        "or to end the key",
        NOW,
    ),
    Effect.PINECONE_LOCKED_OUT: (f"Pinecone is locked out: {NO_LOSS}", CACHED),
    Effect.OWNER_LOCKED_OUT: (
        "the owner is locked out: if nobody else may replace the key policy, AWS Support alone can mend it",
        "until somebody else changes the key policy",
    ),
    Effect.KEY_ENDS: (
        "after that all data of the project is lost for good, and nobody can bring it back, AWS included; until then "
        f"{NO_LOSS}",
        "not known",
    ),
}
"""What each means for the data, and how long there is."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    verdict: Verdict
    about: str  # a stable name for it
    words: str
    cure: str = ""  # what to do, a line each; one that begins with a command is to be run as it is
    means: str = ""
    time: str = ""
    effect: Effect | None = None
    elsewhere: bool = False  # it is to be seen in another place, and was not asked for: no reason to fail
    events: Calls = ()  # by which somebody did it

    @property
    def fails(self) -> bool:
        """Whether role and key are not to be called right."""
        return self.verdict in (Verdict.WRONG, Verdict.UNKNOWN) and not self.elsewhere

    def as_data(self) -> dict[str, Any]:
        texts = {name: getattr(self, name) or None for name in ("words", "means", "time", "cure")}
        effect = self.effect and self.effect.value
        return {"about": self.about, "verdict": self.verdict.value, "effect": effect, **texts, "fails": self.fails}

    def to_know(self, words: str, cure: str = "") -> "Finding":
        """The same where it is no fault, as something to be known: its words stand in others in place of ``{}``."""
        return said(self.about, words.format(self.words), cure) if self.fails else self


right: Final = partial(Finding, Verdict.RIGHT)
said: Final = partial(Finding, Verdict.SAID)


def wrong(
    about: str, words: str, cure: str, effect: Effect | None = None, means: str = "", time: str = "", events: Calls = ()
) -> Finding:
    """One that is wrong; what it means and how long there is follow from its effect, where no more is known."""
    usual = _EFFECTS[effect]
    return Finding(Verdict.WRONG, about, words, cure, means or usual[0], time or usual[1], effect, events=events)


def unknown(about: str, words: str, cure: str, effect: Effect | None = None, *, elsewhere: bool = False) -> Finding:
    """One that cannot be told; with an effect if it may have one."""
    return Finding(Verdict.UNKNOWN, about, words, cure, _not_known(effect), effect=effect, elsewhere=elsewhere)


def _not_known(effect: Effect | None) -> str:
    return "not known: do not take it for healthy" + (f"; perhaps {_EFFECTS[effect][0]}" if effect else "")


def not_read(about: str, what: str, unread: Unread, action: str) -> Finding:
    """One that cannot be told, because it could not be read."""
    cure = f"Ask again with credentials that may {action} (--profile)."
    return unknown(about, f"not read: {what} ({unread.why})", cure)


class Rows:
    """The findings of one subject, each a row of a page beside its code: what it is, what it does, and the cure.

    A row is a section, ``[about]`` or ``[about.which]``, or says what it is ``about``. It says its words under the name
    of its verdict, and where there is more than that: ``effect``, ``events``, ``means``, ``time``, ``cure`` (a line
    each), ``elsewhere``; of what could not be read, by which calls one ``reads`` it. What is no finding, a part of one
    or why something is refused, is a ``text``. ``{…}`` is filled in.
    """

    def __init__(self, page: str) -> None:
        self._file = Path(__file__).with_name(page)

    @cached_property
    def each(self) -> ConfigParser:
        found = ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",))
        found.read_string(self._file.read_text(encoding="utf-8"))
        return found

    def text(self, row: str, part: str = "text", /, **facts: Any) -> str:
        """What is no finding, or a part of one, filled in: a cure has lines, what else is wrapped is one."""
        found = self.each[row][part]
        return (found if part == "cure" else found.replace("\n", " ")).format(**facts)

    def finding(self, row: str, effect: Effect | None = None, /, **facts: Any) -> Finding:
        """One of them, filled in; with an effect that hangs on the case, where the row has none."""
        own = self.each[row]
        verdict = next(one for one in Verdict if one.value in own)
        effect = Effect(own["effect"]) if "effect" in own else effect
        said = {"about": row.partition(".")[0], **_usual(verdict, effect)}
        for part in own:
            said[part] = self.text(row, part, **facts)
        if "reads" in own:
            said["cure"] = f"Ask again with credentials that may {said['reads']} (--profile)."
        texts = [said.get(part, "") for part in ("about", verdict.value, "cure", "means", "time")]
        return Finding(verdict, *texts, effect, "elsewhere" in own, tuple(said.get("events", "").split()))


def _usual(verdict: Verdict, effect: Effect | None) -> dict[str, str]:
    """What it means and how long there is, where no more is known than the effect."""
    means, time = _EFFECTS[effect]
    if verdict is Verdict.WRONG:
        return {"means": means, "time": time}
    not_known = "not known: do not take it for healthy"
    return {"means": not_known + (f"; perhaps {means}" if effect else "")} if verdict is Verdict.UNKNOWN else {}
