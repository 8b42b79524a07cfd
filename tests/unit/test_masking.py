"""An export shows the person's own data and nobody else's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful.masking import label, mask
from rightful.model import Erasure, Field, Retention, Store

OWN = frozenset({"anna@example.com", "+33 6 12 34 56 78", "acc-1"})
EMAIL = "user.contact.email"


def store(undeclared: Any = "withhold", **fields: Field) -> Store:
    return store_of(fields, undeclared)


def store_of(fields: dict[str, Field], undeclared: Any = "withhold") -> Store:
    return Store(
        title="Your things",
        connector="memory",
        purpose="p",
        lawful_basis="contract",
        retention=Retention(period="P1Y", since="at"),
        erasure=Erasure(action="delete"),
        fields=fields,
        undeclared_fields=undeclared,
    )


def shown(data: dict[str, Any], of: Store, located_by: frozenset[str] = frozenset({"email"})) -> dict[str, Any]:
    return mask(data, of, located_by, OWN)[0]


def test_a_field_about_the_person_stays() -> None:
    data = {"name": "Anna", "n": Decimal("1.10"), "tags": {"a", "b"}, "raw": b"\x00", "none": None}
    of = store(**{name: Field(category="user.name") for name in data})
    assert mask(data, of, set(), set()) == (data, {})


def test_someone_elses_field_is_masked_by_category() -> None:
    of = store(to=Field(category=EMAIL, about="other"), who=Field(category="user.name.first", about="other"))
    assert mask({"to": "bob@x.com", "who": "Bob"}, of, {"email"}, OWN) == (
        {"to": "[someone else's e-mail address]", "who": "[someone else's name]"},
        {"other": 2},
    )


def test_a_field_about_an_identity_is_shown_only_to_whom_it_located() -> None:
    of = store(
        given_by=Field(category=EMAIL, about="account_id"),
        contact=Field(category=EMAIL, about="email"),
    )
    data = {"given_by": "giver@x.com", "contact": "anna@example.com"}
    assert shown(data, of, frozenset({"email"})) == {**data, "given_by": "[someone else's e-mail address]"}
    assert shown(data, of, frozenset({"account_id"})) == {**data, "contact": "[someone else's e-mail address]"}
    assert shown(data, of, frozenset({"email", "account_id"})) == data


def test_lists_and_nesting_keep_their_shape() -> None:
    of = store_of(
        {
            "people[].mail": Field(category=EMAIL, about="other"),
            "people[].role": Field(category="user.job_title"),
            "cc": Field(category=EMAIL, about="other"),
            "a.b": Field(category="user.name", about="other"),
            "a.c": Field(category="user.name"),
        }
    )
    data = {
        "people": [{"mail": "b@x.com", "role": "boss"}, {"mail": None, "role": "none"}],
        "cc": ["b@x.com", "c@x.com"],
        "a": {"b": "Bob", "c": "Anna"},
    }
    assert shown(data, of) == {
        "people": [{"mail": "[someone else's e-mail address]", "role": "boss"}, {"mail": None, "role": "none"}],
        "cc": ["[someone else's e-mail address]"] * 2,
        "a": {"b": "[someone else's name]", "c": "Anna"},
    }


def test_a_path_covers_what_is_inside_and_the_most_specific_decides() -> None:
    of = store_of(
        {
            "profile": Field(category="user"),
            "profile.partner": Field(category="user.name", about="other"),
            "secret": Field(category="user", export=False, note="a secret"),
            "secret.hint": Field(category="user"),
        }
    )
    data = {"profile": {"age": 3, "partner": "Bob"}, "secret": {"hash": "x", "hint": "dog"}}
    assert shown(data, of) == {
        "profile": {"age": 3, "partner": "[someone else's name]"},
        "secret": {"hash": "[withheld: a secret]", "hint": "dog"},
    }
    assert shown({"secret": "not a map"}, of) == {"secret": "[withheld: a secret]"}


def test_a_map_of_someone_else_hides_its_keys_too() -> None:
    of = store(shared=Field(category="user.contact", about="other"))
    assert shown({"shared": {"bob@x.com": True}}, of) == {"shared": "[someone else's contact details]"}
    assert shown({"shared": [{"bob@x.com": 1}, {}]}, of) == {"shared": ["[someone else's contact details]", {}]}


def test_a_secret_is_withheld_with_its_reason() -> None:
    of = store(
        h=Field(category="user", export=False, note="protects your account"), k=Field(category="user", export=False)
    )
    assert mask({"h": "x", "k": ["y", "z"]}, of, set(), set()) == (
        {"h": "[withheld: protects your account]", "k": "[withheld]"},
        {"withheld": 2},
    )


def test_undeclared_attributes_are_withheld_or_shown_and_counted() -> None:
    of = {"known": Field(category="user"), "a.b": Field(category="user")}
    data = {"known": 1, "new": "ask bob@x.com or anna@example.com", "a": {"b": 1, "c": 2}, "empty": set()}
    assert mask(data, store_of(of), set(), OWN) == ({"known": 1, "a": {"b": 1}}, {"undeclared": 3})
    assert mask(data, store_of(of, "export"), set(), OWN) == (
        {**data, "new": "ask [someone else's e-mail address] or anna@example.com"},
        {"undeclared_shown": 3, "free_text": 1},
    )


def test_a_record_of_another_shape_than_declared_leaks_nothing() -> None:
    of = store_of({"list[].mail": Field(category=EMAIL, about="other")})
    for data in ({"list": "bob@x.com"}, {"list": {"mail": "bob@x.com"}}, {"list": [["bob@x.com"]]}):
        assert "bob" not in repr(shown(data, of))


def test_free_text_keeps_own_and_masks_others_in_any_shape() -> None:
    of = store(body=Field(category="user.content", free_text=True))
    text = "I am Anna@Example.com, 06 12 34 56 78; write to <bob@x.com> or call +44 20 7946 0958."
    masked = (
        "I am Anna@Example.com, 06 12 34 56 78; write to <[someone else's e-mail address]>"
        " or call [someone else's phone number]."
    )
    assert mask({"body": text}, of, set(), OWN) == ({"body": masked}, {"free_text": 2})
    assert shown({"body": {"bob@x.com": [text], "eve@x.com": {"bob@x.com"}}}, of) == {
        "body": {
            "[someone else's e-mail address]": [masked],
            "[someone else's e-mail address] (2)": ["[someone else's e-mail address]"],
        }
    }


@pytest.mark.parametrize(
    ("category", "name"),
    [
        ("user.contact.email", "e-mail address"),
        ("user.contact.phone_number", "phone number"),
        ("user.contact.address.city", "address"),
        ("user.unheard_of", "data"),
        ("", "data"),
    ],
)
def test_a_mask_says_what_kind_of_data_it_hides(category: str, name: str) -> None:
    assert label(category) == name


foreign = st.emails().filter(lambda address: address.lower() != "anna@example.com")
own_addresses = st.sampled_from(["anna@example.com", "ANNA@example.com"])
glue = st.sampled_from([" ", ", ", ";", "\n", " <", "> ", " (", ") ", "\t", ' "', " : ", "\u00a0", " é ", " 5 "])
free_text = store(t=Field(category="user.content", free_text=True))


@given(st.lists(st.tuples(st.just(" mailto:") | glue, foreign | own_addresses, glue), max_size=5))
def test_no_foreign_address_survives_and_own_ones_do(parts: list[tuple[str, str, str]]) -> None:
    text = " ".join("".join(part) for part in parts)
    result = shown({"t": text}, free_text)["t"]
    for _, address, _ in parts:
        if address.lower() == "anna@example.com":
            assert address in result
        else:
            assert address not in result.replace("anna@example.com", "").replace("ANNA@example.com", "")


values: st.SearchStrategy[Any] = st.recursive(
    st.text(alphabet="ab@x. +0123456789()[]'\n<>", max_size=40)
    | st.none()
    | st.decimals(allow_nan=False)
    | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
meanings = st.builds(
    Field,
    category=st.sampled_from([EMAIL, "user"]),
    about=st.sampled_from(["person", "other", "email", "phone"]),
    free_text=st.booleans(),
    export=st.booleans(),
    note=st.sampled_from(["", "why"]),
)


@given(
    st.dictionaries(st.sampled_from("abc"), values),
    st.dictionaries(st.sampled_from(["a", "b", "a.x", "a[]", "b[].y"]), meanings),
    st.sampled_from(["export", "withhold"]),
)
def test_masking_twice_is_masking_once(data: dict[str, Any], fields: dict[str, Field], undeclared: str) -> None:
    of = store_of(fields, undeclared)
    once = shown(data, of)
    assert shown(once, of) == once


def test_the_record_that_was_read_is_left_as_it_was() -> None:
    data = {"t": ["bob@x.com"], "m": {"bob@x.com": "bob@x.com"}}
    of = store(t=Field(category="user", free_text=True), m=Field(category="user", free_text=True))
    shown(data, of)
    assert data == {"t": ["bob@x.com"], "m": {"bob@x.com": "bob@x.com"}}
