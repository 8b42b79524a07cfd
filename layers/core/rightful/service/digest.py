"""One mail a day to the data protection officer: clocks of breaches, what is overdue, due soon or paused, and what was
never confirmed.

Nobody is mailed when there is nothing to say. The day is the one at the controller's seat, and names the mail: a
schedule that fires twice, and a call that is tried again, mail once. What was confirmed by nobody is named once: the
day's list of it is written down before the mail, and what stands in it leaves the waiting list after the mail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from rightful import calendars, clocks
from rightful.agenda import NEAR, SOON, Agenda, Breach, Matter
from rightful.calendars import Entry
from rightful.ports import Attachment
from rightful.service import lapsing, mailing, requests
from rightful.service.deps import Deps

MOST: Final = 50
"""Requests that a mail lists; the desk shows all."""
CALENDAR: Final = "calendar/requests.ics"
"""In the reports bucket."""
MEDIA_TYPE: Final = "text/calendar; charset=utf-8; method=PUBLISH"
LIFE: Final = timedelta(days=30)
"""How long a day's list of what was never confirmed stays."""


def calendar(deps: Deps, agenda: Agenda, breaches: Sequence[Breach], now: datetime) -> bytes:
    """The dates of all open requests and breaches whose clock runs, also written to the reports bucket; empty without
    any."""
    entries = [*(_of_breach(deps, breach) for breach in breaches), *(_entry(deps, matter) for matter in agenda.dated)]
    if not entries:
        return b""
    body = calendars.ics(entries, now=now)
    deps.reports.put(CALENDAR, body)
    return body


def _entry(deps: Deps, matter: Matter) -> Entry:
    return Entry(
        uid=f"{matter.request_id}-due@{deps.settings.stage}.rightful",
        day=matter.due,
        title=f"Due: {matter.type} request {matter.request_id}",
        description=f'At the DPO desk: {{"action": "show", "request_id": "{matter.request_id}"}}',
        alarms=(SOON, NEAR),
    )


def _of_breach(deps: Deps, breach: Breach) -> Entry:
    return Entry(
        uid=f"{breach.issue_id}-breach@{deps.settings.stage}.rightful",
        day=breach.day,
        title=f"Due by {breach.time}: notice of a breach to the authority, issue {breach.issue_id}",
        description=f'At the DPO desk: {{"action": "show", "request_id": "{breach.issue_id}"}}',
        alarms=(1,),
    )


def mail(
    deps: Deps,
    agenda: Agenda,
    breaches: Sequence[Breach],
    dates: bytes,
    unconfirmed: Sequence[Mapping[str, Any]],
    now: datetime,
) -> bool:
    """Sends the day's mail, unless it was sent or there is nothing to say; whether there was. `dates`: the calendar;
    `unconfirmed`: items of requests of which the DPO must be told that they expired. Raises TryAgain while it is not
    known whether an earlier try went out, NeedsAttention."""
    controller = deps.datamap.controller
    day = now.astimezone(clocks.zone(controller.time_zone)).date().isoformat()
    named = _of_the_day(deps, day, unconfirmed)
    parts, more = _cut(agenda)
    if not (named or breaches or any(parts.values())):
        return False
    mailing.send_once(
        deps,
        _subject(day),
        "dpo_deadlines",
        controller.contact,
        controller.locale,
        attachments=(Attachment("requests.ics", MEDIA_TYPE, dates),) if dates else (),
        desk=deps.settings.desk_url,
        controller=controller,
        breaches=[{**asdict(breach), "day": breach.day.isoformat()} for breach in breaches[:MOST]],
        parts={**parts, "unconfirmed": [_unconfirmed(deps, item) for item in named]},
        more=more,
    )
    for item in named:
        lapsing.forget(deps, item["request_id"])
    return True


def _subject(day: str) -> str:
    """Stands for the day where a mail about a request has the request's id."""
    return f"deadlines-{day}"


def _of_the_day(deps: Deps, day: str, unconfirmed: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Items of what the mail of the day says was never confirmed: what was first written down for it."""
    pk, sk = requests.pk(_subject(day)), "UNCONFIRMED"
    noted = deps.table.get(pk, sk)
    if noted is None and unconfirmed:
        ids = [item["request_id"] for item in unconfirmed]
        deps.table.put_new(pk, sk, {"ids": ids, "expires_at": int((deps.clock() + LIFE).timestamp())})
        noted = deps.table.get(pk, sk)
    if noted is None:
        return []
    found = deps.table.get_many([(requests.pk(each), "REQUEST") for each in noted["ids"]])
    return [item for item in found if item is not None]


def _cut(agenda: Agenda) -> tuple[dict[str, list[dict[str, Any]]], int]:
    """The lists, at most MOST requests between them, the most urgent first; and how many are left out."""
    room, parts = MOST, {}
    lists = {"overdue": agenda.overdue, "near": agenda.near, "soon": agenda.soon, "paused": agenda.paused}
    for name, matters in lists.items():
        parts[name] = [{**asdict(matter), "due": matter.due.isoformat()} for matter in matters[:room]]
        room -= len(parts[name])
    return parts, sum(map(len, lists.values())) - (MOST - room)


def _unconfirmed(deps: Deps, item: Mapping[str, Any]) -> dict[str, str]:
    received = clocks.day(item["received_at"], clocks.zone(deps.datamap.controller.time_zone))
    return {"received": received, **{name: item[name] for name in ("request_id", "type", "source")}}
