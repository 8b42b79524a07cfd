"""A small company for the retention sweep: an account that is in use, invoices, answers that are anonymised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from rightful.model import DataMap, Erasure, Field, Retention, Strategy, Unless
from tests.fakes.company import by, small_map, store
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import World, make_world

OLD, NEW = "2025-01-05T00:00:00Z", "2026-10-30T00:00:00Z"
"""More and less than a year before the clock of the tests (2026-11-02)."""

TEXT = {
    name: Field(category="user") for name in ("id", "email", "account_id", "status", "note", "used_at", "issued_at")
}


def sweep_map(**brakes: int) -> DataMap:
    """Four stores. `brakes`: store -> percent; without a word, 100: nothing is braked."""
    delete = Erasure(action="delete")
    by_email, by_account = by("email", account_id="account_id"), by("account_id")
    year = Retention(period="P1Y", since="used_at", brake=100)
    active = Unless(ground="active_service", attribute="status", equals=["active"])
    accounting = Unless(ground="accounting", period="P7Y", since="issued_at")
    hidden = {"email": Strategy(strategy="null"), "note": Strategy(strategy="redact")}
    stores = {
        "accounts": store("Accounts", delete, by_email, fields=TEXT, sweep=replace(year, unless=[active])),
        "events": store("Events", delete, by_account, fields=TEXT, sweep=year),
        "invoices": store(
            "Invoices",
            Erasure(action="keep", ground="accounting", law="a law", period="P7Y", since="issued_at"),
            by("email"),
            fields=TEXT,
            sweep=replace(year, unless=[accounting]),
        ),
        "answers": store(
            "Answers",
            Erasure(action="anonymise", fields=hidden),
            by("email"),
            fields=TEXT,
            sweep=replace(year, action="anonymise", fields=hidden),
        ),
    }
    for name, brake in brakes.items():
        stores[name] = replace(stores[name], retention=replace(stores[name].retention, brake=brake))
    return replace(small_map(), stores=stores)


def company(datamap: DataMap | None = None, **items: Iterable[Mapping[str, Any]]) -> World:
    datamap = datamap or sweep_map()
    return make_world(datamap, {name: MemoryStore(items.get(name, ())) for name in datamap.stores})


def left(world: World, store_name: str) -> list[str]:
    return [item["id"] for item in world.stores[store_name].items]
