"""`cmek customer-kit`: what a vendor sends to a customer, and the check of what comes back."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import typer

from cmek_construct import checks
from cmek_construct.aws.reading import read_policy
from cmek_construct.aws.session import Asking, AwsError, called
from cmek_construct.checks import printable
from cmek_construct.commands.looking import entries_here, json_in
from cmek_construct.commands.options import AS_JSON, a_region, a_role, a_stack, an_account, asked_with, checked, option
from cmek_construct.commands.printing import in_words, marked, shown, text, told
from cmek_construct.deployment import without_cdk as kits
from cmek_construct.guide import KeyAccess
from cmek_construct.health.customer_key import ANY_KEY_ARN, CustomerKeySeen, findings
from cmek_construct.health.findings import Refused

cli = typer.Typer(name="customer-kit")
_any_key: Final = partial(checks.arn, form=ANY_KEY_ARN, example="arn:aws:kms:us-east-1:111122223333:key/1234abcd-…")
_PROFILE: Final = asked_with("AWS profile of the customer, to ask KMS with.")
_DESCRIBED: Final = "`aws kms describe-key --key-id KEY_ARN --output json` prints it."
WHO_CAN_SEE: Final = (
    "The vendor's own people cannot see the key: this runs with the customer's credentials, or on the two files that "
    "the customer sends."
)


def _line(value: str) -> str:
    if not value.strip() or not value.isprintable() or len(value) > 100:
        raise typer.BadParameter("it is a line of text, of up to 100 characters")
    return value.strip()


def _s3_url(value: str) -> str:
    if not re.fullmatch(r"https://[a-z0-9.-]+\.amazonaws\.com/\S+", value):
        raise typer.BadParameter("CloudFormation takes a template from https://…amazonaws.com/…")
    return value


@cli.callback(invoke_without_command=True)
@told()
def kit(
    context: typer.Context,
    role_arn: str | None = a_role("role_arn", "The vendor's role, which the customer's key lets in."),
    region: str | None = a_region("AWS region of the customer's key, for the page. Default: it says to ask you."),
    key_access: KeyAccess = typer.Option(kits.ACCESS, help="What the customer's key lets the role do."),
    customer_account_id: str | None = an_account(
        "customer_account_id",
        "Write the number of the customer's AWS account.",
        "The customer's AWS account, for key-policy.json. Default: a placeholder.",
    ),
    vendor_name: str = option("TEXT", "Your company's name, for the page.", kits.VENDOR, parser=_line),
    template_url: str | None = option(
        "URL",
        "Where you have put customer-key.yaml in S3: the page gets a link that opens the AWS console on it.",
        parser=_s3_url,
    ),
    out: Path = option("FOLDER", "Folder to write. Never overwritten.", default=Path("customer-kit")),
) -> Iterator[str]:
    """Write a folder to send to a customer whose key it is to be.

    A plain CloudFormation template, a key policy, and a page that explains both to somebody who knows no CDK.
    """
    if context.invoked_subcommand is not None:
        if role_arn or customer_account_id:
            raise typer.BadParameter(f"Options stand after {context.invoked_subcommand}.")
        return
    if role_arn is None:
        raise typer.BadParameter("Give the RoleArn that `npx cdk deploy` printed.", param_hint="--role-arn")
    if customer_account_id == role_arn.split(":")[4]:
        why = f"got {customer_account_id!r}, the account of the role itself, but a customer has another one"
        raise Refused(f"customer_account_id: {why}. For a key in the role's own account use PineconeCmek.")
    made = kits.customer_kit(role_arn, key_access, customer_account_id, region, vendor_name, template_url)
    write(made, out)
    to_do = f"Read {kits.PAGE}, see that the role exists, and send the folder to the customer."
    yield f"Wrote {printable(out)}: {', '.join(made)}, for {role_arn}. {to_do}"


def write(files: Mapping[str, str], folder: Path) -> None:
    """Write the files of a kit, by their names, into a folder that is not there, or is empty: all or none."""
    place = Path(os.path.realpath(folder))
    draft = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        if os.path.lexists(place) and (not place.is_dir() or any(place.iterdir())):
            raise FileExistsError
        draft.mkdir()
        for name, content in files.items():
            draft.joinpath(name).write_text(content, encoding="utf-8", newline="\n")
        if place.is_dir():
            place.rmdir()
        draft.rename(place)
        return
    except FileExistsError:
        why = "it is there already, and nothing is ever overwritten. Move it away, or give another folder with --out"
    except OSError as error:
        why = f"cannot be written: {error.strerror}. Give another folder with --out"
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    raise Refused(f"{printable(folder)}: {why}.")


@cli.command(
    epilog="Exit codes: 0 all is right; 1 something is wrong, cannot be told (?), or could not be read; 2 wrong usage. "
    "What the vendor's role allows is seen with --vendor alone: without it that one ? does not count."
)
@told()
def check(
    role_arn: str = a_role("role_arn", "The vendor's role.", default=...),
    key_arn: str | None = checked(
        _any_key, "ARN", "key_arn", "The customer's key, as it was given back. Without files, KMS is asked about it."
    ),
    asking: Asking = _PROFILE,
    describe_key: Path | None = option("FILE", "The customer's output of `aws kms describe-key`."),
    key_policy: Path | None = option("FILE", "The customer's output of `aws kms get-key-policy`."),
    key_access: KeyAccess = typer.Option(kits.ACCESS, help="What the role must be able to do."),
    vendor: str | None = a_stack("vendor", "The vendor's stack in cmek.yaml here: whether its role may use the key."),
    as_json: bool = AS_JSON,
) -> Iterator[str]:
    """Say what is right and wrong with a customer's key.

    On the customer's side with --key-arn, or anywhere on the two files that the customer sends back, --describe-key and
    --key-policy. The vendor's own people cannot see the key.
    """
    if describe_key and key_policy and asking.profile is None:
        seen = _from_files(describe_key, key_policy)
    elif describe_key or key_policy or key_arn is None:
        raise typer.BadParameter(
            "Give --key-arn, perhaps with --profile, to ask KMS; or both --describe-key and --key-policy, perhaps with "
            "the --key-arn that was given back."
        )
    else:
        seen = _from_kms(key_arn, asking)
    entry = entries_here(vendor)[0] if vendor else None
    found = findings(seen, role_arn, key_access, given=key_arn, vendor=entry)
    right = not any(finding.fails for finding in found)
    said: dict[str, Any] = {"key_arn": seen.arn, "role_arn": role_arn, "source": seen.source, "right": right}
    about = {**said, "vendor": vendor, "who_can_see": WHO_CAN_SEE}
    lines = [text("customer_kit.j2", "checked", found=found, marked=marked, **about)]
    yield from shown(as_json, lambda: {**said, "findings": [one.as_data() for one in found]}, lines)
    if not right:
        raise typer.Exit(1)


def _from_files(describe_key: Path, key_policy: Path) -> CustomerKeySeen:
    """A key by the outputs of two commands of the AWS CLI; a policy alone may be one that KMS has never seen."""
    described = json_in(describe_key, _DESCRIBED)
    prints = "`aws kms get-key-policy --key-id KEY_ARN --policy-name default --output json` prints it."
    said = json_in(key_policy, prints).get("Policy")
    policy = json_in(key_policy, prints, said) if isinstance(said, str) else {}
    if "Statement" not in policy:
        alone = "A policy by itself, as the kit's own key-policy.json is, does not show what KMS has."
        raise Refused(f"{printable(key_policy)}: it holds no key policy as KMS has it. {prints} {alone}")
    files = f"{printable(describe_key)} and {printable(key_policy)}"
    return _seen(files, described.get("KeyMetadata"), policy, describe_key)


def _from_kms(key_arn: str, asking: Asking) -> CustomerKeySeen:
    """A key, by its ARN or that of one of its aliases, as KMS shows it to these credentials."""
    try:
        session = asking.signed_in(key_arn.split(":")[3])
        with called():
            metadata = session.client("kms").describe_key(KeyId=key_arn)["KeyMetadata"]
        policy = read_policy(session, metadata["Arn"])
    except AwsError as error:
        if error.code == "NotFoundException":
            raise Refused(f"{error}. Compare the ARN with the customer's KMS console.") from None
        raise Refused(f"{in_words(error, asking)} {WHO_CAN_SEE}") from None
    return _seen("KMS", metadata, policy, key_arn)


def _seen(source: str, metadata: Any, policy: Mapping[str, Any], place: object) -> CustomerKeySeen:
    arn = metadata.get("Arn") if isinstance(metadata, dict) else None
    form = ANY_KEY_ARN.fullmatch(arn) if isinstance(arn, str) else None
    if form is None or not form["key"]:
        raise Refused(f"{printable(place)}: it holds no KeyMetadata with the ARN of a key. {_DESCRIBED}")
    return CustomerKeySeen(source, form[0], metadata, policy)
