"""All requests that a question is about, as a finite algebra of sets.

A request has a value in each dimension: who, what, on what, and one for each condition key. Of a dimension, texts that
no pattern of the question tells apart are one atom, so a set is an integer, its complement an inversion, and a
statement a few boxes. What is not known is a flag: it makes two atoms of each that it is about, and the same flag in
two policies cancels.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import product
from operator import and_, or_
from typing import Final, NamedTuple, TypeAlias

from cmek_construct.policy.patterns import BETWEEN, CannotBeJudged, atoms, exact
from cmek_construct.policy.statements import Principal
from cmek_construct.policy.text import VARIABLE, Form, Reading, generated

_MOST_FLAGS: Final = 8
_MOST_BOXES: Final = 200_000
Decide: TypeAlias = Callable[[str], bool | None]


class Value(NamedTuple):
    """An atom of a dimension: texts, and what is taken for true of what is not known."""

    text: str
    patterns: frozenset[str]
    flags: frozenset[str]  # those that are taken for true
    undecided: frozenset[str]  # those that may be true or not
    form: Form | None  # with the holes whose flags are true

    @property
    def shown(self) -> str:
        """The text, with its holes by their names."""
        return self.form.with_holes(self.text) if self.form else self.text


class Dimension:
    """What a request may be in one respect."""

    def __init__(self, name: str, domain: Sequence[str], is_key: bool) -> None:
        self.name = name.partition(BETWEEN)[0]
        self.is_key = is_key  # whether it is a condition key
        self.is_unknown = not is_key and self.name != name  # no part of a request, but something that is not known
        self.is_typed = False  # whether its texts are numbers, dates or addresses, of which no atom is an example
        self.always: frozenset[str] = frozenset()  # the flags that hold of all its texts
        self.values: list[Value] = []
        self._domain = tuple(domain)
        self._patterns = dict.fromkeys(domain)
        self._flags: dict[str, list[tuple[str, Decide | None]]] = defaultdict(list)
        self._of: dict[str, int] = defaultdict(int)  # the atoms of a pattern, and those with a flag
        self._with_holes: dict[Form, None] = {}

    @property
    def all(self) -> int:
        return (1 << len(self.values)) - 1

    def close(self, apart: frozenset[str]) -> None:
        """Find the atoms: from now on sets are known. Of the flags that are apart no two hold at once."""
        for text, patterns in atoms(self._domain, tuple(self._patterns)):
            is_exact = any(exact(one) is not None for one in patterns)
            fixed, free = set(), []
            for flag, abouts in self._flags.items():
                about = [decide for pattern, decide in abouts if pattern in patterns]
                known = next((one(text) for one in about if one and is_exact), None)
                if flag in self.always or known:
                    fixed.add(flag)
                elif about and known is None:
                    free.append(flag)
            forms = [one for one in self._with_holes if one.pattern in patterns]
            others = [flag for flag in free if flag not in apart]
            if len(others) > _MOST_FLAGS:
                raise CannotBeJudged(f"too much is not known of the {self.name}")
            lone = [(), *((flag,) for flag in free if flag in apart)]
            for *truth, one in product(*[((), (flag,)) for flag in others], lone):
                flags = frozenset(fixed.union(one, *truth))
                for each in (*patterns, *flags):
                    self._of[each] |= 1 << len(self.values)
                form = next((one for one in forms if one.flags <= flags), None)
                self.values.append(Value(text, patterns, flags, frozenset(free), form))

    def where(self, pattern: str, flags: Iterable[str] = (), decide: Decide | None = None) -> int:
        """The texts of a pattern, if all flags hold; ``decide`` says it of a text, where that text alone does."""
        if not self.values:
            self._patterns.setdefault(pattern)
            for flag in flags:
                self._flags[flag].append((pattern, decide))
            return 0
        return reduce(and_, (self._of[flag] for flag in flags), self._of[pattern])

    def like(self, form: Form) -> int:
        """The texts of a form, where its holes have these values."""
        if form.flags:
            self._with_holes.setdefault(form)
        return self.where(form.pattern, form.flags)

    def perhaps(self, flag: str) -> int:
        """Every text, if a flag holds."""
        return reduce(or_, [self.where(pattern, (flag,)) for pattern in self._domain])

    def of(self, wanted: Callable[[Value], bool]) -> int:
        return sum(1 << index for index, value in enumerate(self.values) if wanted(value))

    def members(self, some: int) -> Iterator[Value]:
        return (value for index, value in enumerate(self.values) if some >> index & 1)

    def as_text(self, value: Value) -> int:
        """The atoms of the same texts, whatever is true of what is not known."""
        return self.of(lambda other: other.text == value.text)

    def as_holes(self, value: Value) -> int:
        """The atoms of all texts that the holes of an atom can be."""
        form = value.form
        is_known = form and not any(VARIABLE in one for one in form.flags)
        return self.where(form.pattern, form.flags) if form and is_known else self.as_text(value)

    def loosened(self, some: int) -> int:
        """A set, whatever is true of what is not known; the same values of its holes."""
        holes = {flag for form in self._with_holes for flag in form.flags}
        known = {(value.text, value.flags & holes) for value in self.members(some)}
        return self.of(lambda value: (value.text, value.flags & holes) in known)

    def differences(self, some: int) -> list[str]:
        """What is not known of these atoms, and is the same for all of them."""
        values = list(self.members(some))
        flags = dict.fromkeys(flag for value in values for flag in sorted(value.undecided))
        return [flag for flag in flags if len({flag in value.flags for value in values}) == 1]


Box: TypeAlias = tuple[int, ...]  # a set in each dimension: the requests that are in all of them


@dataclass
class Space:
    """The dimensions of a question, and what it is about."""

    kind: str  # of the policies that are asked
    resource: str | None  # the ARN of the role or key whose they are, where it is known
    reading: Reading
    spelled: Mapping[tuple[str, ...], tuple[str, str]]
    """The path and name of roles and users, by what makes them one: kind, account and name."""
    named: Sequence[Principal]  # those whom the policies name
    dimensions: dict[str, Dimension] = field(default_factory=dict)
    never: list[Box] = field(default_factory=list)  # requests that nobody can make
    boxes_left: int = _MOST_BOXES

    def dimension(self, name: str, domain: Sequence[str], is_key: bool = False) -> Dimension:
        if name not in self.dimensions:
            self.dimensions[name] = Dimension(name, domain, is_key)
        return self.dimensions[name]

    def twice(self) -> Iterator[None]:
        """Let everything be said twice: first to learn the patterns, then as sets of atoms."""
        yield
        # No text is two generated names.
        apart = frozenset(f"name is ${{{name}}}" for name in generated(self.reading.forms))
        for one in self.dimensions.values():
            one.close(apart)
        yield

    def spend(self, boxes: int) -> None:
        """Count the work, until it has become too much."""
        self.boxes_left -= boxes
        if self.boxes_left < 0:
            raise CannotBeJudged("too many statements that overlap")

    def box(self, *sets: tuple[str, int]) -> Box:
        """What is in all sets, each of a dimension by its name; everything where nothing is said."""
        found = {name: one.all for name, one in self.dimensions.items()}
        for name, some in sets:
            found[name] &= some
        return tuple(found.values())

    def without(self, boxes: Iterable[Box], others: Sequence[Box]) -> list[Box]:
        """What of some boxes is in none of the others."""
        left = [box for box in boxes if all(box)]
        for other in others:
            self.spend(len(left) + 1)
            left = [piece for box in left for piece in _outside(box, other)]
            if not left:
                break
        return left

    def overlap(self, boxes: Sequence[Box], others: Sequence[Box]) -> list[Box]:
        """What some boxes share with others."""
        self.spend(len(boxes) * len(others))
        return [shared for box in boxes for other in others if (shared := both(box, other))]


def both(one: Box, other: Box) -> Box | None:
    """What two boxes share."""
    shared = tuple([mine & yours for mine, yours in zip(one, other, strict=True)])
    return shared if all(shared) else None


def within(one: Box, other: Box) -> bool:
    """Whether a box is a part of another."""
    return not any(mine & ~yours for mine, yours in zip(one, other, strict=True))


def _outside(box: Box, other: Box) -> Iterator[Box]:
    """What of a box is not in another, in boxes that do not overlap."""
    if both(box, other) is None:
        yield box
        return
    inside = list(box)
    for index, (mine, yours) in enumerate(zip(box, other, strict=True)):
        outside = mine & ~yours
        if outside:
            yield (*inside[:index], outside, *box[index + 1 :])
            inside[index] = mine & yours


def merged(boxes: Iterable[Box]) -> list[Box]:
    """The same requests in fewer boxes: two that differ in one dimension become one."""
    left = list(dict.fromkeys(boxes))
    for index in range(len(left[0]) if left else 0):
        same: dict[Box, int] = defaultdict(int)
        for box in left:
            same[(*box[:index], 0, *box[index + 1 :])] |= box[index]
        left = [(*box[:index], some, *box[index + 1 :]) for box, some in same.items()]
    return left
