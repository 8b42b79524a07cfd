"""What the desk takes, what it says to what it cannot take, and what stays in an execution's history."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rightful.errors import NotFound
from rightful.service.desk import orders
from rightful.service.desk.actions import ACTIONS, Part
from tests.fakes.state_machine import load
from tests.fakes.world import World, make_world

ROOT = Path(__file__).parents[3]
DESK = load("dpo_desk")
STATES = DESK["States"]
CHOICES = STATES["What does the DPO ask for?"]["Choices"]
ACTION = re.compile(r"action = '(\w+)'")


def test_the_machine_has_one_branch_to_one_state_for_each_action() -> None:
    named = [ACTION.search(choice["Condition"]) for choice in CHOICES]
    assert [match[1] for match in named if match] == list(ACTIONS)
    following = [choice["Next"] for choice in CHOICES]
    assert len(set(following)) == len(ACTIONS)
    others = {
        "Read what the DPO asks",
        "What does the DPO ask for?",
        "Say what was expected",
        "It could not be carried out",
    }
    assert set(STATES) == {*following, *others}


def test_the_comment_of_each_state_shows_an_input_that_it_takes() -> None:
    for choice in CHOICES:
        (name,) = ACTION.findall(choice["Condition"])
        comment = STATES[choice["Next"]]["Comment"]
        assert comment.startswith(ACTIONS[name].does)
        shown, _ = json.JSONDecoder().raw_decode(comment[comment.index("{") :])
        assert shown == ACTIONS[name].example(name)
        optional = [key for key, part in ACTIONS[name].parts.items() if not part.required]
        assert comment.endswith(f"optional: {', '.join(optional)}." if optional else "}")


def test_the_actions_of_the_contract_are_there() -> None:
    assert set(ACTIONS) >= {
        *("open", "show", "approve", "reject", "extend", "pause", "resume", "retry", "skip", "hold", "release"),
        *("submit", "find", "disclose", "publish_policy", "report"),
    }


MARKS = ("quince-person@example.org", "Quince Reason", "Quince Authority", "Quince Basis", "Quince Scope", "Quince Url")


def marked(name: str, part: Part) -> Any:
    texts = {"email": MARKS[0], "reason": MARKS[1], "authority": MARKS[2], "basis": MARKS[3], "scope": MARKS[4]}
    return texts.get(name, part.example)


@pytest.mark.parametrize("action", ACTIONS)
def test_what_names_a_person_stands_in_the_history_as_the_input_and_nowhere_else(action: str) -> None:
    world = make_world()
    parts = ACTIONS[action].parts
    order = {"action": action} | {name: marked(name, part) for name, part in parts.items()}
    if action == "hold":
        del order["store"], order["record"]
    run = world.desk(order).run()
    assert run.history[2] != "Say what was expected"
    whole_input = run.shown[:2]  # the execution's input, and what the first state hands to its function
    assert [json.loads(shown).get("input", json.loads(shown)) for shown in whole_input] == [order, order]
    beyond = "\n".join(run.shown[2:])
    assert not [mark for mark in MARKS if mark.casefold() in beyond.casefold()]
    if "email" in order:
        assert world.vault.digest("person", MARKS[0]) in beyond


def test_what_was_asked_is_sealed_and_unreadable_after_a_day() -> None:
    world = make_world()
    taken = orders.take(world.deps, {"action": "find", "email": "ada@example.org"}, "arn:run")
    stored = repr(world.table.items[f"ORDER#{taken['order']}", "ORDER"])
    assert "ada@example.org" not in stored
    assert orders.opened(world.deps, taken["order"])["email"] == "ada@example.org"
    world.clock.advance(days=1)
    with pytest.raises(NotFound):
        orders.opened(world.deps, taken["order"])
    with pytest.raises(NotFound):
        world.vault.open(orders.key_id(taken["order"]), b"x" * 40)


def test_the_same_execution_is_one_order_however_often_it_is_read() -> None:
    world = make_world()
    order = {"action": "find", "email": "ada@example.org"}
    assert orders.take(world.deps, order, "arn:run") == orders.take(world.deps, order, "arn:run")
    assert orders.take(world.deps, order, "arn:other")["order"] != orders.take(world.deps, order, "arn:run")["order"]


@pytest.mark.parametrize(
    ("order", "fields"),
    [
        ({}, {"action"}),
        ([], {"action"}),
        ("approve", {"action"}),
        (None, {"action"}),
        ({"action": "erase"}, {"action"}),
        ({"action": ["approve"]}, {"action"}),
        ({"action": "approve"}, {"request_id"}),
        ({"action": "approve", "request_id": None}, {"request_id"}),
        ({"action": "approve", "request_id": ["r1"]}, {"request_id"}),
        ({"action": "approve", "request_id": "x" * 5000}, {"request_id"}),
        ({"action": "approve", "request_id": "r1", "planhash": "x"}, {"planhash"}),
        ({"action": "open", "due_within_days": "7"}, {"due_within_days"}),
        ({"action": "open", "due_within_days": True}, {"due_within_days"}),
        ({"action": "open", "due_within_days": -1}, {"due_within_days"}),
        ({"action": "open", "due_within_days": 10**7}, {"due_within_days"}),
        ({"action": "extend", "request_id": "r1", "reason": "  "}, {"reason"}),
        ({"action": "extend", "request_id": "r1", "reason": "\ud800"}, {"reason"}),
        ({"action": "release", "hold_id": "x" * 600}, {"hold_id"}),
        ({"action": "reject", "request_id": "r1"}, {"ground", "reason"}),
        ({"action": "find", "email": "no address"}, {"email"}),
        ({"action": "find", "email": "a@b"}, {"email"}),
        ({"action": "hold", "ground": "legal_process", "reason": "r"}, {"email", "store"}),
        (
            {"action": "hold", "email": "a@example.org", "store": "accounts", "ground": "legal_process", "reason": "r"},
            {"email", "store"},
        ),
        ({"action": "hold", "store": "nowhere", "ground": "legal_process", "reason": "r"}, {"store"}),
        ({"action": "hold", "store": "accounts", "ground": "because", "reason": "r"}, {"ground"}),
        ({"action": "hold", "email": "a@example.org", "record": "k", "ground": "contract", "reason": "r"}, {"store"}),
        ({"action": "hold", "store": "accounts", "ground": "contract", "reason": "r", "until": "soon"}, {"until"}),
        (
            {"action": "hold", "store": "accounts", "ground": "contract", "reason": "r", "until": "2020-01-01"},
            {"until"},
        ),
        ({"action": "publish_policy", "version": "1", "url": "http://x", "effective_from": "2027-05-01"}, {"material"}),
        (
            {
                "action": "publish_policy",
                "version": "1",
                "url": "http://x",
                "effective_from": "2027-05-01",
                "material": 1,
            },
            {"material"},
        ),
        (
            {
                "action": "publish_policy",
                "version": "1",
                "url": "http://x.example",
                "effective_from": "2027-05-01",
                "material": True,
            },
            {"url"},
        ),
        ({"action": "cancel_sweep", "run_id": "r", "stores": [], "reason": "r"}, {"stores"}),
        ({"action": "cancel_sweep", "run_id": "r", "stores": "accounts", "reason": "r"}, {"stores"}),
    ],
)
def test_a_mistake_is_told_with_the_field_the_cure_and_an_example(order: Any, fields: set[str]) -> None:
    world = make_world()
    run = world.desk(order).run()
    answer = run.value
    assert run.ended
    assert answer["ok"] is False
    assert answer["message"]
    assert set(answer["errors"]) == fields
    assert all(cure.strip() for cure in answer["errors"].values())
    assert answer["example"]["action"] in ACTIONS
    left = [key for key in world.table.items if not key[0].startswith("ORDER#")]
    assert left == [], "nothing is half written"


def test_an_unknown_action_is_answered_with_the_list_of_actions() -> None:
    answer = make_world().ask_desk("delete everything")
    assert list(answer["actions"]) == list(ACTIONS)


def test_no_value_is_repeated_in_what_is_told() -> None:
    world = make_world()
    told = world.ask_desk("find", email="Quince Person, Lemon Street 1")
    named = world.desk({"action": "find", "email": "ada@example.org", "quince person": 1}).run().value
    assert "uince" not in json.dumps([told, named])


TEXTS = st.one_of(
    st.text(max_size=30), st.integers(), st.booleans(), st.none(), st.lists(st.text(max_size=5), max_size=3)
)
NAMES = st.sampled_from(sorted({name for action in ACTIONS.values() for name in action.parts} | {"x"}))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([*ACTIONS, "x"]), st.dictionaries(NAMES, TEXTS, max_size=6))
def test_whatever_is_given_is_answered_in_words(action: str, order: dict[str, Any]) -> None:
    world: World = make_world()
    answer = world.desk({"action": action, **order}).run().value
    assert isinstance(answer["ok"], bool)
    assert answer["message"]
