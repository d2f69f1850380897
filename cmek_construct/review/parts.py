"""What is shown of templates: roles and keys with their policies, what the guardrails found, and who can do what."""

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeAlias, TypeVar

from cmek_construct.guardrails.rule import Violation
from cmek_construct.guide import ENCRYPT_DECRYPT
from cmek_construct.policy import Verdict
from cmek_construct.policy.statements import Kind
from cmek_construct.policy.words import Quoted, Words
from cmek_construct.review.statements import Said, missing
from cmek_construct.templates.choices import Choices
from cmek_construct.templates.stacks import Stack, hole_of
from cmek_construct.who.answers import Row, Who, together
from cmek_construct.who.people import Somebody

_OF_STATEMENTS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "trust": ("trust-", "pinecone-", "deleted-", "cannot-"),
    "key": ("key-owner", "key-role", "key-grants", "key-open", "key-foreign", "pinecone-", "deleted-", "cannot-"),
    "permissions": ("role-permissions", "pinecone-", "cannot-"),
}
"""Guardrails about the statements of each kind of policy, by how their ids begin."""
CUT_OFF: Final = "cut off"
_BEST_FIRST: Final = (Verdict.YES, Verdict.BY_ACCOUNT, Verdict.CANNOT_TELL, Verdict.NO)
NAMES: Final = ("RoleName", "AliasName")
"""Properties that name a role or an alias."""
S = TypeVar("S")
K = TypeVar("K", bound=Hashable)
Answer: TypeAlias = tuple[str, str | None, list[Row]]
"""An answer, the statement that gives it or what is not known, and all that has it."""


@dataclass(frozen=True)
class Policy:
    """A policy, statement by statement."""

    title: str
    said: list[Said]
    owner: str = ""
    """The logical ID of what has it."""
    kind: Kind | None = None
    """None of what cannot be judged."""
    resource: str = ""
    """The ARN of the role or key."""
    forms: Mapping[str, str] = field(default_factory=dict)
    """What is known of ``${Name}``, by name."""
    variables: bool = True
    """Whether its version knows policy variables."""
    cases: list[Choices] = field(default_factory=list)
    """All cases of the template in which it is there."""

    @property
    def missing(self) -> list[tuple[str, str]]:
        """What the guide's key policy has and this one has not: labels and titles."""
        return missing(said.beside.title for said in self.said) if self.kind == "key" else []

    @property
    def allows(self) -> list[Said]:
        """The statements that let somebody do something."""
        return [said for said in self.said if said.statement.get("Effect") != "Deny"]


@dataclass(frozen=True)
class Thing:
    """A role that Pinecone assumes, a key that it encrypts with, or an alias of one."""

    kind: str
    """``Role``, ``Key`` or ``Alias``."""
    logical_id: str
    retained: bool
    properties: Mapping[str, Any]
    """All but its policies."""
    policies: list[Policy] = field(default_factory=list)
    """The trust policy of a role, then its permissions; the key policy of a key."""
    arns: frozenset[str] = frozenset()
    """Its own of a role; of a key those of the roles that it names."""
    pinecones: list[str] = field(default_factory=list)
    """The accounts that a trust policy takes for Pinecone's."""
    external_ids: list[str] = field(default_factory=list)
    """Those that a trust policy asks for."""


@dataclass(eq=False)
class Part:
    """A role and the keys that let it in, or one of the two alone."""

    template: "Template"
    things: list[Thing]
    """The role, then each key with its aliases."""
    findings: list[Violation]
    """What the guardrails have against them."""
    outputs: list[tuple[str, str]]
    """What goes into which field of Pinecone's console."""

    def __post_init__(self) -> None:
        """Take apart what it consists of."""
        self.role = next((one for one in self.things if one.kind == "Role"), None)
        self.keys = [one for one in self.things if one.kind == "Key"]
        self.policies = [policy for one in self.things for policy in one.policies]
        self.said = [said for policy in self.policies for said in policy.said]
        self.account = self.template.account or next((one.account for one in self.said), "")
        self.external_ids = self.role.external_ids if self.role else []
        self.names = [one.properties[name] for one in self.things for name in NAMES if one.properties.get(name)]
        every = [*(one.logical_id for one in self.things), *(policy.owner for policy in self.policies)]
        self.logical_ids = list(dict.fromkeys(every))
        self.refused = [one for one in self.findings if one.meant is None]

    def breaks(self, kind: Kind) -> bool:
        """Whether a guardrail about such statements is not kept, and nobody acknowledged it."""
        return any(one.rule.startswith(_OF_STATEMENTS[kind]) for one in self.refused)

    def _asked(self, about: str) -> list[Row]:
        return [one for one in self.template.answers().rows if one.resource == about]

    def is_cut(self, about: str, arns: Collection[str] | None = None) -> bool:
        """Whether nobody, or nobody of these, may do anything with a role or key."""
        return {one.answer for one in self._asked(about) if arns is None or one.who.arn in arns} == {"no"}

    @property
    def is_closed(self) -> bool:
        """Whether the guardrails are kept, and nobody outside of the account may do anything but Pinecone."""
        others = [one for one in self.template.answers().rows if not one.who.is_pinecone]
        return not self.refused and {one.answer for one in others if one.who.account != self.account} == {"no"}

    @property
    def parameters(self) -> set[str]:
        """What whoever deploys types in, and policies hang on."""
        stack, texts = self.template.stack, "\n".join(Quoted(said.statement) for said in self.said)
        typed = filter(None, (hole_of(stack.top, name) for name in stack.top.parameters))
        return set(map(stack.short, typed)).intersection(re.findall(r"\$\{([^{}]+)\}", texts))

    @cached_property
    def pinecone_now(self) -> str:
        """What Pinecone can do now: take on the role, and encrypt and decrypt with a key of it."""
        role = [self._rank(self.role.logical_id)] if self.role else []
        keys = [max(self._rank(key.logical_id, one) for one in ENCRYPT_DECRYPT) for key in self.keys]
        found = _BEST_FIRST[max(role + sorted(keys)[:1])]
        return {Verdict.YES: "can come in", Verdict.NO: CUT_OFF}.get(found, found.value)

    def _rank(self, about: str, action: str = "") -> int:
        """The best answer that Pinecone gets, 0 is yes; where nobody is known for Pinecone, that any role gets."""
        asked = [one for one in self._asked(about) if action in one.action]
        ways = [one for one in asked if one.who.is_pinecone] or [one for one in asked if ":role/" in one.who.arn]
        return min((_BEST_FIRST.index(one.verdict) for one in ways or asked), default=len(_BEST_FIRST) - 1)

    def table(self, about: str) -> tuple[list[Row], list[tuple[list[Somebody], list[Answer]]]]:
        """All that was asked about a role or key, and those who get the same answers, together.

        Those who may do nothing come last.
        """
        rows = [row._replace(who=row.who._replace(but=())) for row in self._asked(about)]
        found = [
            (whom, [(answer, by, some) for (answer, by), some in answers.items()])
            for whom, answers in together(rows, lambda row: (row.answer, row.doubt or row.statement))
        ]
        found.sort(key=lambda one: {answer for answer, _, _ in one[1]} == {"no"})
        return list({(row.action, row.presents, row.for_aws_service): row for row in rows}.values()), found


@dataclass(frozen=True, eq=False)
class Template:
    """One template that was read."""

    name: str
    """The stack's, or the file's."""
    stack: Stack
    account: str
    """Twelve digits; empty if nobody says it."""
    region: str
    to_check: list[Words]
    """What only a person can tell."""
    answers: Callable[[], Who]
    """Asks once who can do what: of a thousand templates only those are asked that are shown."""
    parts: list[Part] = field(default_factory=list)
    findings: list[Violation] = field(default_factory=list)
    """Those that are about no part."""

    @property
    def all_findings(self) -> list[Violation]:
        """All that the guardrails found."""
        return [*self.findings, *(one for part in self.parts for one in part.findings)]

    def things(self, kind: str) -> dict[str, Thing]:
        """The roles, the keys or the aliases, by logical ID."""
        return {one.logical_id: one for part in self.parts for one in part.things if one.kind == kind}


def by(some: Iterable[S], of: Callable[[S], K]) -> dict[K, list[S]]:
    """Some by what they are of."""
    found: dict[K, list[S]] = {}
    for one in some:
        found.setdefault(of(one), []).append(one)
    return found
