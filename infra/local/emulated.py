"""`python -m infra.local.emulated`: ministack with two repairs and a record.

Its worker processes report every failure of a Python function as `Runtime.HandlerError`. On AWS a failure carries the
name of the exception's class, and that is what the workflow's `Retry` and `Catch` match.
It asks for SendEmail on every resource. On AWS the sender's identity and the configuration set are asked for, with
the sender as the condition key `ses:FromAddress`.
Should a new version need this no longer, `install` fails at once and says so.

What IAM decided about each call of a role goes to the file named by IAM_RECORD, one JSON object a line:
{"role", "action", "resource", "decision": "Allow" | "Deny" | "ImplicitDeny"}.
"""

from __future__ import annotations

import json
import os
import threading
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import iam_evaluator, lambda_runtime
from ministack.core.responses import get_account_id
from ministack.services import lambda_svc

WITHOUT_NAME = '"trace": traceback.format_exc()}'
WITH_NAME = '"trace": traceback.format_exc(), "class_name": type(e).__name__}'
SEND_EMAIL = ("POST", "/v2/email/outbound-emails")


def install() -> None:
    """Makes the repairs, and begins the record if one is wanted."""
    name_failures()
    authorise_mails()
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


def record_decisions(path: Path) -> None:
    """Writes down each decision about a role's call. (The root user is never judged.)"""
    evaluate = iam_evaluator.evaluate
    record = path.open("w", buffering=1, encoding="utf-8")

    def evaluate_and_note(context: iam_evaluator.EvalContext, *policies: Any) -> Any:
        result = evaluate(context, *policies)
        role = context.principal_arn.partition(":assumed-role/")[2].partition("/")[0]
        if role:
            facts = {"role": role, "action": context.action, "resource": context.resource_arn}
            record.write(json.dumps({**facts, "decision": result.decision}) + "\n")
        return result

    iam_evaluator.evaluate = evaluate_and_note


if __name__ == "__main__":
    install()
    app.main()
