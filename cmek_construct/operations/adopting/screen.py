"""What `cmek adopt` prints: each difference with its ways out, and the commands to run next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from cmek_construct.operations.findings import Finding, Verdict, marked
from cmek_construct.operations.writing import FILE


def shown(found: Sequence[Finding]) -> Iterator[str]:
    """What was found: first what does harm."""
    for verdict in (Verdict.WRONG, Verdict.SAID, Verdict.RIGHT):
        for finding in (one for one in found if one.verdict is verdict):
            yield marked(finding)
            if finding.means:
                yield f"    then: {finding.means}"
            if finding.cure:
                yield f"    way out: {finding.cure}"


def what_next(name: str, file: Path, *, added: bool) -> Iterator[str]:
    """What is written, and the commands in their order."""
    yield f"{FILE}: {name} added." if added else f"{FILE}: {name} stays as it is."
    yield ""
    yield "Run next, in this order. Never deploy before the import: that may make another key."
    for command, why in (
        (f"git add {FILE}", "and commit it"),
        (f"npx cdk diff {name}", "shows role, key and alias as new, and replaces nothing"),
        (f"npx cdk import {name} --resource-mapping {file}", "takes them over, changes neither"),
        (f"npx cdk deploy {name}", "adds the outputs, and what the import left out"),
        (f"cmek doctor {name}", "compares once more"),
        (f"cmek sheet {name}", "must show what Pinecone's console shows"),
        ("cmek lock --deployed", "from then on nothing replaces them"),
    ):
        yield f"  {command}  # {why}"
