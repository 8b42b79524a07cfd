"""Ends a round of telling people: adds up what became of each account, writes it into the desk's ledger, and mails it
to the data protection officer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from rightful import clocks
from rightful.service import mailing, policies
from rightful.service.announcing import notices, telling
from rightful.service.deps import Deps
from rightful.service.desk import book

SKIPPED: Final = (telling.SAME_ADDRESS, telling.NO_ADDRESS, telling.ODD_ADDRESS)
"""Why an account got no mail of its own although nothing failed."""


def step(deps: Deps, notice_id: str, number: int) -> dict[str, Any]:
    """`{"version", "told", "skipped": {why: accounts}, "refused", "segments_left"}`: accounts whose mail the provider
    refused, and segments that could not be gone through. Run again, it counts no more. Raises TryAgain."""
    of = notices.load_round(deps, notice_id, number)
    version = (notices.find(deps, notice_id) or {})["version"]
    known = notices.ended(deps, notice_id, number)
    if known is None:
        counted, left = notices.counts(deps, of)
        facts = {
            **{name: counted[name] for name in (telling.TOLD, *SKIPPED, telling.REFUSED)},
            "segments_left": left,
            "ended_on": _today(deps).isoformat(),
        }
        what = "People were told of a version of the policy"
        book.enter(deps, what, f"told:{notice_id}:{number}", {"version": version, **facts})
        notices.end(deps, of, facts, whole=is_whole(facts))
        known = notices.ended(deps, notice_id, number) or facts
    _mail(deps, notice_id, number, known)
    return {
        "version": version,
        "told": known[telling.TOLD],
        "skipped": {why: known[why] for why in SKIPPED},
        "refused": known[telling.REFUSED],
        "segments_left": known["segments_left"],
    }


def is_whole(counts: Mapping[str, Any]) -> bool:
    """Whether everybody was reached who can be."""
    return not (counts[telling.REFUSED] or counts["segments_left"])


def _today(deps: Deps) -> date:
    """At the controller's seat, where the policy takes effect."""
    return deps.clock().astimezone(clocks.zone(deps.datamap.controller.time_zone)).date()


def _mail(deps: Deps, notice_id: str, number: int, counts: Mapping[str, Any]) -> None:
    notice = notices.find(deps, notice_id) or {}
    policy = policies.find(deps, notice["version"]) or {}
    controller = deps.datamap.controller
    in_time = date.fromisoformat(policy["effective_from"]) - policies.NOTICE
    mailing.send_once(
        deps,
        notice_id,
        notices.KIND_DPO,
        controller.contact,
        controller.locale,
        number=number,
        controller=controller,
        desk=deps.settings.desk_url,
        policy={name: policy[name] for name in (*policies.SHOWN, "material")},
        counts={name: int(counts[name]) for name in (telling.TOLD, *SKIPPED, telling.REFUSED, "segments_left")},
        bounced=int(notice.get("bounced", 0)),
        whole=is_whole(counts),
        late="" if date.fromisoformat(counts["ended_on"]) <= in_time else counts["ended_on"],
    )
