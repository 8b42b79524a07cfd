"""The demo's last part but one: a preview of the retention sweep, an apply that a brake stops until the DPO answers,
and a second apply that finds nothing."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.table import Table

from infra.local import checks
from infra.local.checks import Swept
from infra.local.person import Unexpected, mailbox
from infra.local.stack import Stack
from infra.local.sweeps import Sweep
from infra.local.watching import states, view
from infra.sample.digest import snapshot
from infra.sample.truth import Truth

COLUMNS = ("scanned", "due", "deleted", "anonymised")


def play(console: Console, stack: Stack, truth: Truth, erased: list[str], directory: Path) -> dict[str, Any]:
    """Facts for report.json; `erased`: people whose erasure was played before. The apply's page goes to `directory`."""
    as_of = truth.content["as_of"]
    untouched = snapshot(stack.client)

    console.print(f"\n[bold]7. What was not used for a year?[/] A preview, as of {as_of}.")
    preview = _run(console, Sweep.start(stack, "preview", as_of=as_of))
    seen = snapshot(stack.client)
    previewed = checks.retention(truth, untouched, seen, preview, applied=False)
    _show(console, "What a sweep would delete or anonymise; nothing was changed", previewed)

    console.print("\n[bold]8. The sweep.[/] Where more is due than the brake allows, it asks the DPO first.")
    apply = Sweep.start(stack, "apply", as_of=as_of)
    applied = _run(console, apply)
    after = snapshot(stack.client)
    swept = checks.retention(truth, untouched, after, applied, applied=True, erased=erased)
    (directory / "retention.html").write_bytes(apply.report(applied))
    _show(console, "What the sweep did", swept)

    console.print("\n[bold]9. The same again.[/] Nothing is left to do.")
    second = _run(console, Sweep.start(stack, "apply", as_of=as_of))
    idle = snapshot(stack.client)
    found = sum(counts["due"] for counts in second["stores"].values())
    verdict = "[green]A second sweep finds nothing" if not found and idle == after else "[red]A second sweep finds more"
    console.print(f"{verdict}: {found} records due, every record byte for byte as before.")
    return {
        "ok": not found and idle == after and not any(row.problems for row in (*previewed, *swept)),
        "preview": [asdict(row) for row in previewed],
        "apply": [asdict(row) for row in swept],
        "second": found,
    }


def _run(console: Console, sweep: Sweep) -> dict[str, Any]:
    """Shows the run until it ended; answers as the DPO when it asks."""
    began = time.monotonic()
    machine = sweep.stack.client("stepfunctions")
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        output = sweep.wait(each=lambda arn: live.update(view(states(machine, arn), began)))
    if output is None:
        letter = next(each for each in mailbox(sweep.stack.mailbox_url) if sweep.run_id in each.text)
        console.print(Panel(letter.said, title=f"mail: {letter.subject}", expand=False))
        said = sweep.answer("continue_sweep", "The first sweep of these stores: as much is due as the preview said.")
        console.print(f"   The DPO answers: {said['message']}")
        output = sweep.wait()
    if output is None:
        raise Unexpected("the sweep asked twice")
    console.print(view(states(machine, sweep.arn), began))
    return output


def _show(console: Console, title: str, rows: list[Swept]) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("store")
    for column in COLUMNS:
        table.add_column(column, justify="right")
    table.add_column("kept")
    table.add_column("brake")
    table.add_column("as promised")
    for row in rows:
        verdict = "[red]" + "; ".join(sorted(set(row.problems))) if row.problems else "[green]yes"
        counts = (f"{getattr(row, column):,}" for column in COLUMNS)
        table.add_row(row.store, *counts, row.kept, "held it" if row.braked else "", verdict)
    console.print(table)
