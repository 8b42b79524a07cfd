"""A preview, an apply that a brake stops until the DPO has answered, and a second apply, on the sample and one person
made of markers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.local.dpo import Dpo
from infra.local.person import Letter, Unexpected, mailbox
from infra.local.stack import Stack
from infra.local.sweeps import Sweep
from infra.sample.digest import Snapshot, snapshot
from infra.sample.truth import Truth
from tests.e2e import visible
from tests.e2e.marked import Markers, Text, settle

BRAKED = "form_submissions"
"""The store of the sample's map that keeps the brake of ten percent."""


@dataclass(frozen=True)
class Swept:
    """What each part answered, and what the stores held then."""

    markers: Markers
    before: Snapshot
    preview: dict[str, Any]
    previewed: Snapshot
    apply: Sweep
    refusals: list[dict[str, Any]]
    """Answers of the decide function to what it cannot use."""
    waiting: Snapshot
    letters: list[Letter]
    """About the apply."""
    accepted: dict[str, Any]
    applied: dict[str, Any]
    after: Snapshot
    second: dict[str, Any]
    at_last: Snapshot
    seen: list[Text]
    """Everything that others may read."""


def play(stack: Stack, truth: Truth) -> Swept:
    as_of, markers = truth.content["as_of"], Markers()
    person = settle(stack, markers)
    before = snapshot(stack.client)

    preview = ended(Sweep.start(stack, "preview", as_of=as_of))
    previewed = snapshot(stack.client)

    apply = Sweep.start(stack, "apply", as_of=as_of)
    if apply.wait() is not None:
        raise Unexpected("no store was braked")
    refusals = list(wrong_answers(apply))
    waiting = snapshot(stack.client)
    letters = [letter for letter in mailbox(stack.mailbox_url) if apply.run_id in letter.text]
    accepted = apply.answer("continue_sweep", "The first sweep of all.", [BRAKED])
    applied = ended(apply)
    after = snapshot(stack.client)

    second = ended(Sweep.start(stack, "apply", as_of=as_of))
    return Swept(
        markers=markers,
        before=before,
        preview=preview,
        previewed=previewed,
        apply=apply,
        refusals=refusals,
        waiting=waiting,
        letters=letters,
        accepted=accepted,
        applied=applied,
        after=after,
        second=second,
        at_last=snapshot(stack.client),
        seen=list(visible.texts(stack, person)),
    )


def ended(sweep: Sweep) -> dict[str, Any]:
    output = sweep.wait()
    if output is None:
        raise Unexpected("the sweep waits for the DPO")
    return output


def wrong_answers(sweep: Sweep) -> Iterator[dict[str, Any]]:
    """None of them may move the sweep."""
    given = {"action": "continue_sweep", "run_id": sweep.run_id, "stores": [BRAKED], "reason": "because"}
    dpo = Dpo.of(sweep.stack)
    wrongs: list[dict[str, Any]] = [
        {"run_id": "nobody's"},
        {"stores": ["accounts"]},
        {"stores": []},
        {"stores": BRAKED},
        {"reason": " "},
        {"action": "approve"},
    ]
    for wrong in wrongs:
        yield dpo.answer(dpo.start(given | wrong))
