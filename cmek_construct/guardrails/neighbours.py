"""What the templates of one app know of each other."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from cmek_construct.guardrails.recognition import recognize
from cmek_construct.guardrails.subjects import Ours
from cmek_construct.guardrails.template import OWN_ACCOUNT, PEOPLE, Output, Resource, Template

_NUMBER: Final = re.compile(r"(?<=::)[0-9]{12}(?=:)")


class Neighbours:
    """What is exported, and the roles that Pinecone assumes."""

    def __init__(self, templates: Iterable[tuple[Template, Ours]]) -> None:
        """Look at templates, and at what is Pinecone's in each by itself."""
        self.exports: dict[str, dict[str, str]] = {}
        """Texts by account and name."""
        self.role_arns: set[str] = set()
        self.has_lone_roles = False
        """Whether one of them has no key in its own template."""
        self._known_in: dict[frozenset[str], frozenset[str]] = {}
        for template, ours in templates:
            self.has_lone_roles |= bool(ours.roles) and not ours.keys
            for role in ours.roles:
                self.role_arns |= {
                    arn for arn in role.arns if "${" not in arn.replace(OWN_ACCOUNT, "")
                }
            for output in template.outputs:
                if output.export is not None:
                    self._note_export(output.export, output, template, ours)

    def recognize(self, template: Template, vendor_role_arns: Iterable[str]) -> Ours:
        """What is Pinecone's in a template, beside these."""
        arns = self._arns_in(template.owners)
        return recognize(template, vendor_role_arns, arns, keys_are_elsewhere=self.has_lone_roles)

    def exports_for(self, template: Template) -> dict[str, str]:
        """What a template may import: of its account, or of one that is not known."""
        found: dict[str, str] = {}
        for account in _seen_by(template, self.exports):
            found |= self.exports[account]
        return found

    def _arns_in(self, accounts: frozenset[str]) -> frozenset[str]:
        """The roles, of which some may be of these accounts."""
        if accounts not in self._known_in:
            arns = set(self.role_arns)
            if OWN_ACCOUNT in accounts:
                arns |= {_NUMBER.sub(OWN_ACCOUNT, arn) for arn in arns}
            self._known_in[accounts] = frozenset(
                arn.replace(OWN_ACCOUNT, account)
                for arn in arns
                for account in (OWN_ACCOUNT, *accounts)
            ) | frozenset(arns)
        return self._known_in[accounts]

    def _note_export(self, name: str, output: Output, template: Template, ours: Ours) -> None:
        texts = self.exports.setdefault(template.account, {})
        own = {role.resource.logical_id for role in ours.roles}
        for one in template.of_type(*PEOPLE):
            if output.value == f"${{{one.logical_id}.Arn}}":
                texts[name] = exported_arn(one, name, template)
                if one.logical_id in own:
                    self.role_arns.add(texts[name])
            elif output.value == f"${{{one.logical_id}}}":
                texts[name] = f"${{export {name}}}"
        if "${" not in output.value:
            texts[name] = output.value


def _seen_by(template: Template, accounts: Iterable[str]) -> list[str]:
    """Of accounts those that may be the template's: its own, or all where it is not known."""
    own = (OWN_ACCOUNT, template.account)
    return [one for one in accounts if one in own or template.account == OWN_ACCOUNT]


def exported_arn(one: Resource, name: str, template: Template) -> str:
    """The ARN of a role or user of another template, by the name of what is exported."""
    kind = one.type.rpartition("::")[2].lower()
    return f"arn:aws:iam::{template.account}:{kind}/${{export {name}}}"
