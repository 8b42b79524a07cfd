"""`make demo`: the main job, played on this machine from the first click to the last record.

Starts the whole stack, asks for one download and one deletion as a person would (over HTTP, with the code from the
mailbox), plays the data protection officer at the desk, and sweeps what is past its retention; shows the workflows
while they run, and holds every store against the ground truth. Exits 0 only if all of it held.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.panel import Panel
from rich.table import Table

from infra.local import checks, demo_desk, demo_sweep
from infra.local.checks import Outcome
from infra.local.emulator import ROOT, LocalError, port_from
from infra.local.person import Person, until
from infra.local.stack import Stack, running_stack
from infra.local.watching import states, view
from infra.sample.digest import snapshot
from infra.sample.truth import Truth

REPORT = ROOT / "build" / "demo"
console = Console(width=110 if not sys.stdout.isatty() else None, record=True)


def main() -> int:
    arguments = argparse.ArgumentParser(description="Plays the main job on a stack of its own.")
    arguments.add_argument("--svg", type=Path, metavar="FILE", help="also draw what the terminal showed")
    drawing: Path | None = arguments.parse_args().svg
    began = time.monotonic()
    console.rule("[bold]Rightful: a download, a deletion, the DPO's desk and a retention sweep, end to end")
    try:
        port = port_from(dict(os.environ))
        with running_stack(port=port, people=1000, directory=REPORT / "stack", report=_step) as stack:
            report = play(stack)
    except LocalError as error:
        console.print(f"[red]{error}")
        return 1
    report["seconds"] = round(time.monotonic() - began, 1)
    REPORT.mkdir(parents=True, exist_ok=True)
    (REPORT / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    verdict = "[bold green]Every check held." if report["ok"] else "[bold red]Something did not hold; see above."
    console.print(
        f"\n{verdict}[/] {report['seconds']:.0f} s in all. In build/demo: report.json, my-data.zip, retention.html, "
        "report.html, receipts/"
    )
    if drawing:
        console.save_svg(str(drawing), title="make demo")
    return 0 if report["ok"] else 1


def play(stack: Stack) -> dict[str, Any]:
    """Both requests and the sweep; the facts for report.json."""
    truth = Truth.load(stack.truth)
    reader, leaver = _people(truth)
    before = snapshot(stack.client)

    console.print(f"\n[bold]1. {reader} asks for a download.[/] The code comes by mail; the API is told it.")
    person = Person(reader, stack.api_url, stack.mailbox_url)
    status, states = _watch(stack, person, "access")
    _letter(person)
    console.print("   A new code, so that nobody else can fetch it; then the link, good for five minutes.")
    package = person.download(status["request_id"])
    REPORT.mkdir(parents=True, exist_ok=True)
    (REPORT / "my-data.zip").write_bytes(package)
    middle = snapshot(stack.client)
    exported = checks.access(truth, reader, before, middle, io.BytesIO(package))
    _show(f"What the download of {len(package):,} bytes holds", exported, ("found", "exported"))

    console.print(f"\n[bold]2. {leaver} asks for the account to be deleted.")
    person = Person(leaver, stack.api_url, stack.mailbox_url)
    status, more_states = _watch(stack, person, "erasure")
    after = snapshot(stack.client)
    erased = checks.erasure(truth, leaver, middle, after, status["result"]["stores"])
    _letter(person)
    _show("What the deletion did", erased, ("found", "erased", "anonymised", "kept", "left"))

    strangers = checks.bystanders(truth, before, after, [leaver])
    people = truth.content["people"]
    if strangers:
        console.print(*[f"[red]{line}" for line in strangers], sep="\n")
    else:
        own = truth.person(leaver)
        total = sum(
            len(records.keys() - set(own[store]["keys"] if store in own else ())) for store, records in after.items()
        )
        console.print(f"[green]The other {people - 1:,} people: all {total:,} records byte for byte as before.")
    part = demo_desk.DeskPart(console, stack, truth, REPORT)
    part.play()
    sweep = demo_sweep.play(console, stack, truth, [leaver, *map(str.lower, demo_desk.ERASED)], REPORT)
    desk = part.report()
    ok = not strangers and not any(row.problems for row in (*exported, *erased)) and sweep["ok"] and desk["ok"]
    return {
        "ok": ok,
        "steps": stack.steps,
        "access": {"stores": [asdict(row) for row in exported], "states": states, "bytes": len(package)},
        "erasure": {"stores": [asdict(row) for row in erased], "states": more_states},
        "bystanders": strangers or "byte-identical",
        "retention": sweep,
        "desk": desk,
    }


def _people(truth: Truth) -> tuple[str, str]:
    """The two people who have the most to show: something in the most stores."""

    def breadth(email: str) -> tuple[int, int]:
        shares = truth.person(email).values()
        return sum(bool(share["keys"]) for share in shares), sum(share["records"] for share in shares)

    first, second, *_ = sorted(truth.people(), key=breadth, reverse=True)
    return first, second


def _watch(stack: Stack, person: Person, kind: str) -> tuple[dict[str, Any], list[str]]:
    """Asks, then shows the workflow's states until the request ended."""
    began = time.monotonic()
    request_id = person.ask(kind)
    console.print(f"   request {request_id}, proven with the mailed code")
    machine = stack.client("stepfunctions")
    arn = f"{stack.outputs['PrivacyRequestArn'].replace(':stateMachine:', ':execution:')}:{kind}-{request_id}"
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        status = person.wait(request_id, each=lambda: live.update(view(states(machine, arn), began)))
    for _ in until(30):
        if machine.describe_execution(executionArn=arn)["status"] != "RUNNING":
            break
    seen = states(machine, arn)
    console.print(view(seen, began))
    return status, [name for name, _ in seen]


def _letter(person: Person) -> None:
    last = person.closing_letter()
    console.print(Panel(last.said, title=f"mail: {last.subject}", expand=False))


def _show(title: str, rows: list[Outcome], columns: tuple[str, ...]) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("store")
    for column in columns:
        table.add_column(column, justify="right")
    table.add_column("why")
    table.add_column("as promised")
    for row in rows:
        verdict = "[red]" + "; ".join(sorted(set(row.problems))) if row.problems else "[green]yes"
        verdict = "told as not covered" if row.why == checks.NOT_COVERED and not row.problems else verdict
        table.add_row(row.store, *(str(getattr(row, column)) for column in columns), row.why, verdict)
    console.print(table)


def _step(what: str, seconds: float) -> None:
    console.print(f"   {what}: {seconds:.1f} s")


if __name__ == "__main__":
    sys.exit(main())
