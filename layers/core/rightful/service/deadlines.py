"""The daily round: what is due, and what is over. Every part runs although another part failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rightful import agenda, clocks
from rightful.service import acknowledging, digest, downloads, lapsing, protecting
from rightful.service.deps import Deps, TimeLeft
from rightful.service.faults import Faults


@dataclass(slots=True)
class Round:
    """What a round came to. `counts` lacks what a failed part would have counted."""

    counts: dict[str, int] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)


def step(deps: Deps, time_left: TimeLeft) -> Round:
    """Ends lapsed holds, expired requests and downloads; acknowledges what nobody acknowledged; writes the calendar and
    mails the DPO. Whatever is done is done once, so a round may be killed anywhere and run again, or run twice.

    Counts: `released`, `expired`, `downloads`, `acknowledged`, `mailed` (0 or 1) of this round; `open`, `overdue`,
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
    with noted("open requests"):
        drawn = agenda.drawn_up(deps.table.open_requests(), now, clocks.zone(deps.datamap.controller.time_zone))
        counts |= _counted(drawn)
        ids = [matter.request_id for matter in (*drawn.dated, *drawn.paused)]
        with noted("acknowledgements"):
            counts["acknowledged"] = acknowledging.catch_up(deps, ids, done.faults, time_left)
        dates = b""
        with noted("calendar"):
            dates = digest.calendar(deps, drawn, now)
        with noted("mail to the DPO"):
            counts["mailed"] = int(digest.mail(deps, drawn, dates, unconfirmed, now))
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
