"""The command line: `python -m rightful datamap check|access|compile FILE`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rightful import compiled, plans
from rightful.datamap import access, check, seats
from rightful.errors import Invalid
from rightful.model import DataMap
from rightful.stores.registry import CONNECTORS, SWEEPERS


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0, or 1 when what was given is wrong (said on standard error), or 2 for a wrong command line."""
    parser = argparse.ArgumentParser(prog="python -m rightful", description="Privacy requests on your own AWS account.")
    topics = parser.add_subparsers(required=True, metavar="TOPIC")
    commands = topics.add_parser("datamap", help="the data map").add_subparsers(required=True, metavar="COMMAND")
    verbs = (
        ("check", "validate a data map and show what was understood", ""),
        ("access", "write the CloudFormation template of the permissions it implies", "?"),
        ("compile", "write the checked map as JSON, as the functions read it", "1"),
    )
    for verb, meaning, out in verbs:
        command = commands.add_parser(verb, help=meaning, description=meaning)
        command.add_argument("file", metavar="FILE", type=Path, help="the data map (YAML)")
        if out:
            command.add_argument(
                "out", metavar="OUT", type=Path, nargs="?" if out == "?" else None, help="where to write"
            )
        command.set_defaults(verb=verb)
    options = parser.parse_args(arguments)
    try:
        datamap = check.load_file(options.file, CONNECTORS, SWEEPERS)
        if options.verb == "check":
            sys.stdout.write(summary(datamap))
        elif options.verb == "compile":
            _write(options.out, compiled.dump(seats.with_public_holidays(datamap)))
        else:
            _write(options.out, access.template(datamap, CONNECTORS, SWEEPERS))
    except Invalid as error:
        sys.stderr.write(f"{error.detail}\n")
        return 1
    return 0


def summary(datamap: DataMap) -> str:
    """A table of the stores, and the order in which an erasure takes them."""
    rows = [("store", "connector", "found by", "erasure", "kept for", "retention")]
    for name, store in datamap.stores.items():
        found = ", ".join(dict.fromkeys(locator.by for locator in store.locate)) or "-"
        kept = f"{store.erasure.period} ({store.erasure.ground})" if store.erasure.action == "keep" else "-"
        rule = store.retention
        unless = [f"{each.ground} {each.period}".strip() for each in rule.unless]
        retention = f"{rule.action} {rule.period} after {rule.since}" + (
            f", unless {', '.join(unless)}" if unless else ""
        )
        rows.append((name, store.connector, found, store.erasure.action, kept, retention))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    covered = sum(store.covered for store in datamap.stores.values())
    planned = len(datamap.stores) - covered
    lines += ["", f"{covered + planned} stores: {covered} covered, {planned} planned (told as not covered)"]
    lines += [f"erasure, wave {n}: {', '.join(wave)}" for n, wave in enumerate(plans.waves(datamap), start=1)]
    return "\n".join(lines) + "\n"


def _write(out: Path | None, text: str) -> None:
    if out is None:
        sys.stdout.write(text)
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, "utf-8")
    except OSError as error:
        raise Invalid(f"{out}: {error.strerror}. Name a file that can be written.") from None


if __name__ == "__main__":
    sys.exit(main())
