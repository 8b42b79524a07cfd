"""The pages that hold a form and nothing of anybody: what GET answers, and what a form that was refused shows again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from rightful.model import DataMap, Store
from rightful.service.deps import Deps
from rightful.service.verifying import new_id
from rightful.service.visiting.visits import THEN, Page, Visit

NEEDS_SIGN_IN: Final = ("requests", "preferences")
"""Cards that show what is somebody's own."""
UNREADABLE: Final = "Please check what you entered."


def start(_deps: Deps, _visit: Visit) -> Page:
    """The cards."""
    return Page(state="start", here={"step": "start"})


def download(_: Deps, visit: Visit) -> Page:
    return Page(state="download", facts={"key": _key(visit)}, here={"step": "download"})


def delete(deps: Deps, visit: Visit) -> Page:
    """What would be deleted and what would be kept, before anybody says who they are: it is the same for all."""
    facts = {"key": _key(visit), "confirm": visit.field("confirm") == "yes", **erased(deps.datamap)}
    return Page(state="delete", facts=facts, here={"step": "delete"})


def issue(_: Deps, visit: Visit) -> Page:
    return Page(state="issue", facts={"key": _key(visit)}, here={"step": "issue"})


def sign_in(_: Deps, visit: Visit) -> Page:
    """Asks for an address, and carries on what it is for."""
    then = visit.carried() or {"step": visit.field("show") or "start"}
    return signing_in(visit, then, expired=visit.field("expired") == "yes")


def signing_in(visit: Visit, then: dict[str, str], *, expired: bool) -> Page:
    then = {"step": "start"} | {name: value for name, value in then.items() if name not in ("token", "lang", "expired")}
    facts = {"key": _key(visit), "then": then, "expired": expired}
    carried = {THEN + name: value for name, value in then.items()}
    return Page(
        state="sign_in", facts=facts, here={"step": "sign_in", **carried} | ({"expired": "yes"} if expired else {})
    )


SHOWN: Final[dict[str, Callable[[Deps, Visit], Page]]] = {
    "start": start,
    "download": download,
    "delete": delete,
    "issue": issue,
    **dict.fromkeys(NEEDS_SIGN_IN, sign_in),
}
"""The value of `show` -> the page."""


def shown(deps: Deps, visit: Visit) -> Page:
    """What `GET /?show=...` answers; the cards for anything else."""
    return SHOWN.get(visit.field("show"), start)(deps, visit)


def erased(datamap: DataMap) -> dict[str, Any]:
    """What an erasure request does, by the data map: `deleted`, `anonymised` and `uncovered` (titles), `kept`
    ({title, ground, law, period}), `told` (titles of recipients), `grace` (ISO 8601, may be empty)."""

    def titles(action: str) -> list[str]:
        return [store.title for store in covered if store.erasure.action == action]

    covered = [store for store in datamap.stores.values() if store.covered]
    # What is kept for a period is deleted when that is over, and so may be at once.
    changing = [store for store in covered if store.erasure.action != "keep" or store.erasure.period]
    changed = {name for store in changing for name in store.recipients}
    recipients = [each for name, each in datamap.recipients.items() if name in changed and not each.not_told]
    policy = datamap.requests.get("erasure")
    return {
        "deleted": titles("delete"),
        "anonymised": titles("anonymise"),
        "kept": [_kept(store) for store in covered if store.erasure.action == "keep"],
        "uncovered": [store.title for store in datamap.stores.values() if not store.covered],
        "told": [each.title for each in recipients],
        "grace": policy.grace_period if policy else "",
    }


def _kept(store: Store) -> dict[str, str]:
    rule = store.erasure
    return {"title": store.title, "ground": rule.ground, "law": rule.law, "period": rule.period}


def _key(visit: Visit) -> str:
    """Of a form: what is sent under it acts once."""
    return (visit.field("keep_key") and visit.key) or new_id()
