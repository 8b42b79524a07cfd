"""The signed receipt of a request that ended, and what is kept beside it as evidence.

A signature is another one each time, so the first receipt that is stored stands. What is kept as evidence follows from
it: whoever is killed on the way leaves no second receipt, and the next one finishes the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rightful import jws, ledger, lifecycle, periods, receipts
from rightful.clocks import moment, stamp
from rightful.errors import Invalid, NeedsAttention, TryAgain
from rightful.service import requests
from rightful.service.deps import Deps

RECEIPT: Final = "RECEIPT"
"""Sort key, under the request, of `{jws, kid, at, entries, head}`."""
KEYS: Final = "KEYS"
"""Partition of the public keys that ever signed, by `kid`: `{jwk}`."""
CCPA_RECORDS: Final = periods.Period(months=24)
"""How long records of requests are kept at least (11 CCR section 7101(a))."""


def issue(
    deps: Deps, request_id: str, outcomes: receipts.Outcomes, recipients: Sequence[Mapping[str, Any]] = ()
) -> str:
    """The receipt of an ended request: made, if there is none yet, and kept as evidence with the ledger it names.
    `recipients`: as `service.notifying.told` gives them.
    Raises NeedsAttention when the ledger is not as it was written, TryAgain when another process makes the receipt."""
    made = issued(deps, request_id)
    request = requests.load(deps, request_id)  # read later than the receipt: its ledger is no shorter than that one's
    entries = requests.entries(deps, request)
    if made is None:
        made = _make(deps, request, outcomes, recipients, entries)
    entries = entries[: made["entries"]]
    if _head(request_id, entries) != made["head"]:
        raise NeedsAttention("the ledger of the request was changed since its receipt was signed")
    until = kept_until(deps, request)
    deps.evidence.keep(f"requests/{request_id}/ledger.json", receipts.ledger_file(entries), until)
    deps.evidence.keep(f"requests/{request_id}/receipt.jws", f"{made['jws']}\n".encode(), until)
    return str(made["jws"])


def issued(deps: Deps, request_id: str) -> dict[str, Any] | None:
    """The request's receipt, as it is stored under RECEIPT."""
    return deps.table.get(requests.pk(request_id), RECEIPT)


def keys(deps: Deps) -> dict[str, Any]:
    """`{"keys": [...]}` (RFC 7517): the key that signs now, then all others that ever did."""
    current = deps.signer.key()
    return {"keys": [current, *(each["jwk"] for each in deps.table.query(KEYS) if each["sk"] != current["kid"])]}


def kept_until(deps: Deps, request: dict[str, Any]) -> datetime:
    """As long as the controller keeps records of requests, from the day the request was closed."""
    closed, period = moment(request["changed_at"]), periods.parse(deps.datamap.controller.records_kept)
    least = CCPA_RECORDS if request["regime"] == "ccpa" else periods.Period()
    return max(periods.add(closed, period), periods.add(closed, least))


def _make(
    deps: Deps,
    request: dict[str, Any],
    outcomes: receipts.Outcomes,
    recipients: Sequence[Mapping[str, Any]],
    entries: list[ledger.Entry],
) -> dict[str, Any]:
    """The key is noted first: there is never a receipt whose key `keys` does not know."""
    request_id, now = request["request_id"], deps.clock()
    begun = request.get("verified_at") or request.get("reported_at")
    if request["status"] not in lifecycle.TERMINAL or not begun:
        raise NeedsAttention("only a verified request that ended has a receipt")
    if _head(request_id, entries) != request["head"]:
        raise NeedsAttention("the ledger of the request does not end as the request says")
    issuer = deps.datamap.controller.name
    claims = receipts.payload(request, outcomes, entries, issuer=issuer, at=now, recipients=recipients)
    key = deps.signer.key()
    signed = jws.signing_input(claims, key["kid"], receipts.TYP)
    text = jws.compact(signed, deps.signer.sign(signed))
    if deps.table.get(KEYS, key["kid"]) is None:
        deps.table.put_new(KEYS, key["kid"], {"jwk": dict(key)})
    made = {"jws": text, "kid": key["kid"], "at": stamp(now), **claims["ledger"]}
    if not deps.table.put_new(requests.pk(request_id), RECEIPT, made):
        raise TryAgain("another process makes this receipt")
    return made


def _head(request_id: str, entries: list[ledger.Entry]) -> str:
    try:
        return ledger.head(request_id, entries)
    except Invalid as changed:
        raise NeedsAttention(changed.detail) from None
