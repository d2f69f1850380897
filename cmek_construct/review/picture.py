"""The picture of who reaches what: boxes under each other, arrows on both sides.

Arrows into a role or a key run on the right, the role's own on the left, so that no line crosses a
text. Everything is placed here; the page's template only draws it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cmek_construct.policy.sentences import as_list, plain
from cmek_construct.review.seen import Access, KeySeen, Part, RoleSeen, Said

_LINE: Final = 18
_CHARACTERS: Final = 40
_CHARACTERS_STRONG: Final = 35
_MOST_LINES: Final = 8
_MOST_BOXES: Final = 6
_GAP: Final = 22


@dataclass(frozen=True)
class Box:
    """A box with lines of text, the first one strong."""

    y: int
    height: int
    lines: list[str]
    kind: str
    """``role``, ``key``; of a statement ``plain`` (as in the guide), ``differs``, or ``wrong``
    where a guardrail refuses it."""

    @property
    def middle(self) -> int:
        """Where arrows meet it."""
        return self.y + self.height // 2


@dataclass(frozen=True)
class Arrow:
    """From one height to another, along one side."""

    inward: bool
    """On the right, into a role or a key; else on the left, from the role."""
    start: int
    end: int
    cut: bool
    kind: str


@dataclass
class Picture:
    """What is drawn, and the same in sentences for whoever does not see it."""

    part: Part
    access: Access
    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    height: int = 10

    def add(self, kind: str, texts: Sequence[str]) -> Box:
        """The next box below. The first text is strong."""
        lines: list[str] = []
        for index, text in enumerate(texts):
            wrapped = _wrapped(text, _CHARACTERS if index else _CHARACTERS_STRONG)
            too_long = len(wrapped) > _MOST_LINES
            lines += [*wrapped[: _MOST_LINES - 1], "… (whole below)"] if too_long else wrapped
        box = Box(self.height, len(lines) * _LINE + 14, lines, kind)
        self.boxes.append(box)
        self.height += box.height + _GAP
        return box

    def add_unseen(self, own: Box, title: str) -> None:
        """A policy of the role that the template does not show: it may let the role do anything."""
        box = self.add("wrong", ["Nobody can tell from here", title])
        self.arrows.append(Arrow(False, own.middle, box.middle, False, "wrong"))
        self.sentences.append(f"{own.lines[0]}: {title}.")

    def kind(self, said: Said) -> str:
        """How a statement is drawn."""
        if said.as_guide:
            return "plain"
        return "wrong" if self.part.breaks(said.kind) else "differs"

    def arrow(self, source: Box, target: Box, said: Said, *, cut: bool, inward: bool) -> None:
        """An arrow between two boxes for what a statement lets somebody do."""
        self.arrows.append(Arrow(inward, source.middle, target.middle, cut, self.kind(said)))
        sentence = f"{plain(said.whom)} may {plain(said.may)}"
        only = f", only if {plain(said.only)}" if said.only else ""
        self.sentences.append(
            f"{target.lines[0]}: {sentence}{only}{', but is cut off now' if cut else ''}."
        )


def draw(part: Part, access: Access) -> Picture:
    """The picture of one role with its keys, or of one of the two alone.

    Args:
        part: what is drawn.
        access: the answers, by which an arrow is cut off.
    """
    picture = Picture(part, access)
    own = _role(picture, part.role) if part.role else None
    for key in part.keys:
        _key(picture, key, part.role, own)
    if part.role is not None and own is not None:
        closed = access.is_closed(part.role.logical_id)
        for policy in part.role.permissions:
            if not policy.said:
                picture.add_unseen(own, policy.title)
            for said in policy.allows[:_MOST_BOXES]:
                box = picture.add(picture.kind(said), _texts(said, _reached(said)))
                picture.arrow(own, box, said, cut=closed, inward=False)
            _more(picture, len(policy.allows))
    picture.height += 10 - _GAP
    return picture


def _texts(said: Said, first: str) -> list[str]:
    texts = [first, f"may {plain(said.may)}{plain(said.on)}"]
    if said.only:
        texts.append(f"only if {plain(said.only)}")
    if not said.as_guide:
        texts.append(f"[{said.verdict}]")
    return texts


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_on_hyphens=False)


def _reached(said: Said) -> str:
    """What a permission of the role is about: keys of another account, or who knows what."""
    resource = str(as_list(said.statement.get("Resource"))[0])
    key = re.match(r"arn:aws:kms:[^:]*:([0-9]{12}):key/", resource)
    return f"Keys of AWS account {key[1]}" if key else "Elsewhere"


def _callers(picture: Picture, allows: Sequence[Said]) -> list[tuple[Box, Said]]:
    found = []
    for said in allows[:_MOST_BOXES]:
        whom = plain(said.whom)
        texts = _texts(said, whom[:1].upper() + whom[1:])
        found.append((picture.add(picture.kind(said), texts), said))
    _more(picture, len(allows))
    return found


def _more(picture: Picture, count: int) -> None:
    if count > _MOST_BOXES:
        picture.add("differs", [f"and {count - _MOST_BOXES:,} more, each below"])


def _role(picture: Picture, role: RoleSeen) -> Box:
    callers = _callers(picture, role.trust.allows)
    cut = picture.access.is_closed(role.logical_id)
    texts = [f"Role {role.logical_id}", *(["CUT OFF: nobody may take it on"] * cut)]
    own = picture.add("role", texts)
    for box, said in callers:
        picture.arrow(box, own, said, cut=cut, inward=True)
    return own


def _key(picture: Picture, key: KeySeen, role: RoleSeen | None, own: Box | None) -> None:
    """The key; the role's arrow into it from above, those of others from below."""
    names = role.arns if role else frozenset()
    uses = [said for said in key.policy.allows if names & said.names] if own else []
    cut = picture.access.is_closed(key.logical_id, names)
    texts = [f"Key {key.logical_id}"]
    for said in uses:
        only = f", only if {plain(said.only)}" if said.only else ""
        mark = "" if said.as_guide else f" [{said.verdict}]"
        texts.append(f"role may {plain(said.may)}{only}{mark}")
    box = picture.add("key", [*texts, *(["CUT OFF: the role may do nothing"] * cut)])
    for said in uses:
        if own is not None:
            picture.arrow(own, box, said, cut=cut, inward=False)
    others = [said for said in key.policy.allows if said not in uses]
    for caller, said in _callers(picture, others):
        denied = picture.access.is_closed(key.logical_id, said.names)
        picture.arrow(caller, box, said, cut=denied, inward=True)
