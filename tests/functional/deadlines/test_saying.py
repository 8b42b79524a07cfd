"""What the DPO and the people are told, and what the calendar holds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from rightful.clocks import stamp
from rightful.service import requests
from tests.fakes.company import ADA
from tests.fakes.world import World
from tests.functional.deadlines.rounds import company, digests, due_in, named, pasted, run


def acknowledged(world: World) -> int:
    return sum(":request_received:" in mail.key for mail in world.mailer.to(ADA))


def asked(world: World, request_id: str, **facts: Any) -> None:
    world.ask_for("access", request_id)
    later = {"due_at": stamp(world.clock() + timedelta(days=90))}
    world.table.update(requests.pk(request_id), "REQUEST", later | facts)


def test_a_long_list_is_cut_and_says_how_many_more_there_are() -> None:
    world = company()
    for n in range(70):
        due_in(world, f"r{n:02}", 1 + n / 20)
    run(world)
    (mail,) = digests(world)
    assert named(mail) == [f"r{n:02}" for n in range(50)]
    assert "20 more requests are not listed here." in mail.text
    assert {"action": "open"} in pasted(mail)
    (attachment,) = mail.attachments
    assert attachment.body.count(b"BEGIN:VEVENT") == 70, "the calendar is whole"


def test_the_calendar_holds_every_date_and_no_clock_that_stands_still() -> None:
    world = company()
    due_in(world, "near", 2)
    due_in(world, "far", 80)
    due_in(world, "paused", 20, status="paused")
    run(world)
    (mail,) = digests(world)
    (attachment,) = mail.attachments
    assert (attachment.name, attachment.media_type) == (
        "requests.ics",
        "text/calendar; charset=utf-8; method=PUBLISH",
    )
    assert world.reports.objects == {"calendar/requests.ics": attachment.body}
    text = attachment.body.decode().replace("\r\n ", "")
    assert sorted(line for line in text.splitlines() if line.startswith("UID:")) == [
        "UID:far-due@local.rightful",
        "UID:near-due@local.rightful",
    ]
    assert "DTSTART;VALUE=DATE:20261104" in text
    assert "TRIGGER:-P7D" in text
    assert ADA not in text


def test_without_an_open_request_there_is_no_calendar() -> None:
    world = company()
    run(world)
    assert world.reports.objects == {}
    assert world.mailer.sent == []


def test_a_mail_that_names_only_what_is_paused_has_no_empty_calendar() -> None:
    world = company()
    due_in(world, "paused", 20, status="paused")
    run(world)
    (mail,) = digests(world)
    assert (named(mail), mail.attachments) == (["paused"], ())


def test_no_mail_to_the_dpo_names_a_person() -> None:
    world = company()
    due_in(world, "r1", 1)
    run(world)
    (mail,) = digests(world)
    assert ADA not in mail.text + mail.html + mail.subject


def test_who_was_told_nothing_for_a_day_is_told_once_that_work_goes_on() -> None:
    world = company()
    asked(world, "r1")
    world.clock.advance(days=1, seconds=-1)
    assert (run(world)["acknowledged"], acknowledged(world)) == (0, 0)
    world.clock.advance(1)
    assert (run(world)["acknowledged"], acknowledged(world)) == (1, 1)
    world.clock.advance(days=1)
    assert (run(world)["acknowledged"], acknowledged(world)) == (0, 1)


@pytest.mark.parametrize(
    ("regime", "days", "told"), [("ccpa", 14, 1), ("ccpa", 8, 0), ("gdpr", 14, 0)], ids=["last day", "early", "gdpr"]
)
def test_under_the_ccpa_receipt_is_confirmed_within_ten_business_days(regime: str, days: int, told: int) -> None:
    """It came by letter on Monday, 2 November 2026; the tenth business day is 16 November."""
    world = company()
    received = world.clock()
    world.clock.advance(days=days)
    asked(world, "r1", regime=regime, received_at=stamp(received), source="letter")
    assert (run(world)["acknowledged"], acknowledged(world)) == (told, told)


def test_who_has_their_answer_is_told_nothing_more() -> None:
    world = company()
    asked(world, "r1")
    world.clock.advance(days=2)
    requests.transition(world.deps, "r1", "completed", what="Done")
    world.table.update(requests.pk("r1"), "REQUEST", {"open": "open"})  # the index is behind
    assert (run(world)["acknowledged"], acknowledged(world)) == (0, 0)
