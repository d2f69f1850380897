"""`cmek customer-kit`: what a vendor sends to a customer, and the check of what comes back."""

import os
import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import typer

from cmek_construct import checks, customers
from cmek_construct.aws.reading import read_policy
from cmek_construct.aws.session import Asking, AwsError, called
from cmek_construct.commands.looking import entries_here, json_in
from cmek_construct.commands.options import AS_JSON, PROFILE, a_region, a_role, a_stack, checked, option
from cmek_construct.commands.printing import in_words, marked, refused, shown, text, told
from cmek_construct.deployment import without_cdk as kits
from cmek_construct.guide import KeyAccess
from cmek_construct.health.customer_key import ANY_KEY_ARN, CustomerKeySeen, findings
from cmek_construct.templates.reading import members

cli = typer.Typer(name="customer-kit")
_any_key: Final = partial(checks.arn, form=ANY_KEY_ARN, example="arn:aws:kms:us-east-1:111122223333:key/1234abcd-…")
_DESCRIBED: Final = "`aws kms describe-key --key-id KEY_ARN --output json` prints it."
_GOT: Final = "`aws kms get-key-policy --key-id KEY_ARN --policy-name default --output json` prints it."
_name: Final = checks.within(
    lambda it: it.isprintable() and 0 < len(it) <= 100, "it is a line of text", "Write 1 to 100 characters in one line."
)
_s3_url: Final = checks.matching(
    r"https://[a-z0-9.-]+\.amazonaws\.com/\S+",
    "CloudFormation takes a template from https://…amazonaws.com/…",
    "Put the template into a bucket of S3, and give its URL.",
)


@cli.callback(invoke_without_command=True)
@told()
def kit(
    context: typer.Context,
    role_arn: str | None = a_role("role_arn"),
    region: str | None = a_region(),
    key_access: KeyAccess = typer.Option(kits.ACCESS),
    customer_account_id: str | None = checked(customers.account_id, "DIGITS", "customer_account_id"),
    vendor_name: str = checked(_name, "TEXT", "vendor_name", str.strip, default=kits.VENDOR),
    template_url: str | None = checked(_s3_url, "URL", "template_url"),
    out: Path = option("FOLDER", Path("customer-kit")),
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
        raise refused("customer_kit.j2", "no_customers_account", account=customer_account_id)
    made = kits.customer_kit(role_arn, key_access, customer_account_id, region, vendor_name, template_url)
    write(made, out)
    yield text("customer_kit.j2", "made", folder=checks.printable(out), files=made, role_arn=role_arn, page=kits.PAGE)


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
    except FileExistsError:
        raise refused("customer_kit.j2", "is_there", folder=checks.printable(folder)) from None
    except OSError as error:
        raise refused("customer_kit.j2", "not_written", folder=checks.printable(folder), why=error.strerror) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@told()
def check(
    role_arn: str = a_role("role_arn", default=...),
    key_arn: str | None = checked(_any_key, "ARN", "key_arn"),
    asking: Asking = PROFILE,
    describe_key: Path | None = option("FILE"),
    key_policy: Path | None = option("FILE"),
    key_access: KeyAccess = typer.Option(kits.ACCESS),
    vendor: str | None = a_stack("vendor"),
    as_json: bool = AS_JSON,
) -> Iterator[str]:
    """Say what is right and wrong with a customer's key.

    On the customer's side with --key-arn, or anywhere on the two files that the customer sends back, --describe-key and
    --key-policy. The vendor's own people cannot see the key.
    """
    if describe_key and key_policy and asking.profile is None:
        seen = _in_files(describe_key, key_policy)
    elif describe_key or key_policy or key_arn is None:
        raise typer.BadParameter(text("customer_kit.j2", "to_give"))
    else:
        seen = _in_kms(key_arn, asking)
    entry = entries_here(vendor)[0] if vendor else None
    found = findings(seen, role_arn, key_access, given=key_arn, vendor=entry)
    right = not any(finding.fails for finding in found)
    said: dict[str, Any] = {"key_arn": seen.arn, "role_arn": role_arn, "source": seen.source, "right": right}
    lines = [text("customer_kit.j2", "checked", found=found, marked=marked, vendor=vendor, **said)]
    yield from shown(as_json, lambda: {**said, "findings": [one.as_data() for one in found]}, lines)
    if not right:
        raise typer.Exit(1)


cli.command(epilog=vars(check)["epilog"])(check)


def _in_files(describe_key: Path, key_policy: Path) -> CustomerKeySeen:
    """A key by the outputs of two commands of the AWS CLI; a policy alone may be one that KMS has never seen."""
    described = json_in(describe_key, _DESCRIBED)
    said = json_in(key_policy, _GOT).get("Policy")
    policy = json_in(key_policy, _GOT, said) if isinstance(said, str) else {}
    if "Statement" not in policy:
        raise refused("customer_kit.j2", "no_policy", file=checks.printable(key_policy), prints=_GOT)
    files = f"{checks.printable(describe_key)} and {checks.printable(key_policy)}"
    return _seen(files, described.get("KeyMetadata"), policy, describe_key)


def _in_kms(key_arn: str, asking: Asking) -> CustomerKeySeen:
    """A key, by its ARN or that of one of its aliases, as KMS shows it to these credentials."""
    try:
        session = asking.signed_in(key_arn.split(":")[3])
        with called():
            metadata = session.client("kms").describe_key(KeyId=key_arn)["KeyMetadata"]
        policy = read_policy(session, metadata["Arn"])
    except AwsError as error:
        if error.code == "NotFoundException":
            raise refused("customer_kit.j2", "not_in_kms", why=error) from None
        raise refused("customer_kit.j2", "not_seen", why=in_words(error, asking)) from None
    return _seen("KMS", metadata, policy, key_arn)


def _seen(source: str, metadata: Any, policy: Mapping[str, Any], place: object) -> CustomerKeySeen:
    form = ANY_KEY_ARN.fullmatch(str(members(metadata).get("Arn")))
    if form is None or not form["key"]:
        raise refused("customer_kit.j2", "no_metadata", place=checks.printable(place), prints=_DESCRIBED)
    return CustomerKeySeen(source, form[0], metadata, policy)
