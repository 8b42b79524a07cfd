"""A run of the retention sweep in the requests table: what it is, its segments, and the lock on each store.

SWEEP#<run id>  RUN                              mode, as_of, stores, who runs it
                SEGMENT#<stage>#<store>#<number> counts so far, where to go on (sealed), or that it is done
                STORE#<store>                    what the DPO decided about a braked store
SWEEP           LOCK#<store>                     the one run that may work on the store

Items end by themselves (`expires_at`) a year and a quarter after the run began; the report in S3 stays.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypedDict

from rightful.clocks import moment, stamp
from rightful.errors import NeedsAttention, TryAgain
from rightful.service.deps import Deps
from rightful.tallies import Tally

Mode = Literal["preview", "apply"]
Stage = Literal["count", "apply"]
LOCKS: Final = "SWEEP"
LIFE: Final = timedelta(days=455)
"""Longer than a run can wait for the DPO."""
MARK: Final = 11
"""Characters of a pending record's keyed hash: 66 bits. A page of very small records has tens of thousands of them, and
an item holds 400 KB."""
MOST_MARKS: Final = 30_000
"""That an item may hold."""
NO_BRAKE: Final = 100
"""Percent."""
_RACES: Final = 5
_AGAIN: Final = " again"


class Rules(TypedDict):
    """What the data map said of a store when the run began."""

    title: str
    action: str
    period: str
    brake: int
    digest: str
    """Of all that it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """`as_of` is the moment for which everything is decided, however long the run takes."""

    run_id: str
    mode: Mode
    as_of: datetime
    began_at: datetime
    execution: str
    """ARN of the execution whose run this is."""
    stores: dict[str, list[str]] = field(default_factory=dict)
    """Store -> its segments, as its connector named them."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Store -> why this run does not go through it: another run does."""
    unreached: dict[str, str] = field(default_factory=dict)
    """Store -> why this run cannot go through it: something must be mended."""
    erased_until: datetime | None = None
    """The newest erasure in the ledger when the run began: nothing newer can have come back from before one."""
    store_sizes: dict[str, int] = field(default_factory=dict)
    """Store -> records in it, where the store says so and the segments do not reach all of them."""
    rules: dict[str, Rules] = field(default_factory=dict)
    """Store -> what this run goes by there. What is deployed while it waits for the DPO is for the next run."""


@dataclass(slots=True)
class Progress:
    """Where a segment stands."""

    cursor: str | None = None
    tally: Tally = field(default_factory=Tally)
    pending: dict[str, str] = field(default_factory=dict)
    """Mark of each record that a page announced -> `delete` or `anonymise` while only looking can tell whether that was
    done, `deleted` when it was. What is met nowhere from that page to the segment's end was deleted by a try that was
    killed."""
    back: list[str] = field(default_factory=list)
    """Of `pending`, those that had come back after an erasure."""
    sample: list[str] = field(default_factory=list)
    """Keys of the first records that are due: for somebody who wants to look at what a preview would delete."""


def pk(run_id: str) -> str:
    return f"{LOCKS}#{run_id}"


def key_id(run_id: str) -> str:
    """Name of the data key that seals a run's cursors."""
    return f"sweep-{run_id}"


def save_new(deps: Deps, run: Run) -> Run:
    """Stores the run, or returns the one that is there under its id."""
    facts = {
        "run_id": run.run_id,
        "mode": run.mode,
        "as_of": stamp(run.as_of),
        "began_at": stamp(run.began_at),
        "execution": run.execution,
        "stores": json.dumps(run.stores),
        "left_out": json.dumps(run.left_out),
        "unreached": json.dumps(run.unreached),
        "erased_until": stamp(run.erased_until) if run.erased_until else "",
        "store_sizes": json.dumps(run.store_sizes),
        "rules": json.dumps(run.rules),
        "expires_at": int((run.began_at + LIFE).timestamp()),
    }
    deps.table.put_new(pk(run.run_id), "RUN", facts)
    return load(deps, run.run_id)


def find(deps: Deps, run_id: str) -> Run | None:
    item = deps.table.get(pk(run_id), "RUN")
    if item is None:
        return None
    return Run(
        run_id=run_id,
        mode=item["mode"],
        as_of=moment(item["as_of"]),
        began_at=moment(item["began_at"]),
        execution=item["execution"],
        stores=json.loads(item["stores"]),
        left_out=json.loads(item["left_out"]),
        unreached=json.loads(item["unreached"]),
        erased_until=moment(item["erased_until"]) if item["erased_until"] else None,
        store_sizes=json.loads(item["store_sizes"]),
        rules=json.loads(item["rules"]),
    )


def load(deps: Deps, run_id: str) -> Run:
    run = find(deps, run_id)
    if run is None:
        raise NeedsAttention("there is no such run of the sweep")
    return run


def rules_of(deps: Deps, store: str) -> Rules:
    whole = deps.datamap.stores[store]
    text = json.dumps([asdict(whole), {name: asdict(form) for name, form in deps.datamap.identities.items()}])
    return Rules(
        title=whole.title,
        action=whole.retention.action,
        period=whole.retention.period,
        brake=whole.retention.brake,
        digest=hashlib.sha256(text.encode()).hexdigest(),
    )


def unchanged(deps: Deps, run: Run, store: str) -> bool:
    """Whether the data map still says of a store what the run began with: what was counted by one rule is not to be
    deleted by another, nor in another table."""
    return store in deps.datamap.stores and rules_of(deps, store) == run.rules[store]


def items(run: Run, stores: Sequence[str]) -> list[dict[str, Any]]:
    """What the Distributed Map goes over: `{"store", "segment": number}`."""
    return [{"store": store, "segment": number} for store in stores for number in range(len(run.stores[store]))]


def progress(deps: Deps, run_id: str, stage: Stage, store: str, number: int) -> Progress | None:
    """Where the segment stands; None when it is done."""
    item = deps.table.get(pk(run_id), _segment(stage, store, number))
    if item is None:
        return Progress()
    if item["done"]:
        return None
    return _opened(deps, run_id, item)


def save(deps: Deps, run: Run, stage: Stage, store: str, number: int, state: Progress) -> None:
    _put(deps, run, stage, store, number, {"done": False, "sealed": _sealed(deps, run, _packed(state))})


def close(deps: Deps, run: Run, stage: Stage, store: str, number: int, state: Progress) -> None:
    facts: dict[str, Any] = {"done": True, "tally": json.dumps(state.tally.as_json())}
    if run.mode == "preview" and state.sample:
        facts["sample"] = _sealed(deps, run, state.sample)
    _put(deps, run, stage, store, number, facts)


def samples(deps: Deps, run: Run, most: int) -> dict[str, list[str]]:
    """Store -> keys of at most so many records that a preview found due."""
    found: dict[str, list[str]] = {}
    for item in deps.table.query(pk(run.run_id), "SEGMENT#count#"):
        if "sample" in item:
            store = item["sk"].split("#")[2]
            found[store] = [*found.get(store, []), *_unsealed(deps, run.run_id, item["sample"])][:most]
    return found


def tallies(deps: Deps, run: Run, stage: Stage) -> dict[str, dict[int, tuple[Tally, bool]]]:
    """Store -> number of each of its segments that this stage has begun -> what it counted, and whether it is done."""
    found: dict[str, dict[int, tuple[Tally, bool]]] = {store: {} for store in run.stores}
    for item in deps.table.query(pk(run.run_id), f"SEGMENT#{stage}#"):
        _, _, store, number = item["sk"].split("#")
        done = bool(item["done"])
        tally = Tally.from_json(json.loads(item["tally"])) if done else _opened(deps, run.run_id, item).tally
        found[store][int(number)] = tally, done
    return found


def most(deps: Deps, run: Run, store: str, number: int) -> float | None:
    """How many records of a segment may be written to: what was due there and not withheld when it was counted, and as
    many more as would not have braked the store. None where nothing brakes it."""
    brake = run.rules[store]["brake"]
    item = deps.table.get(pk(run.run_id), _segment("count", store, number))
    if brake >= NO_BRAKE or item is None or not item["done"]:
        return None
    counted = Tally.from_json(json.loads(item["tally"]))
    return counted.due - counted.held + counted.scanned * brake / 100


def lock(deps: Deps, run_id: str, execution: str, store: str) -> str:
    """Makes this run the only one on the store: the id of the run that has it now. A run whose execution no longer
    runs has lost its locks. Idempotent."""
    mine = {"run_id": run_id, "execution": execution}
    for _ in range(_RACES):
        if deps.table.put_new(LOCKS, f"LOCK#{store}", mine):
            return run_id
        held = deps.table.get(LOCKS, f"LOCK#{store}")
        if held is None:
            continue
        if held["run_id"] == run_id or deps.executions.running(held["execution"]):
            return str(held["run_id"])
        expect = {"run_id": held["run_id"], "execution": held["execution"]}
        if deps.table.update(LOCKS, f"LOCK#{store}", mine, expect=expect) is not None:
            return run_id
    raise TryAgain("others keep taking the lock on a store")


def own(deps: Deps, run: Run) -> None:
    """The run's locks are its execution's, also those that another execution took which was to do the same run: they
    would be anybody's as soon as that one ends."""
    for store in (*run.stores, *run.unreached):
        expect = {"run_id": run.run_id}
        deps.table.update(LOCKS, f"LOCK#{store}", {"execution": run.execution}, expect=expect)


def locked(deps: Deps, run_id: str, store: str) -> bool:
    """Whether this run still has the store."""
    held = deps.table.get(LOCKS, f"LOCK#{store}")
    return held is not None and held["run_id"] == run_id


def unlock(deps: Deps, run: Run, keep: Sequence[str] = ()) -> None:
    """Gives the run's stores back to the next run, but for those in `keep`."""
    for store in (*run.stores, *run.unreached):
        if store not in keep and locked(deps, run.run_id, store):
            deps.table.delete(LOCKS, f"LOCK#{store}")


def decisions(deps: Deps, run_id: str) -> dict[str, Mapping[str, Any]]:
    """Store -> what the DPO decided about its brake: `{"decision": "continue" | "cancel", "reason", "at"}`."""
    found = deps.table.query(pk(run_id), "STORE#")
    return {item["sk"].removeprefix("STORE#"): item for item in found}


def unanswered(deps: Deps, store: str) -> bool:
    """Whether the run that has this store has asked the DPO about it and waits for the answer."""
    held = deps.table.get(LOCKS, f"LOCK#{store}")
    if held is None:
        return False
    asking = deps.table.get(pk(held["run_id"]), "RUN") or {}
    return "task_token" in asking and store not in decisions(deps, held["run_id"])


def _opened(deps: Deps, run_id: str, item: Mapping[str, Any]) -> Progress:
    raw = _unsealed(deps, run_id, item["sealed"])
    pending: dict[str, str] = {}
    back: list[str] = []
    for action, text in raw["pending"].items():
        marks = [text[at : at + MARK] for at in range(0, len(text), MARK)]
        pending |= dict.fromkeys(marks, action.removesuffix(_AGAIN))
        back += marks if action.endswith(_AGAIN) else []
    return Progress(**{**raw, "tally": Tally.from_json(raw["tally"]), "pending": pending, "back": back})


def _packed(state: Progress) -> dict[str, Any]:
    """As JSON, the marks without anything between them."""
    again = frozenset(state.back)
    pending: dict[str, list[str]] = {}
    for mark, action in state.pending.items():
        pending.setdefault(action + _AGAIN if mark in again else action, []).append(mark)
    texts = {action: "".join(marks) for action, marks in pending.items()}
    return {**asdict(state), "pending": texts, "back": []}


def _sealed(deps: Deps, run: Run, value: Any) -> bytes:
    plain = json.dumps(value).encode("utf-8", "surrogatepass")
    return deps.vault.seal(key_id(run.run_id), plain, run.began_at + LIFE)


def _unsealed(deps: Deps, run_id: str, sealed: Any) -> Any:
    return json.loads(deps.vault.open(key_id(run_id), bytes(sealed)).decode("utf-8", "surrogatepass"))


def _put(deps: Deps, run: Run, stage: Stage, store: str, number: int, facts: Mapping[str, Any]) -> None:
    facts = {**facts, "expires_at": int((run.began_at + LIFE).timestamp())}
    deps.table.update(pk(run.run_id), _segment(stage, store, number), facts, remove=["sealed"] if facts["done"] else [])


def _segment(stage: Stage, store: str, number: int) -> str:
    return f"SEGMENT#{stage}#{store}#{number:05}"
