"""An access that ends before its person could have the download leaves nothing of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rightful.errors import NeedsAttention
from rightful.service import completing, deciding, packaging, requests
from tests.fakes.recording import Moment
from tests.fakes.state_machine import Execution
from tests.fakes.world import World, make_world


def withdrawn(world: World, run: Execution) -> None:
    requests.transition(world.deps, "r1", "withdrawn", what="You withdrew the request")
    world.executions.answer(run.token, {"decision": "stop"})


def refused(world: World, run: Execution) -> None:
    deciding.decide(world.deps, "r1", "reject", ground="excessive", reason="asked every day")


End = Callable[[World, Execution], None]
ENDS = [withdrawn, refused]


def stuck() -> tuple[World, Execution]:
    """Waiting for the DPO, with all stores but one exported and a package begun, for another request too."""
    world = make_world()
    for request_id in ("r1", "r10"):
        world.ask_for("access", request_id)
    world.stores["subscriptions"].fail("find", NeedsAttention("no access"), times=None)
    other, run = world.execution("r10"), world.execution()
    other.run()
    run.run()
    for request_id in ("r1", "r10"):
        packaging.step(world.deps, request_id, lambda: 0)
        world.files.put(f"packages/{request_id}.zip.tail-1", b"the end of what was packed")
    assert len(held(world, "r1")) > 3
    return world, run


def held(world: World, request_id: str) -> set[str]:
    """Keys of objects and of unfinished uploads."""
    keys = {*world.files.objects, *(key for key, _ in world.files.unfinished.values())}
    return {key for key in keys if key.startswith((f"work/{request_id}/", f"packages/{request_id}.zip"))}


@pytest.mark.parametrize("end", ENDS)
def test_what_was_exported_goes_and_the_package_too(end: End) -> None:
    world, run = stuck()
    others = held(world, "r10")
    end(world, run)
    run.resume()
    assert run.ended
    assert held(world, "r1") == set()
    assert held(world, "r10") == others


def test_a_package_that_was_whole_goes_when_the_request_is_withdrawn_before_it_is_told() -> None:
    world = make_world()
    world.ask_for("access")

    def withdraw(name: str, moment: Moment) -> None:
        if world.files.objects.get("packages/r1.zip") and world.request()["status"] == "in_progress":
            requests.transition(world.deps, "r1", "withdrawn", what="You withdrew the request")

    world.files.fault = withdraw
    assert world.execution().run().ended
    assert world.request()["status"] == "withdrawn"
    assert not world.files.objects


def test_it_goes_although_the_mail_that_says_so_cannot() -> None:
    world, run = stuck()
    withdrawn(world, run)

    def refuse(name: str, moment: Moment) -> None:
        raise NeedsAttention("SendEmail answered MessageRejected")

    world.mailer.fault = refuse
    with pytest.raises(NeedsAttention):
        completing.step(world.deps, "r1")
    assert held(world, "r1") == set()


def test_the_download_of_a_completed_access_stays() -> None:
    world = make_world()
    world.ask_for("access")
    world.execution().run()
    assert list(world.files.objects) == ["packages/r1.zip"]
