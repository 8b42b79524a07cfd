"""The versions of the privacy policy: which one applies, and which are announced.

POLICIES  <version>  {version, url, effective_from, material, published_at}
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from rightful import clocks
from rightful.service.deps import Deps

POLICIES: Final = "POLICIES"
SHOWN: Final = ("version", "effective_from", "url")
NOTICE: Final = timedelta(days=30)
"""How long before a material change takes effect everyone must have been told of it."""


def listing(deps: Deps) -> dict[str, Any]:
    """`{"current", "upcoming": [...]}`, each `{"version", "effective_from", "url"}`: what applies today at the
    controller's seat, and what takes effect later, the soonest first. `effective_from` is an ISO date; it takes effect
    when that day begins. Of two versions for one day the one that was published later counts.

    Until a published version applies, `current` is the policy that the data map names: its `version` and
    `effective_from` are None, since nobody told them."""
    today = deps.clock().astimezone(clocks.zone(deps.datamap.controller.time_zone)).date().isoformat()
    by_day: dict[str, Mapping[str, Any]] = {}
    for item in sorted(deps.table.query(POLICIES), key=lambda item: item["published_at"]):
        by_day[item["effective_from"]] = item
    days = sorted(by_day)
    past = [day for day in days if day <= today]
    current = _shown(by_day[past[-1]]) if past else _before_any(deps)
    return {"current": current, "upcoming": [_shown(by_day[day]) for day in days if day > today]}


def find(deps: Deps, version: str) -> dict[str, Any] | None:
    """The version as it was published."""
    return deps.table.get(POLICIES, version) if version else None


def _shown(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in SHOWN}


def _before_any(deps: Deps) -> dict[str, Any]:
    return {"version": None, "effective_from": None, "url": deps.datamap.controller.policy_url}
