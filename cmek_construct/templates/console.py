"""What a person carries to Pinecone's console, and the aliases that are named as Pinecone's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Final

from cmek_construct.templates.found import Alias, Output, Place
from cmek_construct.templates.matching import named
from cmek_construct.templates.run import Run
from cmek_construct.templates.stacks import Stack
from cmek_construct.templates.texts import is_known

_CONSOLE: Final = "Pinecone console"
_LABEL: Final = re.compile(r'"(Role ARN|Key ARN|External ID)"')
PINECONES: Final = re.compile(r"alias/pine[-_]?cone[-_]?cmek/", re.IGNORECASE)
"""How an alias is named that is Pinecone's."""
_OF_CONSTRUCT: Final = re.compile(r"PineconeAlias[0-9A-F]{8}$")
"""The logical ID of the alias that a `PineconeKey` makes."""


def is_named(alias: Alias) -> bool:
    """Whether an alias is named as Pinecone's, or is the one that a `PineconeKey` makes."""
    of_construct = _OF_CONSTRUCT.search(alias.place.logical_id)
    return bool(of_construct) or any(PINECONES.match(one.value.name) for one in alias.cases)


def outputs(run: Run, stacks: Iterable[Stack]) -> list[Output]:
    """What a person carries to Pinecone's console."""
    found = []
    for stack, name, one in ((top, name, one) for top in stacks for name, one in top.outputs.items()):
        description = str(one.get("Description", ""))
        if _CONSOLE in description:
            label = _LABEL.search(description)
            cases = run.text(stack, one.get("Value"))
            found.append(Output(Place(stack, name), label[1] if label else "", cases, None))
    return found


def given_roles(outputs: Iterable[Output]) -> Iterator[tuple[str, Place]]:
    """The account's roles that go to the console by a known ARN, and the output that says it."""
    for output in outputs:
        for one in output.cases if output.label == "Role ARN" else ():
            whom = named(one.value, "") if is_known(one.value) else None
            if whom and whom.account == output.place.stack.account:
                yield one.value, output.place


def beside(outputs: Iterable[Output], label: str, other: str) -> Iterator[tuple[Place, Output]]:
    """For what one output names: the output of another label that goes with it, by its name."""
    by_stack: dict[Stack, dict[str, list[Output]]] = {}
    for one in outputs:
        by_stack.setdefault(one.place.stack, {label: [], other: []}).setdefault(one.label, []).append(one)
    for some in by_stack.values():
        for one in some[label]:
            best = _nearest(one, some[other])
            if one.of and best and _nearest(best, some[label]) is one:
                yield one.of, best


def _nearest(one: Output, others: list[Output]) -> Output | None:
    """The output whose name begins as that of another one for longest."""

    def common(other: Output) -> int:
        pairs = zip(one.place.logical_id, other.place.logical_id, strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    return max(others, key=common, default=None)
