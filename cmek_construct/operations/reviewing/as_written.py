"""The policies of a template's roles and keys, in the notation of `cmek_construct.policy`.

A role of the template is called by its ARN, in which the account and a generated name are holes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from cmek_construct.guardrails.intrinsics import Texts, is_no_value
from cmek_construct.guardrails.template import PEOPLE, Resource
from cmek_construct.operations.reviewing.cases import Case, cases
from cmek_construct.operations.reviewing.people import covers, is_wild, named_in
from cmek_construct.operations.reviewing.together import Recognized, generated
from cmek_construct.policy import ACCOUNT, Policy, canonical, literal, read
from cmek_construct.policy.statements import Kind
from cmek_construct.review.parts import canonical as as_text

MEMBERS: Final[Mapping[Kind, str]] = {"trust": "AssumeRolePolicyDocument", "key": "KeyPolicy"}
EXTERNAL_ID: Final = "sts:externalid"
_NAMES: Final = {"AWS::IAM::Role": ("role", "RoleName"), "AWS::IAM::User": ("user", "UserName")}
_UNREADABLE: Final = re.compile(r"\$\{\?[^{}]*\}")
_RESOLVED: Final = re.compile(r"\{\{(resolve:[^{}]*)\}\}")
_HOLE: Final = re.compile(r"\$\{([^!{}]*)\}")


@dataclass(frozen=True)
class Written:
    """The policy of a role or key in one case of the template's conditions."""

    policy: Policy
    people: Mapping[str, str]
    """The logical IDs of roles and users of the template, by their ARNs."""
    conditions: Mapping[str, bool]
    """The conditions of the template that it hangs on."""
    assumed: Mapping[str, str]
    """Parameters whose default decided one of them."""


class _Exact(Texts):
    """Texts in which what cannot be read has a name of its own: two never look the same."""

    def of(self, value: Any) -> str:
        """The text of a value."""
        text = super().of(value)
        if _UNREADABLE.fullmatch(text):
            return _unreadable(value)
        text = _RESOLVED.sub(r"${?\1}", text)
        return _unreadable(value) if "{{resolve:" in text else text


def _unreadable(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return f"${{?{text.replace('{', '(').replace('}', ')')}}}"


def policies(one: Recognized, resource: Resource, kind: Kind) -> Iterator[Written]:
    """The policy of a role or key, in each case of the template's conditions.

    Raises:
        CannotBeJudged: it hangs on too many conditions.
    """
    template = one.template
    texts = _texts(one, {})
    for case, found in cases(template.raw, texts, lambda case: _policy(one, resource, kind, case)):
        if found is not None:
            yield Written(*found, case.conditions, case.assumed)


def _texts(one: Recognized, names: Mapping[str, str]) -> _Exact:
    mappings = one.template.raw.get("Mappings")
    known = {"AWS::Partition": "aws", "AWS::AccountId": one.template.account, **names}
    return _Exact(known, one.template.exports, mappings if isinstance(mappings, dict) else {})


def _policy(
    one: Recognized, resource: Resource, kind: Kind, case: Case
) -> tuple[Policy, Mapping[str, str]] | None:
    """The policy in one case, and who of the template is named; None if there is no resource."""
    condition = resource.raw.get("Condition")
    if isinstance(condition, str) and not case.holds(condition):
        return None
    document = case.of(resource.properties.get(MEMBERS[kind]))
    said = json.dumps(document, default=str)
    people = {
        each.logical_id: _Person(one, each, case)
        for each in one.template.of_type(*PEOPLE)
        if each == resource or each.logical_id in said
    }
    texts = _texts(one, {name: text for each in people.values() for name, text in each.texts()})
    forms = {
        "AWS::AccountId": ACCOUNT,
        **one.exported_names,
        **{name: generated(name) for name in people},
    }
    place = (
        people[resource.logical_id].arn if resource.logical_id in people else _key(one, resource)
    )
    found = read_document(document, kind, texts, place, forms)
    return _apart(found, people), {each.arn: name for name, each in people.items()}


def _key(one: Recognized, key: Resource) -> str:
    return f"arn:aws:kms:${{AWS::Region}}:{one.template.account}:key/${{{key.logical_id}}}"


def read_document(
    document: Any, kind: Kind, texts: Texts, resource: str, forms: Mapping[str, str]
) -> Policy:
    """A policy as the template has it: an object, a text of JSON, or a function that makes one."""
    if isinstance(document, str):
        return read(document, kind, resource=resource, texts=literal, forms=forms)
    made = as_text(document, texts)
    if isinstance(made, str) and (r"\u" in made or set(_HOLE.findall(made)) - set(forms)):
        made = {made: None}
    found = read(made, kind, resource=resource, texts=canonical, forms=forms)
    ids, said = list(_external_ids(found)), json.dumps(made)
    if all(_HOLE.fullmatch(one) and said.count(one) == ids.count(one) for one in ids):
        # Another external ID is one that is none of these, whatever these turn out to be.
        forms = {**forms, **{one[2:-1]: f"<{one[2:-1]}>" for one in ids}}
    return replace(found, forms=forms)


def _apart(policy: Policy, people: Collection[str]) -> Policy:
    """A policy in which generated names are texts by themselves, if nobody named can be of them.

    Then nothing hangs on their form, and the same policy of another role is the same question.
    """
    named = {one.name for statement in policy.statements for one in named_in(statement)} - {"*"}
    names = [one.rpartition("/")[2] for one in named]
    others = [one for one in names if one not in {f"${{{name}}}" for name in people}]
    forms = [policy.forms[name] for name in people]
    if any("${" in one or is_wild(one) for one in others) or any(map(is_wild, named)):
        return policy
    if any(covers(form, one) for form in forms for one in others):
        return policy
    values = {name: f"<{number}>" for number, name in enumerate(sorted(people))}
    return replace(policy, forms={**policy.forms, **values})


def _external_ids(policy: Policy) -> Iterator[str]:
    for statement in policy.statements:
        for one in statement.conditions:
            if one.key.lower() == EXTERNAL_ID:
                yield from one.values


class _Person:
    """A role or user of a template, as policies name it."""

    def __init__(self, one: Recognized, resource: Resource, case: Case) -> None:
        kind, member = _NAMES[resource.type]
        texts = _texts(one, {})
        name = case.of(resource.properties.get(member))
        path = case.of(resource.properties.get("Path"))
        self._id = resource.logical_id
        self._name = None if name is None or is_no_value(name) else texts.of(name)
        at = "/" if path is None or is_no_value(path) else texts.of(path)
        shown = self._name or f"${{{self._id}}}"
        self.arn = f"arn:aws:iam::{one.template.account}:{kind}{at}{shown}"

    def texts(self) -> Iterator[tuple[str, str]]:
        """What its references stand for."""
        yield f"{self._id}.Arn", self.arn
        if self._name is not None:
            yield self._id, self._name
