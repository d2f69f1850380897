"""The account of a template that does not say it: the one whose root rules its keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from cmek_construct.guardrails.policies import Policy

_ROOT: Final = re.compile(r"(?:arn:aws:iam::)?([0-9]{12}|\$\{AWS::AccountId\})(?::root)?")


def owners_of(policies: Iterable[Policy], unknown: str) -> frozenset[str]:
    """The accounts that may own the keys of these policies: one, if they agree.

    Args:
        policies: those of keys.
        unknown: the text of an account whose number is not known.
    """
    owners = [found for found in map(_roots, policies) if unknown not in found]
    alone = frozenset(one for found in owners if len(found) == 1 for one in found)
    return alone if len(alone) == 1 else frozenset().union(*owners)


def _roots(policy: Policy) -> frozenset[str]:
    return frozenset(_each_root(policy))


def _each_root(policy: Policy) -> Iterator[str]:
    for statement in policy.allowing:
        if statement.conditions or not statement.covers_all:
            continue
        for principal in statement.principals:
            found = _ROOT.fullmatch(principal.name)
            if principal.kind == "AWS" and found:
                yield found[1]
