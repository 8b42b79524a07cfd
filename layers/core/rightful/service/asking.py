"""Puts a request to the DPO, and keeps the token of the state that waits for the answer."""

from __future__ import annotations

import json
from typing import Any, Literal

from rightful import approvals, lifecycle, refusals
from rightful.errors import Conflict
from rightful.service import mailing, progress, requests
from rightful.service.deps import Deps

Why = Literal["approval", "attention", "pause"]
SAID: dict[Why, tuple[str, str]] = {
    "approval": ("awaiting_approval", "Your request is with our data protection officer"),
    "attention": ("needs_attention", "A part of your request needs a person's attention"),
}
"""Why the DPO is asked -> the request's status meanwhile, and what the person reads."""


def ask(deps: Deps, request_id: str, task_token: str, why: Why, failed: list[str], problem: str = "") -> None:
    """Keeps the task token, sets the status, and mails the DPO what there is to decide, once for each question. A
    paused request (`pause`) asks nothing: it waits for the DPO to let its clock run again."""
    request = progress.load_reported(deps, request_id)
    failed = sorted(set(failed))
    if request["status"] in lifecycle.TERMINAL:
        deps.executions.answer(task_token, {"decision": "stop"})
        return
    if request.get("task_token_digest") != deps.vault.digest("task token", task_token):
        facts = {
            "task_token": deps.vault.seal(request_id, task_token.encode()),
            "task_token_digest": deps.vault.digest("task token", task_token),
            "question": why,
            "failed": failed,
            "problem": problem,
            "questions": int(request.get("questions", 0)) + 1,
            "decision": "",
        }
        if deps.table.update(requests.pk(request_id), "REQUEST", facts, expect=progress.standing(request)) is None:
            deps.executions.answer(task_token, {"decision": "stop"})
            return
    request = progress.load_reported(deps, request_id)  # after the token is there: whoever resumes from now on finds it
    if request["status"] in lifecycle.TERMINAL:
        deps.executions.answer(task_token, {"decision": "stop"})
        return
    if request.get("refusal"):
        deps.executions.answer(task_token, {"decision": "reject"})
        return
    if why == "pause":
        if request["status"] != "paused":
            deps.executions.answer(task_token, {"decision": "retry"})
        return
    request = _enter(deps, request, *SAID[why])
    _mail(deps, request, why, failed, problem)


def _enter(deps: Deps, request: dict[str, Any], status: str, what: str) -> dict[str, Any]:
    """The status of a request that waits for an answer; one that is paused takes it up when its clock runs again."""
    request_id = request["request_id"]
    noted = {"plan_hash": request.get("plan_hash", "")}
    try:
        return requests.transition(deps, request_id, status, what=what, noted=noted, expect=requests.NOT_PAUSED)
    except Conflict:
        later = {"paused_from": status}
        held = deps.table.update(requests.pk(request_id), "REQUEST", later, expect={"status": "paused"})
        if held is None:
            raise
        return held


def _mail(deps: Deps, request: dict[str, Any], why: Why, failed: list[str], problem: str) -> None:
    request_id, controller = request["request_id"], deps.datamap.controller
    plan = _plan(deps, request_id, request.get("plan_hash", ""))
    facts: dict[str, Any] = {"request": request, "controller": controller, "plan": plan or {"stores": {}}}
    facts["desk"] = deps.settings.desk_url
    number = int(request["questions"])
    if why == "attention":
        facts |= {"failed": failed, "problem": problem}
        mailing.send_once(
            deps, request_id, "dpo_attention", controller.contact, controller.locale, number=number, **facts
        )
        return
    facts["grounds"] = [ground.key for ground in refusals.fitting(request["type"], request["regime"])]
    before = _plan(deps, request_id, request.get("asked_hash", ""))
    facts["changed"] = approvals.difference(before, plan) if before and plan else {}
    for kind, approver in approvers(deps, request).items():
        code = approval_code(deps, request, approver) if len(approvers(deps, request)) > 1 else ""
        mailing.send_once(deps, request_id, kind, approver, controller.locale, number=number, code=code, **facts)
    deps.table.update(
        requests.pk(request_id),
        "REQUEST",
        {"asked_hash": request["plan_hash"]},
        expect={"plan_hash": request["plan_hash"]},
    )


def approvers(deps: Deps, request: dict[str, Any]) -> dict[str, str]:
    """Kind of the mail that asks for an approval -> to whom it goes; whoever is in it must approve."""
    controller = deps.datamap.controller
    policy = deps.datamap.requests.get(request["type"])
    asked = {"dpo_approval": controller.contact}
    return asked | ({"dpo_second_approval": controller.deputy} if policy and policy.approvers == 2 else {})


def approval_code(deps: Deps, request: dict[str, Any], approver: str) -> str:
    """What only this person's mail holds: that a plan was approved by two, and not twice by one, shows by it. Good for
    this plan of this request alone."""
    return deps.vault.digest("approval", f"{request['request_id']}\n{request['plan_hash']}\n{approver}")[:22]


def _plan(deps: Deps, request_id: str, plan_hash: str) -> dict[str, Any] | None:
    item = deps.table.get(requests.pk(request_id), f"PLAN#{plan_hash}") if plan_hash else None
    plan: dict[str, Any] | None = json.loads(item["plan"]) if item else None
    return plan
