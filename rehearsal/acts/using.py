"""What the assumed role may do with the key, and what it may not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from rehearsal import accounts
from rehearsal.accounts import BYSTANDER, SITES, Site
from rehearsal.aws import ALLOWED, REFUSED, answer
from rehearsal.world import World


def play(world: World) -> None:
    """Use the key as Pinecone does, and try what it must not do."""
    for site in SITES:
        world.report.heading(f"{site.name}: what Pinecone may do with the key")
        _use(world, site)
        misuse(world, site)


def _use(world: World, site: Site) -> None:
    session = world.pinecone(site)
    kms = world.aws.client("kms", session, site.region)
    key = world.first[site].key_arn

    row = world.report.row
    row("encrypts", ALLOWED, world.encrypts(site, session))
    row("decrypts its own ciphertext", ALLOWED, world.reads(site, session))
    row("makes a data key", ALLOWED, _data_key(kms, key))
    bystander = world.session(accounts.role_arn(site, BYSTANDER))
    row("another role of the account decrypts it", REFUSED, world.reads(site, bystander))
    row("   Pinecone's role", ALLOWED, world.reads(site, session))


def _data_key(kms: Any, key: str) -> str:
    """Whether a data key can be made, and comes out of its ciphertext again."""
    same: list[bool] = []

    def make() -> None:
        made = kms.generate_data_key(KeyId=key, KeySpec="AES_256")
        opened = kms.decrypt(KeyId=key, CiphertextBlob=made["CiphertextBlob"])
        same.append(opened["Plaintext"] == made["Plaintext"])

    answered = answer(make)
    return "another key" if same == [False] else answered


def misuse(world: World, site: Site, *, two_actions: bool = False) -> None:
    """Try what Pinecone must not do with the key, and the account's administrator may.

    Args:
        world: of the play.
        site: whose key.
        two_actions: the guide's two actions are all that Pinecone may do.
    """
    pinecone = world.aws.client("kms", world.pinecone(site), site.region)
    administrator = world.client("kms", site)
    key = world.first[site].key_arn
    policy = administrator.get_key_policy(KeyId=key)["Policy"]
    for question, ask in _forbidden(key, policy, two_actions):
        world.report.row(question, REFUSED, answer(partial(ask, pinecone)))
        question = "   the account's administrator"
        world.report.row(question, ALLOWED, answer(partial(ask, administrator)))
    # The controls have disabled the key and sent it to its end.
    administrator.cancel_key_deletion(KeyId=key)
    administrator.enable_key(KeyId=key)
    world.report.row("decrypts after all that", ALLOWED, world.pinecone_reads(site))


def _forbidden(key: str, policy: str, two_actions: bool) -> Iterator[tuple[str, Callable[[Any], object]]]:
    if two_actions:
        yield "describes the key", lambda kms: kms.describe_key(KeyId=key)
        yield ("makes a data key", lambda kms: kms.generate_data_key(KeyId=key, KeySpec="AES_256"))
    yield "reads the key policy", lambda kms: kms.get_key_policy(KeyId=key)
    yield ("writes the key policy", lambda kms: kms.put_key_policy(KeyId=key, Policy=policy))
    yield "disables the key", lambda kms: kms.disable_key(KeyId=key)
    yield "deletes the key", lambda kms: kms.schedule_key_deletion(KeyId=key)
