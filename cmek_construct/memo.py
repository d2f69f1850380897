"""Each question to a construct is a message to the jsii kernel: ask once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def remembered(construct: Any, what: str, ask: Callable[[], T]) -> T:
    """What a construct was told or asked before, or else the answer of ``ask``.

    Only for what never changes in a construct's life, or for a collection that its owner fills.
    The memory dies with the construct.
    """
    memory: dict[str, Any] = vars(construct).setdefault("_cmek_construct_memo", {})
    if what not in memory:
        memory[what] = ask()
    answer: T = memory[what]
    return answer
