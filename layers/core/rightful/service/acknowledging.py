"""Confirms to a person that their request was received and verified."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from rightful import clocks
from rightful.clocks import moment
from rightful.errors import NeedsAttention
from rightful.service import contacts, mail_events, mailing, progress, requests
from rightful.service.deps import Deps, TimeLeft
from rightful.service.faults import Faults

KIND: Final = "request_received"
SILENCE: Final = timedelta(days=1)
"""How long work may go on without a word to the person. What is answered within a day needs no other mail."""
BATCH: Final = 100


def acknowledge(deps: Deps, request: Mapping[str, Any]) -> None:
    """Tells the person, once, what goes on, where it takes more than a moment, and how to withdraw. Work does not
    depend on it: a mail that the provider refuses for good is noted. Of what follows an earlier request of theirs they
    hear when it is done. Raises TryAgain."""
    if "follows" in request:
        return
    kind = KIND
    if not requests.is_theirs(request):  # they were told of the report; now of the day on which it is acted on
        if not request.get("scheduled_for"):
            return
        kind = "reported_scheduled"
    to = contacts.of_request(deps, request).email
    try:
        mailing.to_person(deps, request, kind, to)
    except NeedsAttention as refusal:
        mail_events.note_refusal(deps, request["request_id"], kind, str(refusal))


def catch_up(deps: Deps, open_ids: list[str], faults: Faults, time_left: TimeLeft) -> int:
    """Acknowledges every open request whose person was told nothing yet and should have been; how many.

    That is a day after it was verified, and under the ccpa no later than its ten business days allow (11 CCR section
    7021(a)): a request that came by letter may be verified on the last of them."""
    told = 0
    for request_id in _silent(deps, open_ids):
        if time_left() <= 0:
            faults.unfinished("acknowledgements")
            break
        with faults.noted("acknowledgements"):
            request = requests.load(deps, request_id)
            asked = "follows" not in request and requests.is_theirs(request)
            if request["status"] in progress.OPEN and asked and _owed(deps, request, deps.clock()):
                acknowledge(deps, request)
                told += 1
    return told


def _silent(deps: Deps, request_ids: list[str]) -> Iterator[str]:
    """Those about which no such mail was begun, or of which nobody knows yet whether it went out."""
    for at in range(0, len(request_ids), BATCH):
        some = request_ids[at : at + BATCH]
        claims = deps.table.get_many([(requests.pk(each), mailing.claim_key(KIND, 1)) for each in some])
        settled = ("sent_at", "accepted_at", "bounced_at")
        yield from (
            each for each, claim in zip(some, claims, strict=True) if not claim or claim.keys().isdisjoint(settled)
        )


def _owed(deps: Deps, request: Mapping[str, Any], now: datetime) -> bool:
    if now >= moment(request["verified_at"]) + SILENCE:
        return True
    controller = deps.datamap.controller
    received, tz = moment(request["received_at"]), clocks.zone(controller.time_zone)
    last = clocks.confirm_by(request["regime"], received, controller.holidays, tz=tz)
    return last is not None and now + SILENCE >= last
