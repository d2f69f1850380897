"""What AWS's pages say where the simulator says something else, or nothing of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from cmek_construct.policy import Request, Verdict, read
from tests.policies import allows
from tests.policies.generate import Kind, Statement
from tests.policies.vocabulary import KEY, OWNER, session_of
from tests.simulator.aws_pages import Page

_ROLE: Final = f"arn:aws:iam::{OWNER}:role/team/Reader"
_SESSION: Final = session_of(_ROLE, "alice")
_ROOT: Final = f"arn:aws:iam::{OWNER}:root"


def _elements(element: str, page: str, says: str) -> Page:
    path = f"IAM/latest/UserGuide/reference_policies_{page}.html"
    return Page(f"IAM User Guide: IAM JSON policy elements: {element}", path, says)


VERSION: Final = _elements(
    "Version",
    "elements_version",
    "in an older version than 2012-10-17 a policy variable is a text that stands for itself",
)
NOT_PRINCIPAL: Final = _elements(
    "NotPrincipal",
    "elements_notprincipal",
    "with Deny, a role and its account must both be listed, or the role may be denied; with Allow it is not supported",
)
SET_OPERATORS: Final = _elements(
    "multivalued context keys",
    "condition-single-vs-multi-valued-context-keys",
    "ForAnyValue is false if the key is absent, and of ...IfExists besides it says nothing; a key "
    "of several values wants a set operator",
)
PRINCIPAL: Final = _elements(
    "Principal",
    "elements_principal",
    "no wildcard matches a part of a name or ARN; the unique ID that is left where a role was deleted is nobody's",
)
ADDRESSES: Final = _elements(
    "Condition operators",
    "elements_condition_operators",
    "an address is in a block of the standard CIDR format, and every one in 0.0.0.0/0",
)


@dataclass(frozen=True)
class Case:
    """Statements, a request, and the answer that a page gives."""

    page: Page
    statements: list[Statement]
    verdict: Verdict
    principal: str = _SESSION
    context: dict[str, Any] = field(default_factory=dict)
    version: str = "2012-10-17"
    kind: Kind = "key"

    def said(self) -> Verdict:
        """What the module says."""
        document = {"Version": self.version, "Statement": self.statements}
        policy = read(document, self.kind, resource=KEY)
        request = Request(self.principal, "kms:Decrypt", KEY, self.context, own=True)
        return allows(policy, request).verdict


def _allow(principal: Any = "*", **elements: Any) -> Statement:
    return {"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*", **elements}


def _deny_all_but(*names: str) -> Statement:
    return {"Effect": "Deny", "NotPrincipal": {"AWS": list(names)}, "Action": "kms:*", "Resource": "*"}


def _if(operator: str, key: str, value: str) -> Statement:
    return _allow(Condition={operator: {key: value}})


_TEAM: Final = {"aws:PrincipalTag/Team": "data", "aws:SourceIdentity": "data"}
_VARIABLE: Final = _if("StringEquals", "aws:SourceIdentity", "${aws:PrincipalTag/Team}")
YES, NO, CANNOT_TELL = Verdict.YES, Verdict.NO, Verdict.CANNOT_TELL
CASES: Final = {
    "a variable in an old version is text": Case(VERSION, [_VARIABLE], NO, context=_TEAM, version="2008-10-17"),
    "who is not denied is listed with the account": Case(NOT_PRINCIPAL, [_allow(), _deny_all_but(_ROLE, _ROOT)], YES),
    "who is listed without the account may be denied": Case(
        NOT_PRINCIPAL, [_allow(), _deny_all_but(_ROLE)], CANNOT_TELL
    ),
    "whose account alone is listed may be denied": Case(NOT_PRINCIPAL, [_allow(), _deny_all_but(_ROOT)], CANNOT_TELL),
    "who is not listed is denied": Case(NOT_PRINCIPAL, [_allow(), _deny_all_but(f"{_ROLE}Two", "444455556666")], NO),
    "who is listed in NotPrincipal with Allow is not let in": Case(
        NOT_PRINCIPAL, [{**_deny_all_but(_ROLE, _ROOT), "Effect": "Allow"}], NO
    ),
    "others than those of NotPrincipal with Allow may be let in": Case(
        NOT_PRINCIPAL, [{**_deny_all_but("444455556666"), "Effect": "Allow"}], CANNOT_TELL
    ),
    "ForAnyValue with IfExists and no key may hold": Case(
        SET_OPERATORS,
        [_if("ForAnyValue:StringEqualsIfExists", "aws:TagKeys", "a")],
        CANNOT_TELL,
        context={"aws:TagKeys": None},
    ),
    "a key of several values without a set operator may hold": Case(
        SET_OPERATORS, [_if("StringEquals", "aws:TagKeys", "a")], CANNOT_TELL, context={"aws:TagKeys": ["a"]}
    ),
    "a part of a name may be matched": Case(PRINCIPAL, [_allow({"AWS": f"{_ROLE}*"})], CANNOT_TELL),
    "a deleted role is nobody": Case(PRINCIPAL, [_allow({"AWS": "AROAEXAMPLEEXAMPLE12"})], NO),
    "every address is in the block of all": Case(
        ADDRESSES, [_if("IpAddress", "aws:SourceIp", "0.0.0.0/0")], YES, context={"aws:SourceIp": "203.0.113.7"}
    ),
}
