"""The model of the page: everything that it says, before it is laid out."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from cmek_construct.guide import Statement
from cmek_construct.policy.sentences import Quoted, Words
from cmek_construct.review.answers import CUT_OFF
from cmek_construct.review.beside import why
from cmek_construct.review.changes import NOTHING, Difference
from cmek_construct.review.drawing import Drawing, reach
from cmek_construct.review.model import NAMES, Finding, Part, Policy, Said, Template, Thing

MOST: Final = 50
"""Distinct texts that are shown whole. Those with a violation come first."""
_THEIR_OWN: Final = (*NAMES, "TargetKeyId", "Description", "Tags")
"""Properties that let nobody do anything: they may differ among what is alike."""
_EXTERNAL_ID: Final = "<external ID>"
_OWN_ACCOUNT: Final = "<own account>"


@dataclass(frozen=True)
class Alike:
    """Roles and keys of one text, wherever they stand."""

    number: int
    parts: list[Part]

    @property
    def part(self) -> Part:
        """The first of them, which the page shows."""
        return self.parts[0]

    @property
    def template(self) -> Template:
        """The template of the first of them."""
        return self.part.template


@dataclass(frozen=True)
class Page:
    """What the reviewer reads and signs."""

    templates: list[Template]
    """Those with something of Pinecone's."""
    others: list[Template]
    """Those without."""
    rules: Sequence[tuple[str, str]]
    """Every rule of the guardrails: its id and its sentence."""
    version: str
    differences: list[Difference] | None = None

    most_listed = 200
    """Findings that are about nothing that is shown, and things that only a person can tell."""
    most_on_sheet = 4
    """Files that are named beside the signature; more of them stand further below."""
    nothing = NOTHING

    @property
    def _every(self) -> list[Template]:
        return [*self.templates, *self.others]

    @cached_property
    def files(self) -> dict[str, str]:
        """The SHA-256 of each file that is signed."""
        return {one.file: one.sha256 for one in self.templates}

    @property
    def digest(self) -> str:
        """Of the list of files: the one number that a signature is bound to."""
        lines = "".join(f"{sha256}  {file}\n" for file, sha256 in self.files.items())
        return hashlib.sha256(lines.encode()).hexdigest()

    @property
    def digest_command(self) -> str:
        """What prints it again."""
        return f"sha256sum {shlex.join(self.files)} | sha256sum"

    @cached_property
    def each(self) -> list[Alike]:
        """The distinct texts."""
        return _alike(self.templates)

    @property
    def shown(self) -> list[Alike]:
        """Those that are shown whole: nobody reads more in one sitting."""
        return self.each[:MOST]

    @cached_property
    def findings(self) -> list[Finding]:
        """All that the guardrails found."""
        return [one for each in self._every for one in each.all_findings]

    @property
    def open_findings(self) -> list[Finding]:
        """Those that nobody acknowledged."""
        return [one for one in self.findings if one.acknowledged is None]

    @property
    def elsewhere(self) -> list[tuple[Template, Finding]]:
        """Those that are about no role or key that is shown."""
        return [(each, one) for each in self._every for one in each.findings]

    @property
    def is_fit_to_sign(self) -> bool:
        """Whether nothing here is red: what only a person can check is still to be checked."""
        red = self.open_findings or self.missing or self.ids_used_twice or self.replaces
        accounts = len(self.accounts_named) > 1 or self.takes_own_for_pinecones
        return bool(self.each) and self.each == self.shown and not red and not accounts

    @property
    def replaces(self) -> bool:
        """Whether Pinecone would lose role, key or access by what changes."""
        return any(one.replaces for one in self.differences or ())

    @cached_property
    def results(self) -> list[tuple[str, str, list[Finding]]]:
        """The rules, each with its sentence and what breaks it; first those that are not kept."""
        by_rule: dict[str, list[Finding]] = {}
        for one in self.findings:
            by_rule.setdefault(one.rule.partition("[")[0], []).append(one)
        found = [(rule, sentence, by_rule.get(rule, [])) for rule, sentence in self.rules]
        reasons = {rule: [one.acknowledged for one in some] for rule, some in by_rule.items()}
        return sorted(found, key=lambda one: (None not in reasons.get(one[0], ()), not one[2]))

    @cached_property
    def statements(self) -> list[Said]:
        """Every statement of every distinct text."""
        return [said for one in self.each for said in one.part.said]

    @cached_property
    def different(self) -> list[Said]:
        """The statements that are not the guide's."""
        return [said for said in self.statements if not said.as_guide]

    @cached_property
    def missing(self) -> list[str]:
        """The statements of the guide's that are not there."""
        policies = [policy for one in self.each for policy in one.part.policies]
        return [label for policy in policies for label, _ in policy.missing]

    @cached_property
    def accounts_named(self) -> list[str]:
        """What the templates take for Pinecone's account."""
        roles = filter(None, (one.part.role for one in self.each))
        return list(dict.fromkeys(account for role in roles for account in role.pinecones))

    @property
    def takes_own_for_pinecones(self) -> bool:
        """Whether an account of one's own stands in the place of Pinecone's."""
        return any(one.part.role and one.template.account in one.part.role.pinecones for one in self.each)

    @cached_property
    def to_check(self) -> list[tuple[Words, list[str]]]:
        """What only a person can tell, and the templates that it is in."""
        found: dict[tuple[str, ...], list[str]] = {}
        for template in self._every:
            for words in template.to_check:
                found.setdefault(tuple(words), []).append(template.name)
        return [(list(words), names) for words, names in found.items()]

    @property
    def count_of_cut(self) -> int:
        """Roles that Pinecone cannot use now, of those that are shown."""
        cut = (one for one in self.shown if one.part.role and self.pinecone_now(one) == CUT_OFF)
        return sum(len(one.parts) for one in cut)

    @property
    def ids_used_twice(self) -> list[str]:
        """External IDs that stand in more than one place: each is for one Pinecone project."""
        parts = (part for one in self.templates for part in one.parts)
        counted = Counter(one for part in parts for one in part.external_ids)
        return [one for one, count in counted.items() if count > 1]

    def things(self, kind: str) -> list[Thing]:
        """The roles or the keys in all templates."""
        return [thing for one in self.templates for thing in one.things(kind).values()]

    @property
    def protects_used_keys(self) -> bool:
        """Whether a key may not be disabled while it is used."""
        rows = (row for one in self.shown for row in one.template.answers.rows)
        return any(row.unused and row.action == "kms:DisableKey" for row in rows)

    @property
    def parameters(self) -> list[str]:
        """What whoever deploys types in, and policies hang on."""
        texts = ((one, Quoted(said.statement)) for one in self.each for said in one.part.said)
        names = ((one, name) for one, text in texts for name in re.findall(r"\$\{([^{}]+)\}", text))
        return sorted({name for one, name in names if name in one.template.parameters})

    def drawing(self, one: Alike) -> Drawing:
        """Who reaches what."""
        return reach(one.part, one.template.answers)

    def pinecone_now(self, one: Alike) -> str:
        """What Pinecone can do by the answers; of what is not shown nothing was asked."""
        shown = one.number <= len(self.shown)
        return one.template.answers.of_pinecone(one.part) if shown else "not asked"

    def why(self, said: Said) -> list[str]:
        """What to know about a statement, by name."""
        return why(said.statement, said.kind, said.comparison, said.known)


def _alike(templates: Iterable[Template]) -> list[Alike]:
    """The distinct ones: first those that a guardrail refuses, each as it is first met."""
    found: dict[str, list[Part]] = {}
    for part in (part for template in templates for part in template.parts):
        found.setdefault(_text(part), []).append(part)
    refused_first = sorted(found.values(), key=lambda parts: not parts[0].refused)
    return [Alike(number, parts) for number, parts in enumerate(refused_first, 1)]


def _text(part: Part) -> str:
    """What is the same among what is alike: own account, IDs and names are left out.

    Each only where it stands for itself: an external ID in its condition, an account in an ARN.
    """
    findings = sorted((one.rule, one.acknowledged or "") for one in part.findings)
    things = [_thing(one) for one in part.things]
    text = json.dumps([things, findings, [label for label, _ in part.outputs]], sort_keys=True)
    for index, logical_id in enumerate(part.logical_ids):
        text = re.sub(rf"\$\{{{re.escape(logical_id)}(?=[.}}])", f"${{{index}", text)
    account = part.template.account
    if account is not None:
        text = re.sub(rf"(?<=[:\"]){account}(?=[:\"])", _OWN_ACCOUNT, text)
    return text.replace("${AWS::AccountId}", _OWN_ACCOUNT)


def _thing(one: Thing) -> list[Any]:
    properties = {name: value for name, value in one.properties.items() if name not in _THEIR_OWN}
    return [one.kind, properties, one.retained, [_policy(policy) for policy in one.policies]]


def _policy(policy: Policy) -> list[Any]:
    return [*([said.when, _without_external_id(said)] for said in policy.said), policy.variables]


def _without_external_id(said: Said) -> Statement:
    if said.external_id is None:
        return said.called
    condition = said.called["Condition"]
    equals = {**condition["StringEquals"], "sts:ExternalId": _EXTERNAL_ID}
    return {**said.called, "Condition": {**condition, "StringEquals": equals}}
