"""State "Weigh what is due against the brake": `{"run_id", "applied": [store]}` -> `{"apply", "stores", "waiting"}`."""

from rightful.entry import handler as entry
from rightful.service.sweep import weighing

handler = entry(lambda deps, event, _: weighing.step(deps, event["run_id"], event["applied"]))
