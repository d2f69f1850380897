"""Every id that can be acknowledged, and those that cannot."""

from __future__ import annotations

import re

from cmek_construct.guardrails.rule import Rule, rules
from cmek_construct.warnings import PLUGIN, warnings
from reference.markdown import MADE, code, table, text

_LOCK = {
    "lock-file": "`cmek.lock` can be read.",
    "locked-role": "No locked role is replaced, dropped, or given another external ID or account number of Pinecone's.",
    "locked-key": "No locked key is replaced or dropped.",
    "locked-place": "No locked stack is moved to another account or region, or made anew after its stack is gone.",
}


def page() -> str:
    """The page of warnings and guardrails."""
    parts = [
        MADE,
        "# Every warning and every guardrail",
        "How to acknowledge one: [the construct](../construct.md#warnings), "
        "[the app](../app.md#warnings-and-guardrails). Reports put `Annotation::` before the id of "
        "a warning; both forms work.",
        "## Warnings",
        "What may be right and is unusual. What stands in braces is filled in.",
        table(
            ["id", "what it says"],
            ([code(f"cmek-construct:{name}"), _filled(said)] for name, said in warnings().items()),
        ),
        "## Guardrails",
        f"A violation fails the synth and `cmek check`. It is acknowledged as `{PLUGIN}::<rule>`. "
        "Who could do what stands behind a rule in brackets, as the report prints it "
        "(`key-foreign-principal[ARN]`): somebody else is refused again.",
        table(
            ["rule", "what must hold", "what could happen else", "way out"], dict.fromkeys(map(_row, rules().values()))
        ),
        "## The lock",
        "Refusals of [the lock](../app.md#the-lock). They cannot be acknowledged: `cmek unlock` is the way.",
        table(["rule", "what must hold"], ([code(name), said] for name, said in _LOCK.items())),
    ]
    return "\n\n".join(parts) + "\n"


def _row(rule: Rule) -> tuple[str, str, str, str]:
    """A rule as its users know it: several functions may judge under one id."""
    return code(rule.id), text(rule.sentence), text(rule.allows), text(rule.cure)


def _filled(said: str) -> str:
    """A message with its holes as code."""
    return text(re.sub(r"\{(\w+)[^}]*\}", r"`{\1}`", said))
