"""What a template is as it is deployed by its own defaults, where a default decides a condition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from cmek_construct.templates.choices import Case, InCase
from cmek_construct.templates.stacks import Stack, hole_of
from cmek_construct.templates.texts import written

T = TypeVar("T", bound=InCase[Any])


def by_default(stack: Stack, cases: Sequence[T]) -> tuple[Sequence[T], dict[str, str]]:
    """The cases in which every parameter that was chosen has its default.

    A value that no condition asks for stays a hole, whatever its default: what is told of it holds for all that a
    deployer may type.

    Args:
        stack: that they are cases of.
        cases: all of them.

    Returns:
        The cases, and the defaults that were assumed, by parameter.
    """
    names = {own: (name, default) for name, own, default in _defaults(stack)}
    found = [one for one in cases if _is_default(one.case, names)]
    typed = [one for one in found if not one.case.is_by_default]
    assumed = dict(names[own] for one in (cases if found else ()) for own in one.case.choices if own in names)
    return typed or found or cases, assumed


def _defaults(stack: Stack) -> Iterator[tuple[str, str, str]]:
    for name, declared in stack.top.parameters.items():
        own = hole_of(stack.top, name)
        default = written(declared.get("Default")) if "Default" in declared else None
        if own is not None and default is not None:
            yield name, own, default


def _is_default(case: Case, names: dict[str, tuple[str, str]]) -> bool:
    choices = case.choices.items()
    return all(value == names[own][1] for own, value in choices if own in names)
