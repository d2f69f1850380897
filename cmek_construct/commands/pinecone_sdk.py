"""Pinecone, asked through its own SDK: who asks, and what a refusal means. No secret gets out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from cmek_construct.aws.objects import Unread
from cmek_construct.checks import printable
from cmek_construct.health.findings import Refused

CLIENT_ID: Final = "PINECONE_CLIENT_ID"
CLIENT_SECRET: Final = "PINECONE_CLIENT_SECRET"  # noqa: S105 - the name of the variable
API_KEY: Final = "PINECONE_API_KEY"
HOST: Final = "PINECONE_CONTROLLER_HOST"
"""The SDK's own variable for the API of a private deployment."""
_HERE: Final = ("127.0.0.1", "::1", "localhost")
_CURES: Final[Mapping[int, str]] = {
    401: f"It does not know these credentials: check {CLIENT_ID} and {CLIENT_SECRET}. A secret "
    "that was rotated is no longer valid.",
    402: "An owner of the organization must settle the billing first.",
    403: "These credentials may not do that: an owner of the organization gives the role.",
    429: "It was asked too often: wait a minute, and run the same again.",
}
_AGAIN: Final = "Run the same again: it looks first at what is there."
_NO_NETWORK: Final = f"Check the network and its proxy. What was asked may be done or not. {_AGAIN}"


def is_safe(url: str) -> bool:
    """Whether a secret may be sent there: encrypted, or to this machine."""
    parts = urlsplit(url if "://" in url else f"https://{url}")
    try:
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    return bool(host) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE)
    )


def admin(oauth_url: str | None = None) -> Any:
    """The SDK's client for projects and API keys, signed in with what the environment says.

    Args:
        oauth_url: the token endpoint of a private deployment. Default: Pinecone's.

    Raises:
        Refused: there are no credentials, or Pinecone does not take them.
    """
    missing = [name for name in (CLIENT_ID, CLIENT_SECRET) if not os.environ.get(name, "").strip()]
    if missing:
        raise Refused(
            f"Not set: {' and '.join(missing)}. They are those of a service account of your "
            "organization: Pinecone console, Settings > Organization settings. Its secret is shown "
            "only once."
        )
    with asking("sign in"):
        return _sdk().Admin(oauth_url=oauth_url)


def indexes() -> dict[str, str | None] | Unread | None:
    """The indexes of the project to which the API key in the environment belongs.

    Returns:
        By name what each is encrypted with, None where that is no key of a customer; why they could
        not be read; None where there is no API key to ask with.
    """
    if not os.environ.get(API_KEY, "").strip():
        return None
    cure = f"It does not know this API key: check {API_KEY}. If the project is deleted, unset it."
    try:
        with asking("list the indexes", {401: cure}):
            client = _sdk().Pinecone(api_key=os.environ[API_KEY])
            return {str(one.name): one.cmek_id for one in client.indexes.list()}
    except Refused as error:
        return Unread(str(error))


@contextmanager
def asking(what: str, cures: Mapping[int, str] = _CURES) -> Iterator[None]:
    """Say what a refusal of the SDK means, without a secret in it.

    Args:
        what: was to be done, such as ``make the project``.
        cures: by HTTP status, where they differ from the usual ones.

    Raises:
        Refused: in place of what the SDK raises.
    """
    errors = _sdk().PineconeError
    host = os.environ.get(HOST, "")
    if host and not is_safe(host):
        raise Refused(
            f"{HOST}: got {printable(host)}, but a secret is sent only to https://…, or to this "
            "machine. Unset it for Pinecone itself."
        )
    try:
        yield
    except errors as error:
        words = _without_secrets(str(error))
        raise Refused(
            f"Pinecone: could not {what}: {words}. {_cure(error, {**_CURES, **cures})}"
        ) from None


def _sdk() -> Any:
    """The SDK, imported where it is needed."""
    try:
        import pinecone
    except ModuleNotFoundError:
        raise Refused(
            "Pinecone's SDK is not installed. Run: pip install 'cmek-construct[pinecone]'"
        ) from None
    return pinecone


def _cure(error: Exception, cures: Mapping[int, str]) -> str:
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        by_default = f"Wait a little. {_AGAIN}" if status >= 500 else "Nothing was changed."
        return cures.get(status, by_default)
    if isinstance(error, _sdk().PineconeConnectionError | _sdk().PineconeTimeoutError):
        return _NO_NETWORK
    if isinstance(error, _sdk().ResponseParsingError):
        return f"This version of the SDK may be too old for it: pip install -U pinecone. {_AGAIN}"
    return "Nothing was asked of Pinecone."


def _without_secrets(words: str) -> str:
    for secret in (os.environ.get(CLIENT_SECRET), os.environ.get(API_KEY)):
        words = words.replace(secret, "***") if secret else words
    return printable(" ".join(words.split())).rstrip(".")
