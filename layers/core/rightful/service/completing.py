"""Closes a request and tells the person."""

from __future__ import annotations

from typing import Any

from rightful import lifecycle, periods, receipts
from rightful.clocks import moment
from rightful.retention import SKEW
from rightful.service import (
    contacts,
    discovering,
    erased,
    mailing,
    notifying,
    progress,
    protecting,
    receipting,
    registering,
    requests,
)
from rightful.service.deps import Deps


def step(deps: Deps, request_id: str) -> dict[str, str]:
    """Completes (or, after the DPO's refusal, rejects) the request; `{"status"}`. The mail goes out exactly once,
    after the status says so and before this step is done, so a crash in between only delays it. Every workflow ends
    here, that of a request which the person withdrew too."""
    request = progress.load_verified(deps, request_id)
    if request["status"] in lifecycle.TERMINAL:
        request = requests.announce(deps, request)
    elif request.get("refusal"):
        request = requests.transition(deps, request_id, "rejected", what="Your request was refused")
    else:
        done = receipts.counted(receipts.stores(outcomes(deps, request_id), completed=True))
        what = _SENTENCE[request["type"]]
        request = requests.transition(deps, request_id, "completed", what=what, noted={"stores": done})
    if request["type"] == "access" and request["status"] != "completed":
        _leave_nothing(deps, request_id)
    if request["type"] == "erasure" and request["status"] == "completed":
        _remember(deps, request_id)
    _forget(deps, request_id)
    receipting.issue(deps, request_id, outcomes(deps, request_id), notifying.told(deps, request_id))
    registering.enter(deps, request)
    tell(deps, request)  # last: a mail that the provider refuses is tried again, by the workflow, for a long time
    return {"status": request["status"]}


def _leave_nothing(deps: Deps, request_id: str) -> None:
    """Of an access that ended before its person could have the download: what was exported, and the package, begun or
    whole. Before the mail, which may have to wait; after all steps that write, since a workflow takes one at a time."""
    deps.files.delete(f"work/{request_id}/")
    deps.files.delete(f"packages/{request_id}.zip")


def _remember(deps: Deps, request_id: str) -> None:
    """Keyed hashes of the identities that were erased, so that the sweep recognises a record that comes back. What the
    DPO left out was not erased. A clock may be ahead: what is as new as the search itself is not taken for old."""
    head = deps.table.get(requests.pk(request_id), discovering.SAVED)
    if head is None:
        return  # an earlier try came as far as forgetting it
    search = discovering.found(deps, request_id, head)
    left_out = [name for name, row in progress.rows(deps, request_id).items() if row.get("skipped")]
    erased.note(deps, search.identities, moment(search.began) - SKEW, left_out)


def _forget(deps: Deps, request_id: str) -> None:
    """What was found goes at once; what says whose request it was, when its record-keeping period ends."""
    protecting.unguard(deps, request_id)
    for item in deps.table.query(requests.pk(request_id), "SEALED#"):
        deps.table.delete(item["pk"], item["sk"])
    kept = periods.parse(deps.datamap.controller.records_kept)
    deps.vault.lapse(request_id, periods.add(deps.clock(), kept))


_SENTENCE = {
    "access": "Your data is ready to download",
    "erasure": "The erasure is done; our mail says what was deleted and what was kept",
}


def outcomes(deps: Deps, request_id: str) -> dict[str, dict[str, Any]]:
    """Store -> what was done there, for the person: counts, grounds, dates; `covered: False` for a store that
    Rightful does not reach yet."""
    rows = progress.rows(deps, request_id)
    hidden = ("pk", "sk", "lookups", "parts", "sealed")
    result: dict[str, dict[str, Any]] = {}
    for name, store in deps.datamap.stores.items():
        facts = {key: value for key, value in rows.get(name, {}).items() if key not in hidden}
        result[name] = {"title": store.title, "covered": store.covered, **facts}
        if facts.get("kept"):
            result[name] |= {"ground": store.erasure.ground, "law": store.erasure.law}
    return result


def tell(deps: Deps, request: dict[str, Any]) -> None:
    """The one mail that says how the request ended."""
    request_id = request["request_id"]
    contact = contacts.of_request(deps, request)
    kind = f"completed_{request['type']}" if request["status"] == "completed" else request["status"]
    erased = kind == "completed_erasure"
    mailing.send_once(
        deps,
        request_id,
        kind,
        contact.email,
        request["locale"],
        request=request,
        controller=deps.datamap.controller,
        stores=outcomes(deps, request_id),
        recipients=notifying.told(deps, request_id) if erased else [],
    )
