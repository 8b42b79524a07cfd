"""Writes down what one store holds of a person, masked, for the package to be made from."""

from __future__ import annotations

from typing import Any

from rightful import masking, records, searching
from rightful.model import Record
from rightful.service import discovering, progress
from rightful.service.deps import Deps, TimeLeft

PAGE = 500
"""Records read at a time."""
PART = 4_000_000
"""Bytes gathered before a part is written."""


def step(deps: Deps, request_id: str, store: str, time_left: TimeLeft) -> dict[str, Any]:
    """Exports until the store is through or time runs short; `{"store", "done"}`.

    Parts are `work/<request id>/<store>/<nnnnn>.jsonl`. A part is written before the progress that says so, under a
    number that only progress moves, so a step that was killed writes the same part again."""
    request, (head, saved) = progress.load_with(deps, request_id, discovering.SAVED, progress.row_key(store))
    search, row = discovering.found(deps, request_id, head), saved or {}
    findings = search.stores[store]
    lookups = progress.scope(deps, findings)
    if progress.finished(row, lookups) and progress.fresh(deps, row):
        return {"store": store, "done": True}
    progress.ensure_open(request)
    state = progress.resume(deps, request_id, row) if row.get("lookups") == lookups else None
    if state is None:
        if row:
            deps.files.delete(_folder(request_id, store))
        state = {"lookup": 0, "cursor": None, "part": 0, "exported": 0, "hidden": {}}
    own = {value for values in search.identities.values() for value in values}

    part = bytearray()
    while state["lookup"] < len(findings.lookups):
        for record in _page(deps, store, findings, state):
            by = searching.located_by(deps.connectors[store], deps.datamap.stores[store].locate, findings, record)
            shown, hidden = masking.mask(record.data, deps.datamap.stores[store], by, own)
            part += records.to_line(shown, hidden, record)
            state["exported"] += 1
            state["hidden"] = {k: state["hidden"].get(k, 0) + hidden.get(k, 0) for k in {*state["hidden"], *hidden}}
        if time_left() <= 0 or len(part) >= PART:
            _write(deps, request_id, store, state, part)
            part.clear()
            progress.save(deps, request_id, store, state, lookups=lookups)
            if time_left() <= 0:
                return {"store": store, "done": False}
    _write(deps, request_id, store, state, part)
    if state["part"] == 0:
        _leave_nothing(deps, _folder(request_id, store))
    facts = {"exported": state["exported"], "hidden": state["hidden"], "parts": state["part"]}
    progress.close(deps, request_id, store, lookups=lookups, **facts)
    return {"store": store, "done": True}


def _leave_nothing(deps: Deps, folder: str) -> None:
    """A try killed before its first save may have left a part, which one that writes none does not write over."""
    if next(deps.files.list(folder), None) is not None:
        deps.files.delete(folder)


def _folder(request_id: str, store: str) -> str:
    return f"work/{request_id}/{store}/"


def _page(deps: Deps, store: str, findings: searching.Findings, state: dict[str, Any]) -> list[Record]:
    """The next records that no earlier lookup finds; moves `state` on."""
    connector = deps.connectors[store]
    locators = deps.datamap.stores[store].locate
    index, value = findings.lookups[state["lookup"]]
    page = connector.find(locators[index], value, state["cursor"], PAGE)
    earlier = findings.lookups[: state["lookup"]]
    state["cursor"] = page.cursor
    if page.cursor is None:
        state["lookup"] += 1
    return [r for r in page.records if not any(connector.matches(r, locators[i], v) for i, v in earlier)]


def _write(deps: Deps, request_id: str, store: str, state: dict[str, Any], part: bytearray) -> None:
    if part:
        deps.files.put(f"{_folder(request_id, store)}{state['part']:05}.jsonl", bytes(part))
        state["part"] += 1
