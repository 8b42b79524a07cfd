"""What each person said of each topic, and the proof of it.

CONSENT#<person>  CHOICES      {seq, topics: {topic: {on, since, record}}, entries}; `expires_at` once no word stands
                  RECORD#<n>   {n, topic, old, new, at, how, policy, text}; `expires_at` once it is superseded

`person` is the keyed hash of the proven address. `entries` are the records of the last change: they and what they
change are one write, and their own items follow from it, made by this process or by whoever comes next. So a process
that is killed loses no proof, and a call made again finds nothing to change.

Article 7(1) GDPR: whoever relies on a consent must be able to show it. A record stays while what it says stands, and
`controller.records_kept` longer, for as long as claims may come; then the table's TTL takes it. An opt-out has no end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from rightful import periods
from rightful.clocks import moment, stamp
from rightful.errors import TryAgain
from rightful.service import policies
from rightful.service.deps import Deps

ERASURE: Final = "erasure"
"""How a consent ended whose person was erased."""
_CHOICES: Final = "CHOICES"
_RACES: Final = 20
"""How often a change is made anew when somebody else's came first."""

Word = bool | None
"""True: agreed. False: refused, or taken back. None: never asked, or nothing is left of it."""


@dataclass(frozen=True, slots=True)
class Choices:
    """A person's words as they stand."""

    seq: int = 0
    """Records made so far; 0: there is no item."""
    topics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Topic -> `{on, since, record}`."""
    entries: tuple[Mapping[str, Any], ...] = ()

    def word(self, topic: str) -> Word:
        said = self.topics.get(topic)
        return None if said is None else bool(said["on"])


def key(person: str) -> tuple[str, str]:
    """Where a person's choices are."""
    return f"CONSENT#{person}", _CHOICES


def read(item: Mapping[str, Any] | None) -> Choices:
    """From the item under `key`."""
    return Choices(int(item["seq"]), item["topics"], tuple(item["entries"])) if item else Choices()


def load(deps: Deps, person: str) -> Choices:
    return read(deps.table.get(*key(person)))


def change(
    deps: Deps,
    person: str,
    wanted: Callable[[Choices], Mapping[str, Word]],
    *,
    how: str,
    shown: Mapping[str, str],
) -> Choices:
    """Gives topics the words that `wanted` names, each with its record; the choices as they are now. `wanted` sees
    them as they stand and may be asked again, when somebody else's change came first: what it does not name stays as
    it is. A topic that has its word already gets no record. `shown`: topic -> the text that the person saw. Raises
    TryAgain."""
    for _ in range(_RACES):
        choices = load(deps, person)
        _write_records(deps, person, choices)
        new = {topic: word for topic, word in wanted(choices).items() if choices.word(topic) is not word}
        if not new:
            return choices
        changed = _changed(deps, choices, new, how, shown)
        if _save(deps, person, choices, changed):
            _write_records(deps, person, changed)
            return changed
    raise TryAgain("The choices are being changed by others.")


def end(deps: Deps, persons: Iterable[str], before: datetime) -> None:
    """These people were erased: consents that they gave until `before` end, with a record; refusals stay, so that
    nobody is mailed who comes back by an import. Idempotent: what was agreed to later is another consent."""

    def ended(choices: Choices) -> dict[str, Word]:
        old = {topic for topic, said in choices.topics.items() if said["on"] and moment(said["since"]) <= before}
        return dict.fromkeys(old)

    for person in sorted(persons):
        change(deps, person, ended, how=ERASURE, shown={})


def _changed(deps: Deps, choices: Choices, new: Mapping[str, Word], how: str, shown: Mapping[str, str]) -> Choices:
    current = policies.listing(deps)["current"]
    at = stamp(deps.clock())
    entries: list[Mapping[str, Any]] = []
    topics = dict(choices.topics)
    for n, (topic, word) in enumerate(sorted(new.items()), start=choices.seq + 1):
        entry = {"n": n, "topic": topic, "old": choices.word(topic), "new": word, "at": at, "how": how}
        entry |= {"policy": current["version"] or current["url"], "text": shown.get(topic, "")}
        if topic in topics:
            entry["supersedes"] = topics.pop(topic)["record"]
        if word is not None:
            topics[topic] = {"on": word, "since": at, "record": n}
        entries.append(entry)
    return Choices(choices.seq + len(entries), topics, tuple(entries))


def _save(deps: Deps, person: str, old: Choices, new: Choices) -> bool:
    """The one write that changes a person's choices; False when somebody else's came first."""
    facts: dict[str, Any] = {"seq": new.seq, "topics": new.topics, "entries": list(new.entries)}
    if not new.topics:
        facts["expires_at"] = _end_of_proof(deps, new.entries[-1]["at"])
    if not old.seq:
        return deps.table.put_new(*key(person), facts)
    remove = () if "expires_at" in facts else ("expires_at",)
    return deps.table.update(*key(person), facts, remove=remove, expect={"seq": old.seq}) is not None


def _write_records(deps: Deps, person: str, choices: Choices) -> None:
    """The records of the last change, unless they are there. They are written in order, what each supersedes first, so
    that the last one says that all is done."""
    pk = key(person)[0]
    if not choices.seq or deps.table.get(pk, _record(choices.seq)):
        return
    for entry in choices.entries:
        end_of_proof = _end_of_proof(deps, entry["at"])
        if "supersedes" in entry:
            old = int(entry["supersedes"])
            deps.table.update(pk, _record(old), {"expires_at": end_of_proof}, expect={"n": old})
        lasts = {} if entry["new"] is not None else {"expires_at": end_of_proof}
        deps.table.put_new(pk, _record(int(entry["n"])), {**entry, **lasts})


def _end_of_proof(deps: Deps, at: str) -> int:
    """Epoch seconds: when nothing can be claimed any more of what ended then."""
    kept = periods.parse(deps.datamap.controller.records_kept)
    return int(periods.add(moment(at), kept).timestamp())


def _record(n: int) -> str:
    return f"RECORD#{n:06}"
