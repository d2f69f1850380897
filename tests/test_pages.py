"""The pages of rows and of texts beside the code: each is asked for, and is given what it says."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping
from importlib import import_module
from string import Formatter
from typing import Any, get_args, get_type_hints

from jinja2 import Environment, meta

from cmek_construct.aws.objects import Key, PermissionsPolicy, Role, Unread
from cmek_construct.checks import EXTERNAL_ID, PENDING_WINDOW_DAYS, STACK_NAME
from cmek_construct.commands.printing import texts
from cmek_construct.commands.sheet import _ROLE
from cmek_construct.deployment.reading import Entry
from cmek_construct.guardrails.rule import Rule, rules
from cmek_construct.health.customer_key import CustomerKeySeen
from cmek_construct.health.deployed import Deployed
from cmek_construct.health.findings import Effect, Finding, Rows, Verdict
from cmek_construct.review.changes import _PROPERTIES, REPLACED
from cmek_construct.review.page import ENVIRONMENT
from cmek_construct.review.parts import SENTENCES
from cmek_construct.review.statements import Guides
from cmek_construct.rows import rows
from cmek_construct.warnings import warnings
from tests.test_structure import PACKAGE, modules


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


def test_each_option_of_a_command_has_its_line_and_each_line_its_option() -> None:
    page, used = rows(PACKAGE / "commands" / "options.ini"), set[tuple[str, str]]()
    for path in {*(PACKAGE / "commands").glob("*.py")} - {PACKAGE / "commands" / "app.py"}:
        module = import_module(f"cmek_construct.commands.{path.stem}")
        for command in (one for one in vars(module).values() if "epilog" in getattr(one, "__dict__", ())):
            sections = (f"{path.stem} {command.__name__}", path.stem, "*")
            for name in {*inspect.signature(command).parameters, "epilog"} - {"context"}:
                section = next((one for one in sections if name in page.get(one, {})), None)
                assert section or name == "epilog", (path.stem, command.__name__, name)
                used.add((section or "*", name))
    assert used - {("*", "epilog")} == {(section, name) for section, said in page.items() for name in said}
    assert _ROLE in page["sheet"]["role"]


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


def test_each_refusal_is_given_and_is_given_what_it_says() -> None:
    given: dict[tuple[str, str], set[str]] = {}
    page = rows(PACKAGE / "refusals.ini")
    for path in (PACKAGE / name for name in ("", "constructs", "deployment")):
        trees = [ast.parse(one.read_text(encoding="utf-8")) for one in path.glob("*.py")]
        for function in (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            calls = [one for one in ast.walk(function) if isinstance(one, ast.Call)]
            of_file = [one for one in calls if ast.unparse(one.func) == "wrong"]
            directly = {name for one in of_file for name in constants(one.args[0])}
            for call in of_file:
                names = constants(call.args[0]) or (constants(function) & page["cmek.yaml"].keys()) - directly
                given |= {("cmek.yaml", name): {str(one.arg) for one in call.keywords} for name in names}
            for call in calls:
                if ast.unparse(call.func).endswith("refusal") and isinstance(call.args[0], ast.Constant):
                    about = str(call.args[0].value)
                    names = constants(call.args[1]) or constants(function) & page[about].keys()
                    facts = {str(one.arg) for one in call.keywords} - {"None"}
                    given |= {(about, name): facts or constants(function) for name in names}
    fields = {(about, name): filled_in({name: said}) for about, row in page.items() for name, said in row.items()}
    assert given.keys() == fields.keys()
    assert all(fields[one] <= facts for one, facts in given.items())


def test_each_row_of_a_prop_is_of_a_construct_or_of_the_file_and_says_all_that_a_row_says() -> None:
    page = rows(PACKAGE / "props.ini")
    used = {one for path in modules() for one in constants(ast.parse(path.read_text(encoding="utf-8")))}
    shaping = {name for name, said in page.items() if said.get("shapes") in ("role", "key")}
    assert page.keys() <= used | shaping
    texts = {"shape", "says", "default", "cdk", "in_file", "also", "shapes"}
    for name, said in page.items():
        assert not said.keys() - texts - {"form", "allowed", "way_out", "days"}, name
        assert len(said.keys() & {"form", "allowed", "way_out"}) in (0, 3), name
    assert page["pending_window"]["days"] == "{} to {}".format(*PENDING_WINDOW_DAYS)
    assert page["stack_set_name"]["form"] == page["stacks"]["form"] == STACK_NAME.pattern
    assert page["external_id"]["form"].endswith(f"){EXTERNAL_ID.pattern}")


def test_each_effect_has_a_row_that_says_what_it_means_and_how_long_there_is() -> None:
    rows = Rows("findings.ini").each
    others = {"no-effect", "unknown", "unknown.perhaps", "not-read", "not-read.refused"}
    assert {*rows} == {*(one.value for one in Effect), *others}
    assert all({*rows[one.value]} == {"means", "time"} == {*rows["no-effect"]} for one in Effect)


def test_what_adopt_says_of_a_finding_is_of_one_that_the_doctor_has() -> None:
    every = [(name, row) for page in ("doctor.ini", "policies.ini") for name, row in Rows(page).each.items()]
    abouts = {row.get("about", name.partition(".")[0]) for name, row in every}
    assert {name.removesuffix(".later") for name in Rows("adoption.ini").each if name.endswith(".later")} <= abouts


def test_each_kind_of_policy_and_each_boundary_has_its_rows() -> None:
    policies, doctor = Rows("policies.ini").each, Rows("doctor.ini").each
    for about in ("trust-policy", "key-policy", "permissions"):
        assert {f"{about}.{one}" for one in ("not-read", "as-file", "ahead", "another", "in-doubt")} <= {*policies}
    for row in ("as-file", "another", "not-in-file"):
        assert {f"boundary.{row}", f"boundary.{row}-denies"} <= {*doctor}


def is_of_rows(call: ast.Call) -> bool:
    return re.fullmatch(r"(_|health\.)?ROWS\.(finding|text)", ast.unparse(call.func)) is not None


def constants(code: ast.AST) -> set[str]:
    return {str(one.value) for one in ast.walk(code) if isinstance(one, ast.Constant)}


def rows_in(code: ast.AST, rows: Mapping[str, object]) -> set[str]:
    """The rows that stand in code by their names, or by parts of these."""
    names = constants(code) & rows.keys()
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
    "unread": Unread,
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
    said = {one for path in (PACKAGE / "guardrails").glob("*.py") for one in constants(ast.parse(path.read_text()))}
    assert {one for one in said if re.fullmatch(r"[a-z]+(-[a-z]+)+( [a-z]+)?", one)} == set(rules())


def test_each_sentence_of_a_rule_is_said_and_is_given_what_it_says() -> None:
    fields = {
        (name, says): {one for _, one, _, _ in Formatter().parse(text) if one}
        for name, rule in rules().items()
        for says, text in rule.row.items()
        if says not in (*Rule._fields, "allowed")  # which is said of many rules
    }
    said: set[tuple[str, str]] = set()
    for tree in (ast.parse(path.read_text(encoding="utf-8")) for path in (PACKAGE / "guardrails").glob("*.py")):
        for function in (one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)):
            in_dicts = {name for one in ast.walk(function) if isinstance(one, ast.Dict) for name in constants(one)}
            for call in (one for one in ast.walk(function) if isinstance(one, ast.Call)):
                if ast.unparse(call.func) == "broken":
                    rule, _, *says = call.args
                    names, texts = constants(rule), constants(says[0]) or constants(function) if says else {"what"}
                    given = {f"{one.arg}" for one in call.keywords}
                    given |= in_dicts if "None" in given else set()
                    which = [one for one in fields if one[0] in (names or constants(tree)) and one[1] in texts]
                    assert not names or all(fields[one] <= given for one in which), which
                    said.update(one for one in which if fields[one] <= given)
    assert said == fields.keys()


def test_each_refusal_of_the_lock_is_made_and_is_given_what_it_says() -> None:
    page = rows(PACKAGE / "lock" / "refusals.ini")
    given: dict[tuple[str, str], set[str]] = {}
    trees = [ast.parse(path.read_text()) for path in (PACKAGE / "lock").glob("*.py")]
    for function in (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        nodes = list(ast.walk(function))
        facts = {
            name for one in nodes if isinstance(one, ast.Dict) for key in one.keys if key for name in constants(key)
        }
        chosen = [one for one in nodes if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "consequence"]
        consequences = {one for some in chosen for one in constants(some.value)} or {"consequence"}
        for call in (one for one in nodes if isinstance(one, ast.Call)):
            texts = [one.value for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            match ast.unparse(call.func), texts:
                case "_refusal", [row, *_]:
                    given |= {(row, part): facts | {"file", "of_file"} for part in ("what", *consequences, "cure")}
                case "_wrong", [why]:
                    given["file", why] = {f"{one.arg}" for one in call.keywords}
                case "said", [row, part]:
                    given[row, part] = {f"{one.arg}" for one in call.keywords}
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
                names |= {*_PROPERTIES.values()} if isinstance(node.args[0], ast.Call) else set()
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
    names = constants(named)
    if isinstance(named, ast.JoinedStr):
        (what,) = names
        return {f"{kind}{what}" for kind in ("Role", "Key", "Alias") if (kind, what) != ("Alias", " another")}
    return names
