"""A Chromium for tests and pictures: one that is there, else Debian's package, else the one that Playwright downloads.

`python -m tests.web.chromium` makes sure that there is one, as `make test` does before it starts.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

ROOT = Path(__file__).parents[2]
VARIABLE = "RIGHTFUL_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
PLACES = (
    Path("/usr/lib/chromium/chromium"),
    Path("/opt/google/chrome/chrome"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
)
PACKAGES = ("chromium", "fonts-dejavu-core")
"""Without a font there is no text to measure."""
CURE = f"Install Chromium or Chrome (on Debian: apt-get install {' '.join(PACKAGES)}), or name one in {VARIABLE}."


class NoBrowser(Exception):
    """There is none and none can be had; says what was tried, and the cure."""


def _run(command: Sequence[str]) -> str:
    """Why the command failed: the end of what it wrote, or empty when it succeeded."""
    done = subprocess.run(
        command,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout.strip()[-500:] or f"it ended with {done.returncode}"


@dataclass(frozen=True, slots=True)
class Machine:
    """What the search may look at and change."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    which: Callable[[str], str | None] = shutil.which
    places: Sequence[Path] = PLACES
    root: bool = field(default_factory=lambda: os.geteuid() == 0)
    run: Callable[[Sequence[str]], str] = _run
    lock: Path = ROOT / "build" / "chromium.lock"


def executable(own: Path, machine: Machine | None = None, say: Callable[[str], None] = lambda text: None) -> Path:
    """The browser to start; `own` is where Playwright keeps what it downloads. Raises NoBrowser."""
    machine = machine or Machine()
    if found := _found(own, machine):
        return found
    machine.lock.parent.mkdir(parents=True, exist_ok=True)
    with machine.lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # pytest's workers all come here at once, and apt has a lock of its own
        faults = []
        for command in [] if _found(own, machine) else _ways(machine):
            say(f"installing a browser (once): {' '.join(command)}")
            if fault := machine.run(command):
                faults.append(f"{' '.join(command)}: {fault}")
            if _found(own, machine):
                break
    if found := _found(own, machine):
        return found
    raise NoBrowser("\n".join(["The tests of the pages need a browser.", CURE, *faults]))


def _found(own: Path, machine: Machine) -> Path | None:
    if named := machine.environ.get(VARIABLE):
        if not os.access(named, os.X_OK):
            raise NoBrowser(f"{VARIABLE} is {named!r}, which cannot be started. {CURE}")
        return Path(named)
    on_path = next(filter(None, map(machine.which, NAMES)), None)
    return Path(on_path) if on_path else next((place for place in (*machine.places, own) if place.is_file()), None)


def _ways(machine: Machine) -> list[Sequence[str]]:
    """Commands to try in turn until there is a browser."""
    playwright = [sys.executable, "-m", "playwright", "install"]
    if not (machine.root and machine.which("apt-get")):
        return [[*playwright, "chromium"]]
    apt = [["apt-get", "update", "-q"], ["apt-get", "install", "-q", "-y", "--no-install-recommends", *PACKAGES]]
    return [*apt, [*playwright, "--with-deps", "chromium"]]


def launched(playwright: Playwright) -> Browser:
    """Without a sandbox, as Playwright does by default: root has none, and what is shown is our own."""
    return playwright.chromium.launch(executable_path=executable(Path(playwright.chromium.executable_path)))


@contextmanager
def running() -> Iterator[Browser]:
    """A browser for as long as the block lasts."""
    with sync_playwright() as playwright:
        browser = launched(playwright)
        try:
            yield browser
        finally:
            browser.close()


def main() -> None:
    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    try:
        executable(own, say=lambda text: print(text, flush=True))
    except NoBrowser as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
