"""The walk over the identity graph finds exactly what hangs together, once, wherever it is stopped and resumed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rightful import searching
from rightful.errors import TryAgain
from rightful.model import Locator
from rightful.searching import Search
from tests.fakes.memory_store import MemoryStore
from tests.fakes.random_company import AS_OF, ERASURES, SEED, Company, closure, companies, datamap, store


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:43]


def walk(company: Company, page: int = 100, pause: Callable[[Search], Search] = lambda search: search) -> Search:
    """Searches to the end, `page` records at a time, pausing after each page."""
    mapped, stores = company
    search = searching.begin(mapped, "email", SEED)
    while search.queue:
        name, index, value = search.queue[0]
        found = stores[name].find(mapped.stores[name].locate[index], value, search.cursor, page)
        searching.take(search, mapped, stores[name], found, AS_OF, digest)
        search = pause(search)
    return search


def counted(search: Search) -> Counter[str]:
    return Counter({name: sum(findings.counts.values()) for name, findings in search.stores.items()})


@given(companies())
def test_the_walk_finds_what_the_naive_closure_finds_and_counts_it_once(company: Company) -> None:
    search = walk(company)
    mine, known = closure(company)
    assert {name: set(found) for name, found in search.identities.items()} == known
    assert counted(search) == Counter(name for name, _ in mine)


@given(companies())
def test_every_lookup_is_made_once(company: Company) -> None:
    for findings in walk(company).stores.values():
        assert len(findings.lookups) == len(set(findings.lookups))


@given(companies(), st.integers(1, 3))
def test_stopped_and_taken_up_after_every_page_it_comes_to_the_same(company: Company, page: int) -> None:
    assert (
        walk(company, page, lambda search: Search.from_bytes(search.to_bytes())) == walk(company, page) == walk(company)
    )


@given(companies(), st.integers(0, 8))
def test_a_page_that_broke_off_counts_nothing_and_is_taken_again(company: Company, good: int) -> None:
    mapped, stores = company
    search = searching.begin(mapped, "email", SEED)
    left = good

    def failing(key: str) -> str:
        nonlocal left
        left -= 1
        if left == -1:
            raise TryAgain("no answer")
        return digest(key)

    while search.queue:
        name, index, value = search.queue[0]
        found = stores[name].find(mapped.stores[name].locate[index], value, search.cursor, 3)
        before = search.to_bytes()
        try:
            searching.take(search, mapped, stores[name], found, AS_OF, failing)
        except TryAgain:
            assert search.to_bytes() == before
    assert search == walk(company)


@given(companies())
def test_no_blank_value_is_ever_looked_for(company: Company) -> None:
    search = walk(company)
    assert all(value.strip() for found in search.identities.values() for value in found)
    assert all(value.strip() for findings in search.stores.values() for _, value in findings.lookups)


@given(companies())
def test_the_fingerprint_is_that_of_the_records_and_what_happens_to_them(company: Company) -> None:
    mapped, stores = company
    mine, _ = closure(company)
    before = {name: findings.fingerprint for name, findings in walk(company).stores.items()}
    for name, key in sorted(mine):
        renamed = [
            {**item, "id": "renamed"} if stores[name].key_of(item) == key else item for item in stores[name].items
        ]
        other = walk((mapped, {**stores, name: MemoryStore(renamed)}))
        assert {n for n, findings in other.stores.items() if findings.fingerprint != before[n]} == {name}


@given(companies(), st.integers(0, 30), st.data())
def test_a_store_that_fails_takes_nothing_from_the_others(company: Company, after: int, data: st.DataObject) -> None:
    mapped, stores = company
    broken = data.draw(st.sampled_from(sorted(stores)))
    search = searching.begin(mapped, "email", SEED)
    steps = 0
    while search.queue:
        name, index, value = search.queue[0]
        if name == broken and steps >= after:
            searching.fail(search, "no access")
        else:
            found = stores[name].find(mapped.stores[name].locate[index], value, search.cursor, 1)
            searching.take(search, mapped, stores[name], found, AS_OF, digest)
        steps += 1
    without = walk((mapped, {**stores, broken: MemoryStore()}))
    whole = walk(company)
    for name in set(stores) - {broken}:
        assert counted(without)[name] <= counted(search)[name] <= counted(whole)[name]
    if search.stores[broken].failed:
        assert counted(search)[broken] == 0
        assert not search.stores[broken].lookups


def giving(value: Any) -> Company:
    """An account of Ada's that gives `value`, an order under the same value, and one without any."""
    by_email = Locator(by="email", through={"attribute": "email"}, gives={"a": "a"})
    by_a = Locator(by="a", through={"attribute": "a"})
    return (
        datamap({"accounts": store(ERASURES[0], [by_email]), "orders": store(ERASURES[0], [by_a])}),
        {
            "accounts": MemoryStore([{"id": "1", "email": SEED, "a": value}]),
            "orders": MemoryStore([{"id": "1", "a": value}, {"id": "2"}]),
        },
    )


@pytest.mark.parametrize("nothing", ["", " ", None, True, {"x": "1"}, [], ["", None, False], {" "}])
def test_what_is_no_identity_value_is_not_followed(nothing: Any) -> None:
    search = walk(giving(nothing))
    assert search.identities == {"email": [SEED]}
    assert counted(search) == {"accounts": 1, "orders": 0}


@pytest.mark.parametrize("value", ["1", 1, Decimal(1), ["1", "", "1"], {"1"}])
def test_text_and_numbers_are_followed_inside_a_list_or_set_too(value: Any) -> None:
    search = walk(giving(value))
    assert search.identities == {"email": [SEED], "a": ["1"]}
    assert counted(search) == {"accounts": 1, "orders": 1}


def test_an_address_is_looked_for_as_typed_and_in_its_normal_form() -> None:
    by_email = Locator(by="email", through={"attribute": "email"})
    mapped = datamap({"accounts": store(ERASURES[0], [by_email])})
    search = searching.begin(mapped, "email", " Ada@Example.org ")
    assert [value for _, _, value in search.queue] == ["ada@example.org", "Ada@Example.org"]


@pytest.mark.parametrize(
    ("dates", "latest"),
    [
        (["2026-01-01", "2024-01-01"], "2033-01-01T00:00:00Z"),
        (["2024-01-01", "2026-01-01"], "2033-01-01T00:00:00Z"),
        (["2026-01-01", "soon"], ""),
        (["soon", "2026-01-01"], ""),
    ],
)
def test_the_latest_end_of_what_is_kept_is_noted_and_an_unknown_end_outlasts_all(dates: list[str], latest: str) -> None:
    mapped = datamap({"invoices": store(ERASURES[2], [Locator(by="email", through={"attribute": "email"})])})
    items = [{"id": str(n), "email": SEED, "at": date} for n, date in enumerate(dates)]
    search = walk((mapped, {"invoices": MemoryStore(items)}))
    assert search.stores["invoices"].kept == {"accounting": latest}


@pytest.mark.parametrize(("values", "failed"), [(20, ""), (21, "it leads to more than 20 values of `a`")])
def test_a_store_that_gives_more_than_one_person_has_is_given_up(values: int, failed: str) -> None:
    company = giving([str(number) for number in range(1, values + 1)])
    search = walk(company, pause=lambda search: Search.from_bytes(search.to_bytes()))
    assert len(search.identities["a"]) == 20
    assert search.stores["accounts"].failed == failed
    assert search.stores["accounts"].too_many == ("a" if failed else "")
    assert search.stores["orders"].failed == ""


def test_two_spellings_of_an_address_are_one() -> None:
    by_email = Locator(by="email", through={"attribute": "email"}, gives={"email": "others"})
    people = [f"{name}{number}@Example.org" for number in range(19) for name in ("P", "p")]
    mapped = datamap({"accounts": store(ERASURES[0], [by_email])})
    search = walk((mapped, {"accounts": MemoryStore([{"id": "1", "email": SEED, "others": people}])}))
    assert search.stores["accounts"].failed == ""
    assert len(search.identities["email"]) == 1 + 3 * 19
