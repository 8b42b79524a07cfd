"""What the DPO asks for, from the JSON in the console to the use case.

The first state of the desk hands the input over whole. It is checked, and kept sealed for a day under a key of its own;
what goes on through the workflow is its id, with ids, names and numbers of the input, and the keyed hash of the person.
So an address or a reason stands in an execution's history as its input, and nowhere else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from rightful.errors import Invalid, NotFound, Refused
from rightful.service import contacts
from rightful.service.deps import Deps
from rightful.service.desk.actions import ACTIONS, mistakes

KEPT: Final = timedelta(days=1)
"""How long an order stays readable: longer than its execution retries."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9._:/()+-]{1,200}")

Order = dict[str, Any]
Answer = dict[str, Any]


def take(deps: Deps, order: Any, execution: str) -> Answer:
    """The input of one execution -> `{"ok": True, "action", "order", "person"?, ...}`, or `{"ok": False, "action": "",
    "message", "errors", "example"}` for one that cannot be acted on. The same execution twice keeps one order."""
    try:
        person = _checked(deps, order)
    except Invalid as fault:
        return told(fault, order)
    name, order_id = order["action"], deps.vault.digest("order", execution)
    now = deps.clock()
    sealed = deps.vault.seal(key_id(order_id), json.dumps(order).encode(), now + KEPT)
    facts = {"sealed": sealed, "action": name, "expires_at": int((now + KEPT).timestamp())}
    deps.table.put_new(f"ORDER#{order_id}", "ORDER", facts)
    parts = ACTIONS[name].parts
    shown = {key: value for key, value in order.items() if key in parts and parts[key].shown and _is_plain(value)}
    return {"ok": True, "action": name, "order": order_id, **shown, **({"person": person} if person else {})}


def carry_out(deps: Deps, order_id: str, act: Callable[[Order], Answer]) -> Answer:
    """What `act` answers to the order, or what is wrong with it: `{"ok": bool, "message", ...}`."""
    order = opened(deps, order_id)
    try:
        return act(order)
    except Refused as refusal:
        return told(refusal, order)


def opened(deps: Deps, order_id: str) -> Order:
    """The input, without what was left empty. Raises NotFound when it is older than a day."""
    item = deps.table.get(f"ORDER#{order_id}", "ORDER")
    if item is None:
        raise NotFound("This order is no longer known: start the desk again.")
    order: Order = json.loads(deps.vault.open(key_id(order_id), bytes(item["sealed"])))
    return {name: value for name, value in order.items() if value is not None and value != ""}


def told(fault: Refused, order: Any) -> Answer:
    """A refusal as the DPO reads it: what is wrong, and an input that would do."""
    name = order.get("action") if isinstance(order, dict) else None
    known = name if isinstance(name, str) and name in ACTIONS else ""
    answer: Answer = {"ok": False, "action": known, "message": fault.detail}
    if fault.errors:
        answer["errors"] = dict(fault.errors)
    if isinstance(fault, Invalid):
        answer |= {"example": ACTIONS[known or "show"].example(known or "show")}
    if not known:
        answer["actions"] = {each: action.does for each, action in ACTIONS.items()}
    return answer


def _is_plain(value: Any) -> bool:
    """An id, a name, a date or a number: nothing that could be a person."""
    each = value if isinstance(value, list) else [value]
    return all(isinstance(one, int) or (isinstance(one, str) and _PLAIN.fullmatch(one)) for one in each)


def key_id(order_id: str) -> str:
    """Whose key of the vault seals an order."""
    return f"order-{order_id}"


def _checked(deps: Deps, order: Any) -> str:
    """The keyed hash of the person that an input names, if it names one. Raises Invalid."""
    if found := mistakes(order):
        fields = [name for name in found if name != "action"]
        named = isinstance(order, dict) and order.get("action")
        unknown = "The desk does not know this action." if named else "Name an action; these are what there is."
        detail = f"Look at {', '.join(fields)}." if fields else unknown
        raise Invalid(detail, errors=list(found.items()))
    email = order.get("email")
    return contacts.person(deps, contacts.Contact.of(email, "en")) if email else ""
