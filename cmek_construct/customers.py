"""The customers whose keys a vendor's role may use, and the managed policy of each, as plain data."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

from cmek_construct import checks, guide
from cmek_construct.guide import Policy
from cmek_construct.props import row

MANAGED_POLICY: Final = 6_144  # characters of an IAM managed policy
MANAGED_POLICIES: Final = 10  # on an IAM role, by default: it can be raised to 20


class Customers(NamedTuple):
    """Accounts of which every key may be used, and keys that may be used alone."""

    account_ids: Sequence[str]
    key_arns: Sequence[str]

    def problems(self, own_account: str | None, pinecone_account: str) -> Iterator[ValueError]:
        """What the two lists, each right by itself, may not say together or of this account."""
        named = [("customer_account_ids", one, one) for one in self.account_ids]
        named += [("customer_key_arns", arn, arn.split(":")[4]) for arn in self.key_arns]
        whose = {own_account: "own", pinecone_account: "pinecones"}
        for parameter, value, account in named:
            is_twice = value != account and account in self.account_ids
            if row := whose.get(account) or ("twice" if is_twice else None):
                yield checks.refusal("customers", row, parameter=parameter, value=value, account=account)
        policies = self.policies()
        count = sum(len(one["Statement"]) for one in policies.values())
        for digit, policy in policies.items():
            size = checks.characters(policy)
            if size > MANAGED_POLICY:
                facts = {"parameter": named[0][0], "count": count, "own": len(policy["Statement"]), "digit": digit}
                facts |= {"size": size, "most": MANAGED_POLICY, "policies": MANAGED_POLICIES}
                yield checks.refusal("customers", "too-many", **facts)

    def cover(self, key_arn: str) -> bool:
        """Whether the role may use this key."""
        return key_arn in self.key_arns or key_arn.split(":")[4] in self.account_ids

    def policies(self) -> dict[str, Policy]:
        """Each managed policy, by the last digit of its customers' account IDs."""
        return guide.permissions(self.account_ids, self.key_arns)


def _listed(check: checks.Check, what: str, way_out: str) -> checks.Check:
    """A check of a list of customers who are known at synth, each once."""
    why = "the account decides at synth in which managed policy the customer stands"
    known = partial(checks.known, check=check, why=why, way_out="Write it out.")
    what = f"it is a list of {what}"
    return partial(checks.listed, check=known, what=what, way_out=way_out, each="each customer", least=0)


account_id: Final = partial(checks.account_id, way_out="Write the number of the customer's AWS account.")
_WRITE_ARNS: Final = 'Write ["arn:aws:kms:us-east-1:444455556666:key/…"].'
CUSTOMERS: Final = (  # what a role for keys of customers takes
    row("customer_account_ids", _listed(account_id, "account IDs", 'Write ["444455556666"].'), left_out=()),
    row("customer_key_arns", _listed(checks.key_arn, "key ARNs", _WRITE_ARNS), left_out=()),
)
