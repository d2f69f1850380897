"""`cmek sheet --fleet`: what to paste for every account of a stack set."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, Final

import typer

from cmek_construct import checks
from cmek_construct.aws.objects import Stack, Unread
from cmek_construct.aws.reading import read_stack
from cmek_construct.aws.session import Asking, AwsError, Session
from cmek_construct.aws.stack_sets import Instance, StackSet, StackSets
from cmek_construct.checks import CALL_AS
from cmek_construct.commands.looking import side_by_side
from cmek_construct.commands.printing import tell_json
from cmek_construct.guide import key_denial
from cmek_construct.health.deployed import EXTERNAL_ID, KEY_ARN, wrong_output
from cmek_construct.health.findings import Refused

ROLE: Final = "OrganizationAccountAccessRole"
_SUSPENDED: Final = key_denial("")["Sid"]
_COLUMNS: Final = {
    "account": "Account",
    "region": "Region",
    "role_arn": "Role ARN",
    "key_arn": "Key ARN",
    "external_id": "External ID",
    "status": "Status",
}


@dataclass(frozen=True)
class Row:
    """What to paste for one account; with a problem, nothing to paste."""

    account: str
    region: str
    role_arn: str | None = None
    key_arn: str | None = None
    external_id: str | None = None
    status: str = ""
    problem: str | None = None


@dataclass(frozen=True)
class _Template:
    """What the template of the set says of every account."""

    role: str
    external_id: str | None
    parameter: str | None
    suspended: bool

    @classmethod
    def of(cls, stack_set: StackSet) -> _Template:
        """Read it.

        Raises:
            Refused: it is not the template of a `PineconeCmekStackSet`.
        """
        try:
            body = json.loads(stack_set.template)
            (role,) = _of_type(body, "AWS::IAM::Role")
            (key,) = _of_type(body, "AWS::KMS::Key")
            external_id = body["Outputs"].get(EXTERNAL_ID, {}).get("Value")
            parameter = external_id["Ref"] if isinstance(external_id, dict) else None
            return cls(
                role=f"role{role.get('Path', '/')}{role['RoleName']}",
                external_id=None if parameter else external_id,
                parameter=parameter,
                suspended=any(statement.get("Sid") == _SUSPENDED for statement in key["KeyPolicy"]["Statement"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise Refused(
                f"{stack_set.name}: the template of this stack set is not that of a PineconeCmekStackSet. Check the "
                "name and the region: `cmek sheet --fleet` reads no other."
            ) from None


def _of_type(body: Mapping[str, Any], resource_type: str) -> Iterator[dict[str, Any]]:
    for resource in body["Resources"].values():
        if resource["Type"] == resource_type:
            yield resource["Properties"]


def rows(stack_set: str, asking: Asking, role: str, region: str | None, call_as: str | None) -> list[Row]:
    """A row for every account of the set, also for one that cannot be read.

    Args:
        stack_set: its name.
        asking: with which credentials.
        role: the name of the one to take on in each account.
        region: of the set. Default: the profile's.
        call_as: ``DELEGATED_ADMIN`` from a delegated administrator's account.

    Raises:
        AwsError: AWS could not be asked about the set.
        Refused: the set is not ours, or has no stacks.
    """
    if call_as not in (None, *CALL_AS):
        raise typer.BadParameter(f"it is {' or '.join(CALL_AS)}", param_hint="--call-as")
    session = asking.own(region)
    sets = StackSets(session, call_as)
    try:
        found = sets.read(stack_set)
    except AwsError as error:
        if not error.code:
            raise
        raise Refused(
            f"{stack_set}: {error}. Check the name and --region: the set is in the account and region of the stack "
            "that made it. A delegated administrator gives --call-as DELEGATED_ADMIN."
        ) from None
    template = _Template.of(found)
    if not found.instances:
        raise Refused(
            f"{stack_set}: the stack set has no stacks. Look at its operations in the "
            "CloudFormation console, StackSets."
        )
    inside = partial(_inside, asking, session, role)
    row = partial(_row, inside, sets, found, template)
    return sorted(side_by_side(row, found.instances), key=lambda row: (row.account, row.region))


def _row(
    inside: Callable[[Instance], Session], sets: StackSets, stack_set: StackSet, template: _Template, instance: Instance
) -> Row:
    """What one stack gives out, or why nothing can be pasted for it."""
    status = f"{instance.status}, suspended" if template.suspended else instance.status
    row = Row(instance.account, instance.region, status=status)
    try:
        if instance.stack_id is None:
            reason = instance.reason or "look at the set's operations"
            raise Refused(f"there is no stack in this account: {reason}")
        external_id = _external_id(sets, stack_set, template, instance)
        stack = read_stack(inside(instance), instance.stack_id)
        if stack is None or isinstance(stack, Unread):
            raise Refused(stack.why if stack else "there is no such stack in this account")
        if not stack.is_whole:
            raise Refused(f"the stack is in {stack.status}: mend it first")
        return _with_outputs(row, template, stack, external_id)
    except (Refused, AwsError) as error:
        return replace(row, problem=checks.printable(error))


def _inside(asking: Asking, session: Session, role: str, instance: Instance) -> Session:
    """A session in one account, through the role there if it is another one."""
    if instance.account == session.account:
        return asking.own(instance.region)
    arn = f"arn:aws:iam::{instance.account}:role/{role}"
    try:
        return asking.acting_as(session, arn, region=instance.region)
    except AwsError as error:
        raise Refused(
            f"credentials of account {session.account} may not assume {arn} ({error.code}): choose --role or --profile"
        ) from None


def _external_id(sets: StackSets, stack_set: StackSet, template: _Template, instance: Instance) -> str | None:
    """What the set says: in its template, or in the override of the account."""
    if template.parameter is None:
        return template.external_id
    values = {**stack_set.parameters, **sets.overrides(stack_set.name, instance)}
    external_id = values.get(template.parameter)
    if not external_id:
        raise Refused(
            "the set has no external ID for this account: add both to the mapping in "
            "StackSetTargets.accounts and deploy"
        )
    return external_id


def _with_outputs(row: Row, template: _Template, stack: Stack, external_id: str | None) -> Row:
    role_arn, found = f"arn:aws:iam::{row.account}:{template.role}", stack.outputs.get(EXTERNAL_ID)
    place = f"arn:aws:kms:{row.region}:{row.account}:key/"
    wrong = wrong_output(stack.outputs, "the set", role_arn, place)
    if wrong:
        raise Refused(wrong)
    if found != external_id:
        raise Refused(
            f"the external ID is {external_id!a} in the set, but {found!a} in the deployed stack: "
            "deploy first, or, if Pinecone has the key already, put the deployed one back"
        )
    return replace(row, role_arn=role_arn, key_arn=stack.outputs[KEY_ARN], external_id=found)


def show(rows: Sequence[Row], *, as_csv: bool, as_json: bool) -> list[str]:
    """Print what to paste for every account.

    Returns:
        What is wrong, account by account.
    """
    if as_json:
        tell_json([asdict(row) for row in rows])
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([list(_COLUMNS), *(_cells(row, "") for row in rows)])
    else:
        lines = [list(_COLUMNS.values()), *(_cells(row, "(leave blank)") for row in rows)]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            typer.echo(" ".join(cells).rstrip())
    return [f"{row.account}: {row.problem}." for row in rows if row.problem]


def _cells(row: Row, blank: str) -> list[str]:
    """The values of a row, in the order of the columns.

    Args:
        row: of one account.
        blank: what stands for an external ID that there is none of.
    """
    cells = {column: getattr(row, column) or "" for column in _COLUMNS}
    if row.problem:
        cells["status"] = ": ".join(filter(None, (row.status, row.problem)))
    elif row.external_id is None:
        cells["external_id"] = blank
    return list(cells.values())
