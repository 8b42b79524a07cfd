"""The download of a completed access request: until when it is there, and its end.

The bucket's lifecycle deletes packages by the same rule, but late and without a word. What is deleted here stands in
the ledger of its request.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from rightful.clocks import moment
from rightful.lifecycle import Status
from rightful.retention import SKEW
from rightful.service import requests
from rightful.service.deps import Deps, TimeLeft
from rightful.service.faults import Faults

LIFE: Final = timedelta(days=7)
"""After completion; the exports bucket expires objects by the same rule."""
PLACE: Final = "packages/"
ENDING: Final = ".zip"
LEAVING: Final = "download"
"""What the attribute `open` of a request says while its download is being deleted, so that a process that is killed
halfway leaves a trace."""


def key(request_id: str) -> str:
    return f"{PLACE}{request_id}{ENDING}"


def ends(item: Mapping[str, Any]) -> datetime:
    """When the download of a completed access request ends."""
    return moment(item["changed_at"]) + LIFE


def expire(deps: Deps, faults: Faults, time_left: TimeLeft) -> int:
    """Deletes every package whose time is over, and says so in the ledger of its request; how many. A package whose
    request is open or unknown is left to the bucket's lifecycle. A clock that is ahead ends none early."""
    ended = 0
    for begun in deps.table.open_requests(LEAVING):
        with faults.noted("downloads"):
            _end(deps, begun["request_id"])
            ended += 1
    for name in deps.files.list(PLACE):
        if not name.endswith(ENDING):
            continue
        if time_left() <= 0:
            faults.unfinished("downloads")
            break
        with faults.noted("downloads"):
            request_id = name.removeprefix(PLACE).removesuffix(ENDING)
            item = deps.table.get(requests.pk(request_id), "REQUEST")
            if item is not None and _over(item, deps.clock() - SKEW):
                deps.table.update(requests.pk(request_id), "REQUEST", {"open": LEAVING}, expect={"seq": item["seq"]})
                _end(deps, request_id)
                ended += 1
    return ended


def _over(item: Mapping[str, Any], now: datetime) -> bool:
    return item["type"] == "access" and item["status"] == Status.completed.value and ends(item) <= now


def _end(deps: Deps, request_id: str) -> None:
    deps.files.delete(key(request_id))
    requests.append(deps, request_id, "The download was deleted", key="download-ended")
    deps.table.update(requests.pk(request_id), "REQUEST", {}, remove=["open"], expect={"open": LEAVING})
