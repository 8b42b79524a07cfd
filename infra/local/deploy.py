"""Builds and deploys with the real `sam`, against the emulator."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from infra.local.emulator import ROOT, LocalError, client_environment
from infra.packaging.target import local_architecture, local_runtime

SAM = Path(sys.executable).parent / "sam"
SENDER = "privacy@salescookie.example"


def build(port: int, directory: Path) -> Path:
    """`sam build` for this interpreter and machine; the built template's path."""
    built = directory / "sam"
    arguments = ["build", "--template", str(ROOT / "template.yaml"), "--build-dir", str(built), "--parallel"]
    _sam([*arguments, "--parameter-overrides", *_words(parameters())], port, directory, "sam-build")
    return built / "template.yaml"


def deploy(template: Path, stack: str, port: int, directory: Path, *, with_parameters: bool = False) -> None:
    """`sam deploy` of a template under the name `stack`; returns when it is complete."""
    arguments = ["deploy", "--template-file", str(template), "--stack-name", stack, "--resolve-s3"]
    arguments += ["--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    arguments += ["--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"]
    if with_parameters:
        arguments += ["--parameter-overrides", *_words(parameters())]
    _sam(arguments, port, directory, f"sam-deploy-{stack}")


def parameters() -> dict[str, str]:
    """The stack's parameters on this machine."""
    return {
        "Stage": "local",
        "Runtime": local_runtime(),
        "Architecture": local_architecture(),
        "MailFrom": SENDER,
        "DeletionProtection": "no",
        "FormOrigins": "http://localhost:8080",
        "SourceLimitPerHour": "100000",
        "RetentionScheduleState": "DISABLED",
        "EvidenceLockMode": "GOVERNANCE",
        "DeadlinesScheduleState": "DISABLED",
    }


def _words(values: dict[str, str]) -> list[str]:
    return [f"ParameterKey={name},ParameterValue={value}" for name, value in values.items()]


def _sam(arguments: list[str], port: int, directory: Path, name: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    environment = {
        **client_environment(port),
        "RIGHTFUL_TARGET": "native",
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.2",
        "__SAM_CLI_APP_DIR": str(directory / "sam-cli"),
    }
    log = directory / f"{name}.log"
    with log.open("wb") as output:
        done = subprocess.run(
            [sys.executable, str(SAM), *arguments],
            env=environment,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        ending = "\n".join(log.read_text(errors="replace").splitlines()[-25:])
        raise LocalError(f"`sam {arguments[0]}` failed; the end of {log}:\n{ending}")
