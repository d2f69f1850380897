"""The page, one HTML file alone: all that it says, what has one text once. The same templates give the same bytes."""

import hashlib
import json
import re
import shlex
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from operator import attrgetter, itemgetter
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from cmek_construct.checks import printable
from cmek_construct.guardrails.rule import rules
from cmek_construct.policy.text import is_known
from cmek_construct.policy.words import Quoted, plain_letters, visible
from cmek_construct.review.changes import REPLACED, Difference
from cmek_construct.review.drawing import reach
from cmek_construct.review.parts import CUT_OFF, NAMES, Part, Template
from cmek_construct.review.statements import Said
from cmek_construct.templates.reading import by
from cmek_construct.who.answers import two_accounts

MOST: Final = 50  # distinct texts shown whole, for nobody reads more in one sitting. Those with a violation come first
_THEIR_OWN: Final = (*NAMES, "TargetKeyId", "Description", "Tags")
"""Properties that let nobody do anything: they may differ among what is alike."""
_ACCOUNT: Final = re.compile(r'(?<=[:"])[0-9]{12}(?=[:"])')
_OWN_ACCOUNT: Final = "<own account>"
_NOTHING: Final = "Nothing changes about Pinecone's roles, keys and aliases."


class Page:
    """What the reviewer reads and signs, by the names that `page.html.j2` has for it."""

    def __init__(
        self, every: Sequence[Template], version: str, differences: list[Difference] | None, refused: Sequence[str]
    ) -> None:
        """Look at templates, first those with something of Pinecone's, and ask who can do what of those that are shown.

        With the version of this library, what changes, if that is asked, and what the lock refused when they were made.
        """
        self.every, self.version, self.differences, self.refused = every, version, differences, refused
        self.replaces = any(REPLACED in one.changes for one in differences or ())
        self.templates = [one for one in every if one.parts]
        # Roles and keys of one text together, wherever they stand: the page shows the first of them.
        # Those come first that a guardrail refuses.
        self.parts = [part for template in self.templates for part in template.parts]
        self.each = sorted(by(self.parts, _alike_text).values(), key=lambda alike: not alike[0].refused)
        self.shown = self.each[:MOST]
        self.firsts = [alike[0] for alike in self.each]

        # What is signed: the one number that a signature is bound to is that of the list of files.
        self.files = {printable(one.stack.template.file): one.stack.template.sha256 for one in self.templates}
        lines = "".join(f"{sha256}  {file}\n" for file, sha256 in self.files.items())
        self.digest = hashlib.sha256(lines.encode()).hexdigest()
        self.digest_command = f"sha256sum {shlex.join(self.files)} | sha256sum"

        # What the guardrails found, of each rule with its sentence; first those that are not kept.
        self.findings = [one for template in every for one in template.all_findings]
        self.open_findings = [one for one in self.findings if one.meant is None]
        self.elsewhere = [(template, one) for template in every for one in template.findings]
        broken = by(self.findings, lambda one: one.rule.partition("[")[0])
        named = by(rules().values(), attrgetter("id"))  # what must hold of a role, a key and an alias may have one name
        said = {name: " ".join(dict.fromkeys(rule.sentence for rule in some)) for name, some in named.items()}
        results = [(name, said.get(name, ""), broken.get(name, [])) for name in {**named, **broken}]
        self.results = sorted(results, key=lambda one: (all(it.meant is not None for it in one[2]), not one[2]))

        # What the guide has and the policies have not, and what these hang on.
        self.missing = [label for part in self.firsts for policy in part.policies for label, _ in policy.missing]
        self.parameters = sorted({name for part in self.firsts for name in part.parameters})

        # What only a person can tell, each with the templates that it is in.
        asked = by(((tuple(words), one.name) for one in every for words in one.to_check), itemgetter(0))
        self.to_check = [(words, [name for _, name in some]) for words, some in asked.items()]
        pinecones = [(part, account) for part in self.firsts if part.role for account in part.role.pinecones]
        self.accounts_named = list(dict.fromkeys(account for _, account in pinecones))
        self.takes_own_for_pinecones = any(part.template.account == account for part, account in pinecones)
        ids = Counter(one for part in self.parts for one in part.external_ids if is_known(one))
        self.ids_used_twice = [one for one, count in ids.items() if count > 1]

        # Who can do what now, of what is shown: of nothing else it is asked.
        self.count_of_cut = sum(len(one) for one in self.shown if one[0].role and one[0].pinecone_now == CUT_OFF)
        rows = (row for one in self.shown for row in one[0].template.who.rows)
        self.protects_used_keys = any(row.unused and row.action == "kms:DisableKey" for row in rows)

        # Whether nothing here is red; what only a person can check is still to be checked.
        red = self.open_findings or self.refused or self.missing or self.ids_used_twice or self.replaces
        accounts = len(self.accounts_named) > 1 or self.takes_own_for_pinecones
        self.is_fit_to_sign = bool(self.each) and self.each == self.shown and not red and not accounts


def _alike_text(part: Part) -> str:
    """What is the same among what is alike: own account, IDs and names are left out, where each stands for itself."""
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
    text = _ACCOUNT.sub(lambda found: _OWN_ACCOUNT if found[0] == part.template.account else found[0], text)
    return text.replace("${AWS::AccountId}", _OWN_ACCOUNT)


def _statement(said: Said) -> list[Any]:
    called = deepcopy(said.called)
    if said.external_id is not None:
        called["Condition"]["StringEquals"]["sts:ExternalId"] = "<external ID>"
    return [said.when, called]


def _shown(value: Any) -> Any:
    """A letter that could mislead is written as its code; nothing is left out unseen."""
    if value is None:
        raise TypeError("The page has no words for None")
    return plain_letters(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _code_span(value: str) -> str:
    """Of Markdown: its fence is longer than each row of backticks in it."""
    text = Quoted(value)
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    space = " " if "`" in text or text != text.strip(" ") else ""
    return f"{fence}{space}{text or ' '}{space}{fence}"


ENVIRONMENT: Final = Environment(
    loader=PackageLoader(__package__, ""),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_shown,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
ENVIRONMENT.tests["quoted"] = lambda value: isinstance(value, Quoted)
ENVIRONMENT.filters |= {
    "code": Quoted,
    "any_language": lambda text: escape(visible(text)),
    "printable": printable,
    "code_span": _code_span,
    "escaped": lambda text: re.sub(r"([\\`*_\[\]<>|~#@&])", r"\\\1", text),
}
ENVIRONMENT.globals |= {"reach": reach, "two_accounts": two_accounts, "nothing": _NOTHING, "replaced": REPLACED}


def html(page: Page) -> str:
    """The page."""
    return ENVIRONMENT.get_template("page.html.j2").render(page=page)


def markdown(differences: Sequence[Difference]) -> str:
    """What changes, for a pull request; that nothing does is one line."""
    environment = ENVIRONMENT.overlay(autoescape=False, finalize=None)
    return environment.get_template("changes.md.j2").render(differences=differences)
