"""The page about one run of the retention sweep, for a data protection officer: what was found, what was done, what was
left and why, and what to do about it.

It runs no script and loads nothing: its Content-Security-Policy allows the hash of its one style sheet and no more, and
all that operators wrote is escaped.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rightful.reports import words
from rightful.reports.chart import Slice, bar

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE: Final = Path(__file__).parent / "templates"
OUTCOMES: Final = ("deleted", "anonymised", "held", "changed_meanwhile", "blocked", "failed")
"""What may have become of a record that is due; what is in none of them is still to be done."""


def retention_page(summary: Mapping[str, Any], controller: str) -> str:
    """HTML of a run's `summary` (see `rightful.service.sweep.reporting`). `controller`: its name."""
    stores = [_store(name, counts, summary["mode"]) for name, counts in summary["stores"].items()]
    style = _HERE.joinpath("retention.css").read_text("utf-8")
    return (
        _environment()
        .get_template("retention.html")
        .render(
            summary=summary,
            controller=controller,
            stores=stores,
            total=lambda name: sum(counts[name] for counts in summary["stores"].values()),
            applied=summary["mode"] == "apply",
            waiting=[store for store in stores if store["waits"]],
            css=style,
            css_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        )
    )


def _store(name: str, counts: Mapping[str, Any], mode: str) -> dict[str, Any]:
    waits = counts["braked"] and not counts["decision"] and mode == "apply"
    slices = _slices(counts, mode, waits)
    return {
        **counts,
        "name": name,
        "waits": waits,
        "kept_records": sum(counts["kept"].values()) + counts["malformed"],
        "left": counts["due"] - counts["deleted"] - counts["anonymised"],
        "slices": slices,
        "bar": bar(slices),
    }


def _slices(counts: Mapping[str, Any], mode: str, waits: bool) -> list[Slice]:
    """All records of a store that were looked at, by what became of them."""
    kept = [Slice(words.ground(reason), records, _shade(reason)) for reason, records in counts["kept"].items()]
    done = [Slice(words.OUTCOMES[each], counts[each], each) for each in OUTCOMES]
    left = counts["due"] - sum(counts[each] for each in OUTCOMES)
    to_do = Slice(words.to_do(counts, mode, waits), left, "due")
    slices = [*kept, Slice(words.MALFORMED, counts["malformed"], "malformed"), *done, to_do]
    return [each for each in slices if each.records > 0]


def _shade(reason: str) -> str:
    return {"in_use": "in_use", "anonymised": "anonymous"}.get(reason, "ground")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "number": words.number,
        "moment": words.instant,
        "lasting": words.lasting,
        "period": words.period,
    }
    return environment
