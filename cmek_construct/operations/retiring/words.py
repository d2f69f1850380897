"""What a retirement says: the checklist, and what becomes of the rest afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cmek_construct.operations.doctor.words import Case
from cmek_construct.operations.findings import marked
from cmek_construct.operations.retiring.steps import Looked, is_done


def checklist(case: Case, looked: Looked) -> Iterator[str]:
    """Each step with its mark, and which is next."""
    yield f"{case.entry.name}: retirement of {case.key_arn}"
    for number, step in enumerate(looked.steps, 1):
        mark, _, words = marked(step).partition(" ")
        yield f"{mark} {number}. {words}"
        if step.cure and (step.fails or step.elsewhere):
            yield f"       {step.cure}"
    yield ""
    left = looked.next
    if is_done(looked.steps[-1]):
        yield from afterwards(case, looked.key)
    elif left is not None:
        yield f"Next: step {looked.number(left)}. {left.cure or left.words}"


def afterwards(case: Case, key: Any) -> Iterator[str]:
    """What is left to do once the deletion is ordered, or the key is gone."""
    name, own = case.entry.name, case.entry.settings
    if key is not None:
        yield f"Until then it can be taken back, and nothing is lost: cmek retire {name} --cancel"
        yield (
            "Until then, leave the stack, cmek.yaml and cmek.lock as they are. `cmek doctor` calls "
            "the deletion WRONG: that is meant. When it is done:"
        )
    else:
        yield "The key is gone. What is left:"
    if case.way_back is None:
        yield (
            f"- The stack: write termination_protection: false into {name} in cmek.yaml; then: npx "
            f"cdk deploy {name} && npx cdk destroy {name}"
        )
    if own.role is None:
        yield (
            f"- The role, which outlives its stack (the alias goes with the key): "
            f"{case.iam('delete-role')}"
        )
    yield (
        f'- The files: cmek unlock {name} --reason "retired", take {name} out of cmek.yaml, and '
        "commit both."
    )
