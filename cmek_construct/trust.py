"""One trust policy of Pinecone's: its parameters, checked, and what is unusual about them.

Pure Python over plain data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cmek_construct import checks, guide, limits, notices
from cmek_construct.guide import ALL_REGIONS, PINECONE_REGIONS, Regions, Statement


@dataclass(frozen=True)
class Trust:
    """Who of Pinecone may come in."""

    account_id: str
    regions: Regions
    external_id: str | None = None
    pin_account: bool = False

    def check(self, account_parameter: str = "pinecone_account_id") -> None:
        """Raise a `ValueError` for what no trust policy of Pinecone's can say."""
        checks.pinecone_account_id(account_parameter, self.account_id)
        checks.regions("regions", self.regions)
        checks.external_id("external_id", self.external_id)
        checks.flag("pin_account", self.pin_account)
        checks.first(self.problems())

    def problems(self) -> Iterator[ValueError]:
        """What the parameters, each right by itself, may not say together."""
        if self.regions is ALL_REGIONS and self.external_id is None:
            yield ValueError(
                "external_id: got None with regions=ALL_REGIONS, but the guide's third trust "
                "policy has an external ID: without one, Pinecone's role of every region comes in "
                "for whoever names your role. Give a UUID v4, or list the regions."
            )
        if self.regions is not ALL_REGIONS and self.pin_account:
            yield ValueError(
                "pin_account: got True with explicit regions, but it only replaces the * "
                "principal of regions=ALL_REGIONS. Leave it out: explicit regions name the "
                "account already."
            )
        size = self.known_size()
        if size > limits.TRUST_POLICY_LIMIT:
            yield ValueError(
                f"regions: got a trust policy of {size:,} characters, but IAM takes "
                f"{limits.TRUST_POLICY_LIMIT:,} at most (by default "
                f"{limits.TRUST_POLICY_QUOTA:,}). List fewer regions, shorten the external ID, "
                "or use ALL_REGIONS with an external ID."
            )

    def statement(self) -> Statement:
        """The guide's trust statement (step 1.5)."""
        return guide.trust_statement(**vars(self))

    def readable(self) -> Trust:
        """The same for a person to read and paste: tokens become names in angle brackets."""
        return self._without_tokens("<pinecone_account_id>", "<region>", "<output ExternalId>")

    def key_notices(self, key_region: str | None) -> Iterator[notices.Notice]:
        """What is unusual about a key in this region."""
        if self.regions is ALL_REGIONS or key_region is None:
            return
        if key_region not in self.regions and not any(map(checks.is_token, self.regions)):
            yield notices.key_region_not_in_regions(key_region, self.regions)

    def known_size(self, *, suspended: bool = False) -> int:
        """The least that IAM will count: a token is as short as its value can be."""
        shortest = self._without_tokens("0" * 12, "xx-xxxx-1", "00")
        policy = guide.trust_policy(**vars(shortest), suspended=suspended)
        principal = policy["Statement"][0]["Principal"]
        if len(principal["AWS"]) == 1:  # a list of one is written as a string
            (principal["AWS"],) = principal["AWS"]
        return limits.characters(policy)

    def _without_tokens(self, account_id: str, region: str, external_id: str) -> Trust:
        """The same, with these in their place."""
        return replace(
            self,
            account_id=_or(account_id, self.account_id),
            regions=self.regions
            if self.regions is ALL_REGIONS
            else [_or(region, own) for own in self.regions],
            external_id=self.external_id and _or(external_id, self.external_id),
        )

    def notices(
        self, own_account: str | None, *, suspended: bool = False
    ) -> Iterator[notices.Notice]:
        """What may be right and is unusual.

        Args:
            own_account: the account of the stack, where it is known.
            suspended: the trust policy denies everybody.
        """
        if self.account_id == own_account:
            yield notices.pinecone_account_is_own(own_account)
        if self.regions is not ALL_REGIONS:
            for region in self.regions:
                if region not in PINECONE_REGIONS and not checks.is_token(region):
                    yield notices.region_not_in_guide(region)
        if self.external_id is None:
            yield notices.no_external_id()
        elif not checks.is_token(self.external_id) and not checks.UUID_V4.fullmatch(
            self.external_id
        ):
            yield notices.external_id_not_uuid_v4(self.external_id)
        size = self.known_size(suspended=suspended)
        if size > limits.TRUST_POLICY_QUOTA:
            yield notices.trust_policy_over_quota(size)


def _or(name: str, value: str) -> str:
    return name if checks.is_token(value) else value
