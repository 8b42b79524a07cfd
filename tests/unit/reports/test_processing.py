"""The records of processing say what the data map says, and make nothing up."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rightful.datamap.categories import CATEGORIES
from rightful.datamap.check import load_file
from rightful.model import DataMap, Erasure, Field, Retention, Store, Unless
from rightful.reports.processing import COLUMNS, MEASURES, activities, as_csv, data_in_words, kept_in_words, recipients
from rightful.stores.registry import CONNECTORS, SWEEPERS
from tests.fakes.company import by, small_map, store

SHIPPED = Path(__file__).parents[3] / "infra/datamap.yaml"


def with_store(**changed: Any) -> DataMap:
    made = replace(store("Things", Erasure(action="delete"), by("email")), **changed)
    return replace(small_map(), stores={"things": made})


def rows(datamap: DataMap) -> list[dict[str, str]]:
    body = as_csv(datamap, activities(datamap))
    assert body.startswith(b"\xef\xbb\xbf")
    assert body.endswith(b"\r\n")
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def test_every_store_is_an_activity_with_what_article_30_asks_for() -> None:
    datamap = load_file(SHIPPED, CONNECTORS, SWEEPERS)
    found = {each["store"]: each for each in activities(datamap)}
    assert list(found) == list(datamap.stores)
    invoices = found["invoices"]
    assert invoices["subjects"] == "People known by their customer id or email"
    assert invoices["recipients"] == ["Amazon Web Services (hosting)", "Our accountant"]
    assert invoices["kept"] == (
        "1 year after “issued_at”, then deleted; longer: accounting, until 7 years after “issued_at”"
    )
    assert invoices["on_request"].startswith("Kept for 7 years after “issued_at”, then deleted. Ground: accounting. ")
    assert "Contact (address; email)" in invoices["data"]
    assert found["survey_responses"]["on_request"] == "Made anonymous"
    assert found["usage_events"]["covered"] is False
    assert "others named in its records" in found["tickets"]["subjects"]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Retention(period="P90D", since="object_age"), "90 days after the object was last changed, then deleted"),
        (Retention(period="P1Y", since="tag:used"), "1 year after the date in its tag “used”, then deleted"),
        (Retention(period="P1Y", since="key_date:e/%Y"), "1 year after the date in its key, then deleted"),
        (
            Retention(
                period="P6M",
                since="used_at",
                action="anonymise",
                unless=[Unless(ground="active_service", attribute="status", equals=["active", "trial"])],
            ),
            "6 months after “used_at”, then made anonymous; longer: needed to deliver the service, while “status” is "
            "active or trial",
        ),
    ],
)
def test_time_limits_in_words(rule: Retention, said: str) -> None:
    assert kept_in_words(rule) == said


@pytest.mark.parametrize(
    ("categories", "said"),
    [
        (["user"], ["User"]),
        (["user.contact.email", "user.contact.email", "user.contact"], ["Contact (email)"]),
        (["user.contact.address.city", "user.contact.email"], ["Contact (address, city; email)"]),
        (["system.operations", "user.unique_id"], ["System (operations)", "Unique id"]),
        ([], []),
    ],
)
def test_categories_in_words(categories: list[str], said: list[str]) -> None:
    assert data_in_words(categories) == said


@pytest.mark.parametrize(
    ("category", "special"),
    [
        ("user.health_and_medical", "Article 9"),
        ("user.health_and_medical.genetic", "Article 9"),
        ("user.demographic.religious_belief", "Article 9"),
        ("user.criminal_history", "Article 10"),
        ("user.demographic.language", ""),
    ],
)
def test_special_categories_are_pointed_out(category: str, special: str) -> None:
    assert category in CATEGORIES
    (only,) = activities(with_store(fields={"a": Field(category=category)}))
    assert only["special"] == special


def test_who_the_people_are_is_not_made_up() -> None:
    others = {"text": Field(category="user.content", free_text=True)}
    another = {"to": Field(category="user.contact.email", about="other")}
    for changed, said in (
        ({}, "People known by their email"),
        ({"fields": others}, "People known by their email, and others named in its records"),
        ({"fields": another, "locate": []}, "Users, and others named in its records"),
        ({"fields": {"to": Field(category="user")}, "locate": []}, "Users"),
    ):
        (only,) = activities(with_store(**changed))
        assert only["subjects"] == said


def test_recipients_that_the_map_describes_go_by_their_title() -> None:
    described: Any = SimpleNamespace(recipients={"mailer": SimpleNamespace(title="Our e-mail provider")})
    served: Store = with_store(recipients=["mailer", "Our accountant"]).stores["things"]
    assert recipients(described, served) == ["Our e-mail provider", "Our accountant"]
    assert recipients(small_map(), served) == ["mailer", "Our accountant"]


def test_each_row_of_the_table_stands_for_itself() -> None:
    datamap = load_file(SHIPPED, CONNECTORS, SWEEPERS)
    found = rows(datamap)
    assert [row["Store"] for row in found] == list(datamap.stores)
    for row in found:
        assert set(row) == set(COLUMNS.values())
        assert (row["Controller"], row["Data map"]) == (datamap.controller.name, datamap.version)
        assert all(measure in row["Security measures"] for measure in MEASURES)
    assert {row["Store"]: row["Reached by requests"] for row in found}["usage_events"] == "no"


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_no_cell_can_run_as_a_formula(formula: str) -> None:
    quoted = 'a "quoted", one\nor two'
    datamap = with_store(title=formula, purpose=f"a;{formula}", recipients=["x", formula], source=quoted)
    (row,) = rows(datamap)
    assert row["Processing activity"] == f"'{formula}"
    assert row["Purposes"] == f"a;'{formula}"
    assert row["Categories of recipients"].count("'") == 1
    assert row["Source"] == quoted


def test_a_map_without_stores_has_a_header_alone() -> None:
    assert rows(replace(small_map(), stores={})) == []
