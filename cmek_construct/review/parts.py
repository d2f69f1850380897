"""What is shown of templates: roles and keys with their policies, what the guardrails found, and who can do what.

And what only a person can tell of them. What is said in whole sentences of ours is a row of `sentences.ini`.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from cmek_construct import policy
from cmek_construct.checks import printable
from cmek_construct.guardrails.rule import Violation
from cmek_construct.guide import ENCRYPT_DECRYPT
from cmek_construct.lock.identity import StackNow
from cmek_construct.lock.text import Locked
from cmek_construct.policy import Verdict, aws
from cmek_construct.policy.statements import Kind
from cmek_construct.policy.text import holes, is_known
from cmek_construct.policy.words import Quoted, Words, filled, quoted_list
from cmek_construct.review.statements import Policy, Said
from cmek_construct.rows import rows
from cmek_construct.templates.choices import Choices, where
from cmek_construct.templates.evidence import allowing, organizations, pinecones_accounts
from cmek_construct.templates.found import Found, Now, Place, Resource, Unread
from cmek_construct.templates.reading import by
from cmek_construct.templates.stacks import ALIAS, KEYS, ROLE, Stack, hole_of
from cmek_construct.templates.values import NOTHING
from cmek_construct.who.answers import Alike, Row, Who, about, together

CUT_OFF: Final = "cut off"
_BEST_FIRST: Final = (Verdict.YES, Verdict.BY_ACCOUNT, Verdict.CANNOT_TELL, Verdict.NO)
NAMES: Final = ("RoleName", "AliasName")  # properties that name a role or an alias
_POLICIES: Final = ("AssumeRolePolicyDocument", "Policies", "KeyPolicy")
_Own: TypeAlias = Sequence[tuple[Choices, policy.Policy]]
Arns: TypeAlias = frozenset[str]
SENTENCES: Final = Path(__file__).with_name("sentences.ini")
Sentence: TypeAlias = tuple[str, Words]  # the title that it stands under, and its words


class Thing(NamedTuple):
    """A role that Pinecone assumes, a key that it encrypts with, or an alias of one."""

    kind: str  # ``Role``, ``Key`` or ``Alias``
    logical_id: str
    retained: bool  # when its stack is deleted, or it goes from the template
    properties: Mapping[str, Any]  # all but its policies
    policies: Sequence[Policy] = ()  # the trust policy of a role, then its permissions; the key policy of a key
    arns: Arns = frozenset()  # its own of a role; of a key those of the roles that it names
    pinecones: Sequence[str] = ()  # the accounts that a trust policy takes for Pinecone's
    external_ids: Sequence[str] = ()  # those that it asks for


@dataclass(eq=False)
class Part:
    """A role and the keys that let it in, or one of the two alone."""

    template: "Template"
    things: list[Thing]  # the role, then each key with its aliases
    findings: list[Violation]  # what the guardrails have against them
    outputs: list[tuple[str, str]]  # what goes into which field of Pinecone's console

    def __post_init__(self) -> None:
        """Take apart what it consists of."""
        self.role = next((one for one in self.things if one.kind == "Role"), None)
        self.keys = [one for one in self.things if one.kind == "Key"]
        self.policies = [policy for one in self.things for policy in one.policies]
        self.said = [said for policy in self.policies for said in policy.said]
        self.account = self.template.account or next((one.account for one in self.said), "")
        self.external_ids = self.role.external_ids if self.role else ()
        self.names = [one.properties[name] for one in self.things for name in NAMES if one.properties.get(name)]
        every = [*(one.logical_id for one in self.things), *(policy.owner for policy in self.policies)]
        self.logical_ids = list(dict.fromkeys(every))
        self.refused = [one for one in self.findings if one.meant is None]
        self.breaks = {kind for one in self.refused for kind in one.breaks.policies.split()}
        """The kinds of policies of which a guardrail about statements is not kept, and nobody acknowledged it."""

    def _asked(self, about: str) -> list[Row]:
        return [one for one in self.template.who.rows if one.resource == about]

    def is_cut(self, about: str, arns: Collection[str] | None = None) -> bool:
        """Whether nobody, or nobody of these, may do anything with a role or key."""
        return {one.answer for one in self._asked(about) if arns is None or one.who.arn in arns} == {"no"}

    @property
    def is_closed(self) -> bool:
        """Whether the guardrails are kept, and nobody outside of the account may do anything but Pinecone."""
        others = [one for one in self.template.who.rows if not one.who.is_pinecone]
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

    def table(self, about: str) -> tuple[list[Row], Alike[tuple[str, str | None]]]:
        """All that was asked of a role or key, and together who gets the same answers; who may do nothing is last."""
        rows = [row._replace(who=row.who._replace(but=())) for row in self._asked(about)]
        # An answer stands with the statement that gives it or what is not known.
        found = together(rows, lambda row: (row.answer, row.doubt or row.statement))
        found.sort(key=lambda one: {answer for answer, _ in one[1]} == {"no"})
        return list({(row.action, row.presents, row.for_aws_service): row for row in rows}.values()), found


class Template:
    """One template that was read, in words in which what is of its stack has no stack's name."""

    def __init__(
        self, found: Found, stack: Stack, name: str, violations: dict[Place, list[Violation]], to_check: list[Words]
    ) -> None:
        """Read what is Pinecone's in it, and take the violations that are about that: each stands once on the page."""
        self.found, self.stack, self.name, self.to_check = found, stack, name, to_check
        self.account, self.region = (one if is_known(one) else "" for one in (stack.account, stack.region))
        self._text = cache(self._shortened)
        self._people: dict[str, str] = {}
        self._forms: dict[str, str] = {}
        self.parts = list(self._parts(violations))
        self.findings: list[Violation] = []  # those that are about no part

    @cached_property
    def who(self) -> Who:
        """Who can do what: of a thousand templates only those are asked that are shown."""
        return about(self.found, self.stack)

    @cached_property
    def for_good(self) -> dict[str, Locked]:
        """What makes each role and key, and the stack set around them with its targets, the one that Pinecone has."""
        ours = {str(one) for one in self.found.by_place if one.stack is self.stack}
        return StackNow(self.found.run, self.stack.top).stored(ours)

    @property
    def all_findings(self) -> list[Violation]:
        """All that the guardrails found."""
        return [*self.findings, *(one for part in self.parts for one in part.findings)]

    def things(self, kind: str) -> dict[str, Thing]:
        """The roles, the keys or the aliases, by logical ID."""
        return {one.logical_id: one for part in self.parts for one in part.things if one.kind == kind}

    def _parts(self, violations: dict[Place, list[Violation]]) -> Iterator[Part]:
        """Each role with the keys that name it, then the keys that name none, and what cannot be judged."""
        groups = dict[Place, list[Resource | Unread]]()
        for one in self.found.by_stack.get(self.stack, ()):
            if isinstance(one, Resource):
                of = (role for role in groups if any(role in now.roles for now in one.cases))
                groups.setdefault(next(of, one.place), []).append(one)
            elif one.place not in self.found.by_place:
                groups[one.place] = [one.key or one]
        for some in groups.values():
            things = [thing for one in some for thing in self._things(one)]
            own = [one for one in some if isinstance(one, Resource)]
            outputs = [(it.label, one.place.logical_id) for one in own for it in one.outputs if it.label]
            places = [one.place for one in some]
            places += [it.place for one in own for it in one.aliases]
            places += [it.place for one in own for it in one.attached]
            yield Part(self, things, [one for place in places for one in violations.pop(place, ())], outputs)

    def _things(self, one: Resource | Unread) -> Iterator[Thing]:
        """A role or a key, in the cases in which what a deployer may type stays ``${Name}``, and its aliases."""
        place, short = one.place, self.stack.short
        kind: Kind = "trust" if place.type == ROLE else "key"
        title = f"{kind.capitalize()} policy"
        if isinstance(one, Unread):
            yield self._thing(place, {}, [Policy(f"{title} ({one.why})", kind, [], place.logical_id)])
            return
        cases = [now for now in one.cases if not now.case.is_by_default] or one.cases
        roles = {place} if kind == "trust" else {role for now in cases for role in now.roles}
        arns = frozenset(short(now.arn) for role in roles for now in self.found.by_place[role].cases)
        told = [(now.case.told(short), now) for now in cases]
        meant = arns if kind == "trust" else arns | self.found.vendors
        policies = [self._policy(title, kind, place, [(case, now.policy) for case, now in told], meant, ())]
        bounds = [it for it in one.attached if it.is_boundary]
        shown = [[it.name, [each.raw for each in it.policy.statements]] for it in bounds if it.policy]
        boundary = {"PermissionsBoundary": _each_text(shown, self._text)} if shown else {}
        properties = {**self._properties(place, told), **boundary}
        # Every policy of a role but its boundary: its own, and those that are attached to it.
        attached = (each for each in one.attached if not each.is_boundary)
        for (owner, name), some in by(attached, lambda each: (each.place, each.name)).items():
            typed = [each for each in some if not each.case.is_by_default] or some
            own = [(each.case.told(short), each.policy) for each in typed if each.policy is not None]
            title = f"Permissions: {self._text(name)}{'' if own else ' (its text is not in the template)'}"
            every = policies[0].cases if owner == place else ()
            policies.append(self._policy(title, "permissions", owner, own, frozenset(), every))
        trusts = [now.policy for now in cases if kind == "trust"]
        accounts = dict.fromkeys(short(it) for trust in trusts for it in pinecones_accounts(trust))
        asking = (each for trust in trusts for one in allowing(trust) for each in one.on(aws.EXTERNAL_ID))
        ids = dict.fromkeys(short(it) for each in asking if "Not" not in each.operator for it in each.values)
        yield self._thing(place, properties, policies, arns, tuple(accounts), tuple(ids))
        for alias, aliases in by(one.aliases, lambda each: each.place).items():
            names = dict.fromkeys(short(each.name) for each in aliases)
            yield self._thing(alias, {"AliasName": " or ".join(names), "TargetKeyId": place.logical_id})

    def _thing(self, place: Place, properties: Mapping[str, Any], *more: Any) -> Thing:
        kind = {ROLE: "Role", ALIAS: "Alias"}.get(place.type, "Key")
        said = {one.value for one in self.found.run.text(place.stack, place.raw.get("DeletionPolicy", "not set"))}
        return Thing(kind, place.seen_from(self.stack), said <= {"Retain", "RetainExceptOnCreate"}, properties, *more)

    def _shortened(self, text: str) -> str:
        """A text; who is named in it is remembered."""
        short = self.stack.short(text)
        forms = self.found.run.forms
        place = self.found.arns.get(text)
        if place and place.type not in KEYS:
            name = place.seen_from(self.stack)
            self._people |= {short: name, _called(short, name): name}
            self._forms[name] = forms.get(place.stack.named(place.logical_id), "*")
        self._forms |= {self.stack.short(name): forms[name] for name in holes(text) if name in forms}
        return short

    def _policy(self, title: str, kind: Kind, place: Place, own: _Own, roles: Arns, every: Sequence[Choices]) -> Policy:
        """A policy, as it is in each case that has it: each statement once, read as one or several; by default all."""
        cases = [case for case, _ in own]
        found: dict[tuple[str, int], tuple[int, Any, list[Choices]]] = {}
        for case, document in own:
            counted: Counter[str] = Counter()
            for at, one in enumerate({id(one.raw): one for one in document.statements}.values()):
                raw = one.raw if isinstance(one.raw, dict) else {"Effect": one.name if one.raw is None else one.raw}
                raw = _each_text(raw, self._text)
                text = json.dumps(raw, default=str)
                found.setdefault((text, counted[text]), (at, raw, []))[2].append(case)
                counted[text] += 1
        account, people = self.stack.short(self.stack.account), self._people
        said, opened = list[Said](), list[Choices]()
        for _, raw, some in sorted(found.values(), key=itemgetter(0)):
            called = _each_text(raw, lambda text: _called(text, people[text]) if text in people else text)
            opens = kind == "trust" and raw.get("Effect") != "Deny"
            second = opens and any(case in opened for case in some)
            opened += some if opens else []
            when = where(some, every or cases)
            said.append(Said(raw, called, kind, account, roles, people, some, when, second))
        resource = self._text(own[0][1].resource or "") if own else ""
        variables = all(one.variables for _, each in own for one in each.statements)
        return Policy(title, kind, said, place.seen_from(self.stack), resource, self._forms, variables, cases)

    def _properties(self, place: Place, told: Sequence[tuple[Choices, Now]]) -> Mapping[str, Any]:
        """What a role or key is set to beside its policies; what hangs on a case, case by case."""
        every = [case for case, _ in told]
        found: dict[str, Any] = {}
        for name in dict.fromkeys(name for _, now in told for name in now.properties if name not in _POLICIES):
            values = ((case, now.properties.get(name, NOTHING)) for case, now in told)
            set_to = [(case, _each_text(value, self._text)) for case, value in values if value is not NOTHING]
            same = by(set_to, lambda one: json.dumps(one[1], default=str))
            cases = {where([case for case, _ in some], every): some[0][1] for some in same.values()}
            if cases:
                found[self._text(name)] = cases.get(None, cases)
        return found | {name: one for name, one in place.raw.items() if name == "Condition"}


def templates_of(found: Found, violations: Sequence[Violation]) -> list[Template]:
    """What is shown of each template of a run, first of those that have something of Pinecone's."""
    left, asked, made = by(violations, lambda one: one.place), to_check(found), dict[Stack, Template]()
    titles = Counter(top.template.title for top in found.run.tops)
    for stack in found.run.stacks:
        # What its app calls a stack, if no other is called so; within it by the logical IDs.
        title = stack.top.template.title
        name = printable(title) if title and titles[title] == 1 else stack.top.name
        name = " > ".join([name, *map(printable, stack.within)])
        made[stack] = Template(found, stack, name, left, asked.get(stack, []))
    for place, some in left.items():
        made[place.stack].findings += some
    return sorted(made.values(), key=lambda template: not template.parts)


def say(row: str, /, **values: Sequence[str]) -> Sentence:
    """A sentence of ours filled in: by values out of a template, and by words, which are lists."""
    title, texts = next((title, texts) for title, texts in rows(SENTENCES).items() if row in texts)
    return title, filled(texts[row], **{name: [text] for name, text in texts.items()} | values)


def to_check(found: Found) -> dict[Stack, list[Words]]:
    """What only a person can tell, each once, by the stack in which it stands."""
    said = ((place, [Quoted(place.logical_id), " ", *words]) for place, (_, words) in _for_a_person(found))
    each = dict.fromkeys((place.stack, tuple(words)) for place, words in said)
    return {stack: [list(words) for _, words in some] for stack, some in by(each, itemgetter(0)).items()}


def _for_a_person(found: Found) -> Iterator[tuple[Place, Sentence]]:
    for role in found.roles:
        for trust in (now.policy for now in role.cases):
            if pinecones_accounts(trust) and not any(one.compared(aws.EXTERNAL_ID) for one in allowing(trust)):
                yield role.place, say("no external ID")
    for unknown in found.unknown:
        text = unknown.place.stack.short(unknown.text)
        yield unknown.place, say("unknown name", text=text, member=unknown.member)
    for naming in found.naming:
        place, role_id = naming.place, naming.role.seen_from(naming.place.stack)
        yield place, say("naming", type=[f"{Quoted(place.type)}"], role=role_id, member=naming.member)
    for one in found.attached:
        if one.is_boundary and one.policy is None:
            yield one.place, say("boundary", boundary=one.place.stack.short(one.name))
    policies = [(key.place, now.policy) for key in found.keys for now in key.cases]
    for place, said in (*policies, *((one.place, one.policy) for one in found.attached)):
        if ids := organizations(*(said.statements if said else ())):
            yield place, say("organization", ids=quoted_list(ids))
    for output in found.outputs:
        others = [it.value for it in output.cases if not found.called(it.value, it.case)]
        if others and output.label in ("Role ARN", "Key ARN"):
            values = dict.fromkeys(map(output.place.stack.short, others))
            yield output.place, say("output", label=[output.label], values=quoted_list(values))


def _called(arn: str, name: str) -> str:
    """An ARN by the logical ID of what has it, whatever its name is."""
    return f"{arn.partition('/')[0]}/${{{name}}}"


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    """A value, with each text in it changed."""
    if isinstance(value, dict):
        return {change(str(name)): _each_text(one, change) for name, one in value.items()}
    if isinstance(value, list):
        return [_each_text(one, change) for one in value]
    return change(value) if isinstance(value, str) else value
