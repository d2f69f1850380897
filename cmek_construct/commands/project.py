"""`cmek project create`: a Pinecone project that encrypts with a customer's key and no other way.

What Pinecone's SDK does not do by itself. Project names are not unique, and the SDK asks again when an answer is lost:
so this looks first at what is there, and afterwards whether two projects were made. A forced encryption is for good,
and an API key is shown once: so nothing is made without --yes, nor where nobody would see the key.
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import typer

from cmek_construct.aws.objects import Unread
from cmek_construct.checks import printable
from cmek_construct.commands.looking import entries_here
from cmek_construct.commands.options import NAME, flag, option
from cmek_construct.commands.printing import refused, text, told
from cmek_construct.health.findings import Refused

Indexes: TypeAlias = dict[str, str | None] | Unread | None  # an index with None is under no key of a customer
_API_KEY: Final = "PINECONE_API_KEY"
_SECRETS: Final = ("PINECONE_CLIENT_SECRET", _API_KEY)
_IN_THE_OPEN: Final = re.compile(r"http://(?!(localhost|127\.0\.0\.1|\[::1\])(:|/|$))", re.IGNORECASE)
"""Addresses to which a secret would go for everybody on the way to read."""
_AGAIN: Final = "What was asked may be done or not. Run the same again: it looks first at what is there."
_KEY_NAME: Final = "default"  # of the API key, as Pinecone's console names the first one

cli = typer.Typer(name="project", no_args_is_help=True, help="Make the Pinecone project of a stack.")


@cli.command()
@told(interrupted=f"Interrupted. {_AGAIN}".format)
def create(
    name: str = NAME,
    project_name: str | None = option("TEXT"),
    yes: bool = flag("--yes"),
    show_key: bool = flag("--show-key"),
) -> Iterator[str]:
    """Make the Pinecone project of a stack, with the encryption forced for good.

    Signs in as a service account: PINECONE_CLIENT_ID and PINECONE_CLIENT_SECRET. The API key of the project is shown
    once and written nowhere. A project that is there already is checked, and not changed.
    """
    (entry,) = entries_here(name)
    is_vendors = entry.customers is not None
    if is_vendors and project_name is None:
        raise refused("project.j2", "no_name", name=name)
    if yes and not (show_key or sys.stdout.isatty()):
        raise refused("project.j2", "no_terminal")
    project_name = project_name or name
    with _asking("sign in") as sdk:
        admin = sdk.Admin()
    yield f"Signed in at Pinecone as {printable(os.environ['PINECONE_CLIENT_ID'])} (PINECONE_CLIENT_ID)"
    keys = list[str]()
    if project := _project_of_name(admin, project_name):
        with _asking("list the project's API keys"):
            keys = [printable(f"{one.name} (ID {one.id})") for one in admin.api_keys.list(project_id=project.id)]
        yield text("project.j2", "is_there", project=_named(project), keys=keys)
    if not keys and not yes:
        yield text("project.j2", "would_make", project_name=None if project else project_name, key_name=_KEY_NAME)
        return
    if not keys:
        if not project:
            with _asking("make the project"):
                project = admin.projects.create(name=project_name, force_encryption_with_cmek=True)
            yield text("project.j2", "made", project=_named(project))
            try:
                project = _project_of_name(admin, project_name, project)
            except Refused as error:
                raise refused("project.j2", "not_whole", error=error) from None
        made = _make_key(admin, project)
        yield f"API key, which nobody can show again (keep it in a safe place now): {made.value}"
    yield "\n" + text("project.j2", "next", name=name, is_vendors=is_vendors)


def _project_of_name(admin: Any, name: str, *made: Any) -> Any:
    """The project of that name, if there is one and it is right; also of one that was made just now."""
    with _asking("list the projects"):
        found = {one.id: one for one in [*made, *admin.projects.list()] if one.name == name}
    project = next(iter(found.values()), None)
    if len(found) > 1:
        raise refused("project.j2", "several", name=name, projects=map(_named, found.values()))
    if project and not project.force_encryption_with_cmek:
        raise refused("project.j2", "not_forced", project=_named(project))
    return project


def _named(project: Any) -> str:
    forced = "forced" if project.force_encryption_with_cmek else "not forced"
    return printable(f"{project.name} (ID {project.id}, CMEK {forced})")


def _make_key(admin: Any, project: Any) -> Any:
    try:
        with _asking("make the API key"):
            return admin.api_keys.create(project_id=project.id, name=_KEY_NAME)
    except Refused as error:
        raise refused("project.j2", "no_key", error=error) from None


def indexes() -> Indexes:
    """What each index of the project of PINECONE_API_KEY is encrypted with, by name; None without such a variable."""
    key = os.environ.get(_API_KEY, "")
    if not key.strip():
        return None
    try:
        with _asking("list the indexes") as sdk:
            return {str(one.name): one.cmek_id for one in sdk.Pinecone(api_key=key).indexes.list()}
    except Refused as error:
        return Unread(str(error))


@contextmanager
def _asking(what: str) -> Iterator[Any]:
    """The SDK, and what it refuses as a refusal: what was to be done, what it means and the cure, and no secret."""
    try:
        import pinecone
    except ModuleNotFoundError:
        raise refused("project.j2", "no_sdk") from None
    host = os.environ.get("PINECONE_CONTROLLER_HOST", "")
    if _IN_THE_OPEN.match(host):
        raise refused("project.j2", "in_the_open", host=printable(host))
    try:
        yield pinecone
    except pinecone.PineconeError as error:
        words = str(error)
        for secret in filter(None, map(os.environ.get, _SECRETS)):
            words = words.replace(secret, "***")
        words = printable(" ".join(words.split())).rstrip(".")
        status = getattr(error, "status_code", None)
        reason, is_refused = str(status or type(error).__name__), (status or 500) < 500
        cure = text("project.j2", "cure", what=what, reason=reason, is_refused=is_refused, again=_AGAIN)
        raise Refused(f"Pinecone: could not {what}: {words}. {cure}") from None
