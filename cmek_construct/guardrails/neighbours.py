"""What the templates of one app know of each other."""

from __future__ import annotations

from collections.abc import Iterable

from cmek_construct.guardrails.recognition import recognize
from cmek_construct.guardrails.subjects import Ours, Role
from cmek_construct.guardrails.template import PEOPLE, Output, Resource, Template


class Neighbours:
    """What is exported, and the roles that Pinecone assumes."""

    def __init__(self, templates: Iterable[tuple[Template, Ours]]) -> None:
        """Look at templates, and at what is Pinecone's in each by itself."""
        self.exports: dict[str, dict[str, str]] = {}
        """Texts by account and name."""
        self.role_arns: set[str] = set()
        self.role_names: dict[str, set[str]] = {}
        """By account."""
        for template, ours in templates:
            for role in ours.roles:
                self._note(role, template)
            for output in template.outputs:
                if output.export is not None:
                    self._note_export(output.export, output, template, ours)

    def recognize(self, template: Template, vendor_role_arns: Iterable[str]) -> Ours:
        """What is Pinecone's in a template, beside these."""
        names = self.role_names.get(template.account, set())
        return recognize(template, vendor_role_arns, self.role_arns, names)

    def _note(self, role: Role, template: Template) -> None:
        self.role_arns |= {arn for arn in role.arns if "${" not in arn}
        name = template.text(role.resource, "RoleName")
        if name is not None and "${" not in name:
            self.role_names.setdefault(template.account, set()).add(name)

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
                if one.logical_id in own:
                    self.role_names.setdefault(template.account, set()).add(texts[name])
        if "${" not in output.value:
            texts[name] = output.value


def exported_arn(one: Resource, name: str, template: Template) -> str:
    """The ARN of a role or user of another template, by the name of what is exported."""
    kind = one.type.rpartition("::")[2].lower()
    return f"arn:aws:iam::{template.account}:{kind}/${{export {name}}}"
