"""Workflow executions in Step Functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from rightful.aws.errors import error_code, translated

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

NO_LONGER_WAITING: Final = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})


class SfnExecutions:
    """The execution's name is `<type>-<request id>`, unique for 90 days, and so makes starting idempotent."""

    def __init__(self, client: SFNClient, state_machine_arn: str) -> None:
        self._client = client
        self._arn = state_machine_arn

    def start(self, request_type: str, request_id: str) -> None:
        with translated():
            try:
                self._client.start_execution(
                    stateMachineArn=self._arn,
                    name=f"{request_type}-{request_id}",
                    input=json.dumps({"request_id": request_id}),
                )
            except ClientError as error:
                if error_code(error) != "ExecutionAlreadyExists":
                    raise

    def answer(self, task_token: str, output: Mapping[str, Any]) -> bool:
        with translated():
            try:
                self._client.send_task_success(taskToken=task_token, output=json.dumps(dict(output)))
            except ClientError as error:
                if error_code(error) not in NO_LONGER_WAITING:
                    raise
                return False
        return True
