"""`cmek sheet` of a vendor, against what is deployed: moto plays CloudFormation."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest
import yaml

from cmek_construct.deployment.reading import parse_entries
from cmek_construct.deployment.stack import CmekStack
from tests.building import REGION, new_app, template_of
from tests.command import cmek
from tests.test_doctor import answer, aws, refusing

__all__ = ["aws"]
VENDOR = "123456789012"  # moto's own
ACME, GLOBEX, INITECH = "444455556666", "777788889990", "222233334444"
FILE = f"""\
pinecone_account_id: "999988887777"
regions: [{REGION}]
region: {REGION}
stacks:
  vendor:
    account: "{VENDOR}"
    external_id: 5b4f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f
    customer_account_ids: ["{ACME}", "{INITECH}"]
    customer_key_arns: ["arn:aws:kms:{REGION}:{GLOBEX}:key/1234abcd-12ab-34cd-56ef-1234567890ab"]
"""


def key_of(account: str, last: str = "b") -> str:
    return f"arn:aws:kms:{REGION}:{account}:key/1234abcd-12ab-34cd-56ef-1234567890a{last}"


@pytest.fixture(params=["JSON", "YAML"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, aws: None) -> Path:
    """A folder whose vendor is deployed, by CDK or by a template that was reviewed."""
    (tmp_path / "cmek.yaml").write_text(FILE)
    [entry] = parse_entries(FILE, "cmek.yaml")
    template = template_of(CmekStack(new_app(), entry))
    body = json.dumps(template) if request.param == "JSON" else yaml.safe_dump(template)
    boto3.client("cloudformation").create_stack(StackName="vendor", TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
    return tmp_path


@pytest.mark.parametrize("key", [key_of(ACME, "c"), key_of(GLOBEX)])
def test_a_key_of_a_deployed_customer_is_on_the_sheet(folder: Path, key: str) -> None:
    printed = cmek(folder, "sheet", f"--key-arn={key}").stdout
    assert key in printed
    assert "CHECK" not in printed


@pytest.mark.parametrize("key", [key_of("888877776666"), key_of(GLOBEX, "c")])
def test_a_customer_who_is_in_the_file_and_not_deployed_gets_no_sheet(folder: Path, key: str) -> None:
    file = folder / "cmek.yaml"
    added = FILE.replace(f'"{INITECH}"', '"888877776666"').replace(
        "customer_key_arns: [", f'customer_key_arns: ["{key_of(GLOBEX, "c")}", '
    )
    file.write_text(added)
    printed = cmek(folder, "sheet", f"--key-arn={key}", code=1)
    assert "the deployed role does not" in printed.stderr
    assert "npx cdk deploy vendor" in printed.stderr
    assert printed.stdout == ""


def test_where_nobody_may_read_whom_the_deployed_role_serves_there_is_no_sheet(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(monkeypatch, refusing("GetTemplate"))
    printed = cmek(folder, "sheet", f"--key-arn={key_of(ACME)}", code=1)
    assert "vendor: its deployed customers could not be read: AWS refused" in printed.stderr
    assert printed.stdout == ""


def test_a_customer_whom_the_deployed_role_serves_by_half_gets_no_sheet(folder: Path) -> None:
    cloudformation = boto3.client("cloudformation")
    template = cloudformation.get_template(StackName="vendor")["TemplateBody"]
    text = (template if isinstance(template, str) else json.dumps(template)).replace("kms:Decrypt", "kms:DescribeKey")
    cloudformation.update_stack(StackName="vendor", TemplateBody=text, Capabilities=["CAPABILITY_IAM"])
    printed = cmek(folder, "sheet", f"--key-arn={key_of(ACME)}", code=1)
    assert "the deployed role does not" in printed.stderr
