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
from cmek_construct.constructs.cdk import environment_of_resource, resource_of
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
        *own, given = signature.parameters.values()
        for row in rows:
            form = props.__annotations__[row.name]
            one = given.replace(name=row.name, kind=given.KEYWORD_ONLY)
            one = one.replace(annotation=getattr(form, "__forward_arg__", form))
            own.append(one.replace(default=row.left_out) if row.default else one)
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
    plain = getattr(value, "_arn", None) or getattr(value, known_by, None)
    if isinstance(value, str | type | dict) or plain is None:
        checks.refuse(row.name, value, f"it is {row.cdk}", way_out)
    if isinstance(value, cdk.Duration):
        return days(row.name, value)
    if isinstance(value, list | tuple):
        return _principal_arns(row.name, value)
    if row.cdk == "kms.IKey":
        _symmetric(row.name, value)
    return plain


def days(parameter: str, duration: cdk.Duration) -> float:
    """A duration in days."""
    if duration.is_unresolved():
        checks.refuse(
            parameter,
            "a token",
            "aws_kms wants a number of days that is known at synth",
            "Write the number, or take it from context or an environment variable.",
        )
    return duration.to_days(integral=False)


def _symmetric(parameter: str, key: kms.IKey) -> None:
    """A key of Pinecone's partition that encrypts and decrypts, as far as is seen."""
    region, resource = environment_of_resource(key).region, resource_of(key)
    checks.in_pinecone_partition(region or "")
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


def administration(parameter: str, admins: Sequence[Any]) -> Statement:
    """A statement that names key administrators."""
    for index, admin in enumerate(admins):
        if isinstance(admin, str) or not hasattr(admin, "policy_fragment"):
            way_out = _PLAIN["list[iam.IPrincipal]"][1]
            checks.refuse(f"{parameter}[{index}]", admin, "it is an iam.IPrincipal", way_out)
    try:
        return dict(iam.PolicyStatement(principals=list(admins)).to_json())
    except RuntimeError as error:
        raise ValueError(
            f"{parameter}: got principals that one statement cannot name: {error} Give roles or "
            "users under the same conditions."
        ) from None


def _principal_arns(parameter: str, admins: Sequence[Any]) -> list[str]:
    """Those of AWS: nobody administers a key by a wildcard."""
    named = administration(parameter, admins).get("Principal", {}) if admins else {}
    names = named.get("AWS", []) if isinstance(named, dict) else named
    names = [names] if isinstance(names, str) else names
    if "*" in names:
        what = "it lets everybody administer the key"
        checks.refuse(parameter, "*", what, "Name the roles or users.")
    return [f"{checks.EXAMPLE}root" if checks.ACCOUNT_ID.fullmatch(one) else one for one in names]
