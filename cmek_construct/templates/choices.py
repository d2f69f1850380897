"""Cases: a value that may be one of a few is tried with each of them, and conditions and rules say which can be.

What is worked out asks for a choice when it comes to one, and is worked out anew for each value, so that only what it
hangs on makes cases.

Source: CloudFormation template reference, "Condition functions" and "Rule-specific functions".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar

from cmek_construct.policy.text import alone, hole, is_known, literal
from cmek_construct.templates.reading import each_of, function_of, members
from cmek_construct.templates.stacks import Stack

if TYPE_CHECKING:
    from cmek_construct.templates.values import Values

MOST: Final = 16  # cases of one thing; what has more cannot be judged
_MOST_OF_MEMBERS: Final = 4 * MOST  # the same where members of lists are judged one by one
OTHER: Final = "\x00other"  # something else than the values that are told
OTHER_VALUE: Final = "is something else"  # the same in words
YES: Final = "\x00yes"
NO: Final = "\x00no"
BY_DEFAULT: Final = "\x00by default"
TYPED: Final = "\x00typed"
_IN_WORDS: Final = {YES: "{0}", NO: "not {0}", BY_DEFAULT: "{0}", TYPED: "not {0}", OTHER: f"{{0}} {OTHER_VALUE}"}
T = TypeVar("T")
Choices: TypeAlias = Mapping[str, str]  # what was chosen, by name


@dataclass(eq=False)
class Undecided(Exception):  # noqa: N818 - no error: a question on the way
    """A choice must be made first: of a name, such as of a parameter or a condition."""

    name: str
    values: Sequence[str]
    member: str = ""  # the condition that it is asked for, where that says alone whether a member of a list is there


class Impossible(Exception):  # noqa: N818 - no error: a case that is none
    """The template's own rules exclude this case."""


class TooManyCases(Exception):  # noqa: N818 - no error: what cannot be judged
    """More cases than can be judged. The message says what they hang on."""


@dataclass(frozen=True)
class Case:
    """One case: what was chosen, by name."""

    choices: Choices = field(default_factory=dict)
    holes: bool = False  # whether holes stand for values that may be one of a few
    members: Choices = field(default_factory=dict)
    """Where members of lists are judged one by one: which are there, by the condition of each."""

    def __hash__(self) -> int:
        return hash((frozenset(self.choices.items()), self.holes, frozenset(self.members.items())))

    def agrees(self, other: Case) -> bool:
        """Whether both can be at once."""
        pairs = ((self.choices, other.choices), (self.members, other.members))
        return all(yours.get(name, value) == value for mine, yours in pairs for name, value in mine.items())

    @property
    def is_by_default(self) -> bool:
        """Whether a value that nobody types is its default, not a hole."""
        return BY_DEFAULT in self.choices.values()

    def told(self, called: Callable[[str], str]) -> Choices:
        """What was chosen, and which members of lists are there, by what each name is called."""
        chosen = {**self.choices, **self.members}
        return {called(name): value for name, value in chosen.items() if value not in (BY_DEFAULT, TYPED)}

    def chosen(self, text: str) -> str:
        """A text with the values that were chosen for its holes."""
        for name, value in self.choices.items() if "${" in text else ():
            text = text if value in (YES, NO, OTHER) else text.replace(hole(name), literal(value))
        return text

    def words(self) -> str:
        """The case for a person; empty if it is the only one."""
        there = [name for name, value in self.members.items() if value == YES]
        some = "all" if len(there) == len(self.members) else "".join(there) or "none"
        return ", ".join(filter(None, (_listed(self.choices), f"of members {some}" if self.members else "")))

    def decided(self, name: str, values: Sequence[str] = (YES, NO), *, may_be_hole: bool = False) -> str:
        """The value that was chosen, `OTHER` where a hole stands for all that it may be; else it is `Undecided`."""
        if name in self.choices:
            return self.choices[name]
        if may_be_hole and self.holes:
            return OTHER
        raise Undecided(name, values)


@dataclass(frozen=True)
class InCase(Generic[T]):
    """What something is in one case."""

    case: Case
    value: T


def _listed(choices: Choices) -> str:
    """Choices in words."""
    each = sorted(choices.items())
    return ", ".join(_IN_WORDS.get(value, "{0} is {1!r}").format(name, value) for name, value in each)


def where(some: Sequence[Choices], every: Sequence[Choices]) -> str | None:
    """In which of all cases, each by its choices, something is, in words for a person; None if in all of them."""

    def told(choices: Choices) -> bool:
        """Whether choices tell the cases in which it is from all others."""
        return sum(choices.items() <= one.items() for one in every) == len(some)

    if len(some) == len(every):
        return None
    shared = dict(set.intersection(*(set(one.items()) for one in some)))
    common = set.intersection(*(set(one.items()) for one in every))
    if not told(shared):
        return "; or ".join(_listed(dict(one.items() - common)) for one in some)
    for name in some[0]:
        less = {other: value for other, value in shared.items() if other != name}
        shared = less if told(less) else shared
    return _listed(shared)


def each_case(work: Callable[[Case], T]) -> list[InCase[T]]:
    """What comes out in each case that can be, of what asks `Case.decided` on the way.

    Where there are too many, values that may be one of a few become holes, and members of lists that may be there or
    not are judged one by one: all of them, none, and each alone. Where that is too much as well, it is `TooManyCases`.
    """
    asked: dict[str, bool] = {}
    for holes in (False, True):
        with suppress(TooManyCases):
            return list(outcomes(work, Case(holes=holes), asked))
    members: list[str] = []
    for there in (YES, NO):
        with suppress(TooManyCases):
            list(outcomes(work, Case(holes=True, members=dict.fromkeys(members, there)), asked, there=there))
        members = [name for name, is_member in asked.items() if is_member]
    if not members:
        raise TooManyCases(", ".join(sorted(asked)[:MOST]))
    none = dict.fromkeys(members, NO)
    alone = [{**none, one: YES} for one in members if len(members) > 1]
    found: list[InCase[T]] = []
    for there, some in ((YES, dict.fromkeys(members, YES)), (NO, none), *((NO, one) for one in alone)):
        found += outcomes(work, Case(holes=True, members=some), asked, _MOST_OF_MEMBERS - len(found), there)
    return found


def outcomes(
    work: Callable[[Case], T], start: Case, asked: dict[str, bool], most: float = MOST, there: str = ""
) -> Iterator[InCase[T]]:
    """What comes out in each case from one on, one by one, the first with the first value of each choice.

    The work asks `Case.decided` on the way. More cases than ``most`` are `TooManyCases`. ``asked`` takes what is asked,
    and whether that says alone whether a member of a list is there; ``there`` is said of each such member that the case
    does not know.
    """
    left, done = [start], 0
    while left:
        case = left.pop()
        try:
            found = work(case)
        except Undecided as question:
            asked.setdefault(question.name, False)
            asked |= {question.member: True} if question.member else {}
            if there and question.member:
                left.append(replace(case, members={**case.members, question.member: there}))
            else:
                left += [replace(case, choices={**case.choices, question.name: one}) for one in question.values[::-1]]
        except Impossible:
            continue
        else:
            done += 1
            yield InCase(case, found)
        if done + len(left) > most or sum(asked.values()) > _MOST_OF_MEMBERS:
            raise TooManyCases(", ".join(sorted(asked)[:MOST]))


def is_all_known(value: Any) -> bool:
    """Whether nothing in a text, or a list of some, hangs on the deploy."""
    return all(map(is_all_known, value)) if isinstance(value, list) else isinstance(value, str) and is_known(value)


def holds(values: Values, stack: Stack, name: str) -> bool | None:
    """Whether a condition holds; None if there is none of this name. It may raise `Undecided`."""
    if name not in stack.conditions:
        return None
    found = values.once((stack.name, "condition", name), lambda: _is_true(values, stack, stack.conditions[name]))
    return found if isinstance(found, bool) else values.case.decided(stack.named(name)) == YES


def exclude(values: Values, stack: Stack) -> None:
    """`Impossible` if the rules of a template, or of one around it, exclude this case, as far as it is chosen."""

    def fails(expression: Any) -> bool:
        with suppress(Undecided):
            return _is_true(values, stack, _with_members(values, stack, expression)) is False
        return False

    for rule in map(members, members(stack.content.get("Rules")).values()):
        condition, asserted = rule.get("RuleCondition"), map(members, each_of(rule.get("Assertions")))
        applies = condition is None or fails({"Fn::Not": [condition]})
        if applies and any(fails(one.get("Assert")) for one in asserted):
            raise Impossible
    if stack.parent:
        exclude(values, stack.parent)


def _with_members(values: Values, stack: Stack, expression: Any) -> Any:
    """An expression as it is where it is chosen which members of lists are there."""
    there = values.case.members
    for name, one in stack.conditions.items() if there else ():
        if one == expression and stack.named(name) in there:
            return {"Fn::Equals": [there[stack.named(name)], YES]}
    function = function_of(expression)
    if function and isinstance(function[1], list):
        return {function[0]: [_with_members(values, stack, one) for one in function[1]]}
    return expression


def _is_true(values: Values, stack: Stack, expression: Any) -> bool | None:
    """What an expression says; None if it cannot be read."""
    match function_of(expression) or members(expression):
        case {"Condition": str(condition)} if len(expression) == 1:
            return holds(values, stack, condition)
        case "Fn::Equals", [left, right]:
            one, other = _compared(values, stack, left), _compared(values, stack, right)
            if one == other or (is_all_known(one) and is_all_known(other)):
                return bool(one == other)
            for text, beside in ((one, right), (other, left)):
                own = alone(text) if isinstance(text, str) else None
                if own and values.case.choices.get(own) == OTHER and isinstance(beside, str):
                    return False
            return values.case.decided(" is ".join(sorted(map(str, (one, other))))) == YES
        case "Fn::Not", [one]:
            found = _is_true(values, stack, one)
            return None if found is None else not found
        case ("Fn::And" | "Fn::Or") as name, [*some]:
            decisive = name == "Fn::Or"
            each = [_is_true(values, stack, one) for one in some]
            return decisive if decisive in each else None if None in each else not decisive
        case ("Fn::Contains", [some, other]) | ("Fn::EachMemberIn", [other, some]):
            whole, inside = values.texts(stack, some), _compared(values, stack, other)
            is_read = is_all_known(inside) and is_all_known(whole)
            return all(one in whole for one in each_of(inside)) if is_read else None
    return None


def _compared(values: Values, stack: Stack, value: Any) -> Any:
    name = members(value).get("Ref")
    if isinstance(name, str) and (name in stack.parameters or name == "AWS::Region"):
        return values.parameter(stack, name, compared=True)
    return values.resolved(stack, value)
