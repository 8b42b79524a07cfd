"""The register of disclosures to law enforcement and other authorities.

The policy's promise: what is shared is what the law asks for, and is on record. `scope` says what was given; a
disclosure that names a person can place a legal hold on their data. Free text is kept as the DPO wrote it, for the
report; the person is a keyed hash.

DISCLOSURES  <day>#<id>  {disclosure_id, authority, basis, scope, about_a_person, person, hold_id, disclosed_at,
                          recorded_at}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rightful import clocks
from rightful.clocks import stamp
from rightful.errors import Invalid
from rightful.service import contacts
from rightful.service.deps import Deps
from rightful.service.desk import book, dates, withholding

DISCLOSURES: Final = "DISCLOSURES"
LONGEST: Final = 4000
"""Characters of one text."""


def disclose(deps: Deps, order: Mapping[str, Any]) -> dict[str, Any]:
    """Records it, once for the same words, person and day, and places the hold that was asked for. `{"ok", "message",
    "disclosure_id", "hold_id"?}`. Raises Invalid; Conflict, with nothing recorded, when the person's stores cannot all
    be searched for the hold."""
    tz = clocks.zone(deps.datamap.controller.time_zone)
    now = deps.clock()
    disclosed = dates.day("disclosed_at", order.get("disclosed_at", stamp(now)), tz)
    if disclosed > now.astimezone(tz).date():
        raise Invalid("It lies in the future.", errors=[("disclosed_at", "Record it once it was disclosed.")])
    for name in ("authority", "basis", "scope"):
        if not order[name].strip() or len(order[name]) > LONGEST:
            raise Invalid("A text is empty or too long.", errors=[(name, f"Write 1 to {LONGEST} characters.")])
    email = order.get("email", "")
    if order.get("hold") and not email:
        raise Invalid("A hold needs a person.", errors=[("email", "Write whose data is to be held.")])
    person = contacts.person(deps, contacts.Contact.of(email, "en")) if email else ""
    told = "\n".join([order["authority"], order["basis"], order["scope"], person, disclosed.isoformat()])
    disclosure_id = deps.vault.digest("disclosure", told)
    facts: dict[str, Any] = {
        "disclosure_id": disclosure_id,
        **{name: order[name] for name in ("authority", "basis", "scope")},
        "about_a_person": bool(email),
        "person": person,
        "disclosed_at": disclosed.isoformat(),
        "recorded_at": stamp(now),
    }
    held: dict[str, Any] = {}
    if order.get("hold"):  # first: what is recorded is then whole
        hold_id = deps.vault.digest("hold", f"disclosure\n{disclosure_id}")
        reason = f"Disclosure {disclosure_id}"
        held = withholding.on_person(deps, hold_id, email, ground="legal_process", reason=reason)
        facts["hold_id"] = hold_id
    key = f"{disclosed.isoformat()}#{disclosure_id}"
    new = deps.table.get(DISCLOSURES, key) is None
    if new:
        book.enter(
            deps, "A disclosure was registered", f"disclosure:{disclosure_id}", {"disclosed_at": facts["disclosed_at"]}
        )
        deps.table.put_new(DISCLOSURES, key, facts)
    elif held:
        deps.table.update(DISCLOSURES, key, {"hold_id": held["hold_id"]})
    message = "Recorded." if new else "This was recorded before. It stands once."
    if held:
        message += (
            " A legal hold was placed, and released since." if held.get("released_at") else " A legal hold is placed."
        )
    return {
        "ok": True,
        "message": message,
        "disclosure_id": disclosure_id,
        **({"hold_id": held["hold_id"]} if held else {}),
    }
