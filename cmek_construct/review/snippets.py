"""The statements of Pinecone's guide and of the KMS console, as a person copies them.

Words in ``<…>`` are the places that the guide, or the console, has a person fill in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cmek_construct import guide
from cmek_construct.guide import PINECONE_REGIONS, KeyAccess, Statement


@dataclass(frozen=True)
class Snippet:
    """One statement of the guide or of the console."""

    title: str
    source: str
    statement: Statement


_STEP: Final = "Pinecone's guide, step 1.5"
_CONSOLE: Final = "the KMS console's default key policy"

# With a role for each region; whoever copies them keeps those of their own regions.
EXPLICIT_WITH_ID: Final = Snippet(
    "Explicit regions + external ID",
    _STEP,
    guide.trust_statement("<Pinecone>", PINECONE_REGIONS, "<external ID>"),
)
EXPLICIT: Final = Snippet(
    "Explicit regions + no external ID",
    _STEP,
    guide.trust_statement("<Pinecone>", PINECONE_REGIONS),
)
ALL_REGIONS: Final = Snippet(
    "All regions + external ID",
    _STEP,
    guide.trust_statement("<Pinecone>", guide.ALL_REGIONS, "<external ID>"),
)
_root, _admins, _use, _attach = guide.key_policy(
    "<this account>", "<role>", KeyAccess.KEY_USER, admins=["<administrator>"]
)["Statement"]
ROOT: Final = Snippet("The account rules its key", f"{_CONSOLE} (guide, step 2.10)", _root)
ADMINISTRATORS: Final = Snippet(
    "Key administrators", f"{_CONSOLE} (guide, step 2.10, where it has none)", _admins
)
USE: Final = Snippet("Key users: use of the key", f"{_CONSOLE} (guide, step 2.11)", _use)
ATTACH: Final = Snippet(
    "Key users: attachment of persistent resources", f"{_CONSOLE} (guide, step 2.11)", _attach
)
CUSTOMER: Final = Snippet(
    "Keys outside your account",
    "Pinecone's guide, step 1, second tab: there in the box of the trust policy, where AWS refuses "
    "it; here a permission of the role, once for each customer",
    {**guide.customer_statement("<customer>"), "Sid": "<label>"},
)
