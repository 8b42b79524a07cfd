"""State "Erase from this store and read it back": `{"request_id", "store"}` -> `{"store", "done", "left"}`."""

from rightful.entry import handler as entry
from rightful.service import erasing

handler = entry(lambda deps, event, time_left: erasing.step(deps, event["request_id"], event["store"], time_left))
