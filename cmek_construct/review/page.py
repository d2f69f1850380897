"""The page: everything that it says, before it is laid out; what has one text is there once."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from cmek_construct.checks import printable
from cmek_construct.guardrails.rule import Violation
from cmek_construct.policy.sentences import Quoted, Words
from cmek_construct.review.changes import NOTHING, REPLACED, Difference
from cmek_construct.review.drawing import Drawing, reach
from cmek_construct.review.parts import CUT_OFF, NAMES, Part, Template, Thing
from cmek_construct.review.statements import Said

MOST: Final = 50
"""Distinct texts that are shown whole. Those with a violation come first."""
_THEIR_OWN: Final = (*NAMES, "TargetKeyId", "Description", "Tags")
"""Properties that let nobody do anything: they may differ among what is alike."""
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
    def is_shown(self) -> bool:
        """Whether it is shown whole: nobody reads more than so many in one sitting."""
        return self.number <= MOST

    @property
    def pinecone_now(self) -> str:
        """What Pinecone can do by the answers; of what is not shown nothing was asked."""
        return self.part.pinecone_now if self.is_shown else "not asked"

    @cached_property
    def drawing(self) -> Drawing:
        """Who reaches what."""
        return reach(self.part)


@dataclass(frozen=True)
class Page:
    """What the reviewer reads and signs."""

    every: Sequence[Template]
    """All that were read, first those with something of Pinecone's."""
    rules: Sequence[tuple[str, str]]
    """Every rule of the guardrails: its id and its sentence."""
    version: str
    problems: list[str] = field(default_factory=list)
    """What could not be read: then nothing is signed."""
    differences: list[Difference] | None = None

    most_listed = 200
    """Findings that are about nothing that is shown, and things that only a person can tell."""
    most_on_sheet = 4
    """Files that are named beside the signature; more of them stand further below."""
    nothing = NOTHING
    replaced = REPLACED

    @cached_property
    def templates(self) -> list[Template]:
        """Those with something of Pinecone's."""
        return [one for one in self.every if one.parts]

    @cached_property
    def files(self) -> dict[str, str]:
        """The SHA-256 of each file that is signed."""
        read = (one.stack.template for one in self.templates)
        return {printable(one.file): one.sha256 for one in read}

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
        """The distinct texts: first those that a guardrail refuses, each as it is first met."""
        found: dict[str, list[Part]] = {}
        for part in (part for template in self.templates for part in template.parts):
            found.setdefault(_text(part), []).append(part)
        refused_first = sorted(found.values(), key=lambda parts: not parts[0].refused)
        return [Alike(number, parts) for number, parts in enumerate(refused_first, 1)]

    @property
    def shown(self) -> list[Alike]:
        """Those that are shown whole."""
        return self.each[:MOST]

    @cached_property
    def findings(self) -> list[Violation]:
        """All that the guardrails found."""
        return [one for each in self.every for one in each.all_findings]

    @property
    def others(self) -> list[Template]:
        """Those with nothing of Pinecone's."""
        return [one for one in self.every if not one.parts]

    @property
    def open_findings(self) -> list[Violation]:
        """Those that nobody acknowledged."""
        return [one for one in self.findings if one.meant is None]

    @property
    def elsewhere(self) -> list[tuple[Template, Violation]]:
        """Those that are about no role or key that is shown."""
        return [(each, one) for each in self.every for one in each.findings]

    @property
    def is_fit_to_sign(self) -> bool:
        """Whether nothing here is red: what only a person can check is still to be checked."""
        red = self.open_findings or self.missing or self.ids_used_twice or self.replaces
        accounts = len(self.accounts_named) > 1 or self.takes_own_for_pinecones
        return bool(self.each) and self.each == self.shown and not red and not accounts

    @property
    def replaces(self) -> bool:
        """Whether Pinecone would lose role, key or access by what changes."""
        return any(REPLACED in one.changes for one in self.differences or ())

    @cached_property
    def results(self) -> list[tuple[str, str, list[Violation]]]:
        """The rules, each with its sentence and what breaks it; first those that are not kept."""
        by_rule: dict[str, list[Violation]] = {}
        for one in self.findings:
            by_rule.setdefault(one.rule.partition("[")[0], []).append(one)
        found = [(rule, sentence, by_rule.get(rule, [])) for rule, sentence in self.rules]
        return sorted(found, key=lambda one: (all(broken.meant is not None for broken in one[2]), not one[2]))

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
        policies = (policy for one in self.each for policy in one.part.policies)
        return [label for policy in policies for label, _ in policy.missing]

    @cached_property
    def accounts_named(self) -> list[str]:
        """What the templates take for Pinecone's account."""
        roles = filter(None, (one.part.role for one in self.each))
        return list(dict.fromkeys(account for role in roles for account in role.pinecones))

    @property
    def takes_own_for_pinecones(self) -> bool:
        """Whether an account of one's own stands in the place of Pinecone's."""
        return any(one.part.role and one.part.template.account in one.part.role.pinecones for one in self.each)

    @cached_property
    def to_check(self) -> list[tuple[Words, list[str]]]:
        """What only a person can tell, and the templates that it is in."""
        found: dict[tuple[str, ...], list[str]] = {}
        for template in self.every:
            for words in template.to_check:
                found.setdefault(tuple(words), []).append(template.name)
        return [(list(words), names) for words, names in found.items()]

    @property
    def count_of_cut(self) -> int:
        """Roles that Pinecone cannot use now, of those that are shown."""
        return sum(len(one.parts) for one in self.shown if one.part.role and one.pinecone_now == CUT_OFF)

    @property
    def ids_used_twice(self) -> list[str]:
        """External IDs that stand in more than one place: each is for one Pinecone project."""
        counted = Counter(one for template in self.templates for one in template.external_ids)
        return [one for one, count in counted.items() if count > 1]

    def things(self, kind: str) -> list[Thing]:
        """The roles or the keys in all templates."""
        return [thing for one in self.templates for thing in one.things(kind).values()]

    @property
    def protects_used_keys(self) -> bool:
        """Whether a key may not be disabled while it is used."""
        rows = (row for one in self.shown for row in one.part.template.answers.rows)
        return any(row.unused and row.action == "kms:DisableKey" for row in rows)

    @property
    def parameters(self) -> list[str]:
        """What whoever deploys types in, and policies hang on."""
        found: set[str] = set()
        for one in self.each:
            names = re.findall(r"\$\{([^{}]+)\}", "\n".join(Quoted(said.statement) for said in one.part.said))
            found |= one.part.template.parameters.intersection(names)
        return sorted(found)


def _text(part: Part) -> str:
    """What is the same among what is alike: own account, IDs and names are left out.

    Each only where it stands for itself: an external ID in its condition, an account in an ARN.
    """
    findings = sorted((one.rule, one.meant or "") for one in part.findings)
    things = [
        [
            thing.kind,
            {name: value for name, value in thing.properties.items() if name not in _THEIR_OWN},
            thing.retained,
            [[*map(_statement, policy.said), policy.variables] for policy in thing.policies],
        ]
        for thing in part.things
    ]
    text = json.dumps([things, findings, [label for label, _ in part.outputs]], sort_keys=True)
    for index, logical_id in enumerate(part.logical_ids):
        text = re.sub(rf"\$\{{{re.escape(logical_id)}(?=[.}}])", f"${{{index}", text)
    if part.template.account:
        text = re.sub(rf"(?<=[:\"]){part.template.account}(?=[:\"])", _OWN_ACCOUNT, text)
    return text.replace("${AWS::AccountId}", _OWN_ACCOUNT)


def _statement(said: Said) -> list[Any]:
    called = said.called
    if said.external_id is not None:
        called = deepcopy(called)
        called["Condition"]["StringEquals"]["sts:ExternalId"] = "<external ID>"
    return [said.when, called]
