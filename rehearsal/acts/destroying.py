"""`cdk destroy` is refused; and where somebody insists, role and key outlive the stack."""

from __future__ import annotations

from collections.abc import Callable

from rehearsal.accounts import WITHOUT_ID
from rehearsal.aws import ALLOWED, answer
from rehearsal.world import World


def play(world: World) -> None:
    """Destroy one stack: not at first, then with its protection lifted."""
    world.report.heading("Destroyed")
    _destroy(world, "protected from termination", code=1)
    world.report.row("the stack is there", "yes", _is_there(world))
    world.compare_with_first(WITHOUT_ID)

    world.app.change(WITHOUT_ID, termination_protection=False)
    world.deploy("termination_protection: false", WITHOUT_ID)
    _destroy(world, "its protection lifted", code=0)
    world.report.row("the stack is there", "no", _is_there(world))
    _what_is_left(world)


def _destroy(world: World, what: str, *, code: int) -> None:
    destroy = ("cdk", "destroy", WITHOUT_ID.name, "--force")
    ended = world.run(world.app.folder, world.deployer, *destroy)
    world.ends(f"`cdk destroy`: {what}", ended, code)


def _is_there(world: World) -> str:
    cloudformation = world.client("cloudformation", WITHOUT_ID)
    answered = answer(lambda: cloudformation.describe_stacks(StackName=WITHOUT_ID.name))
    # What CloudFormation answers for a stack that it does not have.
    return {ALLOWED: "yes", "ValidationError": "no"}.get(answered, answered)


def _what_is_left(world: World) -> None:
    first = world.first[WITHOUT_ID]
    iam, kms = world.client("iam", WITHOUT_ID), world.client("kms", WITHOUT_ID)
    name = first.role_arn.rsplit("/", 1)[1]
    row = world.report.row
    row("the role", "the same", _same(first.role_arn, lambda: iam.get_role(RoleName=name)["Role"]["Arn"]))

    def key(name: str, of: str) -> str:
        return str(kms.describe_key(KeyId=name)["KeyMetadata"][of])

    row("the key, by its alias", "the same", _same(first.key_arn, lambda: key(first.alias, "Arn")))
    row("the state of the key", "the same", _same("Enabled", lambda: key(first.key_arn, "KeyState")))
    given = world.pinecone_reads(WITHOUT_ID)
    row("Pinecone comes in and decrypts the first ciphertext", ALLOWED, given)


def _same(first: str, ask: Callable[[], str]) -> str:
    now: list[str] = []
    answered = answer(lambda: now.append(ask()))
    return answered if answered != ALLOWED else "the same" if now == [first] else now[0]
