"""A vendor on Pinecone, and customers of it with keys of their own."""

from __future__ import annotations

from typing import Final

from rehearsal.accounts import Site

VENDOR: Final = Site("vendor", "777777777777", "us-east-1", external_id="77777777-7777-4777-8777-777777777777")
"""The account of the role that uses the customers' keys, and that has no key itself."""

BY_CONSTRUCT: Final = Site("VendorKey", "444455556666", "us-east-1", external_id=VENDOR.external_id)
"""As in examples/customer_key.py."""
BY_KIT: Final = Site("pinecone-cmek-key", "121212121213", "eu-west-1", external_id=VENDOR.external_id)
"""As the kit's page says."""
CUSTOMERS: Final = {BY_CONSTRUCT: "the customer with CDK", BY_KIT: "the customer with the kit"}
"""Pinecone comes to their keys through the vendor's role, with the vendor's external ID."""

NOT_LISTED: Final = Site("another-key", "131313131313", "us-east-1", external_id=VENDOR.external_id)
"""Its key policy lets the vendor's role in, but the vendor lists it only at the end."""

OTHER_ROLE: Final = f"arn:aws:iam::{VENDOR.account}:role/product"
"""Another role of the vendor's account, which may do everything with every key, by IAM."""


def other(customer: Site) -> Site:
    """The other of the two customers."""
    (found,) = (site for site in CUSTOMERS if site != customer)
    return found
