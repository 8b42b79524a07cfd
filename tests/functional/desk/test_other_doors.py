"""Requests that come by letter or phone, disclosures, holds, policies: what does not come through the form."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rightful.clocks import stamp
from rightful.errors import NotFound
from rightful.service import admitting, contacts, protecting, requests
from tests.fakes.company import ADA, BOB
from tests.fakes.world import World, make_world

LETTER: dict[str, Any] = {"type": "erasure", "email": ADA, "received_at": "2026-10-20", "source": "letter"}


def submitted(world: World, **changed: Any) -> dict[str, Any]:
    return world.ask_desk("submit", **{**LETTER, **changed})


def confirm(world: World, request_id: str, email: str = ADA) -> dict[str, Any]:
    """What happens when the person proves the address."""
    person = contacts.person(world.deps, contacts.Contact.of(email, "en"))
    return admitting.admit(world.deps, request_id, person, world.clock())


def test_a_letter_counts_from_the_day_it_came_and_starts_nothing_by_itself() -> None:
    world = make_world()
    before = world.contents()
    answer = submitted(world)
    assert answer["ok"]
    assert answer["status"] == "awaiting_verification"
    assert answer["due_at"] == "2026-11-20T23:59:59Z"
    assert world.executions.started == {}
    assert world.contents() == before
    (mail,) = world.mailer.sent
    assert mail.to == ADA
    assert "On 20 October 2026" in mail.text


def test_once_confirmed_it_runs_with_its_own_date() -> None:
    world = make_world()
    request_id = submitted(world)["request_id"]
    item = confirm(world, request_id)
    assert (item["status"], item["received_at"], item["source"]) == ("in_progress", "2026-10-20T00:00:00Z", "letter")
    assert world.executions.started == {f"erasure-{request_id}": {"request_id": request_id}}
    world.execution(request_id).run()
    assert world.request(request_id)["status"] == "completed"
    assert [item["id"] for item in world.stores["accounts"].items] == ["a2"]


def test_whoever_proves_the_address_by_the_form_confirms_the_letter() -> None:
    world = make_world()
    letter = submitted(world)["request_id"]
    world.clock.advance(days=5)
    form = requests.begun(
        {
            "request_id": "form-1",
            "type": "erasure",
            "regime": "gdpr",
            "status": "awaiting_verification",
            "received_at": stamp(world.clock()),
            "due_at": "2026-12-07T23:59:59Z",
            "verify_by": "2026-11-08T09:00:00Z",
        }
    )
    world.table.put_new("REQUEST#form-1", "REQUEST", form)
    standing = confirm(world, "form-1")
    assert (standing["request_id"], standing["received_at"]) == (letter, "2026-10-20T00:00:00Z")
    assert world.request("form-1")["joined_to"] == letter


def test_nobody_else_confirms_it() -> None:
    world = make_world()
    request_id = submitted(world)["request_id"]
    form = {**world.request(request_id), "request_id": "form-1", "seq": 1}
    world.table.put_new("REQUEST#form-1", "REQUEST", form)
    with pytest.raises(NotFound):  # the key that seals Bob's address was never made: his form is a made-up one here
        confirm(world, "form-1", BOB)
    assert world.request(request_id)["status"] == "awaiting_verification"


def test_the_same_letter_twice_is_one_request_and_one_mail() -> None:
    world = make_world()
    first, second = submitted(world), submitted(world)
    assert second["request_id"] == first["request_id"]
    assert second["ok"]
    assert "before" in second["message"]
    assert len(world.mailer.sent) == 1


def test_a_letter_from_whose_request_is_open_joins_it() -> None:
    world = make_world()
    first = submitted(world)["request_id"]
    confirm(world, first)
    again = submitted(world, received_at="2026-10-30")
    assert again["request_id"] == first
    assert "open request of this type already" in again["message"]
    assert len([key for key in world.table.items if key[1] == "REQUEST"]) == 1


def test_a_letter_that_nobody_confirmed_can_be_sent_anew() -> None:
    world = make_world()
    first = submitted(world)
    world.clock.set(datetime(2026, 12, 1, tzinfo=UTC))
    with pytest.raises(NotFound):
        confirm(world, first["request_id"])
    second = submitted(world, received_at="2026-11-29")
    assert second["request_id"] != first["request_id"]
    assert confirm(world, second["request_id"])["status"] == "in_progress"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"received_at": "2026-11-03"}, "received_at"),
        ({"received_at": "2025-10-31"}, "received_at"),
        ({"received_at": "yesterday"}, "received_at"),
        ({"received_at": "2026-02-30"}, "received_at"),
        ({"type": "download"}, "type"),
        ({"source": "pigeon"}, "source"),
        ({"regime": "lgpd"}, "regime"),
        ({"email": "Ada"}, "email"),
    ],
)
def test_a_letter_that_cannot_be_taken_in_says_why(changed: dict[str, str], field: str) -> None:
    world = make_world()
    answer = submitted(world, **changed)
    assert answer["ok"] is False
    assert set(answer["errors"]) == {field}
    assert world.mailer.sent == []


def test_a_letter_to_be_confirmed_late_leaves_the_person_two_weeks() -> None:
    world = make_world()
    answer = submitted(world, received_at="2026-09-20")
    assert answer["due_at"] < stamp(world.clock())
    assert world.request(answer["request_id"])["verify_by"] == "2026-11-16T09:00:00Z"


def test_a_persons_requests_are_found_with_those_that_wait_and_the_holds_on_them() -> None:
    world = make_world()
    world.ask_for("access", "r1")
    letter = submitted(world)["request_id"]
    hold = world.ask_desk("hold", email=ADA, ground="legal_process", reason="Case 12")["hold_id"]
    found = world.ask_desk("find", email="ADA@example.org ")
    assert {each["request_id"] for each in found["requests"]} == {"r1", letter}
    assert found["holds"] == [hold]
    assert ADA not in str(found)
    assert world.ask_desk("find", email="nobody@example.org")["requests"] == []


def test_open_requests_come_the_most_urgent_first() -> None:
    world = make_world()
    for n, due in enumerate(("2026-12-02", "2026-11-04", "2026-10-30")):
        world.ask_for("access", f"r{n}", f"p{n}@example.org")
        world.table.update(f"REQUEST#r{n}", "REQUEST", {"due_at": f"{due}T23:59:59Z"})
    shown = world.ask_desk("open")
    assert [(each["request_id"], each["days_left"]) for each in shown["requests"]] == [
        ("r2", -3),
        ("r1", 2),
        ("r0", 30),
    ]
    assert shown["message"].startswith("3 open, 1 overdue")
    assert [each["request_id"] for each in world.ask_desk("open", due_within_days=7)["requests"]] == ["r2", "r1"]


def test_of_many_open_requests_the_most_urgent_are_shown_and_the_answer_stays_small() -> None:
    world = make_world()
    for n in range(260):
        world.ask_for("access", f"r{n:03}", f"p{n}@example.org")
    shown = world.ask_desk("open")
    assert (len(shown["requests"]), shown["more"]) == (200, True)
    assert len(str(shown)) < 200_000


def test_a_request_is_shown_whole_and_without_a_person() -> None:
    world = make_world()
    world.ask_for("erasure")
    world.execution().run()
    shown = world.ask_desk("show", request_id="r1")
    assert shown["status"] == "completed"
    assert shown["done"]["accounts"]["deleted"] == 1
    assert shown["plan"]["stores"]["invoices"]["keep"] == 2
    assert shown["events"][0]["what"] == "We received your request"
    assert ADA not in str(shown)
    assert world.request()["person"] not in str(shown)


DISCLOSURE: dict[str, Any] = {
    "authority": "LKA Berlin",
    "basis": "Section 94 StPO",
    "scope": "Name and address",
    "email": ADA,
}


def test_a_disclosure_is_registered_once_without_naming_the_person() -> None:
    world = make_world()
    first = world.ask_desk("disclose", **DISCLOSURE)
    assert first["ok"]
    again = world.ask_desk("disclose", **DISCLOSURE)
    assert again["disclosure_id"] == first["disclosure_id"]
    (entry,) = world.table.query("DISCLOSURES")
    assert entry["sk"].startswith("2026-11-02#")
    assert entry["about_a_person"] is True
    assert ADA not in str(entry)
    other_day = world.ask_desk("disclose", **DISCLOSURE, disclosed_at="2026-11-01")
    assert other_day["disclosure_id"] != first["disclosure_id"]


def test_a_disclosure_can_hold_the_persons_data() -> None:
    world = make_world()
    answer = world.ask_desk("disclose", **DISCLOSURE, hold=True)
    again = world.ask_desk("disclose", **DISCLOSURE, hold=True)
    assert again["hold_id"] == answer["hold_id"]
    (hold,) = protecting.active(world.deps)
    assert (hold["hold_id"], hold["scope"], hold["ground"]) == (answer["hold_id"], "person", "legal_process")
    assert world.table.query("DISCLOSURES")[0]["hold_id"] == answer["hold_id"]


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"scope": " "}, {"scope"}),
        ({"disclosed_at": "2026-11-03"}, {"disclosed_at"}),
        ({"email": "", "hold": True}, {"email"}),
        ({"authority": "x" * 5000}, {"authority"}),
    ],
)
def test_a_disclosure_that_cannot_be_registered_says_why(changed: dict[str, Any], fields: set[str]) -> None:
    world = make_world()
    answer = world.ask_desk("disclose", **{**DISCLOSURE, **changed})
    assert answer["ok"] is False
    assert set(answer["errors"]) == fields
    assert world.table.query("DISCLOSURES") == []
    assert protecting.active(world.deps) == []


def test_the_same_hold_stands_once_and_again_after_its_release() -> None:
    world = make_world()
    order = {"store": "accounts", "ground": "legal_process", "reason": "Case 12"}
    first = world.ask_desk("hold", **order)
    assert world.ask_desk("hold", **order)["hold_id"] == first["hold_id"]
    assert len(protecting.active(world.deps)) == 1
    assert world.ask_desk("release", hold_id=first["hold_id"])["ok"]
    assert world.ask_desk("release", hold_id=first["hold_id"])["ok"], "released twice is released"
    assert protecting.active(world.deps) == []
    assert world.ask_desk("hold", **order)["hold_id"] != first["hold_id"]
    assert len(protecting.active(world.deps)) == 1


def test_a_hold_of_a_day_lasts_to_the_end_of_it() -> None:
    world = make_world()
    answer = world.ask_desk("hold", store="accounts", ground="contract", reason="r", until="2026-12-31")
    assert answer["until"] == "2026-12-31T23:59:59Z"


def test_a_hold_on_nobody_and_a_release_of_nothing_say_so() -> None:
    world = make_world()
    assert world.ask_desk("release", hold_id="nothing")["ok"] is False


POLICY: dict[str, Any] = {
    "version": "2027",
    "url": "https://example.org/p/2027",
    "effective_from": "2026-12-02",
    "material": True,
}


@pytest.mark.parametrize(
    ("changed", "ok"),
    [
        ({}, True),
        ({"effective_from": "2026-12-01"}, False),
        ({"effective_from": "2026-11-03", "material": False}, True),
        ({"effective_from": "2026-12-32"}, False),
    ],
)
def test_a_material_change_is_published_thirty_days_ahead_or_not_at_all(changed: dict[str, Any], ok: bool) -> None:
    world = make_world()
    answer = world.ask_desk("publish_policy", **{**POLICY, **changed})
    assert answer["ok"] is ok
    assert len(world.table.query("POLICIES")) == ok
    if not ok:
        assert set(answer["errors"]) == {"effective_from"}


def test_a_version_is_published_once_and_never_changed() -> None:
    world = make_world()
    assert world.ask_desk("publish_policy", **POLICY)["ok"]
    world.clock.advance(days=20)
    assert world.ask_desk("publish_policy", **POLICY)["ok"], "it was in time when it was published"
    assert world.ask_desk("publish_policy", **{**POLICY, "material": False})["ok"] is False
    (stored,) = world.table.query("POLICIES")
    assert stored["material"] is True
