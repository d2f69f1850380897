"""Customer-managed encryption keys (CMEK) for Pinecone, as an AWS CDK construct.

`PineconeCmek` makes what Pinecone's guide has a person click together: a role that Pinecone
assumes and a KMS key that it encrypts with.
"""

from cmek_construct.cmek import PineconeCmek
from cmek_construct.key import PineconeKey
from cmek_construct.pinecone import ALL_REGIONS, PINECONE_REGIONS
from cmek_construct.principal import PineconePrincipal
from cmek_construct.role import PineconeRole
from cmek_construct.statements import KeyAccess

__all__ = [
    "ALL_REGIONS",
    "PINECONE_REGIONS",
    "KeyAccess",
    "PineconeCmek",
    "PineconeKey",
    "PineconePrincipal",
    "PineconeRole",
]
