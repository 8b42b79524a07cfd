"""Carries the DPO's answer to the request that waits for it.

One question has one answer: it is taken by one conditional write, together with its entry in the ledger, and the
workflow acts on it. The same answer given twice acts once.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal

from rightful import refusals
from rightful.clocks import stamp
from rightful.errors import Conflict, Invalid, NeedsAttention, NotFound, TryAgain
from rightful.service import asking, completing, progress, requests
from rightful.service.deps import Deps

Decision = Literal["approve", "reject", "retry", "skip"]
ANSWERS: dict[str, tuple[Decision, ...]] = {
    "in_progress": ("reject",),
    "awaiting_approval": ("approve", "reject"),
    "scheduled": ("reject",),
    "paused": ("reject",),
    "needs_attention": ("retry", "skip", "reject"),
}
"""Status -> what may be decided in it."""
DONE: dict[Decision, str] = {
    "approve": "Approved. If another search finds the records as you saw them, this plan is carried out; else you are "
    "asked again.",
    "reject": "Refused. The person is told the ground and the reason.",
    "retry": "All that failed is tried again. Should something fail once more, you get another mail.",
    "skip": "Nothing is left to decide. The person is told what was left out, and why.",
}
"""What the DPO reads when the workflow has taken the answer."""
NOTED: dict[Decision, str] = {
    "approve": "Our data protection officer approved what is to be done",
    "reject": "Our data protection officer decided to refuse your request",
    "retry": "What could not be done is tried again",
    "skip": "What could not be done is left out",
}
"""What the person reads."""


def decide(
    deps: Deps,
    request_id: str,
    decision: Decision,
    *,
    plan_hash: str = "",
    code: str = "",
    store: str = "",
    ground: str = "",
    reason: str = "",
) -> dict[str, Any]:
    """The DPO's answer; `{"ok": True, "message"}`. Raises NotFound, Invalid when a field is missing, Conflict when the
    request does not wait for this answer; what they say is for the DPO."""
    request = _decidable(deps, request_id)
    if decision == "reject" and request["status"] == "rejected" and request["refusal"]["reason"] == reason:
        return _told(
            deps, requests.announce(deps, request)
        )  # by an earlier try, which may not have come as far as telling the person
    _ensure_allowed(request, decision)
    facts: dict[str, Any] = {"decision": decision, "decided_at": stamp(deps.clock())}
    noted: dict[str, Any] = {}
    if decision == "approve":
        _ensure_this_plan(request, plan_hash)
        if missing := _approve(deps, request, code):
            return {"ok": True, "message": f"Your approval is noted. It takes another one, of {missing}."}
        facts |= {"approved_hash": request["plan_hash"], "approved_at": facts["decided_at"]}
        noted = {"plan_hash": request["plan_hash"]}
        if not request.get("verified_at"):  # here, and nowhere else, the approval stands in for the person's own word
            facts |= {"verified_at": facts["decided_at"], "verified_by": "dpo"}
            noted["verified_by"] = "dpo"
    elif decision == "reject":
        facts["refusal"] = _refusal(request, ground, reason)
        noted = {"ground": facts["refusal"]["ground"], "reason": deps.vault.digest("reason", reason)}
        if not _asked(request):
            if "refusal" in request:
                raise Conflict(DECIDED)
            return _refuse_now(deps, request, facts["refusal"], noted)
    elif decision == "retry":
        _ensure_failed(request, store)
    elif decision == "skip" and (open_still := _skip(deps, request, store, reason)):
        return {"ok": True, "message": f"{store} is left out. To decide still: {', '.join(open_still)}."}
    return _answer(deps, request, decision, facts, noted)


def _ensure_failed(request: Mapping[str, Any], store: str) -> None:
    """All that failed is tried again; whoever names a store means one of those."""
    failed = request.get("failed", [])
    if store and failed and store not in failed:
        raise Invalid("This store did not fail.", errors=[("store", f"Leave it away, or: {', '.join(failed)}.")])


def verified(deps: Deps, request_id: str) -> dict[str, Any]:
    """The request. Raises NotFound for one that is unknown, or whose person was never verified."""
    item = deps.table.get(requests.pk(request_id), "REQUEST") or {}
    if not item.get("verified_at"):
        raise NotFound("There is no verified request with this id. Copy it from the mail.")
    return item


def _decidable(deps: Deps, request_id: str) -> dict[str, Any]:
    """The same, or one that stands on a report alone: the DPO's approval is what lets it go on."""
    item = deps.table.get(requests.pk(request_id), "REQUEST") or {}
    return item if item.get("reported_at") and not item.get("verified_at") else verified(deps, request_id)


def _ensure_allowed(request: Mapping[str, Any], decision: Decision) -> None:
    allowed = ANSWERS.get(request["status"], ())
    if decision not in allowed:
        can_be = f'its "action" can be {", ".join(allowed)}' if allowed else "it waits for no decision"
        raise Conflict(f"The request is {request['status']}: {can_be}.")
    if decision == "reject" and request.get("erasing_since"):
        raise Conflict("Erasing has begun: the request can no longer be refused; retry or skip what failed.")


def _asked(request: Mapping[str, Any]) -> bool:
    """Whether its workflow waits for an answer, with a token."""
    if request["status"] == "paused":  # the token may be that of a question that was answered before
        return bool(request.get("task_token")) and not request.get("decision")
    return request["status"] in ("awaiting_approval", "needs_attention")


def _answer(
    deps: Deps, request: dict[str, Any], decision: Decision, facts: dict[str, Any], noted: Mapping[str, Any]
) -> dict[str, Any]:
    """Takes the answer, unless there is another one, and wakes the workflow."""
    request_id = request["request_id"]
    verified_at = (request.get("verified_at"), facts.get("verified_at"))
    expect = {**_open_question(request), "decision": ("", decision), "verified_at": verified_at}
    key = f"decided:{request['questions']}:{decision}"
    what = NOTED[decision]
    if decision == "reject" and not requests.is_theirs(request):
        what = "Our data protection officer decided that nothing is deleted"
    try:
        requests.append(deps, request_id, what, key=key, noted=noted, expect=expect, **facts)
    except Conflict:
        raise Conflict(DECIDED) from None
    if decision == "retry":
        _take_back_skips(deps, request)
    token = deps.vault.open(request_id, bytes(request["task_token"])).decode()
    question = request["questions"]
    if deps.executions.answer(token, {"decision": decision}):
        deps.table.update(requests.pk(request_id), "REQUEST", {"answered": question}, expect={"questions": question})
        return {"ok": True, "message": DONE[decision]}
    now = requests.load(deps, request_id)
    if now.get("answered") == question or now["questions"] != question or now["status"] != request["status"]:
        return {"ok": True, "message": "You gave this answer before. It counts once."}
    raise Conflict(
        "Your answer is kept, and the workflow no longer waits for it: it goes on by now, or has ended. Look at its "
        "execution in the console. If that has ended, have the operator start PrivacyRequest anew with this request_id."
    )


def _ensure_this_plan(request: Mapping[str, Any], plan_hash: str) -> None:
    """Without a hash, it is the plan of the newest mail that is approved."""
    if plan_hash and plan_hash.strip().lower() != request["plan_hash"]:
        raise Conflict("The plan has changed since that mail. Read the newest one, and copy the hash from there.")


def _approve(deps: Deps, request: dict[str, Any], code: str) -> str:
    """Notes an approval where it takes two. Returns who has still to give theirs; empty when the plan is approved."""
    needed = list(asking.approvers(deps, request).values())
    if len(needed) == 1:
        return ""
    mine = [each for each in needed if _same(asking.approval_code(deps, request, each), code)]
    if not mine:
        cure = "Copy it from the mail about this plan that went to you; the other person's is another one."
        raise Invalid("It takes two persons to approve this plan, each with their own code.", errors=[("code", cure)])
    for each in mine:
        key = f"approved:{request['plan_hash']}:{needed.index(each) + 1}"
        what = f"One of {len(needed)} approvals of what is to be done was given"
        expect = {"status": request["status"], "plan_hash": request["plan_hash"]}
        item = requests.append(
            deps, request["request_id"], what, key=key, noted={"plan_hash": request["plan_hash"]}, expect=expect
        )
        request = item
    given = {entry["key"] for entry in requests.entries(deps, request)}
    names = ("the data protection officer", "the deputy")
    numbers = range(1, len(needed) + 1)
    missing = [names[n - 1] for n in numbers if f"approved:{request['plan_hash']}:{n}" not in given]
    return ", ".join(missing)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "surrogatepass"))


def _refusal(request: Mapping[str, Any], ground: str, reason: str) -> dict[str, str]:
    """Raises Invalid that names what is missing, or the grounds that there are."""
    faults: list[tuple[str, str]] = []
    try:
        found = refusals.find(ground, request["type"], request["regime"])
    except Invalid as fault:
        faults += fault.errors
    if not reason.strip():
        faults.append(("reason", WHY))
    if faults:
        raise Invalid(f"Look at {' and '.join(name for name, _ in faults)}.", errors=faults)
    return {"ground": found.key, "law": found.law, "reason": reason}


WHY = "Say why; the person will read it."
DECIDED = "This was decided already, or the request has moved on: look at its execution in the console."


def _open_question(request: Mapping[str, Any]) -> dict[str, Any]:
    """True while nobody answered the question that this request was loaded with."""
    return {"status": request["status"], "task_token_digest": request["task_token_digest"]}


def _take_back_skips(deps: Deps, request: dict[str, Any]) -> None:
    """All that failed is tried again, what was left out since the question came too."""
    begins = f"skipped:{request['questions']}:"
    for entry in requests.entries(deps, requests.load(deps, request["request_id"])):
        if entry["key"].startswith(begins):
            progress.unskip(deps, request["request_id"], entry["facts"]["store"])


def _partly(deps: Deps, request: Mapping[str, Any], store: str, row: Mapping[str, Any]) -> bool:
    """Whether a store that failed may have been erased in part: its erasure was planned and begun, and did not come to
    the count at its end."""
    if not request.get("erasing_since") or row.get("done"):
        return False
    entry = _planned(deps, request).get(store, {})
    return bool(entry.get("delete", 0) + entry.get("anonymise", 0))


def _planned(deps: Deps, request: Mapping[str, Any]) -> dict[str, Any]:
    plan = deps.table.get(requests.pk(request["request_id"]), f"PLAN#{request.get('plan_hash', '')}")
    stores: dict[str, Any] = json.loads(plan["plan"])["stores"] if plan else {}
    return stores


def _refuse_now(
    deps: Deps, request: dict[str, Any], refusal: Mapping[str, str], noted: Mapping[str, Any]
) -> dict[str, Any]:
    """Refuses a request that waits for nobody: its workflow finds it ended, and ends."""
    what = requests.refused(request)
    item = requests.transition(deps, request["request_id"], "rejected", what=what, noted=noted, refusal=dict(refusal))
    if token := item.get("task_token"):  # it may have begun to wait meanwhile
        deps.executions.answer(deps.vault.open(item["request_id"], bytes(token)).decode(), {"decision": "stop"})
    return _told(deps, item)


def _told(deps: Deps, item: dict[str, Any]) -> dict[str, Any]:
    with suppress(TryAgain, NeedsAttention):  # it is refused all the same, and the workflow tells it as it closes
        completing.tell(deps, item)
    return {"ok": True, "message": DONE["reject"]}


def _demand(**fields: tuple[str, str]) -> None:
    """Raises Invalid that names the fields without a value. `fields`: value, and what to write there."""
    missing = [(name, cure) for name, (value, cure) in fields.items() if not value.strip()]
    if missing:
        raise Invalid(f"{' and '.join(name for name, _ in missing).capitalize()} missing.", errors=missing)


def _skip(deps: Deps, request: dict[str, Any], store: str, reason: str) -> list[str]:
    """Marks one failed store as skipped. Returns the failed stores that still need a decision."""
    failed = list(request.get("failed", []))
    if not failed:
        raise Conflict("What failed is not one store, so nothing can be skipped. Remove the cause, then retry.")
    if store not in failed:
        raise Invalid("Only a store that failed can be skipped.", errors=[("store", f"One of: {', '.join(failed)}.")])
    _demand(reason=(reason, "Say why it may be left out; the person will read it."))
    request_id = request["request_id"]
    before = progress.rows(deps, request_id)
    key = f"skipped:{request['questions']}:{store}"
    noted = {"store": store, "reason": deps.vault.digest("reason", reason)}
    what = "A part that could not be done is left out"
    expect = {**_open_question(request), "decision": ("", "skip")}
    try:
        requests.append(deps, request_id, what, key=key, noted=noted, expect=expect)
    except Conflict:
        raise Conflict(DECIDED) from None
    progress.skip(deps, request_id, store, reason, partly=_partly(deps, request, store, before.get(store, {})))
    rows = progress.rows(deps, request_id)
    skipped = {name for name, row in rows.items() if row.get("skipped")}
    return [name for name in failed if name not in skipped and not _through(deps, request, name, rows, skipped)]


def _through(
    deps: Deps, request: dict[str, Any], name: str, rows: Mapping[str, dict[str, Any]], skipped: set[str]
) -> bool:
    """Whether a store that could be worked through only waited for skipped ones, which might have led to more in it."""
    row = rows.get(name, {})
    if not row.get("done") or row.get("left"):
        return False
    entry = _planned(deps, request).get(name, {})
    return bool(entry) and not entry["failed"] and set(entry["waits_for"]) <= skipped
