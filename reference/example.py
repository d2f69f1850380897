"""Made-up stacks in the guide's words, and their page: what the pictures show."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any, Final

from cmek_construct.commands.review import judged
from cmek_construct.guide import KeyAccess, key_policy, trust_policy
from cmek_construct.review.page import Page
from cmek_construct.templates.files import Template, template_of
from cmek_construct.templates.run import Run

PINECONE: Final = "999988887777"
OWN: Final = "111122223333"
REGIONS: Final = ["us-east-1", "eu-west-1"]
EXTERNAL_ID: Final = "5b4f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f"
_STACKS: Final = {
    "search-prod": (OWN, EXTERNAL_ID),
    "answers-prod": ("444455556666", "0c3f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f"),
}


def page() -> Page:
    """The page of two stacks: the same in every version that says the same."""
    made = [_template(name, account, given) for name, (account, given) in _STACKS.items()]
    return Page(judged(Run(made))[0], "", None, ())


def _template(name: str, account: str, external_id: str) -> Template:
    kept = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    policy = key_policy(account, "", KeyAccess.KEY_USER)
    for statement in policy["Statement"][1:]:
        statement["Principal"]["AWS"] = {"Fn::GetAtt": ["CmekRole", "Arn"]}
    role = {"AssumeRolePolicyDocument": trust_policy(PINECONE, REGIONS, external_id)}
    key = {"EnableKeyRotation": True, "KeyPolicy": policy}
    alias = {"AliasName": f"alias/pinecone-cmek/{name}", "TargetKeyId": {"Ref": "CmekKey"}}
    content: dict[str, Any] = {
        "Resources": {
            "CmekRole": {"Type": "AWS::IAM::Role", "Properties": role, **kept},
            "CmekKey": {"Type": "AWS::KMS::Key", "Properties": key, **kept},
            "CmekKeyAlias": {"Type": "AWS::KMS::Alias", "Properties": alias, **kept},
        }
    }
    sha256 = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    file = template_of(content, f"{name}.template.json", account)
    return replace(file, sha256=sha256, stack=name, region="us-east-1")
