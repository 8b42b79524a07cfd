"""What the company's mailers are told before they send."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from functions.may_contact import app
from rightful.errors import Invalid, NeedsAttention, TryAgain
from rightful.model import Locator, Page
from rightful.service import consents, erased, unsubscribing
from rightful.service.unsubscribing import Link
from tests.fakes.company import ADA, BOB, small_stores
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import World, forever, make_world

EVE, NOBODY = "eve@example.org", "nobody@example.org"
URL = "https://privacy.example.org"


def world_with(**changed: MemoryStore) -> World:
    world = make_world(stores={**small_stores(), **changed})
    world.deps = replace(world.deps, settings=replace(world.deps.settings, public_url=URL))
    return world


def ask(world: World, *contacts: tuple[str, str]) -> list[dict[str, Any]]:
    event = {"contacts": [{"email": email, "topic": topic} for email, topic in contacts]}
    answers: list[dict[str, Any]] = app.ask(world.deps, event, forever)["answers"]
    return answers


def reasons(world: World, *contacts: tuple[str, str]) -> list[str]:
    return [answer["reason"] for answer in ask(world, *contacts)]


def say(world: World, email: str, **words: bool) -> None:
    person = world.vault.digest("person", email)
    consents.change(world.deps, person, lambda _: words, how="api", shown={})


def test_what_was_recorded_for_the_function_is_answered() -> None:
    event = json.loads((Path(__file__).parents[2] / "events/may_contact.json").read_text())
    answers = app.ask(world_with().deps, event, forever)["answers"]
    assert [answer["reason"] for answer in answers] == ["not_consented", "mandatory", "not_given"]


def test_each_contact_is_answered_with_its_reason_in_order() -> None:
    world = world_with()
    say(world, ADA, newsletter=True, announcements=False)
    answers = ask(
        world,
        (ADA, "newsletter"),
        (ADA, "announcements"),
        (ADA, "product_feedback"),
        (ADA, "service"),
        (EVE, "rewards"),
        (EVE, "newsletter"),
        (EVE, "service"),
        (NOBODY, "newsletter"),
        (NOBODY, "rewards"),
    )
    assert [(answer["allowed"], answer["reason"]) for answer in answers] == [
        (True, "consented"),
        (False, "unsubscribed"),
        (False, "not_consented"),
        (True, "mandatory"),
        (True, "given_by_another_user"),
        (False, "given_for_another_purpose"),
        (False, "given_for_another_purpose"),
        (False, "not_consented"),
        (False, "not_given"),
    ]
    assert ["headers" in answer for answer in answers] == [True, False, False, False, True, False, False, False, False]


def test_a_consent_of_its_own_is_a_relationship_of_its_own() -> None:
    world = world_with()
    say(world, EVE, newsletter=True)
    assert reasons(world, (EVE, "newsletter"), (EVE, "service"), (EVE, "announcements")) == [
        "consented",
        "mandatory",
        "not_consented",
    ]


def test_what_may_be_refused_carries_the_headers_of_rfc_8058() -> None:
    world = world_with()
    [answer] = ask(world, (EVE, "rewards"))
    link = answer["headers"]["List-Unsubscribe"]
    assert link.startswith(f"<{URL}/unsubscribe/")
    assert answer["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert len(link) < 300, "a header line is at most 998 characters (RFC 5322)"
    assert EVE not in link
    opened = unsubscribing.opened(world.deps, link.strip("<>").rpartition("/")[2])
    assert opened == Link(world.vault.digest("person", EVE), "rewards")


def test_a_contact_who_refuses_is_left_alone_whoever_lists_the_address_again() -> None:
    world = world_with()
    unsubscribing.refuse(world.deps, Link(world.vault.digest("person", EVE), "rewards"), "en")
    world.stores["contacts"].put({"id": "c9", "account_id": "acct-1", "email": EVE})
    assert reasons(world, (EVE, "rewards")) == ["objected"]


def test_whoever_opted_out_of_sale_and_sharing_is_not_shared() -> None:
    world = world_with()
    say(world, ADA, sale_or_sharing=False)
    answers = ask(world, (ADA, "sale_or_sharing"), (BOB, "sale_or_sharing"), (EVE, "sale_or_sharing"))
    assert [answer["reason"] for answer in answers] == ["opted_out", "not_opted_out", "given_for_another_purpose"]
    assert [answer["allowed"] for answer in answers] == [False, True, False]
    assert not any("headers" in answer for answer in answers)


def test_however_an_address_is_written_it_is_the_same() -> None:
    world = world_with()
    say(world, ADA, newsletter=True)
    written = (ADA, "Ada@Example.ORG", "  ada@example.org\t")
    assert reasons(world, *((each, "newsletter") for each in written)) == ["consented"] * 3


def test_a_store_that_keeps_addresses_as_typed_is_searched_as_typed_too() -> None:
    typed = "Zoe@Example.org"
    world = world_with(contacts=MemoryStore([{"id": "c1", "account_id": "acct-1", "email": typed}]))
    assert reasons(world, (typed, "rewards"), (typed.lower(), "rewards")) == ["given_by_another_user"] * 2


def test_an_address_is_looked_up_once_however_often_it_is_asked_about() -> None:
    world = world_with()
    ask(world, *[(ADA, topic) for topic in ("newsletter", "announcements", "service", "rewards")] * 50)
    for store in ("accounts", "contacts"):
        assert world.stores[store].calls == ["find"]
    assert world.stores["invoices"].calls == []


def test_it_reads_and_writes_nothing() -> None:
    world = world_with()
    ask(world, (ADA, "newsletter"), (EVE, "rewards"))
    assert {call.name for call in world.table.calls} == {"table.get_many"}
    assert world.table.items == {}


@pytest.mark.parametrize(
    ("contacts", "places"),
    [
        ([{"email": ADA, "topic": "newslettre"}], ["contacts[0].topic: There is no such topic"]),
        ([{"email": ADA, "topic": "service"}, {"email": "ada@", "topic": "service"}], ["contacts[1].email: "]),
        ([{"email": ADA, "topic": ["service"]}], ["contacts[0].topic: "]),
        ([{"email": 7, "topic": "service"}], ["contacts[0].email: Write one address"]),
        (
            [{"email": "x", "topic": "y"}, "ada"],
            ["contacts[0].topic", "contacts[0].email", "contacts[1]: Write the two"],
        ),
        ([{"email": ADA}], ["contacts[0]: Write the two fields"]),
        ([{"email": ADA, "topic": "service", "name": "Ada"}], ["contacts[0]: Write the two fields"]),
        ([{"email": ADA, "topic": "service"}] * 501, ["contacts: 501 are too many", "at most 500"]),
        ({"email": ADA}, ['{"contacts": [{"email"']),
    ],
)
def test_a_mistake_is_told_with_its_place_and_cure_and_nothing_is_answered(contacts: Any, places: list[str]) -> None:
    world = world_with()
    with pytest.raises(Invalid) as refusal:
        app.ask(world.deps, {"contacts": contacts}, forever)
    for place in places:
        assert place in str(refusal.value)
    assert ADA not in str(refusal.value)
    assert world.table.calls == []
    assert world.stores["accounts"].calls == []


@pytest.mark.parametrize("event", [{}, {"contacts": [], "more": 1}, {"contact": []}, []])
def test_another_input_is_told_what_to_send(event: Any) -> None:
    with pytest.raises(Invalid, match="Send"):
        app.ask(world_with().deps, event, forever)


def test_of_many_mistakes_the_first_are_told_and_the_others_counted() -> None:
    with pytest.raises(Invalid, match=r"contacts\[19\]\.topic: .* And 480 more\.$") as refusal:
        ask(world_with(), *[(ADA, "x")] * 500)
    assert len(str(refusal.value)) < 4000


def test_nobody_and_nothing_asked_is_answered_with_nothing() -> None:
    assert ask(world_with()) == []


@pytest.mark.parametrize("error", [TryAgain("throttled"), NeedsAttention("access denied")])
def test_when_a_store_cannot_be_searched_nothing_is_answered(error: Exception) -> None:
    world = world_with()
    world.stores["contacts"].fail("find", error, after=1)
    with pytest.raises(type(error)):
        ask(world, (ADA, "service"), (EVE, "rewards"))


def test_the_log_counts_and_names_nobody(caplog: pytest.LogCaptureFixture) -> None:
    ask(world_with(), (ADA, "newsletter"), (EVE, "rewards"))
    [line] = [record.__dict__ for record in caplog.records]
    assert (line["asked"], line["allowed"]) == (2, 1)
    assert "example.org" not in str(line)


class Slow(MemoryStore):
    """Whose first look-up is not over before a second has begun."""

    most = running = 0

    def __init__(self, items: Iterable[dict[str, Any]]) -> None:
        super().__init__(items)
        self.second = threading.Event()
        self.one = threading.Lock()

    def find(self, locator: Locator, value: str, cursor: str | None, limit: int) -> Page:
        with self.one:
            self.running += 1
            self.most = max(self.most, self.running)
        if self.most > 1:
            self.second.set()
        assert self.second.wait(30), "one after the other"
        with self.one:
            self.running -= 1
            return super().find(locator, value, cursor, limit)


def test_five_hundred_addresses_are_looked_up_side_by_side() -> None:
    slow = Slow(people(range(500)))
    world = world_with(accounts=slow)
    assert reasons(world, *((f"p{n}@example.org", "service") for n in range(500))) == ["mandatory"] * 500
    assert 2 <= slow.most <= 10


def people(numbers: Iterable[int]) -> list[dict[str, Any]]:
    return [{"id": f"a{n}", "email": f"p{n}@example.org", "account_id": f"acct-{n}"} for n in numbers]


# After an erasure


def erase(world: World, email: str = ADA) -> None:
    erased.note(world.deps, {"email": [email]}, world.clock(), ())


def test_whoever_was_erased_is_not_mailed_although_a_backup_brought_their_record_back() -> None:
    world = world_with()
    erase(world)
    world.stores["accounts"].put({"id": "a1", "email": ADA, "account_id": "acct-1", "used_at": "2026-10-01"})
    assert reasons(world, (ADA, "service"), (ADA, "newsletter")) == ["erased", "erased"]


def test_whoever_came_back_is_known_again() -> None:
    world = world_with()
    erase(world)
    world.clock.advance(days=2)
    world.stores["accounts"].put({"id": "a1", "email": ADA, "account_id": "acct-1", "used_at": "2026-11-03"})
    assert reasons(world, (ADA, "service"), (ADA, "newsletter")) == ["mandatory", "not_consented"]


def test_a_contact_who_was_erased_is_not_mailed_although_the_address_is_listed_again() -> None:
    world = world_with()
    erase(world, EVE)
    world.stores["contacts"].put({"id": "c9", "account_id": "acct-1", "email": EVE, "used_at": "2027-01-01"})
    assert reasons(world, (EVE, "rewards")) == ["erased"]
