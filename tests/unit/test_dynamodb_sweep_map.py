"""What a data map may say of sweeping a table, where an index leads, and whose a record is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful.model import Locator, Record, Retention
from rightful.stores.dynamodb_map import Through, identities
from rightful.stores.dynamodb_sweep_map import Due, attributes, buckets, check, following
from tests.contract.connector_suite import store

SETTINGS: dict[str, Any] = {"table": "people", "key": ["pk", "sk"]}
MONTHS: dict[str, Any] = {"index": "by_month", "key": "month", "bucket": "%Y-%m", "first": "2015-01"}
SHARDS: dict[str, Any] = {"index": "open", "key": "shard", "shards": ["0", "1"], "sort_key": "at"}


def complaints(through: dict[str, Any], **settings: Any) -> list[str]:
    table = store("dynamodb", {**SETTINGS, **settings}, {"key": "pk"})
    found = list(check(replace(table, retention=Retention(period="P1Y", since="at", through=through))))
    assert all(what and cure for _, what, cure in found)
    return [path for path, _, _ in found]


@pytest.mark.parametrize(
    ("through", "path"),
    [
        ({**MONTHS, "index": ""}, ".index"),
        ({**SHARDS, "key": ""}, ".key"),
        ({"index": "i", "key": "k"}, ""),
        ({**MONTHS, "shards": ["0"]}, ""),
        ({**SHARDS, "first": "2015-01"}, ".first"),
        ({**SHARDS, "shards": ["0", "0"]}, ".shards"),
        ({**SHARDS, "shards": ["0", ""]}, ".shards"),
        ({**SHARDS, "sort_key": "created"}, ".sort_key"),
        ({**MONTHS, "bucket": "%m"}, ".bucket"),
        ({**MONTHS, "bucket": "%Y-%j"}, ".bucket"),
        ({**MONTHS, "bucket": "months"}, ".bucket"),
        ({**MONTHS, "bucket": "*/%Y-%m"}, ".bucket"),
        ({**MONTHS, "first": ""}, ".first"),
        ({**MONTHS, "first": "2015"}, ".first"),
        ({**MONTHS, "first": "2015-13"}, ".first"),
        ({**MONTHS, "first": "2015-01-01"}, ".first"),
        ({**MONTHS, "first": "1961-01"}, ".first"),
    ],
)
def test_a_way_that_leads_nowhere_is_told_where_and_how_to_mend_it(through: dict[str, Any], path: str) -> None:
    assert complaints(through) == [f"retention.through{path}"]


def test_what_is_right_is_accepted() -> None:
    for through in ({}, MONTHS, SHARDS, {**MONTHS, "sort_key": "at"}):
        assert complaints(through, max_rcu=20, max_wcu=1000) == []


@pytest.mark.parametrize("name", ["max_rcu", "max_wcu"])
@pytest.mark.parametrize("units", [-1, 1, 19])
def test_a_limit_must_be_one_that_parts_can_share(name: str, units: int) -> None:
    assert complaints({}, **{name: units}) == [f"settings.{name}"]


UNTIL = datetime(2027, 3, 2, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pattern", "first", "expected"),
    [
        ("%Y", "2025", ["2025", "2026", "2027"]),
        ("%Y-%m", "2026-12", ["2026-12", "2027-01", "2027-02", "2027-03"]),
        ("used#%Y%m%d", "used#20270227", ["used#20270227", "used#20270228", "used#20270301", "used#20270302"]),
        ("%Y-%m-%dT%H", "2027-03-01T23", ["2027-03-01T23", "2027-03-02T00", "2027-03-02T01"]),
        ("%Y-%m", "2027-03", ["2027-03"]),
        ("%Y-%m", "2027-04", []),
    ],
)
def test_buckets_are_counted_up_to_the_one_that_may_be_due(pattern: str, first: str, expected: list[str]) -> None:
    through = Due(index="i", key="k", bucket=pattern, first=first)
    assert buckets(through, UNTIL) == expected
    for before, after in pairwise(expected):
        assert following(through, before) == after


def test_shards_are_all_of_them() -> None:
    assert buckets(Due(**SHARDS), UNTIL) == ["0", "1"]
    assert following(Due(**SHARDS), "0") == "1"


def whose(through: dict[str, Any], data: dict[str, Any]) -> set[str]:
    locator = Locator(by="who", through=through)
    found = identities([locator], Record("k", data))
    for _, value in found:
        way = Through(**through)
        assert way.finds(data, way.wanted(value))
    return {value for _, value in found}


@pytest.mark.parametrize(
    ("through", "data", "expected"),
    [
        ({"key": "pk"}, {"pk": "ada"}, {"ada"}),
        ({"key": "pk"}, {}, set()),
        ({"key": "pk"}, {"pk": ""}, set()),
        ({"key": "pk", "value": "A#{}#Z"}, {"pk": "A#ada#Z"}, {"ada"}),
        ({"key": "pk", "value": "A#{}#Z"}, {"pk": "A##Z"}, set()),
        ({"key": "pk", "value": "A{}A"}, {"pk": "A"}, set()),
        ({"key": "pk", "value": "A#{}"}, {"pk": "B#ada"}, set()),
        ({"key": "pk", "sort_key": "sk", "sort_prefix": "T#"}, {"pk": "ada", "sk": "T#1"}, {"ada"}),
        ({"key": "pk", "sort_key": "sk", "sort_prefix": "T#"}, {"pk": "ada", "sk": "U#1"}, set()),
        ({"key": "pk", "type": "N"}, {"pk": Decimal(7)}, {"7"}),
        ({"key": "pk", "type": "N"}, {"pk": Decimal("1E+3")}, {"1000"}),
        ({"key": "pk", "type": "N"}, {"pk": "7"}, set()),
        ({"key": "pk"}, {"pk": Decimal(7)}, set()),
        ({"key": "pk", "type": "B"}, {"pk": b"\x00\xff"}, {"AP8="}),
        ({"attribute": "a.b[].c", "scan": "allowed"}, {"a": {"b": [{"c": "x"}, {"d": 1}, {"c": "y"}]}}, {"x", "y"}),
        ({"attribute": "team", "scan": "allowed"}, {"team": {"x", "y"}}, {"x", "y"}),
        ({"attribute": "team", "scan": "allowed"}, {"team": ["x", True, None, ["z"]]}, {"x"}),
    ],
)
def test_says_whose_a_record_is(through: dict[str, Any], data: dict[str, Any], expected: set[str]) -> None:
    assert whose(through, data) == expected


@given(st.text(min_size=1, max_size=30), st.sampled_from(["{}", "ACCOUNT#{}", "{}#", "a{}a", "{{}}"]))
def test_it_is_the_inverse_of_looking_up(value: str, template: str) -> None:
    wanted = Through(key="pk", value=template).wanted(value)
    if wanted is not None:
        assert whose({"key": "pk", "value": template}, {"pk": wanted}) == {value}


def test_all_that_tells_whose_a_record_is_is_read() -> None:
    ways: list[dict[str, Any]] = [
        {"key": "pk", "sort_key": "sk", "sort_prefix": "T#"},
        {"attribute": "a.b[].c", "scan": "allowed"},
        {"key": "email", "index": "by_email"},
    ]
    assert attributes([Locator(by="x", through=way) for way in ways]) == {"pk", "sk", "a", "email"}
