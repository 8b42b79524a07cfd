"""What keeps the local stack from starting is said with its cure, and nothing of anybody else's is stopped."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path

import pytest

from infra.local import emulator
from infra.local.emulator import LocalError


def test_a_busy_port_is_named_with_its_cure(tmp_path: Path) -> None:
    with socket.create_server((emulator.HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(LocalError, match=rf"Port {port} is in use .* RIGHTFUL_PORT=\d+ make up"):
            emulator.start(port, tmp_path)
    assert emulator.running(tmp_path) is None


@pytest.mark.parametrize("text", ["http", "-1", "0", "65536", "4566 "])
def test_a_port_is_a_number(text: str) -> None:
    with pytest.raises(LocalError, match="RIGHTFUL_PORT"):
        emulator.port_from({"RIGHTFUL_PORT": text})


def test_the_port_is_4566_unless_said() -> None:
    assert emulator.port_from({}) == emulator.port_from({"RIGHTFUL_PORT": ""}) == 4566
    assert emulator.port_from({"RIGHTFUL_PORT": "4600"}) == 4600


def test_a_process_id_left_by_one_that_is_gone_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "emulator.lock").write_text(str(os.getpid()))
    assert emulator.running(tmp_path) is None
    assert emulator.stop(tmp_path) is False


def test_one_that_holds_the_lock_is_running(tmp_path: Path) -> None:
    with (tmp_path / "emulator.lock").open("w") as held:
        held.write("4242")
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)
        assert emulator.running(tmp_path) == 4242


def test_children_see_no_credentials_profile_or_proxy_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTPS_PROXY", "PYTHONPATH", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.setenv(name, "theirs")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "theirs")
    seen = emulator.client_environment(4566)
    assert "theirs" not in seen.values()
    assert seen["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
