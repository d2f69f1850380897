"""Other resources that allow something to the role: by a policy that names it as a principal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cmek_construct.guardrails.policies import Policy, Statement, read
from cmek_construct.guardrails.subjects import Naming
from cmek_construct.guardrails.template import Resource, Template

_PERMISSION: Final = "AWS::Lambda::Permission"


def naming(template: Template, arns: frozenset[str], ours: frozenset[str]) -> Iterator[Naming]:
    """Every policy of another resource that allows something to one of these.

    Args:
        template: where they stand.
        arns: the texts that stand for the roles that Pinecone assumes.
        ours: the logical IDs of what is judged by rules of its own.
    """
    for resource in template.resources if arns else ():
        if resource.logical_id in ours:
            continue
        for member, policy in _policies(template, resource):
            for statement in policy.allowing:
                if _allows(statement, arns):
                    yield Naming(resource, member, statement.actions or ("all but some actions",))


def _allows(statement: Statement, arns: frozenset[str]) -> bool:
    return any(principal.arn in arns for principal in statement.principals)


def _policies(template: Template, resource: Resource) -> Iterator[tuple[str, Policy]]:
    if resource.type == _PERMISSION:
        named = {"Effect": "Allow", **resource.properties}
        yield "Principal", read({"Statement": [named]}, template.texts)
    for member, value in resource.properties.items():
        if isinstance(value, dict | str) and "Statement" in value:
            yield member, read(value, template.texts)
