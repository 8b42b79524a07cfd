"""State "Tell the person": `{"request_id"}` -> `{"status"}`."""

from rightful.entry import handler as entry
from rightful.service import completing

handler = entry(lambda deps, event, _: completing.step(deps, event["request_id"]))
