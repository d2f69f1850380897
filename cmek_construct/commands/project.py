"""`cmek project create`: a Pinecone project that encrypts with a customer's key and no other way.

What Pinecone's SDK does not do by itself. Project names are not unique, and the SDK asks again when an answer is lost:
so this looks first at what is there, and afterwards whether something was made twice. A forced encryption is for good,
and an API key is shown once: so nothing is made without --yes, nor where nobody would see the key.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import typer

from cmek_construct.aws.objects import Unread
from cmek_construct.checks import printable
from cmek_construct.commands.options import Name, fields, flag, option
from cmek_construct.commands.printing import refusals, tell
from cmek_construct.deployment.reading import Entry, read_entries
from cmek_construct.deployment.writing import FILE
from cmek_construct.health.findings import Refused

CLIENT_ID: Final = "PINECONE_CLIENT_ID"
CLIENT_SECRET: Final = "PINECONE_CLIENT_SECRET"  # noqa: S105 - the name of the variable
API_KEY: Final = "PINECONE_API_KEY"
HOST: Final = "PINECONE_CONTROLLER_HOST"
"""The SDK's own variable for the API of a private deployment."""
_HERE: Final = ("127.0.0.1", "::1", "localhost")
_SIGN_IN: Final = (
    f"Check {CLIENT_ID} and {CLIENT_SECRET}: they are those of a service account of your "
    "organization (Pinecone console, Settings > Organization settings). Its secret is shown only "
    "once, and one that was rotated is no longer valid."
)
_KEY_NAME: Final = "default"
"""Of the API key, as Pinecone's console names the first one."""
_NOT_ENTITLED: Final = (
    "CMEK is a part of Pinecone's Enterprise plan. If the organization has it, the credentials may "
    "not make projects, or the organization has as many as it may."
)
_AGAIN: Final = "What was asked may be done or not. Run the same again: it looks first at what is there."
_UNKNOWN_KEY: Final = f"It does not know this API key: check {API_KEY}. If the project is deleted, unset it."
_CURES: Final = {
    "PineconeValueError": _SIGN_IN,
    "401": _SIGN_IN,
    "403": "These credentials may not do that: an owner of the organization gives the role.",
    "ResponseParsingError": f"This version of the SDK may be too old for it: pip install -U pinecone. {_AGAIN}",
}
"""By HTTP status, or by the SDK's own error where there is none."""
_FOR_GOOD: Final = "Every index in it needs a key of yours: that can never be switched off"


cli = typer.Typer(
    name="project", rich_markup_mode=None, no_args_is_help=True, help="Make the Pinecone project of a stack."
)


@cli.callback()
def _group() -> None:
    """Keeps `create` a command of its own."""


def _url(value: str) -> str:
    if not _is_safe(value):
        raise typer.BadParameter("a secret is sent only to https://…, or to this machine")
    return value


@dataclass(frozen=True)
class Create:
    """Make the Pinecone project of a stack, with the encryption forced for good.

    Signs in as a service account: PINECONE_CLIENT_ID and PINECONE_CLIENT_SECRET. The API key of the project is shown
    once and written nowhere. A project that is there already is checked, and not changed.
    """

    name: Name
    project_name: Annotated[str | None, option("TEXT", "Its name at Pinecone. Default: the stack's.")] = None
    yes: Annotated[bool, flag("--yes", "Make it. Without this, only say what would be made.")] = False
    show_key: Annotated[bool, flag("--show-key", "Show the API key although the output is no terminal.")] = False
    oauth_url: Annotated[
        str | None,
        typer.Option(
            parser=_url,
            metavar="URL",
            help="Token endpoint of a private deployment of Pinecone, whose API the variable "
            "PINECONE_CONTROLLER_HOST names.",
        ),
    ] = None

    def __call__(self) -> None:
        with refusals("project create", interrupted=f"Interrupted. {_AGAIN}"):
            tell(_lines(self))


cli.command()(fields(Create))


def _lines(ask: Create) -> Iterator[str]:
    """Make the project of a stack, or say what would be made; the lines say it as it is done."""
    (entry,) = read_entries(FILE, only=ask.name)
    name = _project_name(entry, ask)
    if ask.yes and not (ask.show_key or sys.stdout.isatty()):
        raise Refused(
            "The API key is shown once, and this output is no terminal. Run it in a terminal; or, "
            "if nobody else reads what becomes of the output, with --show-key. Nothing was made."
        )
    with _asking("sign in"):
        admin = _sdk().Admin(oauth_url=ask.oauth_url)
    yield from _who(admin)
    there = _there(admin, name)
    keys = _keys(admin, there) if there else []
    if there:
        yield f"The project is there already, as it should be: {_named(there)}"
    if there and keys:
        yield from _nothing_to_do(keys)
    elif not ask.yes:
        yield from _would(name, there)
    else:
        yield from _make(admin, name, there, ask)
    if ask.yes or keys:
        yield from _next(entry)


def _project_name(entry: Entry, ask: Create) -> str:
    name = ask.project_name or entry.name
    if entry.settings.customers is not None and ask.project_name is None:
        raise Refused(
            f"{entry.name}: a vendor's stack has one Pinecone project per customer. Say its name: "
            f"cmek project create {entry.name} --project-name TEXT"
        )
    if not name.strip() or not name.isprintable() or len(name) > 512:
        raise Refused(
            f"--project-name: got {printable(name)!r}, but it is a line of 1 to 512 characters. Choose another."
        )
    return name


def _who(admin: Any) -> Iterator[str]:
    """Who asks, and of which organization; never with which secret."""
    client = printable(os.environ[CLIENT_ID])
    yield f"Signed in at Pinecone as {client} ({CLIENT_ID})"
    try:
        with _asking("read the organization"):
            found = list(admin.organizations.list())
    except Refused as error:
        yield f"Organization: not known. {error}"
        return
    for one in found:
        yield f"Organization: {printable(one.name)} ({printable(one.id)}), plan {one.plan!a}"


def _there(admin: Any, name: str) -> Any:
    """The project of that name, if there is one and it is right."""
    found = _all_named(admin, name)
    if len(found) > 1:
        listed = "; ".join(map(_named, found))
        raise Refused(
            f"There is more than one project of the name {name!a}: {listed}. Delete the one that is not used, in "
            "Pinecone's console, or choose another --project-name. Nothing was made."
        )
    if found and not found[0].force_encryption_with_cmek:
        raise Refused(
            f"There is a project of that name already, but CMEK is not forced in it: "
            f"{_named(found[0])}. Choose another --project-name. Nothing was changed."
        )
    return found[0] if found else None


def _all_named(admin: Any, name: str) -> list[Any]:
    with _asking("list the projects"):
        return [one for one in admin.projects.list() if one.name == name]


def _keys(admin: Any, project: Any) -> list[Any]:
    with _asking("list the project's API keys"):
        return list(admin.api_keys.list(project_id=project.id))


def _named(project: Any) -> str:
    forced = "forced" if project.force_encryption_with_cmek else "not forced"
    return printable(f"{project.name} (ID {project.id}, CMEK {forced})")


def _would(name: str, there: Any) -> Iterator[str]:
    if not there:
        yield f"Would make the project {name!a}, with CMEK forced. {_FOR_GOOD}"
    yield f"Would make an API key {_KEY_NAME!a} in it, and show it once"
    yield "Nothing was made. To do it, in a terminal: the same command with --yes"


def _make(admin: Any, name: str, there: Any, ask: Create) -> Iterator[str]:
    project = there
    if project is None:
        with _asking("make the project", {"403": _NOT_ENTITLED}):
            project = admin.projects.create(name=name, force_encryption_with_cmek=True)
        if not project.force_encryption_with_cmek:
            raise Refused(
                f"Pinecone made the project, but did not force CMEK in it: {_named(project)}."
                " Do not use it: delete it in Pinecone's console, and ask Pinecone's support."
            )
        yield f"Made the project {_named(project)}. {_FOR_GOOD}"
    try:
        with _asking("make the API key"):
            secret = admin.api_keys.create(project_id=project.id, name=_KEY_NAME)
    except Refused as error:
        again = f"cmek project create {ask.name}" + (f" --project-name {name!a}" * bool(ask.project_name))
        raise Refused(
            f"The project is there, but it has no API key yet. {error} To make the key: {again} --yes"
        ) from None
    yield f"API key, which nobody can show again (keep it in a safe place now): {secret.value}"
    yield from _made_twice(admin, project, secret.key.id)


def _made_twice(admin: Any, project: Any, key_id: str) -> Iterator[str]:
    try:
        others = [one for one in _all_named(admin, project.name) if one.id != project.id]
        keys = [one for one in _keys(admin, project) if one.id != key_id]
    except Refused as error:
        yield f"Whether something was made twice is not known. {error}"
        return
    for one in others:
        yield f"MADE TWICE, for an answer got lost: delete in Pinecone's console {_named(one)}"
    for one in keys:
        yield (
            "MADE TWICE, for an answer got lost: delete in Pinecone's console the API key "
            f"{printable(one.name)} (ID {printable(one.id)})"
        )


def _nothing_to_do(keys: list[Any]) -> Iterator[str]:
    names = ", ".join(printable(f"{one.name} (ID {one.id})") for one in keys)
    yield f"It has API keys: {names}. Nothing was changed."
    yield (
        "If nobody has the value of any: make another one in Pinecone's console, under API keys, "
        "and delete those that nobody uses."
    )


def _next(entry: Entry) -> Iterator[str]:
    more = " --key-arn ARN" if entry.settings.customers is not None else ""
    yield ""
    yield f"Next: cmek sheet {entry.name}{more}"
    yield (
        "It says what to paste into Manage > CMEK > Add CMEK of that project: the key is added in "
        "Pinecone's console alone, for which there is no public API."
    )


def indexes() -> dict[str, str | None] | Unread | None:
    """The indexes of the project to which the API key in the environment belongs.

    Returns:
        By name what each is encrypted with, None where that is no key of a customer; why they could
        not be read; None where there is no API key to ask with.
    """
    if not os.environ.get(API_KEY, "").strip():
        return None
    try:
        with _asking("list the indexes", {"401": _UNKNOWN_KEY}):
            client = _sdk().Pinecone(api_key=os.environ[API_KEY])
            return {str(one.name): one.cmek_id for one in client.indexes.list()}
    except Refused as error:
        return Unread(str(error))


@contextmanager
def _asking(what: str, cures: Mapping[str, str] = _CURES) -> Iterator[None]:
    """Say what a refusal of the SDK means, without a secret in it.

    Args:
        what: was to be done, such as ``make the project``.
        cures: by status or error, where they differ from the usual ones.

    Raises:
        Refused: in place of what the SDK raises.
    """
    sdk, host = _sdk(), os.environ.get(HOST, "")
    if host and not _is_safe(host):
        raise Refused(
            f"{HOST}: got {printable(host)}, but a secret is sent only to https://…, or to this "
            "machine. Unset it for Pinecone itself."
        )
    try:
        yield
    except sdk.PineconeError as error:
        words = str(error)
        for secret in filter(None, map(os.environ.get, (CLIENT_SECRET, API_KEY))):
            words = words.replace(secret, "***")
        words = printable(" ".join(words.split())).rstrip(".")
        status = getattr(error, "status_code", None)
        usual = "Nothing was changed." if (status or 500) < 500 else _AGAIN
        cure = {**_CURES, **cures}.get(str(status or type(error).__name__), usual)
        raise Refused(f"Pinecone: could not {what}: {words}. {cure}") from None


def _sdk() -> Any:
    """The SDK, imported where it is needed."""
    try:
        import pinecone
    except ModuleNotFoundError:
        raise Refused("Pinecone's SDK is not installed. Run: pip install 'cmek-construct[pinecone]'") from None
    return pinecone


def _is_safe(url: str) -> bool:
    """Whether a secret may be sent there: encrypted, or to this machine."""
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
    except ValueError:
        return False
    here = parts.scheme == "http" and parts.hostname in _HERE
    return bool(parts.hostname) and (parts.scheme == "https" or here)
