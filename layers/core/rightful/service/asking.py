"""Puts a request to the DPO, and carries the answer back to the workflow that waits for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from rightful import lifecycle
from rightful.clocks import stamp
from rightful.errors import Conflict, Invalid
from rightful.service import mailing, progress, requests
from rightful.service.deps import Deps

Why = Literal["approval", "attention"]
Decision = Literal["approve", "reject", "retry", "skip"]
ANSWERS: dict[str, tuple[Decision, ...]] = {
    "awaiting_approval": ("approve", "reject"),
    "needs_attention": ("retry", "skip", "reject"),
}
"""Status -> what may be decided in it."""


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
    """The DPO's answer. Raises Invalid when a field is missing, Conflict when the request does not wait for this
    answer; the message says what it does wait for. The same answer given twice acts once."""
    request = progress.load_verified(deps, request_id)
    allowed = ANSWERS.get(request["status"], ())
    if decision not in allowed:
        waiting = f"waits for: {', '.join(allowed)}" if allowed else "waits for no decision"
        raise Conflict(f"The request is {request['status']} and {waiting}.")
    facts: dict[str, Any] = {"decision": decision, "decided_at": stamp(deps.clock())}
    if decision == "approve":
        if plan_hash != request["plan_hash"]:
            raise Conflict("This is not the hash of the newest plan. Copy it from the newest mail: the plan changed.")
        facts |= {"approved_hash": plan_hash, "approved_at": facts["decided_at"]}
    elif decision == "reject":
        if not (ground and reason):
            raise Invalid(
                "A refusal needs a ground and a reason.", errors=[("ground", "name it"), ("reason", "say why")]
            )
        if request.get("erasing_since"):
            raise Conflict("Erasing has begun: the request can no longer be refused; retry or skip what failed.")
        facts |= {"refusal": {"ground": ground, "reason": reason}}
    elif decision == "skip" and not _skip(deps, request, store, reason):
        return {"ok": True, "message": f"{store} is skipped; other stores still need a decision."}
    # One question has one answer: the workflow acts on the first, and the status follows it only later.
    expect = {
        "status": request["status"],
        "task_token_digest": request["task_token_digest"],
        "decision": ("", decision),
    }
    if deps.table.update(requests.pk(request_id), "REQUEST", facts, expect=expect) is None:
        raise Conflict("The request was decided already, or has moved on meanwhile; look at it again.")
    token = deps.vault.open(request_id, bytes(request["task_token"])).decode()
    if deps.executions.answer(token, {"decision": decision}):
        return {"ok": True, "message": f"Done: {decision}."}
    if request["decision"] == decision:
        return {"ok": True, "message": "The workflow had this answer already."}
    raise Conflict("The workflow no longer waits for this answer: look at its execution in the console.")


def _skip(deps: Deps, request: dict[str, Any], store: str, reason: str) -> bool:
    """Marks one failed store as skipped; whether that was the last one that needed a decision."""
    failed = list(request.get("failed", []))
    if store not in failed or not reason:
        errors = [("store", f"one of {', '.join(failed) or '(none failed)'}"), ("reason", "say why it may be left out")]
        raise Invalid("Skipping needs a store that failed, and a reason.", errors=errors)
    request_id = request["request_id"]
    progress.skip(deps, request_id, store, reason)
    rows = progress.rows(deps, request_id)
    skipped = {name for name, row in rows.items() if row.get("skipped")}
    return all(name in skipped or _through(deps, request, name, rows, skipped) for name in failed)


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
