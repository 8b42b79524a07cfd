"""State "Export from this store": `{"request_id", "store"}` -> `{"store", "done": bool}`."""

from rightful.entry import handler as entry
from rightful.service import exporting

handler = entry(lambda deps, event, time_left: exporting.step(deps, event["request_id"], event["store"], time_left))
