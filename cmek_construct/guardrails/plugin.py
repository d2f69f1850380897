"""The guardrails as a plugin of CDK: it judges what an app synthesizes."""

import atexit
import json
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import aws_cdk as cdk
import jsii

from cmek_construct import checks, templates
from cmek_construct import warnings as ids
from cmek_construct.guardrails.judging import REPORT, judge
from cmek_construct.lock import text as lock_text
from cmek_construct.lock.changing import refusals


@jsii.implements(cdk.IPolicyValidationPlugin)
class CmekGuardrails:
    """Refuses at synth what says more than Pinecone's guide.

    ``cdk.Validations.of(app).add_plugins(CmekGuardrails())`` judges every template of any app, whatever constructs,
    aspects or overrides made it. It knows Pinecone's role, key and alias by what they are, and leaves everything else
    alone. What is meant is acknowledged, with its reason, on a construct: ``cmek-guardrails::<rule>``.
    """

    def __init__(self, *, vendor_role_arns: Sequence[str] = (), lock_file: str | None = None) -> None:
        """Make the plugin.

        Args:
            vendor_role_arns: roles of other accounts that a key policy may name as key users,
                ``arn:aws:iam::<account>:role/<name>``: those of vendors whose customer you are. Default: none.
                `CustomerKey` declares its own.
            lock_file: the file of `cmek lock`: what would replace or drop a role or key that it has is refused.
                Default: ``cmek.lock`` in the current folder, if it is there.

        Raises:
            ValueError: a value is no ARN of a role, or there is no such file.
        """
        if not isinstance(vendor_role_arns, list | tuple):
            checks.refuse("vendor_role_arns", vendor_role_arns, "it is a list of ARNs", 'Write ["arn:…"].')
        for index, arn in enumerate(vendor_role_arns):
            checks.role_arn(f"vendor_role_arns[{index}]", arn)
        self._vendors = tuple(vendor_role_arns)
        if lock_file is not None and not Path(lock_file).is_file():
            way_out = f"Correct the path; or leave it out, for {lock_text.FILE} in the current folder."
            checks.refuse("lock_file", lock_file, "it is a file that `cmek lock` wrote", way_out)
        self._lock_file = Path(lock_file or lock_text.FILE)

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
        return list(ids.GUARDRAILS)

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """Judge every template of the app, nested ones included."""
        # CDK applies the acknowledgements after the plugins have judged. Hence at the app's exit, in the report that
        # CDK wrote and the CLI is about to read. Without the CLI the app itself fails, and nothing is selected.
        if "CDK_CLI_VERSION" in os.environ and "CDK_OUTDIR" in os.environ:
            atexit.register(_concern_every_selection, Path(os.environ["CDK_OUTDIR"]).absolute() / REPORT)
        files = [Path(path) for path in context.template_paths]
        run = templates.read_run(files)
        try:
            lock = lock_text.read(self._lock_file)
        except lock_text.LockError:  # it is refused by itself
            lock = {}
        found = templates.find(run, known=partial(lock_text.is_locked, lock), vendors=self._vendors)
        violations = []
        for problem in found.problems:
            what, cure = f"{problem.where}: {problem.what}", problem.way_out or "Synthesize the app anew."
            violations.append(_violation("cannot-be-judged", what, cure, files[0]))
        for one in judge(found):
            if one.meant is None:
                file, logical_id, within = one.reported
                what = f"{within}{one.what} {one.breaks.allows}"
                violations.append(_violation(one.rule, what, one.breaks.cure, file, logical_id, "error"))
        # The one way to mean what the lock refuses is `cmek unlock`.
        for refusal in refusals(self._lock_file, run):
            what = f"{refusal.what} {refusal.consequence}"
            violations.append(_violation(refusal.rule, what, refusal.cure, refusal.file, refusal.logical_id))
        return cdk.PolicyValidationPluginReport(success=not violations, violations=violations)


def _violation(
    rule: str, what: str, cure: str, file: Path, logical_id: str = "", severity: str = "fatal"
) -> cdk.PolicyViolation:
    """A violation; a fatal one cannot be acknowledged. Without a severity CDK takes it for a success if another is."""
    resource = cdk.PolicyViolatingResource(resource_logical_id=logical_id, template_path=str(file), locations=[])
    return cdk.PolicyViolation(
        rule_name=rule, severity=severity, description=what, fix=cure, violating_resources=[resource]
    )


def _concern_every_selection(file: Path) -> None:
    """Let each violation fail whatever command of the CLI runs this app.

    The CLI heeds the violations of the stacks that it selects, and bare ``cdk synth`` selects none of those in a
    ``Stage``: what is wrong elsewhere passes in silence. Only a violation that names no construct concerns every
    selection. So each names its construct in words.
    """
    if not file.is_file():
        return
    report = json.loads(file.read_text(encoding="utf-8"))
    for ours in (one for one in report["pluginReports"] if one["pluginName"] == ids.PLUGIN):
        # That nothing could be judged is no violation, and the CLI would take it for a success.
        failure = ours.get("metadata", {}).get("error")
        if failure and not ours["violations"]:
            failed = {"ruleName": "cannot-be-judged", "description": failure, "severity": "fatal"}
            ours["violations"] = [{**failed, "violatingConstructs": [{"constructPath": ""}]}]
        for construct in (each for one in ours["violations"] for each in one["violatingConstructs"]):
            # As the CLI shows it, in a field by which nothing is selected.
            path, resource = construct["constructPath"], construct.get("cloudFormationResource")
            if path:
                words = f"{path} ({resource['logicalId']})" if resource else path
                construct |= {"constructPath": "", "cloudFormationResource": {"templatePath": "", "logicalId": words}}
    file.write_text(json.dumps(report, indent=2), encoding="utf-8")
