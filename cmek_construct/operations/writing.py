"""Writes cmek.yaml: a new one, or one more stack in the one that is there.

External IDs are minted here and nowhere else, once, into the file.
"""

from __future__ import annotations

import io
import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString
from ruamel.yaml.util import load_yaml_guess_indent

from cmek_construct.deployment.reading import ConfigError, parse_entries

FILE = Path("cmek.yaml")
SCHEMA = Path("cmek_construct/deployment/cmek.schema.json")

_NEW_FILE = """\
{schema}# One stack per Pinecone project: a role and a KMS key in one AWS account and region.
# Every prop stands in the README; the top holds for all stacks, and a stack overrides it.

# Pinecone's AWS account number: Pinecone console, Manage > CMEK > Add CMEK.
pinecone_account_id: "{pinecone_account_id}"

# The regions whose Pinecone role may come in, or ALL_REGIONS.
regions: {regions}

# The AWS region of the keys.
region: {region}

stacks:
  # The name is the stack's, for good: another name is another key.
  {name}:
    account: "{account}"
"""

_EXTERNAL_ID = """\
    # Made once for this stack. Pinecone stores it: never change it.
    external_id: {external_id}
"""


@dataclass(frozen=True)
class Answers:
    """What `cmek init` was told."""

    pinecone_account_id: str
    regions: str
    region: str
    name: str
    account: str


def mint_external_id() -> str:
    """A new external ID: a UUID v4, as the guide asks."""
    return str(uuid.uuid4())


def new_file(answers: Answers, external_id: str | None) -> None:
    """Write cmek.yaml into the current folder.

    Raises:
        ConfigError: there is one already, or the answers contradict each other.
    """
    regions = "ALL_REGIONS" if answers.regions == "ALL_REGIONS" else f"[{answers.regions}]"
    text = _NEW_FILE.format(
        schema=f"# yaml-language-server: $schema={SCHEMA}\n" if SCHEMA.exists() else "",
        pinecone_account_id=answers.pinecone_account_id,
        regions=regions.replace(" ", "").replace(",", ", "),
        region=answers.region,
        name=answers.name,
        account=answers.account,
    )
    if external_id is not None:
        text += _EXTERNAL_ID.format(external_id=external_id)
    parse_entries(text, FILE)
    try:
        with FILE.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(
            f"{FILE}: it is there already, and is never overwritten: its external IDs are in use. "
            "`cmek add` adds a stack to it."
        ) from None


def add_entry(name: str, values: dict[str, str | list[str] | None]) -> None:
    """Add a stack at the end of cmek.yaml; comments and order stay.

    Raises:
        ConfigError: there is no such file, it has mistakes, or it has the name already.
    """
    try:
        text = FILE.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{FILE}: there is no such file here. `cmek init` writes one.") from None
    if any(entry.name == name for entry in parse_entries(text, FILE)):
        raise ConfigError(
            f"{FILE}: stacks.{name}: it is there already. Choose another name: a stack's role and "
            "key are for one Pinecone project."
        )
    changed = _with_entry(text, name, values)
    parse_entries(changed, FILE)
    _replace(FILE, changed)


def _with_entry(text: str, name: str, values: dict[str, str | list[str] | None]) -> str:
    _, indent, offset = load_yaml_guess_indent(text)
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=indent or 2, sequence=(offset or 2) + 2, offset=offset or 2)
    document = yaml.load(text)
    document["stacks"][name] = {
        prop: DoubleQuotedScalarString(value)
        if isinstance(value, str) and value.isdigit()
        else value
        for prop, value in values.items()
        if value is not None
    }
    changed = io.StringIO()
    yaml.dump(document, changed)
    return changed.getvalue()


def _replace(path: Path, text: str) -> None:
    """All of the new file, or all of the old."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
