"""The data key of a request that nobody verified goes with it; that of one that was admitted stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rightful.errors import NotFound
from rightful.service import admitting, contacts
from tests.fakes.recording import Moment
from tests.fakes.world import World
from tests.functional.api.bridge import call
from tests.functional.api.conftest import Person


def item_of(world: World, request_id: str) -> dict[str, Any]:
    """As the table holds it, expired or not."""
    return next(
        item for (_, sk), item in world.table.items.items() if item.get("request_id") == request_id and sk == "REQUEST"
    )


def by_code(ada: Person) -> str:
    return ada.begun("access")[0]


def with_a_token(ada: Person) -> str:
    return str(call("POST", "/requests", {"type": "access"}, token=ada.sign_in()).json["request_id"])


def test_what_an_unverified_request_said_of_its_person_becomes_unreadable(world: World, ada: Person) -> None:
    item = item_of(world, ada.ask("access", details="Call me").json["request_id"])
    world.clock.advance(admitting.UNVERIFIED_LIFE.total_seconds())
    assert contacts.of_request(world.deps, item).email == ada.email
    world.clock.advance(admitting.KEY_GRACE.total_seconds())
    with pytest.raises(NotFound):
        contacts.of_request(world.deps, item)


def test_of_a_request_that_joined_another_too(world: World, ada: Person) -> None:
    standing, _ = ada.begun("access")
    joined, _ = ada.begun("access")
    world.clock.advance(days=300)
    assert contacts.of_request(world.deps, item_of(world, standing)).email == ada.email
    with pytest.raises(NotFound):
        contacts.of_request(world.deps, item_of(world, joined))


@pytest.mark.parametrize("begin", [by_code, with_a_token])
def test_no_request_is_verified_before_its_key_stays(world: World, ada: Person, begin: Callable[[Person], str]) -> None:
    seen = []

    def look(name: str, moment: Moment) -> None:
        for item in world.table.items.values():
            if item.get("verified_at") and "contact" in item and "type" in item:
                assert item["request_id"] not in world.vault.ends
                seen.append(item["request_id"])

    world.table.fault = world.vault.fault = world.events.fault = world.executions.fault = look
    request_id = begin(ada)
    assert set(seen) == {request_id}
    world.clock.advance(days=300)
    assert contacts.of_request(world.deps, item_of(world, request_id)).email == ada.email


def test_admitting_again_after_the_end_takes_no_end_away(world: World, ada: Person) -> None:
    """Two that admit at once: the slower one comes when the request is closed, and its key is to lapse in years."""
    request_id = ada.ask("access").json["request_id"]
    slow = dict(item_of(world, request_id))
    person = contacts.person(world.deps, contacts.of_request(world.deps, slow))
    admitting.admit(world.deps, request_id, person, world.clock())
    world.execution(request_id).run()
    lapses = world.vault.ends[request_id]
    world.vault.prolong(request_id, world.clock() + admitting.UNVERIFIED_LIFE + admitting.KEY_GRACE)
    assert world.vault.ends[request_id] == lapses
