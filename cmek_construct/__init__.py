"""Customer-managed encryption keys (CMEK) for Pinecone, as an AWS CDK construct.

`PineconeCmek` makes what Pinecone's guide has a person click together: a role that Pinecone assumes and a KMS key that
it encrypts with.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cmek_construct.guide import ALL_REGIONS as ALL_REGIONS
from cmek_construct.guide import PINECONE_REGIONS as PINECONE_REGIONS
from cmek_construct.guide import KeyAccess as KeyAccess

_ROOMS = {
    "CmekGuardrails": "guardrails.plugin",
    "CustomerKey": "constructs.vendor",
    "PineconeCmek": "constructs.cmek",
    "PineconeCmekMonitoring": "constructs.monitoring",
    "PineconeCmekStackSet": "constructs.stack_set",
    "PineconeKey": "constructs.key",
    "PineconePrincipal": "constructs.role",
    "PineconeRole": "constructs.vendor",
    "StackSetTargets": "constructs.stack_set",
}
__all__ = ["ALL_REGIONS", "PINECONE_REGIONS", "KeyAccess", *_ROOMS]  # to a type checker: what is imported as itself

if TYPE_CHECKING:
    from cmek_construct.constructs.cmek import PineconeCmek as PineconeCmek
    from cmek_construct.constructs.key import PineconeKey as PineconeKey
    from cmek_construct.constructs.monitoring import PineconeCmekMonitoring as PineconeCmekMonitoring
    from cmek_construct.constructs.role import PineconePrincipal as PineconePrincipal
    from cmek_construct.constructs.stack_set import PineconeCmekStackSet as PineconeCmekStackSet
    from cmek_construct.constructs.stack_set import StackSetTargets as StackSetTargets
    from cmek_construct.constructs.vendor import CustomerKey as CustomerKey
    from cmek_construct.constructs.vendor import PineconeRole as PineconeRole
    from cmek_construct.guardrails.plugin import CmekGuardrails as CmekGuardrails
else:  # or a type checker would take every name for one of ours

    def __getattr__(name: str) -> Any:
        # When it is asked for: `import aws_cdk` starts Node, and what needs no construct does without.
        if name not in _ROOMS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return __all__
