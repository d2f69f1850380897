"""Runs each checker once over all forms, and says what it found in which."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks
from cloudformation_validate import CompositeEngine, Severity

from tests import forms
from tests.checkers import others
from tests.checkers.broken import BROKEN, BROKEN_TEMPLATE, add_broken_stack
from tests.linted import lint
from tests.simulator.once import install_once

_ROOT = Path(__file__).parent.parent.parent
_CHECKOV = _ROOT / ".venv-checkov"
_NAG_PACKS: dict[str, Any] = {
    "cdk-nag AwsSolutions": AwsSolutionsChecks,
    "cdk-nag NIST 800-53 R5": NIST80053R5Checks,
    "cdk-nag PCI DSS": PCIDSS321Checks,
    "cdk-nag HIPAA": HIPAASecurityChecks,
}


@dataclass(frozen=True, order=True)
class Finding:
    """One rule of a checker that one form breaks."""

    rule: str
    form: str


def cfn_lint() -> set[Finding]:
    """Schemas, limits and good practice, also the hints, in every region of the guide."""
    with _templates() as folder:
        found = lint(Path(folder))
    return {Finding(match.rule.id, _form_of(match.filename)) for match in found}


def checkov() -> set[Finding]:
    """Checkov's rules for CloudFormation, without a word to its makers' servers."""
    install_once(Path(__file__).with_name("checkov.txt"), _CHECKOV, _install_checkov)
    quiet = {name: value for name, value in os.environ.items() if not name.startswith(("BC_", "CKV_", "PRISMA_"))}
    with _templates() as folder:
        # Not bin/checkov: its first line cannot name a Python in a folder with a space.
        command = [str(_CHECKOV / "bin" / "python"), "-m", "checkov.main"]
        command += ["--directory", folder, "--output", "json"]
        command += ["--framework", "cloudformation", "--skip-download", "--quiet", "--compact"]
        report = _json_of(command, {**quiet, "CKV_SKIP_PACKAGE_UPDATE_CHECK": "True"})
    assert report["summary"]["parsing_errors"] == 0
    return {Finding(check["check_id"], _form_of(check["file_path"])) for check in report["results"]["failed_checks"]}


def control_tower() -> set[Finding]:
    """The rules of AWS Control Tower's proactive controls, over what the constructs make."""
    return {
        Finding(_control(violation["description"]), form)
        for violation, form in _violations("cdk-validator-cfnguard")
        if form in (BROKEN, *forms.FORMS)
    }


def at_synth(plugin: str) -> set[Finding]:
    """CDK's own validation, or a plugin of its kind."""
    return {Finding(violation["ruleName"], form) for violation, form in _violations(plugin)}


def cloudformation_validate() -> set[Finding]:
    """AWS's own engine, whatever is above a hint."""
    engine = CompositeEngine()
    with _templates() as folder:
        others.write_templates(Path(folder))
        return {
            Finding(found.rule_id, _form_of(path.name))
            for path in Path(folder).iterdir()
            for found in engine.validate_template(path).diagnostics
            if found.severity is not Severity.INFO
        }


def cdk_nag(pack: str) -> set[Finding]:
    """A pack of cdk-nag's rules."""
    report = _NAG_PACKS[pack]().validate_scope(_app())
    return {
        Finding(violation.rule_name, _form_of(str(resource.construct_path).split("/")[0]))
        for violation in report.violations
        for resource in violation.violating_resources
    }


@functools.cache
def _app() -> cdk.App:
    app = forms.make_app()
    add_broken_stack(app)
    return app


CHECKERS: dict[str, Callable[[], set[Finding]]] = {
    "cfn-lint": cfn_lint,
    "checkov": checkov,
    "Control Tower": control_tower,
    "CDK validation": functools.partial(at_synth, "CloudFormation Validate"),
    "cdk-preflight": functools.partial(at_synth, "cdk-preflight"),
    "cloudformation-validate": cloudformation_validate,
    **{pack: functools.partial(cdk_nag, pack) for pack in _NAG_PACKS},
}
"""Each checker by its name."""


def _templates() -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="checked-")
    for name in forms.FORMS:
        shutil.copy(forms.template_file(name), folder.name)
    shutil.copy(BROKEN_TEMPLATE, Path(folder.name) / "Broken.template.json")
    return folder


def _form_of(place: str) -> str:
    """The form of a stack's name or of a template's path."""
    stack = Path(place).name.partition(".")[0]
    if stack == "Broken":
        return BROKEN
    return forms.form_of(stack) if stack[0].isupper() else stack


def _json_of(command: list[str], env: Mapping[str, str]) -> Any:
    """The report that a checker prints; findings make its exit code another than 0."""
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    try:
        return json.loads(done.stdout)
    except ValueError as error:
        raise RuntimeError(f"{command[0]} gave no report:\n{done.stdout}\n{done.stderr}") from error


def _install_checkov() -> None:
    shutil.rmtree(_CHECKOV, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(_CHECKOV)], check=True)
    pip = [str(_CHECKOV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    pins = Path(__file__).with_name("checkov.txt")
    subprocess.run([*pip, "install", "-qq", "--no-compile", "-r", str(pins)], check=True)


def _control(description: str) -> str:
    """``CT.KMS.PR.3`` of ``[CT.KMS.PR.3]: Require …``."""
    found = re.match(r"\[([A-Z0-9.]+)\]", description)
    assert found, description
    return found[1]


def _violations(plugin: str) -> Iterator[tuple[Any, str]]:
    for report in _validation_reports():
        if report["pluginName"] != plugin:
            continue
        for violation in report["violations"]:
            for construct in violation["violatingConstructs"]:
                # A rule with several clauses repeats itself without a resource.
                if "cloudFormationResource" in construct:
                    place = construct["cloudFormationResource"]["templatePath"]
                    yield violation, _form_of(place)


@functools.cache
def _validation_reports() -> list[Any]:
    with tempfile.TemporaryDirectory(prefix="validated-") as folder:
        env = {name: value for name, value in os.environ.items() if name != "CDK_VALIDATION"}
        command = [sys.executable, "-m", "tests.checkers.validate", folder]
        done = subprocess.run(command, cwd=_ROOT, env=env, capture_output=True, text=True, check=False)
        report = Path(folder) / "validation-report.json"
        if done.returncode or not report.is_file():
            raise RuntimeError(f"CDK did not validate:\n{done.stdout}\n{done.stderr}")
        reports: list[Any] = json.loads(report.read_text(encoding="utf-8"))["pluginReports"]
        return reports
