"""A browser is found, or else had once, or else it is said what to install."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.web import chromium
from tests.web.chromium import Machine, NoBrowser, executable


def program(path: Path) -> Path:
    path.touch()
    path.chmod(0o755)
    return path


class Bare:
    """A machine without a browser, on which the command that begins as `works` brings one."""

    def __init__(self, tmp_path: Path, works: str = "", *, root: bool = True, apt: bool = True) -> None:
        self.own, self.place = tmp_path / "downloaded", tmp_path / "placed"
        self.works, self.ran = works, list[str]()
        programs = {"apt-get": "/usr/bin/apt-get"} if apt else {}
        self.machine = Machine(
            environ={},
            which=programs.get,
            places=[self.place],
            root=root,
            run=self.run,
            lock=tmp_path / "build" / "chromium.lock",
        )

    def run(self, command: Sequence[str]) -> str:
        words = [Path(command[0]).name, *command[1:]]
        text = " ".join(words).partition(" ")[2] if "playwright" in words else " ".join(words)
        self.ran.append(text)
        if not (self.works and text.startswith(self.works)):
            return "" if "update" in text else "no such thing"
        program(self.own if "playwright" in text else self.place)
        return ""


def test_one_that_is_there_is_taken_and_nothing_is_installed(tmp_path: Path) -> None:
    bare = Bare(tmp_path)
    program(bare.place)
    assert executable(bare.own, bare.machine) == bare.place
    assert bare.ran == []


def test_the_one_that_is_named_comes_first(tmp_path: Path) -> None:
    named = program(tmp_path / "named")
    machine = Machine(environ={chromium.VARIABLE: str(named)}, which=lambda name: "/usr/bin/" + name)
    assert executable(tmp_path / "own", machine) == named


def test_one_that_is_named_and_cannot_be_started_is_a_mistake_with_its_cure(tmp_path: Path) -> None:
    machine = Machine(environ={chromium.VARIABLE: str(tmp_path / "absent")})
    with pytest.raises(NoBrowser, match=rf"{chromium.VARIABLE} is .*absent.* Install Chromium"):
        executable(tmp_path / "own", machine)


def test_root_gets_the_package_of_the_system(tmp_path: Path) -> None:
    bare = Bare(tmp_path, "apt-get install")
    assert executable(bare.own, bare.machine) == bare.place
    assert bare.ran == [
        "apt-get update -q",
        f"apt-get install -q -y --no-install-recommends {' '.join(chromium.PACKAGES)}",
    ]


def test_where_the_system_has_none_playwright_downloads_it(tmp_path: Path) -> None:
    bare = Bare(tmp_path, "-m playwright")
    assert executable(bare.own, bare.machine) == bare.own
    assert bare.ran[-1] == "-m playwright install --with-deps chromium"


@pytest.mark.parametrize(("root", "apt"), [(False, True), (True, False)])
def test_without_apt_or_the_right_to_use_it_playwright_downloads_it(tmp_path: Path, root: bool, apt: bool) -> None:
    bare = Bare(tmp_path, "-m playwright", root=root, apt=apt)
    assert executable(bare.own, bare.machine) == bare.own
    assert bare.ran == ["-m playwright install chromium"]


def test_where_none_can_be_had_it_is_said_what_failed_and_what_to_do(tmp_path: Path) -> None:
    bare = Bare(tmp_path)
    with pytest.raises(NoBrowser) as caught:
        executable(bare.own, bare.machine)
    assert chromium.CURE in str(caught.value)
    assert "apt-get install -q -y --no-install-recommends chromium fonts-dejavu-core: no such thing" in str(
        caught.value
    )


def test_many_at_once_install_it_once(tmp_path: Path) -> None:
    bare = Bare(tmp_path, "apt-get install")
    found: list[Path] = []
    workers = [threading.Thread(target=lambda: found.append(executable(bare.own, bare.machine))) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [bare.place] * 8
    assert len(bare.ran) == 2


def test_what_a_command_says_when_it_fails_is_kept() -> None:
    machine = Machine()
    assert machine.run(["sh", "-c", "echo 'no room' >&2; exit 3"]) == "no room"
    assert machine.run(["sh", "-c", "exit 3"]) == "it ended with 3"
    assert machine.run(["sh", "-c", "echo fine"]) == ""
    assert machine.root == (os.geteuid() == 0)
