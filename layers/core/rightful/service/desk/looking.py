"""What the DPO may see: open requests, one request, one person's requests. Ids, dates and counts; nobody's data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from heapq import merge, nsmallest
from itertools import chain, islice
from typing import Any, Final

from rightful import clocks
from rightful.clocks import moment
from rightful.errors import Invalid, NotFound
from rightful.service import completing, contacts, erased, issues, protecting, requests
from rightful.service.deps import Deps

PROVEN: Final = "email"
"""The identity that a request is made with."""
FARTHEST: Final = 3660
"""Days to look ahead."""
MOST: Final = 200
"""Requests in one answer, so that it stays far below the 256 KiB that a state may hold."""
SHOWN: Final = (
    *("request_id", "type", "status", "regime", "source", "received_at", "verified_at", "due_at", "extended_until"),
    *("paused_since", "paused_days", "scheduled_for", "erasing_since", "closed_at", "plan_hash", "approved_hash"),
    *(
        "approved_at",
        "map_version",
        "reported_at",
        "verified_by",
        "confirmed_at",
        "failed",
        "problem",
        "follows",
        "joined_to",
    ),
)
"""Of a request's item: nothing that was written by or about a person."""


def open_requests(deps: Deps, within: int | None = None) -> dict[str, Any]:
    """`{"ok", "message", "requests": [...], "issues": [...], "more": bool}`, soonest due first, but before all what may
    concern someone under 18; `within` days from now, if given. Those that came by letter or phone are there before
    their person confirmed them: their clock runs."""
    if within is not None and not 0 <= within <= FARTHEST:
        cure = f"Write a number from 0 to {FARTHEST}, or leave it away."
        raise Invalid("So many days cannot be looked ahead.", errors=[("due_within_days", cure)])
    now = deps.clock()
    until = now + timedelta(days=within) if within is not None else None
    letters = (item for item in deps.table.open_requests("unverified") if item.get("source"))
    every = merge(deps.table.open_requests(), letters, key=lambda item: str(item["due_at"]))
    wanted = (item for item in every if until is None or moment(item["due_at"]) <= until)
    found = nsmallest(MOST + 1, wanted, key=lambda item: ("reported_at" not in item, str(item["due_at"])))
    shown = [{**_brief(item), "days_left": _days_left(deps, item, now)} for item in found[:MOST]]
    overdue = sum(each["days_left"] < 0 and each["status"] != "paused" for each in shown)
    count = f"{len(shown)}{' or more' if len(found) > MOST else ''}"
    message = f"{count} open, {overdue} overdue. Show one with action show." if shown else "No request is open."
    reported, rest = _open_issues(deps, now, until)
    if reported:
        late = sum(each["hours_left"] < 0 for each in reported)
        message += f" Of issues, {len(reported)}{' or more' if rest else ''} are open, {late} overdue."
    more = len(found) > MOST or rest
    return {"ok": True, "message": message, "requests": shown, "issues": reported, "more": more}


def _open_issues(deps: Deps, now: datetime, until: datetime | None) -> tuple[list[dict[str, Any]], bool]:
    """Reported issues that wait for the DPO, breaches whose 72 hours run first; and whether there are more."""
    waiting = chain(deps.table.open_requests(issues.CLOCK), *_others(deps))
    wanted = (item for item in waiting if until is None or moment(item["due_at"]) <= until)
    found = list(islice(wanted, MOST + 1))
    return [_issue(item) | {"hours_left": issues.hours_left(item, now)} for item in found[:MOST]], len(found) > MOST


def _others(deps: Deps) -> list[Iterator[dict[str, Any]]]:
    return [deps.table.open_requests(issues.WAITING), deps.table.open_requests(issues.UNTOLD)]


def _issue(item: dict[str, Any]) -> dict[str, Any]:
    """Of an issue's item, nothing that was written by or about a person. `provisional`: its 72 hours are counted from
    receipt, since nobody said yet when the controller became aware of a breach."""
    names = ("issue_id", "kind", "status", "received_at", "aware_at", "due_at", "closed_at", "erasure_id")
    provisional = item["kind"] == issues.BREACH and item["status"] == "received"
    return {name: item[name] for name in names if item.get(name)} | ({"provisional": True} if provisional else {})


def show(deps: Deps, request_id: str) -> dict[str, Any]:
    """All of a request, or of an issue, that names nobody. Raises NotFound."""
    item = deps.table.get(requests.pk(request_id), "REQUEST")
    if item is None:
        return _show_issue(deps, request_id)
    plan = deps.table.get(requests.pk(request_id), f"PLAN#{item.get('plan_hash', '')}")
    facts = {name: item[name] for name in SHOWN if item.get(name)}
    if refusal := item.get("refusal"):
        facts["refusal"] = {name: refusal[name] for name in ("ground", "law") if name in refusal}
    done = {name: each for name, each in completing.outcomes(deps, request_id).items() if len(each) > _EMPTY}
    for each in done.values():
        each.pop("reason", None)
    return {
        "ok": True,
        "message": _sentence(deps, item),
        **facts,
        "days_left": _days_left(deps, item, deps.clock()),
        "plan": json.loads(plan["plan"]) if plan else None,
        "done": done,
        "events": requests.timeline(deps, item),
    }


def _show_issue(deps: Deps, issue_id: str) -> dict[str, Any]:
    item = deps.table.get(issues.pk(issue_id), "ISSUE")
    if item is None:
        raise NotFound("There is no request with this id, and no issue.")
    said = {
        "received": "It waits for you. What was written stands in the mail to you alone.",
        "breach": f"It is a breach. The authority must be told by {item['due_at']}.",
        "no_breach": "It is no breach. It waits for you to close it.",
        "closed": "It is closed.",
    }
    return {"ok": True, "message": said[item["status"]], **_issue(item)}


_EMPTY: Final = 2
"""What an outcome says of a store in which nothing was done: its title, and whether it is covered."""


def find(deps: Deps, email: str) -> dict[str, Any]:
    """A person's requests, newest first, those too that still wait for their code when they came by letter or phone.
    `{"ok", "message", "person", "requests", "issues", "holds"}`; `issues` are those that came from this address, or
    named it; `person` is the keyed hash. Raises Invalid."""
    contact = contacts.Contact.of(email, "en")
    person = contacts.person(deps, contact)
    items = {item["request_id"]: item for item in deps.table.by_person(person)}
    for note in deps.table.query(f"PERSON#{person}", "OPEN#"):
        waiting = deps.table.get(requests.pk(note["request_id"]), "REQUEST")
        if waiting is not None and waiting.get("source"):
            items.setdefault(waiting["request_id"], waiting)
    found = [_brief(item) for item in islice(items.values(), MOST)]
    reported = [deps.table.get(issues.pk(row["issue_id"]), "ISSUE") for row in _reports(deps, person)]
    theirs = erased.digests(deps, {PROVEN: [contact.email]})
    holds = [each["hold_id"] for each in protecting.active(deps) if not theirs.isdisjoint(each["digests"])]
    message = f"{len(found)} found." if found else "Nobody made a request with this address, or it was never confirmed."
    named = [_issue(item) for item in reported if item is not None]
    if named:
        message += f" It stands in {len(named)} reported issue{'s' if len(named) > 1 else ''}."
    return {"ok": True, "message": message, "person": person, "requests": found, "issues": named, "holds": holds}


def _reports(deps: Deps, person: str) -> list[dict[str, Any]]:
    return deps.table.query(f"PERSON#{person}", "ISSUE#")[:MOST]


def _brief(item: dict[str, Any]) -> dict[str, Any]:
    names = ("request_id", "type", "status", "received_at", "due_at", "extended_until", "paused_since", "source")
    priority = {"priority": True} if item.get("reported_at") else {}
    return {name: item[name] for name in names if item.get(name)} | priority


def _days_left(deps: Deps, item: dict[str, Any], now: datetime) -> int:
    """Calendar days at the controller's seat; negative when the day is over."""
    tz = clocks.zone(deps.datamap.controller.time_zone)
    return (moment(item["due_at"]).astimezone(tz).date() - now.astimezone(tz).date()).days


def _sentence(deps: Deps, item: dict[str, Any]) -> str:
    due = clocks.day(item["due_at"], clocks.zone(deps.datamap.controller.time_zone))
    said = {
        "awaiting_verification": f"The person has not confirmed it yet. Due by {due}.",
        "in_progress": f"Work goes on. Due by {due}.",
        "awaiting_approval": f"It waits for your approval. Due by {due}.",
        "scheduled": f"It waits for the grace period to end. Due by {due}.",
        "paused": "Its clock stands still until you resume it.",
        "needs_attention": f"Something failed and waits for you: retry or skip. Due by {due}.",
        "completed": "It is done.",
        "rejected": "It was refused.",
        "withdrawn": "The person withdrew it.",
        "expired": "The person never confirmed it.",
    }
    return said[item["status"]]
