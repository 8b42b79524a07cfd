"""The SalesCookie sample: people, what is stored about them, and the truth about what a request must do.

`python -m infra.sample.generate --people 1000 --seed 7 --out build/sample/truth.json` writes the truth alone;
`infra.sample.seed` puts the records into the stores as well. The same arguments give the same bytes. Memory does not
grow with the number of people.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from infra.sample import people as who
from infra.sample.holding import Holding
from infra.sample.keys import event_key, file_key, row_key, upload_key
from infra.sample.records import Maker
from infra.sample.truth import Share, Writer

TEAM = 10
"""People know others of their team only, so that the truth about a team is complete when the team is made."""
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(slots=True)
class Subject:
    """A person with what they own, and their share of each store (what others hold of them included)."""

    holding: Holding
    shares: dict[str, Share] = field(default_factory=dict)

    def share(self, store: str) -> Share:
        return self.shares.setdefault(store, Share())


def generate(people: int, seed: int, as_of: datetime = AS_OF, *, lock: bool = False) -> Iterator[Subject]:
    """`people` subjects, the ones with special traits first. `as_of` (aware) is the day on which the sample was
    made: dates are counted back from it. `lock`: one file stands under an Object Lock."""
    for start in range(0, people, TEAM):
        yield from _team(range(start, min(start + TEAM, people)), seed, as_of, lock)


def _team(indexes: range, seed: int, as_of: datetime, lock: bool) -> list[Subject]:
    dice = {index: random.Random(f"{seed}/{index}") for index in indexes}
    team = [who.person(index, dice[index]) for index in indexes]
    subjects = [Subject(Maker(person, team, dice[person.index], as_of, lock).make()) for person in team]
    known = {subject.holding.person.email_lower: subject for subject in subjects}
    for subject in subjects:
        for row in subject.holding.rows:
            for email in row.of:
                if email in known:
                    known[email].share(row.store).add(row_key(row.store, row.item), after=row.after, past=row.past)
        for stored in subject.holding.files:
            if stored.versions:
                share = subject.share("uploads")
                share.add(file_key(stored.key), after=stored.after, records=len(stored.versions))
            if stored.unfinished:
                subject.share("uploads").add(upload_key(stored.key), records=stored.unfinished)
        for event in subject.holding.events:
            key = event_key(event.day, str(event.line["event_id"]))
            subject.share("usage_events").add(key, past=event.past)
    return subjects


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("build/sample/truth.json"))
    options = parser.parse_args()
    with Writer(options.out, people=options.people, seed=options.seed, as_of=AS_OF) as truth:
        for subject in generate(options.people, options.seed):
            truth.add(subject.holding, subject.shares)


if __name__ == "__main__":
    main()
