"""The sheet: what to do in Pinecone's console, and what to paste where, in its order.

The steps are those of sections 3, "Add a key" and "Limitations" of Pinecone's guide.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from cmek_construct.deployment.reading import Entry
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
    "One key per project. Role ARN, Key ARN and External ID cannot be changed in Pinecone once "
    "set.",
    "If role or key is lost, so is the data. Keep the AWS stack, the role and the key.",
)
AFTER = (
    "Create the first index: serverless, in an AWS region whose Pinecone role may come in.",
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
    before: tuple[str, ...] = BEFORE
    cannot_be_undone: tuple[str, ...] = CANNOT_BE_UNDONE
    dialog: tuple[str, ...] = DIALOG
    after: tuple[str, ...] = AFTER
    limits: tuple[str, ...] = LIMITS


def sheet(entry: Entry, outputs: dict[str, str], *, compared: bool = True) -> Sheet:
    """The sheet of a stack.

    Args:
        entry: of the stack.
        outputs: of the stack.
        compared: whether a vendor's customers were seen in the deployed stack.
    """
    own = entry.settings
    region, account = outputs["KeyArn"].split(":")[3:5]
    own_key = own.customers is None
    trust = Trust(own.pinecone_account_id or "", own.allowed_regions, own.external_id)
    notices = [notice.message for notice in trust.key_notices(region)] if not own_key else []
    if not own_key and not compared:
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
            "Role ARN": outputs["RoleArn"],
            "Key ARN": outputs["KeyArn"],
            "External ID": outputs.get("ExternalId"),
        },
    )


def as_data(sheet: Sheet) -> dict[str, Any]:
    """The sheet for a machine; an External ID of null means: leave the field blank."""
    return asdict(sheet)


def show(sheet: Sheet, console: Console) -> None:
    """The sheet for a person. Lines are never broken, so that they can be copied."""
    title = f"Pinecone CMEK for {sheet.name}: AWS account {sheet.account}, {sheet.region}"
    if sheet.key_account != sheet.account:
        title = (
            f"Pinecone CMEK for {sheet.name}: role in AWS account {sheet.account}, key in account "
            f"{sheet.key_account}, {sheet.region}"
        )
    console.print(Text(title, style="bold underline"), soft_wrap=True)
    if sheet.suspended:
        console.print(
            "SUSPENDED: Pinecone may not use this key until suspended: false is deployed."
        )
    for notice in sheet.notices:
        console.print(f"CHECK: {notice}", soft_wrap=True)
    _steps(console, "1. Create the CMEK-enabled project", sheet.before)
    _steps(console, "This cannot be undone", sheet.cannot_be_undone)
    _steps(console, "2. Add the key", sheet.dialog)
    _line(console, "Pinecone's AWS account", sheet.pinecone_account_id)
    for label, value in sheet.fields.items():
        _line(console, label, "(leave blank)" if value is None else value)
    _steps(console, "3. The first index", sheet.after)
    _steps(console, "Limits", sheet.limits)


def _steps(console: Console, heading: str, steps: tuple[str, ...]) -> None:
    console.print()
    console.print(Text(heading, style="bold"))
    for step in steps:
        console.print(f"  - {step}", soft_wrap=True)


def _line(console: Console, label: str, value: str) -> None:
    console.print(Text.assemble("    ", (f"{label:<24}", "bold"), value), soft_wrap=True)
