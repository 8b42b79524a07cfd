"""State "Split every store into segments": `{"input", "execution", "tries"?}` -> `{"run_id", "mode", "segments",
"mine"}`."""

from rightful.entry import handler as entry
from rightful.service.sweep import splitting

handler = entry(lambda deps, event, _: splitting.step(deps, event["input"], event["execution"], event.get("tries", 0)))
