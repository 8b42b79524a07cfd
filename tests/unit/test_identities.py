"""Two mailboxes are never taken for one; one mailbox is found however its owner typed it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful import identities
from rightful.errors import Invalid
from rightful.identities import EMAIL, checked_email, normalise, variants
from rightful.model import Identity

EXACT = Identity(category="user.unique_id")
SAME = [
    ("max@example.com", "max@example.com"),
    ("  Max.Mustermann@Example.COM\t", "max.mustermann@example.com"),
    ("max+cookies@example.com", "max+cookies@example.com"),
    ("max@MÜNCHEN.example", "max@xn--mnchen-3ya.example"),
    ("max@mu\u0308nchen.example", "max@xn--mnchen-3ya.example"),
    ("max@XN--MNCHEN-3YA.example", "max@xn--mnchen-3ya.example"),
    ("max@straße.example", "max@xn--strae-oqa.example"),
]


@pytest.mark.parametrize(("typed", "normal"), SAME)
def test_one_mailbox_has_one_spelling(typed: str, normal: str) -> None:
    assert normalise(EMAIL, typed) == normal
    assert checked_email(typed) == normal


@pytest.mark.parametrize(
    ("attacker", "victim"),
    [
        ("mi\u212ae@example.com", "mike@example.com"),
        ("m\u0131ke@example.com", "mike@example.com"),
        ("M\u0130KE@example.com", "mike@example.com"),
        ("mike@example.com", "mike@e\u217eample.com"),
        ("mike@\u212aexample.com", "mike@kexample.com"),
        ("\uff4dike@example.com", "mike@example.com"),
        ("mike@g\u0131thub.example", "mike@github.example"),
        ("fu\u017f@example.com", "fus@example.com"),
        ("mike@stra\u00dfe.example", "mike@strasse.example"),
    ],
)
def test_a_look_alike_is_another_mailbox(attacker: str, victim: str) -> None:
    assert normalise(EMAIL, attacker) != normalise(EMAIL, victim)
    assert normalise(EMAIL, victim) not in variants(EMAIL, attacker)


@given(st.text() | st.builds("{}@{}".format, st.text(), st.text()))
def test_the_normal_form_is_total_and_settled(value: str) -> None:
    once = normalise(EMAIL, value)
    assert normalise(EMAIL, once) == once


@given(st.characters(min_codepoint=128))
def test_no_other_letter_becomes_an_ascii_letter(letter: str) -> None:
    local, _, domain = normalise(EMAIL, f"{letter}@{letter}.example").rpartition("@")
    assert not local.isascii()
    assert domain.startswith("xn--") or not domain.isascii()


def test_only_three_characters_compose_into_ascii() -> None:
    """The list in the module is complete for the Unicode of this Python."""
    into_ascii = [chr(n) for n in range(128, 0x110000) if unicodedata.normalize("NFC", chr(n)).isascii()]
    assert into_ascii == ["\u037e", "\u1fef", "\u212a"]
    assert all(identities.normalise(EMAIL, f"{c}@example.com")[0] == c for c in into_ascii)


@given(st.text(), st.text())
def test_exact_values_are_compared_as_written(one: str, other: str) -> None:
    assert (normalise(EXACT, one) == normalise(EXACT, other)) == (one == other)
    assert variants(EXACT, one) == [one]


def test_stores_are_asked_for_the_normal_form_first_and_then_for_what_was_typed() -> None:
    assert variants(EMAIL, " Max@Example.com ") == ["max@example.com", "Max@Example.com"]
    assert variants(EMAIL, "max@example.com") == ["max@example.com"]
    assert variants(EMAIL, "max@münchen.example") == ["max@xn--mnchen-3ya.example", "max@münchen.example"]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "@",
        "max",
        "max@",
        "@example.org",
        "max@example",
        "max@@example.com",
        "a@b@example.com",
        "max @example.com",
        "max@exam ple.com",
        '"max"@example.com',
        '"a@b"@example.com',
        "max@example.com\r\nBcc: eve@example.com",
        "max\n@example.com",
        "max\x00@example.com",
        "max,eve@example.com",
        "Max <max@example.com>",
        ".max@example.com",
        "max.@example.com",
        "m..x@example.com",
        "max@example..com",
        "max@example.com.",
        "max@-example.com",
        "max@example-.com",
        "max@[127.0.0.1]",
        "max@127.0.0.1",
        "max@exam_ple.com",
        "max@exam\u200dple.com",
        "max@\u212aexample.com",
        "max@ex\uff41mple.com",
        "max@exam\U0001f36ale.com",
        "mäx@example.com",
        "mi\u212ae@example.com",
        "max\u202e@example.com",
        f"{'a' * 65}@example.com",
        f"max@{'a' * 64}.com",
        f"max@{'a.' * 126}com",
        "max@" + "ü" * 80 + ".example",
        "max@\ud800.example",
    ],
)
def test_what_cannot_be_mailed_is_refused_without_being_repeated(value: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_email(value)
    [(field, message)] = refused.value.errors
    assert field == "email"
    assert message.endswith(".")
    assert len(value) < 3 or value not in f"{refused.value.detail} {message}"


@given(st.emails())
def test_ordinary_addresses_pass(value: str) -> None:
    assert checked_email(value) == normalise(EMAIL, value)
