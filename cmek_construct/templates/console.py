"""What a person carries to Pinecone's console, and the aliases that are named as Pinecone's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from cmek_construct.policy import literal
from cmek_construct.templates.attributes import ALIAS
from cmek_construct.templates.choices import NO, OTHER, YES, Case, InCase, TooManyCases
from cmek_construct.templates.found import Alias, AliasNow, Output, Place
from cmek_construct.templates.matching import named
from cmek_construct.templates.run import Run
from cmek_construct.templates.stacks import Stack
from cmek_construct.templates.texts import hole, is_known, parts

if TYPE_CHECKING:
    from cmek_construct.templates.pinecone import _Finder

CONSOLE: Final = "Pinecone console"
_LABEL: Final = re.compile(r'"(Role ARN|Key ARN|External ID)"')
PINECONES: Final = re.compile(r"alias/pine[-_]?cone[-_]?cmek/", re.IGNORECASE)
"""How an alias is named that is Pinecone's."""
_OF_CONSTRUCT: Final = re.compile(r"PineconeAlias[0-9A-F]{8}$")
"""The logical ID of the alias that a `PineconeKey` makes."""


def is_named(alias: Alias) -> bool:
    """Whether an alias is named as Pinecone's, or is the one that a `PineconeKey` makes."""
    of_construct = _OF_CONSTRUCT.search(alias.place.logical_id)
    return bool(of_construct) or any(PINECONES.match(one.value.name) for one in alias.cases)


def beside(outputs: Iterable[Output], label: str, other: str) -> Iterator[tuple[Place, Output]]:
    """For what one output names: the output of another label that goes with it, by its name."""
    by_stack: dict[Stack, tuple[list[Output], list[Output]]] = {}
    for one in outputs:
        if one.label in (label, other):
            some = by_stack.setdefault(one.place.stack, ([], []))
            some[one.label == other].append(one)
    for of_label, of_other in by_stack.values():
        for one in of_label:
            best = _nearest(one, of_other)
            if one.of and best and _nearest(best, of_label) is one:
                yield one.of, best


def _nearest(one: Output, others: list[Output]) -> Output | None:
    """The output whose name begins as that of another one for longest."""
    name = one.place.logical_id
    return max(others, key=lambda it: _common(name, it.place.logical_id), default=None)


def _common(one: str, other: str) -> int:
    same = [a == b for a, b in zip(one, other, strict=False)]
    return same.index(False) if False in same else len(same)


def outputs(run: Run, stacks: Iterable[Stack]) -> list[Output]:
    """What a person carries to Pinecone's console."""
    found = []
    for stack in stacks:
        for name, one in stack.outputs.items():
            description = str(one.get("Description", ""))
            if CONSOLE in description:
                label = _LABEL.search(description)
                cases = in_cases(run, stack, one.get("Value"))
                place = Place(stack, name)
                found.append(Output(place, label[1] if label else "", cases, None))
    return found


def given_roles(outputs: Iterable[Output]) -> Iterator[tuple[str, Place]]:
    """The account's roles that go to the console by a known ARN, and the output that says it."""
    for output in outputs:
        for one in output.cases if output.label == "Role ARN" else ():
            whom = named(one.value, "") if is_known(one.value) else None
            if whom and whom.account == output.place.stack.account:
                yield one.value, output.place


def in_cases(run: Run, stack: Stack, value: Any) -> tuple[InCase[str], ...]:
    try:
        return tuple(run.cases(stack, lambda values: values.text(stack, value)))
    except TooManyCases as why:
        return (InCase(Case(), f"${{?more cases than can be judged: {why}}}"),)


def may_be_key(text: str, arn: str) -> bool:
    """Whether the ARN of a key may be that of another one: its ID is not known."""
    if text == arn:
        return True
    one, other = parts(text, ":"), parts(arn, ":")
    same = [not is_known(b) or a == b for a, b in zip(one[:5], other[:5], strict=False)]
    return is_known(text) and len(one) == len(other) == 6 and all(same) and one[2] == "kms"


def by_aliases(finder: _Finder) -> None:
    """Keys by aliases that are named as Pinecone's: where no key has lost its own."""
    keys = Called(finder.keys)
    aliases = []
    for stack in finder.run.stacks:
        for logical_id in stack.resources:
            if stack.type_of(logical_id) == ALIAS:
                aliases.append(_alias(finder, Place(stack, logical_id), keys))
    finder.result.aliases = [one for one in aliases if one.cases]
    targets = {now.value.key for one in finder.result.aliases for now in one.cases}
    lost = {one.stack for one in finder.pinecones if one in finder.keys and one not in targets}
    for one in finder.result.aliases:
        for now in one.cases if one.place.stack not in lost else ():
            if now.value.key and PINECONES.match(now.value.name):
                finder.pinecones.add(now.value.key)


class Called:
    """Finds roles and keys by their ARNs, and by names and IDs alone."""

    def __init__(self, some: Mapping[Place, Iterable[InCase[Any]]]) -> None:
        """Remember them.

        Args:
            some: roles or keys in each case, by where they stand.
        """
        self._by_name: dict[str, list[tuple[Place, InCase[str]]]] = {}
        for place, cases in some.items():
            for one in cases:
                own = InCase(one.case, one.value.arn)
                self._by_name.setdefault(_name(own.value), []).append((place, own))

    def place(self, text: InCase[str]) -> Place | None:
        """What a text is the ARN, the name or the ID of, in one case."""
        for place, arn in self._by_name.get(_name(text.value), ()):
            if text.value == _name(arn.value) or _is_same(text, arn):
                return place
        return None


def _name(arn: str) -> str:
    return parts(arn, "/")[-1]


def _is_same(one: InCase[str], other: InCase[str]) -> bool:
    """Whether two texts, each in its case, are the same where both cases are."""
    return one.case.agrees(other.case) and _chosen(one, other.case) == _chosen(other, one.case)


def _chosen(text: InCase[str], case: Case) -> str:
    """A text with the values that another case chose for its holes."""
    found = text.value
    for name, value in case.choices.items():
        if value not in (YES, NO, OTHER):
            found = found.replace(hole(name), literal(value))
    return found


def _alias(finder: _Finder, place: Place, keys: Called) -> Alias:
    properties = place.stack.properties(place.logical_id)

    def work(values: Any) -> AliasNow | None:
        if not values.exists(place.stack, place.logical_id):
            return None
        own = values.text(place.stack, properties.get("AliasName", ""))
        target = values.text(place.stack, properties.get("TargetKeyId", ""))
        return AliasNow(own, target, keys.place(InCase(values.case, target)))

    try:
        found = finder.run.cases(place.stack, work)
    except TooManyCases:
        return Alias(place, ())
    return Alias(place, tuple(InCase(one.case, one.value) for one in found if one.value))
