"""A policy statement in plain words.

It says what is written, all of it, and judges nothing. What has no words here is quoted as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from cmek_construct.guide import ADMINISTRATION, Statement
from cmek_construct.policy.aws import EXTERNAL_ID, SESSION_BEGAN, TRAILING_DAYS
from cmek_construct.policy.comparing import Witness
from cmek_construct.policy.sentences import Quoted, Words, as_list, listed, quoted_list

_ACTIONS: Final = {
    "sts:AssumeRole": "take on this role",
    "sts:TagSession": "tag sessions of this role",
    "sts:*": "do all that STS offers with this role",
    "kms:*": "do everything with the key",
    "kms:Encrypt": "encrypt",
    "kms:Decrypt": "decrypt",
    "kms:ReEncrypt*": "re-encrypt",
    "kms:GenerateDataKey*": "make data keys",
    "kms:DescribeKey": "look at the key's settings",
    "kms:CreateGrant": "make grants",
    "kms:ListGrants": "list grants",
    "kms:RevokeGrant": "take back grants",
    "kms:PutKeyPolicy": "replace the key policy",
    "kms:ScheduleKeyDeletion": "order the key's deletion",
    "kms:DisableKey": "disable the key",
}
_MEMBERS: Final = {
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource",
    "Condition",
}  # fmt: skip
_ROLE: Final = re.compile(r"arn:(aws[a-z-]*):iam::([0-9]{12}|\$\{[^{}]+\}):role/(.+)")
_ROOT: Final = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}|\$\{AWS::AccountId\}):root|[0-9]{12}")
_KEYS: Final = {
    "sts:externalid": "the external ID that is presented",
    "aws:principalarn": "the caller's ARN",
    "aws:principalaccount": "the caller's account",
    "aws:principalorgid": "the caller's organization",
    "aws:sourceip": "the caller's address",
    "kms:viaservice": "the AWS service that asks for the caller",
    TRAILING_DAYS: "the number of days since the key was last used",
}
_OPERATORS: Final = {
    "StringEquals": "is",
    "ArnEquals": "is like",
    "StringLike": "is like",
    "ArnLike": "is like",
    "NumericEquals": "is",
    "NumericLessThan": "is less than",
    "Bool": "is",
    "StringNotEquals": "is not",
    "StringNotLike": "is not like",
    "ArnNotEquals": "is not like",
    "ArnNotLike": "is not like",
    "StringEqualsIgnoreCase": "is, in capital or small letters,",
    "IpAddress": "is in",
    "NotIpAddress": "is not in",
}
_ALSO_WITHOUT: Final = " (or is not sent at all: it does not bind who leaves it out)"


def of_statement(statement: Statement, account: str | None = None, people: Mapping[str, str] | None = None) -> Words:
    """What a statement of a trust policy, a key policy or a role's permissions says.

    Args:
        statement: the statement, with CloudFormation's functions as text.
        account: the account that owns role or key, where it is known.
        people: what roles and users of the templates are called, by their ARNs.
    """
    denies = statement.get("Effect") != "Allow"
    found: Words = ["Forbids " if denies else "Lets "]
    if "Effect" not in statement or statement["Effect"] not in ("Allow", "Deny"):
        found = ["With the effect ", Quoted(statement.get("Effect")), ", which is neither: "]
    whom = principals(statement, account, people)
    found += whom if whom else ["the role"]
    found += [" to " if denies else " "]
    found += actions(statement)
    found += resources(statement)
    only = conditions(statement.get("Condition"), denies=denies)
    if only:
        found += [" where " if denies else ", but only if ", *only]
    elif not denies and whom:
        found += [", under no condition"]
    found.append(", whatever another policy allows." if denies else ".")
    rest = {name: value for name, value in statement.items() if name not in _MEMBERS}
    if rest:
        found += [" It also says ", Quoted(rest), ", which has no words here."]
    return found


def principals(statement: Statement, account: str | None, people: Mapping[str, str] | None) -> Words:
    """Whom a statement is about; empty where the policy hangs on whom it is about."""
    if "NotPrincipal" in statement:
        kinds = statement["NotPrincipal"]
        return ["everybody in every AWS account but ", *_kinds(kinds, account, people or {})]
    if "Principal" not in statement:
        return []
    return _kinds(statement["Principal"], account, people or {})


def _kinds(kinds: Any, account: str | None, people: Mapping[str, str]) -> Words:
    if kinds == "*":
        return ["anybody in any AWS account, signed in or not"]
    if not isinstance(kinds, dict):
        return ["the principal ", Quoted(kinds)]
    several: list[Words] = []
    for kind, names in kinds.items():
        if kind == "AWS":
            several += _aws(as_list(names), account, people)
        elif kind == "Service":
            several.append(["the AWS service ", *quoted_list(as_list(names))])
        else:
            several.append([Quoted(kind), " ", *quoted_list(as_list(names))])
    return listed(several)


def _aws(names: list[Any], account: str | None, people: Mapping[str, str]) -> list[Words]:
    """Principals in words: roles of one account together."""
    found: list[Words] = []
    roles: dict[tuple[str, str], list[str]] = {}
    for name in names:
        text = name if isinstance(name, str) else Quoted(name)
        role, root = _ROLE.fullmatch(text), _ROOT.fullmatch(text)
        if text == "*":
            found.append(["anybody in any AWS account"])
        elif text in people:
            found.append(["the role " if role else "the user ", Quoted(people[text])])
        elif root:
            found.append(_of_account(root[1] or text, account))
        elif role:
            roles.setdefault((role[1], role[2]), []).append(role[3])
        else:
            found.append(["the principal ", Quoted(text)])
    for (partition, owner), paths in roles.items():
        where: Words = [" of ", *_account(owner, account)]
        if partition != "aws":
            where += [" in the partition ", Quoted(partition)]
        found.append(["the roles " if len(paths) > 1 else "the role ", *quoted_list(paths), *where])
    return found


def _account(owner: str, account: str | None) -> Words:
    if owner == "${AWS::AccountId}" or owner == account:
        return ["this account"]
    return ["AWS account ", Quoted(owner)]


def _of_account(owner: str, account: str | None) -> Words:
    return [*_account(owner, account), " (its root, and its own IAM policies)"]


def actions(statement: Statement) -> Words:
    """What a statement is about."""
    if "NotAction" in statement:
        return ["do everything but ", *quoted_list(as_list(statement["NotAction"]))]
    said = as_list(statement.get("Action"))
    if "Principal" not in statement and said == ["kms:*"]:
        return ["do everything that KMS offers"]
    if set(map(str, said)).issuperset(ADMINISTRATION):
        extra = [one for one in said if one not in ADMINISTRATION]
        administer: Words = [
            "administer the key (its policy, state, tags and deletion: by changing the policy, any use of it too)"
        ]
        return listed([administer, *map(_action, extra)])
    return listed([_action(action) for action in said])


def _action(action: Any) -> Words:
    words = _ACTIONS.get(action) if isinstance(action, str) else None
    if words:
        return [words]
    if action == "*":
        return ["do everything that AWS offers"]
    return ["do ", Quoted(action)]


def resources(statement: Statement) -> Words:
    """With what."""
    if "NotResource" in statement:
        every = quoted_list(as_list(statement["NotResource"]))
        return [" with everything but ", *every]
    if "Resource" not in statement:
        return []
    said = as_list(statement["Resource"])
    if said == ["*"]:
        # In a key policy that is this key.
        in_key_policy = "Principal" in statement or "NotPrincipal" in statement
        return [] if in_key_policy else [" on everything"]
    return [" with ", *listed([_resource(one) for one in said])]


def _resource(resource: Any) -> Words:
    text = resource if isinstance(resource, str) else ""
    every = re.fullmatch(r"arn:aws:kms:\*:([0-9]{12}):key/\*", text)
    if every:
        return ["each key of AWS account ", Quoted(every[1]), " whose own policy lets it"]
    one = re.fullmatch(r"arn:aws:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+", text)
    if one:
        return ["the key ", Quoted(text), ", if its own policy lets it"]
    return [Quoted(resource)]


def conditions(condition: Any, *, denies: bool) -> Words:
    """All that must hold, or nothing if there is no condition.

    Args:
        condition: of a statement.
        denies: whether the statement forbids.
    """
    if not condition:
        return []
    if not isinstance(condition, dict):
        return ["this holds, which has no words here: ", Quoted(condition)]
    found = list(_each_condition(condition, denies))
    return listed(found, ", and ")


def _each_condition(condition: dict[str, Any], denies: bool) -> Iterator[Words]:
    for operator, keys in condition.items():
        if not isinstance(keys, dict):
            yield ["the condition ", Quoted({operator: keys}), " holds"]
            continue
        for key, values in keys.items():
            yield _condition(operator, key, as_list(values), denies)


def _condition(operator: str, key: str, values: list[Any], denies: bool) -> Words:
    texts = [str(value).lower() if isinstance(value, bool) else value for value in values]
    if operator == "Bool" and key.lower() == "kms:grantisforawsresource" and texts == ["true"]:
        return ["the grant is for an AWS service that works with it"]
    if operator == "StringEquals" and key.lower() == EXTERNAL_ID:
        return ["the external ID ", *quoted_list(texts, " or "), " is presented"]
    if operator == "DateLessThan" and key.lower() == SESSION_BEGAN:
        return ["the caller's session began before ", *quoted_list(texts, " or ")]
    if operator == "Null" and texts in (["true"], ["false"]):
        return [*_key_of(key), " is not sent" if texts == ["true"] else " is sent"]
    parts = re.fullmatch(r"(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?", operator)
    words = _OPERATORS.get(parts[2]) if parts else None
    if parts is None or words is None:
        return ["the condition ", Quoted({operator: {key: values}}), " holds"]
    found: Words = ["each of " if parts[1] == "ForAllValues" else "", *_key_of(key), f" {words} "]
    found += quoted_list(texts, " or ")
    if "like" in words:
        found.append(" (where * is any text)" if any("*" in str(one) for one in texts) else "")
    if parts[1] == "ForAllValues" or parts[3]:
        found.append(" (or is not sent at all)" if denies else _ALSO_WITHOUT)
    return found


def _key_of(key: str) -> Words:
    words = _KEYS.get(key.lower())
    return [words] if words else [Quoted(key)]


def of_witness(witness: Witness, account: str | None, people: Mapping[str, str] | None = None) -> Words:
    """Whom a statement lets do what that another policy does not, and on what that hangs."""
    raw = witness.statement.raw
    found: Words
    if not isinstance(raw, dict):
        found = ["What cannot be read: ", Quoted(witness.statement.name), "."]
    else:
        narrowed = {
            **{name: value for name, value in raw.items() if not name.startswith("Not")},
            "Effect": "Allow",
            "Action": list(witness.actions),
        }
        if "Principal" in raw or "NotPrincipal" in raw:
            narrowed["Principal"] = {"AWS": list(witness.principals)}
        found = of_statement(narrowed, account, people)
    if not witness.certain:
        found += [" That hangs on: ", *quoted_list(witness.hangs_on), "."]
    return found


def of_witnesses(witnesses: Sequence[Witness], account: str | None, people: Mapping[str, str] | None) -> list[Words]:
    """Each statement once, by its name, and what it lets whom do that another policy does not."""
    return [[Quoted(one.statement.name), ": ", *of_witness(one, account, people)] for one in witnesses]
