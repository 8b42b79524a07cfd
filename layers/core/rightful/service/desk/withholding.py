"""Legal holds, as the desk places and releases them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rightful import clocks
from rightful.clocks import stamp
from rightful.errors import Conflict, Invalid, NeedsAttention
from rightful.model import GROUNDS
from rightful.service import contacts, holding, protecting
from rightful.service.deps import Deps
from rightful.service.desk import book, dates

_MOST = 1000
"""Times that one and the same hold can be placed and released."""


def hold(deps: Deps, order: Mapping[str, Any]) -> dict[str, Any]:
    """Places a hold on a person, a store or one record of a store; the same one, while it stands, is placed once.
    `{"ok", "message", "hold_id"}`. Raises Invalid that names the field, Conflict when a person's stores cannot all be
    searched."""
    email, store, record = order.get("email", ""), order.get("store", ""), order.get("record", "")
    if bool(email) == bool(store):
        cure = "Write either an email or a store."
        raise Invalid("A hold is on a person or on a store.", errors=[("email", cure), ("store", cure)])
    if record and not store:
        raise Invalid("A record is one of a store.", errors=[("store", "Write the store that holds it.")])
    if order["ground"] not in GROUNDS:
        raise Invalid("A hold needs a ground.", errors=[("ground", f"One of: {', '.join(GROUNDS)}.")])
    tz = clocks.zone(deps.datamap.controller.time_zone)
    until = dates.end("until", order["until"], tz) if "until" in order else None
    facts: dict[str, Any] = {"ground": order["ground"], "reason": order["reason"], "until": until}
    person = contacts.person(deps, contacts.Contact.of(email, "en")) if email else ""
    told = [person, store, record, order["ground"], order["reason"], stamp(until) if until else ""]
    hold_id = _free_id(deps, "\n".join(told))
    if email:
        placed = on_person(deps, hold_id, email, **facts)
    elif record:
        placed = holding.place_on_record(deps, hold_id, store, record, **facts)
    else:
        placed = holding.place(deps, hold_id, "store", store=store, **facts)
    if not placed.get("booked"):
        scope = {"scope": placed["scope"], "store": store, "ground": order["ground"], "until": placed["until"]}
        book.enter(deps, "A legal hold was placed", f"hold:{hold_id}", scope)
        deps.table.update(protecting.HOLDS, f"HOLD#{hold_id}", {"booked": True}, expect={"hold_id": hold_id})
    end = f"until {placed['until']}" if placed["until"] else "until you release it"
    what = "The hold on the record with this key, if there is one," if record else "The hold"
    return {"ok": True, "message": f"{what} stands {end}.", "hold_id": placed["hold_id"], "until": placed["until"]}


def on_person(deps: Deps, hold_id: str, email: str, **facts: Any) -> dict[str, Any]:
    """See `holding.place_on_person`; what keeps the stores from being searched is told to the DPO."""
    try:
        return holding.place_on_person(deps, hold_id, email, **facts)
    except NeedsAttention as trouble:
        raise Conflict(f"No hold was placed, since it would miss a part of the person. {trouble}.") from None


def release(deps: Deps, hold_id: str) -> dict[str, Any]:
    """Ends a hold. Raises NotFound."""
    released = holding.release(deps, hold_id)
    if not released.get("release_booked"):
        book.enter(deps, "A legal hold was released", f"release:{hold_id}", {"ground": released["ground"]})
        deps.table.update(
            protecting.HOLDS, f"RELEASED#{hold_id}", {"release_booked": True}, expect={"hold_id": hold_id}
        )
    message = "Released. What it withheld from erasures is erased now; a sweep of what it withheld has begun."
    return {"ok": True, "message": message, "hold_id": hold_id}


def _free_id(deps: Deps, what: str) -> str:
    """The id of a hold on this: of the one that stands, or of the next. Two desks that ask at once agree on it."""
    for n in range(_MOST):
        hold_id = deps.vault.digest("hold", f"{what}\n{n}")
        if deps.table.get(protecting.HOLDS, f"RELEASED#{hold_id}") is None:
            return hold_id
    raise Invalid("This hold was placed and released too often.", errors=[("ground", "Choose another.")])
