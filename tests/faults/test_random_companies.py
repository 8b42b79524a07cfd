"""Whatever the stores look like and whatever fails on the way: an erasure changes what hangs together with the person,
each record as decided, and nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rightful import anonymising, plans
from rightful.errors import NeedsAttention, RightfulError, TryAgain
from rightful.model import Record
from rightful.ports import ANONYMISED_MARK
from rightful.service import deciding
from tests.fakes.random_company import SEED, Company, closure, companies
from tests.fakes.recording import Fault, Moment, Recorder, no_fault
from tests.fakes.world import World, make_world

METHODS = ("find", "delete", "anonymise")
PORTS = ("table", "vault", "events")
LATER = 61
"""Seconds the clock moves with a fault: whoever comes next finds that a mail on its way has arrived or is lost."""

errors = st.sampled_from([TryAgain("a passing fault"), NeedsAttention("a lasting fault")])
store_faults = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(METHODS), errors, st.integers(0, 5), st.booleans()), max_size=4
)
"""Which store, which of its methods, what it raises, after how many good calls, and whether it did its work first."""
port_faults = st.dictionaries(
    st.sampled_from(PORTS), st.tuples(st.integers(1, 60), st.sampled_from(["before", "after"])), max_size=3
)


def failing(world: World, number: int, when: Moment) -> Fault:
    """Breaks the port's call of this number, once."""
    left = number

    def fault(_: str, moment: Moment) -> None:
        nonlocal left
        if moment == when:
            left -= 1
            if left == 0:
                world.clock.advance(LATER)
                raise TryAgain("a passing fault")

    return fault


@settings(max_examples=150)
@given(companies(), store_faults, port_faults)
def test_only_what_is_the_persons_changes_and_as_decided(
    company: Company, breaking: list[tuple[int, str, RightfulError, int, bool]], ports: dict[str, tuple[int, Moment]]
) -> None:
    mapped, stores = company
    world = make_world(mapped, stores)
    world.ask_for("erasure", email=SEED)
    before = world.contents()
    mine, _ = closure(company)
    for which, method, error, after, committed in breaking:
        name = sorted(stores)[which % len(stores)]
        stores[name].fail(method, error, after=after, committed=committed)
    for port, (number, when) in ports.items():
        recorder: Recorder = getattr(world, port)
        recorder.fault = failing(world, number, when)

    run = world.execution().run()
    for port in ports:
        getattr(world, port).fault = no_fault
    for _ in breaking:
        if not run.ended:
            deciding.decide(world.deps, "r1", "retry")
            run.resume()

    assert run.ended
    assert world.request()["status"] == "completed"
    assert world.contents() == {
        name: [
            left
            for item in items
            for left in ([item] if (name, stores[name].key_of(item)) not in mine else expected(world, name, item))
        ]
        for name, items in before.items()
    }
    rows = {row["sk"].removeprefix("STORE#"): row for row in world.table.query("REQUEST#r1", "STORE#")}
    for name in stores:
        decided = [decide(world, name, item) for item in before[name] if (name, stores[name].key_of(item)) in mine]
        counts = {action: decided.count(action) for action in ("delete", "anonymise", "keep")}
        row = rows[name]
        assert {"delete": row["deleted"], "anonymise": row["anonymised"], "keep": row["kept"]} == counts


def decide(world: World, name: str, item: dict[str, Any]) -> plans.Action:
    return plans.decide(world.deps.datamap.stores[name], Record("", item), world.clock()).action


def expected(world: World, name: str, item: dict[str, Any]) -> list[dict[str, Any]]:
    """What is to be left of one of the person's records."""
    action = decide(world, name, item)
    if action == "delete":
        return []
    if action == "keep":
        return [item]
    now = next(each for each in world.stores[name].items if each["id"] == item["id"])
    changes = anonymising.anonymise(item, world.deps.datamap.stores[name].erasure.fields, world.vault.digest)
    kept = {key: value for key, value in {**item, **changes}.items() if value is not None}
    return [{**kept, ANONYMISED_MARK: now.get(ANONYMISED_MARK, "missing")}]
