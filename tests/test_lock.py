"""What would replace or drop a role or key that is locked is refused; what else happens passes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import boto3
import pytest
from aws_cdk import aws_iam as iam

from cmek_construct import CmekGuardrails, templates
from cmek_construct.lock.changing import Refusal, refusals
from cmek_construct.lock.identity import REPLACING
from cmek_construct.lock.text import Lock, Locked, LockError, Place, parse, read, render
from tests import forms
from tests.building import ACCOUNT, REGION, cmek, new_stack
from tests.command import cmek as run
from tests.conftest import ROOT
from tests.locks import forms as released
from tests.test_doctor import ACCOUNT as MOTO
from tests.test_doctor import answer, aws
from tests.test_structure import imports

__all__ = ["aws"]
Template = dict[str, Any]
ROLE, KEY = "CmekRoleB9267AA0", "CmekKey21C8C2B3"
VERSIONS = sorted(file.stem for file in released.FOLDER.glob("*.lock"))


def template() -> Template:
    """Role and key of a stack, with nothing of their own."""
    return forms.template("explicit_with_id")


def assembly(folder: Path, *stacks: tuple[str, str, Template], region: str = REGION) -> Path:
    """A cloud assembly as `cdk synth` writes it: name, account and template of each stack."""
    out = folder / "cdk.out"
    out.mkdir(exist_ok=True)
    artifacts = {}
    for name, account, content in stacks:
        file = f"{name}{account}.template.json"
        (out / file).write_text(json.dumps(content))
        artifacts[f"{name}{account}"] = {
            "type": "aws:cloudformation:stack",
            "environment": f"aws://{account or 'unknown-account'}/{region if account else 'unknown-region'}",
            "properties": {"templateFile": file, "stackName": name},
        }
    (out / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return out


def locked(folder: Path, *stacks: tuple[str, str, Template]) -> Path:
    """A lock of these stacks."""
    assembly(folder, *(stacks or (("search", ACCOUNT, template()),)))
    run(folder, "lock")
    return folder / "cmek.lock"


def refused_at(folder: Path, *paths: Path) -> list[Refusal]:
    """What some files or assemblies are refused for."""
    return refusals(folder / "cmek.lock", templates.read_run(paths))


def refused(folder: Path, *stacks: tuple[str, str, Template], region: str = REGION) -> list[str]:
    """What a synth of these stacks is refused for."""
    out = assembly(folder, *stacks, region=region)
    found = refused_at(folder, out)
    for one in found:
        assert "Undo the change. Or, if it is meant, run `cmek unlock search" in one.cure
        assert f" --file {folder / 'cmek.lock'} --reason " in one.cure
        assert "the reason stays in " in one.cure
    return [f"{one.rule}: {one.what}".replace(f"{folder}/", "") for one in found]


# What the file says.


OF_KEY = '{"KeySpec":"SYMMETRIC_DEFAULT","KeyUsage":"ENCRYPT_DECRYPT","MultiRegion":"false"}'
OF_ROLE = f'{{"ExternalId":"{forms.EXTERNAL_ID}","PineconeAccount":"{forms.PINECONE}"}}'


def test_the_file_has_one_line_for_each_role_and_key(tmp_path: Path) -> None:
    text = locked(tmp_path, ("b", ACCOUNT, template()), ("a", "", template())).read_text()
    lines = text.split("\n\n")
    assert lines[0].endswith("\nformat = 2")
    assert lines[2] == (
        f"b {ACCOUNT} us-east-1 {KEY} AWS::KMS::Key {OF_KEY}\nb {ACCOUNT} us-east-1 {ROLE} AWS::IAM::Role {OF_ROLE}\n"
    )
    assert lines[1] == lines[2].replace(f"b {ACCOUNT} us-east-1", "a any-account any-region")[:-1]


def test_what_is_written_reads_back_in_any_order_and_twice(tmp_path: Path) -> None:
    text = locked(tmp_path).read_text()
    lock = parse(text, "cmek.lock")
    assert render(lock) == text
    shuffled = "\n".join(sorted(text.splitlines() * 2, reverse=True))
    assert render(parse(shuffled.replace("\n", "\r\n"), "cmek.lock")) == text


def test_notes_and_values_of_any_text_read_back() -> None:
    notes = ('2026-01-05 Grüße = "x" # no\u2028\u0085 comment', "2026-01-06 \\", "half a pair: \ud800")
    identity = ("AWS::KMS::ReplicaKey", {"PrimaryKeyArn": {"x is 'a b'": "${\n}", "": None}})
    lock: Lock = {
        Place("search"): {
            "Set/Key1": Locked(*identity, {"Arn": "arn:x"}, notes, notes, "2026-01-07"),
            "Old": Locked(*identity, unlocked=notes, history=notes),
        }
    }
    assert parse(render(lock).encode().decode(), "cmek.lock") == lock


def test_the_properties_are_those_of_cloudformations_schemas() -> None:
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    # The handler of KMS refuses a change of the four, whatever the schema says.
    for kind, names in REPLACING.items():
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema
        create_only = schema.get("createOnlyProperties", [])
        if kind == "AWS::KMS::Key":
            assert create_only == []
            assert set(names) <= set(schema["properties"])
        else:
            assert sorted(create_only) == sorted(f"/properties/{name}" for name in names), kind


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: "", '1: "format = 2" is missing'),
        (lambda text: text.partition("\n\n")[0], "1: it is empty, so it would keep nothing"),
        (lambda text: text.replace("format = 2", "format = 3"), "4: it is of format 3"),
        (lambda text: text.replace("format = 2", "format = 1"), "4: .* then `git rm cmek.lock`"),
        (lambda text: text.replace(f"{KEY} AWS::KMS::Key", KEY), "6: got search"),
        (lambda text: text.replace("us-east-1", "mars", 1), "6: got mars"),
        (lambda text: text.replace(OF_ROLE, '{"Path":/}'), "7: got {"),
        (lambda text: text.replace(OF_ROLE, '"x"'), '7: got "x"'),
        (lambda text: text.replace(OF_ROLE, '{"Arn":1}'), "7: Arn is no text"),
        (lambda text: text.replace("AWS::KMS::Key", "Wings"), "6: got Wings"),
        (lambda text: re.sub(r"AWS::KMS::Key .*", 'Gone "x"', text), "6: .* no line that says what"),
        (lambda text: text + text.splitlines()[-1].replace(forms.PINECONE, ACCOUNT), "in line 7"),
        (lambda text: text + "<<<<<<< HEAD\n", "8: a merge is not finished"),
        (lambda text: text.replace("\n\n", "\n=======\n"), "5: a merge is not finished"),
        (lambda text: text + "\x1b[2J\n", r"8: got '\\x1b\[2J'"),
    ],
)
def test_a_damaged_file_is_refused_with_its_line(tmp_path: Path, change: Callable[[str], str], said: str) -> None:
    file = locked(tmp_path)
    file.write_text(change(file.read_text()))
    with pytest.raises(LockError, match=r"cmek\.lock:") as error:
        read(file)
    assert re.search(f"cmek.lock:{said}|{said}", str(error.value))
    assert "\x1b" not in str(error.value)
    assert "cmek.lock:" in run(tmp_path, "lock", code=1).stderr
    assert "cmek.lock:" in run(tmp_path, "unlock", "search", "--reason=x", code=1).stderr
    (found,) = refused_at(tmp_path, tmp_path / "cdk.out")
    assert (found.rule, found.cure) == ("lock-file", "Mend the file.")


# What a synth is refused for.


def changed(resource: str, name: str, value: Any) -> Template:
    """The template with one property set."""
    content = template()
    content["Resources"][resource]["Properties"][name] = value
    return content


@pytest.mark.parametrize(
    ("resource", "name", "value", "said"),
    [
        (ROLE, "RoleName", "other", 'RoleName was not set and is now "other"'),
        (ROLE, "RoleName", {"Ref": "AWS::Region"}, 'RoleName was not set and is now "us-east-1"'),
        (ROLE, "Path", "/", 'Path was not set and is now "/"'),
        (KEY, "KeySpec", "RSA_2048", 'KeySpec was "SYMMETRIC_DEFAULT" and is now "RSA_2048"'),
        (KEY, "KeyUsage", "SIGN_VERIFY", 'KeyUsage was "ENCRYPT_DECRYPT" and is now "SIGN_VERIFY"'),
        (KEY, "Origin", "EXTERNAL", 'Origin was not set and is now "EXTERNAL"'),
        (KEY, "MultiRegion", True, 'MultiRegion was "false" and is now "true"'),
    ],
)
def test_a_property_that_replaces_is_refused_with_old_and_new(
    tmp_path: Path, resource: str, name: str, value: Any, said: str
) -> None:
    locked(tmp_path)
    word = "role" if resource == ROLE else "key"
    assert refused(tmp_path, ("search", ACCOUNT, changed(resource, name, value))) == [
        f"locked-{word}: search ({ACCOUNT}, us-east-1): the {word} {resource} is locked in cmek.lock, but its {said}."
    ]


def test_a_logical_id_that_moves_is_refused_and_so_is_one_that_goes(tmp_path: Path) -> None:
    locked(tmp_path)
    text = json.dumps(template()).replace(KEY, "Moved")
    assert [one.partition(" its ")[2] for one in refused(tmp_path, ("search", ACCOUNT, json.loads(text)))] == [
        f"logical ID was {KEY} and is now Moved."
    ]
    content = template()
    del content["Resources"][ROLE]
    assert [one.partition(" its ")[2] for one in refused(tmp_path, ("search", ACCOUNT, content))] == [
        f"logical ID was {ROLE} and is now gone."
    ]


def test_another_type_and_a_condition_are_refused(tmp_path: Path) -> None:
    locked(tmp_path)
    content = template()
    content["Conditions"] = {"Mine": {"Fn::Equals": [{"Ref": "AWS::StackName"}, "x"]}}
    content["Resources"][ROLE]["Condition"] = "Mine"
    content["Resources"][KEY]["Type"] = "AWS::KMS::ReplicaKey"
    assert [one.partition(" its ")[2] for one in refused(tmp_path, ("search", ACCOUNT, content))] == [
        "Type was AWS::KMS::Key and is now AWS::KMS::ReplicaKey.",
        f"logical ID was {ROLE} and is now gone.",
    ]


def test_what_changes_in_place_passes(tmp_path: Path) -> None:
    locked(tmp_path)
    for form in ("all_regions", "suspended", "encrypt_decrypt"):
        assert refused(tmp_path, ("search", ACCOUNT, forms.template(form))) == []
    content = template()
    (alias,) = (one for one in content["Resources"].values() if one["Type"] == "AWS::KMS::Alias")
    alias["Properties"]["AliasName"] = "alias/another"
    assert refused(tmp_path, ("search", ACCOUNT, content)) == []
    assert refused(tmp_path, ("search", "", template()), ("new", ACCOUNT, template())) == []


def test_a_stack_that_is_not_synthesized_is_no_matter(tmp_path: Path) -> None:
    locked(tmp_path)
    assert refused(tmp_path, ("other", ACCOUNT, template())) == []


def test_a_stack_that_moves_to_another_account_or_region_is_refused(tmp_path: Path) -> None:
    locked(tmp_path)
    (one,) = refused(tmp_path, ("search", "999999999999", template()))
    assert one.startswith("locked-place: ")
    assert f"its account was {ACCOUNT} and is now 999999999999." in one
    (one,) = refused(tmp_path, ("search", ACCOUNT, template()), region="eu-west-1")
    assert "its region was us-east-1 and is now eu-west-1." in one


def test_one_more_account_of_a_stack_is_locked_beside_the_first(tmp_path: Path) -> None:
    locked(tmp_path)
    both = ("search", ACCOUNT, template()), ("search", "999999999999", template())
    assert refused(tmp_path, *both) == []
    assembly(tmp_path, both[1])
    assert "cmek lock --beside" in run(tmp_path, "lock", code=1).stderr
    run(tmp_path, "lock", "--beside")
    assert refused(tmp_path, both[1]) == []
    (one,) = refused(tmp_path, both[0], ("search", "999999999999", changed(ROLE, "Path", "/x/")))
    assert "search (999999999999, us-east-1)" in one


# In apps of users, through the guardrails.


def app(folder: Path, fill: Callable[[cdk.Stack], object], **plugin: Any) -> cdk.App:
    made = cdk.App(outdir=str(folder / "cdk.out"), analytics_reporting=False)
    cdk.Validations.of(made).add_plugins(CmekGuardrails(**plugin))
    fill(new_stack(made, "Search"))
    stage = cdk.Stage(made, "Prod", env=cdk.Environment(account=ACCOUNT, region=REGION))
    fill(cdk.NestedStack(cdk.Stack(stage, "Outer"), "Inner"))
    return made


def test_the_plugin_refuses_in_any_app_and_nobody_acknowledges_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app(tmp_path, cmek).synth()
    run(tmp_path, "lock")
    app(tmp_path, cmek).synth()
    changed = app(tmp_path, lambda stack: cmek(stack, role_name="other"))
    for rule in ("locked-role", "locked-key", "locked-place"):
        cdk.Validations.of(changed).acknowledge(cdk.Acknowledgment(id=f"cmek-guardrails::{rule}", reason="No"))
    with pytest.raises(RuntimeError, match="ValidationFailed: FATAL"):
        changed.synth()
    report = json.loads((tmp_path / "cdk.out" / "validation-report.json").read_text())
    (found,) = report["pluginReports"]
    assert found.get("suppressedViolations", []) == []
    assert sorted(
        (one["ruleName"], one["severity"], one["violatingConstructs"][0]["constructPath"])
        for one in found["violations"]
    ) == [
        ("locked-role", "fatal", "Prod/Outer/Inner/Cmek/Role/Resource"),
        ("locked-role", "fatal", "Search/Cmek/Role/Resource"),
    ]
    run(tmp_path, "unlock", "Search", "role", "--reason=Ticket 42")
    run(tmp_path, "unlock", "Prod-Outer", "role", "--reason=Ticket 42")
    app(tmp_path, lambda stack: cmek(stack, role_name="other")).synth()


@pytest.mark.parametrize("path", ["cdk.out", "cdk.out/assembly-Prod", "cdk.out/Search.template.json"])
def test_a_synth_that_the_lock_alone_refused_is_told_to_who_checks_and_who_signs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    app(tmp_path, cmek).synth()
    run(tmp_path, "lock")
    with pytest.raises(RuntimeError):
        app(tmp_path, lambda stack: cmek(stack, role_name="other")).synth()
    said = "cdk.out: its synth was refused (locked-role). Mend it, or unlock it, and run `npx cdk synth`."
    found = run(tmp_path, "check", path, code=1)
    assert "0 violations" in found.stdout
    assert said in found.stderr
    printed = run(tmp_path, "review", path).stderr
    assert said in printed
    assert "to read; refused by the lock." in printed
    page = (tmp_path / "review.html").read_text()
    assert f"Do not sign yet</span> {said}" in page
    assert "guardrails are kept" not in page
    assert said in run(tmp_path, "review", path, "--against", path, "--markdown").stderr

    app(tmp_path, cmek).synth()
    assert "refused" not in run(tmp_path, "check", path).stderr
    assert "all guardrails kept" in run(tmp_path, "review", path).stderr
    assert "guardrails are kept" in (tmp_path / "review.html").read_text()


def test_what_only_a_check_of_ones_own_lets_pass_is_no_refusal_of_the_lock(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        app(tmp_path, lambda stack: setattr(cmek(stack).key.node.default_child, "enable_key_rotation", False)).synth()
    run(tmp_path, "check", code=1)
    run(tmp_path, "check", "--acknowledge=key-rotation=Ticket 42")
    assert "its synth was refused (key-rotation)" in run(tmp_path, "lock", "cdk.out/assembly-Prod", code=1).stderr


def test_a_role_that_is_dropped_and_a_lock_that_is_damaged_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app(tmp_path, cmek).synth()
    run(tmp_path, "lock", "--file=of.lock")
    theirs = f"arn:aws:iam::{ACCOUNT}:role/theirs"
    for damage in ("", "<<<<<<< HEAD\n"):
        with Path("of.lock").open("a") as file:
            file.write(damage)
        made = app(
            tmp_path,
            lambda stack: cmek(stack, role=iam.Role.from_role_arn(stack, "Theirs", theirs)),
            lock_file="of.lock",
        )
        with pytest.raises(RuntimeError, match="ValidationFailed: FATAL"):
            made.synth()
        report = (tmp_path / "cdk.out" / "validation-report.json").read_text()
        assert ("a merge is not finished" if damage else f"{ROLE} and is now gone") in report


@pytest.mark.parametrize("value", ["none.lock", "."])
def test_a_lock_file_that_is_named_is_there(value: str) -> None:
    with pytest.raises(ValueError, match=r"^lock_file: got .* leave it out"):
        CmekGuardrails(lock_file=value)


def test_the_app_of_cmek_yaml_refuses_with_the_two_ways_out(tmp_path: Path) -> None:
    from tests.test_app import run_app, synthesize

    (tmp_path / "app.py").write_text((ROOT / "app.py").read_text())
    text = (ROOT / "examples" / "cmek.yaml").read_text()
    (tmp_path / "cmek.yaml").write_text(text)
    synthesize(tmp_path)
    run(tmp_path, "lock")
    (tmp_path / "cmek.yaml").write_text(text.replace("role_name: pinecone-cmek", "role_name: x"))
    printed = run_app(tmp_path)
    assert printed.returncode == 1
    assert 'its RoleName was "pinecone-cmek" and is now "x".' in printed.stderr
    assert "run `cmek unlock search-europe Role1ABCC5F0 --reason" in printed.stderr
    (tmp_path / "cmek.yaml").write_text(text.replace("  search-test:", "  search-trial:"))
    assert run_app(tmp_path).returncode == 0


def test_reading_a_lock_needs_the_standard_library_alone() -> None:
    for path in (ROOT / "cmek_construct" / "lock").glob("*.py"):
        ours = {one for one in imports(path) if one.startswith("cmek_construct.")}
        assert not {one for one in ours if ".operations" in one or ".deployment" in one}
        others = {one.split(".")[0] for one in imports(path)} - {"cmek_construct"}
        assert others <= {"__future__", "collections", "dataclasses", "functools", "json"} | {
            "pathlib",
            "re",
            "typing",
        }, path.name


# The command.


def test_locking_again_changes_nothing_and_check_says_so(tmp_path: Path) -> None:
    file = locked(tmp_path)
    before = file.read_text()
    assert "has all of it already" in run(tmp_path, "lock").stdout
    assert "is up to date" in run(tmp_path, "lock", "--check").stdout
    assembly(tmp_path, ("search", ACCOUNT, template()), ("new", ACCOUNT, template()))
    printed = run(tmp_path, "lock", "--check", code=1).stderr
    assert f"new ({ACCOUNT}, us-east-1): {ROLE}: locked, a role" in printed
    assert "run `cmek lock` and commit it" in printed
    assert file.read_text() == before
    run(tmp_path, "lock")
    assert before.partition("\n\n")[2] in file.read_text()
    assert "is up to date" in run(tmp_path, "lock", "--check").stdout


def test_what_is_locked_is_never_changed_by_locking(tmp_path: Path) -> None:
    file = locked(tmp_path)
    before = file.read_text()
    assembly(tmp_path, ("new", ACCOUNT, template()), ("search", ACCOUNT, changed(ROLE, "Path", "/x/")))
    for options in ((), ("--check",)):
        printed = run(tmp_path, "lock", *options, code=1).stderr
        assert 'its Path was not set and is now "/x/". Undo the change.' in printed
    assert file.read_text() == before


def test_one_template_by_itself_is_locked_under_the_name_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "search.json").write_text(json.dumps(template()))
    run(tmp_path, "lock", "search.json")
    assert list(read(tmp_path / "cmek.lock")) == [Place("search")]
    (tmp_path / "search.json").write_text(json.dumps(changed(KEY, "Origin", "EXTERNAL")))
    assert "Origin was not set" in run(tmp_path, "lock", "search.json", "--check", code=1).stderr
    (tmp_path / "my search.yaml").write_text(json.dumps(template()))
    assert "no name of a stack" in run(tmp_path, "lock", "my search.yaml", code=1).stderr
    out = assembly(tmp_path, ("real", ACCOUNT, template()))
    run(tmp_path, "lock", str(out / f"real{ACCOUNT}.template.json"))
    assert Place("real", ACCOUNT, REGION) in read(tmp_path / "cmek.lock")


@pytest.mark.parametrize("name", ["my-key", "Key\x1b[2J", "K" * 256])
def test_what_could_not_be_read_back_is_not_written(tmp_path: Path, name: str) -> None:
    assembly(tmp_path, ("search", ACCOUNT, json.loads(json.dumps(template()).replace(KEY, json.dumps(name)[1:-1]))))
    assert "no line can name" in run(tmp_path, "lock", code=1).stderr
    assert not (tmp_path / "cmek.lock").exists()


def test_where_nothing_can_be_locked_it_says_why(tmp_path: Path) -> None:
    assert "cdk.out: there is no such file or folder. Run `npx cdk synth`" in run(tmp_path, "lock", code=1).stderr
    (tmp_path / "cdk.out").mkdir()
    assert "`npx cdk synth` writes them" in run(tmp_path, "lock", code=1).stderr
    (tmp_path / "cdk.out" / "manifest.json").write_text("{")
    assert "no JSON that can be read" in run(tmp_path, "lock", code=1).stderr
    assembly(tmp_path, ("search", ACCOUNT, {"Resources": {}}))
    assert "no role or key of Pinecone's" in run(tmp_path, "lock", code=1).stderr
    assert "for --deployed alone" in run(tmp_path, "lock", "--profile=x", code=2).stderr
    assert not (tmp_path / "cmek.lock").exists()


def test_unlocking_wants_a_reason_that_stays_when_the_new_one_is_locked(tmp_path: Path) -> None:
    file = locked(tmp_path)
    new = ("search", ACCOUNT, changed(ROLE, "RoleName", "other"))
    assert "Missing option '--reason'" in run(tmp_path, "unlock", "search", code=2).stderr
    for reason in ("", " ", "a\nb", "\x1b[2J"):
        assert "says why" in run(tmp_path, "unlock", "search", f"--reason={reason}", code=2).stderr
    run(tmp_path, "unlock", "search", "role", "--reason", "Ticket 42: by “security”")
    assert re.search(r'Unlocked "20\d\d-\d\d-\d\d Ticket 42: by “security”"', file.read_text())
    assert refused(tmp_path, new) == []
    (key,) = refused(tmp_path, ("search", ACCOUNT, changed(KEY, "MultiRegion", True)))
    assert KEY in key
    assembly(tmp_path, new)
    assert "locked anew" in run(tmp_path, "lock").stdout
    (role,) = (one for name, one in read(file)[Place("search", ACCOUNT, REGION)].items() if name == ROLE)
    assert role.values["RoleName"] == "other"
    (note,) = role.history
    assert note.endswith("Ticket 42: by “security” (until then RoleName not set)")
    (back,) = refused(tmp_path, ("search", ACCOUNT, template()))
    assert 'RoleName was "other" and is now not set' in back


def test_what_is_given_up_stays_with_its_reason_and_another_takes_its_place(tmp_path: Path) -> None:
    file = locked(tmp_path)
    run(tmp_path, "unlock", "search", KEY, "--reason=The project is gone")
    moved = json.loads(json.dumps(template()).replace(KEY, "Moved"))
    assembly(tmp_path, ("search", ACCOUNT, moved))
    run(tmp_path, "lock")
    lines = [line for line in file.read_text().splitlines() if f" {KEY} " in line]
    assert [line.split(" ")[4] for line in lines] == ["AWS::KMS::Key", "Unlocked"]
    assert "The project is gone" in lines[1]
    assert "is up to date" in run(tmp_path, "lock", "--check").stdout
    assert refused(tmp_path, ("search", ACCOUNT, moved)) == []
    (one,) = refused(tmp_path, ("search", ACCOUNT, template()))
    assert "logical ID was Moved" in one


def test_unlocking_names_what_there_is(tmp_path: Path) -> None:
    assert "it has nothing" in run(tmp_path, "unlock", "x", "--reason=x", code=1).stderr
    locked(tmp_path, ("search", ACCOUNT, template()), ("search", "999999999999", template()))
    printed = run(tmp_path, "unlock", "nobody", "--reason=x", code=1).stderr
    assert f"got 'nobody', but it has search ({ACCOUNT}, us-east-1)" in printed
    printed = run(tmp_path, "unlock", "search", "--reason=x", code=1).stderr
    assert "with --account and --region" in printed
    own = ("--account", ACCOUNT, "--region", REGION)
    printed = run(tmp_path, "unlock", "search", "alias", "--reason=x", *own, code=1).stderr
    assert f"It has: {KEY} (key, locked), {ROLE} (role, locked)" in printed
    run(tmp_path, "unlock", "search", "--reason=x", *own)
    printed = run(tmp_path, "unlock", "search", "--reason=x", *own, code=1).stderr
    assert f"{ROLE} (role, unlocked)" in printed
    assert refused(tmp_path, ("search", ACCOUNT, {"Resources": {}})) == []


def test_a_gitattributes_that_is_no_utf_8_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitattributes").write_bytes("*.m\xfcll text\n".encode("latin-1"))
    assembly(tmp_path, ("search", ACCOUNT, template()))
    assert ".gitattributes: cannot be read: it is not UTF-8" in run(tmp_path, "lock", code=1).stderr
    assert not (tmp_path / "cmek.lock").exists()


class Killed(BaseException):
    """What no `except` of the command catches."""


@pytest.mark.parametrize("command", [("lock",), ("unlock", "search", "--reason=x")])
def test_killed_in_any_write_and_run_again_it_comes_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    def end(folder: Path, killed_at: int) -> dict[str, str]:
        (folder / ".git").mkdir(parents=True)
        (folder / ".gitattributes").write_text("*.py text")
        assembly(folder, ("search", ACCOUNT, template()))
        if command != ("lock",):
            run(folder, "lock")
        count = 0

        def dies(own: Callable[..., Any]) -> Callable[..., Any]:
            def instead(path: Path, *arguments: Any) -> Any:
                nonlocal count
                count += 1
                if count == killed_at:
                    if own.__name__ == "write_bytes":
                        own(path, arguments[0][: len(arguments[0]) // 2])
                    raise Killed
                return own(path, *arguments)

            return instead

        with monkeypatch.context() as patch:
            for name in ("write_bytes", "replace"):
                patch.setattr(Path, name, dies(getattr(Path, name)))
            try:
                run(folder, *command)
            except Killed:
                if (folder / "cmek.lock").exists():
                    read(folder / "cmek.lock")
                run(folder, *command)
        assert killed_at > 0 or count == (4 if command == ("lock",) else 2)
        return {one.name: one.read_text() for one in folder.iterdir() if one.is_file()}

    whole = end(tmp_path / "whole", 0)
    assert whole[".gitattributes"].splitlines()[0] == "*.py text"
    for number in range(1, 5 if command == ("lock",) else 3):
        assert end(tmp_path / f"killed{number}", number) == whole


def test_line_ends_and_mode_of_the_file_stay_and_no_link_is_written_through(tmp_path: Path) -> None:
    file = locked(tmp_path)
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    file.chmod(0o640)
    run(tmp_path, "unlock", "search", "--reason=x")
    assert file.stat().st_mode & 0o777 == 0o640
    assert file.read_bytes().count(b"\r\n") == file.read_bytes().count(b"\n") > 5
    before = file.rename(tmp_path / "target.lock").read_bytes()
    file.symlink_to(tmp_path / "target.lock")
    assert "it is a symbolic link" in run(tmp_path, "lock", code=1).stderr
    assert (tmp_path / "target.lock").read_bytes() == before
    (tmp_path / "target.lock").unlink()
    assert "a link to a file that is not there" in run(tmp_path, "lock", code=1).stderr
    assert [one.rule for one in refused_at(tmp_path, tmp_path / "cdk.out")] == ["lock-file"]


# What AWS calls them.


@pytest.fixture
def deployed(tmp_path: Path, aws: None) -> Path:
    """A folder whose app is deployed, in moto: a stack, and one in a stack."""
    assembly(tmp_path, ("search", MOTO, template()))
    boto3.client("cloudformation").create_stack(
        StackName="search", TemplateBody=json.dumps(template()), Capabilities=["CAPABILITY_IAM"]
    )
    return tmp_path


def names_in(folder: Path, resource: str) -> dict[str, str]:
    return dict(read(folder / "cmek.lock")[Place("search", MOTO, REGION)][resource].deployed)


def test_once_deployed_arns_and_the_roles_unique_id_are_locked(deployed: Path) -> None:
    run(deployed, "lock")
    assert names_in(deployed, ROLE) == {}
    assert f"arn:aws:iam::{MOTO}:role/" in run(deployed, "lock", "--deployed").stdout
    (role,) = boto3.client("iam").list_roles()["Roles"]
    (key,) = boto3.client("kms").list_keys()["Keys"]
    assert names_in(deployed, ROLE) == {"Arn": role["Arn"], "RoleId": role["RoleId"]}
    assert names_in(deployed, KEY) == {"Arn": key["KeyArn"]}
    assert "has all of it already" in run(deployed, "lock", "--deployed").stdout
    assert "is up to date" in run(deployed, "lock", "--check").stdout
    moved = json.loads(json.dumps(template()).replace(KEY, "Moved"))
    found = refused_at(deployed, assembly(deployed, ("search", MOTO, moved)))
    assert f"in place of the key {key['KeyArn']}." in found[0].consequence


def test_a_role_that_was_made_again_is_not_the_one_that_is_locked(deployed: Path) -> None:
    run(deployed, "lock", "--deployed")
    before = (deployed / "cmek.lock").read_text()
    iam = boto3.client("iam")
    (role,) = iam.list_roles()["Roles"]
    iam.delete_role(RoleName=role["RoleName"])
    iam.create_role(RoleName=role["RoleName"], AssumeRolePolicyDocument="{}")
    printed = run(deployed, "lock", "--deployed", code=1).stderr
    assert f"its RoleId is locked as {role['RoleId']}, but AWS has AROA" in printed
    assert "Somebody made the role again" in printed
    assert (deployed / "cmek.lock").read_text() == before
    run(deployed, "unlock", "search", "role", "--reason=Ticket 42")
    run(deployed, "lock", "--deployed")
    assert names_in(deployed, ROLE)["RoleId"] != role["RoleId"]
    assert f"Ticket 42 (until then RoleId {role['RoleId']})" in (deployed / "cmek.lock").read_text()


def test_what_is_not_deployed_as_it_is_locked_is_refused(deployed: Path) -> None:
    assembly(deployed, ("search", MOTO, json.loads(json.dumps(template()).replace(KEY, "Moved"))))
    printed = run(deployed, "lock", "--deployed", code=1).stderr
    assert "Moved is locked as AWS::KMS::Key, but the deployed stack has no such" in printed
    assembly(deployed, ("absent", MOTO, template()))
    assert "Deploy it first" in run(deployed, "lock", "--deployed", code=1).stderr
    assembly(deployed, ("search", "", template()))
    assert "neither account nor region" in run(deployed, "lock", "--deployed", code=1).stderr
    assembly(deployed, ("search", MOTO, template()))
    (role,) = boto3.client("iam").list_roles()["Roles"]
    boto3.client("iam").delete_role(RoleName=role["RoleName"])
    assert "somebody deleted it" in run(deployed, "lock", "--deployed", code=1).stderr
    assert not (deployed / "cmek.lock").exists()


def test_a_locked_stack_that_is_gone_is_written_and_refused_until_it_is_back(deployed: Path) -> None:
    run(deployed, "lock", "--deployed")
    names = [names_in(deployed, one)["Arn"] for one in (ROLE, KEY)]
    boto3.client("cloudformation").delete_stack(StackName="search")
    for _ in range(2):
        printed = run(deployed, "lock", "--deployed", code=1).stderr
        assert "take role and key back before any deploy (`cmek doctor search`" in printed
        assert "Deploy it first" not in printed
    (found,) = refused_at(deployed, deployed / "cdk.out")
    assert (found.rule, found.file.name) == ("locked-place", f"search{MOTO}.template.json")
    assert "the stack was seen to be gone on 20" in found.what
    assert f"`cmek adopt search --role-arn {names[0]} --key-arn {names[1]}` clears" in found.cure
    run(deployed, "unlock", "search", "--reason=We import it")
    assert refused_at(deployed, deployed / "cdk.out") == []


def test_a_locked_stack_that_came_to_nothing_anew_is_gone_and_not_to_be_deployed(
    deployed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(deployed, "lock", "--deployed")
    undone = {"ResourceStatus": "DELETE_COMPLETE", "PhysicalResourceId": "x", "LogicalResourceId": ROLE}
    listed = {"StackResourceSummaries": [{**undone, "ResourceType": "AWS::IAM::Role"}]}
    answer(monkeypatch, lambda name, _: listed if name == "ListStackResources" else NotImplemented)
    printed = run(deployed, "lock", "--deployed", code=1).stderr
    assert "take role and key back before any deploy (`cmek doctor search`" in printed
    assert "Deploy the template" not in printed


def test_of_several_accounts_it_writes_what_it_could_read(deployed: Path) -> None:
    other = "999999999999"
    assembly(deployed, ("absent", MOTO, template()), ("search", MOTO, template()))
    out = deployed / "cdk.out" / "manifest.json"
    out.write_text(out.read_text().replace(f"aws://{MOTO}", f"aws://{other}", 1))
    printed = run(deployed, "lock", "--deployed", code=1)
    assert names_in(deployed, ROLE).keys() == {"Arn", "RoleId"}
    assert list(read(deployed / "cmek.lock")) == [Place("search", MOTO, REGION)]
    assert "absent (999999999999, us-east-1)" in printed.stderr or "absent: " in printed.stderr
    assert "search" not in printed.stderr


def test_without_credentials_it_says_what_to_do(tmp_path: Path) -> None:
    assembly(tmp_path, ("search", ACCOUNT, template()))
    assert "leave --deployed out" in run(tmp_path, "lock", "--deployed", code=1).stderr


# Two branches.


def git(folder: Path, *arguments: str, code: int = 0) -> str:
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "core.autocrlf=false")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def merged(folder: Path, base: Callable[[], object], *branches: Callable[[], object], code: int = 0) -> str:
    """The lock after two branches, each of which does something, were merged."""
    git(folder, "init", "-q", "-b", "main")
    (folder / ".gitignore").write_text("cdk.out\n")
    base()
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "base")
    for number, branch in enumerate(branches):
        git(folder, "checkout", "-qb", f"branch{number}", "main")
        branch()
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", f"branch {number}")
    git(folder, "merge", "-q", "branch0", "-m", "merge", code=code)
    return (folder / "cmek.lock").read_text()


def locks(folder: Path, *names: str, **how: Any) -> Callable[[], Path]:
    """What locks some stacks."""
    content = how.get("content", template())
    return lambda: locked(folder, *((name, ACCOUNT, content) for name in names))


def stacks_in(text: str) -> dict[str, list[str]]:
    lock = parse(text, "cmek.lock")
    return {
        place.stack: [resource for resource, one in stack.items() if not one.unlocked] for place, stack in lock.items()
    }


@pytest.mark.parametrize("base", [(), ("a",), ("z",), ("a", "z")])
def test_two_branches_that_each_add_a_stack_merge(tmp_path: Path, base: tuple[str, ...]) -> None:
    first = locks(tmp_path, *base) if base else lambda: None
    text = merged(tmp_path, first, locks(tmp_path, "m"), locks(tmp_path, "n"))
    assert stacks_in(text) == {name: [KEY, ROLE] for name in [*base, "m", "n"]}
    run(tmp_path, "lock")
    assert stacks_in((tmp_path / "cmek.lock").read_text()) == stacks_in(text)


def test_one_branch_unlocks_while_another_adds_and_both_hold(tmp_path: Path) -> None:
    def unlocks() -> None:
        run(tmp_path, "unlock", "a", "role", "--reason=Ticket 42")

    text = merged(tmp_path, locks(tmp_path, "a", "z"), unlocks, locks(tmp_path, "b"))
    assert stacks_in(text) == {"a": [KEY], "b": [KEY, ROLE], "z": [KEY, ROLE]}
    assert "Ticket 42" in text


def test_two_reasons_of_two_branches_both_stay(tmp_path: Path) -> None:
    def unlocks(reason: str) -> Callable[[], object]:
        return lambda: run(tmp_path, "unlock", "a", "role", f"--reason={reason}")

    text = merged(tmp_path, locks(tmp_path, "a"), unlocks("One"), unlocks("Two"))
    assert stacks_in(text) == {"a": [KEY]}
    locked(tmp_path, ("a", ACCOUNT, changed(ROLE, "Path", "/x/")))
    assert (tmp_path / "cmek.lock").read_text().count("(until then Path not set)") == 2


def test_what_one_branch_locked_again_no_other_branch_unlocks(tmp_path: Path) -> None:
    def unlocked() -> None:
        locked(tmp_path, ("a", ACCOUNT, template()))
        run(tmp_path, "unlock", "a", "role", "--reason=One")

    def deployed() -> None:
        file = tmp_path / "cmek.lock"
        file.write_text(
            file.read_text().replace('{"ExternalId"', f'{{"Arn":"arn:aws:iam::{ACCOUNT}:role/r","ExternalId"')
        )

    text = merged(tmp_path, unlocked, locks(tmp_path, "a"), deployed)
    assert " Unlocked " in text
    assert stacks_in(text) == {"a": [KEY, ROLE]}
    run(tmp_path, "unlock", "a", "role", "--reason=One")
    assert stacks_in((tmp_path / "cmek.lock").read_text()) == {"a": [KEY]}


def test_the_same_stack_locked_differently_is_refused_with_both_lines(tmp_path: Path) -> None:
    text = merged(
        tmp_path,
        locks(tmp_path, "z"),
        locks(tmp_path, "a"),
        locks(tmp_path, "a", content=changed(ROLE, "RoleName", "other")),
    )
    with pytest.raises(LockError, match="two branches locked two of them") as error:
        parse(text, "cmek.lock")
    lines = text.splitlines()
    assert str(error.value).count("RoleName") == 1
    numbers = re.findall(r"cmek\.lock:(\d+)|line (\d+)", str(error.value))
    for number in (int(one or other) for one, other in numbers):
        assert f" {ROLE} " in lines[number - 1]


def test_without_the_line_in_gitattributes_git_shows_the_conflict(tmp_path: Path) -> None:
    def base() -> None:
        (tmp_path / ".gitattributes").write_text("cmek.lock text\n")
        locked(tmp_path, ("z", ACCOUNT, template()))

    other = changed(ROLE, "RoleName", "other")
    text = merged(tmp_path, base, locks(tmp_path, "a"), locks(tmp_path, "a", content=other), code=1)
    with pytest.raises(LockError, match="a merge is not finished here: <<<<<<<"):
        parse(text, "cmek.lock")


# Every released version.


def test_each_released_version_has_its_lock() -> None:
    released_versions = re.findall(r"^## (\d+\.\d+\.\d+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert list(released.FORMS) == VERSIONS
    assert set(VERSIONS) >= set(released_versions[1:])


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The forms of a version, as today's code makes them."""
    folder = tmp_path_factory.mktemp("released")

    def synthesize(version: str) -> Path:
        if not (folder / version).exists():
            released.synthesize(version, folder / version)
        return folder / version

    return synthesize


@pytest.mark.parametrize("version", VERSIONS)
def test_an_upgrade_moves_no_identity(version: str, tmp_path: Path, synthesized: Callable[[str], Path]) -> None:
    kept, locked = released.FOLDER / f"{version}.lock", tmp_path / "kept.lock"
    locked.write_text(kept.read_text())
    run(ROOT, "lock", str(synthesized(version)), f"--file={locked}")
    more = set(locked.read_text().splitlines()) - set(kept.read_text().splitlines())
    assert set(kept.read_text().splitlines()) <= set(locked.read_text().splitlines())
    assert all(re.search("/(ou-[a-z0-9-]+|[0-9]{12}) account ", line) for line in more)  # not locked by then


@pytest.mark.parametrize("version", VERSIONS)
def test_an_upgrade_that_moves_one_would_fail(version: str, tmp_path: Path, synthesized: Callable[[str], Path]) -> None:
    kept = tmp_path / "kept.lock"
    kept.write_text((released.FOLDER / f"{version}.lock").read_text().replace(f" {KEY} ", " CmekKey0 "))
    printed = run(ROOT, "lock", str(synthesized(version)), f"--file={kept}", "--check", code=1).stderr
    assert f"its logical ID was CmekKey0 and is now {KEY}" in printed
