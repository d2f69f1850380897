"""The accounts that every app gets: the same ones, made anew alike at each run."""

from __future__ import annotations

import json
import random
import uuid
from pathlib import Path

from cmek_construct import PINECONE_REGIONS

PINECONE = "999988887777"
REGION = "us-east-1"


def name(index: int) -> str:
    """The name of an account's stack."""
    return f"Account{index:05}"


def write(folder: Path, count: int, regions: int) -> Path:
    """Write ``cmek.yaml`` for our app and ``accounts.json`` for the bare ones.

    All use the guide's first statement: explicit regions, so many, and an external ID.
    """
    named = list(PINECONE_REGIONS[:regions])
    folder.mkdir()
    repeatable = random.Random(count)  # noqa: S311
    accounts = {
        name(index): {
            "account": f"{100_000_000_000 + index}",
            "region": REGION,
            "external_id": str(uuid.UUID(int=repeatable.getrandbits(128), version=4)),
            "principals": [f"arn:aws:iam::{PINECONE}:role/pinecone_cmek_access_{region}" for region in named],
        }
        for index in range(count)
    }
    (folder / "accounts.json").write_text(json.dumps(accounts))
    shared = {"pinecone_account_id": PINECONE, "region": REGION, "regions": named}
    lines = [f"{key}: {json.dumps(value)}" for key, value in shared.items()]
    lines.append("stacks:")
    for stack, account in accounts.items():
        lines.append(f"  {stack}:")
        lines += [f'    {key}: "{account[key]}"' for key in ("account", "external_id")]
    (folder / "cmek.yaml").write_text("\n".join(lines) + "\n")
    return folder
