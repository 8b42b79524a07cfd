"""States "Tell the recipients" and "Note which recipients could not be told": `{"request_id", "last"}` -> `{"done",
"failed"}`."""

from rightful.entry import handler as entry
from rightful.service import notifying

handler = entry(lambda deps, event, time_left: notifying.step(deps, event["request_id"], time_left, last=event["last"]))
