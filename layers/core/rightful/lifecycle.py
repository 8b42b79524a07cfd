"""The life of a request: its statuses, and which may follow which. Pure.

Three facts bind the statuses, and all are conditions of the write that changes one: `verified_at` (nothing but expiry
may happen to a request whose identity was not proven), `reported_at` (of an account that somebody reported as that of
someone under 18: it may be searched and put to the DPO before anybody is verified, and no more; see
docs/decisions/under-18.md) and `erasing_since` (what has begun to be erased can no longer be withdrawn or rejected).
"""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """As the public contract spells them."""

    awaiting_verification = "awaiting_verification"
    in_progress = "in_progress"
    awaiting_approval = "awaiting_approval"
    scheduled = "scheduled"
    """Grace period: approved, nothing erased yet."""
    paused = "paused"
    needs_attention = "needs_attention"
    completed = "completed"
    rejected = "rejected"
    withdrawn = "withdrawn"
    expired = "expired"
    """Never verified in time."""


_OPEN = frozenset(
    {Status.in_progress, Status.awaiting_approval, Status.scheduled, Status.paused, Status.needs_attention}
)
_ENDS = frozenset({Status.rejected, Status.withdrawn})

FOLLOWS: dict[Status, frozenset[Status]] = {
    Status.awaiting_verification: frozenset({Status.in_progress, Status.expired}),
    Status.in_progress: _OPEN - {Status.in_progress} | _ENDS | {Status.completed},
    Status.awaiting_approval: _OPEN - {Status.awaiting_approval} | _ENDS,
    Status.scheduled: _OPEN - {Status.scheduled} | _ENDS,
    Status.paused: _OPEN - {Status.paused} | _ENDS,
    Status.needs_attention: _OPEN - {Status.needs_attention} | _ENDS | {Status.completed},
    Status.completed: frozenset(),
    Status.rejected: frozenset(),
    Status.withdrawn: frozenset(),
    Status.expired: frozenset(),
}
"""status -> the statuses that may come next."""

TERMINAL = frozenset(status for status, following in FOLLOWS.items() if not following)
NEVER_VERIFIED = frozenset({Status.awaiting_verification, Status.expired})
"""The only statuses that a request without `verified_at` may have."""
REPORTED = NEVER_VERIFIED | _ENDS | {Status.in_progress, Status.awaiting_approval, Status.needs_attention}
"""Those that one with `reported_at` may have without it: it is searched, planned and decided about, nothing else."""
NOT_WHILE_ERASING = _ENDS
"""Closed to a request with `erasing_since`: it would claim that data is still there."""


def allowed(status: Status, to: Status, *, verified: bool, erasing: bool, reported: bool = False) -> bool:
    """Whether a request in `status` may become `to`, given the three facts."""
    if to not in FOLLOWS[status]:
        return False
    if not verified and to not in (REPORTED if reported else NEVER_VERIFIED):
        return False
    return not (erasing and to in NOT_WHILE_ERASING)
