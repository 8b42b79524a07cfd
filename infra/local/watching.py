"""What the Step Functions console would show of an execution, for the terminal."""

from __future__ import annotations

import time
from typing import Any

from rich.panel import Panel


def states(machine: Any, arn: str) -> list[tuple[str, int]]:
    """(state name, times entered), in the order of first entry."""
    counts: dict[str, int] = {}
    for page in machine.get_paginator("get_execution_history").paginate(executionArn=arn):
        for event in page["events"]:
            if event["type"].endswith("StateEntered"):
                name = event["stateEnteredEventDetails"]["name"]
                counts[name] = counts.get(name, 0) + 1
    return list(counts.items())


def view(seen: list[tuple[str, int]], began: float) -> Panel:
    lines = [f"[green]●[/] {name}" + (f"  × {times}" if times > 1 else "") for name, times in seen]
    return Panel(
        "\n".join(lines) or "starting", title=f"Step Functions, {time.monotonic() - began:.1f} s", expand=False
    )
