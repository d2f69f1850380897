"""Customer-managed encryption keys (CMEK) for Pinecone, as an AWS CDK construct.

`PineconeCmek` makes what Pinecone's guide has a person click together: a role that Pinecone assumes and a KMS key that
it encrypts with.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cmek_construct.constructs.cmek import PineconeCmek
    from cmek_construct.constructs.customer_key import CustomerKey
    from cmek_construct.constructs.key import PineconeKey
    from cmek_construct.constructs.monitoring import PineconeCmekMonitoring
    from cmek_construct.constructs.principal import PineconePrincipal
    from cmek_construct.constructs.stack_set import PineconeCmekStackSet
    from cmek_construct.constructs.stack_set_targets import StackSetTargets
    from cmek_construct.constructs.vendor_role import PineconeRole
    from cmek_construct.guardrails.plugin import CmekGuardrails
    from cmek_construct.guide import ALL_REGIONS, PINECONE_REGIONS, KeyAccess

__all__ = [
    "ALL_REGIONS",
    "PINECONE_REGIONS",
    "CmekGuardrails",
    "CustomerKey",
    "KeyAccess",
    "PineconeCmek",
    "PineconeCmekMonitoring",
    "PineconeCmekStackSet",
    "PineconeKey",
    "PineconePrincipal",
    "PineconeRole",
    "StackSetTargets",
]

_ROOMS = {
    "ALL_REGIONS": "guide",
    "PINECONE_REGIONS": "guide",
    "CmekGuardrails": "guardrails.plugin",
    "CustomerKey": "constructs.customer_key",
    "KeyAccess": "guide",
    "PineconeCmek": "constructs.cmek",
    "PineconeCmekMonitoring": "constructs.monitoring",
    "PineconeCmekStackSet": "constructs.stack_set",
    "PineconeKey": "constructs.key",
    "PineconePrincipal": "constructs.principal",
    "PineconeRole": "constructs.vendor_role",
    "StackSetTargets": "constructs.stack_set_targets",
}


if not TYPE_CHECKING:  # or a type checker would take every name for one of ours

    def __getattr__(name: str) -> Any:
        """Import a public name when it is asked for.

        `import aws_cdk` starts Node; what needs no construct (the `cmek` command, the policy statements) does without
        it.
        """
        if name not in _ROOMS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
