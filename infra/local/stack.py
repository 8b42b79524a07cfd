"""The whole product on this machine: emulator, sample stores, people, and the stack itself.

with running_stack(port=4600, people=50, directory=tmp_path) as stack:
    requests.get(f"{stack.api_url}/health")
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.local import emulator
from infra.local.deploy import SENDER, build, deploy
from infra.local.emulator import CREDENTIALS, HOST, REGION, ROOT, LocalError, client_environment
from infra.sample.keys import bucket_name

DIRECTORY = ROOT / "build" / "local"
STACK = "rightful"
SAMPLE = "salescookie"
SAMPLE_TEMPLATE = ROOT / "infra" / "sample" / "template.yaml"

Report = Callable[[str, float], None]
"""Told of each step when it is done: what was done, and the seconds it took."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Where a running stack is reached. `steps` holds the seconds that each step of its start took."""

    endpoint_url: str
    region: str
    api_url: str
    mailbox_url: str
    outputs: dict[str, str]
    truth: Path
    directory: Path
    steps: dict[str, float] = field(default_factory=dict)

    def client(self, service: str, **options: Any) -> Any:
        """An AWS client of the emulator's root user."""
        return _client(service, self.endpoint_url, **options)

    def as_json(self) -> dict[str, Any]:
        """`stack.json` of the public contract."""
        return {
            "endpoint_url": self.endpoint_url,
            "region": self.region,
            "api_url": self.api_url,
            "mailbox_url": self.mailbox_url,
            "outputs": self.outputs,
            "sample": {"truth": str(self.truth)},
        }


def start(
    port: int,
    *,
    people: int = 1000,
    seed: int = 1,
    directory: Path = DIRECTORY,
    wait_scale: float = 1.0,
    report: Report | None = None,
) -> Stack:
    """Starts everything afresh and writes `stack.json` into `directory`. Raises LocalError, leaving nothing running."""
    steps: dict[str, float] = {}

    def timed(what: str, work: Callable[[], Any]) -> Any:
        began = time.monotonic()
        result = work()
        steps[what] = round(time.monotonic() - began, 2)
        if report:
            report(what, steps[what])
        return result

    directory = directory.resolve()
    (directory / "stack.json").unlink(missing_ok=True)
    endpoint = f"http://{HOST}:{port}"
    truth = directory / "truth.json"
    timed("start the emulator", lambda: emulator.start(port, directory, wait_scale=wait_scale))
    try:
        with ThreadPoolExecutor() as side_by_side:
            built: Future[Path] = side_by_side.submit(timed, "sam build", lambda: build(port, directory))
            timed("sam deploy of the sample stores", lambda: deploy(SAMPLE_TEMPLATE, SAMPLE, port, directory))
            account = _client("sts", endpoint).get_caller_identity()["Account"]
            _lock(endpoint, bucket_name("uploads", account))
            seeded = side_by_side.submit(timed, "seed the sample", lambda: _seed(port, people, seed, truth, directory))
            _client("sesv2", endpoint).create_email_identity(EmailIdentity=SENDER)
            template = built.result()
            timed("sam deploy", lambda: deploy(template, STACK, port, directory, with_parameters=True))
            seeded.result()
        outputs = _outputs(endpoint)
        _lock(endpoint, outputs["EvidenceBucket"])
        stack = Stack(
            endpoint_url=endpoint,
            region=REGION,
            api_url=_local_api_url(endpoint, outputs["ApiUrl"]),
            mailbox_url=f"{endpoint}/_ministack/ses/messages",
            outputs=outputs,
            truth=truth,
            directory=directory,
            steps=steps,
        )
        (directory / "stack.json").write_text(json.dumps(stack.as_json(), indent=2) + "\n")
    except BaseException:
        stop(directory)
        raise
    return stack


def stop(directory: Path = DIRECTORY) -> bool:
    """Ends the stack of this directory. False when none was running."""
    (directory / "stack.json").unlink(missing_ok=True)
    return emulator.stop(directory)


@contextlib.contextmanager
def running_stack(port: int, **options: Any) -> Iterator[Stack]:
    """`start`, and `stop` at the end, whatever happens."""
    directory = options.setdefault("directory", DIRECTORY)
    stack = start(port, **options)
    try:
        yield stack
    finally:
        stop(directory)


def _seed(port: int, people: int, seed: int, truth: Path, directory: Path) -> None:
    endpoint = f"http://{HOST}:{port}"
    arguments = ["--people", str(people), "--seed", str(seed), "--endpoint", endpoint, "--out", str(truth)]
    log = directory / "seed.log"
    with log.open("wb") as output:
        done = subprocess.run(
            [sys.executable, "-m", "infra.sample.seed", *arguments],
            env=client_environment(port),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise LocalError(f"Seeding the sample failed; the end of {log}:\n{log.read_text(errors='replace')[-2000:]}")


def _lock(endpoint: str, bucket: str) -> None:
    """Object Lock, which the emulator does not take from a template."""
    _client("s3", endpoint).put_object_lock_configuration(
        Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
    )


def _client(service: str, endpoint: str, **options: Any) -> Any:
    import boto3

    session = boto3.Session(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
    return session.client(service, endpoint_url=endpoint, **options)  # type: ignore[call-overload]  # any service name


def _outputs(endpoint: str) -> dict[str, str]:
    described = _client("cloudformation", endpoint).describe_stacks(StackName=STACK)
    return {output["OutputKey"]: output["OutputValue"] for output in described["Stacks"][0]["Outputs"]}


def _local_api_url(endpoint: str, api_url: str) -> str:
    """https://<id>.execute-api.<region>.amazonaws.com/<stage> as the emulator serves it."""
    host, stage = api_url.removeprefix("https://").split("/", 1)
    return f"{endpoint}/_aws/execute-api/{host.split('.')[0]}/{stage}"
