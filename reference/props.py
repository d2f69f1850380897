"""Every prop: the rows of the constructs, the file, and what has no rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cmek_construct import (
    PINECONE_REGIONS,
    CmekGuardrails,
    CustomerKey,
    PineconeCmek,
    PineconeCmekMonitoring,
    PineconeCmekStackSet,
    PineconeKey,
    PineconePrincipal,
    PineconeRole,
    StackSetTargets,
    props,
)
from cmek_construct.constructs.key import KEY
from cmek_construct.constructs.stack_set import STACK_SET
from cmek_construct.constructs.vendor import CUSTOMER_KEY, ROLE
from cmek_construct.deployment.config import AT_TOP, IN_STACK, sentence
from cmek_construct.guide import KeyAccess, role_statements
from cmek_construct.props import Prop
from reference.markdown import MADE, arguments, code, paragraphs, table, text

_BY_ROWS: tuple[tuple[type, Sequence[Prop]], ...] = (
    (PineconeCmek, props.CMEK),
    (PineconeRole, ROLE),
    (PineconeKey, KEY),
    (CustomerKey, CUSTOMER_KEY),
    (PineconeCmekStackSet, STACK_SET),
)


def page() -> str:
    """The page of every prop."""
    parts = [
        MADE,
        "# Every prop",
        "Everything is imported from `cmek_construct`. After `scope` and `construct_id` every parameter is given by "
        "its name. A wrong value is a `ValueError` before anything is built: it names the parameter, the value, what "
        "is allowed and the way out. Where a default is `none`, leave the prop out.",
        *_all_of_rows(),
        *_of_docstring("## PineconePrincipal", PineconePrincipal, PineconePrincipal.__init__),
        *_targets(),
        *_of_docstring("## PineconeCmekMonitoring", PineconeCmekMonitoring, PineconeCmekMonitoring.__init__),
        *_of_docstring("## CmekGuardrails", CmekGuardrails, CmekGuardrails.__init__),
        *_names(),
        *_file(),
    ]
    return "\n\n".join(parts) + "\n"


def _all_of_rows() -> Iterable[str]:
    for public, rows in _BY_ROWS:
        yield f"## {public.__name__}"
        yield from paragraphs(public.__doc__)
        yield table(
            ["prop", "what it takes", "default", "what it does"],
            ([code(row.name), text(_form(row)), text(row.default) or "must be given", text(row.says)] for row in rows),
        )


def _form(row: Prop) -> str:
    return " of ".join(filter(None, [row.cdk and f"`{row.cdk}`", row.shape]))


def _of_docstring(heading: str, public: Any, initializer: Any = None) -> Iterable[str]:
    """A class, by the docstring of its initializer; or a factory, by its own."""
    yield heading
    yield from paragraphs(public.__doc__)
    said = arguments((initializer or public).__doc__)
    names = [name for name in said if name not in ("scope", "construct_id")]
    yield table(["parameter", "what it is"], ([code(name), said[name]] for name in names))


def _targets() -> Iterable[str]:
    yield "## StackSetTargets"
    yield from paragraphs(StackSetTargets.__doc__)
    for factory in (StackSetTargets.organizational_units, StackSetTargets.accounts):
        yield from _of_docstring(f"### StackSetTargets.{factory.__name__}", factory)


def _names() -> Iterable[str]:
    yield "## Constants"
    regions = ", ".join(map(code, PINECONE_REGIONS))
    yield table(
        ["name", "what it is"],
        [
            ["`ALL_REGIONS`", "For `regions`: the guide's third trust policy."],
            ["`PINECONE_REGIONS`", f"The guide's regions: {regions}."],
            *([code(str(one)), _actions(one)] for one in KeyAccess),
        ],
    )


def _actions(access: KeyAccess) -> str:
    statements = role_statements("the role", access)
    return "; ".join(f"`{one['Sid']}`: {', '.join(map(code, one['Action']))}" for one in statements)


def _file() -> Iterable[str]:
    yield "## cmek.yaml"
    yield text(
        "What stands at the top holds for every stack; a stack overrides it, and takes it back with `null`. Durations "
        "are numbers of days, roles and keys are ARNs, enums are their names."
    )
    yield table(
        ["key", "stands", "what it is"],
        (
            [
                code(name),
                "at the top" if name == "stacks" else "both" if name in AT_TOP else "in a stack",
                text(sentence(name)),
            ]
            for name in dict.fromkeys((*AT_TOP, *IN_STACK))
        ),
    )
