"""For any map, records and clock, a run does exactly what the decision function says of each record on its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rightful import retention
from rightful.model import DataMap, Erasure, Field, Record, Retention, Strategy, Unless
from tests.fakes.company import by, small_map, store
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import make_world

moments = st.datetimes(datetime(2014, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  made aware
dates = st.one_of(
    moments.map(lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ")),
    moments.map(lambda at: at.date().isoformat()),
    moments.map(lambda at: int(at.timestamp())),
    st.sampled_from(["", "never", "2025-02-30T00:00:00Z", None, True, 0]),
)
statuses = st.sampled_from(["active", "closed", ["active"], True, None])
records = st.fixed_dictionaries(
    {}, optional={"used_at": dates, "issued_at": dates, "status": statuses, "note": st.text(max_size=5)}
)
periods = st.sampled_from(["P1Y", "P6M", "P30D", "P7Y", "P1M", "PT12H"])
conditions = st.lists(
    st.one_of(
        st.just(Unless(ground="active_service", attribute="status", equals=["active", "true"])),
        periods.map(lambda period: Unless(ground="accounting", period=period, since="issued_at")),
        st.just(Unless(ground="contract", attribute="status", equals=["closed"], period="P3Y", since="issued_at")),
    ),
    max_size=2,
)
HIDDEN = {"note": Strategy(strategy="redact")}


@st.composite
def rules(draw: st.DrawFn) -> Retention:
    anonymises = draw(st.booleans())
    return Retention(
        period=draw(periods),
        since=draw(st.sampled_from(["used_at", "issued_at"])),
        action="anonymise" if anonymises else "delete",
        fields=HIDDEN if anonymises else {},
        unless=draw(conditions),
        brake=100,
    )


def one_store(rule: Retention) -> DataMap:
    fields = {name: Field(category="user") for name in ("id", "email", "used_at", "issued_at", "status", "note")}
    return replace(
        small_map(),
        stores={"things": store("Things", Erasure(action="delete"), by("email"), fields=fields, sweep=rule)},
    )


@settings(max_examples=150, deadline=None)
@given(rules(), st.lists(records, max_size=12), moments, st.integers(1, 4), st.integers(1, 3))
def test_the_sweep_is_the_decision_applied_to_each_record(
    rule: Retention, some: list[dict[str, Any]], now: datetime, page: int, parts: int
) -> None:
    items = [{"id": f"{n:02}", **fields} for n, fields in enumerate(some)]
    now = now.replace(microsecond=0)
    world = make_world(one_store(rule), {"things": MemoryStore(items)})
    world.sweepers["things"].page_size, world.sweepers["things"].parts = page, parts
    expected = {item["id"]: retention.decide(rule, Record("", item), now) for item in items}
    world.stores["things"].clock = world.clock  # which stamps what it anonymises
    world.clock.set(now + retention.SKEW)
    counts = world.sweep("apply").run().value["stores"]["things"]
    after = {item["id"]: item for item in world.stores["things"].items}
    for item in items:
        decision = expected[item["id"]]
        if decision.action == "delete":
            assert item["id"] not in after
        elif decision.action == "anonymise":
            assert after[item["id"]].get("note", "[redacted]") in ("[redacted]", "")
            assert retention.decide(rule, Record("", after[item["id"]]), now).reason == retention.ANONYMISED
        else:
            assert after[item["id"]] == item
    kept = [d.reason for d in expected.values() if d.action == "keep" and d.reason != retention.MALFORMED]
    assert counts["scanned"] == len(items)
    assert counts["due"] == sum(d.action != "keep" for d in expected.values())
    assert counts["kept"] == {reason: kept.count(reason) for reason in set(kept)}
