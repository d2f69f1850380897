"""`cmek customer-kit`: what a vendor sends to a customer, and the check of what comes back."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from cmek_construct import checks
from cmek_construct.aws.session import Asking
from cmek_construct.commands import kit as kits
from cmek_construct.commands.customer_answers import WHO_CAN_SEE, from_files, from_kms
from cmek_construct.commands.errors import refusals
from cmek_construct.commands.looking import from_aws, from_outputs_file
from cmek_construct.commands.marks import in_a_line
from cmek_construct.commands.options import checked
from cmek_construct.deployment import values
from cmek_construct.deployment.reading import read_entries
from cmek_construct.deployment.writing import FILE
from cmek_construct.guide import KeyAccess
from cmek_construct.health.customer_key import ANY_KEY_ARN, CustomerKeySeen, findings
from cmek_construct.health.deployed import ROLE_ARN
from cmek_construct.health.findings import Finding, as_data

cli = typer.Typer(rich_markup_mode=None)


def _customer_account_id(parameter: str, value: object) -> None:
    checks.account_id(parameter, value, "Write the number of the customer's AWS account.")


def _key_or_alias(parameter: str, value: object) -> None:
    checks.arn(parameter, value, ANY_KEY_ARN, "arn:aws:kms:us-east-1:111122223333:key/1234abcd-…")


def _line(value: str) -> str:
    if not value.strip() or not value.isprintable() or len(value) > 100:
        raise typer.BadParameter("it is a line of text, of up to 100 characters")
    return value.strip()


def _s3_url(value: str) -> str:
    if not re.fullmatch(r"https://[a-z0-9.-]+\.amazonaws\.com/\S+", value):
        raise typer.BadParameter("CloudFormation takes a template from https://…amazonaws.com/…")
    return value


@cli.callback(invoke_without_command=True)
def kit(
    context: typer.Context,
    role_arn: Annotated[
        str | None,
        checked(
            checks.role_arn,
            "role_arn",
            metavar="ARN",
            help="The vendor's role, which the customer's key lets in. Or --vendor.",
        ),
    ] = None,
    vendor: Annotated[
        str | None,
        checked(
            values.stack_name,
            "vendor",
            metavar="NAME",
            help="In place of --role-arn: the role of this deployed stack of cmek.yaml.",
        ),
    ] = None,
    outputs: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="With --vendor: this file of `cdk deploy --outputs-file FILE`, not AWS.",
        ),
    ] = None,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --vendor: AWS profile to ask with.")
    ] = None,
    region: Annotated[
        str | None,
        checked(
            values.region,
            "region",
            metavar="REGION",
            help="AWS region of the customer's key, for the page. Default: it says to ask you.",
        ),
    ] = None,
    key_access: Annotated[
        KeyAccess, typer.Option(help="What the customer's key lets the role do.")
    ] = kits.Kit.key_access,
    customer_account_id: Annotated[
        str | None,
        checked(
            _customer_account_id,
            "customer_account_id",
            metavar="DIGITS",
            help="The customer's AWS account, for key-policy.json. Default: a placeholder.",
        ),
    ] = None,
    vendor_name: Annotated[
        str,
        typer.Option(metavar="TEXT", help="Your company's name, for the page.", parser=_line),
    ] = kits.Kit.vendor_name,
    template_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where you have put customer-key.yaml in S3: the page gets a link that opens the "
            "AWS console on it.",
            parser=_s3_url,
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Folder to write. Never overwritten.")
    ] = Path("customer-kit"),
) -> None:
    """Write a folder to send to a customer whose key it is to be.

    A plain CloudFormation template, a key policy, and a page that explains both to somebody who
    knows no CDK.
    """
    if context.invoked_subcommand is not None:
        if role_arn or vendor or customer_account_id:
            raise typer.BadParameter(f"Options stand after {context.invoked_subcommand}.")
        return
    if (role_arn is None) == (vendor is None):
        raise typer.BadParameter("Give one of '--role-arn' and '--vendor'.")
    with refusals("customer-kit", vendor or ""):
        role = role_arn or _role_of(vendor or "", outputs, profile)
        made = kits.Kit(role, key_access, customer_account_id, region, vendor_name, template_url)
        made.check()
        names = kits.write(made, out)
    typer.echo(
        f"Wrote {checks.printable(out)}: {', '.join(names)}, for {role}. Read {kits.PAGE}, see "
        "that the role exists, and send the folder to the customer."
    )


def _role_of(vendor: str, outputs: Path | None, profile: str | None) -> str:
    """The role of a vendor's stack, as it is deployed."""
    [entry] = read_entries(FILE, only=vendor)
    if outputs:
        return from_outputs_file(entry, outputs)[ROLE_ARN]
    return from_aws(entry, Asking("customer-kit", profile))[0][ROLE_ARN]


@cli.command(
    epilog="Exit codes: 0 all is right; 1 something is wrong, cannot be told (?), or could not be "
    "read; 2 wrong usage. What the vendor's role allows is seen with --vendor alone: without it "
    "that one ? does not count.",
)
def check(
    role_arn: Annotated[
        str, checked(checks.role_arn, "role_arn", metavar="ARN", help="The vendor's role.")
    ],
    key_arn: Annotated[
        str | None,
        checked(
            _key_or_alias,
            "key_arn",
            metavar="ARN",
            help="The customer's key, as it was given back. Without files, KMS is asked about it.",
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="AWS profile of the customer, to ask KMS with."),
    ] = None,
    describe_key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The customer's output of `aws kms describe-key`."),
    ] = None,
    key_policy: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The customer's output of `aws kms get-key-policy`."),
    ] = None,
    key_access: Annotated[
        KeyAccess, typer.Option(help="What the role must be able to do.")
    ] = kits.Kit.key_access,
    vendor: Annotated[
        str | None,
        checked(
            values.stack_name,
            "vendor",
            metavar="NAME",
            help="The vendor's stack in cmek.yaml here: whether its role may use the key.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what is right and wrong with a customer's key.

    On the customer's side with --key-arn, or anywhere on the two files that the customer sends
    back, --describe-key and --key-policy. The vendor's own people cannot see the key.
    """
    with refusals("customer-kit check"):
        seen = _seen(key_arn, profile, describe_key, key_policy)
        entry = read_entries(FILE, only=vendor)[0] if vendor else None
    found = findings(seen, role_arn, key_access, given_arn=key_arn, vendor=entry)
    _print(found, seen, role_arn, vendor, as_json)
    if any(finding.fails for finding in found):
        raise typer.Exit(1)


def _seen(
    key_arn: str | None, profile: str | None, describe_key: Path | None, key_policy: Path | None
) -> CustomerKeySeen:
    """The key, from the two files or from KMS."""
    if describe_key and key_policy and profile is None:
        return from_files(describe_key, key_policy)
    if describe_key or key_policy or key_arn is None:
        raise typer.BadParameter(
            "Give --key-arn, perhaps with --profile, to ask KMS; or both --describe-key and "
            "--key-policy, perhaps with the --key-arn that was given back."
        )
    return from_kms(key_arn, profile)


def _print(
    found: list[Finding],
    seen: CustomerKeySeen,
    role_arn: str,
    vendor: str | None,
    as_json: bool,
) -> None:
    right = not any(finding.fails for finding in found)
    if as_json:
        report = {
            "key_arn": seen.arn,
            "role_arn": role_arn,
            "source": seen.source,
            "right": right,
            "findings": as_data(found),
        }
        typer.echo(json.dumps(report, indent=2))
        return
    typer.echo(f"The key {seen.arn}\nfor the role {role_arn}\nas shown by {seen.source}.")
    typer.echo(f"{WHO_CAN_SEE}\n")
    for finding in found:
        typer.echo(in_a_line(finding))
    typer.echo(f"\n{_verdict(vendor) if right else 'Not all is right.'}")


def _verdict(vendor: str | None) -> str:
    if vendor is None:
        return "All that can be seen here is right. The vendor's half is not seen from here."
    return f"All is right, once {vendor} is deployed as cmek.yaml has it."
