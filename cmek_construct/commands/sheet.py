"""`cmek sheet`: what to do in Pinecone's console, and what to paste where, in its order; or for a whole stack set.

The steps are those of sections 3, "Add a key" and "Limitations" of Pinecone's guide.
"""

import csv
import re
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import typer

from cmek_construct import checks
from cmek_construct.aws.objects import Instance
from cmek_construct.aws.reading import read_stack, read_stack_set
from cmek_construct.aws.session import Asking, AwsError, Session
from cmek_construct.commands.looking import entries_here, outputs_of, side_by_side
from cmek_construct.commands.options import AS_JSON, ONE_OR_ALL, PROFILE, a_key, flag, option
from cmek_construct.commands.printing import in_words, refuse, refused, shown, text, texts, told
from cmek_construct.customers import Customers
from cmek_construct.deployment.reading import Entry
from cmek_construct.guide import key_denial
from cmek_construct.health.deployed import EXTERNAL_ID, KEY_ARN, ROLE_ARN, wrong_outputs
from cmek_construct.health.findings import Refused, known
from cmek_construct.lock.text import LockError

_ROLE: Final = "OrganizationAccountAccessRole"
_HEADINGS: Final = ("Account", "Region", "Role ARN", "Key ARN", "External ID", "Status")  # of a stack set's accounts
_KEY_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")
_COLUMNS: Final = [one.lower().replace(" ", "_") for one in _HEADINGS]  # in JSON and CSV


@told(idle="--outputs".format)
def sheet(
    name: str | None = ONE_OR_ALL,
    outputs: Path | None = option("FILE"),
    key_arn: str | None = a_key(),
    asking: Asking = PROFILE,
    as_json: bool = AS_JSON,
    fleet: str | None = option("STACK_SET"),
    role: str | None = option("NAME"),
    region: str | None = option("REGION"),
    call_as: Literal["SELF", "DELEGATED_ADMIN"] | None = typer.Option(None),
    as_csv: bool = flag("--csv"),
) -> None:
    """Show what to paste where in Pinecone's console.

    Field by field in the order of its dialog, with what to do before and after. With --fleet: a line for every account
    of a stack set.
    """
    if fleet is None and (role or region or call_as or as_csv):
        raise typer.BadParameter("they are for --fleet alone", param_hint="--role, --region, --call-as, --csv")
    if fleet is not None and (name or outputs or key_arn):
        raise typer.BadParameter("it takes no NAME, --outputs or --key-arn", param_hint="--fleet")
    if as_csv and as_json:
        raise typer.BadParameter("choose --csv or --json")
    found, problems = list[dict[str, Any]](), list[str]()
    if fleet is not None:
        found = _rows(fleet, asking, role or _ROLE, region, call_as)
        problems = [f"{row['account']}: {row['problem']}." for row in found if row["problem"]]
    entries = entries_here(name) if fleet is None else []
    for entry in entries:
        if entry.customers and name is None and key_arn is None and len(entries) > 1:
            typer.echo(text("sheet.j2", "is_a_vendors", name=entry.name), err=True)
            continue
        try:
            found.append(_sheet_of(entry, outputs, asking, key_arn))
        except (Refused, LockError, AwsError) as error:
            problems.append(in_words(error, asking, entry.name))
    bold = partial(typer.style, bold=True)
    lines = (text("sheet.j2", "sheet", one=one, bold=bold) for one in found) if fleet is None else _table(found, as_csv)
    for line in shown(as_json, lambda: found, lines):
        typer.echo(line)  # where nobody reads it, it ends
    if problems:
        refuse(*problems)


def _sheet_of(entry: Entry, file: Path | None, asking: Asking, key_arn: str | None) -> dict[str, Any]:
    """What a person needs in Pinecone's console for one stack; an External ID of None leaves the field blank."""
    key_name, notices = entry.name, list[str]()
    outputs, deployed = outputs_of(entry, file, asking)
    key_arn = _key_of(entry, outputs, key_arn, deployed)
    region, account = key_arn.split(":")[3:5]
    if entry.customers is not None:
        key_name = f"{entry.name}-{account}"
        notices = [notice.message for notice in entry.trust.key_notices(region)]
        if deployed is None:
            notices.append(f"Deploy {entry.name} first: the outputs file does not tell its customers.")
    fields = {"Role ARN": outputs[ROLE_ARN], "Key ARN": key_arn, "External ID": outputs.get(EXTERNAL_ID)}
    return {
        "name": entry.name,
        "account": entry.account,
        "key_account": account,
        "region": region,  # of the key
        "pinecone_account_id": entry.pinecone_account_id or "",
        "suspended": bool(entry.suspended),
        "notices": notices,
        "fields": {"Key name": key_name, **fields},
        **{section: steps for section, (_, *steps) in texts("sheet.j2").steps.items()},
    }


def _key_of(entry: Entry, outputs: Mapping[str, Any], given: str | None, deployed: Customers | None) -> str:
    """The key of a stack; of a vendor's, the one that a customer sent back, if the role may use it."""
    name, customers = entry.name, entry.customers
    if customers is None and given is None:
        return str(outputs[KEY_ARN])
    if customers is None:
        raise refused("sheet.j2", "no_customers", name=name)
    if given is None:
        raise refused("sheet.j2", "no_key", name=name)
    if not _KEY_ID.fullmatch(given.rpartition("/")[2]):
        raise refused("sheet.j2", "no_key_id", name=name, given=given)
    if not customers.cover(given):
        raise refused("sheet.j2", "no_customers_key", name=name, given=given)
    if deployed is not None and not deployed.cover(given):
        raise refused("sheet.j2", "not_deployed", name=name, given=given)
    return given


def _rows(name: str, asking: Asking, role: str, region: str | None, call_as: str | None) -> list[dict[str, Any]]:
    """What to paste for every account of a stack set, by the columns; where there is a problem, nothing."""
    session = asking.own(region)
    try:
        template, instances = read_stack_set(session, name, call_as)
    except AwsError as error:
        if not error.code:
            raise
        raise refused("sheet.j2", "no_stack_set", name=name, why=error) from None
    if not instances:
        raise refused("sheet.j2", "no_stacks", name=name)
    more = ", suspended" if key_denial("")["Sid"] in template else ""

    def row(instance: Instance) -> dict[str, Any]:
        shown: dict[str, Any] = dict.fromkeys([*_COLUMNS, "problem"])
        shown |= {"account": instance.account, "region": instance.region, "status": instance.status + more}
        try:
            given = _outputs(instance, asking, session, role)
        except (Refused, AwsError) as error:
            return shown | {"problem": checks.printable(error)}
        return shown | {"role_arn": given[ROLE_ARN], "key_arn": given[KEY_ARN], "external_id": given.get(EXTERNAL_ID)}

    return sorted(side_by_side(row, instances), key=lambda one: (one["account"], one["region"]))


def _outputs(instance: Instance, asking: Asking, session: Session, role: str) -> Mapping[str, str]:
    """What one stack of the set gives out, if it is as the set has it: what Pinecone stores stays for good."""
    if instance.stack_id is None:
        raise Refused(f"there is no stack in this account: {instance.reason or 'look at the operations of the set'}")
    if instance.status != "CURRENT":
        raise Refused("the stack is not as the set has it: look at the operations of the set, and repeat the last one")
    role_arn = f"arn:aws:iam::{instance.account}:role/{role}"
    if instance.account == session.account:
        inside = asking.own(instance.region)
    else:
        try:
            inside = asking.acting_as(session, role_arn, region=instance.region)
        except AwsError as error:
            raise refused("sheet.j2", "no_way_in", own=session.account, role=role_arn, code=error.code) from None
    stack = known(read_stack(inside, instance.stack_id), "the stack", "there is no such stack in this account")
    if not stack.is_whole:
        raise Refused(f"the stack is in {stack.status}: mend it first")
    for wrong in wrong_outputs(stack.outputs, "the set", instance.account, instance.region).values():
        raise Refused(wrong)
    its_id = stack.outputs.get(EXTERNAL_ID)
    if its_id is not None and not checks.EXTERNAL_ID.fullmatch(its_id):
        raise Refused(f"the output {EXTERNAL_ID} is {its_id!a}, which is no external ID")
    return stack.outputs


def _table(rows: list[dict[str, Any]], as_csv: bool) -> Iterator[str]:
    """The rows under their columns; in the status stands what is wrong."""
    lines = [list(_COLUMNS if as_csv else _HEADINGS)]
    for row in rows:
        status = ": ".join(filter(None, (row["status"], row["problem"])))
        no_id = "" if row["problem"] or as_csv else "(leave blank)"
        cells = row | {"external_id": row["external_id"] or no_id, "status": status}
        lines.append([cells[column] or "" for column in _COLUMNS])
    if as_csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows(lines)
        return
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    yield from (" ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
