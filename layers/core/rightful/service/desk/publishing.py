"""Versions of the privacy policy, and when each takes effect.

"Material changes to this policy will result in notification at least thirty (30) days before implementation": so a
material change is refused when it would take effect sooner.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from rightful import clocks
from rightful.clocks import stamp
from rightful.errors import Conflict, Invalid
from rightful.service.deps import Deps
from rightful.service.desk import book, dates
from rightful.service.policies import POLICIES

_ADDRESS: Final = re.compile(r"https://[^\s/?#@]+\.[^\s/?#@]+([/?#]\S*)?")
NOTICE: Final = timedelta(days=30)


def publish(deps: Deps, order: Mapping[str, Any]) -> dict[str, Any]:
    """Publishes a version, once. `{"ok", "message", "version", "effective_from"}`. Raises Invalid, Conflict when there
    is another policy of that name."""
    tz = clocks.zone(deps.datamap.controller.time_zone)
    today = deps.clock().astimezone(tz).date()
    effective = dates.day("effective_from", order["effective_from"], tz)
    if not _ADDRESS.fullmatch(order["url"]):
        raise Invalid("The policy has no safe address.", errors=[("url", "Write it whole, beginning with https://.")])
    facts = {
        "version": order["version"],
        "url": order["url"],
        "effective_from": effective.isoformat(),
        "material": order["material"],
    }
    standing = deps.table.get(POLICIES, order["version"])
    if standing is None:
        if order["material"] and effective < today + NOTICE:
            cure = f"Write {(today + NOTICE).isoformat()} or later, so that people are told 30 days ahead."
            raise Invalid("A material change takes effect too soon.", errors=[("effective_from", cure)])
        book.enter(deps, "A version of the policy was published", f"policy:{order['version']}", facts)
        deps.table.put_new(POLICIES, order["version"], {**facts, "published_at": stamp(deps.clock())})
        standing = deps.table.get(POLICIES, order["version"]) or facts
    if any(standing[name] != value for name, value in facts.items()):
        raise Conflict("There is another policy of this version. Give the new one a name of its own.")
    return {
        "ok": True,
        "message": f"Version {order['version']} is published and takes effect on {effective.isoformat()}. "
        "It is on record; nobody is mailed by it: tell people yourself.",
        "version": order["version"],
        "effective_from": effective.isoformat(),
    }
