"""Templates that are deployed together: what one imports of another, and what is Pinecone's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cmek_construct.guardrails.neighbours import Neighbours
from cmek_construct.guardrails.recognition import recognize
from cmek_construct.guardrails.subjects import Ours
from cmek_construct.guardrails.template import OWN_ACCOUNT, PEOPLE
from cmek_construct.guardrails.template import Template as View
from cmek_construct.operations.reviewing.templates import Template

_UNCUT: Final = 20
"""So many letters of a logical ID are in a generated name, however long stack and ID are."""


@dataclass(frozen=True)
class Recognized:
    """A template, and what in it is Pinecone's."""

    name: str
    template: View
    ours: Ours
    exported_names: Mapping[str, str]
    """The forms of the names of roles and users that other templates export."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing in it is Pinecone's."""
        return not self.ours.roles and not self.ours.keys


def recognized(
    templates: Sequence[Template], account: str | None = None, vendor_role_arns: Iterable[str] = ()
) -> list[Recognized]:
    """What in each template is Pinecone's.

    Args:
        templates: which may import what others of them export.
        account: of those that do not say theirs. Default: it is not known.
        vendor_role_arns: roles of other accounts that were declared.
    """
    vendors = frozenset(vendor_role_arns)
    alone = [_view(one, account) for one in templates]
    known = Neighbours((one, recognize(one, vendors)) for one in alone)
    names = dict(name for one in alone for name in _exported_names(one))
    found = []
    for template, view in zip(templates, alone, strict=True):
        imports = View(view.raw, view.account, known.exports_for(view)) if known.exports else view
        found.append(Recognized(template.name, imports, known.recognize(imports, vendors), names))
    return found


def generated(logical_id: str) -> str:
    """The form of a name that CloudFormation makes: stack, logical ID, twelve letters or more."""
    cut = "*" if len(logical_id) > _UNCUT else ""
    return f"*-{logical_id[:_UNCUT]}{cut}-????????????*"


def _exported_names(view: View) -> Iterator[tuple[str, str]]:
    """By the holes that `Neighbours` has for them."""
    for output in view.outputs:
        for one in view.of_type(*PEOPLE) if output.export is not None else ():
            if output.value in (f"${{{one.logical_id}.Arn}}", f"${{{one.logical_id}}}"):
                name = view.text(one, "RoleName") or view.text(one, "UserName")
                known = name is not None and "${" not in name
                form = name if name and known else "*" if name else generated(one.logical_id)
                yield f"export {output.export}", form


def _view(template: Template, account: str | None) -> View:
    """A template of the account that its assembly says, or its keys, or else of the one given."""
    found = View(template.content, template.account)
    if account is None or found.owners - {OWN_ACCOUNT, account}:
        return found
    return View(template.content, account)
