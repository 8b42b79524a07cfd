"""Workflow executions in memory: nothing runs; what was started and answered is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.fakes.recording import Fault, Recorder, no_fault


class MemoryExecutions(Recorder):
    """`started`: execution name -> input. `waiting`: task tokens that wait. `answers`: task token -> output. `alive`:
    ARNs of executions that run. `ended`: names of those that do no more."""

    port = "executions"

    def __init__(self, fault: Fault = no_fault) -> None:
        super().__init__(fault)
        self.started: dict[str, dict[str, Any]] = {}
        self.waiting: set[str] = set()
        self.answers: dict[str, dict[str, Any]] = {}
        self.alive: set[str] = set()
        self.ended: set[str] = set()

    def start(self, request_type: str, request_id: str) -> None:
        with self.operation("start", request_type, request_id):
            self.started.setdefault(f"{request_type}-{request_id}", {"request_id": request_id})

    def sweep(self, name: str, mode: str, stores: Sequence[str]) -> None:
        with self.operation("sweep", name, mode, tuple(stores)):
            self.started.setdefault(name, {"mode": mode, "stores": list(stores)})

    def announce(self, name: str, version: str) -> bool:
        with self.operation("announce", name, version):
            self.started.setdefault(name, {"version": version})
            return name not in self.ended

    def running(self, execution: str) -> bool:
        with self.operation("running", execution):
            return execution in self.alive

    def answer(self, task_token: str, output: Mapping[str, Any]) -> bool:
        with self.operation("answer", task_token):
            if task_token not in self.waiting:
                return False
            self.waiting.remove(task_token)
            self.answers[task_token] = dict(output)
            return True
