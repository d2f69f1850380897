"""What a rule is, what breaks it, and what rules judge: role and key in each case, with whom they mean."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from cmek_construct import guide
from cmek_construct.checks import EXTERNAL_ID, REGION
from cmek_construct.policy import aws
from cmek_construct.policy.words import filled, plain
from cmek_construct.rows import rows
from cmek_construct.templates.evidence import allowing, names_in
from cmek_construct.templates.found import Found, Now, Output, Place, beside

_LONGEST_WITNESS: Final = 200
_LONGEST: Final = 1_000
_HOLE: Final = r"\$\{[^!?}][^}]*\}"
_ANY_HOLE: Final = re.compile(r"\$\{[^!}][^}]*\}")
_ROLES: Final = rf"arn:aws:iam::(?P<account>[0-9]{{12}}|{_HOLE}):role/{guide.ROLE_NAME_PREFIX}"
ONE_ROLE: Final = re.compile(rf"{_ROLES}(?P<region>{REGION.pattern}|{_HOLE})")
_MEANT: Final = re.compile(rf"{_ROLES}(?P<region>{REGION.pattern}|{_HOLE}|\*)")
ANY_ROLE: Final = re.compile(rf"{_ROLES}.*")
_SOME_ID: Final = "the-one-external-ID"  # stands for the external ID where one is asked for, and none is said


class Rule(NamedTuple):
    """What there is to say of one rule: a section of `rules.ini`."""

    id: str
    row: Mapping[str, str]  # all of it: what may be wrong, each in one sentence by its name, and what follows here
    sentence: str
    allows: str
    cure: str
    policies: str  # the kinds of policies whose statements it is about
    said_by: str  # other rules, of which one says it already of the same statement


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule, by the name of its section: read where somebody is told of one."""
    actions = f"{', '.join(guide.KEY_USE[:-1])} and {guide.KEY_USE[-1]}"
    page = rows(Path(__file__).with_name("rules.ini")).items()
    said = {name: {what: text.replace("{actions}", actions) for what, text in row.items()} for name, row in page}
    own = Rule._fields[2:]
    return {name: Rule(name.partition(" ")[0], row, *(row.get(one, "") for one in own)) for name, row in said.items()}


class Violation(NamedTuple):
    """A rule that a template breaks."""

    breaks: Rule
    rule: str  # the rule's id, with the witness: who could do what
    place: Place
    what: str  # what is wrong, in one sentence, with the value
    meant: str | None = None  # why it is meant, where its construct, the app or who asks says so

    @property
    def reported(self) -> tuple[Path, str, str]:
        """File and logical ID of what CDK knows, of a stack set those of the set; and in words what is within it."""
        file, logical_id, rest = self.place.stack.top.reported(self.place.path)
        return file, logical_id, "".join(f"In TemplateBody, {one}: " for one in rest.split("/") if one)


def broken(name: str, place: Place, says: str = "what", /, witness: str = "", **facts: Sequence[str]) -> Violation:
    """That something breaks a rule, as its row says; by a witness where each is acknowledged by itself, no other."""
    rule = rules()[name]
    what = plain(filled(rule.row[says], **facts))
    what = what if len(what) <= _LONGEST else f"{what[:_LONGEST]} …"
    text = re.sub(r"[^A-Za-z0-9_+=,.@:/*?-]", "", witness.replace(" ", "_"))
    if len(text) > _LONGEST_WITNESS:
        text = f"{text[:_LONGEST_WITNESS]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return Violation(rule, f"{rule.id}[{text}]" if witness else rule.id, place, what)


class Trust(NamedTuple):
    """A role in one case, and whom its trust policy takes for Pinecone: one account, its roles, and one external ID.

    Read out of the policy itself, for only Pinecone's console shows the number. What else the policy allows is then
    beyond what is meant.
    """

    now: Now
    pinecone: str | None  # its account: twelve digits, or a hole; never the role's own. None if none is named.
    asked_id: str | None  # the external ID that the policy asks for
    external_id: str | None  # the one that goes to Pinecone's console, where an output says it; else that
    roles: list[str]  # the ARNs of Pinecone's roles that must come in: in the guide's third form those of the guide
    limit: guide.Policy  # the guide's trust policies for all that is meant


def trusts_of(found: Found) -> dict[Place, list[Trust]]:
    """The roles that Pinecone assumes, in each case."""
    ids = dict(beside(found.outputs, "Role ARN", "External ID"))
    return {role.place: [_trust(one, ids.get(role.place)) for one in role.cases] for role in found.roles}


def _trust(now: Now, output: Output | None) -> Trust:
    statements = list(allowing(now.policy))
    forms: list[re.Match[str]] = []
    for each in statements:
        # Whom it names one by one; else whom it compares with all that it names.
        names = [who.name for who in each.principals or () if who.kind == "AWS"]
        if not (names and all(map(ONE_ROLE.fullmatch, names))):
            names += each.compared(aws.PRINCIPAL_ARN)
        forms += filter(None, map(_MEANT.fullmatch, names))
    account = next((form["account"] for form in forms if form["account"] != now.account), None)
    named = dict.fromkeys(form["region"] for form in forms if account and form["account"] == account)
    regions, is_third = [region for region in named if region != "*"], "*" in named
    ids = [value for each in statements for value in each.compared(aws.EXTERNAL_ID)]
    presentable = (text for text in ids if EXTERNAL_ID.fullmatch(_ANY_HOLE.sub("an-ID", text)))
    asked_id = next(presentable, None)
    promised = {each.value for each in output.cases} if output else set()
    external_id = (promised.pop() if len(promised) == 1 else None) or asked_id
    is_asked = bool(ids) or any("withID" in each.name for each in statements)
    limit = []
    if account and regions:
        limit.append(guide.trust_statement(account, regions, external_id or (_SOME_ID if is_asked else None)))
    if account and is_third and external_id:
        limit.append(guide.trust_statement(account, guide.ALL_REGIONS, external_id))
    must_come = dict.fromkeys([*regions, *(guide.PINECONE_REGIONS if is_third else ())])
    roles = [f"arn:aws:iam::{account}:role/{guide.ROLE_NAME_PREFIX}{region}" for region in must_come]
    return Trust(now, account, asked_id, external_id, roles, guide.policy_document(*limit))


def key_uses(found: Found, trusts: Mapping[Place, Sequence[Trust]]) -> Iterator[tuple[Now, list[Now], list[str]]]:
    """Each key in each case, the roles that Pinecone assumes and that must be able to use it, and the ARNs of such."""
    carried = dict(beside(found.outputs, "Key ARN", "Role ARN"))
    for key in found.keys:
        output = carried.get(key.place)
        for now in key.cases:
            places = now.roles
            if not places and output and output.of and key.primary is None:
                places = frozenset({output.of})
            # One that is in no template may go to Pinecone's console.
            of_console = {one.value for one in output.cases} if output else ()
            others = sorted(arn for arn in of_console if f":iam::{now.account}:role/" in arn)
            some = (one for place in sorted(places, key=str) for one in trusts.get(place, ()))
            every = [one for one in some if one.now.case.agrees(now.case)]
            named = {name for statement in now.policy.statements for name in names_in(statement)}
            roles = [one.now for one in every if one.roles and (one.now.arn in named or not now.roles)]
            arns = list(dict.fromkeys([*(one.now.arn for one in every), *others]))
            yield now, roles, arns
