"""State "Find the person's records": `{"request_id"}` -> `{"done": bool}`."""

from rightful.entry import handler as entry
from rightful.service import discovering

handler = entry(lambda deps, event, time_left: discovering.step(deps, event["request_id"], time_left))
