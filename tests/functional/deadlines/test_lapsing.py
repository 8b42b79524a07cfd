"""What runs out: requests that nobody confirmed, downloads, legal holds."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rightful.errors import NotFound, TryAgain
from rightful.service import admitting, downloads, holding, requests
from tests.fakes.recording import Moment, no_fault
from tests.fakes.world import World
from tests.functional.deadlines.rounds import (
    company,
    digests,
    downloadable,
    due_in,
    held,
    ledger,
    letter,
    named,
    run,
    unverified,
)


def status(world: World, request_id: str) -> str:
    return str(world.request(request_id)["status"])


def admit(world: World, request_id: str) -> None:
    admitting.admit(world.deps, request_id, world.vault.digest("person", "ada@example.org"), world.clock())


def test_a_request_expires_at_its_hour_and_not_by_a_clock_that_is_ahead() -> None:
    world = company()
    unverified(world, "r1")
    world.clock.advance(days=1)
    assert run(world)["expired"] == 0
    with pytest.raises(NotFound):
        admit(world, "r1")
    world.clock.advance(300)
    assert (run(world)["expired"], status(world, "r1")) == (1, "expired")
    assert ledger(world, "r1") == ["We received your request", "It was not confirmed in time"]
    with pytest.raises(NotFound):
        admit(world, "r1")
    assert run(world)["expired"] == 0
    published = [detail["status"] for _, detail in world.events.published]
    assert published == ["expired"]


def test_who_confirms_in_the_last_moment_is_in_time_and_nothing_of_it_ends_by_itself() -> None:
    world = company()
    unverified(world, "r1")
    world.clock.advance(days=1, seconds=-1)
    admit(world, "r1")
    world.clock.advance(days=30)
    run(world)
    item = world.request("r1")
    assert (item["status"], item["open"]) == ("in_progress", "open")
    assert item.keys().isdisjoint({"verify_by", "expires_at"})


def test_confirmed_while_the_round_looks_at_it_it_goes_on() -> None:
    world = company()
    unverified(world, "r1")
    world.clock.advance(days=1, seconds=-1)
    person, now = world.vault.digest("person", "ada@example.org"), world.clock()

    def confirmed(name: str, moment: Moment) -> None:
        if (name, moment) == ("table.open_requests", "after"):
            world.table.fault = no_fault
            world.clock.set(now)
            admitting.admit(world.deps, "r1", person, now)

    world.clock.advance(600)
    world.table.fault = confirmed
    run(world)
    assert status(world, "r1") == "in_progress"


def test_nothing_of_an_expired_request_outlasts_it() -> None:
    world = company()
    unverified(world, "r1")
    requests.append(world.deps, "r1", "The mail with your code could not be delivered", key="bounced:code:1")
    world.clock.advance(days=1.1)
    run(world)
    kept = [sk for (pk, sk), item in world.table.items.items() if pk == "REQUEST#r1" and "expires_at" not in item]
    assert kept == []
    world.clock.advance(days=3)
    assert world.table.query("REQUEST#r1") == []


def test_a_letter_that_was_never_confirmed_is_named_once_on_the_day_it_expires() -> None:
    world = company()
    world.clock.set(letter(world, "letter"))
    run(world)
    assert digests(world) == []
    world.clock.advance(days=1)
    for _ in range(4):
        run(world)
        world.clock.advance(days=0.9)
    (mail,) = digests(world)
    assert named(mail) == ["letter"]
    assert "never confirmed by the person" in mail.text


def test_one_that_expires_after_the_days_mail_is_named_the_next_day() -> None:
    world = company()
    until = letter(world, "first")
    world.clock.advance(3600)
    unverified(world, "second", hours=(until - world.clock()).total_seconds() / 3600 + 1, source="phone")
    world.clock.set(until + timedelta(minutes=30))
    run(world)
    world.clock.advance(3600)
    run(world)
    assert status(world, "second") == "expired"
    assert [named(mail) for mail in digests(world)] == [["first"]]
    world.clock.advance(days=1)
    run(world)
    assert [named(mail) for mail in digests(world)] == [["first"], ["second"]]


def test_a_letter_is_named_later_when_the_mail_of_its_day_could_not_be_sent() -> None:
    world = company()
    world.clock.set(letter(world, "letter") + timedelta(hours=1))

    def down(name: str, moment: Moment) -> None:
        if (name, moment) == ("mailer.send", "before"):
            raise TryAgain("throttled")

    world.mailer.fault = down
    with pytest.raises(TryAgain):
        run(world)
    world.mailer.fault = no_fault
    for _ in range(2):
        world.clock.advance(days=1)
        run(world)
    assert [named(mail) for mail in digests(world)] == [["letter"]]


def test_a_download_is_deleted_after_seven_days_and_its_ledger_says_so_once() -> None:
    world = company()
    downloadable(world, "done")
    world.clock.advance(days=7, seconds=299)
    assert run(world)["downloads"] == 0
    world.clock.advance(1)
    assert run(world)["downloads"] == 1
    assert world.files.objects == {}
    assert ledger(world, "done")[-1] == "The download was deleted"
    assert "open" not in world.request("done")
    world.files.put(downloads.key("done"), b"from a backup")
    assert run(world)["downloads"] == 1
    assert ledger(world, "done").count("The download was deleted") == 1


def test_what_the_lifecycle_deleted_first_or_nobody_knows_or_is_open_is_left() -> None:
    world = company()
    due_in(world, "open", 60)
    requests.transition(world.deps, "open", "needs_attention", what="...")
    kept = {downloads.key("open"), downloads.key("unknown"), "work/done/a.jsonl", "packages/done.zip.tail-1"}
    for key in kept:
        world.files.put(key, b"zip")
    world.clock.advance(days=30)
    assert run(world)["downloads"] == 0
    assert set(world.files.objects) == kept


def test_a_hold_ends_and_what_it_withheld_is_swept() -> None:
    world = company()
    held(world, "short", days=1)
    held(world, "long", days=9)
    world.clock.advance(days=1)
    assert run(world) | {"released": 0, "active_holds": 2} == run(world), "by a clock that may be five minutes ahead"
    world.clock.advance(300)
    counts = run(world)
    assert (counts["released"], counts["active_holds"]) == (1, 1)
    assert list(world.executions.started) == ["after-hold-short"]
    assert run(world)["released"] == 0


def test_a_hold_that_the_dpo_released_first_is_no_mistake() -> None:
    world = company()
    held(world, "h1")
    world.clock.advance(days=2)
    holding.release(world.deps, "h1")
    assert run(world)["released"] == 0
