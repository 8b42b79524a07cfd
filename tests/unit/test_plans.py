"""Which store goes when, what happens to a record, and the hash that an approval is bound to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful.model import Controller, DataMap, Erasure, Identity, Locator, Record, Retention, Store, Strategy
from rightful.plans import Decision, decide, plan_hash, waves
from rightful.ports import ANONYMISED_MARK

IDENTITIES = ("email", "account", "customer", "device")
DELETE = Erasure(action="delete")
KEEP = Erasure(action="keep", ground="accounting", law="a law", period="P7Y", since="issued_at")
NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


def store(erasure: Erasure = DELETE, locate: Mapping[str, list[str]] | None = None, connector: str = "memory") -> Store:
    """`locate`: identity looked up -> identities given by the records found."""
    return Store(
        title="A store",
        connector=connector,
        purpose="tests",
        lawful_basis="contract",
        retention=Retention(period="P1Y", since="at"),
        erasure=erasure,
        locate=[
            Locator(by=by, through={"attribute": by}, gives={name: name for name in gives})
            for by, gives in (locate or {}).items()
        ],
    )


def datamap(stores: dict[str, Store]) -> DataMap:
    return DataMap(
        version="1",
        controller=Controller(name="Example", contact="dpo@example.org", policy_url="-", complaint="-"),
        identities={name: Identity(category="user.unique_id") for name in IDENTITIES},
        stores=stores,
    )


names = st.sampled_from(IDENTITIES)
looked_up = st.dictionaries(names, st.lists(names, max_size=3, unique=True), max_size=3)
stores = st.dictionaries(
    st.sampled_from([f"store-{n}" for n in range(7)]),
    st.builds(store, locate=looked_up, connector=st.sampled_from(["memory", "memory", "planned"])),
)


def reaches(stores: Mapping[str, Store]) -> dict[str, set[str]]:
    """Store -> the stores that must still be there to find its records: those that give an identity by which it is
    located, and all that those need in turn."""
    covered = {name: store for name, store in stores.items() if store.covered}
    needs = {
        name: {
            other
            for other, giver in covered.items()
            if other != name and {by.by for by in store.locate} & {given for by in giver.locate for given in by.gives}
        }
        for name, store in covered.items()
    }
    for _ in covered:
        needs = {name: wanted.union(*(needs[other] for other in wanted)) for name, wanted in needs.items()}
    return needs


# Waves


@given(stores)
def test_every_covered_store_stands_in_exactly_one_wave(stores: dict[str, Store]) -> None:
    ordered = waves(datamap(stores))
    assert sorted(name for wave in ordered for name in wave) == sorted(n for n, s in stores.items() if s.covered)
    assert all(ordered)


@given(stores)
def test_a_store_goes_before_all_that_it_is_found_through_but_for_cycles(stores: dict[str, Store]) -> None:
    number = {name: n for n, wave in enumerate(waves(datamap(stores))) for name in wave}
    needs = reaches(stores)
    for name, givers in needs.items():
        for giver in givers - {name}:
            if name in needs[giver]:
                assert number[name] == number[giver], "stores of a cycle share a wave"
            else:
                assert number[name] < number[giver]


@given(stores)
def test_no_store_waits_longer_than_it_must(stores: dict[str, Store]) -> None:
    """The wave before a store's own holds one that is found through it, or through one of its cycle."""
    ordered = waves(datamap(stores))
    needs = reaches(stores)
    for before, wave in pairwise(ordered):
        for name in wave:
            assert any(name in needs[earlier] for earlier in before)


@given(stores, st.randoms())
def test_the_order_in_which_the_map_names_stores_does_not_matter(stores: dict[str, Store], random: Any) -> None:
    shuffled = list(stores.items())
    random.shuffle(shuffled)
    assert [set(w) for w in waves(datamap(stores))] == [set(w) for w in waves(datamap(dict(shuffled)))]


def test_three_hops_go_from_the_far_end_to_the_near() -> None:
    chain = {
        "accounts": store(locate={"email": ["account"]}),
        "subscriptions": store(locate={"account": ["customer"]}),
        "invoices": store(locate={"customer": []}),
        "surveys": store(locate={"email": []}),
        "usage": store(connector="planned"),
    }
    assert waves(datamap(chain)) == [["invoices", "surveys"], ["subscriptions"], ["accounts"]]
    assert waves(datamap({})) == []


# The hash

texts = st.text(max_size=5)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)
made_plans = st.dictionaries(texts, values, max_size=4)


@given(made_plans, st.randoms())
def test_the_hash_does_not_depend_on_the_order_of_names(plan: dict[str, Any], random: Any) -> None:
    def shuffled(value: Any) -> Any:
        if isinstance(value, dict):
            pairs = [(key, shuffled(inner)) for key, inner in value.items()]
            random.shuffle(pairs)
            return dict(pairs)
        return [shuffled(inner) for inner in value] if isinstance(value, list) else value

    assert plan_hash(shuffled(plan)) == plan_hash(plan)
    assert plan_hash(json.loads(json.dumps(plan))) == plan_hash(plan), "a plan that was stored is the same plan"


@given(made_plans, made_plans)
def test_plans_that_differ_have_different_hashes(one: dict[str, Any], other: dict[str, Any]) -> None:
    written = [json.dumps(plan, sort_keys=True) for plan in (one, other)]
    assert (plan_hash(one) == plan_hash(other)) == (written[0] == written[1])


def test_every_fact_of_a_plan_is_under_its_hash() -> None:
    plan = {"request_id": "r1", "stores": {"accounts": {"delete": 1, "kept": [{"ground": "accounting"}], "failed": ""}}}
    changed = [
        {**plan, "request_id": "r2"},
        {**plan, "stores": {}},
        {**plan, "stores": {"accounts": {**plan["stores"]["accounts"], "delete": 2}}},  # type: ignore[index] # nested
        {**plan, "stores": {"accounts": {**plan["stores"]["accounts"], "kept": []}}},  # type: ignore[index] # nested
        {**plan, "stores": {"accounts": {**plan["stores"]["accounts"], "failed": None}}},  # type: ignore[index] # nested
    ]
    assert len({plan_hash(each) for each in [plan, *changed]}) == 6
    assert len(plan_hash(plan)) == 64


# What happens to a record


def kept_since(*dates: Any) -> Decision:
    data = {"issued_at": dates[0]} if len(dates) == 1 else {"issued": [{"at": value} for value in dates]}
    since = "issued_at" if len(dates) == 1 else "issued[].at"
    rule = Erasure(action="keep", ground="accounting", law="a law", period="P7Y", since=since)
    return decide(store(rule), Record("k", data), NOW)


def test_a_ground_ends_exactly_when_its_period_does() -> None:
    second = timedelta(seconds=1)
    born = NOW.replace(year=2020)
    assert kept_since(born.isoformat()) == Decision("delete")
    assert kept_since((born - second).isoformat()) == Decision("delete")
    assert kept_since((born + second).isoformat()) == Decision("keep", "accounting", NOW + second)


def test_seven_years_from_a_leap_day_end_on_the_last_of_february() -> None:
    rule = store(KEEP)
    record = Record("k", {"issued_at": "2020-02-29"})
    end = datetime(2027, 2, 28, tzinfo=UTC)
    assert decide(rule, record, end - timedelta(microseconds=1)) == Decision("keep", "accounting", end)
    assert decide(rule, record, end) == Decision("delete")


@pytest.mark.parametrize("value", ["", "soon", "2019-02-29", None, True, {}, ["2001-01-01"], 10**18])
def test_a_record_whose_date_cannot_be_read_is_kept_without_end(value: Any) -> None:
    assert kept_since(value) == Decision("keep", "accounting", None)


def test_a_record_without_its_date_is_kept_without_end() -> None:
    assert decide(store(KEEP), Record("k", {}), NOW) == Decision("keep", "accounting", None)


@pytest.mark.parametrize("never", ["9999-12-31", "9993-06-01T00:00:00Z"])
def test_a_date_that_stands_for_never_keeps_the_record(never: str) -> None:
    assert kept_since(never) == Decision("keep", "accounting", datetime.max.replace(tzinfo=UTC))


def test_of_several_dates_the_latest_counts_and_one_that_cannot_be_read_keeps() -> None:
    assert kept_since("2001-01-01", "2002-01-01") == Decision("delete")
    assert kept_since("2001-01-01", "2026-01-01").until == datetime(2033, 1, 1, tzinfo=UTC)
    assert kept_since("2001-01-01", "soon") == Decision("keep", "accounting", None)


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_a_kept_record_is_deleted_later_but_never_the_other_way_round(born: datetime, now: datetime) -> None:
    decision = decide(store(KEEP), Record("k", {"issued_at": born.isoformat()}), now)
    if decision.action == "delete":
        assert born < now
    else:
        assert decision.until is not None
        assert decision.until > now or decision.until == datetime.max.replace(tzinfo=UTC)


@given(st.dictionaries(texts, values))
def test_what_is_to_be_deleted_is_deleted_whatever_it_holds(data: dict[str, Any]) -> None:
    assert decide(store(DELETE), Record("k", data), NOW) == Decision("delete")


def test_what_was_anonymised_is_not_anonymised_again() -> None:
    rule = store(Erasure(action="anonymise", fields={"name": Strategy(strategy="null")}))
    assert decide(rule, Record("k", {"name": "Ada"}), NOW) == Decision("anonymise")
    assert decide(rule, Record("k", {ANONYMISED_MARK: "2027-01-01T00:00:00Z"}), NOW) == Decision("done")


def test_a_record_that_is_found_by_a_field_that_was_blotted_holds_the_person_again() -> None:
    """`hmac` leaves what looks like any value, but nobody is found by it."""
    blotted = Erasure(action="anonymise", fields={"email": Strategy(strategy="hmac")})
    rules = store(blotted, {"email": [], "account": []})
    record = Record("k", {"email": "ada@example.org", "account": "a", ANONYMISED_MARK: "2026-01-01T00:00:00Z"})
    by_email, by_account = rules.locate
    assert decide(rules, record, NOW, by_account).action == "done"
    assert decide(rules, record, NOW, by_email).action == "anonymise"
