"""The whole run: `python -m tests.policies [--requests N] [--pairs N]`, with its figures."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from tests.policies import allowing, differing
from tests.policies.truth import Simulator

_POLICIES_A_PART: Final = 200
_PAIRS_A_PART: Final = 250
_MOST_UNTOLD: Final = 12
_MOST_SHOWN: Final = 20


def _allowing(numbers: range) -> allowing.Figures:
    return allowing.compare(allowing.questions(Simulator(), numbers))


def _differing(numbers: range) -> differing.Figures:
    simulator = Simulator()
    return differing.compare(differing.pairs(simulator, numbers), simulator)


def _parts(wanted: int, a_part: int) -> list[range]:
    return [range(at, min(at + a_part, wanted)) for at in range(0, wanted, a_part)]


def main() -> int:
    """Run both, tell the figures, and fail if an answer differs."""
    parser = argparse.ArgumentParser(prog="scripts/simulate", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_400, help="default: %(default)s")
    parser.add_argument("--pairs", type=int, default=5_000, help="default: %(default)s")
    wanted = parser.parse_args()
    policies = wanted.requests // allowing.CALLS_OF_A_POLICY
    with ProcessPoolExecutor(2) as pool:
        start = time.monotonic()
        requests = allowing.Figures()
        for part in pool.map(_allowing, _parts(policies, _POLICIES_A_PART)):
            requests.add(part)
        wrong = _tell_requests(requests)
        print(f"  in {time.monotonic() - start:.0f} s", flush=True)
        start = time.monotonic()
        pairs = differing.Figures()
        for other in pool.map(_differing, _parts(wanted.pairs, _PAIRS_A_PART)):
            pairs.add(other)
        wrong += _tell_pairs(pairs)
        print(f"  in {time.monotonic() - start:.0f} s")
    return 1 if wrong else 0


def _tell_requests(figures: allowing.Figures) -> int:
    print(f"allows: {figures.asked:,} requests about {figures.policies:,} policies")
    _tell(figures.verdicts.items())
    _tell((f"left out: {name}", count) for name, count in figures.excepted.items())
    print(f"  {len(figures.differences):6,} yes or no that differ")
    for one in figures.differences[:_MOST_SHOWN]:
        print(one)
    untold = figures.verdicts["cannot tell"] + figures.verdicts["cannot be judged"]
    too_many = untold * _MOST_UNTOLD > figures.asked
    if too_many:
        print(f"  more than one in {_MOST_UNTOLD} cannot be told")
    return len(figures.differences) + too_many


def _tell_pairs(figures: differing.Figures) -> int:
    print(f"beyond and short: {figures.pairs.total():,} pairs")
    _tell((f"differ in: {name}", count) for name, count in sorted(figures.pairs.items()))
    _tell(figures.counts.items())
    _tell((f"left out: {name}", count) for name, count in figures.excepted.items())
    print(f"  {len(figures.faults):6,} answers that are wrong")
    for one in figures.faults[:_MOST_SHOWN]:
        print(one)
    return len(figures.faults)


def _tell(counts: Iterable[tuple[str, int]]) -> None:
    for name, count in counts:
        print(f"  {count:6,} {name}")


if __name__ == "__main__":
    sys.exit(main())
