"""The shape of the code: what may know what, and what starts what."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cmek_construct
from tests.conftest import ROOT

PACKAGE = ROOT / "cmek_construct"
PURE = {"guide", "checks", "props", "rows", "warnings", "customers"}
OUTSIDE = {"aws_cdk", "constructs", "jsii", "boto3", "botocore", "pydantic", "typer", "rich"}


def imports(path: Path) -> set[str]:
    """The modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{name.name}" for name in node.names}
    return found


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")


@pytest.mark.parametrize("name", sorted(PURE))
def test_pure_modules_import_nothing_of_cdk(name: str) -> None:
    known = imports(PACKAGE / f"{name}.py")
    assert not {one.split(".")[0] for one in known} & OUTSIDE
    ours = {one.split(".")[1] for one in known if one.startswith("cmek_construct.")}
    assert ours <= PURE


def test_what_a_policy_means_needs_the_standard_library_the_guide_and_rows_of_words_alone() -> None:
    for path in (PACKAGE / "policy").glob("*.py"):
        known = {one for one in imports(path) if one.split(".")[0] not in sys.stdlib_module_names}
        assert all(one.startswith(rooms("policy", "guide", "rows")) for one in known)


def test_constructs_know_the_root_and_cdk_alone() -> None:
    for path in (PACKAGE / "constructs").glob("*.py"):
        known = {one for one in imports(path) if one.split(".")[0] not in sys.stdlib_module_names}
        ours = {one.split(".")[1] for one in known if one.startswith("cmek_construct.")}
        assert ours <= PURE | {"constructs"}, path.name
        others = {one.split(".")[0] for one in known} - {"cmek_construct"}
        assert others <= {"aws_cdk", "constructs", "jsii", "typing_extensions"}, path.name


def test_each_construct_of_the_core_knows_those_before_it_alone() -> None:
    assert not any(one.startswith("cmek_construct") for one in imports(PACKAGE / "guide.py"))
    before: set[str] = {"cdk"}
    for name in ("role", "key", "cmek"):
        known = imports(PACKAGE / "constructs" / f"{name}.py")
        rooms = {one.split(".")[2] for one in known if one.startswith("cmek_construct.constructs.")}
        assert rooms <= before, name
        before.add(name)


def test_what_makes_the_template_is_read_over_one_coffee() -> None:
    found: set[Path] = set()
    todo = {"cmek_construct.constructs.cmek"}
    while todo:
        path = ROOT.joinpath(*todo.pop().split(".")).with_suffix(".py")
        if path.is_file() and path not in found:
            found.add(path)
            todo |= imports(path)
    assert PACKAGE / "guide.py" in found
    assert PACKAGE / "customers.py" not in found, "a vendor's customers are none of it"
    assert sum(len(path.read_text().splitlines()) for path in found) <= 1_900


ABOVE = ("deployment", "aws", "health", "who", "commands")


def test_constructs_know_neither_files_nor_commands() -> None:
    for path in PACKAGE.glob("*.py"):
        above = [one for one in imports(path) if one.startswith(rooms(*ABOVE))]
        assert above == [], path.name


def rooms(*names: str) -> tuple[str, ...]:
    return tuple(f"cmek_construct.{name}" for name in names)


def test_the_command_imports_no_construct() -> None:
    for room in ("aws", "health", "who", "commands"):
        for path in (PACKAGE / room).rglob("*.py"):
            known = {one.split(".")[0] for one in imports(path)}
            assert not known & {"aws_cdk", "constructs", "jsii"}, path.name


def test_there_is_one_door_to_aws_and_one_place_of_the_command_line() -> None:
    for path in modules():
        room, known = path.relative_to(PACKAGE).parts[0], imports(path)
        names = {one.split(".")[0] for one in known}
        assert room == "aws" or not names & {"boto3", "botocore"}, path
        assert room == "commands" or not names & {"typer", "click", "rich"}, path
        assert room == "commands" or not any(one.startswith(rooms("commands")) for one in known)
    for path in (PACKAGE / "aws").glob("*.py"):
        assert not any(one.startswith(rooms(*ABOVE[2:])) for one in imports(path)), path.name
    for path in (PACKAGE / "health").glob("*.py"):
        ours = [one for one in imports(path) if one.startswith(rooms("aws"))]
        assert all(one.startswith("cmek_construct.aws.objects") for one in ours), path.name


def test_a_file_has_one_subject_and_a_function_fits_on_a_screen() -> None:
    for path in modules():
        lines = path.read_text().splitlines()
        assert len(lines) <= 400, path.name
        for node in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(node, ast.FunctionDef) and node.name != "__init__":
                assert (node.end_lineno or 0) - node.body[0].lineno <= 50, f"{path.name}: {node.name}"


def test_the_public_names_are_the_contract() -> None:
    assert sorted(cmek_construct.__all__) == sorted(
        [
            "ALL_REGIONS",
            "CmekGuardrails",
            "CustomerKey",
            "KeyAccess",
            "PINECONE_REGIONS",
            "PineconeCmek",
            "PineconeCmekMonitoring",
            "PineconeCmekStackSet",
            "PineconeKey",
            "PineconePrincipal",
            "PineconeRole",
            "StackSetTargets",
        ]
    )
    assert all(getattr(cmek_construct, name) is not None for name in cmek_construct.__all__)
    assert dir(cmek_construct) == sorted(cmek_construct.__all__)
    with pytest.raises(AttributeError):
        getattr(cmek_construct, "Nothing")  # noqa: B009 - the look-up is what is tested


INITIALIZERS = {
    name: getattr(cmek_construct, name).__init__
    for name in (
        "PineconeCmek",
        "PineconeCmekMonitoring",
        "PineconeCmekStackSet",
        "PineconeRole",
        "PineconeKey",
        "PineconePrincipal",
        "CustomerKey",
        "CmekGuardrails",
    )
}


def test_every_public_parameter_is_described() -> None:
    for name, initializer in INITIALIZERS.items():
        names = list(inspect.signature(initializer).parameters)[1:]
        assert names[:2] == ["scope", "construct_id"] or len(names) < 5
        for parameter in names:
            said = inspect.cleandoc(initializer.__doc__ or "")
            assert f"\n    {parameter}: " in said, f"{name}: {parameter}"


def test_a_prop_takes_the_classes_beside_their_interface() -> None:
    """To pyright no class of jsii is its own interface: their parameters have other names."""
    classes = {"IRole": {"Role"}, "IKey": {"Key"}, "ITopic": {"Topic"}, "IPrincipal": {"PrincipalBase", "Role", "User"}}
    found = set()
    for name, initializer in INITIALIZERS.items():
        for parameter in inspect.signature(initializer).parameters.values():
            words = set(re.findall(r"\w+", str(parameter.annotation)))
            for interface in words & set(classes):
                assert classes[interface] <= words, f"{name}: {parameter}"
                found.add(interface)
    assert found == set(classes)


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_package_and_its_command_do_not_start_node() -> None:
    code = (
        "import sys, cmek_construct, cmek_construct.commands.app;print('jsii' in sys.modules, 'boto3' in sys.modules)"
    )
    assert run(code).strip() == "False False"


def test_cmek_yaml_is_read_without_the_rooms_that_read_templates() -> None:
    code = 'import sys, cmek_construct.deployment.reading; print(*sys.modules, sep="\\n")'
    assert not [one for one in run(code).split() if one.startswith(rooms("guardrails", "policy", "templates", "lock"))]


def test_composing_needs_the_three_packages_alone() -> None:
    code = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("pydantic", "yaml", "ruamel", "typer", "rich", "boto3"):
            raise ImportError(name)

sys.meta_path.insert(0, Refuse())
import aws_cdk as cdk
from cmek_construct import PineconeCmek
app = cdk.App()
PineconeCmek(cdk.Stack(app, "Stack"), "Cmek", pinecone_account_id="999988887777",
             regions=["us-east-1"], external_id="5b4f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f")
print(len(app.synth().get_stack_by_name("Stack").template["Resources"]))
print(*[name for name in sys.modules if name.startswith("cmek_construct.policy")])
"""
    # What a policy means is asked for a given role alone, and is none of what makes a template.
    assert run(code).split() == ["3"]


def test_what_is_used_of_the_cdk_is_read_by_the_type_checker() -> None:
    read = set(re.findall(r'"aws_cdk\.(\w+)"', (ROOT / "pyproject.toml").read_text()))
    for room in ("cmek_construct", "tests", "examples", "rehearsal", "benchmarks", "reference"):
        for path in (ROOT / room).rglob("*.py"):
            used = {one for one in imports(path) if re.match(r"aws_cdk\.[a-z]", one)}
            assert {one.split(".")[1] for one in used} <= read, path


def test_every_prop_has_a_row_and_a_type() -> None:
    from cmek_construct.constructs import key, stack_set, vendor
    from cmek_construct.constructs.cmek import CmekProps
    from cmek_construct.props import CMEK

    for types, own in (
        (CmekProps, CMEK),
        (vendor.RoleProps, vendor.ROLE),
        (key.KeyProps, key.KEY),
        (vendor.CustomerKeyProps, vendor.CUSTOMER_KEY),
        (stack_set.StackSetProps, stack_set.STACK_SET),
    ):
        assert set(types.__annotations__) == {row.name for row in own}


def test_what_is_deployed_is_judged_and_no_policy_is_written_there() -> None:
    for room in ("aws", "health", "lock"):
        for path in (PACKAGE / room).glob("*.py"):
            words = ('"Principal"', '"NotPrincipal"', '"NotAction"', '"Fn::')
            assert not any(word in path.read_text() for word in words), path.name
