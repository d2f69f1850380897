"""First of all: what must be refused is refused, or no answer afterwards means anything."""

from __future__ import annotations

from rehearsal import accounts
from rehearsal.accounts import ADMINISTRATOR, BYSTANDER, WITH_ID
from rehearsal.aws import ALLOWED, REFUSED, answer
from rehearsal.report import CannotGoOnError
from rehearsal.world import World


def play(world: World) -> None:
    """Ask for something as a role without permissions, and as one that has them.

    Raises:
        CannotGoOnError: nothing is enforced.
    """
    world.report.heading("Enforcement is on")
    for who, session, expected in (
        (BYSTANDER, world.session(accounts.role_arn(WITH_ID, BYSTANDER)), REFUSED),
        (ADMINISTRATOR, world.administrator(WITH_ID), ALLOWED),
    ):
        given = answer(world.aws.client("iam", session).list_roles)
        world.report.row(f"the {who} of the first account lists its roles", expected, given)
        if given != expected:
            raise CannotGoOnError("The emulator enforces nothing, so it would answer nothing.")
