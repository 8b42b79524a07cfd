"""A person's own requests, for whoever is signed in."""

from __future__ import annotations

from typing import Any

from rightful.centre import stories
from rightful.clocks import moment
from rightful.lifecycle import TERMINAL, Status
from rightful.service import notifying, viewing
from rightful.service.deps import Deps
from rightful.service.visiting.visits import Page, Saved, Visit, proven


def listed(deps: Deps, visit: Visit) -> Page:
    found = [_dated(each) for each in viewing.listed(deps, proven(deps, visit))]
    return Page(state="requests", facts={"requests": found}, here={"step": "requests"})


def request(deps: Deps, visit: Visit) -> Page:
    """Raises SignedOut, NotFound."""
    proof = proven(deps, visit)
    shown = viewing.one(deps, proof, visit.field("request_id"))
    erased = shown["type"] == "erasure" and shown["status"] == Status.completed.value
    facts = {
        "request": _dated(shown),
        "open": shown["status"] not in TERMINAL,
        "withdrawable": shown["withdrawable"],
        "timeline": stories.timeline(visit.voice, shown["events"]),
        "outcomes": stories.outcomes(visit.voice, deps.datamap, shown) if "result" in shown else [],
        "told": notifying.told(deps, shown["request_id"]) if erased else [],
        "download_until": _download_until(deps, shown),
    }
    return Page(state="request", facts=facts, here={"step": "request", "request_id": shown["request_id"]})


def _download_until(deps: Deps, shown: dict[str, Any]) -> Any:
    """The moment until which the download is there; None when there is none (any more)."""
    until = shown.get("result", {}).get("download_until")
    return moment(until) if until and moment(until) > deps.clock() else None


def withdraw(deps: Deps, visit: Visit) -> Page:
    """Raises SignedOut, NotFound, Conflict when it is too late."""
    viewing.withdraw(deps, proven(deps, visit), visit.field("request_id"))
    return request(deps, visit)


def fetch(deps: Deps, visit: Visit) -> Page:
    """A page with a fresh link to the download. Raises SignedOut, NotFound, Conflict, Gone."""
    link = viewing.download(deps, proven(deps, visit), visit.field("request_id"))
    facts = {"url": link["url"], "request_id": visit.field("request_id")}
    return Page(state="ready", facts=facts, here={"step": "request", "request_id": visit.field("request_id")})


def receipt(deps: Deps, visit: Visit) -> Saved:
    """The signed receipt, to be kept as a file. Raises SignedOut, NotFound, Conflict."""
    request_id = visit.field("request_id")
    signed = viewing.receipt(deps, proven(deps, visit), request_id)
    return Saved(name=f"receipt-{request_id}.jws", content_type="application/jose", content=signed)


def _dated(shown: dict[str, Any]) -> dict[str, Any]:
    """With moments for texts."""
    names = ("received_at", "due_at", "extended_until", "paused_since")
    return shown | {name: moment(shown[name]) for name in names if name in shown}
