"""The guardrails as a plugin of CDK: it judges what an app synthesizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import aws_cdk as cdk
import jsii

from cmek_construct import checks
from cmek_construct import warnings as ids
from cmek_construct.guardrails.judging import judge
from cmek_construct.guardrails.rule import Violation
from cmek_construct.guardrails.rules import RULES
from cmek_construct.guardrails.selection import concern_every_selection
from cmek_construct.lock.changing import Refusal, refusals
from cmek_construct.lock.text import FILE as LOCK_FILE
from cmek_construct.lock.text import LockError, known, read
from cmek_construct.templates.files import Problem
from cmek_construct.templates.found import Place
from cmek_construct.templates.pinecone import find
from cmek_construct.templates.run import read_run


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
        run = read_run(files)
        found = find(run, known=_known(self._lock_file), vendor_role_arns=self._vendor_role_arns)
        violations = [_unread(problem, files[0]) for problem in found.problems]
        judged = judge(run, found, self._vendor_role_arns)
        violations += [_reported(one) for one in judged if one.meant is None]
        violations += map(_locked, refusals(self._lock_file, run))
        return cdk.PolicyValidationPluginReport(success=not violations, violations=violations)


def _reported(violation: Violation) -> cdk.PolicyViolation:
    stack, logical_id, within = violation.place.stack, violation.logical_id, ""
    while stack.is_in_stack_set and stack.parent:
        within = f"In TemplateBody, {logical_id}: {within}"
        stack, logical_id = stack.parent, stack.within[-1]
    what = f"{within}{violation.what} {violation.allows}"
    return _violation(violation.rule, what, violation.cure, logical_id, stack.template.file)


def _known(lock_file: Path) -> Callable[[Place], bool]:
    """What a lock has is judged whatever it looks like; a damaged one is refused by itself."""
    try:
        return known(read(lock_file))
    except LockError:
        return lambda place: False


def _unread(problem: Problem, file: Path) -> cdk.PolicyViolation:
    what, cure = f"{problem.where}: {problem.what}", problem.way_out or "Synthesize the app anew."
    return _violation(ids.CANNOT_BE_JUDGED, what, cure, "", file, severity="fatal")


def _locked(refusal: Refusal) -> cdk.PolicyViolation:
    # What is fatal cannot be acknowledged: the one way to mean it is `cmek unlock`.
    what = f"{refusal.what} {refusal.consequence}"
    where = (refusal.logical_id, refusal.file)
    return _violation(refusal.rule, what, refusal.cure, *where, severity="fatal")


def _violation(
    rule: str, what: str, cure: str, logical_id: str, file: Path, severity: str = "error"
) -> cdk.PolicyViolation:
    """A violation; without a severity CDK takes it for a success if another is acknowledged."""
    return cdk.PolicyViolation(
        rule_name=rule,
        severity=severity,
        description=what,
        fix=cure,
        violating_resources=[
            cdk.PolicyViolatingResource(resource_logical_id=logical_id, template_path=str(file), locations=[])
        ],
    )
