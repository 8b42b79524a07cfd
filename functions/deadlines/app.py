"""The daily round, started by a schedule: `{"run_id"}` (the scheduled time, for the log) -> counts. What fails is
raised once the counts are measured, so that Lambda tries again; a second round does what the first left undone."""

from rightful.entry import Event, measure
from rightful.entry import handler as entry
from rightful.service import deadlines, measuring
from rightful.service.deps import Deps, TimeLeft


def watch(deps: Deps, _: Event, time_left: TimeLeft) -> dict[str, int]:
    done = deadlines.step(deps, time_left)
    measure(measuring.watched(done.counts, deps.settings.stage, whole=not done.faults))
    done.faults.ensure_none()
    return done.counts


handler = entry(watch)
