"""States of PolicyNotice: `{"step": "begin", "version"}` -> `{"notice_id", "round", "segments"}`; `{"step": "tell",
"notice_id", "round", "segment"}` -> `{"done", "until"}`; `{"step": "end", "notice_id", "round"}` -> what came of it."""

from typing import Any

from rightful.entry import Event
from rightful.entry import handler as entry
from rightful.service.announcing import ending, telling
from rightful.service.deps import Deps, TimeLeft


def announce(deps: Deps, event: Event, time_left: TimeLeft) -> dict[str, Any]:
    match event["step"]:
        case "begin":
            return telling.begin(deps, event["version"])
        case "tell":
            return telling.tell(deps, event["notice_id"], event["round"], event["segment"], time_left)
        case _:
            return ending.step(deps, event["notice_id"], event["round"])


handler = entry(announce)
