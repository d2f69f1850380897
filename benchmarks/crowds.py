"""An app of one stack: a role of many customers, or a stack set of many accounts.

Usage: ``python crowds.py NAME``, one of `CROWDS`.
"""

from __future__ import annotations

import sys
import uuid
from typing import Any, Final

import cmek_construct
from cmek_construct import StackSetTargets

_ACCOUNTS: Final = [f"{200_000_000_000 + number}" for number in range(1_000)]
_IDS: Final = {account: str(uuid.UUID(int=number, version=4)) for number, account in enumerate(_ACCOUNTS)}
_TRUST: Final[dict[str, Any]] = {"pinecone_account_id": "999988887777", "regions": ["us-east-1"]}
_SET: Final[dict[str, Any]] = {**_TRUST, "stack_set_name": "pinecone-cmek", "region": "us-east-1"}
_ID: Final = {"external_id": _IDS[_ACCOUNTS[0]]}

CROWDS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "a role of no customer": ("PineconeRole", {**_TRUST, **_ID}),
    "a role of 300 customers": ("PineconeRole", {**_TRUST, **_ID, "customer_account_ids": _ACCOUNTS[:300]}),
    "a set of 1,000 accounts": (
        "PineconeCmekStackSet",
        {**_SET, **_ID, "targets": StackSetTargets.accounts(_ACCOUNTS)},
    ),
    "the same with an external ID each": ("PineconeCmekStackSet", {**_SET, "targets": StackSetTargets.accounts(_IDS)}),
}

if __name__ == "__main__":
    import aws_cdk as cdk  # starts Node: not for who reads the names of the crowds

    construct, props = CROWDS[sys.argv[1]]
    app = cdk.App(analytics_reporting=False)
    stack = cdk.Stack(app, "Crowd", env=cdk.Environment(account="333344445555", region="us-east-1"))
    getattr(cmek_construct, construct)(stack, "Crowd", **props)
    app.synth()
