"""Versions of the privacy policy, and when each takes effect.

"Material changes to this policy will result in notification at least thirty (30) days before implementation": so a
material change is refused when it would take effect sooner, and everyone with an account is told of one that is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from rightful import clocks
from rightful.clocks import stamp
from rightful.errors import Conflict, Invalid
from rightful.service.announcing import notices
from rightful.service.deps import Deps
from rightful.service.desk import book, dates
from rightful.service.policies import NOTICE, POLICIES

MOST_STARTS: Final = 20
"""Of one round."""
_ADDRESS: Final = re.compile(r"https://[^\s/?#@]+\.[^\s/?#@]+([/?#]\S*)?")


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
        f"{_tell(deps, order['version'], material=order['material'])}",
        "version": order["version"],
        "effective_from": effective.isoformat(),
    }


def _tell(deps: Deps, version: str, *, material: bool) -> str:
    """Has everyone with an account told of a material change, unless they were; what happens, in a sentence.
    Idempotent: a round of telling has one execution."""
    if not material:
        return "It is no material change, so nobody is mailed."
    if not deps.datamap.accounts.store:
        return "The data map names no accounts, so nobody is mailed by it: tell people yourself."
    notice_id = notices.id_of(version)
    notice = notices.find(deps, notice_id) or {"round": 1}
    if "ended_at" in notice:
        told = (notices.ended(deps, notice_id, notice["round"]) or {}).get("told", 0)
        return f"Everyone with an account was told of it before: {told} mails went out."
    _start(deps, f"policy-{notice_id}-{notice['round']}", version)
    return "Everyone with an account is being told by e-mail; you get a mail when that is done."


def _start(deps: Deps, name: str, version: str) -> None:
    """Starts the round, unless it runs. An execution that ended while its round is open failed before it could say how
    it went; the round goes on in another one."""
    names = (name, *(f"{name}-{again}" for again in range(2, MOST_STARTS + 1)))
    if not any(deps.executions.announce(each, version) for each in names):
        raise Conflict("Telling people failed again and again: have the operator look at the log of AnnounceFunction.")
