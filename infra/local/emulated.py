"""`python -m infra.local.emulated`: ministack with one repair.

Its worker processes report every failure of a Python function as `Runtime.HandlerError`. On AWS a failure carries the
name of the exception's class, and that is what the workflow's `Retry` and `Catch` match.
Should a new version need this no longer, `install` fails at once and says so.
"""

from __future__ import annotations

import threading
from typing import Any

from ministack import app
from ministack.core import lambda_runtime
from ministack.services import lambda_svc

WITHOUT_NAME = '"trace": traceback.format_exc()}'
WITH_NAME = '"trace": traceback.format_exc(), "class_name": type(e).__name__}'


def install() -> None:
    """Makes the worker say the class name, and carries it past the function that drops it."""
    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    if WITHOUT_NAME not in script:
        raise RuntimeError(
            "ministack's worker is worded otherwise now: is infra.local.emulated still needed?"
        )
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


if __name__ == "__main__":
    install()
    app.main()
