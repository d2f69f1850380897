"""The page: everything that it says, what has one text once, and its layout: one HTML file alone.

The same templates give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from copy import deepcopy
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from cmek_construct.checks import printable
from cmek_construct.guardrails.judging import RULES
from cmek_construct.guardrails.rule import Violation
from cmek_construct.policy.sentences import Quoted, plain_letters, visible
from cmek_construct.review.changes import NOTHING, REPLACED, Difference
from cmek_construct.review.drawing import Drawing, reach
from cmek_construct.review.parts import CUT_OFF, NAMES, Part, Template
from cmek_construct.review.statements import Said

MOST: Final = 50
"""Distinct texts that are shown whole, for nobody reads more in one sitting. Those with a violation come first."""
_THEIR_OWN: Final = (*NAMES, "TargetKeyId", "Description", "Tags")
"""Properties that let nobody do anything: they may differ among what is alike."""
_OWN_ACCOUNT: Final = "<own account>"
_TEMPLATES: Final = ("page.html.j2", "parts.html.j2", "drawing.svg.j2")


class Alike(NamedTuple):
    """Roles and keys of one text, wherever they stand."""

    number: int
    part: Part
    """The first of them, which the page shows."""
    parts: list[Part]
    is_shown: bool

    @property
    def pinecone_now(self) -> str:
        """What Pinecone can do by the answers; of what is not shown nothing was asked."""
        return self.part.pinecone_now if self.is_shown else "not asked"


class Page:
    """What the reviewer reads and signs, by the names that `page.html.j2` has for it."""

    most_listed = 200
    """Findings that are about nothing that is shown, and things that only a person can tell."""
    most_on_sheet = 4
    """Files that are named beside the signature; more of them stand further below."""

    def __init__(
        self,
        every: Sequence[Template],
        version: str,
        differences: list[Difference] | None = None,
        refused: Sequence[str] = (),
    ) -> None:
        """Look at templates, and ask who can do what of those that are shown.

        Args:
            every: all that were read, first those with something of Pinecone's.
            version: of this library.
            differences: what changes, if that is asked.
            refused: what the lock refused when the templates were made.
        """
        self.version = version
        self.differences = differences
        self.refused = refused
        self.replaces = any(REPLACED in one.changes for one in differences or ())
        self.templates = [one for one in every if one.parts]
        self.others = len(every) - len(self.templates)
        self.each = _alike(self.templates)
        self.shown = self.each[:MOST]
        self.roles = [one for template in self.templates for one in template.things("Role").values()]
        self.keys = [one for template in self.templates for one in template.things("Key").values()]

        # What is signed: the one number that a signature is bound to is that of the list of files.
        read = (one.stack.template for one in self.templates)
        self.files = {printable(one.file): one.sha256 for one in read}
        lines = "".join(f"{sha256}  {file}\n" for file, sha256 in self.files.items())
        self.digest = hashlib.sha256(lines.encode()).hexdigest()
        self.digest_command = f"sha256sum {shlex.join(self.files)} | sha256sum"

        # What the guardrails found, of each rule with its sentence; first those that are not kept.
        findings = [one for template in every for one in template.all_findings]
        self.open_findings = [one for one in findings if one.meant is None]
        self.acknowledged = len(findings) - len(self.open_findings)
        self.elsewhere = [(template, one) for template in every for one in template.findings]
        self.results = _results(findings)

        # What the policies say, and what is not as in the guide.
        self.statements = [said for one in self.each for said in one.part.said]
        self.different = [said for said in self.statements if not said.beside.as_guide]
        self.missing = [label for one in self.each for policy in one.part.policies for label, _ in policy.missing]
        self.parameters = sorted({name for one in self.each for name in _parameters(one.part)})

        # What only a person can tell, each with the templates that it is in.
        to_check: dict[tuple[str, ...], list[str]] = {}
        for template in every:
            for words in template.to_check:
                to_check.setdefault(tuple(words), []).append(template.name)
        self.to_check = list(to_check.items())
        pinecones = [(one, account) for one in self.each if one.part.role for account in one.part.role.pinecones]
        self.accounts_named = list(dict.fromkeys(account for _, account in pinecones))
        self.takes_own_for_pinecones = any(one.part.template.account == account for one, account in pinecones)
        ids = Counter(one for template in self.templates for part in template.parts for one in part.external_ids)
        self.ids_used_twice = [one for one, count in ids.items() if count > 1]

        # Who can do what now.
        cut = (one for one in self.shown if one.part.role and one.pinecone_now == CUT_OFF)
        self.count_of_cut = sum(len(one.parts) for one in cut)
        rows = (row for one in self.shown for row in one.part.template.answers.rows)
        self.protects_used_keys = any(row.unused and row.action == "kms:DisableKey" for row in rows)

        # Whether nothing here is red; what only a person can check is still to be checked.
        red = self.open_findings or self.refused or self.missing or self.ids_used_twice or self.replaces
        accounts = len(self.accounts_named) > 1 or self.takes_own_for_pinecones
        self.is_fit_to_sign = bool(self.each) and self.each == self.shown and not red and not accounts


def _parameters(part: Part) -> set[str]:
    """What whoever deploys types in, and policies hang on."""
    texts = "\n".join(Quoted(said.statement) for said in part.said)
    return part.template.parameters.intersection(re.findall(r"\$\{([^{}]+)\}", texts))


def _results(findings: Iterable[Violation]) -> list[tuple[str, str, list[Violation]]]:
    by_rule: dict[str, tuple[dict[str, None], list[Violation]]] = {}
    for rule in RULES:  # what must hold of a role, a key and an alias may have one name
        by_rule.setdefault(rule.id, ({}, []))[0][rule.sentence] = None
    for one in findings:
        by_rule.setdefault(one.rule.partition("[")[0], ({}, []))[1].append(one)
    found = [(rule, " ".join(sentences), broken) for rule, (sentences, broken) in by_rule.items()]
    return sorted(found, key=lambda one: (all(broken.meant is not None for broken in one[2]), not one[2]))


def _alike(templates: Iterable[Template]) -> list[Alike]:
    """The distinct texts: first those that a guardrail refuses, each as it is first met."""
    found: dict[str, list[Part]] = {}
    for part in (part for template in templates for part in template.parts):
        found.setdefault(_alike_text(part), []).append(part)
    refused_first = sorted(found.values(), key=lambda parts: not parts[0].refused)
    return [Alike(number, parts[0], parts, number <= MOST) for number, parts in enumerate(refused_first, 1)]


def _alike_text(part: Part) -> str:
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


def html(page: Page) -> str:
    """The page."""
    style = Markup(_text("page.css"))  # noqa: S704 - a file of ours, not of a template
    return _environment().get_template("page.html.j2").render(page=page, style=style)


def svg(drawing: Drawing) -> str:
    """A file of its own: no script, no font, no other file."""
    draw = _environment().get_template("drawing.svg.j2").module
    return str(draw.draw(drawing, "drawing", file=True))  # type: ignore[attr-defined]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=DictLoader({name: _text(name) for name in _TEMPLATES}),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.tests["quoted"] = lambda value: isinstance(value, Quoted)
    environment.filters["code"] = Quoted
    environment.filters["any_language"] = lambda text: escape(visible(text))
    environment.filters["printable"] = printable
    environment.globals |= {"counted": _counted, "reach": reach, "nothing": NOTHING, "replaced": REPLACED}
    return environment


def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _shown(value: Any) -> Any:
    """A letter that could mislead is written as its code; nothing is left out unseen."""
    if value is None:
        raise TypeError("The page has no words for None")
    if isinstance(value, str) and not isinstance(value, Markup):
        return plain_letters(value)
    return value


def _counted(number: int, what: str, several: str = "") -> str:
    return f"{number:,} {what if number == 1 else several or f'{what}s'}"
