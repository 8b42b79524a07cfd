"""Goes through one segment of a store, page by page: counts what is due, and in the second stage acts on it.

Preview and apply share everything but the write. Nothing is written that is not due by `rightful.retention` (or that
came back after its person's erasure), that a hold or an open request protects, or that changed since it was read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from rightful import anonymising, paths, plans, retention
from rightful.errors import NeedsAttention, RightfulError, TryAgain
from rightful.identities import grouped
from rightful.model import Done, Record, Result, Store, Strategy
from rightful.ports import ANONYMISED_MARK, Sweeper, SweepPage, Wanted, Written
from rightful.service import erased, protecting
from rightful.service.deps import Deps, TimeLeft
from rightful.service.sweep import runs, weighing
from rightful.tallies import Tally

BATCH: Final = 100
"""Records written between two looks at what is protected."""
FEW_DAYS: Final = timedelta(days=7)
SAMPLE: Final = 5
"""Keys that a preview's report shows of each store."""
_DELETED: Final = "deleted"
"""Of what was pending: known to have been done."""


@dataclass(frozen=True, slots=True)
class Todo:
    """A record that is to be written, and how."""

    record: Record
    action: retention.Action
    guard: tuple[str, ...]
    """Top-level attributes that must be as they were read."""
    fields: dict[str, Strategy]
    back: bool
    """It came back after its person's erasure."""


def step(deps: Deps, run_id: str, stage: runs.Stage, store: str, number: int, time_left: TimeLeft) -> dict[str, bool]:
    """Works on a segment until it is through or time runs short; `{"done"}`. Raises TryAgain when the store throttles
    and nothing at all was done, NeedsAttention when it cannot be gone through; what was counted so far is saved."""
    run = runs.load(deps, run_id)
    if store not in run.stores or not 0 <= number < len(run.stores[store]):
        raise NeedsAttention("the run has no such segment")
    if not runs.unchanged(deps, run, store):
        raise NeedsAttention("the data map has changed for this store since the run began: the next run goes by it")
    if stage == "apply" and not may_apply(deps, run, store):
        raise NeedsAttention("this run may not change the store: it is a preview, is braked, or lost the store")
    state = runs.progress(deps, run_id, stage, store, number)
    if state is None:
        return {"done": True}
    work = _Segment(deps, run, stage, store, number, state)
    begun = deps.clock()
    try:
        through = work.run(time_left)
    except RightfulError as error:
        state.tally.seconds += (deps.clock() - begun).total_seconds()
        runs.save(deps, run, stage, store, number, state)
        if isinstance(error, TryAgain) and work.progressed:
            return {"done": False}  # so that only tries that come to nothing are counted against the segment
        raise
    state.tally.seconds += (deps.clock() - begun).total_seconds()
    if through:
        runs.close(deps, run, stage, store, number, state)
    else:
        runs.save(deps, run, stage, store, number, state)
    return {"done": through}


def may_apply(deps: Deps, run: runs.Run, store: str) -> bool:
    """Whether the run was let through to this store's records."""
    return run.mode == "apply" and runs.locked(deps, run.run_id, store) and store in weighing.weigh(deps, run).apply


class _Segment:
    """One segment's work in one invocation. Changes `state` only when a page is done."""

    def __init__(
        self, deps: Deps, run: runs.Run, stage: runs.Stage, store: str, number: int, state: runs.Progress
    ) -> None:
        self._deps, self._run, self._stage, self._name, self._number = deps, run, stage, store, number
        self._state = state
        self._store: Store = deps.datamap.stores[store]
        self._sweeper: Sweeper = deps.sweepers[store]
        self._erased = erased.load(deps, run.run_id) if run.erased_until else erased.Erased()
        self._wanted = wanted(self._store, run, stage, ledger=bool(self._erased))
        self.progressed = False
        self._held: protecting.Protection | None = None
        self._most = runs.most(deps, run, store, number) if stage == "apply" else None

    def run(self, time_left: TimeLeft) -> bool:
        """Whether the segment is through."""
        segment = self._run.stores[self._name][self._number]
        while True:
            # What is pending must be seen although it is in use by now.
            asked = replace(self._wanted, since="") if self._state.pending else self._wanted
            page = self._sweeper.page(segment, asked, self._state.cursor)
            tally = Tally(scanned=page.scanned, capacity=page.capacity)
            tally.keep(retention.IN_USE, page.scanned - len(page.records))
            todo = [each for record in page.records if (each := self._weigh(record, tally))]
            later = self._settle_pending(page, tally)
            if self._stage == "apply" and todo:
                self._announce(todo)
            for start in range(0, len(todo), BATCH):
                before = time_left()
                wrote = self._act(todo[start : start + BATCH], tally)
                self.progressed = self.progressed or wrote
                if wrote and start + BATCH < len(todo) and time_left() <= before - time_left():
                    # The page is read again, and what was done of it is counted then.
                    self._withdraw(todo[start + BATCH :])
                    self._state.tally.capacity += tally.capacity
                    return False
            self._state.tally.add(tally)
            self._state.sample = [*self._state.sample, *(each.record.key for each in todo)][:SAMPLE]
            self._state.pending = later
            self._state.back = [mark for mark in self._state.back if mark in later]
            self._state.cursor = page.cursor
            self.progressed = True
            if page.cursor is None:
                return True
            if time_left() <= 0:
                return False

    def _weigh(self, record: Record, tally: Tally) -> Todo | None:
        """What is to be done to a record; counts it where it stays."""
        if self._state.pending and (self._done_before(record) or self._pending(record) == _DELETED):
            return None  # counted with what was pending
        rule = self._store.retention
        decision = retention.decide(rule, record, self._run.as_of)
        if back := self._came_back(record):
            return back
        if decision.action != "keep":
            return Todo(record, decision.action, tuple(retention.guard(rule)), rule.fields, back=False)
        if decision.reason == retention.MALFORMED:
            tally.malformed += 1
        else:
            tally.keep(decision.reason)
        return None

    def _came_back(self, record: Record) -> Todo | None:
        """An erasure's own rules decide about a record that was erased before and is here again."""
        if not self._erased:
            return None
        used = retention.last_used(self._store.retention, record)
        if used is None or self._run.erased_until is None or used >= self._run.erased_until:
            return None
        found = self._identities(record)
        digests = erased.digests(self._deps, found)
        if not self._erased.came_back(self._name, digests, used):
            return None
        rule = self._store.erasure
        decision = plans.decide(self._store, record, self._run.as_of)
        if decision.action not in ("delete", "anonymise"):
            return None
        guard = {retention.attribute(self._store.retention.since), *map(paths.top, rule.fields)}
        guard |= {retention.attribute(rule.since)} if rule.since else set()
        guard.update(*map(plans.located_through, self._store.locate))  # it may be somebody else's by then
        return Todo(record, decision.action, tuple(sorted(guard)), rule.fields, back=True)

    def _ensure_as_counted(self, tally: Tally) -> None:
        """What the brake weighed is what may go: a table that was restored, an import with old dates, or a hold that
        was released between counting and acting is for the next run to weigh."""
        whole = Tally.sum([self._state.tally, tally])
        if self._most is not None and whole.due - whole.held > self._most:
            raise NeedsAttention("more is due in this segment than was counted: the next run counts anew")

    def _announce(self, todo: Sequence[Todo]) -> None:
        """Says, before the first write of a page, what is about to be written, so that a try that comes after this one
        was killed counts what it finds done."""
        self._state.pending |= {self._mark(each.record): each.action for each in todo}
        self._state.back = sorted({*self._state.back, *(self._mark(each.record) for each in todo if each.back)})
        runs.save(self._deps, self._run, self._stage, self._name, self._number, self._state)

    def _settle_pending(self, page: SweepPage, tally: Tally) -> dict[str, str]:
        """Counts what an earlier try did; answers what stays pending after this page. Others may have written since, so
        the page may end earlier than it did: only what comes in no later page either was surely deleted."""
        pending = self._state.pending
        if not pending:
            return {}
        here = {self._mark(record): record for record in page.records}
        for mark in here.keys() & pending.keys():
            if pending[mark] == _DELETED:  # a report of what is in the store may be of yesterday
                self._settle(mark, tally, Tally(due=1, deleted=1))
            elif self._done_before(here[mark]):
                self._settle(mark, tally, Tally(due=1, anonymised=1))
            else:
                del pending[mark]  # it is weighed as any other
        missing = {mark: action for mark, action in pending.items() if mark not in here}
        later = {mark: action for mark, action in missing.items() if page.cursor is not None and action != _DELETED}
        lost = len(later) + len(page.records) > runs.MOST_MARKS
        for mark, action in missing.items():
            if mark in later and not lost:
                continue
            del pending[mark]  # no page that is read again brings it: it is counted for good
            if action != "anonymise":
                unknown = int(mark in later)
                counts = Tally(scanned=1, due=1, deleted=1 - unknown, changed_meanwhile=unknown)
                self._settle(mark, self._state.tally, counts)
        return {} if lost else later

    def _settle(self, mark: str, tally: Tally, counts: Tally) -> None:
        counts.resurrected = int(mark in self._state.back)
        tally.add(counts)

    def _know(self, some: Sequence[Todo], results: Sequence[Result]) -> None:
        """For when the page is left half-way: what is known need not be found out."""
        for each, result in zip(some, results, strict=True):
            if result.done is Done.deleted:
                self._state.pending[self._mark(each.record)] = _DELETED

    def _withdraw(self, todo: Sequence[Todo]) -> None:
        """What was announced and not begun."""
        for each in todo:
            self._state.pending.pop(self._mark(each.record), None)

    def _pending(self, record: Record) -> str:
        return self._state.pending.get(self._mark(record), "")

    def _done_before(self, record: Record) -> bool:
        """Whether a try of this page that was killed anonymised the record."""
        if self._pending(record) != "anonymise":
            return False
        if not retention.is_marked(self._store.retention, record):
            return False
        rules = (self._store.retention, self._store.erasure)
        return all(anonymising.stands(record.data, rule.fields) for rule in rules if rule.action == "anonymise")

    def _act(self, batch: Sequence[Todo], tally: Tally) -> bool:
        """Whether anything was written."""
        tally.due += len(batch)
        tally.resurrected += sum(each.back for each in batch)
        protection = self._protection()
        free = [each for each in batch if not self._covered(protection, each.record)]
        tally.held += len(batch) - len(free)
        if self._stage == "count":
            return False
        self._ensure_as_counted(tally)
        done = tally.deleted + tally.anonymised
        groups: dict[tuple[str, tuple[str, ...]], list[Todo]] = {}
        for each in free:
            groups.setdefault((each.action, each.guard), []).append(each)
        for (action, guard), some in groups.items():
            if action == "delete":
                written = self._sweeper.delete([each.record for each in some], guard)
            else:
                written = self._anonymise(some, guard, tally)
            tally.capacity += written.capacity
            for result in written.results:
                _count(result, tally)
            if action == "delete":
                self._know(some, written.results)
        return tally.deleted + tally.anonymised > done

    def _anonymise(self, some: Sequence[Todo], guard: Sequence[str], tally: Tally) -> Written:
        """A record whose values cannot be changed as the map says is counted, and does not stop the rest."""
        changes = []
        for each in some:
            try:
                changed = anonymising.anonymise(each.record.data, each.fields, self._deps.vault.digest)
            except (TypeError, ValueError, ArithmeticError):
                tally.failed += 1
                continue
            changes.append((each.record, changed))
        return self._sweeper.anonymise(changes, guard)

    def _protection(self) -> protecting.Protection:
        """Read anew before each write; for counting, once an invocation will do."""
        if self._held is None or self._stage == "apply":
            self._held = protecting.load(self._deps)
        return self._held

    def _covered(self, protection: protecting.Protection, record: Record) -> bool:
        return protection.covers(self._deps, self._name, record, self._identities(record))

    def _identities(self, record: Record) -> dict[str, set[str]]:
        return grouped(self._sweeper.identities(record))

    def _mark(self, record: Record) -> str:
        return self._deps.vault.digest("sweep", f"{self._name}\n{record.key}")[: runs.MARK]


def wanted(store: Store, run: runs.Run, stage: runs.Stage, *, ledger: bool) -> Wanted:
    """What the sweep must see of each record, and which it need not see at all: what is in use for sure, and too new to
    have come back from before an erasure."""
    rule = store.retention
    attributes = set(retention.attributes(rule))
    after: datetime | None = retention.due_after(rule, run.as_of)
    if ledger:
        if store.erasure.action == "anonymise":
            attributes |= {ANONYMISED_MARK, *map(paths.top, store.erasure.fields)}
        if store.erasure.since:
            attributes.add(retention.attribute(store.erasure.since))
        if store.locate and run.erased_until and after:
            # A filter that lets all but the last days through costs more than it spares.
            after = max(after, run.erased_until) if run.erased_until < run.as_of - FEW_DAYS else None
    return Wanted(frozenset(attributes), retention.attribute(rule.since), after, fresh=stage == "apply")


def _count(result: Result, tally: Tally) -> None:
    match result.done:
        case Done.deleted:
            tally.deleted += 1
        case Done.anonymised:
            tally.anonymised += 1
        case Done.blocked:
            tally.blocked += 1
        case Done.failed:
            tally.failed += 1
        case _:
            tally.changed_meanwhile += 1
