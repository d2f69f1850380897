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
        whose = {
            own_account: "of the role's own account. There the key policy alone lets the role in: use PineconeCmek, or "
            "PineconeKey(role=…), and leave it out here.",
            pinecone_account: "of Pinecone's account, and Pinecone's keys are none of a customer. Write that of the "
            "customer's.",
        }
        for parameter, value, account in named:
            why = whose.get(account)
            if value != account and account in self.account_ids:
                whole = f"but customer_account_ids has its account, {account}, and with it every key there."
                why = why or f"{whole} Leave out one of the two."
            if why:
                yield ValueError(f"{parameter}: got {value!r}, {why}")
        policies = self.policies()
        count = sum(len(one["Statement"]) for one in policies.values())
        for digit, policy in policies.items():
            size = checks.characters(policy)
            if size > MANAGED_POLICY:
                yield ValueError(
                    f"{named[0][0]}: got {count:,} customers, "
                    f"{len(policy['Statement'])} of them with an account ID that ends in {digit}, whose statements "
                    f"have {size:,} characters. IAM takes {MANAGED_POLICY:,} in a managed policy (48 customers by "
                    f"account) and {MANAGED_POLICIES} policies on a role by default, and each last digit has its own, "
                    "so that nobody moves when another comes or goes. Give some of those to a second PineconeRole, "
                    "with Pinecone projects of its own."
                )

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
    return partial(checks.listed, check=known, what=what, way_out=way_out, each="each customer", least=0)


_account_id: Final = partial(checks.account_id, way_out="Write the number of the customer's AWS account.")
_arn_form: Final = 'Write ["arn:aws:kms:us-east-1:444455556666:key/…"].'
CUSTOMERS: Final = (  # what a role for keys of customers takes
    row(
        "customer_account_ids",
        _listed(_account_id, "it is a list of account IDs", 'Write ["444455556666"].'),
        left_out=(),
    ),
    row("customer_key_arns", _listed(checks.key_arn, "it is a list of key ARNs", _arn_form), left_out=()),
)
