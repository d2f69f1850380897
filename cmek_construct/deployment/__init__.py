"""From cmek.yaml to one stack per entry: what app.py is made of."""

from __future__ import annotations

from cmek_construct.deployment.reading import ConfigError, Entry, read_entries
from cmek_construct.deployment.stack import CmekStack

__all__ = ["CmekStack", "ConfigError", "Entry", "read_entries"]
