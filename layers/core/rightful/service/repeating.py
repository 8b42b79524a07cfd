"""`Idempotency-Key`: the same call made again gives the same answer and does nothing twice.

Follows draft-ietf-httpapi-idempotency-key-header: another body under the same key, and a call that is still being
worked on, are conflicts. A call that broke off is carried on under the ids it began with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from rightful.errors import Conflict, RightfulError
from rightful.service.deps import Deps
from rightful.service.verifying import new_id

KEPT: Final = timedelta(hours=24)
BUSY_SECONDS: Final = 15
"""How long a call that neither answered nor failed is taken to be still at work: the time-out of the API function."""

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attempt:
    """The ids that every try of one call shares."""

    request_id: str
    verification_id: str
    again: bool
    """Whether an earlier try may have done a part."""


def once(
    deps: Deps, subject: str, key: str | None, body: Mapping[str, Any], act: Callable[[Attempt], Answer]
) -> Answer:
    """What `act` answers, or answered. `subject` is whose key it is (a keyed hash); without a key nothing is kept.
    Raises Conflict; with `retry_after` when the same call is still being worked on."""
    if key is None:
        return act(Attempt(new_id(), new_id(), again=False))
    pk, sk = f"IDEMPOTENCY#{subject}#{deps.vault.digest('idempotency', key)}", "IDEMPOTENCY"
    now = int(deps.clock().timestamp())
    item: dict[str, Any] = {
        "request_id": new_id(),
        "verification_id": new_id(),
        "body": deps.vault.digest("body", json.dumps(body, sort_keys=True)),
        "busy_until": now + BUSY_SECONDS,
        "expires_at": now + int(KEPT.total_seconds()),
    }
    again = not deps.table.put_new(pk, sk, item)
    if again:
        kept = deps.table.get(pk, sk)
        if kept is None:
            raise _busy(1)
        if kept["body"] != item["body"]:
            raise Conflict("This Idempotency-Key was used with another body. Use a new key for a new request.")
        if "answer" in kept:
            answer: Answer = kept["answer"]
            return answer
        if kept["busy_until"] > now:
            raise _busy(int(kept["busy_until"]) - now)
        taken = {"busy_until": item["busy_until"]}
        if deps.table.update(pk, sk, taken, expect={"busy_until": kept["busy_until"], "answer": None}) is None:
            raise _busy(1)
        item = kept
    try:
        answer = act(Attempt(item["request_id"], item["verification_id"], again))
        deps.table.update(pk, sk, {"answer": answer}, remove=["busy_until"], expect={"body": item["body"]})
    except RightfulError:
        with suppress(RightfulError):
            deps.table.update(pk, sk, {"busy_until": 0}, expect={"answer": None})
        raise
    return answer


def _busy(seconds: int) -> Conflict:
    return Conflict("The same request is still being worked on; send it again shortly.", retry_after=seconds)
