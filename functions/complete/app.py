"""State "Tell the person": `{"request_id"}` -> `{"status"}`."""

from rightful.entry import Event, measure
from rightful.entry import handler as entry
from rightful.service import completing, measuring
from rightful.service.deps import Deps, TimeLeft


def complete(deps: Deps, event: Event, _: TimeLeft) -> dict[str, str]:
    answer = completing.step(deps, event["request_id"])
    measure(measuring.closed(deps, event["request_id"]))
    return answer


handler = entry(complete)
