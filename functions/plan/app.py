"""State "Write the plan": `{"request_id"}` -> what happens next (see `rightful.service.planning.step`)."""

from rightful.entry import handler as entry
from rightful.service import planning

handler = entry(lambda deps, event, _: planning.step(deps, event["request_id"]))
