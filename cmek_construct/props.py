"""A row for each value that a user may give, on the page `props.ini`, and what may not stand together.

Constructors, ``cmek.yaml``, its schema and the reference table are made of the rows. Pure Python: a row judges plain
values. A CDK object is made plain first (`constructs/cdk.py`): a role or a key is its ARN, a duration its days, an enum
its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from cmek_construct import checks, guide
from cmek_construct.guide import ALL_REGIONS, PINECONE_REGIONS, ROLE_NAME_PREFIX, KeyAccess, Regions
from cmek_construct.rows import rows
from cmek_construct.warnings import Notice, notice

_PAGE: Final = rows(Path(__file__).with_suffix(".ini"))


class Prop(NamedTuple):
    """One value that a user may give."""

    name: str
    says: str  # what it does, and what a change of it does
    check: checks.Check  # its limits
    shape: str = ""  # its form and limits, in words
    default: str = "none"  # in words; empty for what must be given
    left_out: Any = None  # the default itself
    cdk: str = ""  # what the constructors take, where it is no plain value; `cmek.yaml` has the plain one
    in_file: str = ""  # the form of that

    @property
    def sentence(self) -> str:
        """All that a constructor says of it."""
        form = " of ".join(filter(None, [self.cdk and f"``{self.cdk}``", self.shape]))
        return f"{form}. {self.says}" + (f" Default: {self.default}." if self.default else "")


def _admins(parameter: str, value: object) -> None:
    """ARNs of roles, users or account roots, as many as a key policy has room for."""
    example = f"{checks.EXAMPLE}role/name"
    if not isinstance(value, list):
        checks.refuse(parameter, value, "it is a list of ARNs", f"Write one such as [{example}].")
    for index, one in enumerate(value):
        checks.arn(f"{parameter}[{index}]", one, checks.PRINCIPAL_ARN, example)
        if f":role/{ROLE_NAME_PREFIX}" in one:
            checks.refuse(f"{parameter}[{index}]", one, "Pinecone uses the key and does not rule it", "Leave it out.")
    least = checks.characters(guide.key_policy("0" * 12, example, KeyAccess.ENCRYPT_DECRYPT, admins=value))
    if least > checks.KEY_POLICY:
        what = f"the key policy then has {least:,} bytes or more, and KMS takes {checks.KEY_POLICY:,}"
        checks.refuse(parameter, len(value), what, "Name fewer, or a role that they assume.")


_CHECKS: Final[Mapping[str, checks.Check]] = {  # of what is neither a text of some form, nor of days, nor a flag
    "pinecone_account_id": checks.pinecone_account_id,
    "regions": checks.regions,
    "role": checks.role_arn,
    "permissions_boundary": partial(checks.arn, form=checks.POLICY_ARN, example=f"{checks.EXAMPLE}policy/name"),
    "key": checks.key_arn,
    "key_admins": _admins,
    "key_access": checks.one_of(*KeyAccess.__members__, enum="KeyAccess"),
    "removal_policy": checks.one_of("RETAIN_ON_UPDATE_OR_DELETE", "RETAIN", "DESTROY", enum="RemovalPolicy"),
}


def row(section: str, check: checks.Check | None = None, **more: Any) -> Prop:
    """The row of a section of the page, judged by its form or its days, else by a check, or by that of its name."""
    name = section.partition(" ")[0]
    said: dict[str, Any] = {**_PAGE.get(name, {}), **_PAGE[section], **more}
    check, also = check or _CHECKS.get(name, checks.flag), said.pop("also", "")
    if form := said.pop("form", ""):
        check = checks.matching(form, said.pop("allowed"), said.pop("way_out"))
    if days := said.pop("days", ""):
        least, most = map(int, days.split(" to "))
        said |= {"shape": f"{least} to {most:,} whole days", "cdk": "cdk.Duration"}
        way_out = "Give a number of days in these bounds, or leave it out."
        check = checks.whole(range(least, most + 1), f"AWS KMS takes {said['shape']}", way_out)
    said.pop("shapes", "")
    return Prop(name, **{**said, "check": check, "says": f"{said['says']} {also}".rstrip()})


def _shaping(what: str) -> tuple[Prop, ...]:
    return tuple(row(name) for name, said in _PAGE.items() if said.get("shapes") == what)


PINECONE_ACCOUNT_ID, REGIONS, EXTERNAL_ID = map(row, ("pinecone_account_id", "regions", "external_id"))
WHO: Final = (REGIONS, EXTERNAL_ID, row("pin_account", left_out=False))
TRUST: Final = (PINECONE_ACCOUNT_ID, *WHO)  # who of Pinecone may come in
NEW_ROLE: Final = _shaping("role")  # what shapes a role that is made here
ROLE_NAME, ROLE_PATH, PERMISSIONS_BOUNDARY = NEW_ROLE
NEW_KEY: Final = _shaping("key")  # what shapes a key that is made here, in whichever construct
ALIAS = NEW_KEY[0]
KEY_ADMINS, REMOVAL_POLICY = row("key_admins"), row("removal_policy")
KEY_ACCESS: Final = row("key_access", left_out=KeyAccess.KEY_USER)
SUSPENDED: Final = row("suspended", left_out=False)
KEY: Final = (KEY_ACCESS, *NEW_KEY, REMOVAL_POLICY, SUSPENDED)  # what is said of a key, its access first
CMEK: Final = (  # what `PineconeCmek` takes
    *TRUST, row("role"), *NEW_ROLE, row("key"), KEY_ADMINS, *KEY[:-1], row("suspended of PineconeCmek", left_out=False)
)  # fmt: skip
# What has no place beside a role or a key that is given
SHAPING: Final = {"role": NEW_ROLE, "key": (KEY_ADMINS, *NEW_KEY), "role and key": (REMOVAL_POLICY,)}


def contradictions(props: Mapping[str, Any]) -> Iterator[ValueError]:
    """A period of a rotation that is off; and what shapes a new role or key, beside one that is given."""
    if props.get("enable_key_rotation") is False and props["rotation_period"] is not None:
        yield checks.refusal("role and key", "no-rotation")
    for what, shaping in SHAPING.items():
        is_given = all(props.get(one) is not None for one in what.split(" and "))
        for one in shaping if is_given else ():
            if (value := props.get(one.name)) is not None:
                yield checks.refusal("role and key", "shapes", prop=one.name, value=checks.shown(value), what=what)


@dataclass(frozen=True)
class Trust:
    """Who of Pinecone may come in."""

    account_id: str
    regions: Regions
    external_id: str | None = None
    pin_account: bool = False

    def problems(self) -> Iterator[ValueError]:
        """What the parameters, each right by itself, may not say together."""
        if self.regions is ALL_REGIONS and self.external_id is None:
            yield checks.refusal("trust", "no-id")
        if self.regions is not ALL_REGIONS and self.pin_account:
            yield checks.refusal("trust", "pinned")
        size, most = self.known_size(), checks.TRUST_POLICY_LIMIT
        if size > most:
            yield checks.refusal("trust", "too-long", size=size, most=most, quota=checks.TRUST_POLICY_QUOTA)

    def known_size(self, *, suspended: bool = False) -> int:
        """The least that IAM will count: a token is as short as its value can be."""
        shortest = self.without_tokens("0" * 12, "xx-xxxx-1", "00")
        brackets = 2 if len(self._listed()) == 1 else 0  # a list of one is written as a string
        return checks.characters(guide.trust_policy(**vars(shortest), suspended=suspended)) - brackets

    def without_tokens(self, account_id: str, region: str, external_id: str) -> Trust:
        """The same with these in the places of tokens."""

        def known(own: str, name: str) -> str:
            return name if checks.is_unknown(own) else own

        regions = [known(own, region) for own in self._listed()] or self.regions
        its_id = self.external_id and known(self.external_id, external_id)
        return Trust(known(self.account_id, account_id), regions, its_id, self.pin_account)

    def _listed(self) -> list[str]:
        return [] if self.regions is ALL_REGIONS else list(self.regions)

    def key_notices(self, key_region: str | None) -> Iterator[Notice]:
        """What is unusual about a key in this region."""
        listed = self._listed()
        if listed and key_region not in (None, *listed) and not any(map(checks.is_unknown, listed)):
            yield notice("key-region-not-in-regions", key_region=key_region, regions=", ".join(listed))

    def notices(self, own_account: str | None, *, suspended: bool = False) -> Iterator[Notice]:
        """What may be right and is unusual, in a stack of this account; ``suspended``: with a denial of everybody."""
        if self.account_id == own_account:
            yield notice("pinecone-account-is-own", account=own_account)
        elif re.fullmatch(r"\$\{Token\[AWS\.AccountId\.[0-9]+\]\}", self.account_id):
            yield notice("pinecone-account-is-own", account="cdk.Aws.ACCOUNT_ID")
        for region in self._listed():
            if region not in PINECONE_REGIONS and not checks.is_unknown(region):
                yield notice("region-not-in-guide", region=region, listed=", ".join(PINECONE_REGIONS))
        if self.external_id is None:
            yield notice("no-external-id")
        elif not checks.is_unknown(self.external_id) and not checks.UUID_V4.fullmatch(self.external_id):
            yield notice("external-id-not-uuid-v4", external_id=self.external_id)
        size = self.known_size(suspended=suspended)
        if size > checks.TRUST_POLICY_QUOTA:
            yield notice("trust-policy-over-quota", size=size, quota=checks.TRUST_POLICY_QUOTA)
