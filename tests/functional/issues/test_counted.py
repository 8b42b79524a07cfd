"""The overview of a period counts the issues that were reported in it, by their kind."""

from __future__ import annotations

from rightful.reports import overview_page
from rightful.service import overseeing
from tests.fakes.world import make_world
from tests.functional.issues.reports import report


def test_the_overview_counts_reported_issues_by_kind_and_names_nobody() -> None:
    world = make_world()
    report(world, "wrong_data")
    world.clock.advance(days=30)
    for kind in ("suspected_breach", "under_18", "wrong_data"):
        report(world, kind)
    early, later = ("2026-11-01", "2026-11-30"), ("2026-12-01", "2026-12-31")
    spans = [overseeing.period(world.deps, *days) for days in (early, later)]
    found = [overseeing.facts(world.deps, span) for span in spans]
    assert found[0]["issues"] == {"total": 1, "kinds": {"wrong_data": 1}}
    assert found[1]["issues"]["kinds"] == {"suspected_breach": 1, "under_18": 1, "wrong_data": 1}
    page = overview_page({**found[1], "run": "x"})
    assert "3 privacy issues came in" in page
    assert "Quince" not in page
