"""Workflow executions in Step Functions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from rightful.aws.errors import error_code, translated

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

NO_LONGER_WAITING: Final = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})


class SfnExecutions:
    """An execution's name (`<type>-<request id>`) is unique for 90 days, and so makes starting idempotent."""

    def __init__(self, client: SFNClient, requests_arn: str, sweep_arn: str = "", notice_arn: str = "") -> None:
        self._client = client
        self._requests_arn = requests_arn
        self._sweep_arn = sweep_arn
        self._notice_arn = notice_arn

    def start(self, request_type: str, request_id: str) -> None:
        self._start(self._requests_arn, f"{request_type}-{request_id}", {"request_id": request_id})

    def sweep(self, name: str, mode: str, stores: Sequence[str]) -> None:
        self._start(self._sweep_arn, name, {"mode": mode, "stores": list(stores)})

    def announce(self, name: str, version: str) -> bool:
        return self._start(self._notice_arn, name, {"version": version})

    def running(self, execution: str) -> bool:
        with translated():
            try:
                return self._client.describe_execution(executionArn=execution)["status"] == "RUNNING"
            except ClientError as error:
                if error_code(error) != "ExecutionDoesNotExist":
                    raise
                return False

    def answer(self, task_token: str, output: Mapping[str, Any]) -> bool:
        with translated():
            try:
                self._client.send_task_success(taskToken=task_token, output=json.dumps(dict(output)))
            except ClientError as error:
                if error_code(error) not in NO_LONGER_WAITING:
                    raise
                return False
        return True

    def _start(self, machine: str, name: str, given: Mapping[str, Any]) -> bool:
        """False when an execution of this name ended: for one that runs with this input, Step Functions answers as when
        it started. Source: Step Functions API, StartExecution."""
        with translated():
            try:
                self._client.start_execution(stateMachineArn=machine, name=name, input=json.dumps(given))
            except ClientError as error:
                if error_code(error) != "ExecutionAlreadyExists":
                    raise
                return False
        return True
