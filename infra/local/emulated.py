"""`python -m infra.local.emulated`: ministack with seven repairs, a limit and a record.

Its worker processes report every failure of a Python function as `Runtime.HandlerError`. On AWS a failure carries the
name of the exception's class, and that is what the workflow's `Retry` and `Catch` match.
It asks for SendEmail on every resource. On AWS the sender's identity and the configuration set are asked for, with
the sender as the condition key `ses:FromAddress`.
It asks for s3:DeleteObject for the first object of a DeleteObjects even when the call names a version of it. On AWS
that is s3:DeleteObjectVersion, as it is here for the others.
It asks for dynamodb:BatchExecuteStatement on every resource. On AWS that is an action on the table for each statement,
dynamodb:PartiQLDelete for one that deletes.
It asks for SendTaskSuccess on every resource. On AWS the state machine that waits is asked for, as SAM's
`StepFunctionsCallbackPolicy` grants it.
It reads the items of a Distributed Map as if they were written in JSONPath. On AWS they, their selector and the map's
output are JSONata where the machine says so, and a child knows no variable of its parent.
It runs as many branches of a Map at once as the machine says. Here no more run than there are cores: each starts a
process of its own, and twenty of those take longer than two that are used again.
It tells IAM that a call over http is not secure, which bucket policies rightly refuse. Here the loopback is the wire,
so a call counts as if it came over TLS.
Should a new version need this no longer, `install` fails at once and says so.

What IAM decided about each call of a role goes to the file named by IAM_RECORD, one JSON object a line:
{"role", "action", "resource", "decision": "allowed" | "refused"}.
"""

from __future__ import annotations

import json
import os
import re
import threading
from email.utils import parseaddr
from pathlib import Path
from typing import Any, cast

from ministack import app
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.core.responses import get_account_id
from ministack.services import lambda_svc, stepfunctions

WITHOUT_NAME = '"trace": traceback.format_exc()}'
WITH_NAME = '"trace": traceback.format_exc(), "class_name": type(e).__name__}'
CORES = max(os.cpu_count() or 1, 2)
STATEMENT = re.compile(r'(DELETE|UPDATE) (?:FROM )?"([^"]+)"')
SEND_EMAIL = ("POST", "/v2/email/outbound-emails")


def install() -> None:
    """Makes the repairs, and begins the record if one is wanted."""
    name_failures()
    authorise_mails()
    authorise_deletes()
    authorise_statements()
    authorise_answers()
    map_by_jsonata()
    map_by_cores()
    count_loopback_as_tls()
    if path := os.environ.get("IAM_RECORD"):
        record_decisions(Path(path))


def name_failures() -> None:
    """Makes the worker say the class name, and carries it past the function that drops it."""
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    if WITHOUT_NAME not in script:
        raise RuntimeError("ministack's worker is worded otherwise now: is infra.local.emulated still needed?")
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace(WITHOUT_NAME, WITH_NAME)

    last = threading.local()  # an invocation runs in one thread from `execute` to the worker and back
    invoke, execute = lambda_runtime.Worker.invoke, lambda_svc._execute_function_warm

    def invoke_and_note(worker: Any, *args: Any, **kwargs: Any) -> Any:
        result = invoke(worker, *args, **kwargs)
        last.class_name = result.get("class_name")
        return result

    def execute_and_name(*args: Any, **kwargs: Any) -> Any:
        last.class_name = None
        answer = execute(*args, **kwargs)
        if answer.get("error") and last.class_name:
            answer["body"]["errorType"] = last.class_name
        return answer

    lambda_runtime.Worker.invoke = invoke_and_note
    lambda_svc._execute_function_warm = execute_and_name


def authorise_mails() -> None:
    """Asks IAM about a mail as AWS does (SES in the Service Authorization Reference)."""
    otherwise = app._enforce_ses_v2

    def enforce(method: str, path: str, headers: Any, body: bytes, query: Any, request_id: str) -> Any:
        if (method, path) != SEND_EMAIL:
            return otherwise(method, path, headers, body, query, request_id)
        mail = json.loads(body)
        sender = parseaddr(mail.get("FromEmailAddress", ""))[1]
        resources = [f"identity/{sender}"]
        if mail.get("ConfigurationSetName"):
            resources.append(f"configuration-set/{mail['ConfigurationSetName']}")
        prefix = f"arn:aws:ses:{app.extract_region(headers)}:{get_account_id()}"
        for resource in resources:
            refused = app._enforce_data_plane(
                "sesv2",
                "ses:SendEmail",
                headers,
                query,
                request_id,
                resource_arn=f"{prefix}:{resource}",
                service_context={"ses:FromAddress": sender},
            )
            if refused:
                return refused
        return None

    app._enforce_ses_v2 = enforce


def authorise_deletes() -> None:
    """Asks IAM about the first object of a DeleteObjects as about the others."""
    extract = iam_actions.extract_iam_action

    def action(service: str, method: str, path: str, headers: Any, body: bytes, query: Any) -> str | None:
        if service == "s3" and method == "POST" and "delete" in query:
            targets = iam_actions._s3_batch_delete_targets(path.strip("/"), body)
            return "s3:DeleteObjectVersion" if targets and targets[0][1] else "s3:DeleteObject"
        return cast("str | None", extract(service, method, path, headers, body, query))

    iam_actions.extract_iam_action = action


def authorise_statements() -> None:
    """Asks IAM about a batch of PartiQL statements, all of one kind and table, as AWS does about each of them."""
    extract_action, extract_resource = iam_actions.extract_iam_action, iam_actions.extract_resource_arn

    def statement(service: str, headers: Any, body: bytes) -> tuple[str, str] | None:
        """What it does, and to which table."""
        if service != "dynamodb" or not headers.get("x-amz-target", "").endswith(".BatchExecuteStatement"):
            return None
        matches = [STATEMENT.match(each["Statement"]) for each in json.loads(body)["Statements"]]
        (found,) = {(match[1], match[2]) for match in matches if match}
        return found

    def action(service: str, method: str, path: str, headers: Any, body: bytes, query: Any) -> str | None:
        if found := statement(service, headers, body):
            return f"dynamodb:PartiQL{found[0].capitalize()}"
        return cast("str | None", extract_action(service, method, path, headers, body, query))

    def resource_arn(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any, region: str, account: str
    ) -> str:
        if found := statement(service, headers, body):
            return f"arn:aws:dynamodb:{region}:{account}:table/{found[1]}"
        return cast("str", extract_resource(service, method, path, headers, body, query, region, account))

    iam_actions.extract_iam_action, iam_actions.extract_resource_arn = action, resource_arn


def authorise_answers() -> None:
    """Asks IAM about the answer to a task token as a call to the state machine that gave the token."""
    running = threading.local()  # a state is executed in one thread
    machines: dict[str, str] = {}
    execute, call_back = stepfunctions._execute_task, stepfunctions._invoke_with_callback
    extract = iam_actions.extract_resource_arn

    def execute_and_note(state: Any, given: Any, execution: Any, context: Any) -> Any:
        running.machine = execution["stateMachineArn"]
        return execute(state, given, execution, context)

    def call_back_and_note(resource: str, given: Any, token: str, state: Any) -> Any:
        machines[token] = running.machine
        return call_back(resource, given, token, state)

    def resource_arn(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> str:
        if service == "states" and ".SendTask" in headers.get("x-amz-target", ""):
            return machines.get(json.loads(body)["taskToken"], "*")
        return cast("str", extract(service, method, path, headers, body, *rest))

    stepfunctions._execute_task, stepfunctions._invoke_with_callback = execute_and_note, call_back_and_note
    iam_actions.extract_resource_arn = resource_arn


def map_by_jsonata() -> None:
    """Evaluates what a Distributed Map says in JSONata, and hands the items it names to the emulator's own runner."""
    run = stepfunctions._run_distributed_map

    def run_evaluated(state: Any, given: Any, effective: Any, iterator: Any, execution: Any, context: Any) -> Any:
        if stepfunctions._state_query_language(state, context) != "JSONata":
            return run(state, given, effective, iterator, execution, context)
        items = stepfunctions._jsonata_state_field(state, "Items", "array", given, context)
        places = [{**context, "Map": {"Item": {"Index": index, "Value": item}}} for index, item in enumerate(items)]
        selector = state.get("ItemSelector", "{% $states.context.Map.Item.Value %}")
        selected = [stepfunctions._apply_jsonata_template(selector, given, place) for place in places]
        rest = ("Items", "ItemSelector", "Output", "Assign")
        plain = {name: value for name, value in state.items() if name not in rest}
        without = {name: value for name, value in context.items() if name != "variables"}
        results, following = run(plain, selected, selected, iterator, execution, without)
        output = stepfunctions._apply_jsonata_output(state, given, context, result=results, default=results)
        stepfunctions._apply_state_assign(state, given, context, result=results)
        return output, following

    stepfunctions._run_distributed_map = run_evaluated


def map_by_cores() -> None:
    """Bounds how many branches of a Map run at once."""
    run = stepfunctions._run_map_items

    def run_some(state: Any, *rest: Any) -> Any:
        return run({**state, "MaxConcurrency": min(int(state.get("MaxConcurrency") or CORES), CORES)}, *rest)

    stepfunctions._run_map_items = run_some


def count_loopback_as_tls() -> None:
    """Answers `aws:SecureTransport` with yes."""
    pin = app.pin_request_origin

    def pin_as_secure(source_ip: str, _: bool) -> None:
        pin(source_ip, True)

    app.pin_request_origin = pin_as_secure


def record_decisions(path: Path) -> None:
    """Writes down each decision about a role's call. (The root user is never judged.)"""
    enforce = iam_evaluator.enforce
    record = path.open("w", buffering=1, encoding="utf-8")

    def enforce_and_note(access_key: str, action: str, *args: Any, resource_arn: str = "*", **kwargs: Any) -> Any:
        refused = enforce(access_key, action, *args, resource_arn=resource_arn, **kwargs)
        caller = iam_evaluator.resolve_caller_identity(access_key) or {}
        role = caller.get("userArn", "").partition(":assumed-role/")[2].partition("/")[0]
        if role:
            facts = {"role": role, "action": action, "resource": resource_arn}
            record.write(json.dumps({**facts, "decision": "refused" if refused else "allowed"}) + "\n")
        return refused

    iam_evaluator.enforce = enforce_and_note


if __name__ == "__main__":
    install()
    app.main()
