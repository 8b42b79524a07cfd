"""How far the work on a request is: one row per store in the requests table.

A row says `done`, and for whom (`lookups`: keyed hash of the lookups it was worked through with, so that a store is
taken up again when the search later finds more ways in). While a store is not done, `sealed` holds where to go on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from rightful import lifecycle
from rightful.clocks import moment, stamp
from rightful.errors import NeedsAttention
from rightful.searching import Findings
from rightful.service import requests
from rightful.service.deps import Deps

OPEN = tuple(status.value for status in lifecycle.Status if status not in lifecycle.TERMINAL | lifecycle.NEVER_VERIFIED)
"""Statuses in which work may be done on a request."""

FRESH = timedelta(days=14)
"""How long the export of a store is good for."""


class Ended(Exception):
    """The request was withdrawn or refused while work on it went on: nothing more may be done."""


def load_verified(deps: Deps, request_id: str) -> dict[str, Any]:
    """The request, whose identity was proven. Raises NeedsAttention for one that is unknown or was not verified."""
    return _verified(deps.table.get(requests.pk(request_id), "REQUEST"))


def load_reported(deps: Deps, request_id: str) -> dict[str, Any]:
    """The same, or one that was reported and nobody verified yet: for steps that only read, plan and ask."""
    return _verified(deps.table.get(requests.pk(request_id), "REQUEST"), reported=True)


def load_with(
    deps: Deps, request_id: str, *others: str, reported: bool = False
) -> tuple[dict[str, Any], list[dict[str, Any] | None]]:
    """As `load_verified`, or `load_reported`, in one call with other items of the request, by their sort keys."""
    request, *found = deps.table.get_many([(requests.pk(request_id), sk) for sk in ("REQUEST", *others)])
    return _verified(request, reported=reported), found


def _verified(request: dict[str, Any] | None, *, reported: bool = False) -> dict[str, Any]:
    if request is None:
        raise NeedsAttention("there is no such request")
    if not (request.get("verified_at") or (reported and request.get("reported_at"))):
        raise NeedsAttention("the request was never verified: nothing may be done for it")
    return request


def standing(request: Mapping[str, Any]) -> dict[str, Any]:
    """What must still be true of an open request when something that can be undone is written on it. One that was only
    reported when it was read may have been verified since."""
    proof = "verified_at" if request.get("verified_at") else "reported_at"
    return {proof: request[proof], "status": OPEN}


def ensure_open(request: dict[str, Any]) -> None:
    """Before work that can be undone: the request, as it was just read, is open. Raises Ended."""
    if request["status"] not in OPEN:
        raise Ended


def claim(deps: Deps, request: dict[str, Any], **expect: Any) -> None:
    """Right before work that cannot be undone: one conditional write that holds only while the request is verified
    and open (and `expect` is true of it). Raises Ended."""
    condition = {"verified_at": request["verified_at"], "status": OPEN, **expect}
    facts = {"worked_at": stamp(deps.clock())}
    if deps.table.update(requests.pk(request["request_id"]), "REQUEST", facts, expect=condition) is None:
        raise Ended


def rows(deps: Deps, request_id: str) -> dict[str, dict[str, Any]]:
    """Store name -> its row, for the stores that have one."""
    found = deps.table.query(requests.pk(request_id), "STORE#")
    return {item["sk"].removeprefix("STORE#"): item for item in found}


def row_key(store: str) -> str:
    """Sort key of a store's row."""
    return f"STORE#{store}"


def save(deps: Deps, request_id: str, store: str, state: dict[str, Any], **facts: Any) -> None:
    """Where to go on, sealed, with counts that may be seen."""
    sealed = deps.vault.seal(request_id, json.dumps(state).encode("utf-8", "surrogatepass"))
    _write(deps, request_id, store, {**facts, "done": False, "sealed": sealed})


def resume(deps: Deps, request_id: str, row: dict[str, Any]) -> dict[str, Any] | None:
    """What `save` was given last, if the store was begun and is not done."""
    if not row.get("sealed"):
        return None
    state: dict[str, Any] = json.loads(
        deps.vault.open(request_id, bytes(row["sealed"])).decode("utf-8", "surrogatepass")
    )
    return state


def close(deps: Deps, request_id: str, store: str, **facts: Any) -> None:
    """The store is done, with these facts for the person and the receipt."""
    now = stamp(deps.clock())
    _write(deps, request_id, store, {**facts, "done": True, "at": now}, remove=("sealed",))


def scope(deps: Deps, findings: Findings) -> str:
    """Keyed hash of the lookups a store is worked through with."""
    return deps.vault.digest("lookups", json.dumps(findings.lookups))


def finished(row: dict[str, Any], lookups: str) -> bool:
    return bool(row.get("done")) and row.get("lookups") == lookups


def fresh(deps: Deps, row: dict[str, Any]) -> bool:
    """Whether what was exported of a store is still good. A request may wait for a decision for months; the exports
    bucket does not keep work that long, and the person is owed what is held at the end of it."""
    return deps.clock() - moment(row["at"]) < FRESH


def _write(deps: Deps, request_id: str, store: str, facts: dict[str, Any], remove: tuple[str, ...] = ()) -> None:
    deps.table.update(requests.pk(request_id), row_key(store), facts, remove=remove)


def skip(deps: Deps, request_id: str, store: str, reason: str, *, partly: bool = False) -> None:
    """The DPO decided to leave this store out; what was done in it until then stays on the row. `partly`: some of it
    may have been erased before it failed, and nobody counted."""
    facts = {"skipped": True, "partly": partly, "reason": reason, "at": stamp(deps.clock())}
    _write(deps, request_id, store, facts)


def unskip(deps: Deps, request_id: str, store: str) -> None:
    """The DPO decided otherwise after all."""
    deps.table.update(
        requests.pk(request_id), row_key(store), {}, remove=["skipped", "partly", "reason"], expect={"skipped": True}
    )
