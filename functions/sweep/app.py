"""States "Count what is due" and "Delete or anonymise what is due": `{"run_id", "stage", "store", "segment"}` ->
`{"done": bool}`."""

from rightful.entry import handler as entry
from rightful.service.sweep import sweeping

handler = entry(
    lambda deps, event, time_left: sweeping.step(
        deps, event["run_id"], event["stage"], event["store"], event["segment"], time_left
    )
)
