"""What calls for an approval, and how two plans differ."""

from __future__ import annotations

from typing import Any

import pytest

from rightful import approvals
from rightful.model import AskWhen, Privileged, RequestPolicy
from tests.fakes.company import small_map

MAP = small_map()


def asks(rule: AskWhen, stores: dict[str, Any], **identities: list[str]) -> list[dict[str, Any]]:
    return approvals.asks(RequestPolicy(ask_when=rule), stores, identities, "", MAP)


def test_records_are_counted_over_all_stores_and_what_is_kept_is_not() -> None:
    stores = {"a": {"delete": 3, "keep": 100}, "b": {"anonymise": 2, "done": 50}, "c": {"export": 1}, "d": {}}
    assert asks(AskWhen(records=6), stores) == []
    assert asks(AskWhen(records=5), stores) == [{"why": "records", "found": 6, "most": 5}]


def test_two_spellings_of_an_address_are_one_person() -> None:
    one_a_person = AskWhen(identities={"email": 1})
    assert asks(one_a_person, {}, email=["Ada@Example.org", "ada@example.org"]) == []
    assert asks(one_a_person, {}, email=["ada@example.org", "bob@example.org"])[0]["found"] == 2


@pytest.mark.parametrize(
    ("data", "privileged"),
    [
        ({"roles": "owner"}, True),
        ({"roles": ["member", "admin"]}, True),
        ({"roles": {"admin"}}, True),
        ({"roles": ["Owner"]}, False),
        ({"roles": "owner of nothing"}, False),
        ({"roles": []}, False),
        ({"roles": None}, False),
        ({"roles": 7}, False),
        ({"roles": [["owner"]]}, False),
        ({}, False),
    ],
)
def test_what_is_privileged(data: dict[str, Any], privileged: bool) -> None:
    rule = Privileged(attribute="roles", values=["owner", "admin"])
    assert approvals.is_privileged(rule, data) is privileged
    assert approvals.is_privileged(Privileged(), data) is False


def plan(**stores: dict[str, Any]) -> dict[str, Any]:
    return {"stores": stores}


def test_a_difference_names_what_moved_and_nothing_else() -> None:
    before = plan(
        same={"delete": 1, "digest": "a"},
        moved={"delete": 1, "keep": 2, "digest": "a"},
        others={"delete": 1, "digest": "a"},
        broken={"delete": 1, "failed": "", "digest": "a"},
        gone={"delete": 4},
    )
    after = plan(
        same={"delete": 1, "digest": "a"},
        moved={"delete": 3, "keep": 2, "digest": "b"},
        others={"delete": 1, "digest": "b"},
        broken={"delete": 0, "failed": "no access", "digest": "0"},
        new={"anonymise": 2},
    )
    assert approvals.difference(before, after) == {
        "moved": {"delete": [1, 3]},
        "others": {"records": True},
        "broken": {"delete": [1, 0], "failed": ["", "no access"]},
        "gone": {"delete": [4, 0]},
        "new": {"anonymise": [0, 2]},
    }
    assert approvals.difference(after, after) == {}
