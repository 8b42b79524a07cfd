"""What each strategy makes of each kind of value."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful.anonymising import anonymise
from rightful.model import Strategy
from rightful.stores.dynamodb_values import from_python, to_python


def keyed(purpose: str, value: str) -> str:
    """A stand-in for the vault's digest: 43 URL-safe characters."""
    return hashlib.sha256(f"{purpose}\n{value}".encode("utf-8", "surrogatepass")).hexdigest()[:43]


def one(strategy: Any, value: Any, keep: int | None = None) -> Any:
    changed = anonymise({"field": value, "other": 1}, {"field": Strategy(strategy=strategy, keep=keep)}, keyed)
    assert changed.keys() <= {"field"}
    return changed.get("field", value)


@pytest.mark.parametrize("value", ["Ada", 7, Decimal("1.5"), b"x", True, ["a"], {"a", "b"}, {"a": 1}])
def test_null_removes_the_attribute(value: Any) -> None:
    assert anonymise({"field": value}, {"field": Strategy(strategy="null")}, keyed) == {"field": None}


def test_null_inside_a_map_leaves_a_null_and_inside_many_takes_the_element_out() -> None:
    data = {"address": {"street": "Main St 1", "city": "Lyon"}, "tags": {"a", "b"}, "phones": ["1", "2"]}
    null = Strategy(strategy="null")
    assert anonymise(data, {"address.street": null, "tags[]": null, "phones[]": null}, keyed) == {
        "address": {"street": None, "city": "Lyon"},
        "tags": None,
        "phones": [],
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Ada", "[redacted]"),
        ("", ""),
        (b"\x00\xff", b"[redacted]"),
        (42, 0),
        (Decimal("12.50"), Decimal(0)),
        (True, None),
        (None, None),
        (["Ada", 3, ["Bob"]], ["[redacted]", 0, ["[redacted]"]]),
        ({"Ada", "Bob"}, {"[redacted]"}),
        ({Decimal(1), Decimal(2)}, {Decimal(0)}),
        ({"ada@example.com": "friend"}, {}),
    ],
)
def test_redact(value: Any, expected: Any) -> None:
    assert one("redact", value) == expected


@pytest.mark.parametrize(
    ("value", "keep", "expected"),
    [
        ("203.0.113.77", None, "203.0.113.0"),
        ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1::"),
        ("fe80::1%eth0", None, "fe80::"),
        ("2026-11-22", None, "2026-11-01"),
        ("2026-11-22T10:11:12Z", None, "2026-11-01T00:00:00Z"),
        ("2026-11-22 10:11:12.5+02:00", None, "2026-11-01 00:00:00+02:00"),
        ("94107", None, "941"),
        ("SW1A 1AA", 4, "SW1A"),
        ("203.0.113.77", 3, "203"),
        ("2026-11-22", 4, "2026"),
        ("ab", 4, "ab"),
        (b"\x01\x02\x03\x04\x05", None, b"\x01\x02\x03"),
        (94107, 3, 94100),
        (Decimal("-94107.25"), 2, Decimal(-94000)),
        (date(2026, 11, 22), None, date(2026, 11, 1)),
        (datetime(2026, 11, 22, 9, 8, tzinfo=UTC), None, datetime(2026, 11, 1, tzinfo=UTC)),
        (["94107", "94108"], None, ["941", "941"]),
        ({"94107", "94108"}, None, {"941"}),
    ],
)
def test_truncate(value: Any, keep: int | None, expected: Any) -> None:
    once = one("truncate", value, keep)
    assert once == expected
    assert one("truncate", once, keep) == once


def test_hmac_is_stable_keyed_and_keeps_the_type() -> None:
    assert one("hmac", "ada@example.com") == keyed("anonymise", "ada@example.com")
    assert one("hmac", "ada@example.com") != one("hmac", "bob@example.com")
    assert one("hmac", Decimal("7.0")) == one("hmac", Decimal(7))
    assert isinstance(one("hmac", Decimal(7)), Decimal)
    assert one("hmac", b"ada") == keyed("anonymise", b"ada".hex()).encode()
    assert {type(value) for value in one("hmac", {Decimal(1), Decimal(2)})} == {Decimal}


def test_fake_is_stable_and_belongs_to_nobody() -> None:
    assert one("fake", "ada@example.com").endswith("@example.invalid")
    assert one("fake", "ada@example.com") == one("fake", "ada@example.com")
    assert ip_address(one("fake", "203.0.113.77")) in ip_network("192.0.2.0/24")
    assert ip_address(one("fake", "2a00::1")) in ip_network("2001:db8::/32")
    assert date.fromisoformat(one("fake", "2026-11-22")) < date(2000, 1, 1)
    assert datetime.fromisoformat(one("fake", "2026-11-22T10:11:12Z")).tzinfo is not None
    phone = one("fake", "+33 6 12 34 56 78")
    assert phone != "+33 6 12 34 56 78"
    assert [c if c in "+ " else "9" for c in phone] == list("+99 9 99 99 99 99")
    assert one("fake", "Zoë Łuk")[0].isupper()
    assert len(str(one("fake", 94107))) == 5
    assert len(one("fake", Decimal("9E+100")).as_tuple().digits) == 38


def test_the_rest_of_the_record_and_the_input_stay() -> None:
    data: dict[str, Any] = {"contacts": [{"email": "a@x", "since": 2020}, {"since": 2021}, "odd"], "kept": {"a": 1}}
    changed = anonymise(data, {"contacts[].email": Strategy(strategy="redact")}, keyed)
    assert changed == {"contacts": [{"email": "[redacted]", "since": 2020}, {"since": 2021}, "odd"]}
    assert data["contacts"][0] == {"email": "a@x", "since": 2020}


def test_two_paths_into_one_attribute_both_count() -> None:
    data = {"who": {"name": "Ada", "zip": "94107"}}
    strategies = {"who.name": Strategy(strategy="redact"), "who.zip": Strategy(strategy="truncate")}
    assert anonymise(data, strategies, keyed) == {"who": {"name": "[redacted]", "zip": "941"}}


def test_a_path_the_record_lacks_changes_nothing() -> None:
    assert anonymise({"a": 1}, {"b.c[]": Strategy(strategy="null")}, keyed) == {}


numbers = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**20), max_value=10**20)
scalars = st.text() | numbers | st.binary() | st.booleans() | st.none()
values = st.recursive(
    scalars | st.sets(st.text(), min_size=1) | st.sets(numbers, min_size=1),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(values, st.sampled_from(["null", "redact", "hmac", "truncate", "fake"]))
def test_any_value_gives_one_that_dynamodb_can_hold(value: Any, strategy: Any) -> None:
    result = one(strategy, value)
    assert to_python(from_python(result)) == result
    assert one(strategy, value) == result
