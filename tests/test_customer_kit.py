"""The kit that a vendor sends to a customer: what is written, and that all of it says the same."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from cmek_construct import CustomerKey, KeyAccess
from cmek_construct.commands.customer_kit import write
from cmek_construct.health.findings import Refused
from tests.building import ACCOUNT, REGION, key, new_stack, only, template_of
from tests.command import cmek
from tests.linted import lint
from tests.simulator.deployed import Deployed

VENDOR = "123456789012"
ROLE_ARN = f"arn:aws:iam::{VENDOR}:role/cmek/VendorCmek"
FILES = ["README.md", "customer-key.yaml", "key-policy.json"]
EACH_ACCESS = pytest.mark.parametrize("access", KeyAccess, ids=lambda access: access.name)


def kit(folder: Path, *options: str) -> Path:
    """The folder of a kit."""
    cmek(folder, "customer-kit", f"--role-arn={ROLE_ARN}", *options)
    return folder / "customer-kit"


def template(folder: Path) -> dict[str, Any]:
    made: dict[str, Any] = yaml.safe_load((folder / "customer-key.yaml").read_text())
    return made


def policy(folder: Path) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((folder / "key-policy.json").read_text())
    return made


def page(folder: Path) -> str:
    return (folder / "README.md").read_text()


def deployed(template: dict[str, Any], **parameters: str) -> Deployed:
    """The template in the customer's account, its conditions decided."""
    given = {name: one["Default"] for name, one in template.get("Parameters", {}).items()}
    given |= parameters

    def decided(value: Any) -> Any:
        if isinstance(value, list):
            some = [decided(one) for one in value]
            return [one for one in some if one != {"Ref": "AWS::NoValue"}]
        if not isinstance(value, dict):
            return value
        if "Fn::If" in value:
            name, then, otherwise = value["Fn::If"]
            left, right = template["Conditions"][name]["Fn::Equals"]
            return decided(then if given[left["Ref"]] == right else otherwise)
        return {name: decided(one) for name, one in value.items()}

    return Deployed(decided(template), ACCOUNT, REGION, given)


def options_for(access: KeyAccess) -> tuple[str, ...]:
    return (f"--key-access={access.name}", f"--customer-account-id={ACCOUNT}")


def test_three_files_are_written_into_a_new_folder(tmp_path: Path) -> None:
    printed = cmek(tmp_path, "customer-kit", f"--role-arn={ROLE_ARN}").stdout
    assert "Wrote customer-kit: README.md, customer-key.yaml, key-policy.json" in printed
    assert sorted(path.name for path in (tmp_path / "customer-kit").iterdir()) == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["customer-kit"]


def test_the_same_kit_is_written_twice(tmp_path: Path) -> None:
    first, second = (kit(tmp_path), tmp_path / "again")
    kit(tmp_path, f"--out={second}")
    for name in FILES:
        assert (first / name).read_bytes() == (second / name).read_bytes()


@EACH_ACCESS
def test_template_and_policy_and_construct_say_the_same(tmp_path: Path, access: KeyAccess) -> None:
    folder = kit(tmp_path, *options_for(access))
    stack = new_stack()
    CustomerKey(stack, "Vendor", role_arn=ROLE_ARN, key_access=access)
    construct = template_of(stack)
    of_construct = Deployed(construct, ACCOUNT, REGION).key_policy
    assert deployed(template(folder)).key_policy == of_construct
    assert policy(folder) == of_construct


@EACH_ACCESS
def test_the_suspended_template_is_that_of_the_suspended_construct(tmp_path: Path, access: KeyAccess) -> None:
    folder = kit(tmp_path, *options_for(access))
    stack = new_stack()
    CustomerKey(stack, "Vendor", role_arn=ROLE_ARN, key_access=access, suspended=True)
    of_construct = Deployed(template_of(stack), ACCOUNT, REGION).key_policy
    assert deployed(template(folder), Suspended="true").key_policy == of_construct


def test_key_and_alias_are_those_of_the_construct(tmp_path: Path) -> None:
    made = template(kit(tmp_path))
    stack = new_stack()
    CustomerKey(stack, "Vendor", role_arn=ROLE_ARN)
    construct = template_of(stack)
    for kind, own in (("AWS::KMS::Key", {"KeyPolicy", "Description"}), ("AWS::KMS::Alias", set())):
        ours, theirs = only(made, kind), only(construct, kind)
        for member in ("DeletionPolicy", "UpdateReplacePolicy"):
            assert ours[member] == theirs[member]
        assert set(ours["Properties"]) | own == set(theirs["Properties"]) | own
    for name in ("EnableKeyRotation", "KeySpec", "KeyUsage", "MultiRegion"):
        assert key(made)[name] == key(construct)[name]
    assert made["Outputs"]["KeyArn"]["Value"] == {"Fn::GetAtt": ["Key", "Arn"]}
    assert "Send this to the vendor" in made["Outputs"]["KeyArn"]["Description"]


def test_suspended_adds_one_denial_and_changes_nothing_else(tmp_path: Path) -> None:
    made = template(kit(tmp_path))
    usual, suspended = deployed(made), deployed(made, Suspended="true")
    before, after = (one.key_policy["Statement"] for one in (usual, suspended))
    assert after[:-1] == before
    assert after[-1]["Effect"] == "Deny"
    assert after[-1]["Principal"] == {"AWS": ROLE_ARN}
    for one in (usual, suspended):
        del one.template["Resources"]["Key"]["Properties"]["KeyPolicy"]
    assert usual.template == suspended.template


def test_the_template_passes_cfn_lint_in_every_region(tmp_path: Path) -> None:
    (templates := tmp_path / "templates").mkdir()
    for access in KeyAccess:
        kit(tmp_path, f"--key-access={access.name}", f"--out={access.name}")
        (tmp_path / access.name / "customer-key.yaml").rename(templates / f"{access.name}.yaml")
    # A hint that the partition is written out: Pinecone's, and so the vendor's role's, is aws.
    assert [match.rule.id for match in lint(templates)] == ["I3042", "I3042"]


def test_a_person_is_helped_by_cloudformations_console(tmp_path: Path) -> None:
    made = template(kit(tmp_path))
    form = made["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in form["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(form["ParameterLabels"]) == sorted(made["Parameters"])
    assert all(one["Description"] for one in made["Parameters"].values())
    alias = made["Parameters"]["AliasName"]
    assert alias["Default"] == f"alias/pinecone-cmek/{VENDOR}"
    for name in (alias["Default"], "alias/" + "x" * 250):
        assert re.fullmatch(alias["AllowedPattern"], name)
    for name in ("pinecone", "alias/", "alias/aws/x", "alias/a b", "alias/" + "x" * 251):
        assert not re.fullmatch(alias["AllowedPattern"], name)


def test_the_template_needs_no_cdk_no_assets_and_no_capability(tmp_path: Path) -> None:
    folder = kit(tmp_path)
    text = (folder / "customer-key.yaml").read_text()
    assert {one["Type"] for one in template(folder)["Resources"].values()} == {"AWS::KMS::Key", "AWS::KMS::Alias"}
    for word in ("cdk", "bootstrap", "asset", "Transform", "&id", "*id"):
        assert word not in text
    assert len(text) < 10_000


def test_no_account_number_is_made_up(tmp_path: Path) -> None:
    folder = kit(tmp_path)
    root = policy(folder)["Statement"][0]["Principal"]["AWS"]
    assert root == "arn:aws:iam::YOUR_ACCOUNT_ID:root"
    for name in FILES:
        numbers = set(re.findall(r"\b[0-9]{12}\b", (folder / name).read_text()))
        assert numbers == {VENDOR}


@EACH_ACCESS
def test_the_page_names_the_role_its_actions_and_the_denial(tmp_path: Path, access: KeyAccess) -> None:
    folder = kit(tmp_path, *options_for(access))
    text = page(folder)
    assert f"\n    {ROLE_ARN}\n" in text
    listed = re.findall(r"^- `(kms:\S+)`", text, re.MULTILINE)
    statements = policy(folder)["Statement"][1:]
    assert listed == [action for one in statements for action in one["Action"]]
    grants = re.findall(r"^- `(\S+)`, only through an AWS service$", text, re.MULTILINE)
    assert len(grants) == (3 if access is KeyAccess.KEY_USER else 0)
    (denial,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    suspended = deployed(template(folder), Suspended="true").key_policy["Statement"]
    assert json.loads(denial) == suspended[-1]
    assert ("--key-access KEY_USER" in text) is (access is KeyAccess.KEY_USER)
    assert "$" not in text


def test_the_page_says_what_a_customer_must_know(tmp_path: Path) -> None:
    text = " ".join(page(kit(tmp_path)).split())
    for said in (
        "The vendor's role must exist",
        "about 1 US dollar a month",
        "only if both sides agree",
        "Ask the vendor for it, such as `us-east-1`",
        "Mind the second name",
        "remove nothing",
        "Suspended=true",
        "does not publish",
        "list-grants",
        "Never delete the key",
        "Deleting the stack deletes neither key nor alias",
        f"`alias/pinecone-cmek/{VENDOR}` already exists",
    ):
        assert said in text, said


def test_the_page_has_the_region_that_the_vendor_names(tmp_path: Path) -> None:
    text = page(kit(tmp_path, "--region=eu-west-1"))
    assert "Your vendor asks for `eu-west-1`." in text
    assert "--region eu-west-1" in text
    assert "REGION" not in text


def test_the_pages_commands_are_aws_clis_and_ours_and_overwrite_no_file_of_the_kit(tmp_path: Path) -> None:
    text = page(kit(tmp_path))
    commands = [line for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    assert len(commands) == 9
    for command in commands:
        assert command.startswith(("aws cloudformation ", "aws kms ", "cmek customer-kit check "))
        assert "REGION" in command or "cmek" in command
        assert command.partition(" > ")[2] not in FILES


def test_a_folder_that_is_not_empty_stays_as_it_is(tmp_path: Path) -> None:
    folder = kit(tmp_path)
    (folder / "README.md").write_text("mine")
    refused = cmek(tmp_path, "customer-kit", f"--role-arn={ROLE_ARN}", code=1)
    assert "customer-kit: it is there already, and nothing is ever overwritten" in refused.stderr
    assert page(folder) == "mine"
    file = tmp_path / "file"
    file.write_text("mine")
    cmek(tmp_path, "customer-kit", f"--role-arn={ROLE_ARN}", "--out=file", code=1)
    assert file.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["customer-kit", "file"]


def test_an_empty_folder_is_filled_also_the_current_one(tmp_path: Path) -> None:
    place = tmp_path / "here"
    place.mkdir()
    cmek(place, "customer-kit", f"--role-arn={ROLE_ARN}", "--out=.")
    assert sorted(path.name for path in place.iterdir()) == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_nothing_half_written_stays(tmp_path: Path) -> None:
    files = dict.fromkeys(FILES, "text") | {"not/a/name": "text"}
    with pytest.raises(Refused, match="cannot be written"):
        write(files, tmp_path / "kit")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused_in_words(tmp_path: Path) -> None:
    for out in ("none/kit", "x" * 300):
        refused = cmek(tmp_path, "customer-kit", f"--role-arn={ROLE_ARN}", f"--out={out}", code=1)
        assert "cannot be written" in refused.stderr
    refused = cmek(tmp_path, "customer-kit", f"--role-arn={ROLE_ARN}", "--out=a\x1b/b", code=1)
    assert "\x1b" not in refused.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--role-arn=arn:aws:iam::123456789012:root", "role_arn"),
        ("--role-arn=arn:aws:sts::123456789012:assumed-role/x/y", "role_arn"),
        ("--role-arn=arn:aws-cn:iam::123456789012:role/x", "role_arn"),
        ("--role-arn=arn:aws:iam::123456789012:role/*", "role_arn"),
        ("--role-arn=arn:aws:iam::123456789012:role/x\n", "role_arn"),
        ("--role-arn=arn:aws:iam::123456789012:role/x': evil", "role_arn"),
        ("--role-arn=${Token[Role.1]}", "role_arn"),
        ("--role-arn=", "role_arn"),
        ("--customer-account-id=1", "12 digits"),
        ("--customer-account-id=${Token[Account.1]}", "customer_account_id"),
        ("--key-access=EVERYTHING", "EVERYTHING"),
        ("--color=red", "--color"),
    ],
    ids=lambda text: text if text.startswith("--") else "",
)
def test_wrong_usage_is_refused_in_words_and_writes_nothing(tmp_path: Path, option: str, said: str) -> None:
    given = [option] if option.startswith("--role") else [f"--role-arn={ROLE_ARN}", option]
    refused = cmek(tmp_path, "customer-kit", *given, code=2)
    assert said in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_role_is_needed_and_stands_after_check(tmp_path: Path) -> None:
    assert "--role-arn" in cmek(tmp_path, "customer-kit", code=2).stderr
    refused = cmek(tmp_path, "customer-kit", f"--role-arn={ROLE_ARN}", "check", code=2)
    assert "after check" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_vendors_own_account_is_no_customers(tmp_path: Path) -> None:
    own = f"--customer-account-id={VENDOR}"
    refused = cmek(tmp_path, "customer-kit", f"--role-arn={ROLE_ARN}", own, code=1)
    assert "the account of the role itself" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_longest_role_arn_makes_a_readable_template(tmp_path: Path) -> None:
    longest = f"arn:aws:iam::{VENDOR}:role/{'p' * 510}/{'n' * 64}"
    cmek(tmp_path, "customer-kit", f"--role-arn={longest}")
    made = template(tmp_path / "customer-kit")
    assert len(made["Description"].encode()) <= 1024
    assert key(made)["KeyPolicy"]["Statement"][1]["Principal"] == {"AWS": longest}


def test_the_files_can_be_read_by_others_as_the_umask_says(tmp_path: Path) -> None:
    folder, plain = kit(tmp_path), tmp_path / "plain"
    plain.mkdir()
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_the_page_names_the_vendor_and_links_to_the_quick_create_page(tmp_path: Path) -> None:
    url = "https://acme.s3.eu-west-1.amazonaws.com/customer-key.yaml"
    own = ("customer-kit", f"--role-arn={ROLE_ARN}", "--region=eu-west-1")
    cmek(tmp_path, *own, "--vendor-name=Acme Inc", f"--template-url={url}")
    page = (tmp_path / "customer-kit" / "README.md").read_text()
    assert "Acme Inc keeps data of yours in Pinecone" in page
    (link,) = re.findall(r"\((https://console\.aws\.amazon\.com/cloudformation/\S+)\)", page)
    assert "?region=eu-west-1#/stacks/create/review?" in link
    assert "templateURL=https%3A%2F%2Facme.s3.eu-west-1.amazonaws.com%2Fcustomer-key.yaml" in link
    cmek(tmp_path, *own, "--out=plain")
    page = (tmp_path / "plain" / "README.md").read_text()
    assert "Your vendor keeps data" in page
    assert "quick-create" not in page
    assert "can be taken back" in page
