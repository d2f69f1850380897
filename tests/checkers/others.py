"""What else is deployed: the stacks of a cmek.yaml, and the templates without an app of ours.

`STACKS` say with each key of cmek.yaml what it can say: so CDK's own validation, which `app.py` leaves out, is done
here for every form of the file.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import yaml

from cmek_construct import PineconeCmekStackSet, StackSetTargets
from cmek_construct.deployment.reading import parse_entries
from cmek_construct.deployment.stack import CmekStack
from cmek_construct.deployment.without_cdk import plain_template

_ID = "9f1c2b7e-6a34-4d0b-8f57-2d1c0e4b9a66"
_ACCOUNT = "111122223333"
_ARN = f"arn:aws:iam::{_ACCOUNT}:role"
_KEY_ARN = f"arn:aws:kms:us-east-1:{_ACCOUNT}:key/0f2d4c6b-8a91-4e3d-b5f7-1c2a3b4d5e6f"
STACKS: dict[str, dict[str, Any]] = {
    "file-first-form": {},
    "file-no-external-id": {"external_id": None, "acknowledge": {"cmek-construct:no-external-id": "a test"}},
    "file-all-regions": {"regions": "ALL_REGIONS", "bootstrap": False},
    "file-all-regions-pinned": {"regions": "ALL_REGIONS", "pin_account": True},
    "file-names": {
        "role_name": "PineconeCmek",
        "role_path": "/security/",
        "permissions_boundary": f"arn:aws:iam::{_ACCOUNT}:policy/Boundary",
        "alias": "alias/pinecone",
        "description": "Pinecone's vectors",
        "tags": {"owner": "security"},
        "termination_protection": False,
    },
    "file-key": {
        "key_access": "ENCRYPT_DECRYPT",
        "key_admins": [f"{_ARN}/security/KeyAdmin"],
        "rotation_period": 180,
        "multi_region": True,
        "pending_window": 14,
        "protect_used_key": 90,
        "removal_policy": "RETAIN",
    },
    "file-no-rotation": {"enable_key_rotation": False},
    "file-destroyed": {"removal_policy": "DESTROY"},
    "file-suspended": {"suspended": True},
    "file-given-role": {"role": f"{_ARN}/Theirs"},
    "file-given-key": {"key": _KEY_ARN},
    "file-given-key-suspended": {"key": _KEY_ARN, "suspended": True},
    "file-customers": {"customer_account_ids": ["777788889990"]},
    "file-customers-keys": {"customer_key_arns": [_KEY_ARN.replace(_ACCOUNT, "777788889990")]},
}
"""Beside the account and an external ID, which every stack has."""
_STACK_SET = "stack-set"
_INSIDE = "inside-a-stack-set"
_PLAIN = "plain-template"


def add_stacks(app: cdk.App) -> None:
    """Add a stack of each form of the file, and one with a stack set."""
    stacks = {name: {"account": _ACCOUNT, "external_id": _ID} | own for name, own in STACKS.items()}
    top = {"pinecone_account_id": "444455556666", "region": "us-east-1", "regions": ["us-east-1"]}
    for entry in parse_entries(yaml.safe_dump(top | {"stacks": stacks}), "cmek.yaml"):
        CmekStack(app, entry)
    env = cdk.Environment(account=_ACCOUNT, region="us-east-1")
    PineconeCmekStackSet(
        cdk.Stack(app, _STACK_SET, env=env),
        "Fleet",
        stack_set_name="pinecone-cmek",
        targets=StackSetTargets.accounts({"777788889990": _ID}),
        pinecone_account_id="444455556666",
        regions=["us-east-1"],
        region="us-east-1",
    )


def write_templates(folder: Path) -> None:
    """Write the template of each, of what is inside the stack set, and the plain one."""
    with tempfile.TemporaryDirectory(prefix="others-") as output:
        app = cdk.App(outdir=output, analytics_reporting=False)
        add_stacks(app)
        made = {one.stack_name: one.template for one in app.synth().stacks}
    (stack_set,) = made[_STACK_SET]["Resources"].values()
    made[_INSIDE] = json.loads(stack_set["Properties"]["TemplateBody"])
    made[_PLAIN] = plain_template()
    for name, template in made.items():
        (folder / f"{name}.template.json").write_text(json.dumps(template))
