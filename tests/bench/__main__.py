"""`python -m tests.bench [CASE ...]`: measures ours, a floor and a baseline side by side. See docs/scale.md.

CPU of processes, in rounds that take turns; ratios count, times do not. Nothing here decides whether a test passes.
"""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Callable, Iterable

from rich.console import Console

from tests.bench.results import Result, machine, publish

CASES = {
    "cold_start": "tests.bench.cold_start",
    "request": "tests.bench.request",
    "calls": "tests.bench.calls",
    "export": "tests.bench.bench_export",
    "retention": "tests.bench.retention",
}
"""Case -> the module whose `run()` gives its results. A module is imported when its case is run."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.splitlines()[0])
    parser.add_argument("case", nargs="*", choices=[*CASES, []], help="all when none is named")
    console = Console()
    console.print(machine())
    os.environ["BOTO_DISABLE_CRT"] = "true"  # Lambda has no awscrt; read when botocore is first imported
    for case in parser.parse_args().case or CASES:
        run: Callable[[], Iterable[Result]] = importlib.import_module(CASES[case]).run
        for result in run():
            publish(result, console)


if __name__ == "__main__":
    main()
