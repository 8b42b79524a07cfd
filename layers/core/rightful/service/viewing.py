"""What a person sees of their own requests, and may do with them. Anybody else's request looks like no request."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from rightful import lifecycle
from rightful.clocks import stamp
from rightful.errors import Conflict, Gone, NeedsAttention, NotFound, TryAgain
from rightful.lifecycle import TERMINAL, Status
from rightful.service import completing, downloads, progress, receipting, requests
from rightful.service.deps import Deps
from rightful.service.verifying import Proof, is_id

LINK_SECONDS: Final = 300


def listed(deps: Deps, proof: Proof) -> list[dict[str, Any]]:
    """This person's requests, newest first: `{request_id, type, status, received_at, due_at}`."""
    return [_summary(item) for item in deps.table.by_person(proof.person)]


def one(deps: Deps, proof: Proof, request_id: str) -> dict[str, Any]:
    """The request as the public contract shows it. Raises NotFound."""
    item = _own(deps, proof, request_id)
    shown = _summary(item)
    shown |= {name: item[name] for name in ("extended_until", "paused_since", "follows") if item.get(name)}
    shown |= {"stores": _progress(deps, item), "events": requests.timeline(deps, item)}
    shown["withdrawable"] = lifecycle.allowed(
        Status(item["status"]), Status.withdrawn, verified=True, erasing="erasing_since" in item
    )
    shown["reported"] = not requests.is_theirs(item)
    if item["status"] == Status.rejected.value and not shown["reported"]:
        shown["refusal"] = {**item.get("refusal", {}), "complaint": deps.datamap.controller.complaint}
    if item["status"] == Status.completed.value:
        shown["result"] = {"stores": completing.outcomes(deps, item["request_id"], item.get("stores"))}
        if item["type"] == "access":
            shown["result"]["download_until"] = stamp(downloads.ends(item))
    return shown


def withdraw(deps: Deps, proof: Proof, request_id: str) -> dict[str, Any]:
    """Withdraw the request, and wake its workflow if that waits for the DPO; idempotent.
    Raises NotFound, Conflict when erasing has begun or the request ended otherwise."""
    item = _own(deps, proof, request_id)
    item = requests.transition(deps, item["request_id"], Status.withdrawn, what="You withdrew the request")
    with suppress(TryAgain, NeedsAttention):  # it is withdrawn all the same, and the workflow tells it as it closes
        completing.tell(deps, item)
    if token := item.get("task_token"):
        sealed = deps.vault.open(item["request_id"], bytes(token))
        deps.executions.answer(sealed.decode(), {"decision": "stop"})
    return _summary(item)


def download(deps: Deps, proof: Proof, request_id: str) -> dict[str, Any]:
    """`{url, expires_at}`: a link to the package of a completed access request, good for five minutes.
    Raises NotFound, Conflict when there is none (yet), Gone when the package was deleted."""
    item = _own(deps, proof, request_id)
    if item["type"] != "access":
        raise Conflict("Only an access request has something to download.")
    if item["status"] != Status.completed.value:
        raise Conflict(f"The request is {item['status']}: there is nothing to download.")
    now = deps.clock()
    ends = downloads.ends(item)
    if now >= ends:
        raise Gone("The download was deleted 7 days after it was ready. Make a new access request.")
    seconds = min(LINK_SECONDS, max(1, int((ends - now).total_seconds())))
    link = deps.files.link(downloads.key(item["request_id"]), "my-data.zip", seconds)
    return {"url": link, "expires_at": stamp(now + timedelta(seconds=seconds))}


def receipt(deps: Deps, proof: Proof, request_id: str) -> str:
    """The signed receipt (`rightful.receipts`) of a request that ended. Raises NotFound, Conflict when there is none
    yet."""
    item = _own(deps, proof, request_id)
    if item["status"] not in TERMINAL:
        raise Conflict(f"The request is {item['status']}: its receipt is signed when it has ended.")
    made = receipting.issued(deps, item["request_id"])
    if made is None:
        raise Conflict("The receipt is being signed. Ask for it again in a minute.")
    return str(made["jws"])


def _own(deps: Deps, proof: Proof, request_id: str) -> dict[str, Any]:
    """The request, if this person made it, or the open one that stands for it."""
    item = deps.table.get(requests.pk(request_id), "REQUEST") if is_id(request_id) else None
    if item is not None and "joined_to" in item:
        item = deps.table.get(requests.pk(item["joined_to"]), "REQUEST")
    if item is None or item.get("person") != proof.person:
        raise NotFound("You have no such request.")
    return item


def _summary(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("request_id", "type", "status", "received_at", "due_at")}


def _progress(deps: Deps, item: dict[str, Any]) -> dict[str, int]:
    """Stores to work through, and those that are done or were left out by the DPO."""
    rows = progress.rows(deps, item["request_id"])
    names = set(rows)
    if item["status"] not in TERMINAL:
        covered = (name for name, store in deps.datamap.stores.items() if store.covered)
        names |= set(item.get("stores", covered))
    done = [row for row in rows.values() if row.get("skipped") or (row.get("done") and not row.get("left"))]
    return {"total": len(names), "done": len(done)}
