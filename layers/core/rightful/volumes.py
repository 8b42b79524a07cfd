"""What the requests of a period come to: how many, how fast, with what outcome. Pure; adds up row by row, keeps none.

Days are those of the controller's time zone. The days that an answer took run from the day of receipt to the day on
which the request was closed: 0 on the same day. Days on which the clock stood still (a pause) are counted, too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final

from rightful import clocks
from rightful.spread import Spread

BANDS: Final = (7, 14, 30, 45, 90)
"""Ends of the bands of days that answers are shown in."""
SOON: Final = 7
"""Days ahead, today not counted, within which what is due is due soon."""
LISTED: Final = 50
"""Open requests that are listed one by one; the others are counted."""
ANSWERED: Final = ("completed", "rejected")
"""Statuses of a request that was answered; one that the person withdrew needed no answer."""
COUNTED: Final = ("exported", "deleted", "anonymised", "kept", "held", "blocked", "left")
"""Records, of each store."""


@dataclass(slots=True)
class Group:
    """Closed requests that are looked at together."""

    outcomes: Counter[str] = field(default_factory=Counter)
    """Status -> requests."""
    late: int = 0
    """Among the answered."""
    extended: int = 0
    paused: int = 0
    days: Spread = field(default_factory=Spread)
    """Of the answered."""

    def add(self, row: Mapping[str, Any], days: int) -> None:
        self.outcomes[row["status"]] += 1
        self.extended += bool(row["extended"])
        self.paused += row["paused_days"] > 0
        if row["status"] in ANSWERED:
            self.late += bool(row["late"])
            self.days.add(days)

    def as_json(self) -> dict[str, Any]:
        """{"closed", "answered", "completed", "rejected", "withdrawn", "late", "extended", "paused", and in days
        "median", "p95", "mean", "longest" (None where nothing was answered), "bands": requests in each of BANDS}"""
        return {
            "closed": self.outcomes.total(),
            "answered": self.days.count,
            **{status: self.outcomes[status] for status in (*ANSWERED, "withdrawn")},
            "late": self.late,
            "extended": self.extended,
            "paused": self.paused,
            "median": self.days.percentile(50),
            "p95": self.days.percentile(95),
            "mean": self.days.mean(),
            "longest": self.days.percentile(100),
            "bands": self.days.bands(BANDS),
        }


@dataclass(slots=True)
class Volumes:
    """Give it all rows of the register that may belong to the period, and all open requests, the soonest due first."""

    first: date
    last: date
    """The period's days, both included."""
    now: datetime
    zone: tzinfo = UTC
    received: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(Monday of the week, type) -> requests."""
    sources: Counter[str] = field(default_factory=Counter)
    types: dict[str, Group] = field(default_factory=lambda: defaultdict(Group))
    whole: Group = field(default_factory=Group)
    unverified: int = 0
    """Lapsed in the period because nobody proved to be the person. They are counted nowhere else."""
    stores: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    kept_by: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    ccpa_received: Counter[str] = field(default_factory=Counter)
    ccpa: dict[str, Group] = field(default_factory=lambda: defaultdict(Group))
    open: Counter[str] = field(default_factory=Counter)
    """Status -> requests that are open now, whenever they came in."""
    overdue: int = 0
    soon: int = 0
    listed: list[dict[str, Any]] = field(default_factory=list)

    def add_closed(self, row: Mapping[str, Any]) -> None:
        """`row`: see `rightful.service.registering`."""
        received, closed = self._day(row["received_at"]), self._day(row["closed_at"])
        if row["status"] == "expired":
            self.unverified += self._within(closed)
            return
        self._add_received(row, received)
        if not self._within(closed):
            return
        days = (closed - received).days
        for group in (self.whole, self.types[row["type"]]):
            group.add(row, days)
        if row["regime"] == "ccpa":
            self.ccpa[row["type"]].add(row, days)
        if row["status"] == "rejected":
            self.refusals[row["ground"]] += 1
        self.kept_by.update(row["kept_by"])
        for name, counts in row["stores"].items():
            self.stores[name].update({"requests": 1, **{key: int(value) for key, value in counts.items()}})

    def add_open(self, item: Mapping[str, Any]) -> None:
        """`item`: a verified request as it stands in the requests table. While its clock is paused it is neither
        overdue nor soon due."""
        self._add_received(item, self._day(item["received_at"]))
        self.open[item["status"]] += 1
        due = clocks.moment(item["due_at"])
        running = item["status"] != "paused"
        self.overdue += running and due < self.now
        left = (self._day(item["due_at"]) - self.now.astimezone(self.zone).date()).days
        self.soon += running and due >= self.now and left <= SOON
        if len(self.listed) < LISTED:
            shown = {name: item[name] for name in ("request_id", "type", "status", "received_at", "due_at")}
            self.listed.append({**shown, "extended": bool(item.get("extended_until")), "days_left": left})

    def as_json(self) -> dict[str, Any]:
        """What the overview is made of (`rightful.reports.overview` says which keys)."""
        return {
            "received": {
                "total": self.received.total(),
                "types": _summed(self.received, 1),
                "weeks": [self._week(monday) for monday in self._mondays()],
                "sources": dict(sorted(self.sources.items())),
            },
            "closed": {
                "all": self.whole.as_json(),
                "types": {name: group.as_json() for name, group in sorted(self.types.items())},
                "unverified": self.unverified,
            },
            "open": {
                "total": self.open.total(),
                "statuses": dict(sorted(self.open.items())),
                "overdue": self.overdue,
                "soon": self.soon,
                "listed": self.listed,
            },
            "stores": {
                name: {key: counts[key] for key in ("requests", *COUNTED, "skipped")}
                for name, counts in self.stores.items()
            },
            "kept_by": dict(sorted(self.kept_by.items())),
            "refusals": dict(sorted(self.refusals.items())),
            "ccpa": {
                name: {"received": self.ccpa_received[name], **self.ccpa[name].as_json()}
                for name in sorted({*self.ccpa_received, *self.ccpa})
            },
        }

    def _add_received(self, row: Mapping[str, Any], day: date) -> None:
        if not self._within(day):
            return
        self.received[(_monday(day).isoformat(), row["type"])] += 1
        self.sources[row.get("source") or "form"] += 1
        if row["regime"] == "ccpa":
            self.ccpa_received[row["type"]] += 1

    def _mondays(self) -> list[str]:
        start, end = _monday(self.first), _monday(self.last)
        return [(start + timedelta(weeks=n)).isoformat() for n in range((end - start).days // 7 + 1)]

    def _week(self, monday: str) -> dict[str, Any]:
        counts = {type_: n for (week, type_), n in sorted(self.received.items()) if week == monday}
        return {"monday": monday, "types": counts}

    def _within(self, day: date) -> bool:
        return self.first <= day <= self.last

    def _day(self, stamp: str) -> date:
        return clocks.moment(stamp).astimezone(self.zone).date()


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _summed(counts: Mapping[tuple[str, str], int], part: int) -> dict[str, int]:
    summed: Counter[str] = Counter()
    for key, count in counts.items():
        summed[key[part]] += count
    return dict(sorted(summed.items()))
