"""The desk's own ledger: one chain of what the DPO did outside of any request, such as disclosures and legal holds.

DESK  <n>   an entry (`rightful.ledger`), of the request id `desk`
DESK  HEAD  {n, head}: the newest entry that is known; there may be newer ones

An entry is written under its number if there is none, so only by one of two that come at once. It holds no free
text and names nobody: ids, dates, keyed hashes. An action that was killed and run again may have two, of one key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rightful import ledger
from rightful.clocks import stamp
from rightful.errors import TryAgain
from rightful.service.deps import Deps

DESK: Final = "DESK"
OF: Final = "desk"
_RACES: Final = 50


def enter(deps: Deps, what: str, key: str, facts: Mapping[str, Any]) -> ledger.Entry:
    """One more entry, the newest. Raises TryAgain when others keep coming first."""
    head = deps.table.get(DESK, "HEAD") or {"n": 0, "head": ""}
    n, previous = int(head["n"]), str(head["head"])
    for _ in range(_RACES):
        said: dict[str, Any] = {"at": stamp(deps.clock()), "what": what, "status": "", "key": key, "facts": facts}
        made = ledger.entry(OF, n + 1, previous, **said)
        written = deps.table.put_new(DESK, _number(n + 1), made)
        newest = made if written else deps.table.get(DESK, _number(n + 1)) or made
        n, previous = int(newest["n"]), str(newest["hash"])
        deps.table.put_new(DESK, "HEAD", {"n": 0, "head": ""})
        deps.table.update(DESK, "HEAD", {"n": n, "head": previous}, below={"n": n})
        if written:
            return made
    raise TryAgain("The desk's ledger is being written by others.")


def entries(deps: Deps) -> list[ledger.Entry]:
    """All of it, oldest first; `ledger.head(OF, ...)` says whether it is as it was written."""
    names = ("request_id", "n", "at", "what", "status", "key", "facts", "previous", "hash")
    found = deps.table.query(DESK, "0")
    return [{name: item[name] for name in names} for item in found]


def _number(n: int) -> str:
    return f"{n:012}"
