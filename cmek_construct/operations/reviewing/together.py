"""Templates that are deployed together: what one imports of another, and what is Pinecone's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cmek_construct.guardrails.neighbours import Neighbours
from cmek_construct.guardrails.recognition import recognize
from cmek_construct.guardrails.subjects import Ours
from cmek_construct.guardrails.template import Template as View
from cmek_construct.operations.reviewing.templates import Template


@dataclass(frozen=True)
class Recognized:
    """A template, and what in it is Pinecone's."""

    name: str
    template: View
    ours: Ours


def recognized(
    templates: Sequence[Template], vendor_role_arns: Iterable[str] = ()
) -> list[Recognized]:
    """What in each template is Pinecone's.

    Args:
        templates: which may import what others of them export.
        vendor_role_arns: roles of other accounts that were declared.
    """
    vendors = frozenset(vendor_role_arns)
    alone = [View(one.content, one.account) for one in templates]
    known = Neighbours((one, recognize(one, vendors)) for one in alone)
    found = []
    for template, view in zip(templates, alone, strict=True):
        imports = View(view.raw, view.account, known.exports_for(view)) if known.exports else view
        found.append(Recognized(template.name, imports, known.recognize(imports, vendors)))
    return found
