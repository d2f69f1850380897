"""`cmek adopt`: an entry and a mapping for a role and a key that were there before their stack.

The mapping is written first: a run that ends before cmek.yaml is written begins anew, and one that
ends after it finds the entry and compares.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cmek_construct.deployment.config import StackSettings
from cmek_construct.deployment.reading import ConfigError, Entry, parse_entries, text_of
from cmek_construct.deployment.yaml_text import YamlText
from cmek_construct.lock.model import LockError
from cmek_construct.operations.adopting import entry as adopt_entry
from cmek_construct.operations.adopting import stack as adopt_stack
from cmek_construct.operations.adopting.differences import differences
from cmek_construct.operations.adopting.screen import shown, what_next
from cmek_construct.operations.adopting.source import (
    AdoptError,
    SeenKey,
    SeenRole,
    seen_key,
    seen_role,
)
from cmek_construct.operations.deployed import NotDeployedError, reading_session
from cmek_construct.operations.doctor.lock import locked_identity
from cmek_construct.operations.doctor.source import Key
from cmek_construct.operations.findings import Finding, Verdict
from cmek_construct.operations.locking.file import clear_gone
from cmek_construct.operations.writing import FILE, first_entry, with_entry, write_whole

_LOGICAL_IDS: Final = {
    adopt_stack.ROLE,
    adopt_stack.KEY,
    adopt_stack.ALIAS,
    *adopt_stack.CUSTOMERS.values(),
}


@dataclass(frozen=True)
class Ask:
    """What is to be taken over, and how."""

    name: str
    role_arn: str
    key_arn: str | None = None
    profile: str | None = None
    mapping: Path | None = None
    alias: str | None = None
    as_given: str | None = None
    """``role`` or ``key``: the one that no stack takes over."""
    customers: Sequence[str] = ()
    region: str | None = None
    accept: bool = False

    @property
    def account(self) -> str:
        """The account of role and key."""
        return self.role_arn.split(":")[4]

    @property
    def file(self) -> Path:
        """The file for `cdk import`."""
        return self.mapping or Path(f"cmek-import-{self.name}.json")


def run(ask: Ask) -> Iterator[str]:
    """Take over a role and a key; the lines say what was found, and what to run next.

    Raises:
        ConfigError: cmek.yaml has mistakes, or cannot take the entry.
        AdoptError: it cannot be done, or does harm that was not accepted; nothing was written.
    """
    _refuse_another_file(ask.file)
    text = text_of(FILE) if os.path.lexists(FILE) else None
    entries = parse_entries(text, FILE) if text is not None else []
    there = next((entry for entry in entries if entry.name == ask.name), None)
    _refuse_idle_options(ask, there)
    region = _region(ask, text, there)
    with _asking(ask.name):
        session = _session(ask, region)
        role = seen_role(session, ask.role_arn)
        key = seen_key(session, ask.key_arn) if ask.key_arn else None
        changed = None if there else _with_entry(ask, text, region, role, key)
        entry = there or _entry(ask, changed or "")
        _refuse_another(ask, entry, role)
        mapping = adopt_stack.mapping(entry, role, key)
        found = [*differences(entry, role, key)]
        _refuse_taken_alias(entry, key, session)
        found += adopt_stack.other_stacks(mapping, entry, session)
        mapping = adopt_stack.without_held(mapping, entry, session)
    yield f"{ask.name} (account {ask.account}, {region})"
    yield from shown(found)
    _refuse_harm(ask, found)
    _write(ask.file, json.dumps(mapping, indent=2) + "\n")
    if changed is not None:
        write_whole(changed)
    yield f"Wrote {ask.file}: {', '.join(mapping)}."
    with _asking(ask.name):
        yield from clear_gone(ask.name, ask.account, region)
    yield from what_next(ask.name, ask.file, added=changed is not None)


def _refuse_idle_options(ask: Ask, there: Entry | None) -> None:
    """An option that would do nothing was meant to do something."""
    of_key = {"--alias": ask.alias, "--as-given": ask.as_given}
    of_role = {"--customer-account-ids": ask.customers, "--region": ask.region}
    for options, idle, why in (
        (of_key | of_role, there is not None, f"{FILE} has stacks.{ask.name}, and that holds"),
        (of_role, ask.key_arn is not None, "it is for a role without --key-arn"),
        (of_key, ask.key_arn is None, "it is for a role with --key-arn"),
    ):
        for option, value in options.items():
            if idle and value:
                raise AdoptError(f"{option}: {why}. Leave the option out.")


@contextmanager
def _asking(name: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except LockError as error:
        raise AdoptError(str(error)) from None
    except NotDeployedError as error:
        raise AdoptError(f"{str(error).partition(' Choose --profile')[0]} Choose --profile.") from (
            None
        )
    except (BotoCoreError, ClientError) as error:
        raise AdoptError(
            f"{name}: AWS could not be asked: {error}. Nothing was written. Sign in (`aws sso "
            "login`), or choose another --profile."
        ) from None


def _session(ask: Ask, region: str) -> Any:
    place = StackSettings.model_construct(account=ask.account, region=region)
    return reading_session(Entry(ask.name, place), ask.profile)


def _region(ask: Ask, text: str | None, there: Entry | None) -> str:
    """The region of the stack: the key's, or for a role alone the entry's or the file's."""
    of_key = ask.key_arn.split(":")[3:5] if ask.key_arn else None
    if of_key and of_key[1] != ask.account:
        raise AdoptError(
            f"--key-arn: got a key of account {of_key[1]}, but the role is of {ask.account}, and a "
            "stack is in one account. Write the entry by hand (`cmek add`), with key: and the ARN."
        )
    top = YamlText(text).data.get("region") if text is not None else None
    told = ask.region or (there.settings.region if there else None) or top
    region = of_key[0] if of_key else told
    if region is None:
        raise AdoptError("--region: it is missing. Say in which region the role's stack is to be.")
    if there and (there.settings.account, there.settings.region) != (ask.account, region):
        raise AdoptError(
            f"{FILE}: stacks.{ask.name}: it is in account {there.settings.account}, "
            f"{there.settings.region}, but role and key are in {ask.account}, {region}. Choose "
            "another name, or the ARNs of this stack."
        )
    return str(region)


def _with_entry(
    ask: Ask, text: str | None, region: str, role: SeenRole, key: SeenKey | None
) -> str:
    """cmek.yaml with the entry more whose template is what is there."""
    props: dict[str, Any] = {"account": ask.account, "region": region}
    props |= adopt_entry.of_role(role, given=ask.as_given == "role")
    if key is None:
        props |= adopt_entry.of_customers(role, ask.customers)
    else:
        props |= adopt_entry.of_key(key, role.arn, ask.alias, given=ask.as_given == "key")
    if text is None:
        return first_entry(ask.name, adopt_entry.in_yaml(props, {}))
    return with_entry(text, ask.name, adopt_entry.in_yaml(props, YamlText(text).data))


def _entry(ask: Ask, text: str) -> Entry:
    entries = parse_entries(text, f"{FILE}, with {ask.name} added")
    return next(entry for entry in entries if entry.name == ask.name)


def _refuse_another(ask: Ask, entry: Entry, role: SeenRole) -> None:
    """Role and key are those of the entry, and of the lock."""
    own, lock = entry.settings, locked_identity(entry)
    if own.customers is not None and ask.key_arn is not None:
        raise AdoptError(
            f"{FILE}: stacks.{ask.name}: it is a vendor's, whose keys are its customers'. Leave "
            "--key-arn out."
        )
    if own.customers is None and ask.key_arn is None:
        raise AdoptError(f"--key-arn: it is missing: stacks.{ask.name} has a key of its own.")
    for what, given, wanted in (
        (f"{FILE}: stacks.{ask.name}.role", ask.role_arn, own.role),
        (f"{FILE}: stacks.{ask.name}.key", ask.key_arn, own.key),
        (f"cmek.lock: the role of {ask.name}", ask.role_arn, lock.role_arn),
        (f"cmek.lock: the key of {ask.name}", ask.key_arn, lock.key_arn),
        (f"cmek.lock: the unique ID of the role of {ask.name}", role.role_id, lock.role_id),
    ):
        if wanted is not None and wanted != given:
            raise AdoptError(
                f"{what}: it has {wanted}, but got {given}. Pinecone stores one of the two: its "
                "console shows which (Manage > CMEK). Delete neither."
            )


def _refuse_taken_alias(entry: Entry, key: SeenKey | None, session: Any) -> None:
    own = entry.settings
    if key is None or own.key or not own.alias or adopt_stack.alias_of(entry, key):
        return
    alias = f"alias/{own.alias.removeprefix('alias/')}"
    target = Key(session, key.arn).target_of(alias)
    if isinstance(target, str):
        raise AdoptError(
            f"{FILE}: stacks.{entry.name}.alias: {alias} points to another key, {target}, so the "
            "deploy would fail. Write another alias into the entry, or point it to this key."
        )


def _refuse_harm(ask: Ask, found: list[Finding]) -> None:
    wrong = [one.about for one in found if one.verdict is Verdict.WRONG]
    if wrong and not ask.accept:
        raise AdoptError(
            f"{ask.name}: {', '.join(wrong)}: there the template would lock somebody out, or let "
            "somebody in, some day. Nothing was written. Take one of the ways out above, or run "
            "this again with --accept."
        )


def _refuse_another_file(path: Path) -> None:
    """Overwrite no file that is no such mapping."""
    if not os.path.lexists(path):
        return
    try:
        known = set(json.loads(path.read_bytes())) <= _LOGICAL_IDS
    except (OSError, ValueError, TypeError, RecursionError):
        known = False
    if not known:
        raise AdoptError(
            f"--mapping: {path} is there already, and is no mapping of `cmek adopt`. Choose "
            "another file."
        )


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}.") from None
    finally:
        draft.unlink(missing_ok=True)
