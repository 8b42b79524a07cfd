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
from rightful.service import contacts, holding
from rightful.service.deps import Deps
from rightful.service.desk import dates

DISCLOSURES: Final = "DISCLOSURES"
LONGEST: Final = 4000
"""Characters of one text."""


def disclose(deps: Deps, order: Mapping[str, Any]) -> dict[str, Any]:
    """Records it, once for the same words, person and day, and places the hold that was asked for. `{"ok", "message",
    "disclosure_id", "hold_id"?}`. Raises Invalid; NeedsAttention when the person's stores cannot be searched for the
    hold: start it again then, the record stays one."""
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
    key = (DISCLOSURES, f"{disclosed.isoformat()}#{disclosure_id}")
    new = deps.table.put_new(*key, facts)
    answer: dict[str, Any] = {
        "ok": True,
        "message": "Recorded." if new else "This was recorded before. It stands once.",
        "disclosure_id": disclosure_id,
    }
    if order.get("hold"):
        hold = holding.place_on_person(
            deps,
            deps.vault.digest("hold", f"disclosure\n{disclosure_id}"),
            email,
            ground="legal_process",
            reason=f"Disclosure {disclosure_id}",
        )
        deps.table.update(*key, {"hold_id": hold["hold_id"]})
        ended = " It was released since." if hold.get("released_at") else ""
        answer |= {"hold_id": hold["hold_id"], "message": f"{answer['message']} A legal hold is placed.{ended}"}
    return answer
