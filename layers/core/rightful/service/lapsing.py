"""Ends what has run out: requests that nobody confirmed in time, and legal holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rightful.clocks import moment
from rightful.errors import Conflict, NotFound
from rightful.lifecycle import Status
from rightful.retention import SKEW
from rightful.service import holding, protecting, registering, requests
from rightful.service.deps import Deps, TimeLeft
from rightful.service.faults import Faults

UNVERIFIED: Final = "unverified"
EXPIRED: Final = "expired"
"""What the attribute `open` says of a request that waits for its code, and of one that expired but is not cleared away
yet, or of which the DPO was not told yet."""


def expire_requests(deps: Deps, faults: Faults, time_left: TimeLeft) -> tuple[int, list[dict[str, Any]]]:
    """Makes `expired` every request that was not confirmed by its `verify_by`, and clears away what would outlast it.
    How many, and the items of those that came by letter or phone and of which the DPO was not told yet (see `forget`).
    A clock that is ahead ends none early."""
    expired, ended = 0, {}
    for begun in deps.table.open_requests(EXPIRED):
        with faults.noted("unverified requests"):
            ended[begun["request_id"]] = requests.announce(deps, begun)
    now = deps.clock() - SKEW
    for item in deps.table.open_requests(UNVERIFIED):
        if moment(item["verify_by"]) > now:
            continue
        if time_left() <= 0:
            faults.unfinished("unverified requests")
            break
        with faults.noted("unverified requests"):
            if (now_ended := _expire(deps, item)) is not None:
                ended[item["request_id"]] = now_ended
                expired += 1
    for item in ended.values():
        with faults.noted("unverified requests"):
            _clear(deps, item)
    return expired, [item for item in ended.values() if item.get("source")]


def _expire(deps: Deps, item: Mapping[str, Any]) -> dict[str, Any] | None:
    """None when it was confirmed in its last moment, or is gone."""
    joined = "joined_to" in item
    what = "Another open request of yours stands for this one" if joined else "It was not confirmed in time"
    try:
        return requests.transition(deps, item["request_id"], Status.expired, what=what, open=EXPIRED)
    except (Conflict, NotFound):
        return None


def _clear(deps: Deps, item: Mapping[str, Any]) -> None:
    """The request's item ends by itself; what was noted about it ends with it. One that came by letter or phone is in
    the register."""
    for each in deps.table.query(requests.pk(item["request_id"])):
        if "expires_at" not in each:
            deps.table.update(each["pk"], each["sk"], {"expires_at": item["expires_at"]})
    if item.get("source"):
        registering.enter(deps, item)
    else:
        forget(deps, item["request_id"])


def forget(deps: Deps, request_id: str) -> None:
    """Nothing is left to do about a request that expired."""
    deps.table.update(requests.pk(request_id), "REQUEST", {}, remove=["open"], expect={"open": EXPIRED})


def release_holds(deps: Deps, faults: Faults) -> int:
    """Releases every hold whose end has passed, ends what releases that were cut short left, and lets run what was
    withheld; how many. A hold is noted first, since a release that is killed halfway leaves nothing else to be found
    by."""
    for hold_id in holding.to_release(deps):
        deps.table.put_new(protecting.HOLDS, f"LAPSED#{hold_id}", {"hold_id": hold_id})
    released = 0
    for noted in deps.table.query(protecting.HOLDS, "LAPSED#"):
        with faults.noted("holds"):
            holding.release(deps, noted["hold_id"])
            deps.table.delete(protecting.HOLDS, noted["sk"])
            released += 1
    return released
