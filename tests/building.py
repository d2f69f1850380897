"""The smallest apps to look at: every test sees a synthesized template."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk

from cmek_construct import PineconeCmek

PINECONE = "999988887777"
"""Stands for Pinecone's account number, which only its console shows."""
ACCOUNT = "111122223333"
REGION = "us-east-1"
EXTERNAL_ID = "5b4f1f7e-9a3c-4d2e-8f10-2a6b7c8d9e0f"
REGIONS = ["us-east-1", "eu-west-1"]
CONTEXT = "com.aws.cloudformation.Context"
"""The metadata in which AWS's tools read what a template is for."""

Template = dict[str, Any]


def new_app(**context: Any) -> cdk.App:
    """An app that says nothing of its own in templates."""
    return cdk.App(
        analytics_reporting=False,
        context=context,
        default_stack_synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
    )


def new_stack(
    app: cdk.App | None = None, name: str = "Stack", account: str | None = ACCOUNT, region: str | None = REGION
) -> cdk.Stack:
    """A stack in a known account and region, unless told otherwise."""
    return cdk.Stack(app or new_app(), name, env=cdk.Environment(account=account, region=region))


def cmek(scope: Any, construct_id: str = "Cmek", **props: Any) -> PineconeCmek:
    """A `PineconeCmek` of the first form, with some props changed."""
    usual: dict[str, Any] = {"pinecone_account_id": PINECONE, "regions": REGIONS, "external_id": EXTERNAL_ID}
    return PineconeCmek(scope, construct_id, **(usual | props))


def template_of(stack: cdk.Stack) -> Template:
    """The synthesized template."""
    assembly = cdk.Stage.of(stack).synth(force=True)  # type: ignore[union-attr]
    template: Template = assembly.get_stack_artifact(stack.artifact_id).template
    return template


def cmek_template(**props: Any) -> Template:
    """The template of one `PineconeCmek` in a stack of its own."""
    stack = new_stack()
    cmek(stack, **props)
    return template_of(stack)


def of_type(template: Template, resource_type: str) -> dict[str, Template]:
    """The resources of one type, by logical ID."""
    return {
        logical_id: resource
        for logical_id, resource in template.get("Resources", {}).items()
        if resource["Type"] == resource_type
    }


def only(template: Template, resource_type: str) -> Template:
    """The one resource of a type."""
    (resource,) = of_type(template, resource_type).values()
    return resource


def role(template: Template) -> Template:
    """The properties of the role."""
    return dict(only(template, "AWS::IAM::Role")["Properties"])


def key(template: Template) -> Template:
    """The properties of the key."""
    return dict(only(template, "AWS::KMS::Key")["Properties"])


def trust_statements(template: Template) -> list[Template]:
    """The statements of the role's trust policy."""
    return list(role(template)["AssumeRolePolicyDocument"]["Statement"])


def key_statements(template: Template) -> list[Template]:
    """The statements of the key policy."""
    return list(key(template)["KeyPolicy"]["Statement"])


def warnings_of(stack: cdk.Stack) -> dict[str, str]:
    """The warnings of a stack: message by id."""
    assembly = cdk.Stage.of(stack).synth(force=True)  # type: ignore[union-attr]
    messages = [
        str(message.entry.data)
        for message in assembly.get_stack_artifact(stack.artifact_id).messages
        if "cmek-construct:" in str(message.entry.data)
    ]
    return {message.rpartition("[ack: Annotation::")[2].rstrip("]"): message for message in messages}


def without_context(template: Template) -> Template:
    """A template of ours as the construct makes it: without why role and key are there.

    That has to be said by AWS's schema, and for both that neither is replaced.
    """
    context = template["Metadata"].pop(CONTEXT)
    assert set(context) == {"arch", "must"}
    assert "Pinecone assumes the role" in context["arch"]
    assert [one.partition(":")[0] for one in context["must"]] == [
        f"Never replace or delete the {one}" for one in ("role", "key")
    ]
    return {name: value for name, value in template.items() if value or name != "Metadata"}
