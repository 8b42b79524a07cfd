"""What the DPO makes of a reported issue: whether it is a breach, since when they are aware of it, and that it is done.

Article 33(1) GDPR gives the controller 72 hours from having become aware of a breach. That is not always when word of
it came in: "aware" is who has a reasonable degree of certainty that a breach occurred, after a prompt look into it
(EDPB Guidelines 9/2022, paragraphs 31 to 34). So `received_at` and `aware_at` are apart, and only the DPO sets the
second.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from rightful import clocks
from rightful.clocks import moment, stamp
from rightful.errors import Conflict, Invalid, TryAgain
from rightful.service import issues
from rightful.service.deps import Deps
from rightful.service.desk import book, dates

LONGEST: Final = 4000
"""Characters of a reason."""
_TIME: Final = "Write the moment, such as 2027-01-29T14:30:00Z: not one to come."

Issue = dict[str, Any]


def assess(deps: Deps, order: Mapping[str, Any]) -> dict[str, Any]:
    """Says whether an issue is a breach, and since when the controller is aware of it (now, unless `aware_at` says).
    Said again in the same way, it changes nothing; otherwise the newer word counts. `{"ok", "message", "issue_id",
    "due_at"}`. Raises NotFound, Invalid that names the field, Conflict for an issue that is closed."""
    issue = issues.load(deps, order["issue_id"])
    reason = _reason(order)
    if issue["status"] == "closed":
        raise Conflict("The issue is closed.")
    said = _said(deps, issue, order)
    if said["status"] != issue["status"] or said.get("aware_at") != issue.get("aware_at"):
        issue = _change(deps, issue, {**said, "reason": reason}, remove={"aware_at"} - said.keys())
    what = "An issue was found to be a breach" if issue["status"] == "breach" else "An issue was found to be no breach"
    _book(deps, issue, what)
    message = "Noted: no breach. Close the issue when the reporter has been answered."
    if issue["status"] == "breach":
        until = moment(issue["due_at"])
        message = f"Noted. The authority must be told by {until:%Y-%m-%d %H:%M} UTC. Then close the issue."
    return {"ok": True, "message": message, "issue_id": issue["issue_id"], "due_at": issue["due_at"]}


def close(deps: Deps, order: Mapping[str, Any]) -> dict[str, Any]:
    """Ends an issue, its clock too; `reason` says what was done. Once. `{"ok", "message", "issue_id"}`. Raises
    NotFound, Invalid, Conflict for a suspected breach that was not assessed."""
    issue = issues.load(deps, order["issue_id"])
    reason = _reason(order)
    if issue["status"] == "received" and issue["kind"] == issues.BREACH:
        raise Conflict("Say first whether it is a breach, with action assess.")
    if issue["status"] != "closed":
        done = {"status": "closed", "closed_at": stamp(deps.clock()), "reason": reason, "found": issue["status"]}
        issue = _change(deps, issue, done, remove={"open"})
    elif issue["reason"] != reason:
        raise Conflict("The issue is closed already.")
    _book(deps, issue, "An issue was closed")
    return {"ok": True, "message": "Closed.", "issue_id": issue["issue_id"]}


def _reason(order: Mapping[str, Any]) -> str:
    if len(order["reason"]) > LONGEST:
        raise Invalid("A text is too long.", errors=[("reason", f"Write 1 to {LONGEST} characters.")])
    return str(order["reason"])


def _said(deps: Deps, issue: Issue, order: Mapping[str, Any]) -> dict[str, Any]:
    """Facts that follow from the order."""
    if not order["breach"]:
        if "aware_at" in order:
            fault = "Leave it out: nobody is aware of a breach that is none."
            raise Invalid("There is no breach to be aware of.", errors=[("aware_at", fault)])
        due = issues.due(deps, "other", moment(issue["received_at"]))
        return {"status": "no_breach", "due_at": stamp(due), "open": issues.WAITING}
    aware = _aware(deps, issue, order)
    return {
        "status": "breach",
        "aware_at": stamp(aware),
        "due_at": stamp(clocks.aware_within(aware)),
        "open": issues.CLOCK,
    }


def _aware(deps: Deps, issue: Issue, order: Mapping[str, Any]) -> datetime:
    now, text = deps.clock(), order.get("aware_at", "")
    if not text:
        return moment(issue["aware_at"]) if "aware_at" in issue else now
    aware = dates.begin("aware_at", text, clocks.zone(deps.datamap.controller.time_zone))
    if "T" not in text.upper() or aware > now:
        raise Invalid("The moment of awareness cannot be.", errors=[("aware_at", _TIME)])
    return aware


def _change(deps: Deps, issue: Issue, facts: Mapping[str, Any], remove: set[str]) -> Issue:
    """One conditional write; of two that say different things at once, one has to look again."""
    expect = {name: issue.get(name) for name in ("status", "aware_at", "changes")}
    changes = int(issue.get("changes", 0)) + 1
    changed = deps.table.update(
        issues.pk(issue["issue_id"]), "ISSUE", {**facts, "changes": changes}, remove=remove, expect=expect
    )
    if changed is None:
        raise TryAgain("the issue is being changed by others")
    return changed


def _book(deps: Deps, issue: Issue, what: str) -> None:
    """Once for each change, although the desk may have been killed before it."""
    if issue.get("booked") == issue.get("changes"):
        return
    issue_id, changes = issue["issue_id"], issue["changes"]
    names = ("issue_id", "kind", "received_at", "aware_at", "due_at", "closed_at")
    noted = {name: issue[name] for name in names if name in issue}
    noted["reason"] = deps.vault.digest("reason", issue["reason"])
    book.enter(deps, what, f"issue:{issue_id}:{changes}", noted)
    deps.table.update(issues.pk(issue_id), "ISSUE", {"booked": changes}, expect={"changes": changes})
