"""State "Write the report": `{"run_id"}` -> what the execution answers (see `reporting.output`)."""

from typing import Any

from rightful.entry import Event, measure
from rightful.entry import handler as entry
from rightful.service.deps import Deps, TimeLeft
from rightful.service.sweep import measuring, reporting


def report(deps: Deps, event: Event, _: TimeLeft) -> dict[str, Any]:
    summary = reporting.step(deps, event["run_id"])
    if measuring.first(deps, summary, "ended"):
        measure(measuring.ended(summary, deps.settings.stage))
    return reporting.output(summary)


handler = entry(report)
