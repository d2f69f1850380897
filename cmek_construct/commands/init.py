"""`cmek init`, `cmek add` and `cmek template`: what is written to begin with.

A new cmek.yaml, one more stack in the one that is there, and a template for people without either. External IDs are
minted here and nowhere else, once, into the file.
"""

import json
import re
import uuid
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import typer

from cmek_construct import props
from cmek_construct.commands.options import CUSTOMER_ACCOUNTS, a_region, a_stack, checked, flag, parts
from cmek_construct.commands.printing import refusals, text, told
from cmek_construct.deployment import config
from cmek_construct.deployment.reading import Entry, is_of_another_app, text_of
from cmek_construct.deployment.writing import FILE, make_folder, refuse_if_there, with_entry, write_whole
from cmek_construct.guide import PINECONE_REGIONS

_digits: Final = partial(re.sub, r"[\s-]", "")  # of an account number, as the console shows it with dashes


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


_pinecone_account: Final = partial(checked, props.PINECONE_ACCOUNT_ID.check, "DIGITS", "pinecone_account_id", _digits)
_regions: Final = partial(
    checked, props.REGIONS.check, "REGION,…", "regions", lambda text: text if text == "ALL_REGIONS" else parts(text)
)
_EXTERNAL_ID: Final = "--external-id/--no-external-id"
_ASKED: Final = {"prompt": "Your AWS account to deploy to", "default": ...}
_ACCOUNT: Final = checked(config.own_account_id, "DIGITS", "account", _digits, callback=_not_pinecones, **_ASKED)


@told()
def init(
    pinecone_account_id: str = _pinecone_account(
        prompt="Pinecone's AWS account number (Pinecone console, Manage > CMEK > Add CMEK)", default=...
    ),
    regions: Sequence[str] = _regions(
        prompt=f"Regions Pinecone may come from: some of {','.join(PINECONE_REGIONS)}, or ALL_REGIONS", default=...
    ),
    region: str = a_region(prompt="AWS region of the key", default=...),
    name: str = a_stack("name", prompt="Name of the first stack, such as your Pinecone project's", default=...),
    account: str = _ACCOUNT,
    customer_account_ids: Sequence[str] | None = CUSTOMER_ACCOUNTS,
    external_id: bool = flag(_EXTERNAL_ID, True, callback=_before_asking, is_eager=True),
) -> Iterator[str]:
    """Write a new cmek.yaml, and what an app of it needs.

    Asks for what no option says. In an empty folder it also writes app.py, cdk.json, requirements.txt, package.json and
    .gitignore, and the wheel that it was installed from. Never overwrites a file.
    """
    answered = _props(account, region, regions, pinecone_account_id, external_id, customer_account_ids)
    new, entry = with_entry(None, name, answered)
    # Before cmek.yaml, which is never written twice: a run that ends between begins anew.
    made = make_folder()
    refuse_if_there()
    write_whole(new)
    yield text("init.j2", "made", **made)
    yield _to_do(entry, f"Read {FILE} and commit what was written.")


@told()
def add(
    name: str = typer.Argument(...),
    account: str = _ACCOUNT,
    region: str | None = a_region(),
    regions: Sequence[str] | None = _regions(),
    pinecone_account_id: str | None = _pinecone_account(),
    customer_account_ids: Sequence[str] | None = CUSTOMER_ACCOUNTS,
    external_id: bool = flag(_EXTERNAL_ID, True),
) -> Iterator[str]:
    """Add a stack to cmek.yaml.

    What no option says holds as at the top of the file. Every other line stays as it is.
    """
    answered = _props(account, region, regions, pinecone_account_id, external_id, customer_account_ids)
    changed, entry = with_entry(text_of(FILE), name, answered)
    write_whole(changed)
    yield _to_do(entry, f"Added {name} to {FILE}. Read it and commit it.")


def _props(
    account: str, region: str | None, regions: object, pinecone: str | None, minted: bool, customers: object
) -> dict[str, Any]:
    """What was answered, as the file says it."""
    answered = {
        "account": account,
        "region": region,
        "regions": regions,
        "pinecone_account_id": pinecone,
        "external_id": str(uuid.uuid4()) if minted else None,
        "customer_account_ids": customers,
    }
    return {prop: value for prop, value in answered.items() if value}


def _to_do(entry: Entry, done: str) -> str:
    """What may be right about a stack, and is to be looked at; then README's steps, but beside an app of one's own."""
    of_key = entry.trust.key_notices(entry.region) if entry.customers is None else ()
    notices, beside = [*entry.trust.notices(entry.account), *of_key], is_of_another_app(Path())
    return text("init.j2", "to_do", name=entry.name, done=done, notices=notices, is_of_another_app=beside)


@told()
def template() -> None:
    """Print one plain CloudFormation template of role, key, alias and outputs."""
    # Starts Node: `cmek check` and `cmek doctor` do not wait for it.
    from cmek_construct.deployment.without_cdk import plain_template

    typer.echo(json.dumps(plain_template(), indent=2, ensure_ascii=False))
