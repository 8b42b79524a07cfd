"""What a run of the sweep did, as JSON and as a page, in the reports bucket."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from rightful import reports
from rightful.clocks import stamp
from rightful.service import erased
from rightful.service.deps import Deps
from rightful.service.sweep import runs, sweeping, weighing
from rightful.tallies import Tally

FOLDERS: Final = {"apply": "retention", "preview": "previews"}
"""A preview's report shows some records' keys, and so does not stay for long (the bucket's lifecycle)."""
TOLD: Final = (
    *("scanned", "due", "deleted", "anonymised", "kept", "held", "changed_meanwhile", "resurrected", "braked"),
    *("malformed", "blocked", "failed", "failed_segments"),
)
"""Of each store in the execution's output."""


def step(deps: Deps, run_id: str) -> dict[str, Any]:
    """Ends a run: writes its report, gives its stores back; the whole summary (see `summary`)."""
    run = runs.load(deps, run_id)
    written = write(deps, run)
    runs.unlock(deps, run)
    erased.forget(deps, run_id)
    return written


def write(deps: Deps, run: runs.Run) -> dict[str, Any]:
    """The report as it stands now; it replaces an earlier one of the run."""
    key = f"{FOLDERS[run.mode]}/{run.began_at:%Y/%m/%d}/{run.run_id}"
    whole = {**summary(deps, run, deps.clock()), "report": deps.reports.uri(f"{key}.html")}
    deps.reports.put(f"{key}.json", json.dumps(whole, ensure_ascii=False, indent=2).encode() + b"\n")
    deps.reports.put(f"{key}.html", reports.retention_page(whole, deps.datamap.controller.name).encode())
    return whole


def summary(deps: Deps, run: runs.Run, now: datetime) -> dict[str, Any]:
    """{"run_id", "mode", "as_of", "began_at", "ended_at", "seconds", "stores": {name: {the counts of
    `rightful.tallies.Tally`, "title", "action", "period", "braked", "decision", "brake" and "share" (percent),
    "failed_segments", "sample": keys of some that a preview found due}}, "left_out": {store: why}, "unanswered":
    [store left out because an earlier run waits there for the DPO], "unreached": [store that could not be gone through:
    something must be mended], "not_covered": [store]}"""
    weighed = weighing.weigh(deps, run)
    counted, applied = runs.tallies(deps, run, "count"), runs.tallies(deps, run, "apply")
    decided = runs.decisions(deps, run.run_id)
    samples = runs.samples(deps, run, sweeping.SAMPLE) if run.mode == "preview" else {}
    stores = {}
    for name, segments in run.stores.items():
        rules = run.rules[name]
        first = Tally.sum(weighed.counted[name].values())
        # Where nothing was due, the second stage has nothing to say: what was counted there stands.
        tally = Tally.sum(applied[name].get(number, each)[0] for number, each in counted[name].items())
        spent = Tally.sum([first, *(acted for acted, _ in applied[name].values())])
        if name in weighed.apply:
            begun = {number for number, each in weighed.counted[name].items() if each.due}
            missing = len(begun) - sum(done for _, done in applied[name].values())
        elif run.mode == "apply" and name in weighed.failed:
            missing = len(segments)
        else:
            missing = len(segments) - sum(done for _, done in counted[name].values())
        stores[name] = {
            **tally.as_json(),
            "capacity": round(spent.capacity, 1),
            "seconds": round(spent.seconds, 1),
            "title": rules["title"],
            "action": rules["action"],
            "period": rules["period"],
            "braked": name in weighed.braked,
            "decision": decided.get(name, {}).get("decision", ""),
            "brake": rules["brake"],
            "share": round(weighing.share(first, run.store_sizes.get(name, 0)), 1),
            "failed_segments": missing,
            "sample": samples.get(name, []),
        }
    return {
        "run_id": run.run_id,
        "mode": run.mode,
        "as_of": stamp(run.as_of),
        "began_at": stamp(run.began_at),
        "ended_at": stamp(now),
        "seconds": round((now - run.began_at).total_seconds()),
        "stores": stores,
        "left_out": {**run.left_out, **run.unreached},
        "unanswered": [name for name in run.left_out if runs.unanswered(deps, name)],
        "unreached": sorted(run.unreached),
        "not_covered": [name for name, store in deps.datamap.stores.items() if not store.swept],
    }


def output(summary: dict[str, Any]) -> dict[str, Any]:
    """What the execution answers (the public contract)."""
    stores = {name: {key: counts[key] for key in TOLD} for name, counts in summary["stores"].items()}
    return {key: summary[key] for key in ("run_id", "mode", "report")} | {
        "stores": stores,
        "left_out": summary["left_out"],
    }
