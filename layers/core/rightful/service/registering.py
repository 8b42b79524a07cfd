"""The register of closed requests: one row for each, without personal data, for reports and for the authority.

REGISTER#<yyyy-mm>  <closed_at>#<request_id>   the month of closing, in UTC

A row is {"request_id", "type", "regime", "status", "source" (how the request came: `form`, `letter`, ...),
"verified_by" (`person`, `dpo` or empty, see `rightful.receipts`),
"received_at", "closed_at", "due_at", "extended", "paused_days", "late" (closed after it was due), "ground" (of a
refusal), "stores": {store: {records "exported", "deleted", "anonymised", "kept", "held", "blocked", "left", and
"skipped": true; only what is not nothing}}, "kept_by": {ground: records}}.

It stays a year longer than the request's own records, so that a yearly report finds all of its year, and at least the
24 months for which 11 CCR section 7101(a) asks for records of requests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from rightful import lifecycle, periods, receipts
from rightful.clocks import moment
from rightful.service import progress
from rightful.service.deps import Deps
from rightful.volumes import COUNTED

LEAST: Final = periods.Period(months=24)
BEYOND: Final = periods.Period(months=12)
"""What a row outlasts the request's own records by."""


def enter(deps: Deps, request: Mapping[str, Any]) -> None:
    """Writes down a request that ended (its item, as it is now). Once: what is there already stays, so a step that was
    killed may call it again."""
    if request["status"] not in lifecycle.TERMINAL:
        raise ValueError("only a request that ended belongs in the register")
    closed_at, rows = request["changed_at"], progress.rows(deps, request["request_id"])
    row = {
        **{name: request[name] for name in ("request_id", "type", "regime", "status", "received_at", "due_at")},
        "source": request.get("source", "form"),
        "verified_by": receipts.verified_by(request),
        "closed_at": closed_at,
        "extended": bool(request.get("extended_until")),
        "paused_days": int(request.get("paused_days", 0)),
        "late": request["status"] != "expired" and closed_at > request["due_at"],
        "ground": request.get("refusal", {}).get("ground", ""),
        "stores": {name: outcome for name, each in rows.items() if (outcome := _outcome(each))},
        "kept_by": _kept_by(rows),
        "expires_at": int(until(deps, moment(closed_at)).timestamp()),
    }
    deps.table.put_new(_pk(closed_at), f"{closed_at}#{request['request_id']}", row)


def read(deps: Deps, first: date, last: date) -> Iterator[dict[str, Any]]:
    """Rows of requests that were closed from `first` to `last` (UTC days, both included), oldest first. Read day by
    day, so that no more than a day's rows are held at a time."""
    for n in range((last - first).days + 1):
        day = (first + timedelta(days=n)).isoformat()
        yield from deps.table.query(_pk(day), day)


def until(deps: Deps, closed_at: datetime) -> datetime:
    """When the row of a request closed at that time ends."""
    kept = periods.parse(deps.datamap.controller.records_kept)
    return max(periods.add(closed_at, LEAST), periods.add(periods.add(closed_at, kept), BEYOND))


def oldest(deps: Deps) -> date:
    """The first UTC day of which there can still be rows, or a little earlier."""
    kept = periods.parse(deps.datamap.controller.records_kept)
    now = deps.clock() - timedelta(days=4)  # months are of different lengths
    return min(periods.before(now, LEAST), periods.before(periods.before(now, kept), BEYOND)).date()


def _pk(closed: str) -> str:
    return f"REGISTER#{closed[:7]}"


def _outcome(row: Mapping[str, Any]) -> dict[str, Any]:
    counts = {name: int(row[name]) for name in COUNTED if row.get(name)}
    return {**counts, "skipped": True} if row.get("skipped") else counts


def _kept_by(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """A store keeps its records on one ground, that of its erasure in the data map."""
    kept: Counter[str] = Counter()
    for row in rows.values():
        if row.get("kept"):
            kept[min(row.get("kept_by", {}), default="")] += int(row["kept"])
    return dict(kept)
