"""The shipped data map and the sample fit: walking the map from an address finds what the truth says, and no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.sample.clients import Clients
from infra.sample.generate import AS_OF, generate
from infra.sample.keys import event_object
from infra.sample.truth import Truth
from rightful import compiled, paths, retention
from rightful.datamap.check import load_file
from rightful.model import Locator, Record
from rightful.ports import Connector
from rightful.stores.registry import CONNECTORS, SWEEPERS
from tests.unit.sample.moto_stores import REGION

MAP = Path(__file__).parents[3] / "infra" / "datamap.yaml"
HARD = (
    "everything",
    "quotes",
    "plus_address",
    "same_name",
    "capitals",
    "kelvin_ascii",
    "wildcards",
    "forms_only",
    "listed_only",
    "many_subscriptions",
    "two_accounts",
    "invoices_only",
    "lists_self",
    "many_tickets",
    "odd_values",
    "odd_files",
)


def everything(connector: Connector, locator: Locator, value: str) -> list[Record]:
    records: list[Record] = []
    cursor = None
    while True:
        page = connector.find(locator, value, cursor, 100)
        records += page.records
        if (cursor := page.cursor) is None:
            return records


@pytest.mark.parametrize("trait", HARD)
def test_the_walk_finds_what_the_truth_says(trait: str, stores: Clients, truth: Truth) -> None:
    (email,) = truth.people(trait)
    datamap = compiled.resolve(load_file(MAP, CONNECTORS, SWEEPERS), stores.account, REGION)
    session: Any = boto3.Session(region_name=REGION)
    found: dict[str, set[str]] = {name: set() for name, store in datamap.stores.items() if store.covered}
    connectors = {
        name: CONNECTORS[datamap.stores[name].connector].from_store(datamap.stores[name], session) for name in found
    }
    todo, seen = {("email", email)}, set()
    while todo:
        identity, value = here = todo.pop()
        seen.add(here)
        for name, connector in connectors.items():
            for locator in datamap.stores[name].locate:
                if locator.by != identity:
                    continue
                for record in everything(connector, locator, value):
                    found[name].add(record.key)
                    for given, path in locator.gives.items():
                        todo |= {(given, str(there)) for there in paths.get(record.data, path)} - seen
    assert {name: len(keys) for name, keys in found.items()} == {
        name: truth.person(email)[name]["records"] for name in found
    }


def test_who_shares_a_billing_address_is_not_led_to_other_customers_invoices() -> None:
    """An accountant's address stands on invoices of several customers; it leads to no more than those."""
    datamap = load_file(MAP, CONNECTORS, SWEEPERS)
    given = {identity for locator in datamap.stores["invoices"].locate for identity in locator.gives}
    assert given == set()


def test_an_event_is_past_its_retention_exactly_when_its_days_file_is_due() -> None:
    rule = load_file(MAP, CONNECTORS, SWEEPERS).stores["usage_events"].retention
    events = [event for subject in generate(60, 7) for event in subject.holding.events]
    assert {event.past for event in events} == {True, False}
    for event in events:
        file = Record("", {"key": event_object(event.day)})
        assert (retention.decide(rule, file, AS_OF).reason == retention.DUE) == event.past
