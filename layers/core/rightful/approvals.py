"""Whether a plan must be approved, why, and what has changed since the one that was looked at before. Pure.

Who approves what is the data map's policy (`RequestPolicy`). What calls for an approval stands in the plan, under its
hash, as `asks`: [{"why": ..., ...}], so that whoever approves has read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rightful import paths
from rightful.identities import normalise
from rightful.model import DataMap, Privileged, RequestPolicy

ACTS: Final = ("delete", "anonymise", "export")
"""What of a plan's entry a person loses or is shown."""
COUNTED: Final = (*ACTS, "keep", "held", "done")
OTHER_DOORS: Final = ("letter", "phone")
"""Sources of a request that did not come through the form."""


def asks(
    policy: RequestPolicy,
    stores: Mapping[str, Mapping[str, Any]],
    identities: Mapping[str, Iterable[str]],
    source: str,
    datamap: DataMap,
) -> list[dict[str, Any]]:
    """Why this plan needs an approval; empty when it needs none. `stores`: the plan's entries; `identities`: name ->
    the values found; `source`: where the request came in.

    `why` is `always`, `records` (with `found`, `most`), `stores` (with `stores`), `privileged` (with `stores`),
    `identity` (with `identity`, `found`, `most`) or `source` (with `source`)."""
    if policy.approval == "dpo":
        return [{"why": "always"}]
    rule, found = policy.ask_when, []
    records = sum(int(entry.get(act, 0)) for entry in stores.values() for act in ACTS)
    if rule.records and records > rule.records:
        found.append({"why": "records", "found": records, "most": rule.records})
    touched = [name for name in rule.stores if any(stores.get(name, {}).get(act) for act in (*ACTS, "keep"))]
    if touched:
        found.append({"why": "stores", "stores": touched})
    owning = sorted(name for name, entry in stores.items() if entry.get("privileged"))
    if rule.privileged and owning:
        found.append({"why": "privileged", "stores": owning})
    for name, most in sorted(rule.identities.items()):
        different = {normalise(datamap.identities[name], value) for value in identities.get(name, ())}
        if len(different) > most:
            found.append({"why": "identity", "identity": name, "found": len(different), "most": most})
    if rule.other_doors and source in OTHER_DOORS:
        found.append({"why": "source", "source": source})
    return found


def is_privileged(rule: Privileged, data: Mapping[str, Any]) -> bool:
    """Whether a record stands for an account that others depend on."""
    if not rule.attribute:
        return False
    found: set[str] = set()
    for value in paths.get(data, rule.attribute):
        many = value if isinstance(value, list | tuple | set | frozenset) else [value]
        found.update(each for each in many if isinstance(each, str))
    return not found.isdisjoint(rule.values)


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What a new plan says otherwise than the one before: store -> {action: [count before, count now]}, or
    `{"records": True}` where the counts agree and the records do not, or `{"failed": [before, now]}`."""
    changed: dict[str, dict[str, Any]] = {}
    for name in sorted({*before["stores"], *after["stores"]}):
        old, new = before["stores"].get(name, {}), after["stores"].get(name, {})
        said: dict[str, Any] = {
            action: [int(old.get(action, 0)), int(new.get(action, 0))]
            for action in COUNTED
            if old.get(action, 0) != new.get(action, 0)
        }
        if old.get("failed", "") != new.get("failed", ""):
            said["failed"] = [old.get("failed", ""), new.get("failed", "")]
        if not said and old.get("digest") != new.get("digest"):
            said["records"] = True
        if said:
            changed[name] = said
    return changed
