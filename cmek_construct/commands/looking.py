"""Looks at one stack of cmek.yaml: which role and key it is, what they are, what it gives out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final, TypeVar

from cmek_construct import checks, templates
from cmek_construct.aws import reading
from cmek_construct.aws.objects import Key, Stack, Unread
from cmek_construct.aws.session import Asking, Session
from cmek_construct.customers import Customers
from cmek_construct.deployment.reading import Entry
from cmek_construct.health.deployed import (
    EXTERNAL_ID,
    KEY_ARN,
    ROLE_ARN,
    Deployed,
    LockedIdentity,
    identities,
    locked_identity,
    own_outputs,
)
from cmek_construct.health.findings import Refused
from cmek_construct.health.key import alias_of_file
from cmek_construct.lock.text import FILE, LockError, read
from cmek_construct.policy.sentences import as_list
from cmek_construct.templates.attributes import ALIAS

LOCK: Final = Path(FILE)
_AT_A_TIME: Final = 10
_KEY_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")
T = TypeVar("T")
R = TypeVar("R")


def side_by_side(look: Callable[[T], R], several: Iterable[T]) -> list[R]:
    """Look at several, some at a time; after Ctrl-C nobody waits for those under way."""
    pool = ThreadPoolExecutor(_AT_A_TIME)
    try:
        return list(pool.map(look, several))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def locked(entry: Entry) -> LockedIdentity:
    """What the lock in this folder holds of a stack: nothing, where there is no lock.

    Raises:
        LockError: there is a lock, and it cannot be used.
    """
    return locked_identity(read(LOCK), entry)


def case_of(
    session: Session, entry: Entry, lock: LockedIdentity, profile: str | None = None
) -> Deployed:
    """The role and the key of a stack, whatever state it is in; not yet what they are.

    Raises:
        Refused: it is not known which they are.
    """
    stack = reading.read_stack(session, entry.name)
    role_arn, key_arn = identities(entry, own_outputs(entry, stack), lock)
    if role_arn is None or (key_arn is None and entry.settings.customers is None):
        why = "there is no such stack"
        if stack is not None:
            why = stack.why if isinstance(stack, Unread) else stack.status
        raise Refused(
            f"which role and key it is, neither the stack's outputs say ({why}) nor cmek.lock"
        )
    now = datetime.now(timezone.utc)
    return Deployed(entry, role_arn, key_arn, lock, now, stack, profile=profile)


def with_all(session: Session, case: Deployed, *, last_use: bool) -> Deployed:
    """The case with all that AWS shows of its stack, role and key."""
    role, key = reading.read_role(session, case.role_arn), None
    if case.key_arn is not None:
        key = reading.read_key(session, case.key_arn, last_use=last_use)
    template: str | Unread = Unread("there is no such stack")
    if isinstance(case.stack, Stack):
        template = reading.read_template(session, case.entry.name)
    seen = replace(case, role=role, key=key, template=template, alias=_alias(session, case))
    wanted = alias_of_file(seen)
    if not isinstance(key, Key) or not isinstance(wanted, str):
        return seen
    return replace(seen, alias_target=reading.read_key_arn(session, wanted))


def _alias(session: Session, case: Deployed) -> str | Unread | None:
    """The alias that the stack made."""
    if case.key_arn is None or case.entry.settings.key is not None:
        return None
    found = reading.read_resources(session, case.entry.name)
    if found is None or isinstance(found, Unread):
        return found
    return next((one.physical_id for one in found if one.type == ALIAS), None)


def from_outputs_file(entry: Entry, path: Path) -> dict[str, str]:
    """The outputs of one stack in the file that `cdk deploy --outputs-file` wrote.

    Raises:
        Refused: the file or the stack in it is missing.
    """
    try:
        outputs = json.loads(path.read_text(encoding="utf-8"))[entry.name]
    except OSError as error:
        raise Refused(
            f"{path}: cannot be read: {error.strerror}. {_instead_of(path, entry)}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise Refused(f"{path}: cannot be read as JSON: {error}") from None
    except (KeyError, TypeError):
        raise Refused(
            f"{entry.name}: {path} has no such stack. {_instead_of(path, entry)}"
        ) from None
    return _checked(entry, outputs)


def _instead_of(path: Path, entry: Entry) -> str:
    if _way_back(entry, None):
        return "Leave --outputs out, and AWS is asked."
    return f"`npx cdk deploy {entry.name} --outputs-file {path}` writes it."


def _way_back(entry: Entry, profile: str | None) -> str | None:
    try:
        return locked(entry).way_back(entry, profile)
    except LockError as error:
        raise Refused(f"{entry.name}: {error}") from None


def _absent(entry: Entry, profile: str | None, what: str) -> Refused:
    own = entry.settings
    command = _way_back(entry, profile) or f"npx cdk deploy {entry.name}"
    return Refused(
        f"{entry.name}: {what} in account {own.account}, {own.region}. Run `{command}` first."
    )


def from_aws(entry: Entry, asking: Asking) -> tuple[dict[str, str], Customers | None]:
    """The outputs of one stack, asked of CloudFormation; of a vendor's, its deployed customers too.

    Credentials of another account are enough if they may assume the lookup role that
    `cdk bootstrap --trust` made in the account of the stack.

    Raises:
        AwsError: AWS cannot be asked.
        Refused: the stack is not there, or is not whole.
    """
    own = entry.settings
    session = asking.reading(own.account, own.region or "", entry.name)
    stack = reading.read_stack(session, entry.name)
    if isinstance(stack, Unread):
        raise Refused(f"{entry.name}: {stack.why}. Choose --profile, or give --outputs.")
    if stack is None:
        raise _absent(entry, asking.profile, "there is no such stack")
    if stack.is_empty:
        raise _absent(entry, asking.profile, f"the stack came to nothing ({stack.status})")
    if not stack.is_whole:
        raise Refused(
            f"{entry.name}: the stack is in {stack.status}, so its role and key may not last. Wait "
            "for the deploy to end, or mend it and deploy again."
        )
    outputs = _checked(entry, dict(stack.outputs))
    if own.customers is None:
        return outputs, None
    template = reading.read_template(session, entry.name)
    if isinstance(template, Unread):
        raise Refused(f"{entry.name}: its deployed customers could not be read: {template.why}.")
    return outputs, _customers(template)


def _customers(template: str) -> Customers:
    """The customers in a vendor's deployed template."""
    resources = [
        resource
        for policy in templates.parsed(template)["Resources"].values()
        if policy["Type"] == "AWS::IAM::ManagedPolicy"
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        for resource in as_list(statement["Resource"])
    ]
    every = [resource.split(":")[4] for resource in resources if resource.endswith(":key/*")]
    return Customers(every, [one for one in resources if not one.endswith(":key/*")])


def with_customer_key(
    entry: Entry, outputs: dict[str, str], key_arn: str | None, deployed: Customers | None
) -> dict[str, str]:
    """The outputs of a vendor's stack, and the key of one of its customers.

    Args:
        entry: of the stack.
        outputs: of the stack.
        key_arn: what the customer sent back.
        deployed: the customers in the deployed stack, where they are known.

    Raises:
        Refused: there is no such key, or the role may not use it.
    """
    customers = entry.settings.customers
    if customers is None:
        if key_arn is not None:
            raise Refused(
                f"{entry.name}: --key-arn is for the stack of a vendor, with customer_account_ids "
                "or customer_key_arns in its entry. This one has its own key: leave it out."
            )
        return outputs
    if key_arn is None:
        raise Refused(
            f"{entry.name}: the keys of this stack are its customers'. Give --key-arn with the "
            "Key ARN that the customer sent back."
        )
    if not _KEY_ID.fullmatch(key_arn.rpartition("/")[2]):
        raise Refused(
            f"{entry.name}: --key-arn is {key_arn}, but a key ID is a UUID, or mrk- and 32 "
            "hexadecimal digits. A part may be missing: copy the Key ARN whole."
        )
    if not customers.cover(key_arn):
        raise Refused(
            f"{entry.name}: --key-arn is {key_arn}, but the role may not use it: neither "
            "customer_account_ids has its account nor customer_key_arns the key. Add it, deploy, "
            "and ask again; or correct the ARN."
        )
    if deployed is not None and not deployed.cover(key_arn):
        raise Refused(
            f"{entry.name}: cmek.yaml has the customer of {key_arn}, but the deployed role does "
            f"not. Run `npx cdk deploy {entry.name}` first."
        )
    return outputs | {KEY_ARN: key_arn}


def _checked(entry: Entry, outputs: Any) -> dict[str, str]:
    """The outputs, if they are those of this very stack: what Pinecone stores stays for good."""
    own = entry.settings
    found: dict[str, Any] = outputs if isinstance(outputs, dict) else {}
    role = own.role or f"arn:aws:iam::{own.account}:role/"
    key = own.key or f"arn:aws:kms:{own.region}:{own.account}:key/"
    wrong = wrong_output(found, "this stack", role, key if own.customers is None else None)
    if wrong:
        raise Refused(
            f"{entry.name}: {wrong}. Check the name, the account and the region, or the file of "
            "outputs: it may be of another deploy."
        )
    if found.get(EXTERNAL_ID) != own.external_id:
        raise Refused(
            f"{entry.name}: external_id is {own.external_id} in cmek.yaml, but "
            f"{found.get(EXTERNAL_ID)!a} in the deployed stack. If Pinecone has the key already, "
            "put the deployed one back into the file; if not, deploy first."
        )
    return found


def wrong_output(outputs: Mapping[str, Any], whose: str, role: str, key: str | None) -> str | None:
    """Which output is not the one that is meant, in words.

    Args:
        outputs: of a stack.
        whose: it is meant to be.
        role: its ARN, or how it begins, up to a slash.
        key: the same of the key; None where the stack has none.
    """
    for name, form, wanted in ((ROLE_ARN, checks.ROLE_ARN, role), (KEY_ARN, checks.KEY_ARN, key)):
        value = str(outputs.get(name, ""))
        begins = wanted is not None and wanted.endswith("/") and value.startswith(wanted)
        if wanted is not None and not (form.fullmatch(value) and (begins or value == wanted)):
            more = "…" if wanted.endswith("/") else ""
            return f"the output {name} is {value!a}, but that of {whose} is {wanted}{more}"
    return None
