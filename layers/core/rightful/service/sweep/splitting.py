"""Begins a run: what it decides for, which stores it may work on, and the parts that are read side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from rightful import retention
from rightful.clocks import stamp
from rightful.errors import Invalid, NeedsAttention, TryAgain
from rightful.periods import instant
from rightful.service import erased
from rightful.service.deps import Deps
from rightful.service.sweep import runs

MOST_SEGMENTS: Final = 1000
"""Of a run, so that its list stays well below the 256 KiB that a state may hold."""
NAME_IS_FREE: Final = timedelta(days=80)
"""After 90 days Step Functions gives an execution's name to another; what the first one did is still stored."""
TRIALS: Final = ("local", "dev", "test", "staging")
"""Stages that may be told another moment than now. Any other name may be that of the stage that people rely on."""
FIELDS: Final = ("mode", "stores", "as_of", "run_id")
PATIENCE: Final = 4
"""Tries after which a store is left out that can still not be split."""
_RUN_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_NOT_IN_ID: Final = re.compile(r"[^A-Za-z0-9_-]+")


def step(deps: Deps, given: Mapping[str, Any], execution: str, tries: int = 0) -> dict[str, Any]:
    """Begins the run that the execution's input `given` asks for; `{"run_id", "mode", "segments": [{"store",
    "segment"}], "mine"}`. `mine` is False when another execution does this very run: a schedule may fire twice.

    Run again, it returns what it returned. After some `tries`, a store that keeps throttling is left out, so that the
    others are swept today. Raises TryAgain until then, and NeedsAttention, naming the field and the cure, for input
    that cannot be used: nothing was done then."""
    mode, names, as_of = _read(deps, given)
    run_id = _run_id(given, execution)
    known = runs.find(deps, run_id)
    if known and deps.clock() - known.began_at > NAME_IS_FREE:
        raise NeedsAttention("an earlier run had this name: start it under another one, or leave the name away")
    run = known or runs.save_new(deps, _prepare(deps, run_id, mode, names, as_of, execution, patient=tries < PATIENCE))
    if run.execution == execution:
        runs.own(deps, run)
    return {
        "run_id": run_id,
        "mode": run.mode,
        "segments": runs.items(run, list(run.stores)),
        "mine": run.execution == execution,
    }


def _prepare(
    deps: Deps,
    run_id: str,
    mode: runs.Mode,
    names: Sequence[str],
    as_of: datetime,
    execution: str,
    *,
    patient: bool,
) -> runs.Run:
    stores: dict[str, list[str]] = {}
    left_out: dict[str, str] = {}
    unreached: dict[str, str] = {}
    sizes: dict[str, int] = {}
    for name in names:
        if mode == "apply" and (owner := runs.lock(deps, run_id, execution, name)) != run_id:
            left_out[name] = f"run {owner} works on it"
            continue
        try:
            sweeper = deps.sweepers[name]
            parts, size = sweeper.segments(MOST_SEGMENTS // max(len(names), 1), as_of), sweeper.size()
        except (NeedsAttention, TryAgain) as reason:
            if patient and isinstance(reason, TryAgain):
                raise
            unreached[name] = str(reason)
        else:
            stores[name], sizes[name] = parts, size
    return runs.Run(
        run_id=run_id,
        mode=mode,
        as_of=as_of,
        began_at=deps.clock(),
        execution=execution,
        stores=stores,
        left_out=left_out,
        unreached=unreached,
        erased_until=erased.snapshot(deps, run_id),
        store_sizes=sizes,
        rules={name: runs.rules_of(deps, name) for name in stores},
    )


def _read(deps: Deps, given: Mapping[str, Any]) -> tuple[runs.Mode, list[str], datetime]:
    try:
        return _mode(given), _stores(deps, given), _as_of(deps, given)
    except Invalid as refusal:
        cures = "; ".join(f"`{field}`: {cure}" for field, cure in refusal.errors)
        raise NeedsAttention(f"{refusal.detail} {cures}") from None


def _mode(given: Mapping[str, Any]) -> runs.Mode:
    if unknown := sorted(set(given) - set(FIELDS)):
        raise Invalid("The input holds what no sweep knows.", errors=[(each, "leave it away") for each in unknown])
    match given.get("mode"):
        case "preview":
            return "preview"
        case "apply":
            return "apply"
        case _:
            raise Invalid("The input says not what to do.", errors=[("mode", 'write "preview" or "apply"')])


def _stores(deps: Deps, given: Mapping[str, Any]) -> list[str]:
    swept = [name for name, store in deps.datamap.stores.items() if store.swept]
    wanted = given.get("stores")
    if wanted is None:
        return swept
    if not isinstance(wanted, list) or not wanted or not all(each in swept for each in wanted):
        cure = f"list some of: {', '.join(swept)}; or leave it away for all of them"
        raise Invalid("Not every store that is named can be swept.", errors=[("stores", cure)])
    return list(dict.fromkeys(wanted))


def _as_of(deps: Deps, given: Mapping[str, Any]) -> datetime:
    """The moment that decides: now, less what a clock may be ahead. In a stage for trying things out, any."""
    wanted = given.get("as_of")
    if wanted is None:
        return deps.clock() - retention.SKEW
    if deps.settings.stage not in TRIALS:
        cure = f"leave it away; only the stages {', '.join(TRIALS)} take it"
        raise Invalid("In production a sweep decides for now.", errors=[("as_of", cure)])
    moment = instant(wanted) if isinstance(wanted, str) else None
    if moment is None:
        raise Invalid("The moment cannot be read.", errors=[("as_of", "write it like 2027-01-31T00:00:00Z")])
    return moment


def _run_id(given: Mapping[str, Any], execution: str) -> str:
    """The scheduled time, so that a schedule that fires twice asks for one run; else the execution's name."""
    wanted = given.get("run_id")
    if wanted is None:
        return execution.rpartition(":")[2][:80]
    if moment := instant(wanted):
        return f"daily-{_NOT_IN_ID.sub('', stamp(moment))}"
    if not isinstance(wanted, str) or not _RUN_ID.fullmatch(wanted):
        raise NeedsAttention("`run_id` holds what no name can: use letters, digits, - and _, or leave it away")
    return wanted
