"""The price of a request does not depend on how many other people there are: counted on the shipped data map, with the
real connectors and adapters, at 1,000 and at 100,000 people (docs/scale.md)."""

from __future__ import annotations

from typing import Any

import pytest

from rightful.model import RequestType
from tests.bench.calls import FEW, KINDS, MANY, counts

STORES = 9
"""Covered ones of infra/datamap.yaml."""
RECIPIENTS = 5
"""Of the stores in which something of this person's is erased: four are told by mail, one need not be told."""
TELLING: dict[RequestType, int] = {"access": 0, "erasure": 3 * RECIPIENTS}
KEPT = 10 + 3
"""Besides what the work itself writes: the receipt, its row in the register, and that its end was measured."""
OWN_TRANSITIONS = {"access": 13, "erasure": 17}


@pytest.fixture(scope="module")
def with_few() -> dict[RequestType, dict[str, Any]]:
    return counts(FEW)


def test_a_hundred_times_the_people_cost_not_one_call_more(with_few: dict[RequestType, dict[str, Any]]) -> None:
    assert counts(MANY) == with_few


@pytest.mark.parametrize("kind", KINDS)
def test_transitions_and_control_writes_are_few(kind: RequestType, with_few: dict[RequestType, dict[str, Any]]) -> None:
    assert with_few[kind]["transitions"] <= STORES + OWN_TRANSITIONS[kind]
    assert with_few[kind]["control_writes"]["workflow"] <= 3 * STORES + KEPT + TELLING[kind]
    assert with_few[kind]["control_writes"]["front door"] <= 15
