"""No path through the statuses reaches a state that the contract forbids."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from rightful import lifecycle
from rightful.lifecycle import FOLLOWS, Status

CONTRACT = [
    "awaiting_verification",
    "in_progress",
    "awaiting_approval",
    "scheduled",
    "paused",
    "needs_attention",
    "completed",
    "rejected",
    "withdrawn",
    "expired",
]


def test_the_statuses_are_those_of_the_contract() -> None:
    assert [status.value for status in Status] == CONTRACT
    assert set(FOLLOWS) == set(Status)


def test_terminal_statuses() -> None:
    assert {Status.completed, Status.rejected, Status.withdrawn, Status.expired} == lifecycle.TERMINAL


def test_every_status_can_be_reached_and_every_open_one_left() -> None:
    assert frozenset.union(*FOLLOWS.values()) == set(Status) - {Status.awaiting_verification}
    assert all(FOLLOWS[status] for status in Status if status not in lifecycle.TERMINAL)


@pytest.mark.parametrize("status", sorted(status for status in Status if Status.withdrawn in FOLLOWS[status]))
def test_withdrawing_is_closed_once_erasing_began(status: Status) -> None:
    assert lifecycle.allowed(status, Status.withdrawn, verified=True, erasing=False)
    assert not lifecycle.allowed(status, Status.withdrawn, verified=True, erasing=True)


@pytest.mark.parametrize("to", sorted(set(Status) - lifecycle.NEVER_VERIFIED))
def test_rule_1_nothing_but_expiry_without_proof(to: Status) -> None:
    for status in Status:
        assert not lifecycle.allowed(status, to, verified=False, erasing=False)


@pytest.mark.parametrize("to", sorted(set(Status) - lifecycle.REPORTED))
def test_a_report_alone_schedules_pauses_and_completes_nothing(to: Status) -> None:
    assert to in {Status.scheduled, Status.paused, Status.completed}
    for status in Status:
        assert not lifecycle.allowed(status, to, verified=False, erasing=False, reported=True)


class Life(RuleBasedStateMachine):
    """A request to which anything is tried at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.status = Status.awaiting_verification
        self.verified = False
        self.reported = False
        self.erasing = False
        self.ended: Status | None = None

    @rule(to=st.sampled_from(Status), proof=st.booleans(), report=st.booleans())
    def move(self, to: Status, proof: bool, report: bool) -> None:
        verified, reported = self.verified or proof, self.reported or report
        if lifecycle.allowed(self.status, to, verified=verified, erasing=self.erasing, reported=reported):
            self.reported = reported
            assert to in FOLLOWS[self.status]
            self.status, self.verified = to, verified and to is not Status.expired
            if to in lifecycle.TERMINAL:
                self.ended = to

    @rule()
    def begin_erasing(self) -> None:
        self.erasing = self.erasing or (self.verified and self.status is Status.in_progress)

    @invariant()
    def an_end_is_an_end(self) -> None:
        assert self.ended is None or self.status is self.ended

    @invariant()
    def work_is_for_the_verified(self) -> None:
        searched = lifecycle.REPORTED if self.reported else lifecycle.NEVER_VERIFIED
        assert self.verified or self.status in searched

    @invariant()
    def only_the_verified_are_erased_or_done(self) -> None:
        assert self.verified or not (self.erasing or self.status is Status.completed)

    @invariant()
    def what_is_being_erased_is_never_called_withdrawn_or_rejected(self) -> None:
        assert not (self.erasing and self.status in {Status.withdrawn, Status.rejected})


TestLife = Life.TestCase
