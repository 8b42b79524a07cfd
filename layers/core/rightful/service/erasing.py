"""Erases one store as planned, then reads it back.

A store is gone through in passes from its start. The first erases. The second reads back, and erases once more what
it still finds. If it found something, a third only reads: what is there then is *left over*, and goes to the DPO. All
passes act on the records that the plan counted and on no others; and of these on none that a legal hold covers right
before it would be written (see docs/decisions/holds-and-erasures.md).
Counts come from the plan and from the last pass, never from what single calls answered, so they are the same however
often the step was killed and run again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache, partial
from typing import Any

from rightful import anonymising, paths, plans, searching
from rightful.clocks import stamp
from rightful.errors import NeedsAttention
from rightful.model import Done, Locator, Record, Result
from rightful.periods import instant
from rightful.service import discovering, progress, protecting, withholding
from rightful.service.deps import Deps, TimeLeft

PAGE = 100
"""Records read and acted on at a time."""
LAST_PASS = 3
"""Reads only."""


@dataclass(slots=True)
class State:
    """Where a store's erasure stands. JSON values only."""

    number: int = 1
    """Of the pass, from 1."""
    lookup: int = 0
    cursor: str | None = None
    due: dict[str, int] = field(default_factory=dict)
    """Action -> records this pass found that are not yet as planned, blocked ones left out."""
    blocked: int = 0
    blocked_until: str = ""
    later: int = 0
    """Records of the person that came after the plan."""
    held: int = 0
    """Records that this pass left because of legal holds ..."""
    spared: dict[str, int] = field(default_factory=dict)
    """... and of these, action -> those that the plan had counted."""
    held_by: dict[str, searching.Facts] = field(default_factory=dict)
    """Hold id -> facts."""
    kept: int = 0
    kept_by: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done in one store."""

    store: str
    findings: searching.Findings
    marks: AbstractSet[str]
    wanted: AbstractSet[str] | None
    """See `Search.wanted`."""
    as_of: datetime
    left: withholding.Left
    judge: Callable[[], searching.Held]
    """Reads the legal holds."""


def step(deps: Deps, request_id: str, store: str, time_left: TimeLeft) -> dict[str, Any]:
    """Erases until the store is through or time runs short; `{"store", "done", "left"}`. Raises progress.Ended when
    the request is not verified, open, and past its point of no return."""
    keys = (discovering.SAVED, progress.row_key(store), withholding.key(store))
    request, (head, saved, left_before) = progress.load_with(deps, request_id, *keys)
    search, row = discovering.found(deps, request_id, head), saved or {}
    findings = search.stores[store]
    lookups = progress.scope(deps, findings)
    if progress.finished(row, lookups) and not row.get("left"):
        return {"store": store, "done": True, "left": 0}
    if not request.get("erasing_since"):
        raise NeedsAttention("erasing has not begun: the plan was not released")
    as_of = instant(request["received_at"])
    if as_of is None:
        raise NeedsAttention("the request has no time of receipt")
    planned = {action: findings.counts.get(action, 0) for action in ("delete", "anonymise")}
    if any(planned.values()):
        progress.claim(deps, request, erasing_since=request["erasing_since"], plan_hash=request["plan_hash"])
    else:
        progress.ensure_open(request)
    resumed = progress.resume(deps, request_id, row) if row.get("lookups") == lookups else None
    state = State(**resumed) if resumed else State()
    task = Task(
        store,
        findings,
        frozenset(findings.marks),
        search.wanted_of(store),
        as_of,
        withholding.left(deps, request_id, findings, left_before),
        lambda: withholding.judge(deps, search),
    )
    while True:
        while state.lookup < len(findings.lookups):
            _page(deps, task, state)
            if time_left() <= 0:
                return _pause(deps, request_id, task, state, lookups)
        if (state.number > 1 and not state.due) or state.number == LAST_PASS:
            break
        state = _next_pass(state)
        if time_left() <= 0:
            return _pause(deps, request_id, task, state, lookups)
    withholding.save(deps, request_id, store, task.left)
    if state.number == LAST_PASS and state.blocked:
        _count(state, "delete", -min(state.blocked, state.due.get("delete", 0)))
    left = sum(state.due.values())
    progress.close(deps, request_id, store, lookups=lookups, left=left, **_outcome(state, planned))
    return {"store": store, "done": True, "left": left}


def _pause(deps: Deps, request_id: str, task: Task, state: State, lookups: str) -> dict[str, Any]:
    withholding.save(deps, request_id, task.store, task.left)
    progress.save(deps, request_id, task.store, asdict(state), lookups=lookups)
    return {"store": task.store, "done": False, "left": 0}


def _next_pass(state: State) -> State:
    if state.number + 1 < LAST_PASS:
        return State(number=state.number + 1)
    return State(number=LAST_PASS, blocked=state.blocked, blocked_until=state.blocked_until)


def _page(deps: Deps, task: Task, state: State) -> None:
    """Acts on one page of one lookup, and moves `state` on. A record that the plan did not count (it came since) is
    left alone and counted as `later`; one that a legal hold covers, by now or when the plan was made, as `held`."""
    store, findings = task.store, task.findings
    connector, rules = deps.connectors[store], deps.datamap.stores[store]
    index, value = findings.lookups[state.lookup]
    locator = rules.locate[index]
    page = connector.find(locator, value, state.cursor, PAGE)
    digest = partial(deps.vault.digest, "record")
    holds = cache(task.judge)  # read at most once, after the page and before the first write
    todo: dict[plans.Action, list[Record]] = {"delete": [], "anonymise": []}
    for record in page.records:
        name = searching.held_mark(store, record, digest)
        if task.wanted is not None and name not in task.wanted:
            continue
        if _seen(deps, store, findings.lookups[: state.lookup], record):
            continue
        decision = plans.decide(rules, record, task.as_of, locator)
        _ensure_as_planned(store, decision, record, digest, task.marks)
        planned = searching.mark_of(store, decision, record, digest) in task.marks
        if decision.action == "keep":
            state.kept += 1
            searching.note_kept(state.kept_by, decision)
        elif decision.action in todo and not planned and name not in findings.withheld:
            state.later += 1
        elif decision.action in todo and (by := task.left.over(name, partial(_covering, holds, store, record))):
            _note_held(state, decision.action if planned else None, by)
        elif decision.action in todo:
            todo[decision.action].append(record)
    if state.number == LAST_PASS:
        for action, records in todo.items():
            _count(state, action, len(records))
    else:
        _act(deps, store, locator, todo, state)
    state.cursor = page.cursor
    if page.cursor is None:
        state.lookup += 1


def _covering(holds: Callable[[], searching.Held], store: str, record: Record) -> Mapping[str, searching.Facts]:
    return holds()(store, record)


def _note_held(state: State, planned: plans.Action | None, by: Mapping[str, searching.Facts]) -> None:
    state.held += 1
    state.held_by.update(by)
    if planned:
        state.spared[planned] = state.spared.get(planned, 0) + 1


def _ensure_as_planned(
    store: str, decision: plans.Decision, record: Record, digest: Callable[[str], str], marks: AbstractSet[str]
) -> None:
    """Raises NeedsAttention for a record that was to be deleted and would by now be anonymised, or the other way."""
    other: dict[plans.Action, plans.Action] = {"delete": "anonymise", "anonymise": "delete"}
    planned = other.get(decision.action)
    if planned and searching.mark_of(store, plans.Decision(planned), record, digest) in marks:
        raise NeedsAttention("the data map says otherwise than the plan: deploy it as it was, to finish this")


def _act(deps: Deps, store: str, locator: Locator, todo: dict[plans.Action, list[Record]], state: State) -> None:
    """One call per action. The condition of each write is that the record is still the one that was read: located by
    the same attributes and, where a date decided, of the same date. What is anonymised is written as a whole, so that
    too must be as it was read: a part added meanwhile would be lost."""
    connector, rules = deps.connectors[store], deps.datamap.stores[store]
    guard = [*plans.located_through(locator), *([paths.top(rules.erasure.since)] if rules.erasure.since else [])]
    results: dict[plans.Action, list[Result]] = {}
    if todo["delete"]:
        results["delete"] = connector.delete(todo["delete"], guard)
    if todo["anonymise"]:
        changes = [
            (r, anonymising.anonymise(r.data, rules.erasure.fields, deps.vault.digest)) for r in todo["anonymise"]
        ]
        changed = sorted({paths.top(path) for path in rules.erasure.fields})
        results["anonymise"] = connector.anonymise(changes, [*guard, *changed])
    for action, outcomes in results.items():
        blocked = [result for result in outcomes if result.done is Done.blocked]
        state.blocked += len(blocked)
        state.blocked_until = max([state.blocked_until, *(stamp(r.until) for r in blocked if r.until)])
        _count(state, action, len(outcomes) - len(blocked))


def _count(state: State, action: plans.Action, records: int) -> None:
    if records:
        state.due[action] = state.due.get(action, 0) + records


def _seen(deps: Deps, store: str, earlier: list[tuple[int, str]], record: Record) -> bool:
    locators = deps.datamap.stores[store].locate
    return any(deps.connectors[store].matches(record, locators[i], value) for i, value in earlier)


def _outcome(state: State, planned: Mapping[str, int]) -> dict[str, Any]:
    """The facts for the person: what the plan said less what the last pass still found."""
    return {
        "deleted": max(planned["delete"] - _still(state, "delete") - state.blocked, 0),
        "anonymised": max(planned["anonymise"] - _still(state, "anonymise"), 0),
        "held": state.held,
        "held_by": protecting.listed(state.held_by),
        "later": state.later,
        "kept": state.kept,
        "kept_by": state.kept_by,
        "blocked": state.blocked,
        "blocked_until": state.blocked_until,
    }


def _still(state: State, action: plans.Action) -> int:
    """Records that the plan counted and the last pass found as they were."""
    return state.due.get(action, 0) + state.spared.get(action, 0)
