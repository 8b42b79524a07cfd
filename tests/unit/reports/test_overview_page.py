"""The overview shows each number of its facts, reads well when there is nothing, and runs nothing."""

from __future__ import annotations

import copy
import re
from datetime import date
from functools import cache
from typing import Any

import pytest

from rightful.reports import overview_page, words
from rightful.reports.overview import OUTCOMES, due_in
from rightful.service import overseeing
from rightful.volumes import COUNTED
from tests.fakes.company import small_map
from tests.fakes.overviews import FIRST, LAST, year
from tests.fakes.world import make_world
from tests.unit.reports.seen import Seen, assert_can_be_read_aloud, assert_runs_nothing

HOSTILE = "</style><script>alert(1)</script>{{ 7 * 7 }}<img src=x onerror=alert(1)>\u202e'\"&"


@cache
def _of_a_year() -> dict[str, Any]:
    deps = year().deps
    return {**overseeing.facts(deps, overseeing.period(deps, FIRST, LAST)), "run": "year"}


@cache
def _of_nothing() -> dict[str, Any]:
    deps = make_world(small_map(), stores={}).deps
    return {**overseeing.facts(deps, overseeing.period(deps, None, None)), "run": "nothing"}


@pytest.fixture
def facts() -> dict[str, Any]:
    return copy.deepcopy(_of_a_year())


@pytest.fixture
def nothing() -> dict[str, Any]:
    return copy.deepcopy(_of_nothing())


def numbers(cells: list[str]) -> list[int]:
    """Of a row: `1,234` and `3 days` as whole numbers."""
    return [int(re.sub(r"[^0-9]", "", cell)) for cell in cells]


def test_it_loads_and_runs_nothing(facts: dict[str, Any], nothing: dict[str, Any]) -> None:
    assert_runs_nothing(overview_page(facts))
    assert_runs_nothing(overview_page(nothing))


def test_it_can_be_read_aloud(facts: dict[str, Any], nothing: dict[str, Any]) -> None:
    assert_can_be_read_aloud(overview_page(facts))
    assert_can_be_read_aloud(overview_page(nothing))


def hostile(value: Any) -> Any:
    """The same shape, with every text that a person wrote replaced."""
    if isinstance(value, dict):
        return {key: hostile(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [hostile(inner) for inner in value]
    return HOSTILE if isinstance(value, str) and not re.match(r"[0-9]{4}-|$", value) else value


def test_what_people_write_is_data(facts: dict[str, Any]) -> None:
    plain = Seen(overview_page(facts))
    free = {
        name: hostile(facts[name]) for name in ("controller", "holds", "disclosures", "processing", "titles", "run")
    }
    named = {"kept_by": {HOSTILE: 3}, "refusals": {HOSTILE: 4}, "stores": {HOSTILE: facts["stores"]["accounts"]}}
    sources = {**facts["received"], "sources": {HOSTILE: 1}}
    free["disclosures"]["authorities"] = {HOSTILE: 2}
    whole = overview_page({**facts, **free, **named, "received": sources, "map_version": HOSTILE})
    assert_runs_nothing(whole)
    assert set(Seen(whole).tags) == set(plain.tags)
    assert "{{ 7 * 7 }}" in Seen(whole).text
    assert whole.count("</style>") == 1
    assert HOSTILE not in whole


def test_the_tiles_say_what_the_facts_say(facts: dict[str, Any]) -> None:
    tiles = re.findall(r'<div class="tile[^"]*"><dt>([^<]+)</dt><dd><strong>([^<]+)</strong>', overview_page(facts))
    done, standing = facts["closed"]["all"], facts["open"]
    assert {name: numbers([value])[0] for name, value in tiles} == {
        "Open now": standing["total"],
        "Overdue now": standing["overdue"],
        "Due within 7 days": standing["soon"],
        "Closed in the period": done["closed"],
        "Median time to answer": done["median"],
        "95 % answered within": done["p95"],
        "Answered late": done["late"],
        "Extended": done["extended"],
    }


def test_the_chart_and_its_table_show_every_week(facts: dict[str, Any]) -> None:
    whole = overview_page(facts)
    types = list(facts["received"]["types"])
    drawn = re.findall(r"<title>Week of ([^,]+), (\w+): ([0-9,]+)</title>", whole)
    assert {(monday, kind): int(n) for monday, kind, n in drawn} == {
        (words.date(week["monday"]), words.label(kind)): n
        for week in facts["received"]["weeks"]
        for kind, n in week["types"].items()
    }
    table = Seen(whole).table("received")
    assert table.pop("Week that begins on") == [*map(words.label, types), "All"]
    assert {monday: numbers(cells) for monday, cells in table.items()} == {
        words.date(week["monday"]): [*(week["types"].get(kind, 0) for kind in types), sum(week["types"].values())]
        for week in facts["received"]["weeks"]
    }
    assert all(f"{words.label(kind)}: {n}" in Seen(whole).text for kind, n in facts["received"]["types"].items())


def test_the_table_of_types_and_the_bands_say_what_the_facts_say(facts: dict[str, Any]) -> None:
    seen = Seen(overview_page(facts))
    columns = ["closed", "completed", "rejected", "withdrawn", "median", "p95", "longest", "extended", "late"]
    table = seen.table("took")
    groups = {**facts["closed"]["types"], "all": facts["closed"]["all"]}
    assert {name: numbers(cells) for name, cells in table.items() if name != "Type"} == {
        words.label(name): [group[column] for column in columns] for name, group in groups.items()
    }
    assert [numbers([cells[-1]])[0] for cells in seen.table("took", 1).values()] == facts["closed"]["all"]["bands"]


def test_stores_grounds_sweeps_and_ccpa_say_what_the_facts_say(facts: dict[str, Any]) -> None:
    seen = Seen(overview_page(facts))
    shown = [key for key in OUTCOMES if key not in ("held", "blocked")]  # none of this year
    outcome = seen.table("stores")
    assert outcome.pop("Store")[1:-1] == [OUTCOMES[key] for key in shown]
    assert {name: numbers(cells) for name, cells in outcome.items()} == {
        facts["titles"][name]: [counts[key] for key in ("requests", *shown, "skipped")]
        for name, counts in facts["stores"].items()
    }
    kept, refused = seen.table("kept"), seen.table("kept", 1)
    assert numbers(kept["Accounting"]) == [facts["kept_by"]["accounting"]]
    assert numbers(refused["A legal process"]) == [facts["refusals"]["legal_process"]]
    swept = seen.table("sweeps")
    assert {name: numbers(cells) for name, cells in swept.items() if name != "Store"} == {
        facts["titles"][name]: [
            *(counts["deleted"], counts["anonymised"], counts["held"]),
            counts["failed"] + counts["blocked"],
        ]
        for name, counts in facts["sweeps"]["stores"].items()
    }
    ccpa = seen.table("ccpa")
    for kind, name in (("access", "Requests to know"), ("erasure", "Requests to delete")):
        group = facts["ccpa"][kind]
        columns = ("received", "completed", "rejected", "withdrawn", "median")
        assert numbers(ccpa[name][:-1]) == [group[column] for column in columns]
        assert ccpa[name][-1] == f"{group['mean']} days"


def test_open_requests_come_with_the_most_urgent_first(facts: dict[str, Any]) -> None:
    seen = Seen(overview_page(facts))
    first, *_ = facts["open"]["listed"]
    rows = seen.tables[seen.ids["open"]]
    assert rows[1][0] == f"{-first['days_left']} days late ({words.date(first['due_at'])})"
    assert [row[-1] for row in rows[1:]] == [each["request_id"] for each in facts["open"]["listed"]]
    facts["open"]["total"] += 1
    assert "1 more request, due later, is not listed." in Seen(overview_page(facts)).text


def test_holds_and_disclosures_are_listed(facts: dict[str, Any]) -> None:
    seen = Seen(overview_page(facts))
    assert seen.table("holds")["A store: Your invoices h-31c2"] == [
        *("A legal process", "Tax audit of 2024 to 2026"),
        *("14 September 2026", "It is released"),
    ]
    assert seen.table("holds", 1)["A person h-09d1"][-1] == "20 August 2026"
    assert "3 disclosures in the period: Staatsanwaltschaft Köln 2, Internal Revenue Service 1." in seen.text.replace(
        " ,", ","
    ).replace(" .", ".")
    assert seen.table("disclosures")["Internal Revenue Service d-0001"] == [
        *("26 U.S.C. 7602", "Totals of 2024, without names"),
        *("No one person", "17 June 2026"),
    ]


def test_a_period_without_anything_reads_well(nothing: dict[str, Any]) -> None:
    said = Seen(overview_page(nothing)).text
    for sentence in (
        "No request was answered in this period. No request is open.",
        "No request came in during this period.",
        "No request was closed in this period.",
        "No store was worked on for a request that was closed in this period.",
        "No erasure of this period kept a record.",
        "No request was refused in this period.",
        "No legal hold is in force.",
        "No sweep enforced the retention rules in this period.",
        "Nothing was disclosed to an authority in this period.",
        "The data map names none.",
    ):
        assert sentence in said
    assert "CCPA metrics" not in said
    assert "None" not in said.replace("Recipients None", "")


@pytest.mark.parametrize(
    ("answered", "late", "share"),
    [(1, 0, "100 %"), (1000, 1, "99.9 %"), (100_000, 1, "99.9 %"), (3, 1, "66.6 %"), (4, 4, "0 %")],
)
def test_the_share_in_time_is_never_rounded_up(facts: dict[str, Any], answered: int, late: int, share: str) -> None:
    facts["closed"]["all"] |= {"answered": answered, "late": late}
    assert f"answered, {share} of them in time" in Seen(overview_page(facts)).text


def test_one_is_not_many(facts: dict[str, Any]) -> None:
    facts["closed"]["unverified"] = 1
    facts["sweeps"]["unreadable"] = 2
    said = Seen(overview_page(facts)).text
    assert "1 further request lapsed, because nobody proved to be the person that it named." in said
    assert "2 reports of a sweep could not be read; what their runs did is not in these figures." in said


@pytest.mark.parametrize(
    ("days", "said"), [(-2, "2 days late"), (-1, "1 day late"), (0, "Today"), (1, "In 1 day"), (30, "In 30 days")]
)
def test_when_it_is_due(days: int, said: str) -> None:
    assert due_in(days) == said


def test_each_count_of_a_store_has_words() -> None:
    assert list(OUTCOMES) == list(COUNTED)


def test_the_period_is_in_words(facts: dict[str, Any]) -> None:
    said = Seen(overview_page(facts)).text
    assert "1 February 2026 to 31 January 2027." in said
    assert date.fromisoformat(facts["to"]) == date(2027, 1, 31)
