"""Judges templates by the rules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cmek_construct.guardrails import ids
from cmek_construct.guardrails.neighbours import Neighbours
from cmek_construct.guardrails.policies import shown
from cmek_construct.guardrails.recognition import LOOK_ALIKE, recognize
from cmek_construct.guardrails.rule import Finding, Rule, Violation
from cmek_construct.guardrails.rules import RULES
from cmek_construct.guardrails.subjects import Key, Ours
from cmek_construct.guardrails.template import Template

_STACK_SET: Final = "AWS::CloudFormation::StackSet"
_HARMLESS_MACROS: Final = ("AWS::LanguageExtensions", "AWS::Serverless-", "AWS::SecretsManager-")
"""Macros that change only what is written for them."""


_KIND: Final = re.compile(r'"AWS::(IAM::(Role|\w*Policy)|KMS::\w+)"')


@dataclass(frozen=True)
class Document:
    """A template, and its account where it is known."""

    template: Mapping[str, Any]
    account: str | None = None
    parameters: Mapping[str, str] | None = None
    """Texts of what its parent stack gives it, by name."""


def judge(
    template: Mapping[str, Any],
    vendor_role_arns: Iterable[str] = (),
    *,
    account: str | None = None,
    rules: Sequence[Rule[Any]] = RULES,
) -> list[Violation]:
    """What one template says that it must not, in the order of the rules.

    Args:
        template: its JSON.
        vendor_role_arns: roles of other accounts that a key policy may name.
        account: the number of its account. Default: seen from the key policy.
        rules: by which rules. Default: all.
    """
    return judge_all([Document(template, account)], vendor_role_arns, rules=rules)[0]


def judge_all(
    documents: Sequence[Document],
    vendor_role_arns: Iterable[str] = (),
    *,
    rules: Sequence[Rule[Any]] = RULES,
) -> list[list[Violation]]:
    """The same of several templates, of which one may name what another exports."""
    vendors = frozenset(vendor_role_arns)
    alone = [Template(one.template, one.account, parameters=one.parameters) for one in documents]
    found = [recognize(template, vendors) for template in alone]
    known = Neighbours(zip(alone, found, strict=True))
    judged = []
    for document, template, ours in zip(documents, alone, found, strict=True):
        exports = known.exports_for(template)
        if exports or known.role_arns or known.role_names or known.has_lone_roles:
            template = Template(template.raw, document.account, exports, document.parameters)
            ours = known.recognize(template, vendors)
        judged.append(list(_judged(template, ours, vendors, rules)))
        if template.defaults:
            parameters = {**template.defaults, **(document.parameters or {})}
            by_default = Template(template.raw, document.account, exports, parameters)
            ours = known.recognize(by_default, vendors)
            seen = {(one.rule, one.logical_id) for one in judged[-1]}
            more = _judged(by_default, ours, vendors, rules)
            judged[-1] += [one for one in more if (one.rule, one.logical_id) not in seen]
    return judged


def _judged(
    template: Template, ours: Ours, vendors: frozenset[str], rules: Sequence[Rule[Any]]
) -> Iterator[Violation]:
    for rule in rules:
        for subject in ours.all:
            if isinstance(subject, rule.subject):
                for finding in _found(rule, subject):
                    yield _violation(rule, finding, subject.resource.logical_id)
    yield from _hidden(template, ours, rules)
    for stack_set in template.of_type(_STACK_SET):
        body = stack_set.properties.get("TemplateBody")
        yield from _judged_inside(stack_set.logical_id, body, vendors, rules)


def _found(rule: Rule[Any], subject: Any) -> Iterable[Finding]:
    """What a rule finds; of a key in every case of the template's conditions."""
    if not isinstance(subject, Key) or not subject.others:
        return rule.check(subject)
    return dict.fromkeys(finding for case in subject.cases for finding in rule.check(case))


def _violation(rule: Rule[Any], finding: Finding, logical_id: str) -> Violation:
    return Violation(
        rule=rule.id if finding.whom is None else ids.about(rule.id, finding.whom),
        logical_id=finding.logical_id or logical_id,
        what=finding.what,
        allows=finding.allows,
        cure=rule.cure,
    )


def _hidden(template: Template, ours: Ours, rules: Sequence[Rule[Any]]) -> Iterator[Violation]:
    """What another than CloudFormation writes, or what is no resource by itself."""
    if all(rule.id != ids.CANNOT_BE_JUDGED for rule in rules):
        return
    found = [one.resource.logical_id for one in ours.all]
    macros = template.raw.get("Transform", [])
    for macro in macros if isinstance(macros, list) else [macros]:
        known = isinstance(macro, str) and macro.startswith(_HARMLESS_MACROS)
        if not known and found:
            why = f"The macro {shown(json.dumps(macro))} rewrites the template"
            yield _not_judged(found[0], why)
    for where in (template.raw, template.raw.get("Outputs")):
        if found and isinstance(where, dict) and "Fn::Transform" in where:
            yield _not_judged(found[0], "Fn::Transform rewrites the template")
    for logical_id in template.unreadable:
        resource = json.dumps(template.raw["Resources"][logical_id], default=str)
        if LOOK_ALIKE.search(resource) or (found and _KIND.search(resource)):
            yield _not_judged(logical_id, f"{shown(logical_id)} is no resource that can be read")


def _judged_inside(
    logical_id: str, body: Any, vendors: frozenset[str], rules: Sequence[Rule[Any]]
) -> Iterator[Violation]:
    """The template inside a stack set."""
    try:
        inner = json.loads(body) if isinstance(body, str) else None
    except (ValueError, RecursionError):
        inner = None
    if isinstance(inner, dict):
        for one in judge(inner, vendors, rules=rules):
            what = f"In TemplateBody, {shown(one.logical_id)}: {one.what}"
            yield replace(one, logical_id=logical_id, what=what)
    elif LOOK_ALIKE.search(json.dumps(body, default=str)):
        yield _not_judged(logical_id, "TemplateBody is no JSON that can be read")


def _not_judged(logical_id: str, why: str) -> Violation:
    return Violation(
        ids.CANNOT_BE_JUDGED,
        logical_id,
        f"{why}, so role and key cannot be judged.",
        "Nobody can tell whom they let in before they are deployed.",
        "Write role and key into a template of their own.",
    )
