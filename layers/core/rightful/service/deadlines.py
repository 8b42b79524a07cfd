"""The daily round: what is due, and what is over. Every part runs although another part failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from rightful import agenda, clocks
from rightful.clocks import stamp
from rightful.service import acknowledging, digest, downloads, gathering, issues, lapsing, protecting
from rightful.service.deps import Deps, TimeLeft
from rightful.service.faults import Faults

_DAY: Final = timedelta(days=1)


@dataclass(slots=True)
class Round:
    """What a round came to. `counts` lacks what a failed part would have counted."""

    counts: dict[str, int] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)


def step(deps: Deps, time_left: TimeLeft) -> Round:
    """Ends lapsed holds, expired requests and downloads; acknowledges what nobody acknowledged; passes on the issues
    that were gathered; writes the calendar and mails the DPO. Whatever is done is done once, so a round may be killed
    anywhere and run again, or run twice.

    Counts: `released`, `expired`, `downloads`, `acknowledged`, `gathered`, `mailed` (0 or 1) of this round; `dropped`
    (reports of issues, on the day before); `breaches` (clocks that run), `breaches_overdue`, `open`, `overdue`,
    `due_within_2`, `due_within_7` (those within 2 included), `paused`, `awaiting_dpo`, `oldest_days`, `active_holds`
    as they are now. Look at `faults` when the counts are measured."""
    done = Round()
    counts, noted = done.counts, done.faults.noted
    now = deps.clock()
    unconfirmed: list[dict[str, Any]] = []
    with noted("holds"):
        counts["released"] = lapsing.release_holds(deps, done.faults)
        counts["active_holds"] = len(protecting.active(deps))
    with noted("unverified requests"):
        counts["expired"], unconfirmed = lapsing.expire_requests(deps, done.faults, time_left)
    with noted("downloads"):
        counts["downloads"] = downloads.expire(deps, done.faults, time_left)
    tz = clocks.zone(deps.datamap.controller.time_zone)
    breaches: list[agenda.Breach] = []
    with noted("issues"):
        counts["gathered"] = gathering.pass_on(deps, now, tz, done.faults, time_left)
        counts["dropped"] = issues.dropped(deps, stamp(now - _DAY)[:10])
    with noted("breaches"):
        breaches = gathering.breaches(deps, now, tz)
        counts["breaches"] = len(breaches)
        counts["breaches_overdue"] = sum(each.hours_left < 0 for each in breaches)
    with noted("open requests"):
        drawn = agenda.drawn_up(deps.table.open_requests(), now, tz)
        counts |= _counted(drawn)
        ids = [matter.request_id for matter in (*drawn.dated, *drawn.paused)]
        with noted("acknowledgements"):
            counts["acknowledged"] = acknowledging.catch_up(deps, ids, done.faults, time_left)
        dates = b""
        with noted("calendar"):
            dates = digest.calendar(deps, drawn, breaches, now)
        with noted("mail to the DPO"):
            counts["mailed"] = int(digest.mail(deps, drawn, breaches, dates, unconfirmed, now))
    return done


def _counted(drawn: agenda.Agenda) -> dict[str, int]:
    return {
        "open": len(drawn.dated) + len(drawn.paused),
        "overdue": len(drawn.overdue),
        "due_within_2": len(drawn.near),
        "due_within_7": len(drawn.near) + len(drawn.soon),
        "paused": len(drawn.paused),
        "awaiting_dpo": drawn.awaiting_dpo,
        "oldest_days": drawn.oldest_days,
    }
