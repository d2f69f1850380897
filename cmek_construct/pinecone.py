"""What Pinecone's CMEK guide says about Pinecone itself: regions and role names.

Pure data, read beside https://docs.pinecone.io (Configure customer-managed encryption
keys). Pinecone's account number is not here: it is shown in Pinecone's console only.
"""

from __future__ import annotations

import enum
from typing import Final, Literal

PINECONE_REGIONS: Final[tuple[str, ...]] = (
    "us-east-1",
    "us-west-2",
    "eu-west-1",
    "eu-central-1",
    "ap-southeast-1",
)
"""The five AWS regions of the guide's trust policies (step 1.5), in the guide's order."""

ROLE_NAME_PREFIX: Final = "pinecone_cmek_access_"
"""Pinecone comes as ``arn:aws:iam::<its account>:role/pinecone_cmek_access_<region>``."""


class AllRegions(enum.Enum):
    """The type of `ALL_REGIONS`."""

    ALL_REGIONS = "ALL_REGIONS"

    def __repr__(self) -> str:
        return self.value


ALL_REGIONS: Final[Literal[AllRegions.ALL_REGIONS]] = AllRegions.ALL_REGIONS
"""Pass as ``regions`` for the guide's third trust policy: Pinecone's role of every region,
today's and tomorrow's. Needs an external ID."""
