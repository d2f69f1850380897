"""A finding about a role or a key: what it is, what it does to people, how soon, and the cure."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from cmek_construct.aws.objects import Unread
from cmek_construct.rows import rows

T = TypeVar("T")


class Refused(Exception):  # noqa: N818 - what was done, not what went wrong
    """It is not done. The message says why, and the way out."""


def known(found: T | Unread | None, what: str = "all of it", gone: str = "") -> T:
    """What AWS shows; refused where it is gone, as ``gone`` says, or was not read, which is no basis for anything."""
    if found is None:
        raise Refused(gone)
    if isinstance(found, Unread):
        raise Refused(_ROWS.text("not-read.refused", what=what, unread=found))
    return found


class Verdict(enum.Enum):
    """How a finding is to be taken."""

    RIGHT = "right"
    WRONG = "wrong"
    UNKNOWN = "unknown"  # it cannot be told
    SAID = "said"  # to be known, and neither right nor wrong


class Effect(enum.Enum):
    """What a fault does to people, the worst first."""

    KEY_ENDS = "key-ends"
    SOMEBODY_LET_IN = "somebody-let-in"
    PINECONE_LOCKED_OUT = "pinecone-locked-out"
    OWNER_LOCKED_OUT = "owner-locked-out"


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
    events: tuple[str, ...] = ()  # the calls by which somebody did it, as CloudTrail names them, behind their service

    @property
    def fails(self) -> bool:
        """Whether role and key are not to be called right."""
        return self.verdict in (Verdict.WRONG, Verdict.UNKNOWN) and not self.elsewhere

    def as_data(self) -> dict[str, Any]:
        texts = {name: getattr(self, name) or None for name in ("words", "means", "time", "cure")}
        effect = self.effect and self.effect.value
        return {"about": self.about, "verdict": self.verdict.value, "effect": effect, **texts, "fails": self.fails}


class Rows:
    """The findings of one subject, each a row of a page beside its code: what it is, what it does, and the cure.

    A row is a section, ``[about]`` or ``[about.which]``, or says what it is ``about``. It says its words under the name
    of its verdict, and where there is more than that: ``effect``, ``events``, ``means``, ``time``, ``cure`` (a line
    each), ``elsewhere``; of what could not be read, by which calls one ``reads`` it. What is no finding, a part of one
    or why something is refused, is a ``text``. ``{…}`` is filled in.
    """

    def __init__(self, page: str) -> None:
        self._page = Path(__file__).with_name(page)

    @property
    def each(self) -> Mapping[str, Mapping[str, str]]:
        return rows(self._page)

    def text(self, row: str, part: str = "text", /, **facts: Any) -> str:
        """What is no finding, or a part of one, filled in."""
        return self.each[row][part].format(**facts)

    def finding(self, row: str, effect: Effect | None = None, /, **facts: Any) -> Finding:
        """One of them, filled in; with an effect that hangs on the case, where the row has none."""
        own = self.each[row]
        verdict = next(one for one in Verdict if one.value in own)
        effect = Effect(own["effect"]) if "effect" in own else effect
        usual = _ROWS.each[effect.value if effect else "no-effect"]  # where no more is known than the effect
        said = {"about": row.partition(".")[0]}
        if verdict is Verdict.WRONG:
            said |= usual
        elif verdict is Verdict.UNKNOWN:
            said["means"] = _ROWS.text("unknown.perhaps" if effect else "unknown", "means", effect=usual["means"])
        said |= {part: self.text(row, part, **facts) for part in own}
        if "reads" in own:
            said["cure"] = _ROWS.text("not-read", "cure", calls=said["reads"])
        about, words, events = said["about"], said[verdict.value], tuple(said.get("events", "").split())
        cure, means, time = (said.get(part, "") for part in ("cure", "means", "time"))
        return Finding(verdict, about, words, cure, means, time, effect, "elsewhere" in own, events)


_ROWS: Final = Rows("findings.ini")
