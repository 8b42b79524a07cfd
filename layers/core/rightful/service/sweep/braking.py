"""Puts a braked sweep to the DPO, and carries the answer back to the execution that waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

from rightful.clocks import stamp
from rightful.errors import Conflict, Invalid, NotFound
from rightful.service import mailing
from rightful.service.deps import Deps
from rightful.service.sweep import reporting, runs, weighing

Decision = Literal["continue_sweep", "cancel_sweep"]
DECISIONS: Final[dict[Decision, str]] = {"continue_sweep": "continue", "cancel_sweep": "cancel"}


def ask(deps: Deps, run_id: str, task_token: str) -> dict[str, Any]:
    """Writes the report as it stands, gives the other stores back to the next run, keeps the task token, and mails the
    DPO what is braked, once; the report's summary."""
    run = runs.load(deps, run_id)
    summary = reporting.write(deps, run)
    sealed = deps.vault.seal(runs.key_id(run_id), task_token.encode(), run.began_at + runs.LIFE)
    deps.table.update(runs.pk(run_id), "RUN", {"task_token": sealed})
    weighed = weighing.weigh(deps, run)  # after the token is there: whoever answers from now on finds it
    waiting = weighed.waiting
    if not waiting:
        deps.executions.answer(task_token, {})
        return summary
    runs.unlock(deps, run, keep=weighed.braked)
    controller = deps.datamap.controller
    mailing.send_once(
        deps,
        runs.key_id(run_id),
        "dpo_brake",
        controller.contact,
        controller.locale,
        controller=controller,
        request={"request_id": run_id, "type": "retention"},
        desk=deps.settings.desk_url,
        run_id=run_id,
        report=summary["report"],
        stores={name: summary["stores"][name] for name in waiting},
    )
    return summary


def decide(deps: Deps, run_id: str, decision: Decision, *, stores: Sequence[str] = (), reason: str) -> dict[str, Any]:
    """The DPO's answer, for the stores named or for all that wait. Raises NotFound, Invalid (naming the field) and
    Conflict. The same answer given twice acts once."""
    run = runs.find(deps, run_id)
    if run is None:
        raise NotFound("There is no such run of the sweep. Copy its id from the mail.")
    if run.mode == "preview":
        raise Conflict("This run was a preview: it changes nothing, and waits for nobody.")
    if not deps.executions.running(run.execution):
        raise Conflict(
            "This run is over: nothing waits for an answer. What is still due, the next run asks about anew."
        )
    weighed = weighing.weigh(deps, run)
    named = list(stores) or weighed.waiting or weighed.braked
    if not reason.strip():
        raise Invalid("The answer needs a reason.", errors=[("reason", "say why")])
    if unknown := [name for name in named if name not in weighed.braked]:
        cure = f"one of {', '.join(weighed.braked)}" if weighed.braked else "no store of this run is braked"
        raise Invalid(f"{', '.join(unknown)} cannot be decided about.", errors=[("stores", cure)])
    if not named:
        raise Conflict("No store of this run is braked: there is nothing to decide.")
    for name in named:
        _note(deps, run_id, name, DECISIONS[decision], reason)
    if waiting := weighing.weigh(deps, run).waiting:
        return {"ok": True, "message": f"Noted. Still to be decided: {', '.join(waiting)}."}
    item = deps.table.get(runs.pk(run_id), "RUN") or {}
    if "task_token" in item:
        token = deps.vault.open(runs.key_id(run_id), bytes(item["task_token"])).decode()
        deps.executions.answer(token, {})
    return {"ok": True, "message": f"Done: {decision} for {', '.join(named)}."}


def _note(deps: Deps, run_id: str, store: str, decision: str, reason: str) -> None:
    """One store has one answer."""
    facts = {"decision": decision, "reason": reason, "at": stamp(deps.clock())}
    if deps.table.put_new(runs.pk(run_id), f"STORE#{store}", facts):
        return
    if runs.decisions(deps, run_id)[store]["decision"] != decision:
        raise Conflict(f"{store} was decided about already, and otherwise.")
