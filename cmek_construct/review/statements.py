"""A statement of a template beside the guide's: which one, filled in how, and what differs."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from cmek_construct import checks, guide
from cmek_construct.guide import GRANTS, PINECONE_REGIONS, KeyAccess, Statement
from cmek_construct.policy.aws import KEY_ARN
from cmek_construct.policy.statements import Kind, as_list
from cmek_construct.policy.words import Quoted, Words, of_statement
from cmek_construct.templates.choices import Choices
from cmek_construct.templates.reading import members

Guides: TypeAlias = Literal[
    "explicit_with_id", "explicit", "all_regions", "root", "administrators", "use", "attach", "customer"
]
"""The statements of the guide and the KMS console. The page has their titles, and where each stands."""
Line: TypeAlias = tuple[str, str]  # on which side it stands, ``both``, ``guide`` or ``template``, and a line of JSON
_PLACE: Final = re.compile("<(Pinecone|external ID|role|administrator|customer|label)>")
_ORDER: Final = ("Sid", "Effect", "Principal", "Action", "Resource", "Condition")
_PINECONE: Final = re.compile(rf"arn:aws:iam::([0-9]{{12}}|\$\{{[A-Za-z0-9.:]+\}}):role/{guide.ROLE_NAME_PREFIX}")


class Beside(NamedTuple):
    """A statement and the guide's."""

    like: Guides | None  # the guide's statement; None: the guide has no such statement
    own: list[str]  # the statement alone, line by line
    lines: list[Line]  # of both, the template's values in the places that the guide leaves to fill in
    different: list[str]  # of these, which stand on one side alone
    as_guide: bool  # it says what the guide says, label aside, and no other statement says it already
    verdict: str  # how it stands to the guide, in one phrase


@dataclass(frozen=True)
class Said:
    """One statement of a policy."""

    statement: Statement = field(compare=False)  # as it resolves; what the deploy knows is ``${Name}``
    called: Statement  # the same with roles and users of the templates by logical ID, whatever their names are
    kind: Kind
    account: str = field(compare=False)  # that owns role or key: twelve digits, or ``${AWS::AccountId}``
    roles: frozenset[str] = field(compare=False)  # the ARNs of the roles that Pinecone takes on
    people: Mapping[str, str] = field(compare=False)  # what roles and users of the templates are called, by their ARNs
    cases: list[Choices] = field(compare=False)  # those in which it stands there
    when: str | None  # these in words; None if it stands there in all cases of the template
    is_second: bool  # whether another statement of the trust policy lets somebody in before it

    @cached_property
    def beside(self) -> Beside:
        """It and the guide's."""
        own = _lines(self.statement, {})
        find = {"trust": _of_trust, "key": _of_key}.get(self.kind, _of_permissions)
        like, wanted = find(self) if self.statement.get("Effect") == "Allow" else (None, {})
        lines = _differences(wanted, self.statement) if like else [("template", line) for line in own]
        different = [line for side, line in lines if side != "both"]
        same = like is not None and all(map(_is_label, different))
        verdicts = {
            "A second door: the guide has one statement": self.is_second,
            "Not always there: the guide's has no condition of a template": self.when is not None and same,
            "The guide has no such statement": like is None,
            "Same as the guide": not different,
            "Same as the guide but for its label (Sid)": same,
            "Differs from the guide": any(side == "template" for side, _ in lines),
            "Says less than the guide": True,
        }
        verdict = next(words for words, holds in verdicts.items() if holds)
        return Beside(like, own, lines, different, same and self.when is None and not self.is_second, verdict)

    @property
    def sid(self) -> str:
        """Its label, if it has one."""
        return Quoted(self.statement.get("Sid", ""))

    @cached_property
    def words(self) -> Words:
        """The whole of it in plain words."""
        found = of_statement(self.statement, self.account, self.people)
        return found if self.when is None else ["Only if in the template ", Quoted(self.when), ": ", *found]

    @cached_property
    def names(self) -> list[str]:
        """The principals that it names."""
        principal = self.statement.get("Principal")
        named = principal.get("AWS") if isinstance(principal, dict) else "*" if principal == "*" else None
        return [name for name in as_list(named) if isinstance(name, str)]

    def values(self, member: str) -> list[str]:
        """What a member of it says, such as its actions."""
        return list(map(str, as_list(self.statement.get(member))))

    @property
    def customers(self) -> list[str | None]:
        """The account of each key of KMS that it is about; None of what is no such key."""
        keys = (re.match(r"arn:aws:kms:[^:]*:([0-9]{12}):key/", one) for one in self.values("Resource"))
        return [key and key[1] for key in keys]

    @property
    def asks_for(self) -> str | None:
        """The one text that must be presented as external ID, whatever its form."""
        match self.statement:
            case {"Condition": {"StringEquals": {"sts:ExternalId": str(found)}}}:
                return found
        return None

    @property
    def external_id(self) -> str | None:
        """The same, if it is of the right form."""
        return self.asks_for if checks.EXTERNAL_ID.fullmatch(self.asks_for or "") else None

    @property
    def why(self) -> list[str]:
        """What a reviewer should know about it beside the differences, by name: no excuse. The page has the words."""
        like, different = self.beside.like, self.beside.different
        changed = {text.split('"')[1] for text in different if '"' in text}
        condition = members(self.statement.get("Condition"))
        days = re.search(r'"([0-9]{1,6})"', json.dumps(condition))
        protection = guide.used_key_denial(int(days[1]) if days else 0)
        suspending = [guide.assume_role_denial()] if self.kind == "trust" else []
        suspending += [guide.key_denial(role) for role in self.roles.intersection(self.names) if self.kind == "key"]
        # The root that is named is of the account whose roles the condition asks for.
        asked = map(str, as_list(members(condition.get("StringLike")).get("aws:PrincipalArn")))
        pins = {f"{one.partition(':role/')[0]}:root" for one in asked} == {*self.names}
        told = {
            "suspended": any(map(self._says, suspending)),
            "protect_used_key": self.kind == "key" and self._says(protection),
            "administrators": like == "administrators",
            "elsewhere": like in ("use", "attach") and any("<role>" in text for text in different),
            "no_external_id": like == "explicit",
            "label": like is not None and changed == {"Sid"},
            "two_actions": like == "use" and set(self.values("Action")) == {*guide.ENCRYPT_DECRYPT},
            "pin_account": like == "all_regions" and changed == {"AWS"} and pins,
            "single_keys": like == "customer" and all(map(KEY_ARN.fullmatch, self.values("Resource"))),
        }
        return [name for name, holds in told.items() if holds]

    def _says(self, ours: Statement) -> bool:
        """Whether it says what a statement of this library's says, under whatever label."""
        return all(side == "both" or _is_label(line) for side, line in _differences(ours, self.statement))


@dataclass(frozen=True)
class Policy:
    """A policy, statement by statement."""

    title: str
    kind: Kind
    said: list[Said]
    owner: str = ""  # the logical ID of what has it
    resource: str = ""  # the ARN of the role or key
    forms: Mapping[str, str] = field(default_factory=dict)  # what is known of ``${Name}``, by name
    variables: bool = True  # whether its version knows policy variables
    cases: list[Choices] = field(default_factory=list)
    """All cases of the template in which it is there; none of what cannot be judged."""

    @property
    def missing(self) -> list[tuple[str, Guides]]:
        """What the guide's key policy has and this one has not, with the labels."""
        is_key = self.kind == "key" and self.cases
        lacking = {"root", "use"}.difference(said.beside.like or "" for said in self.said) if is_key else ()
        return [(one["Sid"], name) for name, one in _guides("", "", [""]).items() if name in lacking]

    @property
    def allows(self) -> list[Said]:
        """The statements that let somebody do something."""
        return [said for said in self.said if said.statement.get("Effect") != "Deny"]


def _guides(account: str, role: str, admins: list[str]) -> dict[Guides, Statement]:
    """The statements of the guide's key policy."""
    root, administrators, *of_role = guide.key_policy(account, role, KeyAccess.KEY_USER, admins=admins)["Statement"]
    return {"root": root, "administrators": administrators, "use": of_role[0], "attach": of_role[1]}


def _of_trust(said: Said) -> tuple[Guides | None, Statement]:
    """The statement of the guide that one is most like, the template's values in its places to fill in."""
    found = _PINECONE.search(json.dumps(said.statement))
    account = found[1] if found else "<Pinecone>"
    # What may stand in its place: a legal one, or one that whoever deploys types in.
    is_legal = said.external_id or re.fullmatch(r"\$\{[A-Za-z0-9]+\}", said.asks_for or "")
    external_id = str(said.asks_for) if is_legal else "<external ID>"
    condition = json.dumps(said.statement.get("Condition"))
    if not any(map(_PINECONE.match, said.names)):
        is_like = "aws:PrincipalArn" in condition or "*" in said.names
        return "all_regions" if is_like else None, guide.trust_statement(account, guide.ALL_REGIONS, external_id)
    role = f"arn:aws:iam::{account}:role/{guide.ROLE_NAME_PREFIX}"
    regions = [one for one in PINECONE_REGIONS if f"{role}{one}" in said.names] or PINECONE_REGIONS
    if "sts:ExternalId" in condition:
        return "explicit_with_id", guide.trust_statement(account, regions, external_id)
    return "explicit", guide.trust_statement(account, regions)


def _of_key(said: Said) -> tuple[Guides | None, Statement]:
    by_actions: dict[Guides, Iterable[str]] = {
        "root": ("kms:*", "*") if any(name.endswith(":root") for name in said.names) else (),
        "attach": GRANTS,
        "administrators": ("kms:Put*", "kms:PutKeyPolicy"),
        "use": (*guide.ENCRYPT_DECRYPT, "kms:*"),
    }
    found = {*said.values("Action")}
    like = next((name for name, actions in by_actions.items() if found.intersection(actions)), None)
    if like is None:
        return None, {}
    role = next((name for name in said.names[:1] if name in said.roles), "<role>")
    own = re.compile(rf"arn:aws:iam::{re.escape(said.account)}:(role|user)/[^*?]+")
    admins = said.names if said.names and all(map(own.fullmatch, said.names)) else ["<administrator>"]
    return like, _guides(said.account, role, admins)[like]


def _of_permissions(said: Said) -> tuple[Guides | None, Statement]:
    customer = next(filter(None, said.customers), "<customer>")
    label = said.statement.get("Sid")
    return "customer", {**guide.customer_statement(customer), "Sid": label if isinstance(label, str) else "<label>"}


def _arranged(value: Any, like: Any) -> Any:
    """The same members, in the order of the guide, and a list of one as one: no other meaning."""
    match value:
        case dict():
            model = like if isinstance(like, dict) else {}
            names = sorted(value, key=lambda name: [*(model or _ORDER), name].index(name))
            return {name: _arranged(value[name], model.get(name)) for name in names}
        case [one]:
            return one
        case [*some] if all(isinstance(one, str) for one in some):
            return sorted(some, key=lambda one: [*as_list(like), one].index(one))
    return value


def _lines(statement: Statement, like: Statement) -> list[str]:
    return [Quoted(line) for line in json.dumps(_arranged(statement, like), indent=2).splitlines()]


def _differences(wanted: Statement, statement: Statement) -> list[Line]:
    """Line by line; a comma at the end is no difference, and a place to fill in is no value."""
    guides, own = _lines(wanted, wanted), _lines(statement, wanted)
    bare = [f"{line.rstrip(',')}\0" if _PLACE.search(line) else line.rstrip(",") for line in guides]
    matcher = difflib.SequenceMatcher(None, bare, [line.rstrip(",") for line in own], autojunk=False)
    found: list[Line] = []
    for tag, from_guide, to_guide, from_own, to_own in matcher.get_opcodes():
        found += [("guide", line) for line in guides[from_guide:to_guide] if tag != "equal"]
        found += [("both" if tag == "equal" else "template", line) for line in own[from_own:to_own]]
    return found


def _is_label(line: str) -> bool:
    """Whether a line is the label, which lets nobody do anything."""
    return line.lstrip().startswith('"Sid":')
