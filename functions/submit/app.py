"""State "Take in a request from a letter or a call": `{"order"}` -> `{"ok": bool, "message", "request_id", ...}`."""

from typing import Any

from rightful.entry import Event
from rightful.entry import handler as entry
from rightful.service.deps import Deps, TimeLeft
from rightful.service.desk import orders, submitting


def submit(deps: Deps, event: Event, _: TimeLeft) -> dict[str, Any]:
    return orders.carry_out(deps, event["order"], lambda order: submitting.submit(deps, order))


handler = entry(submit)
