"""What a dangerous template is made of, and how one edit changes a good one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests import forms
from tests.forms import CUSTOMER, EXTERNAL_ID, PINECONE, REGION
from tests.simulator.deployed import Deployed
from tests.simulator.questions import EVERYTHING, Caller
from tests.simulator.simulator import Request
from tests.simulator.who_may_assume import ASSUME, STRANGER

Template = dict[str, Any]
Edit = Callable[[Template], object]

CONDITIONS = {
    "Parameters": {"Mode": {"Type": "String"}},
    "Conditions": {"Debug": {"Fn::Equals": [{"Ref": "Mode"}, "debug"]}},
}
OTHER_ACCOUNT = f"arn:aws:iam::{STRANGER}"
A_STRANGER = Caller(f"{OTHER_ACCOUNT}:role/Admin")
A_STRANGERS_USER = Caller(f"{OTHER_ACCOUNT}:user/Mallory")


@dataclass(frozen=True)
class Call:
    """Somebody assumes the role."""

    caller: Caller
    external_id: str | None = EXTERNAL_ID
    action: str = ASSUME

    def request(self, template: Template) -> Request:
        """The call, with the trust policy of a template."""
        deployed = Deployed(template, CUSTOMER, REGION, forms.PARAMETERS)
        external_id = {} if self.external_id is None else {"sts:ExternalId": self.external_id}
        return Request(
            principal=self.caller.arn,
            action=self.action,
            resource=deployed.role_arn,
            account=CUSTOMER,
            resource_policy=deployed.trust_policy,
            identity_policies=[EVERYTHING] if self.caller.account else [],
            context=self.caller.context | external_id,
        )


@dataclass(frozen=True)
class Mutant:
    """A dangerous template."""

    words: str
    rule: str
    allows: str
    form: str
    edit: Edit
    lets_in: Call | None = None
    keeps_out: Call | None = None
    """Of one that is no door and shuts Pinecone out."""
    deployed: Edit | None = None
    """Of one that cannot be read: an edit that makes of it what a deploy may make of it."""

    def __str__(self) -> str:
        return self.words

    @property
    def template(self) -> Template:
        """What is refused."""
        return self._edited(self.edit)

    @property
    def as_deployed(self) -> Template:
        """What a simulator can look at."""
        return self._edited(self.deployed or self.edit)

    def _edited(self, edit: Edit) -> Template:
        template = forms.template(self.form)
        edit(template)
        template.update(CONDITIONS if '"Debug"' in json.dumps(template) else {})
        return template


def resource(template: Template, kind: str) -> Template:
    """The one resource of a kind, such as ``IAM::Role``."""
    found: Template
    (found,) = [one for one in template["Resources"].values() if one["Type"] == f"AWS::{kind}"]
    return found


def resource_id(template: Template, kind: str) -> str:
    """Its logical ID."""
    (name,) = [n for n, one in template["Resources"].items() if one["Type"] == f"AWS::{kind}"]
    return str(name)


def role(template: Template) -> Template:
    """The properties of the role."""
    properties: Template = resource(template, "IAM::Role")["Properties"]
    return properties


def key(template: Template) -> Template:
    """The properties of the key."""
    properties: Template = resource(template, "KMS::Key")["Properties"]
    return properties


def trust_policy(template: Template) -> list[Any]:
    """The statements of the trust policy."""
    statements: list[Any] = role(template)["AssumeRolePolicyDocument"]["Statement"]
    return statements


def trust(template: Template) -> Template:
    """The guide's statement."""
    statement: Template = trust_policy(template)[0]
    return statement


def key_policy(template: Template) -> list[Any]:
    """The statements of the key policy."""
    statements: list[Any] = key(template)["KeyPolicy"]["Statement"]
    return statements


ROOT, USE, ATTACH = 0, 1, 2
"""Where the console's statements stand in the key policy."""


def role_arn(template: Template) -> Template:
    """How the template names its role."""
    return {"Fn::GetAtt": [resource_id(template, "IAM::Role"), "Arn"]}


def allow(principal: Any, *actions: str, **members: Any) -> Template:
    """A statement of a key policy."""
    return {"Effect": "Allow", "Principal": principal, "Action": list(actions), "Resource": "*", **members}


def deny(principal: Any, *actions: str, **members: Any) -> Template:
    """A denial in a key policy."""
    return allow(principal, *actions, **{**members, "Effect": "Deny"})


def grant(**members: Any) -> Template:
    """A policy of the role's own."""
    statement = {"Effect": "Allow", "Resource": "*", **members}
    return {"PolicyName": "More", "PolicyDocument": {"Statement": [statement]}}


def add(template: Template, logical_id: str, kind: str, **properties: Any) -> Template:
    """Add a resource."""
    resource = {"Type": f"AWS::{kind}", "Properties": properties}
    template["Resources"][logical_id] = resource
    return resource


def without_its_role(template: Template, role_name: str) -> Template:
    """The role is made elsewhere, and named by its ARN."""
    arn = json.dumps(f"arn:aws:iam::{CUSTOMER}:role/{role_name}")
    reference = role_arn(template)
    del template["Resources"][reference["Fn::GetAtt"][0]]
    template.update(json.loads(json.dumps(template).replace(json.dumps(reference), arn)))
    return template


def equals(**external_id: Any) -> Template:
    """A condition on the external ID: ``StringEquals=…`` and such."""
    return {operator: {"sts:ExternalId": value} for operator, value in external_id.items()}


def all_regions(pattern: Any = None, external_id: Any = EXTERNAL_ID) -> Template:
    """The conditions of the guide's third trust policy."""
    usual = f"arn:aws:iam::{PINECONE}:role/pinecone_cmek_access_*"
    return {
        "StringEquals": {"sts:ExternalId": external_id},
        "StringLike": {"aws:PrincipalArn": usual if pattern is None else pattern},
    }


def also(statement: Template, principal: Any) -> None:
    """Name one more principal in a statement."""
    named = statement["Principal"]["AWS"]
    statement["Principal"]["AWS"] = [*(named if isinstance(named, list) else [named]), principal]


MUTANTS: list[Mutant] = []
"""Every one."""


def mutant(words: str, rule: str, allows: str, edit: Edit, form: str = "explicit_with_id", **more: Any) -> None:
    """Note one."""
    MUTANTS.append(Mutant(words, rule, allows, form, edit, **more))


def trust_mutants(*rows: tuple[Any, ...], form: str = "explicit_with_id", rule: str) -> None:
    """Note some of a trust policy: words, what it allows, the edit, who is let in."""
    for words, allows, edit, lets_in, *deployed in rows:
        mutant(words, rule, allows, edit, form, lets_in=lets_in, deployed=(deployed or [None])[0])
