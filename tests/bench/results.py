"""What a case found: one JSON file under build/bench, one line on the terminal."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from rich.console import Console

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`ours`, `floor` and `baseline` are in `unit` and, unless `details` says otherwise, medians of the same run.
    Floor: the least that can do the job. Baseline: what is usually done instead."""

    case: str
    unit: str
    ours: float
    floor: float | None = None
    baseline: float | None = None
    rounds: int
    target: float
    """Upper bound of what `judged` names."""
    judged: Literal["ours", "ratio_to_floor", "ratio_to_baseline"] = "ratio_to_floor"
    at_least: bool = False
    """The target is a lower bound."""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def ratio_to_floor(self) -> float | None:
        return self.ours / self.floor if self.floor else None

    @property
    def ratio_to_baseline(self) -> float | None:
        return self.ours / self.baseline if self.baseline else None

    @property
    def met(self) -> bool:
        value: float = getattr(self, self.judged)
        return value >= self.target if self.at_least else value <= self.target

    def as_json(self) -> dict[str, Any]:
        ratios = {"ratio_to_floor": self.ratio_to_floor, "ratio_to_baseline": self.ratio_to_baseline}
        return {**asdict(self), **ratios, "met": self.met, "machine": machine()}


def machine() -> str:
    """Processor, cores, interpreter: what figures of two runs must share to be compared."""
    return f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def publish(result: Result, console: Console) -> None:
    """Writes `build/bench/<case>.json` and prints one line."""
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / f"{result.case}.json"
    path.write_text(json.dumps(result.as_json(), indent=2) + "\n")
    colour, verdict = ("green", "met") if result.met else ("red", "missed")
    bound = "at least" if result.at_least else "at most"
    console.print(
        f"{result.case:<24} {_shown(result.ours):>9} {result.unit:<10}"
        f" floor x{_shown(result.ratio_to_floor):<6} baseline x{_shown(result.ratio_to_baseline):<6}"
        f" [{colour}]{verdict}[/]: {result.judged.replace('_', ' ')} {bound} {result.target:g}",
        highlight=False,
        soft_wrap=True,
    )


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def _processor() -> str:
    """The model's name where Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
