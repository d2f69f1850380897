"""Who reaches what, drawn left to right: Pinecone's account, the door, one's own account, the key.

Boxes, accounts and arrows, each in its place; `drawing.svg.j2` draws them. What breaks a guardrail comes first, so that
nothing bad is among what is left out.
"""

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from cmek_construct.policy.statements import as_list
from cmek_construct.policy.words import plain, principals
from cmek_construct.review.parts import Part, Thing
from cmek_construct.review.statements import Said
from cmek_construct.templates.evidence import account_of
from cmek_construct.templates.reading import members

_STRONG_CHARACTER: Final = 7.7
_CHARACTER: Final = 6.7
_OUTSIDE, _OWN, _ROLE, _KEY = 10, 390, 500, 800
"""Where the columns begin: outside of the account, one's own account, roles and keys in it."""
_DOOR: Final = 110
_MOST: Final = 3
_MOST_LINES: Final = 4  # of one text in a box

Point = tuple[int, int]


class Box(NamedTuple):
    """A box with lines of text, the first one strong."""

    x: int
    y: int
    width: int
    lines: Sequence[str]
    kind: str = "plain"  # or role, key, door, differs, wrong; or account, in which others stand
    inside: int = 0  # the height of what stands in it

    @property
    def height(self) -> int:
        """By its lines, or by what stands in it."""
        return max(self.inside, len(self.lines) * 18 + 14)

    @property
    def bottom(self) -> int:
        """Where it ends."""
        return self.y + self.height

    def side(self, where: str, along: float = 0.5) -> Point:
        """A point on its edge: ``left`` or ``right``, and how far along."""
        return self.x + self.width * (where == "right"), self.y + round(self.height * along)


class Arrow(NamedTuple):
    """A line through points, with its tip at the last."""

    points: Sequence[Point]
    number: int = 0  # of the sentence that says it
    label: Sequence[str] = ()
    at: Point = (0, 0)  # where the label stands
    cut: bool = False
    kind: str = "plain"


class Drawing(NamedTuple):
    """What is drawn, and the same in sentences."""

    title: str
    width: int
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]
    sentences: Sequence[str] = ()  # of the arrows, by their numbers; in a file they stand under the drawing
    said: Sequence[str] = ()  # for whoever does not see it, beside those


def reach(part: Part) -> Drawing:
    """The drawing of one role with its keys, or of one of the two alone."""
    sketch = _Sketch(part)
    role = sketch.role(part.role) if part.role else None
    for key in part.keys[:_MOST]:
        sketch.key(key, role)
    if len(part.keys) > _MOST:
        sketch.box(_KEY, [f"and {len(part.keys) - _MOST:,} more keys, each below"], "differs")
    right = (_KEY if part.keys else _ROLE) + 220
    if part.role and role:
        sketch.permissions(part.role, role, right)
    if part.is_closed:
        start = sketch.box(_OUTSIDE, ["Everybody else", "other customers of Pinecone, too"]).side("right")
        sketch.arrows.append(Arrow([start, (_OWN, start[1])], cut=True))
        sketch.told.append("Nobody else of outside reaches role or key.")
    bottom = max((box.bottom for box in sketch.boxes), default=80)
    name = f"Your AWS account {part.account}" if part.account.isdigit() else "Your AWS account"
    boxes = [Box(_OWN, 10, right - _OWN, [name], "account", bottom), *sketch.boxes]
    sentences = [f"{one.sid}: {plain(one.words)}".removeprefix(": ") for one in part.said]
    width = max(box.x + box.width for box in boxes) + 10
    return Drawing("Who reaches what", width, boxes, sketch.arrows, sentences, sketch.told)


class _Sketch:
    """What is drawn so far, and where each column ends."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.boxes: list[Box] = []
        self.arrows: list[Arrow] = []
        self.told: list[str] = []
        self.ends: dict[int, int] = {}

    def box(self, x: int, texts: Iterable[str], kind: str = "plain", *, height: int = 0) -> Box:
        """The next box of a column, the first text strong. What does not fit in is said to be below."""
        width = 200 if x in (_ROLE, _KEY) else 290
        lines: list[str] = []
        for text in texts:
            each = (width - 24) / (_CHARACTER if lines else _STRONG_CHARACTER)
            some = textwrap.wrap(text, int(each), break_on_hyphens=False)
            lines += some if len(some) <= _MOST_LINES else [*some[: _MOST_LINES - 1], "… (whole below)"]
        box = Box(x, self.ends.get(x, 30) + 14, width, lines, kind, height)
        self.boxes.append(box)
        self.ends[x] = box.bottom
        return box

    def kind(self, said: Said) -> str:
        """How a statement is drawn."""
        return "plain" if said.beside.as_guide else "wrong" if said.kind in self.part.breaks else "differs"

    def arrow(self, start: Box, lane: int, end: Box, y: int, said: Said | None, *, cut: bool) -> None:
        """What a statement, or who knows what, lets somebody do: right, along a lane, and right."""
        begin = start.side("right")
        if start.kind == "role":
            begin = (begin[0], min(max(y, start.y + 10), start.bottom - 10))
        turns = [(lane, begin[1]), (lane, y)] if begin[1] != y else []
        number = next((at for at, one in enumerate(self.part.said, 1) if one is said), 0)
        kind = self.kind(said) if said else "wrong"
        self.arrows.append(Arrow([begin, *turns, (end.x, y)], number, cut=cut, kind=kind))
        if cut and said:
            self.told.append(f"Number {number} is cut off now.")

    def first(self, column: int, some: Iterable[Said]) -> Sequence[Said]:
        """The statements of one kind of policy that are drawn, the worst first; how many are not is said."""
        found = sorted(some, key=lambda said: said.beside.as_guide)
        if len(found) > _MOST:
            self.box(column, [f"and {len(found) - _MOST:,} more, each below"], self.kind(found[_MOST]))
        return found[:_MOST]

    def role(self, role: Thing) -> Box:
        """The role, and whoever may take it on: Pinecone first."""
        cut = self.part.is_cut(role.logical_id)
        notes = [] if role.policies[1:] else ["no permissions of its own"]
        texts = [f"Role {role.logical_id}", *notes, *["CUT OFF: nobody may take it on"] * cut]
        allows = role.policies[0].allows
        box = self.box(_ROLE, texts, "role", height=max(62, 24 * min(len(allows), _MOST) + 8))
        drawn = sorted(self.first(_OUTSIDE, allows), key=lambda said: not said.beside.as_guide)
        for index, said in enumerate(drawn, 1):
            caller = self.about(_OUTSIDE, said)
            # Nobody comes in by it who does not present the external ID.
            if said.external_id or (said.asks_for and said.beside.as_guide):
                middle = caller.side("right")[1]
                self.boxes.append(Box(_OWN - _DOOR // 2, middle - 16, _DOOR, ["external ID"], "door"))
            self.arrow(caller, _ROLE - 48, box, box.y + box.height * index // (len(drawn) + 1), said, cut=cut)
        return box

    def about(self, column: int, said: Said, *texts: str) -> Box:
        """Whoever, or whatever, a statement is about: Pinecone, the texts, or whom it names."""
        if said.beside.as_guide and said.kind == "trust":
            condition = said.statement.get("Condition", {})
            callers = as_list(condition.get("StringLike", {}).get("aws:PrincipalArn", said.names))
            numbers = " or ".join(dict.fromkeys(map(account_of, callers)))
            names = [one.rpartition("/")[2] for one in callers]
            return self.box(column, [f"Pinecone's account {numbers}", *names], "account")
        named = principals(said.statement, said.account, said.people)
        whom, _, more = plain(named or ["the role"]).partition(" (")
        lines = texts or (whom[:1].upper() + whom[1:], *filter(None, [more.rstrip(")")]))
        return self.box(column, [*lines, *[f"[{said.beside.verdict}]"] * (not said.beside.as_guide)], self.kind(said))

    def key(self, key: Thing, role: Box | None) -> None:
        """A key, with the role's arrows into it and those of others."""
        arns = self.part.role.arns if self.part.role else frozenset()
        allows = key.policies[0].allows
        uses = [one for one in allows if role and arns.intersection(one.names)]
        # About the account's own roles, users and root alone.
        own = re.compile(rf"arn:aws:iam::{re.escape(self.part.account)}:[^*?]+")
        named = [(one, members(one.statement.get("Principal"))) for one in allows]
        theirs = [(one, map(str, as_list(whom["AWS"]))) for one, whom in named if [*whom] == ["AWS"]]
        inside = [one for one, whom in theirs if all(map(own.fullmatch, whom))]
        # One that lets in somebody beside the role is drawn from both.
        others = [one for one in inside if one not in uses or not arns.issuperset(one.names)]
        columns = ((_KEY, uses), (_ROLE, others), (_OUTSIDE, [one for one in allows if one not in inside]))
        drawn = [(column, said) for column, some in columns for said in self.first(column, some)]
        targets = [one.properties.get("TargetKeyId") for one in self.part.things if one.kind == "Alias"]
        notes = ["with an alias"] * (key.logical_id in targets)
        notes += ["rotates"] * (key.properties.get("EnableKeyRotation") in (True, "true"))
        notes += ["CUT OFF: the role may do nothing"] * (bool(uses) and self.part.is_cut(key.logical_id, arns))
        box = self.box(_KEY, [f"Key {key.logical_id}", *notes], "key", height=26 * len(drawn) + 8)
        for index, (column, said) in enumerate(drawn, 1):
            if column == _OUTSIDE:
                self.ends[_OUTSIDE] = max(self.ends.get(_OUTSIDE, 0), self.ends.get(_ROLE, 0))
            start = role if column == _KEY else self.about(column, said)
            if start:
                cut = self.part.is_cut(key.logical_id, arns if column == _KEY else said.names)
                y = box.y + box.height * index // (len(drawn) + 1)
                self.arrow(start, _KEY - 90 + 10 * index, box, y, said, cut=cut)

    def permissions(self, role: Thing, own: Box, right: int) -> None:
        """What the role may do elsewhere, by permissions of its own."""
        column, keys = right + 90, self.part.keys
        self.ends[column] = self.ends.get(_KEY, 30) + 10 * bool(keys)
        cut = self.part.is_cut(role.logical_id)
        lane = _KEY - 20 if keys else right + 30
        for policy in (one for one in role.policies[1:] if not one.said):
            box = self.box(column, ["Nobody can tell from here", policy.title], "wrong")
            self.arrow(own, lane, box, box.side("left")[1], None, cut=cut)
            self.told.append(f"Role {role.logical_id}: {policy.title}.")
        some = [said for policy in role.policies[1:] for said in policy.allows]
        for index, said in enumerate(self.first(column, some)):
            accounts = dict.fromkeys(said.customers)
            of_kms = f"Keys of AWS account {' and '.join(map(str, accounts))}"
            box = self.about(column, said, of_kms if accounts and all(accounts) else "Elsewhere")
            self.arrow(own, lane - 6 * index, box, box.side("left")[1], said, cut=cut)
