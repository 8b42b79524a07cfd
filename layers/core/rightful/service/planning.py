"""Turns what was found into a plan, and says what happens next."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from rightful import approvals, lifecycle, periods, plans
from rightful.clocks import stamp
from rightful.errors import Conflict, NeedsAttention, TryAgain
from rightful.model import RequestPolicy
from rightful.searching import Findings, Search
from rightful.service import acknowledging, discovering, erased, progress, protecting, requests
from rightful.service.deps import Deps

Request = dict[str, Any]
LEAST_GRACE: Final = periods.Period(days=7)


def step(deps: Deps, request_id: str) -> dict[str, Any]:
    """Writes the plan; answers `{"decision", "type", "plan_hash", "waves": [{"stores": [...]}, ...], "failed":
    [store, ...]}`.

    decision: `go` (act on it now), `ask` (the DPO must approve this very hash), `wait` (grace period, with `until`),
    `pause` (the clock was stopped: nothing happens until it runs again), `halt` (the `failed` stores lead to more
    identities than one person has: the DPO looks at that before anything is shown or erased), or `stop` (the request
    ended meanwhile). For an erasure `go` is the point of no return: from here on it cannot be withdrawn. The order
    `approve, then wait, then go` means that what runs is always what was found last.
    """
    request, (head,) = progress.load_with(deps, request_id, discovering.SAVED, reported=True)
    if request["status"] in lifecycle.TERMINAL or request.get("refusal"):
        return _answer("stop")
    if request["status"] == "paused":
        return _answer("pause")
    try:
        return _next(deps, request, discovering.found(deps, request_id, head))
    except (progress.Ended, Conflict):
        now = requests.load(deps, request_id)
        if now["status"] == "paused":
            return _answer("pause")
        begun = now.get("verified_at") or now.get("reported_at")
        if now["status"] in progress.OPEN and begun and not now.get("refusal"):
            # It did not end: to stop here would tell the person that something was done. Somebody moved it meanwhile.
            raise TryAgain("the request moved while its plan was written") from None
        return _answer("stop")


def _answer(decision: str, **facts: Any) -> dict[str, Any]:
    """The workflow reads `type`, `waves` and `failed` whatever the decision."""
    return {"type": "", "waves": [], "failed": [], **facts, "decision": decision}


def _next(deps: Deps, request: Request, search: Search) -> dict[str, Any]:
    request_id = request["request_id"]
    plan = build(deps, request, search)
    digest = plans.plan_hash(plan)
    if request.get("verified_at"):  # a stranger's report keeps nobody's data from the retention sweep
        protecting.guard(deps, request_id, digests=sorted(erased.digests(deps, search.identities)))
    deps.table.put_new(requests.pk(request_id), f"PLAN#{digest}", {"plan": json.dumps(plan), "at": stamp(deps.clock())})
    answer = {"type": request["type"], "plan_hash": digest}
    if doubtful := sorted(name for name, findings in search.stores.items() if findings.too_many):
        _set(deps, request, {"plan_hash": digest})
        return _answer("halt", **answer, failed=doubtful)
    if plan.get("asks") and not _approved(deps, request, plan, digest):
        _set(deps, request, {"plan_hash": digest})
        acknowledging.acknowledge(deps, request)
        return _answer("ask", **answer)
    if request["type"] == "erasure" and "erasing_since" not in request:
        until = _grace_ends(deps, request)
        if until is not None and deps.clock() < until:
            _set(deps, request, {"plan_hash": digest, "scheduled_for": stamp(until)})
            what = f"Erasure is scheduled for {until:%Y-%m-%d %H:%M} UTC"
            requests.transition(deps, request_id, "scheduled", what=what, expect=requests.NOT_PAUSED)
            acknowledging.acknowledge(deps, request | {"scheduled_for": stamp(until)})
            return _answer("wait", **answer, until=stamp(until))
    _go(deps, request, digest)
    return _answer("go", **answer, **work_left(deps, request_id, plan, search))


def build(deps: Deps, request: Request, search: Search) -> dict[str, Any]:
    """The plan (see `rightful.plans`) for a finished search."""
    stores: dict[str, Any] = {}
    for name in request.get("stores", deps.datamap.stores):
        store = deps.datamap.stores.get(name)
        if store is not None and not store.covered and search.wanted is None:
            stores[name] = {"covered": False}
            continue
        findings = search.stores.get(name, Findings(failed="the store is new in the data map"))
        entry: dict[str, Any] = {
            "covered": True,
            "failed": findings.failed,
            "waits_for": _waits_for(deps, search, name),
        }
        if request["type"] == "erasure":
            actions = ("delete", "anonymise", "keep", "done", "held")
            entry |= {action: findings.counts.get(action, 0) for action in actions}
            entry["kept"] = [
                {"ground": ground, "law": store.erasure.law if store else "", "until": until}
                for ground, until in sorted(findings.kept.items())
            ]
            entry["held_by"] = protecting.listed(findings.held_by)
        else:
            entry["export"] = sum(findings.counts.values())
        if findings.too_many:
            entry["too_many"] = findings.too_many
        if findings.privileged:
            entry["privileged"] = findings.privileged
        entry["digest"] = f"{findings.fingerprint:064x}"
        stores[name] = entry
    plan = {
        "request_id": request["request_id"],
        "type": request["type"],
        "map_version": deps.datamap.version,
        "stores": stores,
    }
    policy = deps.datamap.requests.get(request["type"], RequestPolicy())
    asks = approvals.asks(policy, stores, search.identities, request.get("source", ""), deps.datamap)
    if request.get("reported_at"):
        asks = [{"why": requests.REPORT}, *asks]
    return {**plan, "asks": asks} if asks else plan


def work_left(deps: Deps, request_id: str, plan: dict[str, Any], search: Search) -> dict[str, Any]:
    """Waves of stores still to do, and the stores that need attention first."""
    rows = progress.rows(deps, request_id)
    skipped = {name for name, row in rows.items() if row.get("skipped")}
    entries = {name: entry for name, entry in plan["stores"].items() if entry["covered"] and name not in skipped}
    failed = sorted(name for name, entry in entries.items() if entry["failed"] or set(entry["waits_for"]) - skipped)
    todo = {
        name
        for name, entry in entries.items()
        if not entry["failed"] and not _done(deps, plan["type"], rows.get(name, {}), search.stores[name])
    }
    order = plans.waves(deps.datamap)
    if plan["type"] == "access":
        order = [[name for wave in order for name in wave]]
    waves = [[name for name in wave if name in todo] for wave in order]
    return {"waves": [{"stores": wave} for wave in waves if wave], "failed": failed}


def _done(deps: Deps, kind: str, row: dict[str, Any], findings: Findings) -> bool:
    if not progress.finished(row, progress.scope(deps, findings)) or row.get("left"):
        return False
    return kind == "erasure" or progress.fresh(deps, row)


def _waits_for(deps: Deps, search: Search, name: str) -> list[str]:
    """Failed stores that may give further identities by which this store is located."""
    if search.wanted is not None:
        return []  # nothing is followed
    wanted = {locator.by for locator in deps.datamap.stores[name].locate}
    return sorted(
        other
        for other, findings in search.stores.items()
        if findings.failed and other != name
        for locator in deps.datamap.stores[other].locate
        if wanted & set(locator.gives)
    )


def _approved(deps: Deps, request: Request, plan: dict[str, Any], digest: str) -> bool:
    """Whether the DPO approved this plan. Once erasing has begun the counts only shrink, so the approval lasts,
    unless a store that could not be searched when it was given now can be."""
    approved = request.get("approved_hash")
    if approved == digest:
        return True
    if not approved or "erasing_since" not in request:
        return False
    item = deps.table.get(requests.pk(request["request_id"]), f"PLAN#{approved}")
    before = json.loads(item["plan"])["stores"] if item else {}
    return all(not entry.get("failed") or plan["stores"].get(name, {}).get("failed") for name, entry in before.items())


def _grace_ends(deps: Deps, request: Request) -> datetime | None:
    """When an erasure may begin; None where nothing has to be waited for. What the DPO approved on a report, and nobody
    confirmed, waits for at least a week, in which the account's holder may withdraw it."""
    policy = deps.datamap.requests.get(request["type"], RequestPolicy())
    grace = [periods.parse(policy.grace_period)] if policy.grace_period else []
    if not requests.is_theirs(request):
        grace.append(LEAST_GRACE)
    start = periods.instant(request.get("approved_at") or request["verified_at"])
    if start is None:
        raise NeedsAttention("the request has no time of verification")
    return max((periods.add(start, each) for each in grace), default=None)


def _set(deps: Deps, request: Request, facts: dict[str, Any], status: str = "") -> None:
    """Facts on the request, only while it is verified and open (or has that very status). Raises Ended."""
    expect = progress.standing(request) | ({"status": status} if status else {})
    if deps.table.update(requests.pk(request["request_id"]), "REQUEST", facts, expect=expect) is None:
        raise progress.Ended


def _go(deps: Deps, request: Request, digest: str) -> None:
    facts = {"plan_hash": digest, "map_version": deps.datamap.version}
    if request["status"] != "in_progress":
        what = "Work on your request goes on"
        requests.transition(deps, request["request_id"], "in_progress", what=what, expect=requests.NOT_PAUSED)
    if request["type"] == "erasure":
        requests.begin_erasing(deps, request["request_id"], **facts)
    else:
        begun = {"exporting_since": request.get("exporting_since") or stamp(deps.clock())}
        _set(deps, request, facts | begun, status="in_progress")
