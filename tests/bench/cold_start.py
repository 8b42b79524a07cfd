"""Cold start of each function: CPU from an idle interpreter to the end of what its first call must load.

Ours: the handler's module, `wiring.build()`, the clients that its role allows, the log, the cipher; for a function that
mails or writes a report, the templates; for the API, the models of its bodies; for the sweep, the decoder of pages.
Floor: `import boto3` and the same clients, as installed.
Baseline: what a function of this kind usually loads: the floor, Powertools' log and event models, a cipher.
Each is a process of its own with compiled bytecode and without `site`; the interpreter's own start is not counted.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from tests.bench.packages import Package, build_all, zipped_size
from tests.bench.results import OUT, Result
from tests.bench.rounds import paired

ROUNDS = 5
API_TARGET, TARGET, ZIP_TARGET = 1.4, 1.15, 6.0
"""Times the floor; times the floor; megabytes."""
TIMED = "import sys, time\nbegan = time.process_time()\n{}\nprint(time.process_time() - began)\n"
OURS = """
import {module}
from rightful import entry, wiring
deps = wiring.build()
clients = [wiring.clients().get(service) for service in {services}]
entry.logger()
"""
CIPHER = "import cryptography.hazmat.primitives.ciphers.aead\n"
MAILS = """
from rightful import mails
mails.render("code", "en", controller=deps.datamap.controller, purpose="access", code="0", minutes=1)
"""
BODIES = "import rightful.api.bodies\n"
PAGES = "import rightful.stores.dynamodb_decode\n"
REPORT = """
from rightful import reports
at = "2027-01-31T03:00:00Z"
run = {{"run_id": "daily", "mode": "apply", "as_of": at, "began_at": at, "seconds": 1}}
reports.retention_page({{**run, "stores": {{}}, "left_out": {{}}, "not_covered": []}}, "Example")
"""
FLOOR = """
import boto3
clients = [boto3.client(service) for service in {services}]
"""
BASELINE = (
    FLOOR
    + """
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.parser import BaseModel
Logger(service="x")
"""
    + CIPHER
)


def run(rounds: int = ROUNDS) -> Iterator[Result]:
    for package in build_all(OUT / "packages"):
        yield _cold_start(package, rounds)
    yield _sdk_size()


def _cold_start(package: Package, rounds: int) -> Result:
    ours = OURS
    if any((folder / "cryptography").is_dir() for folder in package.path):  # some call KMS for keyed hashes only
        ours += CIPHER
    if "sesv2" in package.services:
        ours += MAILS
    if package.name == "api":
        ours += BODIES
    if package.name == "sweep":
        ours += PAGES
    if package.name in ("brake", "report"):
        ours += REPORT
    filled = {"module": package.module, "services": package.services}
    installed = (Path(sysconfig.get_path("purelib")),)
    cpu = paired(
        rounds,
        ours=lambda: _cpu(ours.format(**filled), package.path),
        floor=lambda: _cpu(FLOOR.format(**filled), installed),
        baseline=lambda: _cpu(BASELINE.format(**filled), installed),
    )
    return Result(
        case=f"cold_start_{package.name}",
        unit="ms CPU",
        ours=1000 * cpu["ours"],
        floor=1000 * cpu["floor"],
        baseline=1000 * cpu["baseline"],
        rounds=rounds,
        target=API_TARGET if package.name == "api" else TARGET,
        details={"clients": package.services},
    )


def _cpu(code: str, path: tuple[Path, ...]) -> float:
    """CPU seconds that the code took in a fresh interpreter."""
    environment = {
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": os.defpath,
        "BOTO_DISABLE_CRT": "true",  # Lambda has no awscrt, this environment may
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "ACCOUNT_ID": "123456789012",
    }
    done = subprocess.run(
        [sys.executable, "-S", "-c", TIMED.format(code)], env=environment, capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


def _sdk_size() -> Result:
    """The layer that holds the SDK, against boto3 with all that it needs, as installed."""
    installed = Path(sysconfig.get_path("purelib"))
    whole = OUT / "packages" / "boto3"
    for name in ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3"):
        shutil.copytree(installed / name, whole / name, ignore=shutil.ignore_patterns("__pycache__"))
    return Result(
        case="sdk_zip",
        unit="MB",
        ours=zipped_size(OUT / "packages" / "layers" / "sdk") / 1e6,
        baseline=zipped_size(whole) / 1e6,
        rounds=1,
        target=ZIP_TARGET,
        judged="ours",
        details={"ours": "with Powertools and bytecode", "baseline": "boto3 as installed, without bytecode"},
    )
