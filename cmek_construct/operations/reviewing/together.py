"""Templates that are deployed together: what one imports of another, and what is Pinecone's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cmek_construct.guardrails.recognition import recognize
from cmek_construct.guardrails.subjects import Ours
from cmek_construct.operations.reviewing.stand_ins import StandIns
from cmek_construct.operations.reviewing.templates import Template


@dataclass(frozen=True)
class Recognized:
    """A template with stand-ins, and what in it is Pinecone's."""

    name: str
    stand_ins: StandIns
    ours: Ours

    @property
    def is_empty(self) -> bool:
        """Whether nothing in it is Pinecone's."""
        return not self.ours.roles and not self.ours.keys

    def role_arns(self) -> Iterator[str]:
        """The ARNs of its roles for Pinecone."""
        return (self.stand_ins.arn_of(role.resource.logical_id) for role in self.ours.roles)


def recognized(
    templates: Sequence[Template], account: str | None = None, vendor_role_arns: Iterable[str] = ()
) -> list[Recognized]:
    """What in each template is Pinecone's.

    Args:
        templates: which may import what others of them export.
        account: of those that do not say theirs. Default: a stand-in.
        vendor_role_arns: roles of other accounts that were declared.
    """
    vendors = frozenset(vendor_role_arns)
    alone = [_one(template, account, {}, vendors, ()) for template in templates]
    exports = {name: text for one in alone for name, text in one.stand_ins.exports()}
    role_arns = [arn for one in alone for arn in one.role_arns()]
    return [_one(template, account, exports, vendors, role_arns) for template in templates]


def _one(
    template: Template,
    account: str | None,
    exports: Mapping[str, str],
    vendors: frozenset[str],
    role_arns: Iterable[str],
) -> Recognized:
    first = recognize(StandIns(template.content, None, exports).template, vendors, role_arns)
    owners = [key.owner for key in first.keys if key.owner.isdigit()]
    own = account if account in owners else next(iter(owners), account)
    return Recognized(template.name, StandIns(template.content, own, exports), first)
