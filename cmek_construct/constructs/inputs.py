"""The props of a constructor: known by name, each within the limits of its row."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, TypeVar, cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cmek_construct import checks
from cmek_construct.constructs.cdk import (
    environment_of_resource,
    key_arn,
    once,
    resource_of,
    role_arn,
)
from cmek_construct.guide import Statement
from cmek_construct.props import Prop

Props = TypeVar("Props", bound=Mapping[str, Any])
Initializer = TypeVar("Initializer", bound=Callable[..., None])


def described(props: type, rows: Sequence[Prop]) -> Callable[[Initializer], Initializer]:
    """Give an initializer that takes ``**props`` the signature and the docstring of the rows.

    For `help` and `inspect`; type checkers and editors read the `TypedDict`.
    """

    def describe(init: Initializer) -> Initializer:
        signature = inspect.signature(init)
        own = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
        for row in rows:
            default = row.left_out if row.default else inspect.Parameter.empty
            form = props.__annotations__[row.name]
            own.append(
                inspect.Parameter(
                    row.name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=default,
                    annotation=getattr(form, "__forward_arg__", form),
                )
            )
        init.__dict__["__signature__"] = signature.replace(parameters=own)
        if init.__doc__:  # not there under `python -OO`
            arguments, raises, rest = init.__doc__.partition("\n\n        Raises:")
            added = [f"\n            {row.name}: {row.sentence}" for row in rows]
            init.__doc__ = "".join([arguments, *added, raises, rest])
        return init

    return describe


def settled(who: str, given: Props, rows: Sequence[Prop]) -> Props:
    """What a constructor was given, within its limits, with the defaults of what was left out.

    Raises:
        TypeError: there is no such prop, or one is missing.
        ValueError: one is outside its limits.
    """
    names = [row.name for row in rows]
    for name in given:
        if name not in names:
            close = get_close_matches(name, names, n=1)
            hint = f"Is it {close[0]}?" if close else f"There are {', '.join(names)}."
            raise TypeError(f"{who}: there is no prop {name!r}. {hint}")
    own = {}
    for row in rows:
        if row.name not in given and not row.default:
            raise TypeError(f"{who}: {row.name} is missing: {row.sentence}")
        value = given.get(row.name)
        if value is not None or not row.default:
            row.check(row.name, _plain(row, value))
        own[row.name] = row.left_out if value is None else value
    return cast(Props, own)


def some_of(props: Mapping[str, Any], rows: Sequence[Prop]) -> dict[str, Any]:
    """The props that another construct takes as well."""
    return {row.name: props[row.name] for row in rows}


_PLAIN: Final = {
    "cdk.Duration": ("to_days", "Write cdk.Duration.days(…)."),
    "cdk.RemovalPolicy": ("name", "Write RemovalPolicy.RETAIN, or leave it out."),
    "KeyAccess": ("name", "Write KeyAccess.KEY_USER or KeyAccess.ENCRYPT_DECRYPT."),
    "iam.IManagedPolicy": (
        "managed_policy_arn",
        "For an ARN, write iam.ManagedPolicy.from_managed_policy_arn(self, id, arn).",
    ),
    "iam.IRole": ("role_arn", "For an ARN, write iam.Role.from_role_arn(self, id, arn)."),
    "kms.IKey": (
        "key_arn",
        "For an ARN, write kms.Key.from_key_arn(self, id, arn); for a kms.CfnKey, "
        "kms.Key.from_cfn_key(key).",
    ),
    "list[iam.IPrincipal]": ("__iter__", "For an ARN, write [iam.ArnPrincipal(arn)]."),
}
"""By what the kinds of CDK are known, and what to write in place of another one."""


def _plain(row: Prop, value: Any) -> object:
    """What a row judges, of what a constructor takes."""
    if not row.cdk:
        return value
    known_by, way_out = _PLAIN[row.cdk]
    if isinstance(value, str | type | dict) or not hasattr(value, known_by):
        checks.refuse(row.name, value, f"it is {row.cdk}", way_out)
    if row.cdk == "cdk.Duration":
        return _days(row.name, value)
    if row.cdk == "list[iam.IPrincipal]":
        return _principal_arns(row.name, value)
    if row.cdk == "kms.IKey":
        return _key_arn(row.name, value)
    if row.cdk == "iam.IRole":
        checks.partition(row.name, role_arn(value))
        return role_arn(value)
    return getattr(value, known_by)


def days(duration: cdk.Duration) -> float:
    """A duration in days."""
    return once(duration, "days", lambda: duration.to_days(integral=False))


def _days(parameter: str, value: cdk.Duration) -> object:
    if value.is_unresolved():
        checks.refuse(
            parameter,
            "a token",
            "aws_kms wants a number of days that is known at synth",
            "Write the number, or take it from context or an environment variable.",
        )
    return days(value)


def _key_arn(parameter: str, value: kms.IKey) -> object:
    """Of a symmetric key that encrypts and decrypts."""
    checks.partition(parameter, key_arn(value))
    region = environment_of_resource(value).region
    if region is not None:
        checks.in_pinecone_partition(region)
    resource = resource_of(value)
    for name, needed, found in (
        ("key_spec", "SYMMETRIC_DEFAULT", resource and resource.key_spec),
        ("key_usage", "ENCRYPT_DECRYPT", resource and resource.key_usage),
    ):
        if found not in (None, needed) and not checks.is_token(found):
            checks.refuse(
                f"{parameter} ({name})",
                found,
                f"Pinecone takes a symmetric key that encrypts and decrypts ({needed})",
                "Give another key, or leave out key= and have the right one made.",
            )
    return key_arn(value)


def administration(parameter: str, admins: Sequence[Any]) -> Statement:
    """A statement that names key administrators."""
    for index, admin in enumerate(admins):
        if isinstance(admin, str) or not hasattr(admin, "policy_fragment"):
            way_out = _PLAIN["list[iam.IPrincipal]"][1]
            checks.refuse(f"{parameter}[{index}]", admin, "it is an iam.IPrincipal", way_out)
    try:
        named: Statement = iam.PolicyStatement(principals=list(admins)).to_json()
    except RuntimeError as error:
        raise ValueError(
            f"{parameter}: got principals that one statement cannot name: {error} Give roles or "
            "users under the same conditions."
        ) from None
    return named


def _principal_arns(parameter: str, admins: Sequence[Any]) -> list[str]:
    """Those of AWS: nobody administers a key by a wildcard."""
    named = administration(parameter, admins).get("Principal", {}) if admins else {}
    by_kind = named if isinstance(named, dict) else {"AWS": named}
    names = {kind: [one] if isinstance(one, str) else one for kind, one in by_kind.items()}
    if any("*" in some for some in names.values()):
        what = "it lets everybody administer the key"
        checks.refuse(parameter, "*", what, "Name the roles or users.")
    return [
        f"arn:aws:iam::{name}:root" if checks.ACCOUNT_ID.fullmatch(name) else name
        for name in names.get("AWS", ())
    ]
