"""A policy statement in plain words, and how text out of a template is shown: whatever it says, it stays text.

It says what is written, all of it, and judges nothing. What has no words here is quoted as it is. A sentence is a list
of parts: words of ours, of which `words.ini` has those for actions and conditions, and values out of a template
(`Quoted`).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

from cmek_construct.guide import ADMINISTRATION, Statement
from cmek_construct.policy import Witness, aws
from cmek_construct.policy.context import read_operator
from cmek_construct.policy.statements import MEMBERS, as_list
from cmek_construct.policy.text import VARIABLE, Doubt, alone
from cmek_construct.rows import rows

_ROLE: Final = re.compile(r"arn:(aws[a-z-]*):iam::([0-9]{12}|\$\{[^{}]+\}):role/(.+)")
_ROOT: Final = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}|\$\{AWS::AccountId\}):root|[0-9]{12}")
_tables: Final = partial(rows, Path(__file__).with_name("words.ini"))
_PLACE: Final = re.compile(r"\{(\w+)\}")


class Quoted(str):
    """A value out of a template, each character that could mislead written as its code.

    That is all but printable ASCII: a policy needs no other, and a letter that only looks like another, or turns the
    line around, is what somebody would hide in one.
    """

    def __new__(cls, value: object) -> "Quoted":
        return super().__new__(cls, "".join(map(_code, value if isinstance(value, str) else json.dumps(value))))


Words: TypeAlias = list[str]  # a sentence: each part is a `Quoted` or words of ours


def _code(character: str) -> str:
    return character if " " <= character <= "~" else character.encode("unicode_escape").decode("ascii")


def plain_letters(text: str) -> str:
    """A sentence of ours that may have a value of a template in it."""
    return "".join(one if one in "…\n" else _code(one) for one in text)


def visible(text: str) -> str:
    """Text that may be in any language, such as a reason or a file's name: none of it is unseen."""
    return "".join(one if one.isprintable() else _code(one) for one in text)


def plain(words: Iterable[str]) -> str:
    """A sentence as one string."""
    return "".join(words)


def filled(row: str, /, **parts: Sequence[str]) -> Words:
    """A row, with parts of a sentence in its places: values out of a template, and words, which are lists."""
    found: Words = []
    for index, text in enumerate(_PLACE.split(row)):
        part = parts[text] if index % 2 else [text]
        found += [Quoted(part)] if isinstance(part, str) else part
    return found


def listed(several: Sequence[Sequence[str]], last: str = " and ") -> Words:
    """Parts of a sentence with commas between them, and a word before the last."""
    found: Words = []
    for index, parts in enumerate(several):
        if index:
            found.append(last if index == len(several) - 1 else ", ")
        found += parts
    return found


def quoted_list(values: Iterable[Any], last: str = " and ") -> Words:
    """Values with commas between them."""
    return listed([[Quoted(value)] for value in values], last)


def of_statement(statement: Statement, account: str | None = None, people: Mapping[str, str] | None = None) -> Words:
    """What a statement of a trust policy, a key policy or a role's permissions says; its functions are text.

    The account is that of the role or key, where it is known; people are what roles and users of the templates are
    called, by their ARNs.
    """
    effect = statement.get("Effect")
    denies = effect != "Allow"
    found: Words = ["Forbids " if denies else "Lets "]
    if effect not in ("Allow", "Deny"):
        found = ["With the effect ", Quoted(effect), ", which is neither: "]
    whom = principals(statement, account, people)
    found += [*(whom or ["the role"]), " to " if denies else " ", *actions(statement), *_resources(statement)]
    only = _conditions(statement.get("Condition"), denies)
    if only:
        found += [" where " if denies else ", but only if ", *only]
    elif not denies and whom:
        found += [", under no condition"]
    found.append(", whatever another policy allows." if denies else ".")
    rest = {name: value for name, value in statement.items() if name not in MEMBERS}
    return [*found, " It also says ", Quoted(rest), ", which has no words here."] if rest else found


def principals(statement: Statement, account: str | None, people: Mapping[str, str] | None) -> Words:
    """Whom a statement is about; empty where the policy hangs on whom it is about."""
    if "Principal" not in statement and "NotPrincipal" not in statement:
        return []
    kinds = statement["NotPrincipal" if "NotPrincipal" in statement else "Principal"]
    named: Words = ["the principal ", Quoted(kinds)]
    if kinds == "*":
        named = ["anybody in any AWS account, signed in or not"]
    elif isinstance(kinds, dict):
        each = (_of_kind(kind, as_list(names), account, people or {}) for kind, names in kinds.items())
        named = listed([words for several in each for words in several])
    return ["everybody in every AWS account but ", *named] if "NotPrincipal" in statement else named


def _of_kind(kind: str, names: list[Any], account: str | None, people: Mapping[str, str]) -> Iterator[Words]:
    """Principals in words: roles of one account together."""
    if kind != "AWS":
        yield [*(["the AWS service "] if kind == "Service" else [Quoted(kind), " "]), *quoted_list(names)]
        return
    roles: dict[tuple[str, str], list[str]] = {}
    for name in names:
        text = name if isinstance(name, str) else Quoted(name)
        role, root = _ROLE.fullmatch(text), _ROOT.fullmatch(text)
        if text == "*":
            yield ["anybody in any AWS account"]
        elif text in people:
            yield ["the role " if role else "the user ", Quoted(people[text])]
        elif root:
            yield [*_account(root[1] or text, account), " (its root, and its own IAM policies)"]
        elif role:
            roles.setdefault((role[1], role[2]), []).append(role[3])
        else:
            yield ["the principal ", Quoted(text)]
    for (partition, owner), paths in roles.items():
        where: Words = [] if partition == "aws" else [" in the partition ", Quoted(partition)]
        kind = "the roles " if len(paths) > 1 else "the role "
        yield [kind, *quoted_list(paths), " of ", *_account(owner, account), *where]


def _account(owner: str, account: str | None) -> Words:
    return ["this account"] if owner in ("${AWS::AccountId}", account) else ["AWS account ", Quoted(owner)]


def actions(statement: Statement) -> Words:
    """What a statement is about."""
    if "NotAction" in statement:
        return ["do everything but ", *quoted_list(as_list(statement["NotAction"]))]
    said = as_list(statement.get("Action"))
    if "Principal" not in statement and said == ["kms:*"]:
        return ["do everything that KMS offers"]
    several: list[Words] = []
    if set(map(str, said)).issuperset(ADMINISTRATION):
        what = "its policy, state, tags and deletion: by changing the policy, any use of it too"
        several = [[f"administer the key ({what})"]]
        said = [one for one in said if one not in ADMINISTRATION]
    known = _tables()["actions"]
    several += [[known[one]] if str(one) in known else ["do ", Quoted(one)] for one in said]
    return listed(several)


def _resources(statement: Statement) -> Words:
    """With what."""
    if "NotResource" in statement:
        return [" with everything but ", *quoted_list(as_list(statement["NotResource"]))]
    said = as_list(statement.get("Resource", []))
    if said == ["*"]:
        # In a key policy that is this key.
        return [] if "Principal" in statement or "NotPrincipal" in statement else [" on everything"]
    return [" with ", *listed(list(map(_resource, said)))] if "Resource" in statement else []


def _resource(resource: Any) -> Words:
    text = resource if isinstance(resource, str) else ""
    if every := aws.EACH_KEY.fullmatch(text):
        return ["each key of AWS account ", Quoted(every[1]), " whose own policy lets it"]
    if aws.KEY_ARN.fullmatch(text):
        return ["the key ", Quoted(text), ", if its own policy lets it"]
    return [Quoted(resource)]


def _conditions(condition: Any, denies: bool) -> Words:
    """All that must hold, or nothing if there is no condition."""
    if not condition:
        return []
    if not isinstance(condition, dict):
        return ["this holds, which has no words here: ", Quoted(condition)]
    found: list[Words] = []
    for operator, keys in condition.items():
        if isinstance(keys, dict):
            found += [_condition(operator, key, as_list(values), denies) for key, values in keys.items()]
        else:
            found.append(["the condition ", Quoted({operator: keys}), " holds"])
    return listed(found, ", and ")


def _condition(operator: str, key: str, values: list[Any], denies: bool) -> Words:
    name = key.lower()
    texts = [str(value).lower() if isinstance(value, bool) else value for value in values]
    of_key: Words = [_tables()["keys"].get(name) or Quoted(key)]
    said = partial(filled, key=of_key, values=quoted_list(texts, " or "))
    value, known = texts[0] if len(texts) == 1 else "*", _tables()["conditions"]
    for own in (f"{operator} {name} {value}", f"{operator} {name} *", f"{operator} * {value}"):
        if own in known:
            return said(known[own])
    read = read_operator(operator)
    row = _tables()["operators"].get(read.base)
    if row is None:
        return ["the condition ", Quoted({operator: {key: values}}), " holds"]
    each = "each of " if read.each == "ForAllValues" else ""
    found = [each, *said(row, negation=[" not"] if read.negated else [])]
    if "like" in row and any("*" in str(one) for one in texts):
        found.append(" (where * is any text)")
    if each or read.if_exists:
        also = "" if denies else ": it does not bind who leaves it out"
        found.append(f" (or is not sent at all{also})")
    return found


def of_witness(witness: Witness, account: str | None, people: Mapping[str, str] | None = None) -> Words:
    """Whom a statement lets do what that another policy does not, and on what that hangs."""
    raw = witness.statement.raw
    found: Words = ["What cannot be read: ", Quoted(witness.statement.name), "."]
    if isinstance(raw, dict):
        narrowed = {name: value for name, value in raw.items() if not name.startswith("Not")}
        narrowed |= {"Effect": "Allow", "Action": list(witness.actions)}
        if "Principal" in raw or "NotPrincipal" in raw:
            narrowed["Principal"] = {"AWS": list(witness.principals)}
        found = of_statement(narrowed, account, people)
    return found if witness.certain else [*found, " That hangs on ", *in_doubt(witness.hangs_on), "."]


def in_doubt(hangs_on: Iterable[str]) -> Words:
    """What is not known, and a policy's answer hangs on: each as a clause."""
    return listed(list(map(_of_doubt, hangs_on)), ", and ") or ["what is not known"]


def _of_doubt(doubt: str) -> Words:
    match doubt:
        case Doubt(parts=(operator, " ", key, " ", value, *behind)):
            return ["whether ", *_condition(operator, key, [value], denies=True), *behind]
        case Doubt(parts=(what, " is ", value)):
            hole = alone(value)
            named: Words = ["the value of ", Quoted(hole.removeprefix(f"{VARIABLE} "))] if hole else [Quoted(value)]
            return ["whether ", *(_sent(what) if ":" in what else [f"the {what} in an ARN"]), " is ", *named]
        case Doubt(parts=(key,)):
            return _sent(key)
        case Doubt():
            return ["whether ", Quoted(doubt)]
    return [_tables()["asked"].get(doubt) or Quoted(doubt)]


def _sent(key: str) -> Words:
    return [_tables()["keys"].get(key) or f"what is sent as {Quoted(key)}"]
