"""What the constructs ask of CDK: props within the limits of their rows, places, ARNs; and tell."""

from __future__ import annotations

import functools
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar, cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct, IConstruct

from cmek_construct import checks, warnings
from cmek_construct.guide import Statement
from cmek_construct.props import Prop, contradictions
from cmek_construct.warnings import Notice

# Of role and key: kept on deletion and on replacement, but for a first deployment that fails.
RETAIN: Final = cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
Initializer = TypeVar("Initializer", bound=Callable[..., None])
_PLACE: Final = """

Args:
    scope: the construct in which it is made.
    construct_id: its id there. Logical IDs follow from both: a change makes another role or key, which Pinecone does
        not know.

Raises:
    ValueError: a value is outside its limits, or two contradict each other; nothing was built."""


def takes(props: type, rows: Sequence[Prop]) -> Callable[[Initializer], Initializer]:
    """Give an initializer that takes ``**own`` every prop of the rows: within its limits, or its default.

    Its signature and its docstring are made of the rows, for `help` and `inspect`; type checkers and editors read the
    `TypedDict`. It raises a `TypeError` for a prop that there is not, or that is missing, and a `ValueError` for one
    that is outside its limits, or contradicts another.
    """

    def take(init: Initializer) -> Initializer:
        signature = inspect.signature(init)
        *place, last = signature.parameters.values()

        @functools.wraps(init)
        def within_limits(*args: Any, **given: Any) -> None:
            named = {one.name: given.pop(one.name) for one in place if one.name in given}
            lacking = [one.name for one in place[len(args) :] if one.name not in named]
            init(*args, **named, **_settled(init.__qualname__.partition(".")[0], given, rows, lacking))

        taken = list(place)
        for row in rows:
            form = re.sub(r"^Required\[(.*)]$", r"\1", props.__annotations__[row.name].__forward_arg__)
            one = last.replace(name=row.name, kind=last.KEYWORD_ONLY, annotation=form)
            taken.append(one.replace(default=row.left_out) if row.default else one)
        within_limits.__dict__["__signature__"] = signature.replace(parameters=taken)
        said = inspect.cleandoc(init.__doc__ or "")
        arguments, raises, why = (said if "Args:" in said else said + _PLACE).partition("\n\nRaises:")
        fill = textwrap.TextWrapper(96, initial_indent=" " * 4, subsequent_indent=" " * 8).fill
        lines = [fill(f"{row.name}: {row.sentence}") for row in rows]
        within_limits.__doc__ = "\n".join([arguments, *lines]) + raises + why
        return cast(Initializer, within_limits)

    return take


def _settled(who: str, given: Mapping[str, Any], rows: Sequence[Prop], lacking: Sequence[str]) -> dict[str, Any]:
    names = [row.name for row in rows]
    lacking = [*lacking, *(row.name for row in rows if not row.default and row.name not in given)]
    for name in given:
        if name not in names:
            raise TypeError(f"{who}: there is no prop {name!r}. {checks.nearest(name, names, lacking)}")
    own = {}
    for row in rows:
        if row.name not in given and not row.default:
            raise TypeError(f"{who}: {row.name} is missing: {row.sentence}")
        value = given.get(row.name)
        if value is not None or not row.default:
            row.check(row.name, plain(row.name, value, row.cdk) if row.cdk else value)
        own[row.name] = row.left_out if value is None else value
    checks.first(contradictions(own))
    return own


def some_of(props: Mapping[str, Any], rows: Sequence[Prop]) -> dict[str, Any]:
    """The props that another construct takes as well."""
    return {row.name: props[row.name] for row in rows}


_FROM_ARN: Final = "For an ARN, write {}(self, id, arn)."
_KINDS: Final = {  # by what the kinds of CDK are known, and what to write in place of another one
    "cdk.Duration": ("to_days", "Write cdk.Duration.days(…)."),
    "cdk.RemovalPolicy": ("name", "Write RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE, or leave it out."),
    "KeyAccess": ("name", "Write KeyAccess.KEY_USER or KeyAccess.ENCRYPT_DECRYPT."),
    "iam.IManagedPolicy": ("managed_policy_arn", _FROM_ARN.format("iam.ManagedPolicy.from_managed_policy_arn")),
    "iam.IRole": ("role_arn", _FROM_ARN.format("iam.Role.from_role_arn")),
    "kms.IKey": (
        "key_arn",
        "For an ARN, write kms.Key.from_key_arn(self, id, arn); for a kms.CfnKey, kms.Key.from_cfn_key(key).",
    ),
    "list[iam.IPrincipal]": ("__getitem__", "For an ARN, write [iam.ArnPrincipal(arn)]."),
    "sns.ITopic": ("topic_arn", _FROM_ARN.format("sns.Topic.from_topic_arn")),
    "sqs.IQueue": ("queue_arn", _FROM_ARN.format("sqs.Queue.from_queue_arn")),
}


def plain(parameter: str, value: Any, kind: str) -> object:
    """What a row judges, of an object of CDK: its ARN, name, days, or the ARNs of its members."""
    known_by, way_out = _KINDS[kind]
    known = getattr(value, "_pinecone_arn", None) or getattr(value, known_by, None)
    if isinstance(value, str | type | dict) or known is None:
        checks.refuse(parameter, value, f"it is {kind}", way_out)
    if isinstance(value, cdk.Duration):
        if value.is_unresolved():
            what = "aws_kms wants a number of days that is known at synth"
            way_out = "Write the number, or take it from context or an environment variable."
            checks.refuse(parameter, "a token", what, way_out)
        return value.to_days(integral=False)
    if isinstance(value, list | tuple):  # those of AWS: nobody administers a key by a wildcard, and no service does
        named = administration(parameter, value).get("Principal", {}) if value else {}
        kinds = named if isinstance(named, dict) else {"AWS": named}
        for other in [one for one in kinds if one != "AWS"]:
            what = "a role, a user or an account administers a key"
            checks.refuse(parameter, f"a principal of the kind {other}", what, "Name one of these.")
        names = kinds.get("AWS", [])
        names = [names] if isinstance(names, str) else names
        if "*" in names:
            checks.refuse(parameter, "*", "it lets everybody administer the key", "Name the roles or users.")
        return [f"{checks.EXAMPLE}root" if checks.ACCOUNT_ID.fullmatch(one) else one for one in names]
    if kind == "kms.IKey":
        environment_of(value)
        for name, needed in (("key_spec", "SYMMETRIC_DEFAULT"), ("key_usage", "ENCRYPT_DECRYPT")):
            found = getattr(resource_of(value), name, None)
            if found not in (None, needed) and not checks.is_token(found):
                what = f"Pinecone takes a symmetric key that encrypts and decrypts ({needed})"
                way_out = "Give another key, or leave out key= and have the right one made."
                checks.refuse(f"{parameter} ({name})", found, what, way_out)
    return known


def administration(parameter: str, admins: Sequence[Any]) -> Statement:
    """A statement that names key administrators."""
    for index, admin in enumerate(admins):
        if not hasattr(admin, "policy_fragment"):
            checks.refuse(f"{parameter}[{index}]", admin, "it is an iam.IPrincipal", _KINDS["list[iam.IPrincipal]"][1])
    try:
        return dict(iam.PolicyStatement(principals=list(admins)).to_json())
    except RuntimeError as error:
        raise checks.refusal("role and key", "admins", parameter=parameter, error=error) from None


class Environment(NamedTuple):
    """An account and a region: ``None`` where only the deploy knows."""

    account: str | None
    region: str | None


def environment_of(one: Any) -> Environment:
    """The environment of a scope's stack, or of a resource, which may be of another; a `ValueError` outside `aws`."""
    known: Environment | None = getattr(one, "_pinecone_environment", None)  # without a message, of one of ours
    if known is None:
        where = getattr(one, "env", None) or cdk.Stack.of(one)
        known = Environment(*(None if checks.is_token(name) else name for name in (where.account, where.region)))
    checks.in_pinecone_partition(known.region or "")
    return known


def in_two_accounts(one: Any, other: Any) -> bool:
    """Whether two resources are seen to be in different accounts."""
    accounts = [environment_of(resource).account for resource in (one, other)]
    return None not in accounts and accounts[0] != accounts[1]


def arn_of(resource: Any) -> str:
    """The ARN of a role or a key: a construct of ours knows it without a message."""
    return str(getattr(resource, "_pinecone_arn", None) or getattr(resource, "key_arn", None) or resource.role_arn)


def readable_arn(resource: Any, output: str) -> str:
    """The ARN for a person to read: one that only the deploy knows is named by its output."""
    arn = arn_of(resource)
    return f"<output {output}>" if checks.is_token(arn) else arn


def resource_of(one: iam.IRole | kms.IKey) -> Any:
    """The resource of a role or key that an app makes; None for an imported one, or one of `Role.customize_roles`."""
    resource = one.node.default_child or one.node.scope
    return resource if isinstance(resource, iam.CfnRole if isinstance(one, iam.Role) else kms.CfnKey) else None


def warn(construct: IConstruct, notices: Iterable[Notice]) -> None:
    """Put warnings on a construct: `cdk synth` and `cdk deploy` print them."""
    for notice in notices:
        cdk.Validations.of(construct).add_warning(notice.id, notice.message)


def acknowledge(construct: IConstruct, rules: Iterable[tuple[str, str]]) -> None:
    """What a prop asks for in so many words is no oversight: acknowledge each guardrail by its id, with the prop."""
    for rule, prop in rules:  # the same by an override has no acknowledgement, and the guardrails refuse it
        asked = cdk.Acknowledgment(id=f"{warnings.PLUGIN}::{rule}", reason=f"The prop {prop} asks for it")
        cdk.Validations.of(construct).acknowledge(asked)


def dialog_output(scope: Construct, name: str, label: str, value: str, of: IConstruct | None = None) -> None:
    """An output for one field of Pinecone's "Add CMEK" dialog, in the stack of what it names, where that is given."""
    if of is not None and cdk.Stack.of(of) is not cdk.Stack.of(scope):
        name = cdk.Names.unique_id(scope) + name
        scope = cdk.Stack.of(of)
    description = f'For "{label}" in the Pinecone console, Manage > CMEK > Add CMEK'
    cdk.CfnOutput(scope, name, value=value, description=description)
