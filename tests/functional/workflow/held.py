"""Erasures that legal holds stand in the way of."""

from __future__ import annotations

import json
from typing import Any, Final

from rightful.ports import ANONYMISED_MARK
from rightful.service import erased, holding
from tests.fakes.company import ADA
from tests.fakes.world import World, make_world

HOLD: Final[dict[str, Any]] = {"ground": "legal_process", "reason": "case 12"}


def erase(world: World, request_id: str = "r1") -> None:
    """An erasure of Ada's, to its end."""
    if world.table.get(f"REQUEST#{request_id}", "REQUEST") is None:
        world.ask_for("erasure", request_id)
    world.execution(request_id).run()
    assert world.request(request_id)["status"] == "completed"


def plan(world: World, request_id: str = "r1") -> dict[str, Any]:
    """The stores of the newest plan."""
    item = world.table.get(f"REQUEST#{request_id}", f"PLAN#{world.request(request_id)['plan_hash']}")
    assert item is not None
    stores: dict[str, Any] = json.loads(item["plan"])["stores"]
    return stores


def row(world: World, store: str, request_id: str = "r1") -> dict[str, Any]:
    found = world.table.get(f"REQUEST#{request_id}", f"STORE#{store}")
    assert found is not None
    return found


def followers(world: World, request_id: str = "r1") -> list[str]:
    """Ids of the requests that were started because of this one, in the order in which they were."""
    started = [item["request_id"] for item in world.executions.started.values() if "request_id" in item]
    return [new for new in started if world.request(new).get("follows") == request_id]


def release(world: World, hold_id: str = "h1") -> list[str]:
    """Releases the hold and runs what was started by that; ids of those requests."""
    before = set(world.executions.started)
    holding.release(world.deps, hold_id)
    new = [
        item["request_id"]
        for name, item in world.executions.started.items()
        if name not in before | {"r1"}
        if "request_id" in item
    ]
    for request_id in new:
        world.execution(request_id).run()
    return new


def ids(world: World, store: str) -> list[str]:
    return [item["id"] for item in world.stores[store].items]


def notes(world: World) -> list[str]:
    """What is noted as withheld."""
    return [item["sk"] for item in world.table.query("HOLDS", "WITHHELD#")]


def sealed(world: World, request_id: str = "r1") -> list[str]:
    return [item["sk"] for item in world.table.query(f"REQUEST#{request_id}", "SEALED#")]


def remaining(world: World) -> dict[str, list[dict[str, Any]]]:
    """What the stores hold; a pseudonym and when it was made are others in each world."""
    made = {"email": "a pseudonym", ANONYMISED_MARK: ""}
    return {
        name: [item | made if ANONYMISED_MARK in item else item for item in items]
        for name, items in world.contents().items()
    }


def left_out(world: World) -> list[str]:
    """Stores from which Ada's records are not erased, by the ledger of erased people."""
    (digest,) = erased.digests(world.deps, {"email": [ADA]})
    return list(world.table.items["ERASED", digest]["except"])


def unhindered() -> dict[str, list[dict[str, Any]]]:
    """What remains after the same erasure without a hold."""
    world = make_world()
    erase(world)
    return remaining(world)
