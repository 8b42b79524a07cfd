"""Addresses and phone numbers are found however people write them, and little else is."""

from __future__ import annotations

import gc
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful import contacts


def spans(text: str) -> list[str]:
    return [text[found.start : found.end] for found in contacts.find(text)]


@pytest.mark.parametrize(
    "address",
    [
        "bob@example.com",
        "Bob.O'Brien+news@mail.sub.example.co.uk",
        "zoë@exämple.fr",
        "用户@例子.广告",
        "अजय@डाटा.भारत",
        "a!#$%&'*+/=?^_`{|}~-z@x.org",
        '"bob smith"@example.com',
        "bob@[192.168.0.1]",
        "bob@[IPv6:2001:db8::1]",
        "bob@localhost",
        "bob%40example.com",
        "bob&#64;example.com",
        "bob＠example.com",
        "bob (at) example.com",
        "bob [at] example [dot] com",
        "bob at example dot com",
        "bob @ example.com",
        "bob(work)@example.com",
        "BOB@EXAMPLE.COM",
    ],
)
@pytest.mark.parametrize(
    "text", ["{}", "write to {}.", "see <{}>, please", "({})", "mailto:{}?subject=hi", "\t{}\n", "{}; x"]
)
def test_an_address_is_found_whole(address: str, text: str) -> None:
    (found,) = contacts.find(text.format(address))
    assert found.kind == "email"
    assert text.format(address)[found.start : found.end] == address


@pytest.mark.parametrize(
    "number",
    [
        "+33 6 12 34 56 78",
        "+33612345678",
        "0033 6 12 34 56 78",
        "06 12 34 56 78",
        "06.12.34.56.78",
        "0612345678",
        "+1 (555) 123-4567",
        "(555) 123-4567",
        "555-123-4567",
        "555.123.4567",
        "5551234567",
        "555-1234",
        "0171/1234567",
        "+49 (0) 171 1234567",
        "612 345 678",
        "+44\u00a020\u00a07946\u00a00958",
        "+44\u201120\u20117946\u20110958",
        "＋44 20 7946 0958",
        "٠٦١٢٣٤٥٦٧٨",
    ],
)
@pytest.mark.parametrize(
    "text", ["{}", "call {}.", "tel:{}", "\u202a{}\u202c", "({})", "{}, thanks", "on 2026-01-02 {}"]
)
def test_a_number_is_found(number: str, text: str) -> None:
    (found,) = contacts.find(text.format(number))
    assert found.kind == "phone"
    assert text.format(number)[found.start : found.end].strip("()") == number.strip("()")


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02",
        "2026-01-02T03:04:05.123+01:00",
        "2026-01-02 03:04:05",
        "31.12.2026 or 12/31/2026",
        "1 234 567,00 EUR",
        "192.168.100.200",
        "123e4567-1234-1234-1234-426614174000",
        "48.858370, 2.294481",
        "order 1234567, 12 pieces",
        "version 3.11.7",
        "@handle and 5@3 each",
        "let us meet @ noon",
        "at home",
        "C:\\temp 100%",
    ],
)
def test_other_things_are_left_alone(text: str) -> None:
    assert spans(text) == []


def test_neighbours_are_told_apart() -> None:
    assert spans("a@x.com,b@y.com;c@z.com") == ["a@x.com", "b@y.com", "c@z.com"]
    assert spans("+33612345678 +33698765432") == ["+33612345678", "+33698765432"]
    assert spans("0612345678 0698765432") == ["0612345678", "0698765432"]
    assert spans("a@x.com 0612345678 b@y.com") == ["a@x.com", "0612345678", "b@y.com"]


@pytest.mark.parametrize(
    ("own", "text"),
    [
        ("anna@example.com", "ANNA@Example.COM"),
        ("anna@example.com", "'anna@example.com'"),
        ("anna@example.com", "?to=anna@example.com"),
        ("anna@example.com", "anna%40example.com"),
        ("+33 6 12 34 56 78", "06.12.34.56.78"),
        ("0612345678", "+33 6 12 34 56 78"),
        ("+1 555 123 4567", "(555) 123-4567"),
    ],
)
def test_own_is_recognised_however_written(own: str, text: str) -> None:
    (found,) = contacts.find(text)
    assert contacts.Own({own, "u-123"}).has(found)


@pytest.mark.parametrize(
    ("own", "text"),
    [
        ("anna@example.com", "joanna@example.com"),
        ("anna@example.com", "anna@example.com.evil.org"),
        ("anna@example.com", "anna@example.co"),
        ("strasse@example.com", "straße@example.com"),
        ("+33612345678", "+33612345679"),
        ("5", "+33612345675"),
    ],
)
def test_a_likeness_is_not_own(own: str, text: str) -> None:
    (found,) = contacts.find(text)
    assert not contacts.Own({own}).has(found)


@given(st.text(alphabet='a1@ .+()-"[]<>%40:dot\n', max_size=80))
def test_what_is_found_lies_in_order_and_apart(text: str) -> None:
    end = 0
    for found in contacts.find(text):
        assert end <= found.start < found.end <= len(text)
        end = found.end


@pytest.mark.parametrize("unit", ["a", "1", "1 ", " ", "@", "a@", '"', "(", "%40", " at ", "at dot ", "1.", "+", "<at"])
def test_the_work_grows_with_the_length_only(unit: str) -> None:
    """What grows with the square grows a hundredfold here, however often it is tried. The least of some tries is free
    of what else goes on; the collector, whose work grows with what other tests left, is told to wait."""

    def cost(length: int) -> float:
        text = unit * (length // len(unit))
        started = time.process_time()
        list(contacts.find(text))
        return time.process_time() - started

    gc.disable()
    try:
        short = min(cost(40_000) for _ in range(3))
        assert any(cost(400_000) < 80 * max(short, 0.002) for _ in range(3))
    finally:
        gc.enable()


@pytest.mark.parametrize("own", ["12345678", "cus-12345678", "7f9c2ba4-1234-5678-9abc-def012345678"])
def test_a_customer_number_is_nobodys_phone(own: str) -> None:
    """It might be the end of somebody else's."""
    (found,) = contacts.find("+33 6 12 34 56 78")
    assert not contacts.Own({own}).has(found)
