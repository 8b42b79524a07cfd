"""Problems as RFC 9457 has them: `{type, title, status, detail, errors?: [{field, message}]}`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from rightful.errors import Refused, RightfulError, TryAgain, Unauthorised

MEDIA_TYPE: Final = "application/problem+json"
BUSY_SECONDS: Final = 5

TITLES: Final = {
    400: Refused.title,
    404: "Not found",
    405: "Method not allowed",
    413: "The body is too large",
    415: "Unsupported media type",
    500: "Something went wrong here",
    503: "Busy",
}


def problem(
    status: int, detail: str, title: str = "", errors: Sequence[tuple[str, str]] = ()
) -> tuple[int, str, dict[str, str]]:
    """(status, body, headers)."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": title or TITLES[status],
        "status": status,
        "detail": detail,
    }
    if errors:
        content["errors"] = [{"field": field, "message": message} for field, message in errors]
    return status, json.dumps(content), {"Content-Type": MEDIA_TYPE}


def problem_of(error: RightfulError) -> tuple[int, str, dict[str, str]]:
    """(status, body, headers) for an error raised on purpose. Only what is `Refused` speaks for itself; of our own
    faults the caller learns whether to come back. How fresh a sign-in is wanted stands in the header of RFC 9470 and in
    the body: API Gateway renames that header (to `x-amzn-remapped-www-authenticate`)."""
    if isinstance(error, Refused):
        status, body, headers = problem(error.status, error.detail, error.title, error.errors)
        if error.retry_after is not None:
            headers["Retry-After"] = str(error.retry_after)
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if isinstance(error, Unauthorised) and error.max_age is not None:
            headers["WWW-Authenticate"] += f' error="insufficient_user_authentication", max_age={error.max_age}'
            body = json.dumps({**json.loads(body), "max_age": error.max_age})
        return status, body, headers
    if isinstance(error, TryAgain):
        status, body, headers = problem(503, "Send the same request again in a few seconds.")
        return status, body, {**headers, "Retry-After": str(BUSY_SECONDS)}
    return problem(500, "The operator has been told. Try again later.")
