"""The JSON Schema of cmek.yaml, out of the types of its fields and of their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING
from dataclasses import fields as fields_of
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from cmek_construct import checks
from cmek_construct.deployment.config import AT_TOP, IN_STACK, StackSettings, sentence
from cmek_construct.guide import PINECONE_REGIONS

_MORE: dict[str, Any] = {
    "account": {"pattern": f"^{checks.ACCOUNT_ID.pattern}$"},
    "pinecone_account_id": {"pattern": f"^{checks.ACCOUNT_ID.pattern}$"},
    "external_id": {"pattern": f"^{checks.EXTERNAL_ID.pattern}$"},
    "regions": {"examples": [list(PINECONE_REGIONS), "ALL_REGIONS"]},
}
_TOP = "cmek.yaml: shared values at the top, and one stack per Pinecone project."


def json_schema() -> dict[str, Any]:
    """The schema, which `scripts/docs` writes beside `deployment/config.py`."""
    stack = _model("StackSettings", StackSettings.__doc__, IN_STACK)
    stacks = (dict[str, stack], _field("stacks", ..., min_length=1))  # type: ignore[valid-type]
    top = _model("Config", _TOP, AT_TOP, stacks=stacks)
    schema = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": schema, **top.model_json_schema(), "title": "cmek.yaml"}


def _model(name: str, doc: str | None, props: Sequence[str], **more: Any) -> type[BaseModel]:
    types = get_type_hints(StackSettings)
    own = [one for one in fields_of(StackSettings) if one.name in props]
    fields = {
        one.name: (types[one.name], _field(one.name, ... if one.default is MISSING else one.default)) for one in own
    }
    made: type[BaseModel] = create_model(name, __config__=ConfigDict(extra="forbid"), __doc__=doc, **(fields | more))
    return made


def _field(name: str, default: Any, **limits: Any) -> Any:
    return Field(default, description=sentence(name), json_schema_extra=_MORE.get(name), **limits)
