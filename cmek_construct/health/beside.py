"""A policy beside the one that should be there, and a finding for each effect of the difference.

There are three of each: what is there, what the last deploy wrote, and what the file says. The
first against the second is what somebody did by hand; the second against the third is a file that
is ahead of the deploy, or behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from cmek_construct.deployment import documents
from cmek_construct.guide import Policy, Statement
from cmek_construct.health import needs
from cmek_construct.health.comparing import Drift, Where, in_words, revived
from cmek_construct.health.deployed import Deployed
from cmek_construct.health.findings import (
    Effect,
    Finding,
    right,
    unknown,
    wrong,
)
from cmek_construct.health.suspension import is_cut_off, is_denial

_OF_PERMISSIONS: Final[dict[Effect | None, str]] = {
    Effect.SOMEBODY_LET_IN: "somebody is let in: Pinecone's sessions can do that in your account"
}


@dataclass(frozen=True)
class Beside:
    """A policy as it is, without the suspension, beside one that should be there."""

    where: Where
    what: str
    """In words."""
    there: Sequence[Any]
    wanted: Sequence[Any]
    lost: Sequence[str] = ()
    """Principals of the wanted in whose place unique IDs are."""
    written: Sequence[Any] | None = None
    """What the last deploy wrote."""

    @classmethod
    def of(
        cls,
        case: Deployed,
        where: Where,
        what: str,
        observed: Sequence[Any],
        policy: Callable[..., Policy],
    ) -> Beside:
        """What is there beside what the file says: suspended, if so in words that are not ours."""
        brakes = where == case.brake
        rest = [one for one in observed if not (brakes and is_denial(case, one))]
        suspended = (
            brakes
            and bool(case.entry.settings.suspended)
            and len(rest) == len(observed)
            and is_cut_off(case, observed)
        )
        wanted: list[Statement] = policy(suspended=suspended)["Statement"]
        there, lost = revived(where, rest, wanted)
        written = None if suspended else case.in_template(where.kind)
        if written is not None:
            written = [one for one in written if not (brakes and is_denial(case, one))]
            if where.drift(written, wanted).is_none:
                written = None
        return cls(where, what, there, wanted, lost, written)

    @property
    def found(self) -> Drift:
        """How it differs from what the file says."""
        return self.where.drift(self.there, self.wanted)

    def findings(
        self, case: Deployed, about: str, cure: str, events: Sequence[str]
    ) -> Iterator[Finding]:
        """What is wrong with it: a finding for each effect; or that it is right."""
        found, wanted = self.found, self.wanted
        if found.is_none:
            yield right(about, f"the {self.what} says what the file says")
            return
        if self.written is not None:
            yield self._ahead(case)
            found, wanted = self.where.drift(self.there, self.written), self.written
            if found.is_none:
                return
            cure = f"npx cdk deploy {case.entry.name}"
        yield from self._wrong(case, about, found, wanted, cure, events)

    def _ahead(self, case: Deployed) -> Finding:
        deployed = self.where.drift(self.wanted, self.written or ())
        words = in_words(deployed, case.entry.settings.account)
        return wrong(
            "file-ahead",
            f"the file's {self.what} is not the one that was deployed last: {words}",
            f"npx cdk deploy {case.entry.name}\nThat is if the file is meant: git shows who "
            "changed it.",
            means="none by itself: the file is ahead of the deploy, and nobody has to have touched "
            "anything",
        )

    def _wrong(
        self,
        case: Deployed,
        about: str,
        found: Drift,
        wanted: Sequence[Any],
        cure: str,
        events: Sequence[str],
    ) -> Iterator[Finding]:
        account = case.entry.settings.account
        taken = list(needs.locked_out(case, self.where, self.there, wanted)) if found.taken else []
        parts: list[tuple[Effect | None, Drift]] = [(each, found.less) for each in taken]
        if found.given:
            parts.insert(0, (Effect.SOMEBODY_LET_IN, found.more if taken else found))
        for effect, part in parts or [(None, found)]:
            words = in_words(part, account)
            if part.is_certain:
                title = f"the {self.what} is not what the file says: {words}"
                means = _OF_PERMISSIONS.get(effect, "") if self.where.kind == "permissions" else ""
                yield wrong(about, title, cure, effect, means=means, events=events)
            else:
                title = f"it cannot be told whether the {self.what} says what the file says"
                yield unknown(about, f"{title}: {words}", cure, effect)


def of_trust(case: Deployed, observed: Sequence[Any]) -> Beside:
    """The trust policy beside the file's."""
    policy = partial(documents.trust_policy, case.entry.settings)
    return Beside.of(case, case.trust, "trust policy", observed, policy)


def of_key(case: Deployed, observed: Sequence[Any]) -> Beside:
    """The key policy beside the file's."""
    policy = partial(documents.key_policy, case.entry.settings, case.role_arn)
    return Beside.of(case, case.key_policy, "key policy", observed, policy)
