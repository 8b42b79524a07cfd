"""State "Wait for the DPO to release the brake": `{"run_id", "task_token"}`; answered by token."""

from typing import Any

from rightful.entry import Event, measure
from rightful.entry import handler as entry
from rightful.service.deps import Deps, TimeLeft
from rightful.service.sweep import braking, measuring, reporting


def brake(deps: Deps, event: Event, _: TimeLeft) -> dict[str, Any]:
    summary = braking.ask(deps, event["run_id"], event["task_token"])
    points = measuring.braked(summary, deps.settings.stage)
    if points and measuring.first(deps, summary, "braked"):
        measure(points)
    return reporting.output(summary)


handler = entry(brake)
