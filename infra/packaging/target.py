"""For which Lambda runtime and processor the layers are built.

`sam build` does not tell a Makefile its parameters, so they are read where `sam` keeps them: the environment
(RIGHTFUL_RUNTIME, RIGHTFUL_ARCHITECTURE), then `parameter_overrides` in samconfig.toml, then the defaults of
template.yaml. RIGHTFUL_TARGET=native means *this* interpreter and machine (the local stack).
"""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GLIBC = {"python3.11": 26}
"""Minor version of the runtime's glibc: Amazon Linux 2 up to Python 3.11, Amazon Linux 2023 (2.34) from 3.12 on."""
RUNTIMES = ("python3.11", "python3.12", "python3.13", "python3.14")
"""Equal to AllowedValues of the Runtime parameter."""


@dataclass(frozen=True)
class Target:
    runtime: str
    architecture: str
    native: bool

    @property
    def python_version(self) -> str:
        return self.runtime.removeprefix("python")

    @property
    def platforms(self) -> list[str]:
        """Wheel platform tags that the runtime can load, newest first."""
        machine = {"arm64": "aarch64", "x86_64": "x86_64"}[self.architecture]
        newest = GLIBC.get(self.runtime, 34)
        return [f"manylinux_2_{minor}_{machine}" for minor in range(newest, 16, -1)] + [f"manylinux2014_{machine}"]

    @property
    def interpreter(self) -> str | None:
        """An interpreter whose bytecode the runtime understands, if there is one here."""
        if self.native or self.python_version == ".".join(map(str, sys.version_info[:2])):
            return sys.executable
        return shutil.which(self.runtime)


def local_runtime() -> str:
    """The allowed Runtime value nearest to the interpreter in use (the emulator runs every function with that one)."""
    here = f"python3.{sys.version_info.minor}"
    return here if here in RUNTIMES else RUNTIMES[-1]


def local_architecture() -> str:
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"


def read_target(root: Path = ROOT, environ: dict[str, str] | None = None) -> Target:
    env = dict(os.environ) if environ is None else environ
    if env.get("RIGHTFUL_TARGET") == "native":
        return Target(f"python{platform.python_version()}", local_architecture(), native=True)
    said = {
        **_defaults((root / "template.yaml").read_text()),
        **_overrides(root / "samconfig.toml"),
    }
    return Target(
        env.get("RIGHTFUL_RUNTIME") or said["Runtime"],
        env.get("RIGHTFUL_ARCHITECTURE") or said["Architecture"],
        native=False,
    )


def _defaults(template: str) -> dict[str, str]:
    """Runtime and Architecture defaults, without a YAML parser: an operator's python3 may have none."""
    found = re.findall(r"^  (Runtime|Architecture):\n(?:    .*\n)*?    Default: (\S+)", template, re.MULTILINE)
    return dict(found)


def _overrides(samconfig: Path) -> dict[str, str]:
    """What `sam deploy --guided` saved, as text (`Runtime="python3.13" ...`) or as a list of such words."""
    if not samconfig.exists():
        return {}
    said: dict[str, str] = {}
    for environment in tomllib.loads(samconfig.read_text()).values():
        if not isinstance(environment, dict):
            continue
        for command in ("global", "deploy", "build"):
            value = environment.get(command, {}).get("parameters", {}).get("parameter_overrides", "")
            for word in shlex.split(value) if isinstance(value, str) else value:
                name, _, meant = word.partition("=")
                said[name] = meant
    return {name: said[name] for name in ("Runtime", "Architecture") if name in said}
