"""What the page shows: statements in policies of roles and keys, in templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from cmek_construct import checks
from cmek_construct.guide import Statement
from cmek_construct.policy import words
from cmek_construct.policy.sentences import Quoted, Words, as_list
from cmek_construct.policy.statements import Kind
from cmek_construct.review.beside import Comparison, Known, compare, missing
from cmek_construct.templates.choices import Choices

if TYPE_CHECKING:
    from cmek_construct.review.answers import Answers

_OF_STATEMENTS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "trust": ("trust-", "pinecone-", "deleted-", "cannot-"),
    "key": ("key-owner", "key-role", "key-grants", "key-open", "key-foreign", "pinecone-",
            "deleted-", "cannot-"),
    "permissions": ("role-permissions", "pinecone-", "cannot-"),
}  # fmt: skip
"""Guardrails about the statements of each kind of policy, by how their ids begin."""


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
    when: str | None
    """These in words; None if it stands there in all cases of the template."""
    is_second: bool
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
        """Its label, if it has one."""
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
    def denies(self) -> bool:
        """It forbids."""
        return self.statement.get("Effect") == "Deny"

    @cached_property
    def names(self) -> list[str]:
        """The principals that it names."""
        principal = self.statement.get("Principal")
        named = principal.get("AWS", []) if isinstance(principal, dict) else principal
        return [name for name in as_list(named) if isinstance(name, str)]

    @property
    def is_of_pinecone(self) -> bool:
        """Whether it lets in Pinecone, and in the words of the guide."""
        return self.kind == "trust" and self.as_guide

    @property
    def callers(self) -> list[str]:
        """The ARNs of those whom a trust statement in the guide's words lets in."""
        condition = self.statement.get("Condition", {})
        return as_list(condition.get("StringLike", {}).get("aws:PrincipalArn", self.names))

    @property
    def external_id(self) -> str | None:
        """What a trust statement asks for, if it asks for one text of the right form."""
        try:
            value = self.called["Condition"]["StringEquals"]["sts:ExternalId"]
        except (KeyError, TypeError):
            return None
        known = isinstance(value, str) and checks.EXTERNAL_ID.fullmatch(value)
        return value if known else None


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
    def missing(self) -> list[tuple[str, str]]:
        """What the guide's key policy has and this one has not: labels and titles."""
        return missing({said.comparison.title for said in self.said}) if self.kind == "key" else []

    @property
    def allows(self) -> list[Said]:
        """The statements that let somebody do something."""
        return [said for said in self.said if not said.denies]


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
    arns: frozenset[str] = field(default=frozenset(), compare=False)
    pinecones: list[str] = field(default_factory=list)
    """The accounts that a trust policy takes for Pinecone's."""

    @property
    def external_ids(self) -> list[str]:
        """Those that a trust policy asks for."""
        trust = [one for policy in self.policies[:1] for one in policy.allows]
        return list(dict.fromkeys(one.external_id for one in trust if one.external_id))


@dataclass(frozen=True)
class Finding:
    """A rule of the guardrails that a template does not keep."""

    rule: str
    where: str
    """The logical ID."""
    what: str
    allows: str
    cure: str
    acknowledged: str | None
    """The reason, if somebody acknowledged it."""


@dataclass(frozen=True)
class Part:
    """A role and the keys that let it in, or one of the two alone."""

    template: Template = field(compare=False, repr=False)
    things: list[Thing]
    """The role, then each key with its aliases."""
    findings: list[Finding]
    outputs: list[tuple[str, str]] = field(default_factory=list)
    """What goes into which field of Pinecone's console."""

    @property
    def role(self) -> Thing | None:
        """The role, if there is one."""
        return next(iter(self.of("Role")), None)

    @property
    def keys(self) -> list[Thing]:
        """The keys."""
        return self.of("Key")

    @property
    def account(self) -> str:
        """That owns it: of the template, or as a policy says it; empty if neither does."""
        return self.template.account or next((one.known.account for one in self.said), "")

    def of(self, kind: str) -> list[Thing]:
        """Those of one kind."""
        return [one for one in self.things if one.kind == kind]

    @property
    def policies(self) -> list[Policy]:
        """All policies of role and keys."""
        return [policy for one in self.things for policy in one.policies]

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
        owners = [policy.owner for policy in self.policies]
        return list(dict.fromkeys([*(one.logical_id for one in self.things), *owners]))

    @property
    def external_ids(self) -> list[str]:
        """What Pinecone presents here."""
        return self.role.external_ids if self.role else []

    @property
    def names(self) -> list[str]:
        """Names of role and aliases that the template gives."""
        given = (one.properties.get(name) for one in self.things for name in NAMES)
        return list(filter(None, given))


NAMES: Final = ("RoleName", "AliasName")
"""Properties that name a role or an alias."""


@dataclass(frozen=True, eq=False)
class Template:
    """One template that was read."""

    name: str
    """The stack's, or the file's."""
    file: str
    sha256: str
    account: str | None
    region: str | None
    parameters: frozenset[str]
    """What a deployer types in."""
    to_check: list[Words]
    """What only a person can tell."""
    ask: Callable[[], Answers]
    """Asks who can do what: of a thousand templates only those are asked that are shown."""
    parts: list[Part] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    """Those that are about no part."""

    @cached_property
    def answers(self) -> Answers:
        """Who can do what."""
        return self.ask()

    @property
    def all_findings(self) -> list[Finding]:
        """All that the guardrails found."""
        return [*self.findings, *(one for part in self.parts for one in part.findings)]

    def things(self, kind: str) -> dict[str, Thing]:
        """The roles, the keys or the aliases, by logical ID."""
        return {one.logical_id: one for part in self.parts for one in part.of(kind)}
