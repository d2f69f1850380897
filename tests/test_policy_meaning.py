"""What a policy means, held to the independent simulator: a fixed sample of `scripts/simulate`."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import pytest

from tests.policies import allowing, differing, pages
from tests.policies.allowing import Question
from tests.policies.differing import Pair
from tests.policies.faults import FAULTS
from tests.policies.truth import Simulator

_POLICIES = (39, 0, 15, 28, 9, 2904, *range(1, 9), *range(10, 15))
"""First those that find the mistakes, so that a trial is short."""
_PAIRS = range(12)


@functools.cache
def _simulator() -> Simulator:
    return Simulator()


@functools.cache
def _questions() -> Sequence[Question]:
    return allowing.questions(_simulator(), _POLICIES)


@functools.cache
def _pairs() -> Sequence[Pair]:
    return differing.pairs(_simulator(), _PAIRS)


def test_no_yes_and_no_no_differs_from_the_simulators() -> None:
    figures = allowing.compare(_questions())
    assert not figures.differences, figures.differences[0]
    assert figures.asked == len(_POLICIES) * allowing.CALLS_OF_A_POLICY
    assert figures.verdicts["yes"] * 5 > figures.asked
    assert figures.verdicts["cannot tell"] * 8 < figures.asked


def test_what_two_policies_differ_in_is_found_and_is_so() -> None:
    figures = differing.compare(_pairs(), _simulator())
    assert not figures.faults, figures.faults[0]
    assert figures.counts["confirmed"] > len(_PAIRS)


@pytest.mark.parametrize("name", pages.CASES)
def test_where_the_simulator_is_no_judge_awss_page_is(name: str) -> None:
    case = pages.CASES[name]
    assert case.said() is case.verdict, case.page


@pytest.mark.parametrize("name", FAULTS)
def test_a_mistake_in_the_module_is_found(name: str) -> None:
    with FAULTS[name]():
        assert _is_found()


def _is_found() -> bool:
    return (
        any(case.said() is not case.verdict for case in pages.CASES.values())
        or any(allowing.compare([one]).differences for one in _questions())
        or any(differing.compare([one], _simulator()).faults for one in _pairs())
    )
