"""Closes a request and tells the person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rightful import lifecycle, receipts
from rightful.clocks import moment
from rightful.retention import SKEW
from rightful.service import (
    consents,
    contacts,
    discovering,
    erased,
    following,
    mailing,
    notifying,
    progress,
    protecting,
    receipting,
    registering,
    requests,
    withholding,
)
from rightful.service.deps import Deps


def step(deps: Deps, request_id: str) -> dict[str, str]:
    """Completes (or, after the DPO's refusal, rejects) the request; `{"status"}`. The mail goes out exactly once,
    after the status says so and before this step is done, so a crash in between only delays it. Every workflow ends
    here, that of a request which the person withdrew too."""
    request = progress.load_reported(deps, request_id)
    if request["status"] in lifecycle.TERMINAL:
        request = requests.announce(deps, request)
    elif request.get("refusal"):
        request = requests.transition(deps, request_id, "rejected", what=requests.refused(request))
    else:
        facts = _remember(deps, request) if request["type"] == "erasure" else {}
        done = receipts.counted(receipts.stores(_outcomes(deps, request), completed=True))
        noted = {"stores": done, **facts}
        request = requests.transition(
            deps, request_id, "completed", what=_sentence(request, facts), noted=noted, **facts
        )
    if request["type"] == "access" and request["status"] != "completed":
        _leave_nothing(deps, request_id)
    following.settle(deps, request_id)
    receipting.issue(deps, request_id, _outcomes(deps, request), notifying.told(deps, request_id))
    registering.enter(deps, request)
    tell(deps, request)  # last: a mail that the provider refuses is tried again, by the workflow, for a long time
    return {"status": request["status"]}


def _leave_nothing(deps: Deps, request_id: str) -> None:
    """Of an access that ended before its person could have the download: what was exported, and the package, begun or
    whole. Before the mail, which may have to wait; after all steps that write, since a workflow takes one at a time."""
    deps.files.delete(f"work/{request_id}/")
    deps.files.delete(f"packages/{request_id}.zip")


def _remember(deps: Deps, request: dict[str, Any]) -> dict[str, Any]:
    """Before the request is completed: keyed hashes of the identities that were erased, so that the sweep recognises a
    record that comes back; the end of the consents that the person had given; and what legal holds withheld. Stores
    that the DPO left out, and those where something is withheld, were not erased. A clock may be ahead: what is as new
    as the search itself is not taken for old. Answers facts for the request: `withheld` (ids of holds) and `left_out`
    (stores), where there are any."""
    request_id = request["request_id"]
    search = discovering.found(deps, request_id, deps.table.get(requests.pk(request_id), discovering.SAVED))
    left_out = sorted(name for name, row in progress.rows(deps, request_id).items() if row.get("skipped"))
    withheld = withholding.everything(deps, request_id, search, left_out)
    before = moment(search.began) - SKEW
    if "follows" in request:
        done = set(request["stores"]) - {*left_out, *withheld, *request["partly"]}
        erased.note_rest(deps, search.identities, before, done)
    else:
        erased.note(deps, search.identities, before, {*left_out, *withheld})
        consents.end(deps, protecting.persons(deps, search.identities), moment(search.began))
    facts = {"withheld": following.withhold(deps, request_id, withheld), "left_out": left_out}
    return {name: value for name, value in facts.items() if value}


def _sentence(request: dict[str, Any], facts: dict[str, Any]) -> str:
    """Of the person's timeline."""
    if request["type"] == "access":
        return "Your data is ready to download"
    if facts.get("withheld"):
        return "The erasure is done, but for what a legal hold keeps for now; our mail says what"
    return "The erasure is done; our mail says what was deleted and what was kept"


def outcomes(deps: Deps, request_id: str, only: Iterable[str] | None = None) -> dict[str, dict[str, Any]]:
    """Store -> what was done there, for the person: counts, grounds, dates; `covered: False` for a store that
    Rightful does not reach yet. `only`: the `stores` of a request that follows another one."""
    rows = progress.rows(deps, request_id)
    hidden = ("pk", "sk", "lookups", "parts", "sealed")
    result: dict[str, dict[str, Any]] = {}
    for name in deps.datamap.stores if only is None else only:
        store = deps.datamap.stores.get(name)
        facts = {key: value for key, value in rows.get(name, {}).items() if key not in hidden}
        covered = store is None or store.covered
        result[name] = {"title": store.title if store else name, "covered": covered, **facts}
        if facts.get("kept") and store:
            result[name] |= {"ground": store.erasure.ground, "law": store.erasure.law}
    return result


def _outcomes(deps: Deps, request: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return outcomes(deps, request["request_id"], request.get("stores"))


def tell(deps: Deps, request: dict[str, Any]) -> None:
    """The one mail that says how the request ended."""
    kind = f"completed_{request['type']}" if request["status"] == "completed" else request["status"]
    if kind == "rejected" and not requests.is_theirs(request):
        kind = "reported_dismissed"  # they asked for nothing, so nothing was refused to them
    erased = kind == "completed_erasure"
    mailing.to_person(
        deps,
        request,
        kind,
        contacts.of_request(deps, request).email,
        theirs=requests.is_theirs(request),
        stores=_outcomes(deps, request),
        recipients=notifying.told(deps, request["request_id"]) if erased else [],
    )
