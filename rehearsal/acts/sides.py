"""Both sides or nothing: a customer's key policy and the vendor's list, each without the other."""

from __future__ import annotations

import json
from typing import NamedTuple

from rehearsal.accounts import Site
from rehearsal.aws import ALLOWED, REFUSED
from rehearsal.customers import BY_CONSTRUCT, BY_KIT, CUSTOMERS, NOT_LISTED, VENDOR, other
from rehearsal.guide import Document
from rehearsal.world import NOT_ASKED, Made, World


def play(world: World) -> None:
    """Take each side away, and put it back."""
    for site in CUSTOMERS:
        _without_the_customers_side(world, site)
    _without_the_vendors_side(world)


def _without_the_customers_side(world: World, site: Site) -> None:
    world.report.heading(f"The key policy of {CUSTOMERS[site]} without the vendor's role")
    policy = take_vendor_out(world, site)
    _read(world, site, REFUSED)
    _read(world, other(site), ALLOWED)
    world.put_key_policy(site, policy)
    world.report.row("   put back", ALLOWED, world.pinecone_reads(site))


def _without_the_vendors_side(world: World) -> None:
    who = CUSTOMERS[BY_KIT]
    stays, goes = (_managed_policy(world, site) for site in (BY_KIT, BY_CONSTRUCT))
    _make_key_of_nobody(world)
    world.report.heading(f"The vendor's list without {CUSTOMERS[BY_CONSTRUCT]}")
    _list(world, "a customer goes", BY_KIT)
    _read(world, BY_CONSTRUCT, REFUSED)
    _read(world, BY_KIT, ALLOWED)
    world.report.row(f"the managed policy of {who}", "untouched", _change(world, stays))
    world.report.row("   of the one who went", "gone", _change(world, goes))
    stranger = "encrypts with a key whose policy lets it in, but whose account is not listed"
    world.report.row(stranger, REFUSED, world.encrypts(NOT_LISTED, world.pinecone(NOT_LISTED)))

    world.report.heading("The list in another order, with one customer back and one new")
    _list(world, "two customers come", NOT_LISTED, BY_KIT, BY_CONSTRUCT)
    _read(world, BY_CONSTRUCT, ALLOWED)
    _read(world, BY_KIT, ALLOWED)
    given = world.encrypts(NOT_LISTED, world.pinecone(NOT_LISTED))
    world.report.row("encrypts with that key, whose account is listed now", ALLOWED, given)
    # The new one's account ends in the same digit.
    world.report.row(f"the managed policy of {who}", "another version", _change(world, stays))


def take_vendor_out(world: World, site: Site) -> Document:
    """The customer takes the vendor's role out of the key policy. Returns it as it was."""
    policy = world.key_policy(site)
    vendor = {"AWS": world.first[site].role_arn}
    others = [one for one in policy["Statement"] if one["Principal"] != vendor]
    world.put_key_policy(site, policy | {"Statement": others})
    return policy


class _ManagedPolicy(NamedTuple):
    arn: str
    unique_id: str
    version: str


def _managed_policy(world: World, site: Site) -> _ManagedPolicy:
    """That of the vendor's role which has the customer."""
    iam = world.client("iam", VENDOR)
    name = world.first[site].role_arn.rsplit("/", 1)[1]
    for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        policy = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]
        version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
        if site.account in json.dumps(version["PolicyVersion"]["Document"]):
            found = policy
    return _ManagedPolicy(found["Arn"], found["PolicyId"], found["DefaultVersionId"])


def _change(world: World, before: _ManagedPolicy) -> str:
    """What has become of a managed policy. (The emulator's events tell no change from none.)"""
    iam = world.client("iam", VENDOR)
    try:
        now = iam.get_policy(PolicyArn=before.arn)["Policy"]
    except iam.exceptions.NoSuchEntityException:
        return "gone"
    if now["PolicyId"] != before.unique_id:
        return "another policy"
    return "untouched" if now["DefaultVersionId"] == before.version else "another version"


def _make_key_of_nobody(world: World) -> None:
    """A key with the policy of a customer's, in an account that the vendor does not list."""
    of_customer = world.first[BY_CONSTRUCT]
    policy = json.dumps(world.key_policy(BY_CONSTRUCT))
    key = world.client("kms", NOT_LISTED).create_key(Policy=policy.replace(BY_CONSTRUCT.account, NOT_LISTED.account))
    world.first[NOT_LISTED] = Made(of_customer.role_arn, key["KeyMetadata"]["Arn"], "")


def _list(world: World, what: str, *customers: Site) -> None:
    world.vendor.change(VENDOR, customer_account_ids=[site.account for site in customers])
    deploy = ("cdk", "deploy", VENDOR.name, *NOT_ASKED)
    ended = world.run(world.vendor.folder, world.administrator(VENDOR), *deploy)
    world.ends(f"`cdk deploy`: {what}", ended)


def _read(world: World, site: Site, expected: str) -> None:
    question = f"decrypts with the key of {CUSTOMERS[site]}"
    world.report.row(question, expected, world.pinecone_reads(site))
