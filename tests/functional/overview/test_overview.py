"""The overview of a period counts what there is, once, and is written whole."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from functions.overview.app import handler
from rightful import wiring
from rightful.clocks import moment, stamp
from rightful.errors import Invalid
from rightful.service import completing, holding, overseeing, protecting
from tests.fakes.company import small_map
from tests.fakes.overviews import FIRST, LAST, NOW, sweep_report, year
from tests.fakes.recording import no_fault
from tests.fakes.world import World, make_world
from tests.functional.sweep.company import OLD, company
from tests.functional.sweep.test_functions import event

CONTEXT: Any = SimpleNamespace(get_remaining_time_in_millis=lambda: 300_000)


def facts(world: World, first: Any = None, last: Any = None) -> dict[str, Any]:
    return overseeing.facts(world.deps, overseeing.period(world.deps, first, last))


def in_zone(name: str) -> World:
    datamap = small_map()
    world = make_world(replace(datamap, controller=replace(datamap.controller, time_zone=name)))
    world.clock.set(NOW)
    return world


def test_a_year_counted_anew_comes_to_the_same() -> None:
    world = year()
    found = facts(world, FIRST, LAST)
    rows = [item for (pk, _), item in world.table.items.items() if pk.startswith("REGISTER#")]
    open_now = [item for item in world.table.items.values() if item.get("open")]

    def within(text: str) -> bool:
        return FIRST <= text[:10] <= LAST

    verified = [row for row in rows if row["status"] != "expired"]
    came_in = [row for row in [*verified, *open_now] if within(row["received_at"])]
    ended = [row for row in verified if within(row["closed_at"])]
    answered = [row for row in ended if row["status"] in ("completed", "rejected")]
    took = sorted(
        (date.fromisoformat(row["closed_at"][:10]) - date.fromisoformat(row["received_at"][:10])).days
        for row in answered
    )
    assert found["received"]["total"] == len(came_in)
    assert found["received"]["types"] == Counter(row["type"] for row in came_in)
    assert sum(sum(week["types"].values()) for week in found["received"]["weeks"]) == len(came_in)
    whole = found["closed"]["all"]
    assert (whole["closed"], whole["answered"]) == (len(ended), len(answered))
    assert whole["late"] == sum(row["late"] for row in answered)
    assert whole["extended"] == sum(row["extended"] for row in ended)
    assert whole["median"] == took[math.ceil(len(took) / 2) - 1]
    assert whole["p95"] == took[math.ceil(len(took) * 0.95) - 1]
    assert sum(whole["bands"]) == len(took)
    assert sum(group["closed"] for group in found["closed"]["types"].values()) == len(ended)
    assert found["closed"]["unverified"] == sum(row["status"] == "expired" and within(row["closed_at"]) for row in rows)
    for key in ("exported", "deleted", "anonymised", "kept", "left"):
        counted = sum(store.get(key, 0) for row in ended for store in row["stores"].values())
        assert sum(counts[key] for counts in found["stores"].values()) == counted
    assert found["kept_by"]["accounting"] == sum(row["kept_by"].get("accounting", 0) for row in ended)
    assert sum(found["refusals"].values()) == sum(row["status"] == "rejected" for row in ended)
    assert found["open"]["total"] == sum(found["open"]["statuses"].values()) == len(open_now)
    ccpa = [row for row in answered if row["regime"] == "ccpa"]
    assert sum(group["answered"] for group in found["ccpa"].values()) == len(ccpa)


def test_requests_that_were_really_made_are_in_it() -> None:
    world = make_world()
    world.ask_for("erasure")
    world.execution().run()
    world.ask_for("access", "r2")
    world.clock.advance(days=1)
    found = facts(world)
    assert found["received"]["types"] == {"access": 1, "erasure": 1}
    assert found["closed"]["all"]["median"] == 0
    assert found["stores"]["invoices"]["kept"] == 2
    assert [each["request_id"] for each in found["open"]["listed"]] == ["r2"]


def test_what_came_in_during_the_period_and_was_closed_after_it() -> None:
    world = make_world()
    world.ask_for("access")
    world.clock.advance(days=5)
    completing.step(world.deps, "r1")
    found = facts(world, "2026-11-01", "2026-11-03")
    assert (found["received"]["total"], found["closed"]["all"]["closed"]) == (1, 0)
    found = facts(world, "2026-11-03", "2026-11-07")
    assert (found["received"]["total"], found["closed"]["all"]["closed"]) == (0, 1)


@pytest.mark.parametrize(
    ("first", "last", "span"),
    [
        (None, None, ("2026-02-02", "2027-02-01")),
        ("", "", ("2026-02-02", "2027-02-01")),
        ("2026-12-24", None, ("2026-12-24", "2027-02-01")),
        (None, "2024-02-29", ("2023-03-01", "2024-02-29")),
        (None, "2025-02-28", ("2024-02-29", "2025-02-28")),
        ("2027-01-01", "2999-12-31", ("2027-01-01", "2027-02-01")),
        ("2027-02-01", "2027-02-01", ("2027-02-01", "2027-02-01")),
        ("2024-02-02", "2027-02-01", ("2024-02-02", "2027-02-01")),
    ],
)
def test_the_period(first: Any, last: Any, span: tuple[str, str]) -> None:
    found = overseeing.period(in_zone("UTC").deps, first, last)
    assert (found.first.isoformat(), found.last.isoformat()) == span


@pytest.mark.parametrize(("zone", "today"), [("Pacific/Auckland", "2027-02-02"), ("America/New_York", "2027-02-01")])
def test_today_is_that_of_the_controller(zone: str, today: str) -> None:
    world = in_zone(zone)
    world.clock.set(moment("2027-02-01T12:00:00Z"))
    assert overseeing.period(world.deps, None, None).last.isoformat() == today


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"from": "1 January"}, "from"),
        ({"from": "20270101"}, "from"),
        ({"from": "2027-W01-1"}, "from"),
        ({"from": "2027-02-29"}, "from"),
        ({"from": "\u0662027-01-01"}, "from"),
        ({"from": 0}, "from"),
        ({"from": ["2027-01-01"]}, "from"),
        ({"from": "1999-12-31"}, "from"),
        ({"to": "0001-01-01"}, "to"),
        ({"to": 20270101}, "to"),
        ({"from": "2027-01-02", "to": "2027-01-01"}, "to"),
        ({"from": "2027-02-02"}, "from"),
        ({"from": "2024-02-01", "to": "2027-02-01"}, "from"),
    ],
)
def test_what_cannot_be_asked_for_says_how_to_mend_it(
    asked: dict[str, Any], field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = in_zone("UTC")
    with pytest.raises(Invalid):
        overseeing.report(world.deps, asked.get("from"), asked.get("to"))
    monkeypatch.setattr(wiring, "build", lambda: world.deps)
    answer = handler(asked, CONTEXT)
    assert (answer["ok"], list(answer["errors"])) == (False, [field])
    assert answer["message"]
    assert answer["errors"][field]
    assert "from" in answer["example"]
    assert world.reports.objects == {}


@pytest.mark.parametrize("order", ["../x", "a" * 81, 7, "x\n"])
def test_an_order_is_a_plain_name(order: Any) -> None:
    world = in_zone("UTC")
    with pytest.raises(Invalid) as refused:
        overseeing.report(world.deps, order=order)
    assert [field for field, _ in refused.value.errors] == ["order"]
    assert world.reports.objects == {}


def test_the_dpo_asks_for_it_at_the_desk() -> None:
    world = make_world()
    answer = world.ask_desk("report", "this-year", **{"from": "2026-01-01", "to": "2026-11-02"})
    assert answer["ok"] is True
    assert answer["report"].startswith("s3://memory/overview/2026-01-01_2026-11-02/")
    written = dict(world.reports.objects)
    assert len(written) == 3
    assert world.ask_desk("report", "this-year", **{"from": "2026-01-01", "to": "2026-11-02"}) == answer
    assert world.reports.objects == written
    wrong = world.ask_desk("report", "wrong", **{"from": "2026-01-32"})
    assert (wrong["ok"], list(wrong["errors"])) == (False, ["from"])
    assert world.reports.objects == written


def test_the_function_answers_with_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    world = year()
    monkeypatch.setattr(wiring, "build", lambda: world.deps)
    first = handler(event("overview_year"), CONTEXT)
    run = f"overview/{FIRST}_{LAST}/2027-02-01T083000Z"
    written = {key: body for key, body in world.reports.objects.items() if key.startswith("overview/")}
    assert sorted(written) == [f"{run}-records-of-processing.csv", f"{run}.html", f"{run}.json"]
    assert first["ok"] is True
    assert first["report"] == f"s3://memory/{run}.html"
    assert first["records"] == f"s3://memory/{run}-records-of-processing.csv"
    told = json.loads(written[f"{run}.json"])
    assert first["numbers"] == {
        "received": told["received"]["total"],
        "closed": told["closed"]["all"]["closed"],
        "late": told["closed"]["all"]["late"],
        "open": told["open"]["total"],
        "overdue": told["open"]["overdue"],
        "disclosures": 3,
    }
    assert f"{first['numbers']['received']} requests came in" in first["message"]


def test_without_an_order_the_run_is_named_by_its_time() -> None:
    answer = overseeing.report(in_zone("UTC").deps)
    assert answer["report"] == "s3://memory/overview/2026-02-02_2027-02-01/2027-02-01T083000Z.html"


class Killed(BaseException):
    """The process ended here."""


def test_killed_anywhere_and_run_again_the_files_are_the_same() -> None:
    world = make_world()
    overseeing.report(world.deps, order="once")
    expected = dict(world.reports.objects)
    for number in range(6):
        world.reports.objects.clear()
        left = [number]

        def fault(name: str, moment: str, left: list[int] = left) -> None:
            if name == "files.put":
                left[0] -= 1
                if left[0] < 0:
                    raise Killed

        world.reports.fault = fault
        with pytest.raises(Killed):
            overseeing.report(world.deps, order="once")
        assert not any(key.endswith(".html") for key in world.reports.objects) or number == 5
        world.reports.fault = no_fault
        overseeing.report(world.deps, order="once")
        assert world.reports.objects == expected


def test_holds_that_stand_and_holds_that_ended_in_the_period() -> None:
    world = make_world()
    place = {"ground": "legal_process", "reason": "a case"}
    holding.place(world.deps, "stands", "store", store="invoices", **place)  # type: ignore[arg-type]
    until = world.clock() + timedelta(days=2)
    holding.place(world.deps, "lapses", "store", store="accounts", until=until, **place)
    holding.place(world.deps, "released", "store", store="surveys", **place)  # type: ignore[arg-type]
    world.clock.advance(days=3)
    holding.release(world.deps, "released")
    found = facts(world)["holds"]
    assert [each["hold_id"] for each in found["active"]] == ["stands"]
    assert [(each["hold_id"], each["ended_at"]) for each in found["ended"]] == [
        ("lapses", stamp(until)),
        ("released", stamp(world.clock())),
    ]
    assert "digests" not in json.dumps(found)
    world.clock.advance(days=9)
    assert facts(world, "2026-11-10", "2026-11-12")["holds"]["ended"] == []
    assert protecting.HOLDS == "HOLDS"


@pytest.mark.parametrize(
    ("disclosed", "zone", "counted"),
    [
        ("2026-02-01T00:00:00Z", "UTC", 1),
        ("2026-01-31T23:59:59Z", "UTC", 0),
        ("2027-02-01T04:59:59Z", "America/New_York", 1),
        ("2027-02-01T05:00:00Z", "America/New_York", 0),
        ("2027-01-31", "America/New_York", 1),
        ("2026-02-01", "Pacific/Auckland", 1),
    ],
)
def test_a_disclosure_is_of_its_day_in_the_controllers_zone(disclosed: str, zone: str, counted: int) -> None:
    world = in_zone(zone)
    row = {"disclosure_id": "d1", "authority": "A court", "basis": "b", "scope": "s", "about_a_person": False}
    world.table.put_new("DISCLOSURES", f"{disclosed}#d1", {**row, "disclosed_at": disclosed, "recorded_at": disclosed})
    found = facts(world, FIRST, LAST)["disclosures"]
    assert (found["total"], found["authorities"]) == (counted, {"A court": 1} if counted else {})


def test_sweeps_that_ran_are_counted_and_previews_are_not() -> None:
    world = company(accounts=[{"id": f"a{n}", "used_at": OLD} for n in range(3)])
    world.sweep("preview", "looked").run()
    world.sweep("apply", "acted").run()
    found = facts(world)["sweeps"]
    assert (found["runs"], found["deleted"], found["unreadable"], found["braked"]) == (1, 3, 0, 0)
    assert found["stores"]["accounts"]["deleted"] == 3
    assert found["last"] == stamp(world.clock())


GOOD = {"began_at": "2026-06-01T03:00:00Z", "unreached": [], "stores": {}}
COUNTS = {"scanned": 1, "due": 1, "deleted": 1, "anonymised": 0, "held": 0, "changed_meanwhile": 0}
STORE = {**COUNTS, "blocked": 0, "failed": 0, "braked": False, "failed_segments": 0}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"7",
        b"null",
        b'"text"',
        json.dumps({"stores": {}}).encode(),
        json.dumps({**GOOD, "began_at": "yesterday"}).encode(),
        json.dumps({**GOOD, "began_at": 7}).encode(),
        json.dumps({**GOOD, "stores": []}).encode(),
        json.dumps({**GOOD, "stores": {"accounts": {}}}).encode(),
        json.dumps({**GOOD, "stores": {"accounts": STORE, "broken": {**STORE, "deleted": "3"}}}).encode(),
        json.dumps({**GOOD, "stores": {"accounts": STORE, "broken": {**STORE, "deleted": -1}}}).encode(),
        json.dumps({**GOOD, "stores": {"accounts": STORE, "broken": {**STORE, "failed_segments": None}}}).encode(),
    ],
)
def test_a_broken_report_is_counted_and_adds_nothing(body: bytes) -> None:
    world = in_zone("UTC")
    world.reports.put("retention/2026/06/01/broken.json", body)
    world.reports.put("retention/2026/06/01/whole.json", json.dumps({**GOOD, "stores": {"accounts": STORE}}).encode())
    found = facts(world, FIRST, LAST)["sweeps"]
    assert (found["runs"], found["deleted"], found["unreadable"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("began", "zone", "counted"),
    [
        ("2026-01-31T23:30:00Z", "UTC", 0),
        ("2026-02-01T00:00:00Z", "UTC", 1),
        ("2026-01-31T13:00:00Z", "Pacific/Auckland", 1),
        ("2027-02-01T04:00:00Z", "America/New_York", 1),
        ("2027-02-01T05:00:00Z", "America/New_York", 0),
    ],
)
def test_a_sweep_is_of_its_day_in_the_controllers_zone(began: str, zone: str, counted: int) -> None:
    world = in_zone(zone)
    key = f"retention/{began[:10].replace('-', '/')}/run.json"
    world.reports.put(key, json.dumps({**GOOD, "began_at": began}).encode())
    assert facts(world, FIRST, LAST)["sweeps"]["runs"] == counted


def test_only_reports_of_the_period_are_read() -> None:
    world = in_zone("UTC")
    for n in range(60):
        began = moment("2026-05-15T03:00:00Z") + timedelta(days=n)
        summary = {**GOOD, "began_at": stamp(began)}
        for kind in ("json", "html"):
            world.reports.put(f"retention/{began:%Y/%m/%d}/run.{kind}", json.dumps(summary).encode())
    world.reports.calls.clear()
    assert facts(world, "2026-06-03", "2026-06-05")["sweeps"]["runs"] == 3
    assert len([call for call in world.reports.calls if call.name == "files.read"]) == 5, "a day more on either side"


def test_a_braked_and_an_incomplete_run_are_told() -> None:
    world = in_zone("UTC")
    for name, changed, more in (
        ("braked", {"braked": True}, {}),
        ("part", {"failed_segments": 2}, {}),
        ("unreached", {}, {"unreached": ["tickets"]}),
    ):
        summary = {**GOOD, **more, "stores": {"accounts": {**STORE, **changed}}}
        world.reports.put(f"retention/2026/06/01/{name}.json", json.dumps(summary).encode())
    found = facts(world, FIRST, LAST)["sweeps"]
    assert (found["runs"], found["braked"], found["incomplete"]) == (3, 1, 2)


def test_the_fixtures_reports_have_the_keys_that_real_ones_have() -> None:
    world = company(accounts=[{"id": "a", "used_at": OLD}])
    world.sweep("apply", "acted").run()
    (key,) = [key for key in world.reports.objects if key.endswith(".json")]
    real = json.loads(world.reports.objects[key])
    made = sweep_report(random.Random(1), ["accounts"], world.clock())
    assert set(made) <= set(real)
    assert set(made["stores"]["accounts"]) <= set(real["stores"]["accounts"])


def registers_read(world: World) -> list[str]:
    return [call.args[1] for call in world.table.calls if str(call.args[0]).startswith("REGISTER#")]


def test_no_more_than_a_day_of_the_register_is_read_at_a_time() -> None:
    world = year()
    world.table.calls.clear()
    facts(world, FIRST, LAST)
    prefixes = registers_read(world)
    assert prefixes[0] == "2026-01-31"
    assert prefixes[-1] == "2027-02-01"
    assert len(prefixes) == len(set(prefixes)) == 367
    assert all(len(prefix) == len("2026-01-31") for prefix in prefixes)


def test_days_of_which_the_register_holds_nothing_any_more_are_not_asked_for() -> None:
    world = in_zone("UTC")
    world.table.calls.clear()
    facts(world, "2001-01-01", "2001-12-31")
    assert 1000 < len(registers_read(world)) < 1500
