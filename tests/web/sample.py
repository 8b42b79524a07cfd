"""The sample company of `infra/datamap.yaml`, over stores in memory, with Ada among its people."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from rightful.datamap.check import load_file
from rightful.model import DataMap, Locator, Store
from rightful.stores.registry import CONNECTORS, SWEEPERS
from tests.fakes.company import ADA
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import World, make_world

MAP = Path(__file__).parents[2] / "infra" / "datamap.yaml"
TOUCHED = "2026-10-20T08:00:00Z"
WHOSE = {"email_lower": ADA, "billing_email_lower": ADA, "contact_email_lower": ADA}
"""What the stores of people without an account are searched by."""
ACCOUNT = {"account_id": "acct-1"}
HELD: dict[str, list[dict[str, Any]]] = {
    "accounts": [{**ACCOUNT, "email": ADA, "email_lower": ADA, "first_name": "Ada", "status": "closed"}],
    "subscriptions": [{**ACCOUNT, "customer_id": "cus-1", "plan": "Team"}],
    "invoices": [
        {"customer_id": "cus-1", "billing_email_lower": ADA, "issued_at": f"{year}-03-01", "total": 4900}
        for year in (2016, 2024, 2025, 2026)
    ],
    "tickets": [{**ACCOUNT, "subject": "How do I add a plan?"}, {**ACCOUNT, "subject": "Export of rewards"}],
    "form_submissions": [{**WHOSE, "message": "Please call me"}],
    "survey_responses": [{**WHOSE, "name": "Ada", "score": 5}, {**WHOSE, "name": "Ada", "score": 4}],
    "shared_contacts": [{**WHOSE, "account_id": "acct-9", "contact_name": "Ada"}],
    "uploads": [{**ACCOUNT, "key": f"accounts/acct-1/plan-{n}.csv", "size": 2048} for n in range(3)],
}


@cache
def sample_map() -> DataMap:
    """The map as it ships, its stores found in memory."""
    loaded = load_file(MAP, CONNECTORS, SWEEPERS)
    return replace(loaded, stores={name: _in_memory(store) for name, store in loaded.stores.items()})


def sample_world(datamap: DataMap | None = None) -> World:
    stores = {
        name: MemoryStore([{"id": str(n), "last_used_at": TOUCHED, **item} for n, item in enumerate(items)])
        for name, items in {"job_applications": [], **HELD}.items()
    }
    return make_world(datamap or sample_map(), stores)


def _in_memory(store: Store) -> Store:
    return replace(store, locate=[_found_by(locator) for locator in store.locate], settings={})


def _found_by(locator: Locator) -> Locator:
    """By the attribute that the real store has as its key, or that stands for it where the key is composed."""
    composed = "value" in locator.through or "prefix" in locator.through
    return replace(locator, through={"attribute": locator.by if composed else locator.through["key"]})
