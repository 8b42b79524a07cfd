"""The DPO says what an issue is, since when they know, and that it is done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rightful.clocks import stamp
from rightful.errors import NeedsAttention
from rightful.service import deadlines, issues
from rightful.service.desk import book
from tests.fakes.company import ADA, BOB
from tests.fakes.recording import Moment
from tests.fakes.world import World, forever, make_world
from tests.functional.issues.reports import DPO, SECRET, issue, mails, report

CONFIRMED: dict[str, Any] = {"breach": True, "reason": "A backup could be read."}
DENIED: dict[str, Any] = {"breach": False, "reason": "It was a test."}


def received() -> tuple[World, str]:
    world = make_world()
    issue_id = report(world, "suspected_breach")
    world.clock.advance(days=1)
    return world, issue_id


def breach() -> tuple[World, str]:
    world, issue_id = received()
    assert world.ask_desk("assess", issue_id=issue_id, **CONFIRMED)["ok"]
    world.clock.advance(60)
    return world, issue_id


def no_breach() -> tuple[World, str]:
    world, issue_id = received()
    assert world.ask_desk("assess", issue_id=issue_id, **DENIED)["ok"]
    return world, issue_id


def closed() -> tuple[World, str]:
    world, issue_id = breach()
    assert world.ask_desk("close_issue", issue_id=issue_id, reason="The authority was told.")["ok"]
    return world, issue_id


def other() -> tuple[World, str]:
    world = make_world()
    return world, report(world, "other")


WAYS = {"received": received, "breach": breach, "no_breach": no_breach, "closed": closed, "other": other}
ORDERS: dict[str, dict[str, Any]] = {
    "confirm": {"action": "assess", **CONFIRMED},
    "deny": {"action": "assess", **DENIED},
    "close": {"action": "close_issue", "reason": "The authority was told."},
    "show": {"action": "show"},
}
ALLOWED = {
    "confirm": {"received", "breach", "no_breach", "other"},
    "deny": {"received", "breach", "no_breach", "other"},
    "close": {"breach", "no_breach", "closed", "other"},
    "show": set(WAYS),
}
NO_CHANGE = {("confirm", "breach"), ("deny", "no_breach"), ("close", "closed")}
"""Said before in the same words."""


def seen(world: World) -> str:
    items = {key: item for key, item in world.table.items.items() if not key[0].startswith("ORDER#")}
    return repr(sorted(items.items())) + str(len(world.mailer.sent))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("way", WAYS)
def test_every_action_against_every_status(way: str, order: str) -> None:
    world, issue_id = WAYS[way]()
    asked = {**ORDERS[order], "request_id" if order == "show" else "issue_id": issue_id}
    before = seen(world)
    answer = world.ask_desk(**asked)
    assert answer["ok"] is (way in ALLOWED[order]), answer
    changes = way in ALLOWED[order] and order != "show" and (order, way) not in NO_CHANGE
    assert (seen(world) != before) is changes
    after = seen(world)
    world.clock.advance(5)
    assert world.ask_desk(**asked)["message"]
    assert seen(world) == after, "a second time changes nothing"


def test_the_clock_counts_from_receipt_until_the_dpo_says_since_when_they_know() -> None:
    world, issue_id = received()
    start = world.clock() - timedelta(days=1)
    shown = world.ask_desk("show", request_id=issue_id)
    assert (shown["due_at"], shown["provisional"]) == (stamp(start + timedelta(hours=72)), True)
    aware = start + timedelta(hours=20)
    answer = world.ask_desk("assess", issue_id=issue_id, aware_at=stamp(aware), **CONFIRMED)
    assert answer["due_at"] == stamp(aware + timedelta(hours=72))
    shown = world.ask_desk("show", request_id=issue_id)
    assert (shown["received_at"], shown["aware_at"]) == (stamp(start), stamp(aware))
    assert "provisional" not in shown


def test_a_company_may_have_known_before_the_report() -> None:
    world, issue_id = received()
    aware = world.clock() - timedelta(hours=25)
    answer = world.ask_desk("assess", issue_id=issue_id, aware_at=stamp(aware), **CONFIRMED)
    assert answer["due_at"] == stamp(aware + timedelta(hours=72))


def test_nobody_is_aware_in_the_future() -> None:
    world, issue_id = received()
    answer = world.ask_desk(
        "assess", issue_id=issue_id, aware_at=stamp(world.clock() + timedelta(hours=1)), **CONFIRMED
    )
    assert answer["ok"] is False
    assert set(answer["errors"]) == {"aware_at"}
    assert issue(world, issue_id)["status"] == "received"


@pytest.mark.parametrize("aware", ["2026-11-02", "noon", "2026-11-02T25:00:00Z"])
def test_awareness_is_a_moment(aware: str) -> None:
    world, issue_id = received()
    answer = world.ask_desk("assess", issue_id=issue_id, aware_at=aware, **CONFIRMED)
    assert set(answer["errors"]) == {"aware_at"}


def test_what_is_no_breach_has_no_moment_of_awareness() -> None:
    world, issue_id = received()
    answer = world.ask_desk("assess", issue_id=issue_id, aware_at=stamp(world.clock()), **DENIED)
    assert set(answer["errors"]) == {"aware_at"}


def test_what_turns_out_to_be_a_breach_gets_a_clock_whatever_it_was_reported_as() -> None:
    world, issue_id = other()
    world.ask_desk("assess", issue_id=issue_id, **CONFIRMED)
    assert [item["issue_id"] for item in world.table.open_requests(issues.CLOCK)] == [issue_id]
    world.ask_desk("assess", issue_id=issue_id, **DENIED)
    assert list(world.table.open_requests(issues.CLOCK)) == []
    assert "aware_at" not in issue(world, issue_id)


def test_each_word_of_the_dpo_is_in_the_desks_book_once_and_names_nobody() -> None:
    world, _ = closed()
    entries = [(entry["what"], entry["facts"]["kind"]) for entry in book.entries(world.deps)]
    assert entries == [
        ("An issue was found to be a breach", "suspected_breach"),
        ("An issue was closed", "suspected_breach"),
    ]
    assert "backup" not in repr(book.entries(world.deps))


def test_the_desk_lists_and_finds_issues_without_naming_anybody() -> None:
    world, issue_id = received()
    later = report(world, "other", email=BOB)
    listed = world.ask_desk("open")
    assert [each["issue_id"] for each in listed["issues"]] == [issue_id, later]
    assert listed["issues"][0]["hours_left"] == 48
    found = world.ask_desk("find", email=ADA)
    assert [each["issue_id"] for each in found["issues"]] == [issue_id]
    assert not [word for word in (ADA, BOB, SECRET) if word in repr((listed, found))]


def test_each_daily_mail_names_each_clock_that_runs_the_most_urgent_first() -> None:
    world, issue_id = received()
    later = report(world, "suspected_breach")
    for day, hours in ((1, 48), (2, 24), (3, 0)):
        counts = deadlines.step(world.deps, forever).counts
        assert (counts["breaches"], counts["breaches_overdue"]) == (2, 0)
        mail = mails(world, "dpo_deadlines")[-1]
        assert len(mails(world, "dpo_deadlines")) == day
        assert f"{hours} hours are left" in mail.text
        assert mail.text.index(issue_id) < mail.text.index(later)
        assert "Provisional" in mail.text
        assert issue_id.encode() in mail.attachments[0].body.replace(b"\r\n ", b"")
        world.clock.advance(days=1)
    assert deadlines.step(world.deps, forever).counts["breaches_overdue"] == 1
    assert "The time is over. Tell the authority at once" in mails(world, "dpo_deadlines")[-1].text


def test_an_issue_that_is_closed_is_named_no_more() -> None:
    world, issue_id = closed()
    assert "open" not in issue(world, issue_id)
    counts = deadlines.step(world.deps, forever).counts
    assert (counts["breaches"], counts["mailed"]) == (0, 0)


def test_what_was_gathered_comes_in_one_mail_of_the_day() -> None:
    world = make_world()
    ids = [report(world, source=f"10.0.0.{n}", message=f"Report {n}") for n in range(30)]
    world.clock.advance(days=1)
    for _ in range(3):
        deadlines.step(world.deps, forever).faults.ensure_none()
    (mail,) = mails(world, "dpo_issues")
    assert mail.to == DPO
    assert [n for n in range(30) if f"> Report {n}\n" in mail.text] == list(range(issues.MAILS_PER_HOUR, 30))
    assert {issue(world, each)["open"] for each in ids} == {"issue"}
    more = [report(world, source=f"10.0.0.{n}") for n in range(issues.MAILS_PER_HOUR + 1)]
    assert issue(world, more[-1])["open"] == "untold"
    deadlines.step(world.deps, forever)
    assert len(mails(world, "dpo_issues")) == 1, "the mail of this day went out"
    world.clock.advance(days=1)
    deadlines.step(world.deps, forever)
    assert len(mails(world, "dpo_issues")) == 2


def test_one_that_cannot_be_read_keeps_no_other_back() -> None:
    world = make_world()
    ids = [report(world, "suspected_breach", source=f"10.0.0.{n}") for n in range(issues.MAILS_PER_HOUR + 3)]
    unreadable = ids[-2]
    del world.vault.keys[unreadable]
    for day in range(1, 4):
        world.clock.advance(days=1)
        round_ = deadlines.step(world.deps, forever)
        assert round_.faults, "somebody has to look at it"
        assert len(mails(world, "dpo_issues")) == 1, day
        assert round_.counts["breaches"] == len(ids), "its clock runs all the same"
    (mail,) = mails(world, "dpo_issues")
    assert [each in mail.text for each in ids[-3:]] == [True, False, True]
    assert issue(world, unreadable)["open"] == "untold"


def test_the_clock_of_a_breach_is_told_of_although_no_mail_about_it_goes_out() -> None:
    world = make_world()

    def down(name: str, _: Moment) -> None:
        if name == "mailer.send":
            raise NeedsAttention("no such address")

    world.mailer.fault = down
    report(world, "suspected_breach")
    world.clock.advance(days=4)
    counts = deadlines.step(world.deps, forever).counts
    assert (counts["breaches"], counts["breaches_overdue"]) == (1, 1)
