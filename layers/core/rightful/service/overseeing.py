"""The overview of a period, for the board and the authority: gathers the facts, writes the page and the records of
processing (Article 30 GDPR) into the reports bucket."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from typing import Any, Final

from rightful import clocks, periods, reports
from rightful.clocks import stamp
from rightful.errors import Invalid
from rightful.service import issues, protecting, registering
from rightful.service.deps import Deps
from rightful.service.desk.disclosing import DISCLOSURES
from rightful.service.sweep import recalling
from rightful.volumes import Volumes

FOLDER: Final = "overview"
LONGEST: Final = periods.Period(months=36)
EARLIEST: Final = date(2000, 1, 1)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Days of the controller's time zone, both included."""

    first: date
    last: date
    zone: tzinfo

    def holds(self, text: str) -> bool:
        """Of a moment, or of a date without time of day, which is taken for one of that zone."""
        day = date.fromisoformat(text) if _DATE.fullmatch(text) else clocks.moment(text).astimezone(self.zone).date()
        return self.first <= day <= self.last


def report(deps: Deps, first: Any = None, last: Any = None, order: Any = None) -> dict[str, Any]:
    """Writes the overview of the days from `first` to `last` (ISO dates in the controller's time zone; without them the
    twelve months that end today): `overview/<first>_<last>/<run>.html`, the same facts as `.json`, and
    `<run>-records-of-processing.csv`. `order` names the run, so that the same order twice writes the same files;
    without one it is named by the time.

    {"ok": True, "message", "report", "records": URIs, "numbers": {"received", "closed", "late", "open", "overdue",
    "disclosures"}}. Raises Invalid, naming the field."""
    span = period(deps, first, last)
    run = _run(deps, order)
    found = {**facts(deps, span), "run": run}
    key = f"{FOLDER}/{span.first}_{span.last}/{run}"
    records = reports.processing_csv(deps.datamap, found["processing"]["activities"])
    deps.reports.put(f"{key}-records-of-processing.csv", records)
    deps.reports.put(f"{key}.json", json.dumps(found, ensure_ascii=False, indent=2).encode() + b"\n")
    deps.reports.put(f"{key}.html", reports.overview_page(found).encode())
    done, standing = found["closed"]["all"], found["open"]
    numbers = {
        "received": found["received"]["total"],
        "closed": done["closed"],
        "late": done["late"],
        "open": standing["total"],
        "overdue": standing["overdue"],
        "disclosures": found["disclosures"]["total"],
    }
    return {
        "ok": True,
        "message": f"From {span.first} to {span.last} {numbers['received']:,} requests came in and "
        f"{numbers['closed']:,} closed, {numbers['late']:,} of them answered late. Now "
        f"{numbers['open']:,} are open, {numbers['overdue']:,} of them overdue.",
        "report": deps.reports.uri(f"{key}.html"),
        "records": deps.reports.uri(f"{key}-records-of-processing.csv"),
        "numbers": numbers,
    }


def period(deps: Deps, first: Any, last: Any) -> Span:
    """The days that were asked for, up to today. Raises Invalid."""
    zone = clocks.zone(deps.datamap.controller.time_zone)
    today = deps.clock().astimezone(zone).date()
    end = today if last in (None, "") else min(_date("to", last), today)
    begin = _year_before(end) if first in (None, "") else _date("from", first)
    if begin > today:
        raise Invalid("The period has not begun.", errors=[("from", f"Write a day up to today, {today}.")])
    if begin > end:
        raise Invalid("The period ends before it begins.", errors=[("to", "Write a day that is not before `from`.")])
    if end > _years_on(begin):
        raise Invalid("The period is longer than three years.", errors=[("from", "Ask for one part after the other.")])
    return Span(begin, end, zone)


def facts(deps: Deps, span: Span) -> dict[str, Any]:
    """All that the page shows, as plain JSON; `rightful.reports.overview` says what it is. What was received in the
    period may have been closed since, so the register is read up to today; what is open is so now."""
    controller = deps.datamap.controller
    volumes = Volumes(span.first, span.last, deps.clock(), span.zone)
    for row in registering.read(deps, max(span.first - _DAY, registering.oldest(deps)), deps.clock().date()):
        volumes.add_closed(row)
    for item in deps.table.open_requests():
        volumes.add_open(item)
    counted = volumes.as_json()
    return {
        "from": span.first.isoformat(),
        "to": span.last.isoformat(),
        "as_of": stamp(deps.clock()),
        "time_zone": controller.time_zone,
        "controller": {"name": controller.name, "contact": controller.contact, "regime": controller.regime},
        "map_version": deps.datamap.version,
        **counted,
        "stores": _stores(deps, counted["stores"]),
        "holds": _holds(deps, span),
        "sweeps": recalling.between(deps, span.first, span.last, span.zone).as_json(),
        "disclosures": _disclosures(deps, span),
        "issues": _issues(deps, span),
        "processing": reports.processing(deps.datamap),
        "titles": {name: store.title for name, store in deps.datamap.stores.items()},
    }


def _stores(deps: Deps, counts: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """In the data map's order; those that it no longer names come last."""
    known = [name for name in deps.datamap.stores if name in counts]
    return {name: dict(counts[name]) for name in [*known, *sorted(set(counts) - set(known))]}


def _holds(deps: Deps, span: Span) -> dict[str, list[dict[str, Any]]]:
    """{"active": those that stand now, "ended": those that were released, or ran out, in the period}, oldest first."""
    placed, now = deps.table.query(protecting.HOLDS, "HOLD#"), deps.clock()
    ended = [{**each, "ended_at": each["until"]} for each in placed if not protecting.stands(each, now)]
    ended += [{**each, "ended_at": each["released_at"]} for each in deps.table.query(protecting.HOLDS, "RELEASED#")]
    shown = ("hold_id", "scope", "store", "ground", "reason", "placed_at", "until", "ended_at")

    def show(holds: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        brief = [{name: each.get(name, "") for name in shown} for each in holds]
        return sorted(brief, key=lambda each: (each["placed_at"], each["hold_id"]))

    return {
        "active": show(each for each in placed if protecting.stands(each, now)),
        "ended": show(each for each in ended if span.holds(each["ended_at"])),
    }


def _disclosures(deps: Deps, span: Span) -> dict[str, Any]:
    """{"total", "authorities": {authority: disclosures}, "rows": oldest first}"""
    shown = ("disclosure_id", "authority", "basis", "scope", "disclosed_at", "recorded_at")
    rows = [
        {
            **{name: str(each.get(name, "")) for name in shown},
            "about_a_person": bool(each.get("about_a_person")),
            "hold_id": str(each.get("hold_id") or ""),
        }
        for each in deps.table.query(DISCLOSURES)
        if span.holds(each["disclosed_at"])
    ]
    return {
        "total": len(rows),
        "authorities": dict(Counter(each["authority"] for each in rows).most_common()),
        "rows": rows,
    }


def _issues(deps: Deps, span: Span) -> dict[str, Any]:
    """{"total", "kinds": {kind: issues that were reported}}. The months are those of UTC."""
    first, last = span.first - _DAY, span.last + _DAY
    months = sorted({(first + n * _DAY).isoformat()[:7] for n in range((last - first).days + 1)})
    rows = (row for month in months for row in deps.table.query(issues.counted(month)))
    kinds = Counter(str(row["kind"]) for row in rows if span.holds(row["sk"].partition("#")[0]))
    return {"total": kinds.total(), "kinds": dict(sorted(kinds.items()))}


def _run(deps: Deps, order: Any) -> str:
    if order in (None, ""):
        return f"{deps.clock():%Y-%m-%dT%H%M%SZ}"
    if not isinstance(order, str) or not _NAME.fullmatch(order):
        cure = "Write at most 80 letters, digits, - and _, or leave it away."
        raise Invalid("The order is no name.", errors=[("order", cure)])
    return order


def _date(field: str, text: Any) -> date:
    try:
        day = date.fromisoformat(text) if isinstance(text, str) and _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or day < EARLIEST:
        raise Invalid(f"`{field}` is no day.", errors=[(field, "Write a day of this century as 2027-01-31.")])
    return day


def _year_before(end: date) -> date:
    moment = clocks.moment(f"{end}T00:00:00Z")
    return periods.before(moment, periods.Period(months=12)).date() + _DAY


def _years_on(begin: date) -> date:
    """The last day of the longest period that begins there."""
    return periods.add(clocks.moment(f"{begin}T00:00:00Z"), LONGEST).date() - _DAY
