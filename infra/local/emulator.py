"""The AWS emulator (ministack) as a process of its own: started, found again, and stopped.

It listens on the loopback only and enforces IAM. While it lives it holds a lock on `emulator.lock` in its directory
(the open file is inherited), so a process id read from there is ours exactly while the lock is held.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
REGION = "eu-west-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
"""The emulator's root user."""
START_SECONDS = 60
STOP_SECONDS = 15
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "SYSTEMROOT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE")
"""All that a child sees of our own environment: no profile, credential, proxy or module path of the user's."""

_children: dict[int, subprocess.Popen[bytes]] = {}
"""Emulators that this very process started, by process id: to be waited for when they end."""


class LocalError(Exception):
    """What keeps the local stack from running, with its cure."""


def port_from(environ: dict[str, str]) -> int:
    """RIGHTFUL_PORT, or the default. Raises LocalError unless it is a port number."""
    text = environ.get("RIGHTFUL_PORT") or "4566"
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise LocalError(f"RIGHTFUL_PORT is {text!r}; give a port number from 1 to 65535, such as 4566.")
    return int(text)


def client_environment(port: int) -> dict[str, str]:
    """Environment for `sam` and every other AWS client that should talk to the emulator."""
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    here = Path(sys.executable).parent
    return {
        **kept,
        **CREDENTIALS,
        "PATH": f"{here}{os.pathsep}{kept.get('PATH', os.defpath)}",
        "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def start(port: int, directory: Path, *, wait_scale: float = 1.0) -> None:
    """Starts an emulator with nothing in it; returns when it answers. One left in `directory` is stopped before.

    `wait_scale`: share of their time that Wait states and retry intervals really take.
    Raises LocalError when the port is taken or the emulator does not come up.
    """
    stop(directory)
    _refuse_busy(port)
    temporary = _temporary(directory)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    settings = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "AUTH": "true",
        "IOT_MTLS_ENABLED": "0",  # it would listen on every interface
        "SFTP_ENABLED": "0",
        "MINISTACK_REGION": REGION,
        "SFN_WAIT_SCALE": str(wait_scale),
        "TMPDIR": str(temporary),
        "STATE_DIR": str(directory / "state"),
        "S3_DATA_DIR": str(directory / "s3"),
        "LOG_LEVEL": "WARNING",
        "IAM_RECORD": str(directory / "iam.jsonl"),
    }
    environment = {name: value for name, value in client_environment(port).items() if name != "AWS_ENDPOINT_URL"}
    log = directory / "ministack.log"
    with _lock_file(directory).open("w") as lock, log.open("wb") as output:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.emulated"],
            env={**environment, **settings},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[lock.fileno()],
            start_new_session=True,
        )
        lock.write(str(process.pid))
    _children[process.pid] = process
    try:
        _await(lambda: _answers(port) or process.poll() is not None, START_SECONDS)
        if process.poll() is not None or not _answers(port):
            raise LocalError(f"The emulator did not start on port {port}; its log is {log}.")
    except BaseException:
        stop(directory)
        raise


def stop(directory: Path) -> bool:
    """Ends the emulator of this directory and the Lambda processes it made. False when none was running."""
    process = running(directory)
    if process is None:
        return False
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process, number)
        if _await(lambda: running(directory) is None, STOP_SECONDS):
            break
    with contextlib.suppress(ProcessLookupError):  # Lambda processes that outlived their parent
        os.killpg(process, signal.SIGKILL)
    if child := _children.pop(process, None):
        child.wait()
    shutil.rmtree(_temporary(directory), ignore_errors=True)
    return True


def _temporary(directory: Path) -> Path:
    """Where the emulator unpacks each Lambda process, 40 to 100 MB each."""
    return directory / "tmp"


def running(directory: Path) -> int | None:
    """Process id (and process group) of the emulator of this directory, if it lives."""
    path = _lock_file(directory)
    if not path.exists():
        return None
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(file.read())
    return None


def _lock_file(directory: Path) -> Path:
    return directory / "emulator.lock"


def _refuse_busy(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise LocalError(
                f"Port {port} is in use by another program. Stop that program, or choose another port: "
                f"RIGHTFUL_PORT={port + 100} make up"
            ) from None


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/_ministack/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _await(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)  # polling: a process has no event to wait for across sessions
    return True
