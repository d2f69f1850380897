"""The shape of the code: what may know what, and what starts what."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from string import Formatter
from typing import Any, get_args, get_type_hints

import pytest
from jinja2 import Environment, meta

import cmek_construct
from cmek_construct.aws.objects import Key, PermissionsPolicy, Role
from cmek_construct.commands.printing import texts
from cmek_construct.deployment.reading import Entry
from cmek_construct.guardrails.rule import rules
from cmek_construct.health.customer_key import CustomerKeySeen
from cmek_construct.health.deployed import Deployed
from cmek_construct.health.findings import Effect, Finding, Rows, Verdict
from cmek_construct.review.changes import _PROPERTIES, REPLACED
from cmek_construct.review.page import ENVIRONMENT
from cmek_construct.review.parts import SENTENCES
from cmek_construct.review.statements import Guides
from cmek_construct.rows import rows
from cmek_construct.warnings import warnings
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


def test_each_text_of_a_command_is_there_and_is_given_what_it_says() -> None:
    called: dict[str, set[str]] = {}
    for path in {*(PACKAGE / "commands").glob("*.py")} - {PACKAGE / "commands" / "printing.py"}:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("text", "refused"):
                file, name = (ast.literal_eval(one) for one in node.args)
                called.setdefault(file, set()).add(name)
                wanted = set(getattr(texts(file), name).arguments)
                given = {one.arg for one in node.keywords}
                assert given - {None} <= wanted, (file, name)
                assert None in given or given == wanted, (file, name)
    for path in PACKAGE.glob("commands/*.j2"):
        content = path.read_text(encoding="utf-8")
        names = set(re.findall(r"{% macro (\w+)", content))
        assert called[path.name] <= names, path.name
        assert names - called[path.name] <= set(re.findall(r"{{ (\w+)\(", content)), f"{path.name}: used by nobody"
        assert meta.find_undeclared_variables(Environment().parse(content)) <= names, path.name


def test_each_warning_is_given_and_is_given_what_it_says() -> None:
    given: dict[str, set[str]] = {}
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "notice":
                given.setdefault(ast.literal_eval(node.args[0]), set()).update(f"{one.arg}" for one in node.keywords)
    fields = {name: {one[1] for one in Formatter().parse(said) if one[1]} for name, said in warnings().items()}
    assert given == fields


def test_each_row_of_a_finding_is_asked_for_and_is_given_what_it_says() -> None:
    for page in {*(PACKAGE / "health").glob("*.ini")} - {PACKAGE / "health" / "findings.ini"}:
        rows, asked = Rows(page.name).each, set[str]()
        beside, command = page.with_suffix(".py"), PACKAGE / "commands" / f"{page.stem}.py"
        code = [path.read_text(encoding="utf-8") for path in (beside, command) if path.exists()]
        tree = ast.parse("\n".join(code))
        for function in (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)):
            calls = [one for one in ast.walk(function) if isinstance(one, ast.Call) and is_of_rows(one)]
            named = rows_in(function, rows) if calls else set()
            directly = {name for one in calls for name in rows_in(one.args[0], rows)}
            for call in calls:
                kinds = {"text"} if ast.unparse(call.func).endswith("text") else {one.value for one in Verdict}
                for name in rows_in(call.args[0], rows) or named - directly:
                    assert len({*rows[name]} & kinds) == 1, (page.name, name)
                    assert filled_in(rows[name]) <= {f"{one.arg}" for one in call.keywords}, (page.name, name)
            asked |= named
        assert asked == {*rows}, page.name
        for name in asked:
            assert rows[name].get("effect") in (None, *(one.value for one in Effect)), (page.name, name)


def test_each_effect_has_a_row_that_says_what_it_means_and_how_long_there_is() -> None:
    rows = Rows("findings.ini").each
    others = {"no-effect", "unknown", "unknown.perhaps", "not-read", "not-read.refused"}
    assert {*rows} == {*(one.value for one in Effect), *others}
    assert all({*rows[one.value]} == {"means", "time"} == {*rows["no-effect"]} for one in Effect)


def test_each_kind_of_policy_and_each_boundary_has_its_rows() -> None:
    policies, doctor = Rows("policies.ini").each, Rows("doctor.ini").each
    for about in ("trust-policy", "key-policy", "permissions"):
        assert {f"{about}.{one}" for one in ("not-read", "as-file", "ahead", "another", "in-doubt")} <= {*policies}
    for row in ("as-file", "another", "not-in-file"):
        assert {f"boundary.{row}", f"boundary.{row}-denies"} <= {*doctor}


def is_of_rows(call: ast.Call) -> bool:
    return re.fullmatch(r"(_|health\.)?ROWS\.(finding|text)", ast.unparse(call.func)) is not None


def rows_in(code: ast.AST, rows: Mapping[str, object]) -> set[str]:
    """The rows that stand in code by their names, or by parts of these."""
    names = {str(one.value) for one in ast.walk(code) if isinstance(one, ast.Constant)} & rows.keys()
    for text in (one for one in ast.walk(code) if isinstance(one, ast.JoinedStr)):
        form = "".join(re.escape(str(one.value)) if isinstance(one, ast.Constant) else ".+" for one in text.values)
        names |= {name for name in rows if form != ".+" and re.fullmatch(form, name)}
    return names


def filled_in(row: Mapping[str, str]) -> set[str]:
    """The names that a row fills in, each with parts that it has."""
    texts = [text for what, text in row.items() if what not in ("effect", "elsewhere")]
    fields = [field.split(".") for one in texts for _, field, _, _ in Formatter().parse(one) if field]
    for name, *parts in fields:
        kinds: tuple[Any, ...] = (FACTS[name],) if parts else ()
        for part in parts:
            kinds = tuple(one for kind in kinds for one in types_of(kind, part))
            assert kinds, (name, parts)
    return {one[0] for one in fields}


FACTS = {
    "case": Deployed,
    "entry": Entry,
    "key": Key,
    "one": Finding,
    "policy": PermissionsPolicy,
    "role": Role,
    "seen": CustomerKeySeen,
    "vendor": Entry,
}
"""What a fact is of which a row fills in parts."""


def types_of(kind: type, part: str) -> tuple[type, ...]:
    """What a part of a value may be."""
    found = getattr(kind, part, None)
    hints = get_type_hints(found.fget if isinstance(found, property) else kind)
    hint = hints.get("return" if isinstance(found, property) else part)
    return get_args(hint) or (hint,) if hint else ()


def test_each_rule_of_a_template_is_broken_somewhere_and_has_its_section() -> None:
    named: set[str] = set()
    for path in (PACKAGE / "guardrails").glob("*.py"):
        texts = {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
        named |= {one for one in texts if re.fullmatch(r"[a-z]+(-[a-z]+)+( [a-z]+)?", str(one))}
    assert named == set(rules())


def test_each_refusal_of_the_lock_is_made_and_is_given_what_it_says() -> None:
    page = rows(PACKAGE / "lock" / "refusals.ini")
    given: dict[tuple[str, str], set[str]] = {}
    trees = [ast.parse(path.read_text()) for path in (PACKAGE / "lock").glob("*.py")]
    for function in (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        nodes = list(ast.walk(function))
        facts = {
            key.value for one in nodes if isinstance(one, ast.Dict) for key in one.keys if isinstance(key, ast.Constant)
        }
        chosen = [
            one.value for one in nodes if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "consequence"
        ]
        consequences = [one.value for some in chosen for one in ast.walk(some) if isinstance(one, ast.Constant)]
        for call in (one for one in nodes if isinstance(one, ast.Call)):
            texts = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            match ast.unparse(call.func), texts:
                case "_refusal", [row, *_]:
                    parts = ("what", *(consequences or ["consequence"]), "cure")
                    given |= {(row, part): facts | {"file", "of_file"} for part in parts}
                case "_wrong", [why]:
                    given["lock-file", why] = {one.arg for one in call.keywords}
                case "said", [row, part]:
                    given[row, part] = {one.arg for one in call.keywords}
    said = {(row, part): text for row, own in page.items() for part, text in own.items()}
    assert given.keys() == said.keys()
    for one, facts in given.items():
        assert {name.partition(".")[0] for _, name, *_ in Formatter().parse(said[one]) if name} <= facts, one


def test_each_sentence_of_the_page_is_said_and_is_given_what_it_says() -> None:
    page = rows(SENTENCES)
    assert REPLACED in page
    shared = set.intersection(*map(set, page.values()))
    texts = [(name, text) for some in page.values() for name, text in some.items() if name not in shared]
    filled_in = {name: {one for _, one, _, _ in Formatter().parse(text) if one} - shared for name, text in texts}
    assert len(filled_in) == len(texts)
    said: set[str] = set()
    for path in (PACKAGE / "review").glob("*.py"):
        nodes = [*ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
        loops = [(node, sentences(node.iter) & filled_in.keys()) for node in nodes if isinstance(node, ast.For)]
        in_loops = {call: names for loop, names in loops if names for call in ast.walk(loop)}
        for node in nodes:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                names = sentences(node.args[0]) or in_loops[node]
                names |= {*map(str.lower, _PROPERTIES.values())} if isinstance(node.args[0], ast.Call) else set()
                given = {*("kind", "name"), *(one.arg for one in node.keywords)}
                assert all(filled_in[name] <= given for name in names), names
                said |= names
    assert said == filled_in.keys()


def test_the_page_has_a_title_for_each_statement_of_the_guide_and_words_for_each_note() -> None:
    page: Any = ENVIRONMENT.get_template("parts.html.j2").module
    assert page.guides.keys() == {*get_args(Guides)}
    tree = ast.parse((PACKAGE / "review" / "statements.py").read_text(encoding="utf-8"))
    (why,) = (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) and one.name == "why")
    (told,) = (one for one in ast.walk(why) if isinstance(one, ast.Dict))
    assert page.why.keys() == {ast.literal_eval(one) for one in told.keys if one}


def sentences(named: ast.AST) -> set[str]:
    """The rows that a call may name, of each kind of resource."""
    if isinstance(named, ast.IfExp):
        return sentences(named.body) | sentences(named.orelse)
    names = {str(one.value).lower() for one in ast.walk(named) if isinstance(one, ast.Constant)}
    if isinstance(named, ast.JoinedStr):
        (what,) = names
        return {f"{kind}{what}" for kind in ("role", "key", "alias") if (kind, what) != ("alias", " another")}
    return names


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
