"""What changes between two sets of templates: each difference once, with all that it is in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cmek_construct.review.changes import ACCESS, OTHER, REPLACED, Change, between, elsewhere
from cmek_construct.review.seen import Template
from cmek_construct.review.shapes import Place

NOTHING: Final = "Nothing changes about Pinecone's roles, keys and aliases."
_TITLES: Final = {
    REPLACED: "Pinecone would lose role, key or access",
    ACCESS: "Who may do what",
    OTHER: "Other",
}


@dataclass(frozen=True)
class Difference:
    """The same changes, and the templates that they are in."""

    changes: list[Change]
    names: list[str]

    @property
    def by_weight(self) -> list[tuple[str, list[Change]]]:
        """The changes under their titles, the heaviest first."""
        return [
            (title, [change for change in self.changes if change.weight == weight])
            for weight, title in _TITLES.items()
            if any(change.weight == weight for change in self.changes)
        ]

    @property
    def replaces(self) -> bool:
        """Whether Pinecone would lose a role or key."""
        return any(change.weight == REPLACED for change in self.changes)


def differences(old: Sequence[Template], new: Sequence[Template]) -> list[Difference]:
    """What changes, grouped; those that replace role or key first."""
    found: dict[str, tuple[list[Change], list[str]]] = {}
    for before, after in _pairs(old, new):
        if before and after and _same(before, after):
            continue
        changes = between(before, after)
        one = after or before
        if changes and one is not None:
            text = _common(changes, [before, after])
            found.setdefault(text, (changes, []))[1].append(one.name)
    every = [Difference(changes, names) for changes, names in found.values()]
    return sorted(every, key=lambda difference: not difference.replaces)


def _pairs(
    old: Sequence[Template], new: Sequence[Template]
) -> list[tuple[Template | None, Template | None]]:
    """Templates of one name; or the only ones, whatever they are called."""
    if len(old) == len(new) == 1:
        return [(old[0], new[0])]
    before = {one.name: one for one in old if one.parts}
    after = {one.name: one for one in new if one.parts}
    before |= {one.name: one for one in old if one.name in after}
    after |= {one.name: one for one in new if one.name in before}
    return [(before.get(name), after.get(name)) for name in dict.fromkeys([*after, *before])]


def _same(old: Template, new: Template) -> bool:
    """Nothing about Pinecone's differs: who can do what need not be asked."""
    return (
        not any(elsewhere(old, new))
        and old.all_findings == new.all_findings
        and old.parts == new.parts
    )


def _common(changes: Sequence[Change], templates: Sequence[Template | None]) -> str:
    """The text of changes without what each account has of its own."""
    text = json.dumps([[change.weight, *change.words] for change in changes])
    for template in filter(None, templates):
        own = [one for part in template.parts for one in Place(template, part).external_ids]
        for value in filter(None, [template.account, *own]):
            text = text.replace(value, "<own>")
    return text
