"""The customers whose keys a vendor's role may use, and the managed policy of each.

Pure Python over plain data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cmek_construct import checks, guide, limits
from cmek_construct.guide import Policy


@dataclass(frozen=True)
class Customers:
    """Accounts of which every key may be used, and keys that may be used alone."""

    account_ids: Sequence[str]
    key_arns: Sequence[str]

    def check(self, own_account: str | None, pinecone_account: str) -> None:
        """Raise a `ValueError` for what is no list of customers.

        Args:
            own_account: the account of the role, where it is known.
            pinecone_account: Pinecone's.
        """
        account_ids("customer_account_ids", self.account_ids)
        key_arns("customer_key_arns", self.key_arns)
        checks.first(self.problems(own_account, pinecone_account))

    def problems(self, own_account: str | None, pinecone_account: str) -> Iterator[ValueError]:
        """What the two lists, each right by itself, may not say together or of this account."""
        if pinecone_account in self.account_ids:
            yield ValueError(
                f"customer_account_ids: got {pinecone_account!r}, which is Pinecone's account, and "
                "Pinecone's keys are none of a customer. Write the number of the customer's."
            )
        if own_account in self.account_ids:
            yield _own_account("customer_account_ids", own_account)
        for arn in self.key_arns:
            account = _account_of(arn)
            if account == own_account:
                yield _own_account("customer_key_arns", arn)
            if account in self.account_ids:
                yield ValueError(
                    f"customer_key_arns: got {arn!r}, but customer_account_ids has its account, "
                    f"{account}, and with it every key there. Leave out one of the two."
                )
        yield from self._over_limit()

    def cover(self, key_arn: str) -> bool:
        """Whether the role may use this key."""
        return key_arn in self.key_arns or _account_of(key_arn) in self.account_ids

    def policies(self) -> dict[str, Policy]:
        """Each managed policy, by the last digit of the customers' account IDs."""
        return guide.permissions(self.account_ids, self.key_arns)

    def _over_limit(self) -> Iterator[ValueError]:
        policies = self.policies()
        for digit, policy in policies.items():
            size = limits.characters(policy)
            if size > limits.MANAGED_POLICY:
                count = sum(len(one["Statement"]) for one in policies.values())
                of_digit = len(policy["Statement"])
                parameter = "customer_account_ids" if self.account_ids else "customer_key_arns"
                yield ValueError(
                    f"{parameter}: got {count:,} customers, {of_digit} of them with an "
                    f"account ID that ends in {digit}, whose statements have {size:,} characters. "
                    f"IAM takes {limits.MANAGED_POLICY:,} in a managed policy (48 customers by "
                    f"account) and {limits.MANAGED_POLICIES} policies on a role by default, and "
                    "each last digit has its own, so that nobody moves when another comes or goes. "
                    "Give some of those to a second PineconeRole, with Pinecone projects of its "
                    "own."
                )


def account_ids(parameter: str, value: object) -> None:
    """A list of account IDs that are known at synth, each once."""
    for name, account in _members(parameter, value, "account IDs", '["444455556666"]'):
        checks.account_id(name, account, "Write the number of the customer's AWS account.")


def key_arns(parameter: str, value: object) -> None:
    """A list of ARNs of keys that are known at synth, each once."""
    example = '["arn:aws:kms:us-east-1:444455556666:key/…"]'
    for name, arn in _members(parameter, value, "key ARNs", example):
        checks.key_arn(name, arn)


def _members(
    parameter: str, value: object, what: str, example: str
) -> Iterator[tuple[str, object]]:
    """Each member with its name, none of them a token, none of them twice."""
    if not isinstance(value, list | tuple):
        checks.refuse(parameter, value, f"it is a list of {what}", f"Write {example}.")
    for index, member in enumerate(value):
        name = f"{parameter}[{index}]"
        if checks.is_token(member):
            checks.refuse(
                name,
                member,
                "the account decides at synth in which managed policy the customer stands",
                "Write it out.",
            )
        yield name, member
        if member in value[:index]:
            checks.refuse(name, member, "each customer stands once", "Remove the second.")


def _account_of(key_arn: str) -> str:
    return key_arn.split(":")[4]


def _own_account(parameter: str, value: str | None) -> ValueError:
    return ValueError(
        f"{parameter}: got {value!r}, which is the role's own account. There the key policy alone "
        "lets the role in: use PineconeCmek, or PineconeKey(role=…), and leave it out here."
    )
