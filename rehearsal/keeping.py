"""How to look around in an emulator that was left running."""

from __future__ import annotations

from rich.console import Console

from rehearsal.accounts import SITES, WITH_ID
from rehearsal.customers import CUSTOMERS, VENDOR
from rehearsal.emulator import Emulator
from rehearsal.paths import ROOT, WORK


def show_how_to_look_around(console: Console, emulator: Emulator) -> None:
    """Print lines to paste into a shell."""
    name, region = WITH_ID.name, WITH_ID.region
    others = {site.account for site in (*SITES, VENDOR, *CUSTOMERS)} - {WITH_ID.account}
    console.print(
        f"""
The emulator is running. To look around in account {WITH_ID.account}, paste these lines in the
folder of this checkout. The access key ID is an account number, and its root: here a root may do
everything in every account, for policies are enforced for roles and users alone. The other
accounts: {", ".join(sorted(others))}.

unset AWS_PROFILE AWS_SESSION_TOKEN
export AWS_ENDPOINT_URL={emulator.endpoint} AWS_REGION={region} AWS_DEFAULT_REGION={region}
export AWS_ACCESS_KEY_ID={WITH_ID.account} AWS_SECRET_ACCESS_KEY=test
aws cloudformation describe-stacks --stack-name {name}
aws cloudformation describe-stack-resources --stack-name {name}
aws iam list-roles
aws kms list-aliases
cd {WORK.relative_to(ROOT)}/app && ../../.venv/bin/cmek sheet {name}

To stop it:

kill {emulator.process.pid}
""",
        markup=False,
        soft_wrap=True,
    )
