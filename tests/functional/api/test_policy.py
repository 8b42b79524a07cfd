"""Which version of the privacy policy applies, and which are announced."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rightful.api import bodies
from tests.fakes.world import World
from tests.functional.api.bridge import call
from tests.functional.api.conftest import ORIGIN

NOW_IN_FORCE = {"version": None, "effective_from": None, "url": "https://example.org/p"}


def publish(world: World, version: str, effective_from: str) -> dict[str, Any]:
    url = f"https://example.org/p/{version}"
    answer = world.ask_desk("publish_policy", version=version, url=url, effective_from=effective_from, material=False)
    assert answer["ok"]
    return {"version": version, "effective_from": effective_from, "url": url}


def test_before_anything_was_published_the_policy_of_the_data_map_applies(world: World) -> None:
    answer = call("GET", "/policy")
    assert (answer.status, answer.json) == (200, {"current": NOW_IN_FORCE, "upcoming": []})
    assert bodies.Policies.model_validate(answer.json)


def test_a_version_is_announced_and_then_applies(world: World) -> None:
    later = publish(world, "2027-06", "2027-06-01")
    soon = publish(world, "2026-12", "2026-12-01")
    assert call("GET", "/policy").json == {"current": NOW_IN_FORCE, "upcoming": [soon, later]}
    world.clock.advance(days=60)
    assert call("GET", "/policy").json == {"current": soon, "upcoming": [later]}
    world.clock.advance(days=365)
    assert call("GET", "/policy").json == {"current": later, "upcoming": []}


@pytest.mark.parametrize(("zone", "applies"), [("Pacific/Auckland", True), ("America/New_York", False)])
def test_its_day_begins_at_the_controllers_seat(world: World, zone: str, applies: bool) -> None:
    """At 20:00 UTC of the eve it is tomorrow in Auckland and today in New York."""
    datamap = replace(world.deps.datamap, controller=replace(world.deps.datamap.controller, time_zone=zone))
    world.deps = replace(world.deps, datamap=datamap)
    published = publish(world, "v2", "2026-12-01")
    world.clock.set(world.clock().replace(month=11, day=30, hour=20))
    shown = call("GET", "/policy").json
    assert (shown["current"] if applies else shown["upcoming"][0]) == published


def test_of_two_versions_for_one_day_the_later_published_counts(world: World) -> None:
    publish(world, "zz-withdrawn", "2026-12-01")
    world.clock.advance(60)
    corrected = publish(world, "aa-corrected", "2026-12-01")
    assert call("GET", "/policy").json["upcoming"] == [corrected]
    world.clock.advance(days=60)
    assert call("GET", "/policy").json["current"] == corrected


def test_it_may_be_kept_for_a_while_and_read_by_the_companys_own_page(world: World) -> None:
    answer = call("GET", "/policy", Origin=ORIGIN)
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-origin" not in call("GET", "/policy", Origin="https://evil.example").headers
