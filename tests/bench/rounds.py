"""Rounds in which the ways to compare take turns, so that a machine that slows down slows all of them."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median


def paired(rounds: int, **ways: Callable[[], float]) -> dict[str, float]:
    """Way -> median of what it answered over the rounds. One round more comes first and does not count."""
    for way in ways.values():
        way()
    found: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        turns = list(ways) if number % 2 == 0 else list(reversed(ways))
        for name in turns:
            found[name].append(ways[name]())
    return {name: median(values) for name, values in found.items()}
