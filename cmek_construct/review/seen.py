"""What is seen in a template: roles, keys and their statements, each beside the guide's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from cmek_construct.guide import ENCRYPT_DECRYPT, Statement
from cmek_construct.policy import Verdict, words
from cmek_construct.policy.sentences import Quoted, Words, as_list
from cmek_construct.policy.statements import Kind
from cmek_construct.review.beside import Comparison, Known, Snippet, compare, missing
from cmek_construct.templates.choices import Choices

_OF_STATEMENTS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "trust": ("trust-", "pinecone-", "deleted-", "cannot-"),
    "key": ("key-owner", "key-role", "key-grants", "key-open", "key-foreign", "pinecone-",
            "deleted-", "cannot-"),
    "permissions": ("role-permissions", "pinecone-", "cannot-"),
}  # fmt: skip
"""Guardrails about the statements of each kind of policy, by how their ids begin."""

CUT_OFF: Final = "cut off"
_WORST_LAST: Final = tuple(
    one.value for one in (Verdict.YES, Verdict.BY_ACCOUNT, Verdict.CANNOT_TELL, Verdict.NO)
)


@dataclass(frozen=True)
class Said:
    """One statement of a policy."""

    statement: Statement = field(compare=False)
    """As it resolves; what the deploy knows is ``${Name}``."""
    called: Statement
    """The same with roles and users of the templates by logical ID, whatever their names are."""
    kind: Kind
    known: Known = field(compare=False)
    cases: list[Choices] = field(compare=False)
    """Those in which it stands there."""
    when: str | None = None
    """These in words; None if it stands there in all cases of the template."""
    is_second: bool = False
    """Whether another statement of the trust policy lets somebody in before it."""

    @cached_property
    def comparison(self) -> Comparison:
        """Beside the guide's."""
        return compare(self.statement, self.kind, self.known)

    @property
    def as_guide(self) -> bool:
        """It says what the guide says, label aside, and no other statement says it already."""
        return self.comparison.same and self.when is None and not self.is_second

    @property
    def verdict(self) -> str:
        """How it stands to the guide, in one phrase."""
        if self.is_second:
            return "A second door: the guide has one statement"
        if self.when is not None and self.comparison.same:
            return "Not always there: the guide's has no condition of a template"
        return self.comparison.verdict

    @property
    def is_to_the_letter(self) -> bool:
        """Not even its label differs."""
        return self.as_guide and not self.comparison.different

    @property
    def sid(self) -> str:
        """Its label, or its place."""
        return Quoted(self.statement.get("Sid", ""))

    @cached_property
    def words(self) -> Words:
        """The whole of it in plain words."""
        found = words.of_statement(self.statement, self.known.account, self.known.people)
        if self.when is not None:
            found = ["Only if in the template ", Quoted(self.when), ": ", *found]
        return found

    @property
    def whom(self) -> Words:
        """Whom it is about."""
        found = words.principals(self.statement, self.known.account, self.known.people)
        return found or ["the role"]

    @property
    def may(self) -> Words:
        """What it is about."""
        return words.actions(self.statement)

    @property
    def on(self) -> Words:
        """With what, where that is not the role or key itself."""
        return words.resources(self.statement)

    @property
    def only(self) -> Words:
        """Under which conditions."""
        return words.conditions(self.statement.get("Condition"), denies=self.denies)

    @property
    def denies(self) -> bool:
        """It forbids."""
        return self.statement.get("Effect") == "Deny"

    @cached_property
    def names(self) -> frozenset[str]:
        """The principals that it names."""
        principal = self.statement.get("Principal")
        named = principal.get("AWS", []) if isinstance(principal, dict) else principal
        return frozenset(name for name in as_list(named) if isinstance(name, str))


@dataclass(frozen=True)
class Policy:
    """A policy, statement by statement."""

    title: str
    said: list[Said]
    owner: str = ""
    """The logical ID of what has it."""
    kind: Kind | None = None
    """None of what cannot be judged."""
    resource: str = field(default="", compare=False)
    """The ARN of the role or key."""
    forms: Mapping[str, str] = field(default_factory=dict, compare=False)
    """What is known of ``${Name}``, by name."""
    variables: bool = True
    """Whether its version knows policy variables."""
    cases: list[Choices] = field(default_factory=list, compare=False)
    """All cases of the template in which it is there."""

    @cached_property
    def missing(self) -> list[Snippet]:
        """What the guide's key policy has and this one has not."""
        titles = {said.comparison.title for said in self.said}
        return missing(titles) if self.kind == "key" else []

    @property
    def allows(self) -> list[Said]:
        """The statements that let somebody do something."""
        return [said for said in self.said if not said.denies]


@dataclass(frozen=True)
class AliasSeen:
    """An alias of a key."""

    logical_id: str
    name: str
    target: str
    retained: bool


@dataclass(frozen=True)
class RoleSeen:
    """A role that Pinecone takes on."""

    logical_id: str
    retained: bool
    properties: Mapping[str, Any]
    """All but its policies."""
    trust: Policy
    permissions: list[Policy] = field(default_factory=list)
    arns: frozenset[str] = frozenset()
    pinecones: list[str] = field(default_factory=list)
    """The accounts that its trust policy takes for Pinecone's."""


@dataclass(frozen=True)
class KeySeen:
    """A key that Pinecone encrypts with."""

    logical_id: str
    retained: bool
    properties: Mapping[str, Any]
    """All but its policy."""
    policy: Policy
    aliases: list[AliasSeen] = field(default_factory=list)


@dataclass(frozen=True)
class Finding:
    """A rule of the guardrails that a template does not keep."""

    rule: str
    where: str
    """The logical ID."""
    what: str
    allows: str
    cure: str
    acknowledged: str | None = None
    """The reason, if somebody acknowledged it."""


@dataclass(frozen=True)
class Answer:
    """One answer of the table of who can do what."""

    about: str
    """The logical ID of the role or key."""
    who: str
    arn: str
    what: str
    """The action; of a role, what is presented."""
    answer: str
    """``yes``, ``no``, or longer words."""
    by: str | None
    """The statement that decides, or what cannot be told."""
    is_pinecone: bool = False
    """Whether Pinecone comes in this way: by its own role, and with the role that it takes on."""
    direct: str = Verdict.NO.value
    """The answer to a call that no AWS service makes for somebody."""


@dataclass(frozen=True)
class Access:
    """All answers about one template."""

    answers: list[Answer] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What was assumed to answer."""

    def is_closed(self, about: str, arns: Collection[str] | None = None) -> bool:
        """Whether nobody, or nobody of these, may do anything with a role or key."""
        of_it = [one for one in self.answers if one.about == about]
        return {one.answer for one in of_it if arns is None or one.arn in arns} == {"no"}

    def of_pinecone(self, part: Part) -> str:
        """What Pinecone can do now: take on the role, and encrypt and decrypt with a key of it."""
        needed = [self._best(part.role.logical_id, None)] if part.role else []
        keys = [
            max((self._best(key.logical_id, one) for one in ENCRYPT_DECRYPT), key=_WORST_LAST.index)
            for key in part.keys
        ]
        needed += [min(keys, key=_WORST_LAST.index)] if keys else []
        found = max(needed, key=_WORST_LAST.index)
        return {"yes": "can come in", "no": CUT_OFF}.get(found, found)

    def _best(self, about: str, what: str | None) -> str:
        """The best answer that Pinecone gets; where nobody is known for Pinecone, that any role."""
        asked = [one for one in self.answers if one.about == about and what in (None, one.what)]
        ways = [one for one in asked if one.is_pinecone]
        ways = ways or [one for one in asked if ":role/" in one.arn]
        found = [one.direct for one in ways or asked]
        return min(found, key=_WORST_LAST.index, default="no")


@dataclass(frozen=True)
class Part:
    """A role and the keys that let it in, or one of the two alone."""

    role: RoleSeen | None
    keys: list[KeySeen]
    findings: list[Finding] = field(default_factory=list)
    outputs: list[tuple[str, str]] = field(default_factory=list)
    """What goes into which field of Pinecone's console."""

    @property
    def policies(self) -> list[Policy]:
        """All policies of role and keys."""
        own = [self.role.trust, *self.role.permissions] if self.role else []
        return own + [key.policy for key in self.keys]

    @property
    def said(self) -> list[Said]:
        """All statements."""
        return [said for policy in self.policies for said in policy.said]

    @property
    def refused(self) -> list[Finding]:
        """The guardrails that are not kept, and that nobody acknowledged."""
        return [one for one in self.findings if one.acknowledged is None]

    def breaks(self, kind: Kind) -> bool:
        """Whether a guardrail about such statements is not kept, and nobody acknowledged it."""
        return any(one.rule.startswith(_OF_STATEMENTS[kind]) for one in self.refused)

    @property
    def logical_ids(self) -> list[str]:
        """Of role, keys, aliases, and what gives the role permissions."""
        aliases = [alias.logical_id for key in self.keys for alias in key.aliases]
        own = [self.role.logical_id] if self.role else []
        permissions = [policy.owner for policy in self.role.permissions] if self.role else []
        keys = [key.logical_id for key in self.keys]
        return list(dict.fromkeys([*own, *keys, *aliases, *permissions]))


@dataclass(frozen=True)
class Template:
    """One template that was read."""

    name: str
    """The stack's, or the file's."""
    file: str
    sha256: str
    account: str | None
    region: str | None
    parts: list[Part]
    findings: list[Finding] = field(default_factory=list)
    """Those that are about no part."""
    to_check: list[Words] = field(default_factory=list)
    """What only a person can tell."""
    parameters: frozenset[str] = frozenset()
    """What a deployer types in."""
    ask: Callable[[], Access] = Access
    """Asks who can do what: of a thousand templates only those are asked that are shown."""

    @cached_property
    def access(self) -> Access:
        """Who can do what."""
        return self.ask()

    @property
    def all_findings(self) -> list[Finding]:
        """All that the guardrails found."""
        return [*self.findings, *(one for part in self.parts for one in part.findings)]
