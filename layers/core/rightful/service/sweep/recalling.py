"""What the sweeps of a period did, from the reports that they left in the reports bucket."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta, tzinfo
from typing import Any, Final

from rightful import clocks
from rightful.errors import NotFound
from rightful.service.deps import Deps
from rightful.service.sweep.reporting import FOLDERS

COUNTED: Final = ("scanned", "due", "deleted", "anonymised", "held", "changed_meanwhile", "blocked", "failed")
_DAY: Final = timedelta(days=1)


@dataclass(slots=True)
class Sweeps:
    """Runs that applied the retention rules; a preview changes nothing and is not looked at."""

    runs: int = 0
    braked: int = 0
    """Runs that stopped at a store and asked the DPO."""
    incomplete: int = 0
    """Runs that could not go through a store to its end."""
    unreadable: int = 0
    """Reports that are broken: what their runs did is not in these counts."""
    last: str = ""
    """When the newest run began."""
    counts: Counter[str] = field(default_factory=Counter)
    """Records, of all stores."""
    stores: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, summary: Mapping[str, Any]) -> None:
        """Of a report, all or nothing. Raises TypeError, KeyError, ValueError or AttributeError for what is none."""
        stores = {
            str(name): Counter({key: _whole(counts[key]) for key in COUNTED})
            for name, counts in summary["stores"].items()
        }
        braked = any(counts["braked"] for counts in summary["stores"].values())
        failed = any(_whole(counts["failed_segments"]) for counts in summary["stores"].values())
        incomplete = bool(summary["unreached"]) or failed
        self.last = max(self.last, summary["began_at"])
        self.runs += 1
        self.braked += braked
        self.incomplete += incomplete
        for name, counts in stores.items():
            self.stores[name].update(counts)
            self.counts.update(counts)

    def as_json(self) -> dict[str, Any]:
        """{"runs", "braked", "incomplete", "unreadable", "last", the counts, "stores": {name: the counts}}"""
        return {
            **{name: getattr(self, name) for name in ("runs", "braked", "incomplete", "unreadable", "last")},
            **{key: self.counts[key] for key in COUNTED},
            "stores": {name: {key: counts[key] for key in COUNTED} for name, counts in sorted(self.stores.items())},
        }


def between(deps: Deps, first: date, last: date, zone: tzinfo) -> Sweeps:
    """Of the runs that began from `first` to `last`, both included, days of that zone. One report is held at a time."""
    sweeps = Sweeps()
    for key in _keys(deps, first, last):
        try:
            summary = json.loads(b"".join(deps.reports.read(key)))
            if first <= clocks.moment(summary["began_at"]).astimezone(zone).date() <= last:
                sweeps.add(summary)
        except NotFound:
            continue  # it reached the end of its life since it was listed
        except (TypeError, KeyError, ValueError, AttributeError):
            sweeps.unreadable += 1
    return sweeps


def _keys(deps: Deps, first: date, last: date) -> Iterator[str]:
    """Reports lie under the UTC day on which their run began, which may be another than in the zone."""
    earliest, latest = first - _DAY, last + _DAY
    folder = FOLDERS["apply"]
    month = earliest.replace(day=1)
    while month <= latest:
        for key in deps.reports.list(f"{folder}/{month:%Y/%m}/"):
            day = "-".join(key.removeprefix(f"{folder}/").split("/")[:3])
            if key.endswith(".json") and earliest.isoformat() <= day <= latest.isoformat():
                yield key
        month = (month + timedelta(days=31)).replace(day=1)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError("not a count")
    return value
