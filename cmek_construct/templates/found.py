"""What is Pinecone's in the templates of a run: each thing with its place, in every case."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from typing import Any, Final, TypeAlias

from cmek_construct.policy import Policy
from cmek_construct.templates.choices import Case, InCase
from cmek_construct.templates.files import Problem
from cmek_construct.templates.run import Run
from cmek_construct.templates.stacks import Place as Place
from cmek_construct.templates.stacks import Stack

_CONSOLE: Final = "Pinecone console"
_LABEL: Final = re.compile(r'"(Role ARN|Key ARN|External ID)"')
PINECONES: Final = re.compile(r"alias/pine[-_]?cone[-_]?cmek/", re.IGNORECASE)
"""How an alias is named that is Pinecone's."""
_OF_CONSTRUCT: Final = re.compile(r"PineconeAlias[0-9A-F]{8}$")
"""The logical ID of the alias that a `PineconeKey` makes."""


@dataclass(frozen=True)
class Now:
    """A role or a key in one case."""

    arn: str
    account: str
    policy: Policy
    """The trust policy of a role, the key policy of a key."""
    properties: Mapping[str, Any]
    """Texts, lists and objects of some."""
    roles: frozenset[Place] = frozenset()
    """Of a key: the roles that Pinecone assumes and that its policy names."""


@dataclass(frozen=True)
class Resource:
    """A role that Pinecone assumes, or a key that it encrypts with. Where no case has it, it does not exist."""

    place: Place
    cases: tuple[InCase[Now], ...]
    primary: Place | None = None
    """Of a replica, the key that it is a copy of, if that is in the run."""


@dataclass(frozen=True)
class AliasNow:
    """An alias in one case."""

    name: str
    target: str
    key: Place | None
    """The key of the run that it is for."""


@dataclass(frozen=True)
class Alias:
    """An alias that is named as Pinecone's, or is for its key."""

    place: Place
    cases: tuple[InCase[AliasNow], ...]

    @property
    def keys(self) -> set[Place | None]:
        """The keys of the run that it is for."""
        return {one.value.key for one in self.cases}

    @property
    def is_named(self) -> bool:
        """Whether it is named as Pinecone's, or is the one that a `PineconeKey` makes."""
        of_construct = _OF_CONSTRUCT.search(self.place.logical_id)
        return bool(of_construct) or any(PINECONES.match(one.value.name) for one in self.cases)


@dataclass(frozen=True)
class Attached:
    """A policy of a role of Pinecone's: its own, or one that any template attaches to it."""

    place: Place
    """Of what has the policy: the role itself, or a policy."""
    role: Place
    name: str
    case: Case
    policy: Policy | None
    """None where no template shows it."""
    is_boundary: bool = False


@dataclass(frozen=True)
class Naming:
    """Another resource that names a role of Pinecone's: in a policy, or in a property."""

    place: Place
    role: Place
    member: str
    """The property, such as ``PolicyDocument`` or ``Admins.0.DataLakePrincipalIdentifier``."""
    case: Case
    arn: str
    """Of the role."""
    policy: Policy | None
    """None where it stands in no policy."""


@dataclass(frozen=True)
class Output:
    """A value that a person carries to Pinecone's console."""

    place: Place
    label: str
    """The field of the console; empty where the description names none."""
    cases: tuple[InCase[str], ...]
    of: Place | None = None
    """The role or key of the run that it names, in all cases."""


@dataclass(frozen=True)
class Unread:
    """What cannot be judged, and may concern role or key."""

    place: Place
    why: str
    way_out: str = "Write role and key into a template of their own."
    key: Resource | None = None
    """What it is, where it is read and nobody can tell whether it is Pinecone's."""

    def __str__(self) -> str:
        return f"{self.place}: {self.why} {self.way_out}"


@dataclass(frozen=True)
class Unknown:
    """A reference of another resource whose value is not known: it is not taken for the role."""

    place: Place
    member: str
    text: str


Finding: TypeAlias = Attached | Naming | Unknown | Unread


@dataclass
class Found:
    """What is Pinecone's in a run."""

    run: Run
    """With the accounts that Pinecone's keys say."""
    roles: list[Resource] = field(default_factory=list)
    keys: list[Resource] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    attached: list[Attached] = field(default_factory=list)
    naming: list[Naming] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    """Of reading and putting together the templates."""

    def add(self, one: Finding) -> None:
        """Note what is around; what cannot be judged, once."""
        some: dict[type[Any], list[Any]] = {Attached: self.attached, Naming: self.naming, Unknown: self.unknown}
        if not isinstance(one, Unread):
            some[type(one)].append(one)
        elif one not in self.unread:
            self.unread.append(one)

    @cached_property
    def arns(self) -> dict[str, Place]:
        """The roles, users and keys of all templates, by their ARNs."""
        every = {arn: place for place, arn in self.run.arns.items()}
        return every | {now.value.arn: one.place for one in (*self.roles, *self.keys) for now in one.cases}


def outputs_of(run: Run, stacks: Iterable[Stack]) -> list[Output]:
    """What a person carries to Pinecone's console."""
    found = []
    for stack, name, one in ((top, name, one) for top in stacks for name, one in top.outputs.items()):
        description = str(one.get("Description", ""))
        if _CONSOLE in description:
            label = _LABEL.search(description)
            found.append(Output(Place(stack, name), label[1] if label else "", run.text(stack, one.get("Value"))))
    return found


def beside(outputs: Iterable[Output], label: str, other: str) -> Iterator[tuple[Place, Output]]:
    """For what one output names: the output of another label that goes with it, by its name."""
    some: dict[tuple[Stack, str], list[Output]] = defaultdict(list)
    for one in outputs:
        some[one.place.stack, one.label].append(one)
    for stack, found in [(stack, found) for (stack, said), found in some.items() if said == label]:
        for one in found:
            best = _nearest(one, some[stack, other])
            if one.of and best and _nearest(best, found) is one:
                yield one.of, best


def _nearest(one: Output, others: list[Output]) -> Output | None:
    """The output whose name begins as that of another one for longest."""

    def common(other: Output) -> int:
        pairs = zip(one.place.logical_id, other.place.logical_id, strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    return max(others, key=common, default=None)
