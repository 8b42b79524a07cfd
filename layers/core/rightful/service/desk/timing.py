"""The clock of a request: the one extension, and pauses where the regime allows them.

Each is told to the person by mail. A step that was killed, or whose mail could not be sent at once, is tried again
with the same input: it does not act twice, but sees to it that the person is told and the workflow woken.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rightful import clocks
from rightful.clocks import moment, stamp
from rightful.errors import Conflict, Invalid, NeedsAttention
from rightful.service import contacts, deciding, mail_events, mailing, progress, requests, terms
from rightful.service.deps import Deps

Request = dict[str, Any]


def extend(deps: Deps, request_id: str, reason: str) -> dict[str, Any]:
    """Takes the statutory extension, once, while the first period runs, and tells the person. Asked for again, it only
    makes sure that they were told. Raises NotFound, Conflict."""
    request = deciding.verified(deps, request_id)
    if request["status"] not in progress.OPEN:
        raise Conflict(f"The request is {request['status']}: there is nothing left to extend.")
    if not request.get("extended_until"):
        paused = request["status"] == "paused"
        if (moment(request["paused_since"]) if paused else deps.clock()) > moment(request["due_at"]):
            raise Conflict(
                "The first period is over: the law asks that the person is told of an extension within it. Answer now."
            )
        until = terms.due(deps, request | (terms.after_pause(deps, request) if paused else {}), extended=True)
        what = f"We need more time; you will have our answer by {_day(deps, until)} at the latest"
        facts = {"due_at": stamp(until), "extended_until": stamp(until), "extension_reason": reason}
        expect = {"extended_until": None, "refusal": None, "status": progress.OPEN, "due_at": request["due_at"]}
        noted = {"due_at": stamp(until), "reason": deps.vault.digest("reason", reason)}
        request = requests.append(deps, request_id, what, key="extended", noted=noted, expect=expect, **facts)
    requests.announce(deps, request)
    due = {"due_at": request["due_at"]}
    if not _tell(deps, request, "extended", reason=request["extension_reason"]):
        return _untold("The request is extended", "before the first period ends, or the extension does not count") | due
    message = f"Extended, once and for all: the answer is due by {_day(deps, moment(request['due_at']))}. "
    return {"ok": True, "message": message + "The person was told the reason.", **due}


def pause(deps: Deps, request_id: str, reason: str, purpose: str = "identification") -> dict[str, Any]:
    """Stops the clock until `resume`, and tells the person what they have to send. Raises NotFound, Invalid when the
    regime knows no pause for this purpose, Conflict."""
    request = deciding.verified(deps, request_id)
    if request["status"] != "paused":
        request = _pause(deps, request, reason, purpose)
    elif request["pause_reason"] != reason:
        raise Conflict("The request is paused already.")
    requests.announce(deps, request)
    if not _tell(deps, request, "paused", number=int(request["pauses_begun"]), reason=reason):
        return _untold("The clock stands still", "now, or resume")
    return {
        "ok": True,
        "message": "Paused: the clock stands still until you resume. The person was told why.",
    }


def _pause(deps: Deps, request: Request, reason: str, purpose: str) -> Request:
    allowed = clocks.pausable(request["regime"], request["type"])
    if not allowed:
        raise Conflict(f"Under {request['regime']} nothing stops the clock. It can be extended once.")
    if purpose not in allowed:
        raise Invalid("The clock cannot be stopped for this.", errors=[("purpose", f"One of: {', '.join(allowed)}.")])
    if request["status"] not in progress.OPEN:
        raise Conflict(f"The request is {request['status']}: its clock runs no more.")
    if deps.clock() > moment(request["due_at"]):
        raise Conflict("The time to answer is over: a pause would not bring it back. Answer now.")
    if _under_way(request):
        raise Conflict("The work on this request has begun: it is answered sooner than it could be paused.")
    expect = {"erasing_since": None, "refusal": None, "status": request["status"]}
    if request["status"] == "in_progress":
        expect["exporting_since"] = None
    return requests.transition(
        deps,
        request["request_id"],
        "paused",
        what="We need an answer from you; until then the time to answer you stands still",
        noted={"purpose": purpose, "law": allowed[purpose], "reason": deps.vault.digest("reason", reason)},
        expect=expect,
        paused_since=stamp(deps.clock()),
        paused_from=request["status"],
        pause_reason=reason,
        pauses_begun=int(request.get("pauses_begun", 0)) + 1,
    )


def resume(deps: Deps, request_id: str, reason: str) -> dict[str, Any]:
    """Lets the clock run on; the days of the pause are added to the time to answer. Raises NotFound, Conflict."""
    request = deciding.verified(deps, request_id)
    resumed_for = deps.vault.digest("reason", f"{request.get('pauses_begun', 0)}\n{reason}")
    if request["status"] == "paused":
        facts = terms.after_pause(deps, request)
        day = _day(deps, moment(facts["due_at"]))
        request = requests.transition(
            deps,
            request_id,
            request["paused_from"],
            what=f"The time to answer you runs again; you will have our answer by {day} at the latest",
            noted={"due_at": facts["due_at"], "reason": resumed_for},
            expect={"status": "paused", "paused_since": request["paused_since"], "paused_from": request["paused_from"]},
            remove=["paused_from", "pause_reason"],
            resumed_for=resumed_for,
            **facts,
        )
    elif request["status"] not in progress.OPEN or request.get("resumed_for") != resumed_for:
        raise Conflict(f"The request is {request['status']}, not paused.")
    requests.announce(deps, request)
    if request.get("question") == "pause":
        token = deps.vault.open(request_id, bytes(request["task_token"])).decode()
        deps.executions.answer(token, {"decision": "retry"})
    due = {"due_at": request["due_at"]}
    if not _tell(deps, request, "resumed", number=int(request["pauses_begun"])):
        return _untold("The clock runs again", "when they will have the answer") | due
    return {"ok": True, "message": f"The clock runs again: due by {_day(deps, moment(due['due_at']))}.", **due}


def _under_way(request: Mapping[str, Any]) -> bool:
    """Whether records are being erased or exported: both are done in minutes unless something fails, and then the
    request waits for the DPO."""
    begun = request.get("erasing_since") or (request["status"] == "in_progress" and request.get("exporting_since"))
    return bool(begun)


def _untold(done: str, when: str) -> dict[str, Any]:
    message = (
        f"{done}, but the person could not be told: the mail to them is refused. Tell them in another way, {when}."
    )
    return {"ok": False, "message": message}


def _day(deps: Deps, at: datetime) -> str:
    return clocks.day(stamp(at), clocks.zone(deps.datamap.controller.time_zone))


def _tell(deps: Deps, request: Request, kind: str, *, number: int = 1, **facts: Any) -> bool:
    """One mail to the person; False when the provider refuses it for good, or it came back. Raises TryAgain while that
    is not known."""
    request_id, to = request["request_id"], contacts.of_request(deps, request).email
    try:
        mailing.to_person(deps, request, kind, to, number=number, **facts)
    except NeedsAttention as refusal:
        mail_events.note_refusal(deps, request_id, kind, str(refusal), number)
    claim = deps.table.get(requests.pk(request_id), mailing.claim_key(kind, number)) or {}
    return "bounced_at" not in claim
