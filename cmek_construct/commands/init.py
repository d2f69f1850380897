"""`cmek init`, `cmek add` and `cmek template`: what is written to begin with.

A new cmek.yaml, one more stack in the one that is there, and a template for people without either. External IDs are
minted here and nowhere else, once, into the file.
"""

import json
import re
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import typer

from cmek_construct import props
from cmek_construct.commands.options import a_region, a_stack, checked, customers, flag, listed
from cmek_construct.commands.printing import refusals, text, told
from cmek_construct.deployment import config
from cmek_construct.deployment.reading import is_of_another_app, parse_entries, read_entries, text_of
from cmek_construct.deployment.writing import FILE, make_folder, new_text, refuse_if_there, with_entry, write_whole
from cmek_construct.guide import ALL_REGIONS, PINECONE_REGIONS

_digits: Final = partial(re.sub, r"[\s-]", "")  # of an account number, as the console shows it with dashes


def _commas(value: str) -> str:
    """A list that was written with commas, spaces, or both, or as Python and cmek.yaml write it."""
    return ",".join(filter(None, re.split(r"[\s,\[\]\"']+", value)))


def _check_regions(parameter: str, value: str) -> None:
    props.REGIONS.check(parameter, ALL_REGIONS if value == "ALL_REGIONS" else [one for one in listed(value) if one])


def _not_pinecones(context: typer.Context, value: str) -> str:
    """One's own account is none of Pinecone's: said at once, not at the first deploy."""
    if value and value == context.params.get("pinecone_account_id"):
        raise typer.BadParameter(f"{value} is the number that you gave as Pinecone's")
    return value


def _before_asking(external_id: bool) -> bool:
    """Refuse before five questions, not after."""
    with refusals():
        refuse_if_there()
    return external_id


_pinecone_account: Final = partial(
    checked,
    props.PINECONE_ACCOUNT_ID.check,
    "DIGITS",
    "pinecone_account_id",
    "Pinecone's AWS account number, 12 digits, from the Pinecone console: Manage > CMEK > Add CMEK.",
    written=_digits,
)
_regions: Final = partial(
    checked,
    _check_regions,
    "REGION,…",
    "regions",
    "Regions whose Pinecone role may assume the role, separated by commas or spaces "
    f"({', '.join(PINECONE_REGIONS)}), or ALL_REGIONS.",
    _commas,
)
_external_id: Final = partial(
    flag, "--external-id/--no-external-id", "Mint an external ID (a UUID v4) into the file, once; or have none.", True
)
_FIRST: Final = "Name of the first stack, such as your Pinecone project's"
_CUSTOMERS: Final = customers(
    "A vendor's stack: AWS accounts of customers, separated by commas, whose keys the role may use. The stack makes "
    "the role alone.",
    lambda value: _commas(re.sub(r"(?<=\d)-(?=\d)", "", value)),
)
_ACCOUNT: Final = checked(
    config.own_account_id,
    "DIGITS",
    "account",
    "Your AWS account to deploy to, 12 digits.",
    _digits,
    default=...,
    callback=_not_pinecones,
    prompt="Your AWS account to deploy to",
)


@told()
def init(
    pinecone_account_id: str = _pinecone_account(
        prompt="Pinecone's AWS account number (Pinecone console, Manage > CMEK > Add CMEK)", default=...
    ),
    regions: str = _regions(
        prompt=f"Regions Pinecone may come from: some of {','.join(PINECONE_REGIONS)}, or ALL_REGIONS", default=...
    ),
    region: str = a_region("AWS region of the key.", prompt="AWS region of the key", default=...),
    name: str = a_stack("name", f"{_FIRST}. For good.", prompt=_FIRST, default=...),
    account: str = _ACCOUNT,
    customer_account_ids: str | None = _CUSTOMERS,
    external_id: bool = _external_id(callback=_before_asking, is_eager=True),
) -> Iterator[str]:
    """Write a new cmek.yaml, and what an app of it needs.

    Asks for what no option says. In an empty folder it also writes app.py, cdk.json, requirements.txt, package.json and
    .gitignore, and the wheel that it was installed from. Never overwrites a file.
    """
    new = new_text(name, _props(account, region, regions, pinecone_account_id, external_id, customer_account_ids))
    parse_entries(new, FILE)
    # Before cmek.yaml, which is never written twice: a run that ends between begins anew.
    made = make_folder()
    refuse_if_there()
    write_whole(new)
    yield text("init.j2", "made", **made)
    yield _to_do(name, f"Read {FILE} and commit what was written.")


@told()
def add(
    name: str = typer.Argument(..., help="Name of the new stack. For good."),
    account: str = _ACCOUNT,
    region: str | None = a_region("AWS region of the key."),
    regions: str | None = _regions(),
    pinecone_account_id: str | None = _pinecone_account(),
    customer_account_ids: str | None = _CUSTOMERS,
    external_id: bool = _external_id(),
) -> Iterator[str]:
    """Add a stack to cmek.yaml.

    What no option says holds as at the top of the file. Every other line stays as it is.
    """
    answered = _props(account, region, regions, pinecone_account_id, external_id, customer_account_ids)
    write_whole(with_entry(text_of(FILE), name, answered))
    yield _to_do(name, f"Added {name} to {FILE}. Read it and commit it.")


def _props(
    account: str, region: str | None, regions: str | None, pinecone: str | None, minted: bool, customers: str | None
) -> dict[str, Any]:
    """What was answered, as the file says it."""
    answered = {
        "account": account,
        "region": region,
        "regions": regions if regions == "ALL_REGIONS" else regions and listed(regions),
        "pinecone_account_id": pinecone,
        "external_id": str(uuid.uuid4()) if minted else None,
        "customer_account_ids": customers and listed(customers),
    }
    return {prop: value for prop, value in answered.items() if value}


def _to_do(name: str, done: str) -> str:
    """What may be right about a stack, and is to be looked at; then README's steps, but beside an app of one's own."""
    [entry] = read_entries(FILE, only=name)
    own = entry.settings
    of_key = own.trust.key_notices(own.region) if own.customers is None else ()
    notices, beside = [*own.trust.notices(own.account), *of_key], is_of_another_app(Path())
    return text("init.j2", "to_do", name=name, done=done, notices=notices, is_of_another_app=beside)


@told(
    epilog="Parameters: PineconeAccountId and PineconeExternalId; InAllRegions, or InUsEast1, InUsWest2, … for each of "
    "the guide's regions, `yes` or `no`. It deploys as it is: by the console, by `aws cloudformation deploy "
    "--capabilities CAPABILITY_IAM`, by StackSets or Service Catalog.",
)
def template() -> None:
    """Print one plain CloudFormation template of role, key, alias and outputs."""
    # Starts Node: `cmek check` and `cmek doctor` do not wait for it.
    from cmek_construct.deployment.without_cdk import plain_template

    typer.echo(json.dumps(plain_template(), indent=2, ensure_ascii=False))
