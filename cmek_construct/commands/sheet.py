"""`cmek sheet`: what to do in Pinecone's console, and what to paste where, in its order.

The steps are those of sections 3, "Add a key" and "Limitations" of Pinecone's guide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from cmek_construct.aws.session import Asking, AwsError
from cmek_construct.commands import fleet as fleets
from cmek_construct.commands import options
from cmek_construct.commands.looking import outputs_of
from cmek_construct.commands.options import AsJson, OneOrAll, Profile, flag, option
from cmek_construct.commands.printing import in_words, refusals, refuse, tell_json
from cmek_construct.deployment.reading import Entry, read_entries
from cmek_construct.deployment.writing import FILE
from cmek_construct.health.deployed import EXTERNAL_ID, KEY_ARN, ROLE_ARN, with_customer_key
from cmek_construct.health.findings import Refused
from cmek_construct.lock.text import LockError
from cmek_construct.trust import Trust

BEFORE = (
    "Open Settings > Organization settings > Projects, and click +Create project.",
    "Enter a name, and select Encrypt with Customer Managed Encryption Key. Once on, it stays on.",
    "Click Create project, and save the API key that is shown: it is shown only once.",
)
DIALOG = (
    "In that project, open Manage > CMEK, and click Add CMEK.",
    "Compare Pinecone's AWS account number in the dialog with the one below.",
    "Fill in the fields, and compare each with this sheet before you click Create key.",
)
CANNOT_BE_UNDONE = (
    "One key per project. Role ARN, Key ARN and External ID cannot be changed in Pinecone once set.",
    "If role or key is lost, so is the data. Keep the AWS stack, the role and the key.",
)
AFTER = (
    "Create the first index: serverless, in an AWS region whose Pinecone role may assume yours.",
    "Write a record and read it back: that is the proof that Pinecone can use the key.",
)
LIMITS = (
    "Serverless indexes in AWS regions only.",
    "No backups of the indexes of this project.",
    "The key can be deleted in Pinecone only when all indexes of the project are deleted.",
)


@dataclass(frozen=True)
class Sheet:
    """What a person needs in Pinecone's console for one stack."""

    name: str
    account: str
    key_account: str
    region: str
    """Of the key."""
    pinecone_account_id: str
    suspended: bool
    notices: tuple[str, ...]
    fields: dict[str, str | None]
    """An External ID of None means: leave the field blank."""
    before: tuple[str, ...] = BEFORE
    cannot_be_undone: tuple[str, ...] = CANNOT_BE_UNDONE
    dialog: tuple[str, ...] = DIALOG
    after: tuple[str, ...] = AFTER
    limits: tuple[str, ...] = LIMITS


def sheet(
    name: OneOrAll = None,
    outputs: Annotated[
        Path | None, option("FILE", "Values from this file of `cdk deploy --outputs-file FILE`, not from AWS.")
    ] = None,
    key_arn: Annotated[
        str | None, options.key_arn("For a vendor's stack: the Key ARN that the customer sent back.")
    ] = None,
    profile: Profile = None,
    as_json: AsJson = False,
    fleet: Annotated[
        str | None,
        option("STACK_SET", "All accounts of this stack set of a PineconeCmekStackSet, in place of cmek.yaml."),
    ] = None,
    role: Annotated[
        str | None, option("NAME", f"With --fleet: the role to take on in each account. Default: {fleets.ROLE}.")
    ] = None,
    region: Annotated[
        str | None, option("REGION", "With --fleet: the region of the set. Default: the profile's.")
    ] = None,
    call_as: Annotated[
        str | None,
        typer.Option(
            metavar="|".join(fleets.CALL_AS),
            help="With --fleet: DELEGATED_ADMIN from a delegated administrator's account.",
        ),
    ] = None,
    as_csv: Annotated[bool, flag("--csv", "With --fleet: print CSV.")] = False,
) -> None:
    """Show what to paste where in Pinecone's console.

    Field by field in the order of its dialog, with what to do before and after. With --fleet: a line for every account
    of a stack set.
    """
    asking = Asking("sheet", profile)
    if as_csv and as_json:
        raise typer.BadParameter("choose --csv or --json", param_hint="--csv")
    if fleet is not None:
        _refuse("it is not for --fleet", {"NAME": name, "--outputs": outputs, "--key-arn": key_arn})
        with refusals("sheet", idle="--outputs"):
            rows = fleets.rows(fleet, asking, role or fleets.ROLE, region, call_as)
            problems = fleets.show(rows, as_csv=as_csv, as_json=as_json)
        if problems:
            refuse(*problems)
        return
    of_fleet = {"--role": role, "--region": region, "--call-as": call_as, "--csv": as_csv}
    _refuse("it is for --fleet alone", of_fleet)
    with refusals("sheet"):
        entries = read_entries(FILE, only=name)
    found, refused = [], []
    for entry in entries:
        if name is None and key_arn is None and len(entries) > 1 and entry.settings.customers:
            typer.echo(
                f"{entry.name}: a vendor's, with a sheet for each key of its customers: cmek sheet "
                f"{entry.name} --key-arn ARN",
                err=True,
            )
            continue
        try:
            found.append(_of(entry, outputs, asking, key_arn))
        except (Refused, LockError) as error:
            refused.append(str(error))
        except AwsError as error:
            refused.append(in_words(error, "sheet", entry.name))
    if as_json:
        tell_json([asdict(one) for one in found])
    else:
        for one in found:
            typer.echo("\n".join(_lines(one)))
    if refused:
        refuse(*refused)


def _refuse(why: str, given: Mapping[str, object]) -> None:
    for name, value in given.items():
        if value:
            raise typer.BadParameter(why, param_hint=name)


def _of(entry: Entry, file: Path | None, asking: Asking, key_arn: str | None) -> Sheet:
    """The sheet of a stack."""
    given, deployed = outputs_of(entry, file, asking)
    outputs = with_customer_key(entry, given, key_arn, deployed)
    own = entry.settings
    region, account = outputs[KEY_ARN].split(":")[3:5]
    own_key = own.customers is None
    trust = Trust(own.pinecone_account_id or "", own.allowed_regions, own.external_id)
    notices = [notice.message for notice in trust.key_notices(region)] if not own_key else []
    if not own_key and deployed is None:
        notices.append(f"Deploy {entry.name} first: the outputs file does not tell its customers.")
    return Sheet(
        name=entry.name,
        account=own.account,
        key_account=account,
        region=region,
        pinecone_account_id=own.pinecone_account_id or "",
        suspended=bool(own.suspended),
        notices=tuple(notices),
        fields={
            "Key name": entry.name if own_key else f"{entry.name}-{account}",
            "Role ARN": outputs[ROLE_ARN],
            "Key ARN": outputs[KEY_ARN],
            "External ID": outputs.get(EXTERNAL_ID),
        },
    )


def _lines(sheet: Sheet) -> Iterator[str]:
    """The sheet for a person. Lines are never broken, so that they can be copied."""
    title = f"Pinecone CMEK for {sheet.name}: AWS account {sheet.account}, {sheet.region}"
    if sheet.key_account != sheet.account:
        title = (
            f"Pinecone CMEK for {sheet.name}: role in AWS account {sheet.account}, key in account "
            f"{sheet.key_account}, {sheet.region}"
        )
    yield typer.style(title, bold=True, underline=True)
    if sheet.suspended:
        yield "SUSPENDED: Pinecone may not use this key until suspended: false is deployed."
    yield from (f"CHECK: {notice}" for notice in sheet.notices)
    yield from _steps(
        "1. Create the CMEK-enabled project, unless you did for the account number in its dialog", sheet.before
    )
    yield from _steps("This cannot be undone", sheet.cannot_be_undone)
    yield from _steps("2. Add the key", sheet.dialog)
    for label, value in {"Pinecone's AWS account": sheet.pinecone_account_id, **sheet.fields}.items():
        shown = "(leave blank)" if value is None else value
        yield f"    {typer.style(f'{label:<24}', bold=True)}{shown}"
    yield from _steps("3. The first index", sheet.after)
    yield from _steps("Limits", sheet.limits)


def _steps(heading: str, steps: tuple[str, ...]) -> Iterator[str]:
    yield ""
    yield typer.style(heading, bold=True)
    yield from (f"  - {step}" for step in steps)
