"""Puts a request to the DPO, and carries the answer back to the workflow that waits for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from rightful import lifecycle, refusals
from rightful.clocks import stamp
from rightful.errors import Conflict, Invalid, NotFound
from rightful.service import mailing, progress, requests
from rightful.service.deps import Deps

Why = Literal["approval", "attention"]
Decision = Literal["approve", "reject", "retry", "skip"]
ANSWERS: dict[str, tuple[Decision, ...]] = {
    "awaiting_approval": ("approve", "reject"),
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


def ask(deps: Deps, request_id: str, task_token: str, why: Why, failed: list[str], problem: str = "") -> None:
    """Keeps the task token, sets the status, and mails the DPO what there is to decide, once for each question."""
    request = progress.load_verified(deps, request_id)
    failed = sorted(set(failed))
    if request["status"] in lifecycle.TERMINAL:
        deps.executions.answer(task_token, {"decision": "stop"})
        return
    if why == "approval":
        status, what = "awaiting_approval", "Your request is with our data protection officer"
    else:
        status, what = "needs_attention", "A part of your request needs a person's attention"
    token = deps.vault.seal(request_id, task_token.encode())
    if request.get("task_token_digest") != deps.vault.digest("task token", task_token):
        facts = {
            "task_token": token,
            "task_token_digest": deps.vault.digest("task token", task_token),
            "failed": failed,
            "problem": problem,
            "questions": int(request.get("questions", 0)) + 1,
            "decision": "",
        }
        expect = {"verified_at": request["verified_at"], "status": progress.OPEN}
        if deps.table.update(requests.pk(request_id), "REQUEST", facts, expect=expect) is None:
            deps.executions.answer(task_token, {"decision": "stop"})
            return
    request = requests.transition(deps, request_id, status, what=what)
    plan = deps.table.get(requests.pk(request_id), f"PLAN#{request.get('plan_hash', '')}")
    mailing.send_once(
        deps,
        request_id,
        f"dpo_{why}",
        deps.datamap.controller.contact,
        "en",
        number=int(request["questions"]),
        request=request,
        controller=deps.datamap.controller,
        plan=json.loads(plan["plan"]) if plan else {"stores": {}},
        failed=failed,
        problem=problem,
    )


def decide(
    deps: Deps,
    request_id: str,
    decision: Decision,
    *,
    plan_hash: str = "",
    store: str = "",
    ground: str = "",
    reason: str = "",
) -> dict[str, Any]:
    """The DPO's answer; `{"ok": True, "message"}`. Raises NotFound, Invalid when a field is missing, Conflict when the
    request does not wait for this answer; what they say is for the DPO. The same answer given twice acts once."""
    request = _verified(deps, request_id)
    allowed = ANSWERS.get(request["status"], ())
    if decision not in allowed:
        can_be = f'its "action" can be {", ".join(allowed)}' if allowed else "it waits for no decision"
        raise Conflict(f"The request is {request['status']}: {can_be}.")
    facts: dict[str, Any] = {"decision": decision, "decided_at": stamp(deps.clock())}
    if decision == "approve":
        if not plan_hash:
            raise Invalid("Say which plan you approve.", errors=[("plan_hash", "Copy it from the mail.")])
        if plan_hash != request["plan_hash"]:
            raise Conflict("The plan has changed since that mail. Read the newest one, and copy the hash from there.")
        facts |= {"approved_hash": plan_hash, "approved_at": facts["decided_at"]}
    elif decision == "reject":
        _demand(ground=(ground, "Name it."), reason=(reason, "Say why; the person will read it."))
        if request.get("erasing_since"):
            raise Conflict("Erasing has begun: the request can no longer be refused; retry or skip what failed.")
        meant = refusals.find(ground, request["type"], request["regime"])
        facts |= {"refusal": {"ground": meant.key, "law": meant.law, "reason": reason}}
    elif decision == "skip" and (open_still := _skip(deps, request, store, reason)):
        return {"ok": True, "message": f"{store} is left out. To decide still: {', '.join(open_still)}."}
    # One question has one answer: the workflow acts on the first, and the status follows it only later.
    expect = {
        "status": request["status"],
        "task_token_digest": request["task_token_digest"],
        "decision": ("", decision),
    }
    if deps.table.update(requests.pk(request_id), "REQUEST", facts, expect=expect) is None:
        raise Conflict("This was decided already, or the request has moved on: look at its execution in the console.")
    token = deps.vault.open(request_id, bytes(request["task_token"])).decode()
    if deps.executions.answer(token, {"decision": decision}):
        return {"ok": True, "message": DONE[decision]}
    if request["decision"] == decision:
        return {"ok": True, "message": "You gave this answer before. It counts once."}
    raise Conflict("The workflow no longer waits for this answer: look at its execution in the console.")


def _verified(deps: Deps, request_id: str) -> dict[str, Any]:
    item = deps.table.get(requests.pk(request_id), "REQUEST") or {}
    if not item.get("verified_at"):
        raise NotFound("There is no verified request with this id. Copy it from the mail.")
    return item


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
    progress.skip(deps, request_id, store, reason)
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
    plan = deps.table.get(requests.pk(request["request_id"]), f"PLAN#{request.get('plan_hash', '')}")
    entry = json.loads(plan["plan"])["stores"][name] if plan else {}
    return bool(entry) and not entry["failed"] and set(entry["waits_for"]) <= skipped
