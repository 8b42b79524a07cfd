"""A year of the shipped company, seeded: what its requests, holds, sweeps and disclosures leave behind for an overview.

`python -m tests.fakes.overviews FOLDER` writes its page there, to be looked at in a browser, and that of a company to
which nothing has happened yet."""

from __future__ import annotations

import base64
import json
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from rightful.clocks import due, moment, stamp
from rightful.datamap.check import load_file
from rightful.model import Regime
from rightful.service import overseeing
from rightful.stores.registry import CONNECTORS, SWEEPERS
from tests.fakes.company import small_map
from tests.fakes.world import World, make_world

NOW: Final = datetime(2027, 2, 1, 8, 30, tzinfo=UTC)
FIRST, LAST = "2026-02-01", "2027-01-31"
MAP: Final = Path(__file__).parents[2] / "infra/datamap.yaml"


def year(seed: int = 7, requests: int = 800) -> World:
    """A world at NOW, with about that many requests closed in the twelve months before."""
    chance = random.Random(seed)
    world = make_world(load_file(MAP, CONNECTORS, SWEEPERS), stores={})
    world.clock.set(NOW)
    for row in closed(chance, list(world.deps.datamap.stores), requests):
        world.table.put_new(f"REGISTER#{row['closed_at'][:7]}", f"{row['closed_at']}#{row['request_id']}", row)
    for item in still_open(chance):
        world.table.put_new(f"REQUEST#{item['request_id']}", "REQUEST", item)
    for key, hold in holds():
        world.table.put_new("HOLDS", key, hold)
    for each in disclosures():
        world.table.put_new("DISCLOSURES", f"{each['disclosed_at']}#{each['disclosure_id']}", each)
    for key, body in sweeps(chance, [name for name, store in world.deps.datamap.stores.items() if store.swept]):
        world.reports.put(key, body)
    return world


def closed(chance: random.Random, stores: list[str], requests: int) -> Iterator[dict[str, Any]]:
    """Rows of the register, closed before NOW; their number per week swells and ebbs."""
    for n in range(requests):
        received = NOW - timedelta(days=chance.triangular(0, 400, 120), seconds=chance.randrange(86_400))
        kind = chance.choices(["access", "erasure"], [3, 2])[0]
        status = chance.choices(["completed", "rejected", "withdrawn", "expired"], [88, 3, 4, 5])[0]
        regime: Regime = chance.choices(["gdpr", "ccpa"], [5, 1])[0]  # type: ignore[assignment]
        extended, took = chance.random() < 0.04, min(chance.lognormvariate(1.2, 0.9), 25)
        took = 34 + 40 * chance.random() if extended else 33.0 + n % 5 if chance.random() < 0.012 else took
        ended = received + timedelta(days=1 if status == "expired" else took)
        if ended >= NOW:
            continue
        last = due(regime, received, extended=extended)
        worked = status == "completed" and chance.sample(stores, chance.randint(2, len(stores)))
        yield {
            "request_id": _id(chance),
            "type": kind,
            "regime": regime,
            "status": status,
            "source": chance.choices(["form", "letter", "phone"], [95, 4, 1])[0],
            "received_at": stamp(received),
            "closed_at": stamp(ended),
            "due_at": stamp(last),
            "extended": extended,
            "paused_days": chance.choice([0] * 30 + [4]),
            "late": ended > last,
            "ground": chance.choice(["manifestly_excessive", "legal_process"]) if status == "rejected" else "",
            **_outcome(chance, kind, worked or []),
        }


def _outcome(chance: random.Random, kind: str, stores: list[str]) -> dict[str, Any]:
    counts: dict[str, dict[str, Any]] = {}
    kept_by: dict[str, int] = {}
    for name in stores:
        records = chance.randint(1, 40)
        if kind == "access":
            counts[name] = {"exported": records}
        elif name == "invoices":
            counts[name] = {"deleted": records // 5, "kept": records - records // 5}
            kept_by["accounting"] = records - records // 5
        elif name == "survey_responses":
            counts[name] = {"anonymised": records}
        else:
            counts[name] = {"deleted": records}
        if chance.random() < 0.004:
            counts[name] = {"skipped": True, "left": records}
    return {"stores": counts, "kept_by": kept_by}


def _id(chance: random.Random) -> str:
    """As long as a real one."""
    return base64.urlsafe_b64encode(chance.randbytes(24)).decode()


def still_open(chance: random.Random) -> Iterator[dict[str, Any]]:
    statuses = ["in_progress"] * 6 + ["awaiting_approval"] * 4 + ["scheduled"] * 3 + ["needs_attention", "paused"]
    for n, status in enumerate(statuses):
        received = NOW - timedelta(days=chance.uniform(0, 29))
        received = NOW - timedelta(days=36) if status == "needs_attention" else received
        yield {
            "request_id": _id(chance),
            "type": chance.choice(["access", "erasure"]),
            "regime": "ccpa" if n == 3 else "gdpr",
            "status": status,
            "open": "open",
            "received_at": stamp(received),
            "verified_at": stamp(received),
            "due_at": stamp(due("gdpr", received)),
        }


def holds() -> Iterator[tuple[str, dict[str, Any]]]:
    store = {"scope": "store", "store": "invoices", "ground": "legal_process", "reason": "Tax audit of 2024 to 2026"}
    person = {"scope": "person", "store": "", "ground": "enforcement_of_rights", "reason": "Case 4 O 112/26, Bonn"}
    over = {**person, "ground": "investigation", "reason": "Police inquiry, closed"}
    yield "HOLD#h-31c2", {**store, "hold_id": "h-31c2", "placed_at": "2026-09-14T10:00:00Z", "until": ""}
    until = "2028-02-01T00:00:00Z"
    yield "HOLD#h-77aa", {**person, "hold_id": "h-77aa", "placed_at": "2026-11-03T09:12:00Z", "until": until}
    ended = {"placed_at": "2025-12-01T08:00:00Z", "until": "", "released_at": "2026-08-20T15:00:00Z"}
    yield "RELEASED#h-09d1", {**over, "hold_id": "h-09d1", **ended}


AUTHORITY: Final = "Staatsanwaltschaft Köln"
DISCLOSED: Final = (
    ("2026-03-09", AUTHORITY, "Section 95 StPO, order of 3 March 2026", "Account and 3 invoices", True),
    ("2026-06-17", "Internal Revenue Service", "26 U.S.C. 7602", "Totals of 2024, without names", False),
    ("2026-10-02", AUTHORITY, "Section 95 StPO, order of 1 October 2026", "Sign-ins to one account", True),
)


def disclosures() -> Iterator[dict[str, Any]]:
    for n, (day, authority, basis, scope, about_a_person) in enumerate(DISCLOSED):
        yield {
            "disclosure_id": f"d-{n:04}",
            "authority": authority,
            "basis": basis,
            "scope": scope,
            "about_a_person": about_a_person,
            "disclosed_at": f"{day}T14:00:00Z",
            "recorded_at": f"{day}T15:00:00Z",
            **({"hold_id": "h-77aa"} if n == 2 else {}),
        }


def sweeps(chance: random.Random, stores: list[str]) -> Iterator[tuple[str, bytes]]:
    """A report for each day, one of them broken."""
    for n in range(365):
        began = moment(f"{FIRST}T03:00:00Z") + timedelta(days=n)
        yield (
            f"retention/{began:%Y/%m/%d}/daily-{began:%Y-%m-%d}.json",
            b'{"run_id": ' if n == 40 else json.dumps(sweep_report(chance, stores, began)).encode(),
        )


def sweep_report(chance: random.Random, stores: list[str], began: datetime) -> dict[str, Any]:
    counts = {}
    for name in stores:
        gone = chance.randint(0, 30)
        anonymises = name == "survey_responses"
        counts[name] = {
            "scanned": 20_000,
            "due": gone + 2,
            "held": 2,
            "changed_meanwhile": 0,
            "blocked": 0,
            "failed": 0,
            "deleted": 0 if anonymises else gone,
            "anonymised": gone if anonymises else 0,
            "braked": chance.random() < 0.001,
            "failed_segments": int(chance.random() < 0.001),
        }
    return {"run_id": f"daily-{began:%Y-%m-%d}", "began_at": stamp(began), "unreached": [], "stores": counts}


def main(folder: Path) -> None:
    nothing = make_world(small_map(), stores={})
    for name, world in (("year", year()), ("nothing", nothing)):
        overseeing.report(world.deps, order="shown")
        for key, body in world.reports.objects.items():
            if key.startswith("overview/"):
                folder.joinpath(f"{name}-{Path(key).name}").write_bytes(body)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
