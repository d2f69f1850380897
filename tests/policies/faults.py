"""Mistakes in the module, put there on purpose, one at a time: the comparison must find each."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final
from unittest.mock import patch

from cmek_construct.policy import context, rules, space, text
from cmek_construct.policy.patterns import ANY, NAME_END
from cmek_construct.policy.rules import Verdict

Change = Callable[..., Any]


@contextlib.contextmanager
def _instead(where: Any, name: str, wrong: Any) -> Iterator[None]:
    """Another object under a name, wherever the module has it."""
    right = getattr(where, name)
    with contextlib.ExitStack() as stack:
        for module in [where, *sys.modules.values()]:
            if module is where or (
                getattr(module, "__name__", "").startswith("cmek_construct.policy") and vars(module).get(name) is right
            ):
                stack.enter_context(patch.object(module, name, wrong))
        yield


def _changed(where: Any, name: str, change: Change) -> contextlib.AbstractContextManager[None]:
    """A function whose answer is changed. ``change`` gets it, and the arguments."""
    right = getattr(where, name)
    return _instead(where, name, lambda *args, **more: change(right(*args, **more), *args))


def _without_a_dimension(pieces: Iterator[Any], box: Any, other: Any) -> Iterator[Any]:
    """What of a box is outside in the last dimension alone is left out."""
    return (one for one in pieces if one[-1] == box[-1])


def _without_own(boxes: Iterator[Any], of: Any, *_: Any) -> Iterator[Any]:
    for box in boxes:
        at = list(of.dimensions).index(context.OWN)
        yield (*box[:at], of.dimensions[context.OWN].all, *box[at + 1 :])


def _case_counts(found: int, _: Any, name: str) -> int:
    return found if name.startswith(("kms:", "sts:", "*")) else 0


def _spared_by_arn(found: tuple[int, int], of: Any, statement: Any) -> tuple[int, int]:
    listed, accounts = context.whom(of, statement.not_principals or ())
    others = of.dimensions[context.PRINCIPAL].all & ~(listed | accounts)
    return (others, 0) if statement.principals is None else found


def _denied_root_alone(found: tuple[int, int], _: Any, statement: Any) -> tuple[int, int]:
    return (found[0], 0) if statement.effect == "Deny" else found


def _maybe_for_surely(said: Verdict, *_: Any) -> Verdict:
    return Verdict.YES if said is Verdict.CANNOT_TELL else said


def _holes_as_text(found: text.Form, *_: Any) -> text.Form:
    pattern = (
        re.sub(r"\((.*?)\)", lambda it: re.escape(names.pop(0)), found.pattern) if (names := [*found.holes]) else ""
    )
    return text.Form(pattern) if pattern else found


_ARN: Final = text.Reading.arn
FAULTS: Final[dict[str, Callable[[], contextlib.AbstractContextManager[Any]]]] = {
    "a dimension is left out of the difference": lambda: _changed(space, "_outside", _without_a_dimension),
    "a negated operator is false without its key": lambda: _changed(
        context,
        "read_operator",
        lambda one, *_: one._replace(without_key=one.each == "ForAllValues" or one.if_exists),
    ),
    "IfExists is not heeded": lambda: _changed(
        context,
        "read_operator",
        lambda one, *_: one._replace(without_key=one.each == "ForAllValues" or (one.negated and not one.each)),
    ),
    "who lets in only with leave of the account lets in alone": lambda: _changed(rules, "_boxes", _without_own),
    "the case of an action counts": lambda: _changed(rules, "action", _case_counts),
    "a wildcard in an ARN goes past a colon": lambda: _instead(
        text.Reading, "arn", lambda reading, whole, _=ANY, **more: _ARN(reading, whole, ANY, **more)
    ),
    "NotPrincipal spares by the ARN alone": lambda: _changed(context, "named", _spared_by_arn),
    "a denial of the root does not reach the account": lambda: _changed(context, "named", _denied_root_alone),
    "maybe is taken for surely": lambda: _changed(rules.Rules, "verdict", _maybe_for_surely),
    "a role is not its sessions": lambda: patch.dict(context._KINDS, {"role": f"{NAME_END}x"}),
    "a hole is a text": lambda: _changed(text.Reading, "form", _holes_as_text),
}
