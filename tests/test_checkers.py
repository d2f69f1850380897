"""Every checker of the trade is clean over every form, but for what stands here with its reason."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from cmek_construct.deployment.config import IN_STACK
from tests import forms
from tests.checkers import others
from tests.checkers.broken import BROKEN
from tests.checkers.tools import CHECKERS, Finding

WITH_OWN_POLICY = ["role_with_own_policy", "suspended_role_with_own_policy"]
OF_OWN_POLICY = (
    "The policy `kms:*` on `*` is the user's, not this library's: these forms have it to show "
    "that a suspension beats it."
)


@dataclass(frozen=True)
class Acknowledged:
    """A finding that stays, in these forms and no other."""

    checker: str
    rule: str
    forms: Sequence[str]
    reason: str


ACKNOWLEDGED = [
    Acknowledged(
        "checkov",
        "CKV_AWS_60",
        ["all_regions", "suspended_all_regions"],
        "The guide's third trust policy names `*` as principal; its two conditions let in "
        "Pinecone's roles alone (test_who_may_do_what.py asks). `pin_account=True` is the form "
        "of the same meaning without the star, and has no finding.",
    ),
    Acknowledged(
        "Control Tower",
        "CT.KMS.PR.3",
        [name for name in forms.FORMS_WITH_A_KEY if name != "control_tower_deny"],
        "The control wants a Deny of kms:CreateGrant to all, beyond AWS services. The guide's key has none: its key "
        "user makes grants through AWS services alone, by the condition of its Allow. Whoever is held to the control "
        "adds the Deny with `add_to_resource_policy`: the form `control_tower_deny`, which has no finding.",
    ),
    Acknowledged(
        "cfn-lint",
        "I1022",
        ["environment_agnostic", "own_key", "own_key_suspended", "own_role_and_key"],
        "A hint of style: CDK itself writes Fn::Join, not Fn::Sub, where an ARN has an account "
        "or a partition that only the deploy knows.",
    ),
    Acknowledged(
        "cloudformation-validate",
        "W9013",
        ["every_other_prop", "file-names", "stack-set"],
        "An ARN with an account number in it: the permissions boundary that the user names, and "
        "in the text of the template inside a stack set Pinecone's roles, of another account.",
    ),
    *(
        Acknowledged(checker, rule, WITH_OWN_POLICY, OF_OWN_POLICY)
        for checker, rule in [
            ("checkov", "CKV_AWS_109"),
            ("checkov", "CKV_AWS_111"),
            ("Control Tower", "CT.IAM.PR.5"),
            ("cdk-nag AwsSolutions", "AwsSolutions-IAM5[Action::kms:*]"),
            ("cdk-nag AwsSolutions", "AwsSolutions-IAM5[Resource::*]"),
            ("cdk-nag NIST 800-53 R5", "NIST.800.53.R5-IAMNoInlinePolicy"),
            ("cdk-nag NIST 800-53 R5", "NIST.800.53.R5-IAMPolicyNoStatementsWithFullAccess"),
            ("cdk-nag PCI DSS", "PCI.DSS.321-IAMNoInlinePolicy"),
            ("cdk-nag PCI DSS", "PCI.DSS.321-IAMPolicyNoStatementsWithFullAccess"),
            ("cdk-nag HIPAA", "HIPAA.Security-IAMNoInlinePolicy"),
            ("cdk-nag HIPAA", "HIPAA.Security-IAMPolicyNoStatementsWithFullAccess"),
        ]
    ),
]

FAULTS = {
    "cfn-lint": "E3034",
    "checkov": "CKV_AWS_60",
    "Control Tower": "CT.KMS.PR.1",
    "CDK validation": "F3034",
    "cdk-preflight": "pf-kms-alias-target",
    "cloudformation-validate": "F3034",
    "cdk-nag AwsSolutions": "AwsSolutions-KMS5",
    "cdk-nag NIST 800-53 R5": "NIST.800.53.R5-KMSBackingKeyRotationEnabled",
    "cdk-nag PCI DSS": "PCI.DSS.321-KMSBackingKeyRotationEnabled",
    "cdk-nag HIPAA": "HIPAA.Security-IAMNoInlinePolicy",
}
"""What each checker has to say of a stack that was broken on purpose."""


@functools.cache
def found_by(checker: str) -> set[Finding]:
    return CHECKERS[checker]()


def acknowledged(checker: str) -> set[Finding]:
    return {Finding(entry.rule, form) for entry in ACKNOWLEDGED if entry.checker == checker for form in entry.forms}


def listed(findings: set[Finding]) -> str:
    return ", ".join(f"{finding.rule} in {finding.form}" for finding in sorted(findings))


@pytest.mark.parametrize("checker", CHECKERS)
def test_every_finding_is_acknowledged_and_every_acknowledgement_is_needed(checker: str) -> None:
    found = {finding for finding in found_by(checker) if finding.form != BROKEN}
    new, needless = found - acknowledged(checker), acknowledged(checker) - found
    assert not new, f"nobody acknowledged {listed(new)}"
    assert not needless, f"no longer found, so not to be acknowledged: {listed(needless)}"
    # A checker that did not run, or not on what it was given, would be as silent.
    assert Finding(FAULTS[checker], BROKEN) in found_by(checker)


def test_each_key_of_the_file_is_in_a_form_that_is_checked() -> None:
    said = {name for own in others.STACKS.values() for name in own}
    everywhere = {"account", "external_id", "pinecone_account_id", "region", "regions"}
    assert said | everywhere == set(IN_STACK)


def test_every_acknowledgement_is_of_a_checker_and_has_a_reason() -> None:
    for entry in ACKNOWLEDGED:
        assert entry.checker in CHECKERS
        assert entry.forms
        assert len(entry.reason) > 40
