"""How a policy that is there differs in meaning from the one that should be there.

AWS gives a policy back in other words than it was given, and people write the same in other words: so it is not
statements that are compared, but whom both let do what. And what a policy says of the guide's, as props of an entry.
"""

import fnmatch
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cmek_construct import checks, guide, policy
from cmek_construct.customers import Customers
from cmek_construct.policy import aws, words
from cmek_construct.policy.statements import Kind, gone, named_by, naming_as

_EVERYBODY: Final = policy.Principal("AWS", "*")
_EVERYTHING: Final = policy.Statement("everything", "Allow", (_EVERYBODY,), actions=("*",), resources=("*",))
_PINECONE: Final = re.compile(rf"arn:aws:iam::([0-9]{{12}}):role/{guide.ROLE_NAME_PREFIX}(.+)")
_SHOWN: Final = 6


@dataclass(frozen=True)
class Drift:
    """How a policy differs from what it should say."""

    given: tuple[policy.Witness, ...] = ()  # what it may let somebody do, and should not
    taken: tuple[policy.Witness, ...] = ()
    """What it should let somebody do, and perhaps does not: in any request, needed or not."""
    denials: tuple[str, ...] = ()  # its statements that take it
    doubt: str = ""  # why it cannot be judged at all

    @property
    def is_none(self) -> bool:
        return not (self.given or self.taken or self.doubt)

    def in_words(self, account: str) -> str:
        parts = [f"it lets in by {one}" for one in sentences(self.given, account)]
        parts += [f"it lacks {one}" for one in sentences(self.taken, account)]
        more = [f"and {len(parts) - _SHOWN} statements more"] if len(parts) > _SHOWN else []
        by = [f"it is denied by {words.plain(words.quoted_list(self.denials))}"] if self.denials else []
        return "; ".join([*parts[:_SHOWN], *more, *by, *filter(None, [self.doubt])])


@dataclass(frozen=True)
class Where:
    """What a policy is the policy of: what its statements mean hangs on that."""

    kind: Kind
    resource: str | None = None

    def read(self, statements: Iterable[Any]) -> policy.Policy:
        return policy.read(guide.policy_document(*statements), self.kind, resource=self.resource)

    def drift(self, observed: Iterable[Any], expected: Iterable[Any]) -> Drift:
        return _compared(self.read(observed), self.read(expected))

    def same(self, one: Any, other: Any) -> bool:
        """Whether two statements mean the same in any policy."""
        mine, yours = self.read([one]), self.read([other])
        effects = {each.effect for each in (*mine.statements, *yours.statements)}
        if effects == {"Deny"}:
            mine, yours = (replace(each, statements=(*each.statements, _EVERYTHING)) for each in (mine, yours))
        return one == other or (len(effects) == 1 and _compared(mine, yours).is_none)

    def has(self, one: guide.Statement, statements: Sequence[Any]) -> bool:
        return one in statements or any(self.same(other, one) for other in statements)

    def days_held(self, statements: Sequence[Any]) -> int | None:
        """For how many days after its use a key policy lets nobody end the key; None: not known."""
        read = self.read(statements)
        # Whomever it lets do that: what is asked is who is denied it.
        there = replace(read, statements=(*read.statements, _EVERYTHING))
        root = f"arn:aws:iam::{str(self.resource).split(':')[4]}:root"
        texts = (text for one in there.statements for text in one.compared(aws.TRAILING_DAYS))
        compared = [int(text) for text in texts if aws.DAYS.fullmatch(text)]

        def is_held(days: int) -> bool:
            """The owner's root, whom only a denial to everybody stops, may do neither."""
            sent = [use_of(self.resource, root, action, {aws.TRAILING_DAYS: str(days)}) for action in guide.ENDING]
            return all(one.verdict is policy.Verdict.NO for one in policy.answers(there, sent))

        try:
            ends = sorted({one + n for one in compared for n in (0, 1)})
            return next((days for days in ends if is_held(0) and not is_held(days)), 0)
        except policy.CannotBeJudged:
            return None

    def not_held(self, statements: Sequence[Any]) -> list[Any]:
        """A key policy without the statement that holds a used key."""
        denial = guide.used_key_denial(self.days_held(statements) or 0)
        return [one for one in statements if not self.same(one, denial)]

    def written_as(self, observed: Any, ours: Iterable[guide.Statement]) -> guide.Statement | None:
        """The one of our statements that this was, before principals of it were deleted."""
        lost = gone(observed)
        alive = set(named_by(observed)) - set(lost)
        wider = (own for own in ours if lost and alive < set(named_by(own)))
        return next((own for own in wider if self.same(naming_as(observed, own), own)), None)


def use_of(key_arn: str | None, principal: str, action: str, more: Mapping[str, str] | None = None) -> policy.Request:
    """The use of a key by somebody whom nobody asks for it but himself."""
    for_aws = {"kms:GrantIsForAWSResource": "true"} if action in guide.GRANTS else {}
    by_account = True if principal.endswith(":root") else None
    return policy.Request(principal, action, key_arn, {**aws.DIRECT_CALL, **for_aws, **(more or {})}, own=by_account)


def uses_of(key_arn: str | None, role_arn: str, statements: Iterable[guide.Statement]) -> list[policy.Request]:
    """Each use of a key that statements let a role make."""
    names, meant = aws.ACTIONS["key"].values(), [name for statement in statements for name in statement["Action"]]
    actions = [action for name in meant for action in fnmatch.filter(names, name)]
    return [use_of(key_arn, role_arn, one) for one in actions]


def _compared(there: policy.Policy, wanted: policy.Policy) -> Drift:
    if there == wanted:
        return Drift()
    try:
        given, taken = policy.beyond(there, wanted), policy.beyond(wanted, there)
        said = policy.answers(there, [one.request for one in taken])
    except policy.CannotBeJudged as reason:
        return Drift(doubt=f"it cannot be judged, for there are {reason}")
    by = [one.statement.name for one in said if one.verdict is policy.Verdict.NO and one.statement]
    return Drift(tuple(given), tuple(taken), tuple(dict.fromkeys(by)))


def said_by_trust(trust: Sequence[Any]) -> dict[str, Any] | None:
    """The props that the first of the guide's three snippets in a trust policy says; None where there is none.

    Those of other statements that differ in their regions alone are of it.
    """
    first: dict[str, Any] | None = None
    for one in policy.read(list(trust), "trust").statements:
        names = named_by(one.raw)
        ids, arns = (
            [value for each in one.on(key) if "Not" not in each.operator for value in each.values]
            for key in (aws.EXTERNAL_ID, aws.PRINCIPAL_ARN)
        )
        roles = [*filter(None, map(_PINECONE.fullmatch, names))]
        regions = [role[2] for role in roles if role[1] == roles[0][1] and checks.REGION.fullmatch(role[2])]
        every = [found for found in map(_PINECONE.fullmatch, arns) if found and found[2] == "*"]
        if one.effect == "Allow" and (regions or every):
            props = {
                "pinecone_account_id": (roles if regions else every)[0][1],
                "regions": list(dict.fromkeys(regions)) or "ALL_REGIONS",
                "external_id": ids[0] if len(ids) == 1 else None,
                "pin_account": None if regions or names == ["*"] else True,
            }
            first = first or props
            is_alike = props | {"regions": first["regions"]} == first
            if is_alike and regions and first["regions"] != "ALL_REGIONS":
                first["regions"] = list(dict.fromkeys([*first["regions"], *regions]))
    return first


def customers_in(statements: Iterable[Any]) -> Customers:
    """Those that the guide's statement is about."""
    where, names = Where("permissions"), list[str]()
    for one in policy.read(list(statements), "permissions").statements:
        if one.resources and where.same(one.raw, guide.customer_statement("", one.resources)):
            names += one.resources
    accounts = list(dict.fromkeys(found[1] for found in map(aws.EACH_KEY.fullmatch, names) if found))
    keys = dict.fromkeys(filter(checks.KEY_ARN.fullmatch, names))
    return Customers(accounts, [key for key in keys if key.split(":")[4] not in accounts])


def sentences(witnesses: Sequence[policy.Witness], account: str) -> Iterator[str]:
    """Each statement once, by its name and in words, and what is certain before what is not."""
    by: dict[tuple[str, tuple[str, ...]], list[policy.Witness]] = {}
    for one in sorted(witnesses, key=lambda one: not one.certain):
        named = {principal.name for principal in one.statement.principals or (_EVERYBODY,)}
        # Everybody, where the statement says so, in place of examples.
        people = ("*",) if "*" in named and not named & {*one.principals} else one.principals
        by.setdefault((one.statement.name, people), []).append(one)
    for (name, people), several in by.items():
        actions = tuple(dict.fromkeys(each for one in several for each in one.actions))
        written, more = several[0].statement.actions or (), ""
        if len(actions) > _SHOWN and 0 < len(written) <= _SHOWN:
            more, actions = f" ({len(actions)} actions of that)", written
        elif len(actions) > _SHOWN:
            more = f" (and {len(actions) - _SHOWN} actions more)"
        first = replace(several[0], principals=people, actions=actions[:_SHOWN])
        yield f"{words.Quoted(name)}: {words.plain(words.of_witness(first, account)).rstrip('.')}{more}"
