"""State "Pack the download": `{"request_id"}` -> `{"done": bool, "failed": [store, ...]}`."""

from rightful.entry import handler as entry
from rightful.service import packaging

handler = entry(lambda deps, event, time_left: packaging.step(deps, event["request_id"], time_left))
