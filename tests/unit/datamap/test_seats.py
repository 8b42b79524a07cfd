"""The public holidays of a seat come into the compiled map, as dates."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import holidays
import pytest

from rightful import compiled
from rightful.__main__ import main
from rightful.clocks import due, stamp
from rightful.datamap.seats import YEARS, with_public_holidays
from rightful.model import Controller, DataMap
from tests.unit.datamap.maps import GOOD, outcome

ROOT = Path(__file__).parents[3]
PLAIN = outcome(GOOD).datamap or pytest.fail("the good map is wrong")


def seated(country: str, subdivision: str = "", own: tuple[str, ...] = ()) -> DataMap:
    controller = replace(PLAIN.controller, country=country, subdivision=subdivision, holidays=list(own))
    return with_public_holidays(replace(PLAIN, controller=controller))


def controller_compiled(tmp_path: Path, said: str) -> Controller:
    file, out = tmp_path / "map.yaml", tmp_path / "map.json"
    text = (ROOT / "infra/datamap.yaml").read_text("utf-8")
    assert "  holidays: []" in text
    file.write_text(text.replace("  holidays: []", said), "utf-8")
    assert main(["datamap", "compile", str(file), str(out)]) == 0
    return compiled.load_compiled(out.read_text("utf-8")).controller


def test_the_compiled_map_holds_the_holidays_of_its_seat_as_dates(tmp_path: Path) -> None:
    known = controller_compiled(tmp_path, '  country: DE\n  subdivision: BY\n  holidays: ["2027-12-24"]').holidays
    assert {"2027-10-03", "2027-01-06", "2027-12-24", "2045-12-25"} <= set(known)
    assert "2027-10-31" not in known  # Reformation Day is not kept in Bavaria
    assert known == sorted(set(known))


def test_a_part_has_days_of_its_own() -> None:
    assert "2027-01-06" in seated("DE", "BY").controller.holidays
    assert "2027-01-06" not in seated("DE").controller.holidays
    assert "2027-11-30" in seated("GB", "SCT").controller.holidays
    assert "2027-11-30" not in seated("GB", "ENG").controller.holidays


def test_every_year_has_its_days_and_no_other_year() -> None:
    assert {int(day[:4]) for day in seated("FR").controller.holidays} == set(YEARS)


def test_without_a_country_the_map_stays_as_it_is() -> None:
    assert seated("", own=("2027-12-24", "2027-01-01")).controller.holidays == ["2027-12-24", "2027-01-01"]


def test_compiled_again_it_is_the_same() -> None:
    once = seated("FR", own=("2027-12-24", "2027-01-01"))
    assert with_public_holidays(once) == once
    assert compiled.dump(seated("FR", own=("2027-01-01", "2027-12-24"))) == compiled.dump(once)


def test_equal_maps_give_equal_text_in_every_process() -> None:
    code = (
        "import sys; from rightful import compiled; from rightful.datamap import seats;"
        "datamap = compiled.load_compiled(sys.stdin.read());"
        "sys.stdout.write(compiled.dump(seats.with_public_holidays(datamap)))"
    )
    given = compiled.dump(replace(PLAIN, controller=replace(PLAIN.controller, country="US")))
    texts = [
        subprocess.run(
            [sys.executable, "-c", code],
            input=given,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert texts == [compiled.dump(seated("US"))] * 2


@pytest.mark.parametrize(("country", "part"), [("FR", ""), ("DE", "BY"), ("GB", "ENG"), ("US", ""), ("JP", "")])
def test_no_deadline_ends_on_a_holiday_of_the_seat(country: str, part: str) -> None:
    public = holidays.country_holidays(country, subdiv=part or None)
    off = seated(country, part).controller.holidays
    for number in range(0, 7_000, 3):
        received = datetime(2024, 1, 1, 9, tzinfo=UTC) + timedelta(days=number)
        last = due("gdpr", received, off).date()
        assert last.weekday() < 5
        assert last not in public


def test_the_examples_of_christmas() -> None:
    off = seated("GB", "ENG").controller.holidays
    asked = datetime(2027, 11, 25, 9, tzinfo=UTC)  # Christmas Day is a Saturday; Monday and Tuesday stand in
    assert stamp(due("uk_gdpr", asked, off)) == "2027-12-29T23:59:59Z"
    assert date(2027, 12, 28).isoformat() in off
