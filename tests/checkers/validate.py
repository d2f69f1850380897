"""Synthesizes all forms with CDK's own validation, cdk-preflight and the Control Tower rules.

Run by the tests as a process of its own: whether CDK validates is settled when its Node starts, and all other tests
have it switched off. Writes ``validation-report.json`` into the folder that is named on the command line.
"""

from __future__ import annotations

import sys
from typing import Any

import aws_cdk as cdk
from cdk_preflight import Preflight
from cdklabs.cdk_validator_cfnguard import CfnGuardValidator

from tests.checkers import others
from tests.checkers.broken import add_broken_stack
from tests.forms import make_app


def main(outdir: str) -> None:
    """Synthesize into a folder; findings are reported, not raised."""
    app = make_app(outdir, context={"@aws-cdk/core:failSynthOnValidationErrors": False})
    others.add_stacks(app)
    add_broken_stack(app)
    # Its type is that of an interface that CDK still takes, under its older name.
    control_tower: Any = CfnGuardValidator()
    cdk.Validations.of(app).add_plugins(control_tower)
    Preflight.apply(app)
    app.synth()


if __name__ == "__main__":
    main(sys.argv[1])
