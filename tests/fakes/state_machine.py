"""Step Functions in memory: runs the real definition files, JSONata and all, with Python callables for Lambdas.

Knows what our definitions use (Task, Map, Choice, Wait, Pass, Succeed, Fail; Assign, Output, Retry, Catch; task tokens)
and refuses the rest. Waiting costs no time: a retry comes at once, a Wait moves the clock. `tests/e2e` runs the same
files on an emulator.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jsonata import jsonata

from tests.fakes.clock import MovableClock
from tests.fakes.executions import MemoryExecutions

Lambda = Callable[[dict[str, Any]], Any]
WORKFLOWS = Path(__file__).parents[2] / "infra" / "workflows"


class Killed(BaseException):
    """A Lambda that vanished: no `except Exception` of its own code sees it. The service sees Lambda.Unknown."""


class Failed(Exception):
    """The execution failed: an error that no Retry and no Catch took."""


class Waiting(Exception):
    """Stands still until `Execution.resume`."""


@dataclass(slots=True)
class Execution:
    """One run. `history` is what the console would show: entered states, and every input and output as JSON text."""

    lambdas: Mapping[str, Lambda]
    clock: MovableClock
    executions: MemoryExecutions
    definition: dict[str, Any]
    input: dict[str, Any]
    variables: dict[str, Any] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    state: str = ""
    value: Any = None
    token: str = ""
    ended: bool = False
    arn: str = "arn:aws:states:eu-west-1:123456789012:execution:machine:run"
    item: Any = None
    tries: int = 0

    @property
    def transitions(self) -> int:
        return len(self.history)

    def run(self) -> Execution:
        """Until the end, or until a state waits for a task token."""
        if not self.state:
            self.state, self.value = self.definition["StartAt"], self.input
            self.shown.append(json.dumps(self.input))
        while not self.ended:
            try:
                following, self.value = self._enter(self.definition["States"], self.state, self.value, self.variables)
            except Waiting:
                return self
            self.ended, self.state = following is None, following or self.state
        return self

    def resume(self) -> Execution:
        """Goes on with the answer that the waiting state's token was given."""
        output = self.executions.answers[self.token]
        here = self.definition["States"][self.state]
        self.token = ""
        following, self.value = self._leave(here, self.value, output, self.variables)
        self.ended, self.state = following is None, following or self.state
        return self.run()

    def _enter(
        self, states: dict[str, Any], name: str, value: Any, variables: dict[str, Any]
    ) -> tuple[str | None, Any]:
        here = states[name]
        self.history.append(name)
        match here["Type"]:
            case "Task":
                return self._task(here, value, variables)
            case "Map":
                return self._leave(here, value, self._map(here, value, variables), variables)
            case "Choice":
                for choice in here["Choices"]:
                    if self._evaluate(choice["Condition"], variables, input=value):
                        return choice["Next"], value
                return here["Default"], value
            case "Wait":
                until = datetime.fromisoformat(self._evaluate(here["Timestamp"], variables, input=value))
                self.clock.set(max(self.clock(), until))
                return self._leave(here, value, value, variables)
            case "Pass":
                return self._leave(here, value, value, variables)
            case "Succeed":
                return self._leave(here, value, value, variables)
            case "Fail":
                raise Failed(self._evaluate(here["Error"], variables, input=value))
        raise NotImplementedError(here["Type"])

    def _task(self, here: dict[str, Any], value: Any, variables: dict[str, Any]) -> tuple[str | None, Any]:
        waits = here["Resource"].endswith(".waitForTaskToken")
        token = secrets.token_hex(16) if waits else ""
        if waits:
            self.token = token
            self.executions.waiting.add(token)
        self.tries = tries = 0
        while True:
            arguments = self._evaluate(here["Arguments"], variables, input=value)
            function = arguments["FunctionName"] if waits else here["Resource"]
            payload = arguments["Payload"] if waits else arguments
            self.shown.append(json.dumps(payload))
            try:
                result = json.loads(json.dumps(self.lambdas[function.strip("${}")](payload)))
                self.shown.append(json.dumps(result))
                break
            except (Exception, Killed) as error:
                name = "Lambda.Unknown" if isinstance(error, Killed) else type(error).__name__
                self.shown.append(f"{name}: {error}")
                retry = next((r for r in here.get("Retry", []) if _named(name, r["ErrorEquals"])), None)
                self.tries = tries = tries + 1
                if retry and tries <= retry["MaxAttempts"]:
                    continue
                catch = next((c for c in here.get("Catch", []) if _named(name, c["ErrorEquals"])), None)
                if catch is None:
                    raise Failed(name) from error
                return self._leave(catch, value, value, variables, {"Error": name, "Cause": str(error)})
        if waits:
            if token in self.executions.answers:
                return self._leave(here, value, self.executions.answers[token], variables)
            raise Waiting
        return self._leave(here, value, result, variables)

    def _map(self, here: dict[str, Any], value: Any, variables: dict[str, Any]) -> list[Any]:
        """A distributed map's children are executions of their own: they see their item and no variable."""
        inner = here["ItemProcessor"]
        inline = inner["ProcessorConfig"]["Mode"] == "INLINE"
        results = []
        for item in self._evaluate(here["Items"], variables, input=value):
            name: str | None = inner["StartAt"]
            self.item = item
            result = self._evaluate(here["ItemSelector"], variables, input=value) if "ItemSelector" in here else item
            scope = dict(variables) if inline else {}
            while name:
                name, result = self._enter(inner["States"], name, result, scope)
            results.append(result)
        return results

    def _leave(
        self, rule: dict[str, Any], value: Any, result: Any, variables: dict[str, Any], error: Any = None
    ) -> tuple[str | None, Any]:
        known = {"input": value, "result": result, "errorOutput": error}
        output = self._evaluate(rule["Output"], variables, **known) if "Output" in rule else result
        assigned = {name: self._evaluate(text, variables, **known) for name, text in rule.get("Assign", {}).items()}
        variables.update(assigned)
        self.shown.append(json.dumps([output, assigned]))
        return rule.get("Next"), output

    def _evaluate(self, template: Any, variables: dict[str, Any], **states: Any) -> Any:
        if isinstance(template, dict):
            return {key: self._evaluate(inner, variables, **states) for key, inner in template.items()}
        if isinstance(template, list):
            return [self._evaluate(inner, variables, **states) for inner in template]
        if not (isinstance(template, str) and template.startswith("{%")):
            return template
        expression = _compiled(template[2:-2].strip())
        frame = expression.create_frame()
        context = {
            "Execution": {"Input": self.input, "Id": self.arn},
            "Task": {"Token": self.token},
            "State": {"RetryCount": self.tries},
            "Map": {"Item": {"Value": self.item}},
        }
        frame.bind("states", {**states, "context": context})
        for name, inner in variables.items():
            frame.bind(name, inner)
        return _plain(expression.evaluate(None, frame))


def load(name: str) -> dict[str, Any]:
    """A definition of infra/workflows, placeholders for functions and all."""
    definition: dict[str, Any] = json.loads((WORKFLOWS / f"{name}.asl.json").read_text("utf-8"))
    return definition


@cache
def _compiled(expression: str) -> Any:
    return jsonata.Jsonata(expression)


def _named(error: str, names: list[str]) -> bool:
    return error in names or "States.ALL" in names


def _plain(value: Any) -> Any:
    """The interpreter's own list types as plain JSON."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
