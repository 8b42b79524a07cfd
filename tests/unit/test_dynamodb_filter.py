"""The filter of a sweep's scan hides what is surely in use, and nothing whose date could be read otherwise."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from rightful import periods
from rightful.clocks import stamp
from rightful.retention import surely_after
from rightful.stores.dynamodb_filter import YEARS, hiding

AFTERS = [
    datetime(2025, 11, 20, 9, 30, 15, tzinfo=UTC),
    datetime(2024, 2, 28, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2023, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(1999, 6, 1, tzinfo=UTC),
    datetime(2998, 6, 1, tzinfo=UTC),
]
digits = st.text("0123456789", min_size=14, max_size=14)


def written(d: str) -> str:
    return f"{d[:4]}-{d[4:6]}-{d[6:8]}T{d[8:10]}:{d[10:12]}:{d[12:]}Z"


moments = st.integers(0, 60 * 365 * 86400).map(
    lambda seconds: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
near = st.builds(
    lambda after, seconds: stamp(after + timedelta(seconds=seconds)), st.sampled_from(AFTERS[:4]), st.integers(-3, 3)
)
dates = st.one_of(
    digits.map(written),
    digits.map(lambda d: written(f"20{d[2:]}")),
    moments.map(stamp),
    near,
    st.just("2028-02-29T12:00:00Z"),
)
others = st.one_of(st.text(max_size=25), st.from_regex(r"20[2-4][0-9]-[01][0-9]-[0-3].T.{8}Z", fullmatch=True))


@lru_cache
def parsed(after: datetime) -> Any:
    question = hiding("at", after)
    return get_filter_expression(
        question["FilterExpression"], question["ExpressionAttributeNames"], question["ExpressionAttributeValues"]
    )


def comes(attribute: dict[str, Any] | None, after: datetime) -> bool:
    attributes = {"id": {"S": "1"}, **({"at": attribute} if attribute else {})}
    return bool(parsed(after).expr(Item(DynamoType({"S": "1"}), None, attributes)))


@given(dates, st.sampled_from(AFTERS))
@example("2026-11-31T10:00:00Z", AFTERS[0])
@example("2026-02-30T10:00:00Z", AFTERS[0])
@example("2026-13-01T10:00:00Z", AFTERS[0])
@example("2026-12-15T24:00:00Z", AFTERS[0])
@example("2026-12-15T23:59:60Z", AFTERS[0])
def test_filter_and_client_together_hide_exactly_what_is_surely_later(text: str, after: datetime) -> None:
    left = comes({"S": text}, after) and not surely_after(text, after)
    assert left is not surely_after(text, after)


@given(moments.map(stamp), st.sampled_from(AFTERS[:3]))
def test_what_is_surely_later_is_hidden_already_by_the_filter(text: str, after: datetime) -> None:
    told = int(text[:4]) < after.year + YEARS and text[5:10] != "02-29"
    if surely_after(text, after) and told:
        assert not comes({"S": text}, after)


@given(others, st.sampled_from(AFTERS))
@example("2026-W46-1T10:00:00Z", AFTERS[0])
@example("2026-11-15 10:00:00Z", AFTERS[0])
@example("2026-11-15T10:00:00+", AFTERS[0])
def test_no_date_that_can_be_read_otherwise_is_hidden(text: str, after: datetime) -> None:
    if not comes({"S": text}, after):
        assert surely_after(text, after) or periods.instant(text) is None


@pytest.mark.parametrize(
    "attribute",
    [None, {"N": "1893456000"}, {"NULL": True}, {"BOOL": True}, {"M": {"at": {"S": "2030-01-01T00:00:00Z"}}}],
)
def test_what_is_no_text_comes(attribute: dict[str, Any] | None) -> None:
    assert all(comes(attribute, after) for after in AFTERS)


def test_it_stays_within_what_dynamodb_takes() -> None:
    for after in AFTERS:
        expression = hiding("at", after)["FilterExpression"]
        assert len(expression) <= 4096
        assert len(re.findall(r"BETWEEN|AND|OR|NOT|contains|size|=", expression)) <= 300


def test_beyond_all_dates_there_is_nothing_to_hide() -> None:
    assert hiding("at", datetime(3000, 1, 1, tzinfo=UTC)) == {}
