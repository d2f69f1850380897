"""One trust policy of Pinecone's, as plain data: what may not stand together in it, and what is unusual about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from cmek_construct import checks, guide
from cmek_construct.guide import ALL_REGIONS, PINECONE_REGIONS, Regions, Statement
from cmek_construct.warnings import Notice, notice


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
            yield ValueError(
                "external_id: got None with regions=ALL_REGIONS, but the guide's third trust policy has an external "
                "ID: without one, Pinecone's role of every region comes in for whoever names your role. Give a UUID "
                "v4, or list the regions."
            )
        if self.regions is not ALL_REGIONS and self.pin_account:
            yield ValueError(
                "pin_account: got True with explicit regions, but it only replaces the * principal of "
                "regions=ALL_REGIONS. Leave it out: explicit regions name the account already."
            )
        size = self.known_size()
        if size > checks.TRUST_POLICY_LIMIT:
            yield ValueError(
                f"regions: got a trust policy of {size:,} characters, but IAM takes {checks.TRUST_POLICY_LIMIT:,} at "
                f"most (by default {checks.TRUST_POLICY_QUOTA:,}). List fewer regions, shorten the external ID, or use "
                "ALL_REGIONS with an external ID."
            )

    def statement(self) -> Statement:
        """The guide's trust statement (step 1.5)."""
        return guide.trust_statement(**vars(self))

    def readable_statement(self) -> Statement:
        """The same for a person to read and paste: tokens become names in angle brackets."""
        return self._without_tokens("<pinecone_account_id>", "<region>", "<output ExternalId>").statement()

    def known_size(self, *, suspended: bool = False) -> int:
        """The least that IAM will count: a token is as short as its value can be."""
        shortest = self._without_tokens("0" * 12, "xx-xxxx-1", "00")
        policy = guide.trust_policy(**vars(shortest), suspended=suspended)
        principal = policy["Statement"][0]["Principal"]
        if len(principal["AWS"]) == 1:  # a list of one is written as a string
            (principal["AWS"],) = principal["AWS"]
        return checks.characters(policy)

    def _without_tokens(self, account_id: str, region: str, external_id: str) -> Trust:
        def known(own: str, name: str) -> str:
            return name if checks.is_unknown(own) else own

        return replace(
            self,
            account_id=known(self.account_id, account_id),
            regions=[known(own, region) for own in self._listed()] or self.regions,
            external_id=self.external_id and known(self.external_id, external_id),
        )

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
