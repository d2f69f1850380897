"""Templates of this library: what each says of itself, and those from a stage of their own."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from typing import Any, Final

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from constructs import IConstruct, RootConstruct

from cmek_construct import checks
from cmek_construct.constructs.cmek import PineconeCmek

EXTERNAL_ID: Final = "ExternalId"  # the parameter of a template for accounts that have an external ID each
LARGEST: Final = 51_200  # bytes of a template that a stack set takes inline (`TemplateBody`)
_BOUNDARY: Final = "@aws-cdk/core:permissionsBoundary"  # context: CDK puts a boundary on every role of an app


def explain(stack: cdk.Stack, *, keys_of_customers: bool = False) -> None:
    """Say in the template of one of our stacks why role and key are there, and that neither is ever replaced."""
    keys = "its customers' KMS keys" if keys_of_customers else "the KMS key"
    arch = f"Pinecone assumes the role, and the role uses {keys} that Pinecone encrypts with (CMEK)."
    must = [
        "Never replace or delete the role: Pinecone stores its ARN for good, and a key policy names this very role, "
        "not another one of its name.",
        "Never replace or delete the key: Pinecone stores its ARN for good, and without the key all data of the "
        "Pinecone project is lost.",
    ]
    context = {"arch": arch, "must": must[:1] if keys_of_customers else must}
    # By AWS's schema of the metadata that its tools and agents read before they change a template.
    stack.add_metadata("com.aws.cloudformation.Context", context)


def synthesized(make: Callable[[cdk.Stack], object], *, region: str | None, flags: Mapping[str, Any]) -> dict[str, Any]:
    """The template of a stack in which role and key are made, with why they are there, and nothing of the CDK's."""
    with tempfile.TemporaryDirectory(prefix="own-stage-") as folder:
        # Without an app: no context of the CDK CLI, no tree.json, no validation.
        stage = cdk.Stage(RootConstruct(), "Default", outdir=folder)
        for name, value in flags.items():  # without them CDK behaves as of old
            stage.node.set_context(name, value)
        env = cdk.Environment(region=region)
        stack = cdk.Stack(stage, "Cmek", stack_name="Cmek", env=env, synthesizer=cdk.BootstraplessSynthesizer())
        make(stack)
        explain(stack)
        template: dict[str, Any] = stage.synth().get_stack_artifact(stack.artifact_id).template
    return template


def inner_template(
    scope: IConstruct, region: str, props: Mapping[str, Any], *, id_per_account: bool, boundary_name: str | None
) -> str:
    """The template inside a stack set, the very one of `PineconeCmek`: compact JSON, within what a set takes."""

    def make(stack: cdk.Stack) -> None:
        own = dict(props)
        if id_per_account:  # a parameter that each account must override, and the rule that says so to one without
            description = "What Pinecone must present to assume the role: each account has its own."
            parameter = cdk.CfnParameter(stack, EXTERNAL_ID, default="", description=description)
            own["external_id"] = parameter.value_as_string
            cdk.CfnRule(stack, "EachAccountHasAnExternalId").add_assertion(
                cdk.Fn.condition_not(cdk.Fn.condition_equals(own["external_id"], "")),
                "This account has no external ID of its own: add both to the mapping in StackSetTargets.accounts and "
                "deploy again.",
            )
        if boundary_name is not None:
            boundary = iam.ManagedPolicy.from_managed_policy_name(stack, "PermissionsBoundary", boundary_name)
            own["permissions_boundary"] = boundary
        # As in the stacks of cmek.yaml: Role1ABCC5F0, Key961B73FD, RoleArn, KeyArn, ExternalId.
        PineconeCmek(stack, "Default", **own)

    # From a stage of its own, with the feature flags of the scope: no reference of the outer app reaches into it.
    context = scope.node.get_all_context()
    flags = {name: context[name] for name in context if name.startswith("@aws-cdk/") and name != _BOUNDARY}
    body = json.dumps(synthesized(make, region=region, flags=flags), separators=(",", ":"), ensure_ascii=False)
    size = len(body.encode())
    if size > LARGEST:
        raise checks.refusal("PineconeCmekStackSet", "template", size=size, most=LARGEST)
    return body


class RoleInAccounts(iam.CfnRole):
    """Stands for the role of the template inside, which no aspect of the app reaches.

    CDK's permissions boundaries, of the app's context or by `iam.PermissionsBoundary.of(…)`, are such aspects, and so
    are those of one's own that look for roles. It is in no template.
    """

    @jsii.member(jsii_name="shouldSynthesize")
    def _should_synthesize(self) -> bool:
        return False

    @jsii.member(jsii_name="addOverride")
    def add_override(self, path: str, value: Any) -> None:
        """What `add_property_override` calls as well."""
        if path == "Properties.PermissionsBoundary":
            self.permissions_boundary = "an override"

    @property
    @jsii.member(jsii_name="permissionsBoundary")
    def permissions_boundary(self) -> str | None:
        return None

    @permissions_boundary.setter
    def permissions_boundary(self, value: str | None) -> None:
        error = checks.refusal("PineconeCmekStackSet", "boundary")
        cdk.Validations.of(self).add_error("cmek-construct:permissions-boundary", str(error))
