"""The sample's people and their truth: reproducible, hostile enough, and in agreement with themselves."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer

from infra.sample.generate import AS_OF, TEAM, Subject, generate
from infra.sample.keys import STORES, TABLES, row_key
from infra.sample.people import TRAITS
from infra.sample.truth import ANONYMISED, Truth, Writer

PEOPLE = 120


@pytest.fixture(scope="module")
def subjects() -> list[Subject]:
    return list(generate(PEOPLE, seed=7))


def written(path: Path, people: int, seed: int) -> bytes:
    with Writer(path, people=people, seed=seed, as_of=AS_OF) as truth:
        for subject in generate(people, seed):
            truth.add(subject.holding, subject.shares)
    return path.read_bytes()


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first = written(tmp_path / "a.json", 60, 7)
    assert first == written(tmp_path / "b.json", 60, 7)
    assert first != written(tmp_path / "c.json", 60, 8)
    assert repr(list(generate(60, 7))) == repr(list(generate(60, 7)))


def test_more_people_change_nobody_of_a_full_team() -> None:
    assert repr(list(generate(3 * TEAM, 7))) == repr(list(generate(5 * TEAM, 7))[: 3 * TEAM])


@pytest.mark.parametrize("people", [0, 1, 2, TEAM - 1, TEAM + 1])
def test_any_number_of_people_will_do(people: int, tmp_path: Path) -> None:
    written(tmp_path / "truth.json", people, 1)
    assert len(list(Truth.load(tmp_path / "truth.json").people())) == people


def test_a_truth_that_failed_half_way_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), Writer(tmp_path / "truth.json", people=1, seed=1, as_of=AS_OF):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_people_differ_as_software_must_tell_them_apart(subjects: list[Subject]) -> None:
    people = [subject.holding.person for subject in subjects]
    assert [person.trait for person in people[: len(TRAITS)]] == list(TRAITS)
    assert len({person.email_lower for person in people}) == PEOPLE
    by_trait = {person.trait: person for person in people}
    assert by_trait["capitals"].email_lower == "grace.hopper@example.com"
    assert by_trait["kelvin"].email.lower() == by_trait["kelvin_ascii"].email_lower != by_trait["kelvin"].email_lower
    assert by_trait["same_name"].name == by_trait["everything"].name
    accounts = {account for subject in subjects for account in subject.holding.account_ids}
    assert {"acct-1", "acct-10", "acct-100"} <= accounts


def test_every_record_has_a_key_of_its_own_and_fits_the_store(subjects: list[Subject]) -> None:
    keys: Counter[tuple[str, str]] = Counter()
    serialise = TypeSerializer().serialize
    for subject in subjects:
        for row in subject.holding.rows:
            keys[row.store, row_key(row.store, row.item)] += 1
            assert row.store in TABLES
            assert len(json.dumps(serialise(row.item), default=repr)) < 400 * 1024
    assert max(keys.values()) == 1


def shares(subject: Subject, store: str) -> Any:
    return subject.share(store)


def test_traits_hold_what_they_promise(subjects: list[Subject]) -> None:
    of = {subject.holding.person.trait: subject for subject in subjects}
    assert all(shares(of["everything"], store).keys for store in STORES)
    assert not of["forms_only"].holding.account_ids
    assert shares(of["forms_only"], "form_submissions").keys
    assert not of["listed_only"].holding.rows
    assert shares(of["listed_only"], "shared_contacts").keys
    assert not shares(of["no_invoices"], "invoices").keys
    assert shares(of["no_invoices"], "accounts").keys
    assert len(of["many_subscriptions"].holding.customer_ids) == 2
    assert len(shares(of["many_subscriptions"], "subscriptions").keys) == 4
    assert len(of["two_accounts"].holding.account_ids) == 2
    assert not shares(of["invoices_only"], "accounts").keys
    assert shares(of["invoices_only"], "invoices").after_erasure
    assert len(shares(of["many_tickets"], "tickets").keys) == 120
    assert shares(of["last_used_a_year_ago"], "accounts").past_retention
    assert not shares(of["last_used_almost_a_year_ago"], "accounts").past_retention
    uploads = shares(of["odd_files"], "uploads")
    assert uploads.records > len(uploads.keys)
    assert any("/../" in key for key in uploads.keys)


def test_a_shared_contact_is_in_the_share_of_owner_and_contact(subjects: list[Subject]) -> None:
    of = {subject.holding.person.email_lower: subject for subject in subjects}
    rows = [row for subject in subjects for row in subject.holding.rows if row.store == "shared_contacts"]
    both = [row for row in rows if row.item["contact_email_lower"] in of]
    assert both
    for row in both:
        assert all(row_key(row.store, row.item) in shares(of[email], row.store).keys for email in row.of)


def past(text: str, years: int) -> bool:
    moment = datetime.fromisoformat(text)
    return moment.replace(year=moment.year + years) <= AS_OF


DATES = {"form_submissions": "submitted_at", "survey_responses": "answered_at", "invoices": "issued_at"}


def test_what_is_said_of_dates_agrees_with_the_dates(subjects: list[Subject]) -> None:
    for subject in subjects:
        for row in subject.holding.rows:
            years = 7 if row.store == "invoices" else 1
            if row.store in DATES:
                assert row.past == past(row.item[DATES[row.store]], years), row.store
            if row.store == "invoices":
                assert row.after == ("gone" if row.past else "kept")
            if row.store in ("accounts", "tickets", "subscriptions"):
                in_service = row.item["status"] in ("active", "open")
                assert row.past == (past(row.item["last_used_at"], 1) and not in_service), row.store


def test_no_kept_invoice_is_near_its_day(subjects: list[Subject]) -> None:
    seven_years = AS_OF.replace(year=AS_OF.year - 7)
    for subject in subjects:
        for row in subject.holding.rows:
            if row.store == "invoices":
                assert abs(datetime.fromisoformat(row.item["issued_at"]) - seven_years) > timedelta(days=300)


def test_the_day_of_the_sample_can_be_chosen() -> None:
    later = datetime(2030, 2, 28, tzinfo=UTC)
    items = [row.item for subject in generate(5, 7, later) for row in subject.holding.rows]
    assert max(str(item.get("last_used_at", "")) for item in items) > "2029"


def test_the_truth_reads_back_what_was_made(subjects: list[Subject], tmp_path: Path) -> None:
    written(tmp_path / "truth.json", PEOPLE, 7)
    truth = Truth.load(tmp_path / "truth.json")
    for subject in subjects:
        person = truth.person(subject.holding.person.email_lower)
        assert tuple(person) == STORES
        for store in STORES:
            assert person[store]["keys"] == subject.share(store).keys
            assert set(person[store]["after_erasure"]) <= set(person[store]["keys"])
            assert set(person[store]["past_retention"]) <= set(person[store]["keys"])
    assert truth.totals["accounts"] == sum(len(subject.holding.account_ids) for subject in subjects)
    assert truth.past_retention("invoices")
    with pytest.raises(KeyError):
        truth.person("nobody@example.com")


def test_what_anonymising_does_is_said_of_every_attribute(subjects: list[Subject]) -> None:
    rows = [row for subject in subjects for row in subject.holding.rows if row.after == "anonymised"]
    assert rows
    for row in rows:
        assert sorted(row.item) == sorted(name for names in ANONYMISED[row.store].values() for name in names)
