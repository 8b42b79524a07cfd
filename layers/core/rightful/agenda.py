"""Which open requests are overdue, due soon or paused, by the days of the controller's seat. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Any, Final

from rightful.clocks import moment

NEAR: Final = 2
SOON: Final = 7
"""Days before a request is due at which the DPO is reminded of it."""
WAITING: Final = frozenset({"awaiting_approval", "needs_attention"})
"""Statuses in which nothing happens until the DPO has decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """An open request, as the DPO is told of it: nothing of its person."""

    request_id: str
    type: str
    status: str
    due: date
    days_left: int
    """Calendar days, 0 on the day itself, negative afterwards."""
    priority: bool
    """Somebody reported that the account belongs to someone under 18."""
    extendable: bool
    """Whether its one extension can still be taken: the person must be told of it within the first period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A clock of 72 hours that runs (Article 33(1) GDPR), as the DPO is told of it."""

    issue_id: str
    due_at: str
    day: date
    time: str
    """Of that day, `14:30`, in the controller's time zone."""
    hours_left: int
    """Whole hours, negative once it is overdue."""
    provisional: bool
    """Counted from receipt, since the DPO has not said yet when they became aware of a breach."""


@dataclass(slots=True, kw_only=True)
class Agenda:
    """Each request stands in one of the lists, the most urgent first."""

    overdue: list[Matter] = field(default_factory=list)
    near: list[Matter] = field(default_factory=list)
    """Due within NEAR days."""
    soon: list[Matter] = field(default_factory=list)
    """Due within SOON days, but not within NEAR."""
    later: list[Matter] = field(default_factory=list)
    paused: list[Matter] = field(default_factory=list)
    """Their clock stands still, so that none of them can be overdue."""
    awaiting_dpo: int = 0
    oldest_days: int = 0
    """Since the oldest of them was received."""

    @property
    def dated(self) -> list[Matter]:
        """All whose clock runs."""
        return [*self.overdue, *self.near, *self.soon, *self.later]


def drawn_up(requests: Iterable[Mapping[str, Any]], now: datetime, tz: tzinfo) -> Agenda:
    """The agenda of the open, verified requests whose items these are, at `now`; `tz` is the controller's."""
    agenda, today = Agenda(), now.astimezone(tz).date()
    for request in requests:
        matter = _matter(request, now, today, tz)
        if request["status"] == "paused":
            agenda.paused.append(matter)
        elif moment(request["due_at"]) < now:
            agenda.overdue.append(matter)
        elif matter.days_left <= NEAR:
            agenda.near.append(matter)
        elif matter.days_left <= SOON:
            agenda.soon.append(matter)
        else:
            agenda.later.append(matter)
        agenda.awaiting_dpo += request["status"] in WAITING
        received = moment(request["received_at"]).astimezone(tz).date()
        agenda.oldest_days = max(agenda.oldest_days, (today - received).days)
    for matters in (agenda.overdue, agenda.near, agenda.soon, agenda.later, agenda.paused):
        matters.sort(key=lambda matter: (not matter.priority, matter.due, matter.request_id))
    return agenda


def _matter(request: Mapping[str, Any], now: datetime, today: date, tz: tzinfo) -> Matter:
    due = moment(request["due_at"])
    day = due.astimezone(tz).date()
    decidable = "reported_at" not in request or "verified_at" in request  # the time of a report alone is not extended
    return Matter(
        request_id=request["request_id"],
        type=request["type"],
        status=request["status"],
        due=day,
        days_left=(day - today).days,
        priority="reported_at" in request,
        extendable=not request.get("extended_until") and decidable and (now <= due or request["status"] == "paused"),
    )
