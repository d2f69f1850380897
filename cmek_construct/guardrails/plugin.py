"""The guardrails as a plugin of CDK: it judges what an app synthesizes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii

from cmek_construct import checks
from cmek_construct.guardrails import ids
from cmek_construct.guardrails.judging import Document, judge_all
from cmek_construct.guardrails.rule import Violation
from cmek_construct.guardrails.rules import RULES
from cmek_construct.guardrails.selection import concern_every_selection
from cmek_construct.lock.refusing import Refusal, refusals
from cmek_construct.lock.text import FILE as LOCK_FILE
from cmek_construct.templates import read_run

_NESTED_STACK = "AWS::CloudFormation::Stack"


@jsii.implements(cdk.IPolicyValidationPlugin)
class CmekGuardrails:
    """Refuses at synth what says more than Pinecone's guide.

    ``cdk.Validations.of(app).add_plugins(CmekGuardrails())`` judges every template of any app,
    whatever constructs, aspects or overrides made it. It knows Pinecone's role, key and alias by
    what they are, and leaves everything else alone. What is meant is acknowledged, with its reason,
    on a construct: ``cmek-guardrails::<rule>``.
    """

    def __init__(
        self, *, vendor_role_arns: Sequence[str] = (), lock_file: str | None = None
    ) -> None:
        """Make the plugin.

        Args:
            vendor_role_arns: roles of other accounts that a key policy may name as key users,
                ``arn:aws:iam::<account>:role/<name>``: those of vendors whose customer you are.
                Default: none. `CustomerKey` declares its own.
            lock_file: the file of `cmek lock`: what would replace or drop a role or key that it
                has is refused. Default: ``cmek.lock`` in the current folder, if it is there.

        Raises:
            ValueError: a value is no ARN of a role, or there is no such file.
        """
        if not isinstance(vendor_role_arns, list | tuple):
            checks.refuse(
                "vendor_role_arns", vendor_role_arns, "it is a list of ARNs", 'Write ["arn:…"].'
            )
        for index, arn in enumerate(vendor_role_arns):
            checks.role_arn(f"vendor_role_arns[{index}]", arn)
        self._vendor_role_arns = tuple(vendor_role_arns)
        if lock_file is not None and not Path(lock_file).is_file():
            checks.refuse(
                "lock_file",
                lock_file,
                "it is a file that `cmek lock` wrote",
                f"Correct the path; or leave it out, for {LOCK_FILE} in the current folder.",
            )
        self._lock_file = Path(lock_file or LOCK_FILE)

    @property
    def name(self) -> str:
        """The name in the report, and of every acknowledgement: an interface."""
        return ids.PLUGIN

    @property
    def version(self) -> None:
        """None: the rules are what matters."""
        return None

    @property
    def rule_ids(self) -> list[str]:
        """The id of every rule."""
        return list(dict.fromkeys(rule.id for rule in RULES))

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """Judge every template of the app, nested ones included."""
        concern_every_selection()
        files = [Path(path) for path in context.template_paths]
        read = list(_documents(files))
        judged = judge_all([document for _, document in read], self._vendor_role_arns)
        violations = [
            _reported(violation, file)
            for (file, _), found in zip(read, judged, strict=True)
            for violation in found
        ]
        violations += map(_locked, refusals(self._lock_file, read_run(files)))
        return cdk.PolicyValidationPluginReport(success=not violations, violations=violations)


def _documents(files: list[Path]) -> Iterator[tuple[Path, Document]]:
    """Every template, each with its account.

    The manifests tell the accounts; the context would take four messages a stack for them.
    """
    accounts = {folder: _accounts(folder) for folder in {file.parent for file in files}}
    for file in files:
        template = _json(file)
        account = accounts[file.parent].get(file.name)
        yield file, Document(template, account)
        for nested in _nested(file, template):
            yield nested, Document(_json(nested), account)


def _accounts(folder: Path) -> dict[str, str]:
    found = {}
    for artifact in _json(folder / "manifest.json").get("artifacts", {}).values():
        template = artifact.get("properties", {}).get("templateFile")
        account = artifact.get("environment", "").removeprefix("aws://").partition("/")[0]
        if template and checks.ACCOUNT_ID.fullmatch(account):
            found[template] = account
    return found


def _nested(file: Path, template: dict[str, Any]) -> Iterator[Path]:
    """The templates of nested stacks: assets of the stack."""
    resources = template.get("Resources", {}).values()
    if not any(isinstance(one, dict) and one.get("Type") == _NESTED_STACK for one in resources):
        return
    assets = file.with_name(file.name.replace(".template.json", ".assets.json"))
    if assets.is_file():
        for asset in _json(assets).get("files", {}).values():
            path = asset.get("source", {}).get("path", "")
            if path.endswith(".nested.template.json"):
                yield file.with_name(path)


def _json(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _reported(violation: Violation, file: Path) -> cdk.PolicyViolation:
    # Without a severity CDK takes it for a success once anything else is acknowledged.
    return cdk.PolicyViolation(
        rule_name=violation.rule,
        severity="error",
        description=f"{violation.what} {violation.allows}",
        fix=violation.cure,
        violating_resources=[
            cdk.PolicyViolatingResource(
                resource_logical_id=violation.logical_id,
                template_path=str(file),
                locations=[],
            )
        ],
    )


def _locked(refusal: Refusal) -> cdk.PolicyViolation:
    # What is fatal cannot be acknowledged: the one way to mean it is `cmek unlock`.
    return cdk.PolicyViolation(
        rule_name=refusal.rule,
        severity="fatal",
        description=f"{refusal.what} {refusal.consequence}",
        fix=refusal.cure,
        violating_resources=[
            cdk.PolicyViolatingResource(
                resource_logical_id=refusal.logical_id,
                template_path=str(refusal.file),
                locations=[],
            )
        ],
    )
