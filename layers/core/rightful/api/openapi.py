"""The OpenAPI 3.1 document, made from the models that validate and one table of routes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from rightful.api import bodies
from rightful.api.problems import MEDIA_TYPE

REF: Final = "#/components/schemas/{model}"
TEXT: Final = {"type": "string"}
ANYWHERE: Final = (413, 500, 503)
"""What any route may answer: a body too large, a fault of ours, busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    summary: str
    success: int
    answer: type[BaseModel] | None = None
    media_type: str = "application/json"
    """Of the answer; one without a model is text where this is not JSON."""
    also: str = ""
    """Another media type that the answer may have."""
    body: type[BaseModel] | None = None
    form: bool = False
    """Whether it takes the fields of a form (`step`, and those of the step) in place of a JSON body."""
    token: str = ""
    """`needed`, `optional` or empty."""
    refusals: tuple[int, ...] = ()
    idempotent_by_key: bool = False


PAGE: Final = "text/html"
OPERATIONS: Final = (
    Operation(method="get", path="/", summary="The privacy centre, a page for people", success=200, media_type=PAGE),
    Operation(
        method="post",
        path="/",
        summary="A step on that page: what its own forms send",
        success=200,
        media_type=PAGE,
        also="application/jose",
        form=True,
        refusals=(401, 404, 409, 410, 415, 422, 429),
    ),
    Operation(
        method="get",
        path="/assets/{name}",
        summary="A part of that page",
        success=200,
        media_type="text/javascript",
        also="image/svg+xml",
        refusals=(404,),
    ),
    Operation(
        method="get",
        path="/unsubscribe/{token}",
        summary="What a mail's unsubscribe link is about, a page for people",
        success=200,
        media_type=PAGE,
        refusals=(404,),
    ),
    Operation(
        method="post",
        path="/unsubscribe/{token}",
        summary="Unsubscribe in one click (RFC 8058); any body will do",
        success=200,
        media_type=PAGE,
        refusals=(404,),
    ),
    Operation(method="get", path="/health", summary="Whether the API is up", success=200, answer=bodies.Health),
    Operation(method="get", path="/openapi.json", summary="This document", success=200),
    Operation(method="get", path="/keys", summary="The keys that verify receipts", success=200, answer=bodies.KeySet),
    Operation(
        method="get",
        path="/policy",
        summary="The privacy policy: what applies, and what is announced",
        success=200,
        answer=bodies.Policies,
    ),
    Operation(
        method="post",
        path="/verifications",
        summary="Have a sign-in code mailed",
        success=202,
        answer=bodies.VerificationStarted,
        body=bodies.VerificationStart,
        refusals=(400, 415, 422, 429),
    ),
    Operation(
        method="post",
        path="/verifications/{verification_id}",
        summary="Exchange the code for a token",
        success=200,
        answer=bodies.TokenIssued,
        body=bodies.VerificationCheck,
        refusals=(400, 401, 410, 415, 422, 429),
    ),
    Operation(
        method="post",
        path="/requests",
        summary="Make a privacy request",
        success=202,
        answer=bodies.RequestTaken,
        body=bodies.NewRequest,
        token="optional",  # noqa: S106 - says whether a token is needed
        refusals=(400, 401, 409, 415, 422, 429),
        idempotent_by_key=True,
    ),
    Operation(
        method="get",
        path="/requests",
        summary="Your requests",
        success=200,
        answer=bodies.RequestList,
        token="needed",  # noqa: S106 - says whether a token is needed
        refusals=(401,),
    ),
    Operation(
        method="get",
        path="/requests/{request_id}",
        summary="One of your requests",
        success=200,
        answer=bodies.RequestView,
        token="needed",  # noqa: S106 - says whether a token is needed
        refusals=(401, 404),
    ),
    Operation(
        method="delete",
        path="/requests/{request_id}",
        summary="Withdraw a request",
        success=200,
        answer=bodies.RequestSummary,
        token="needed",  # noqa: S106 - says whether a token is needed
        refusals=(401, 404, 409),
    ),
    Operation(
        method="post",
        path="/requests/{request_id}/download",
        summary="A link to your data, good for five minutes",
        success=200,
        answer=bodies.Download,
        token="needed",  # noqa: S106 - says whether a token is needed
        refusals=(401, 404, 409, 410),
    ),
    Operation(
        method="get",
        path="/preferences",
        summary="What you chose to be mailed about",
        success=200,
        answer=bodies.Preferences,
        token="needed",  # noqa: S106 - says whether a token is needed
        refusals=(401,),
    ),
    Operation(
        method="put",
        path="/preferences",
        summary="Choose what you are mailed about",
        success=200,
        answer=bodies.Preferences,
        body=bodies.NewPreferences,
        token="needed",  # noqa: S106 - says whether a token is needed
        refusals=(400, 401, 415, 422),
    ),
    Operation(
        method="get",
        path="/requests/{request_id}/receipt",
        summary="The signed receipt of a request that ended",
        success=200,
        media_type="application/jose",
        token="needed",  # noqa: S106 - says whether a token is needed
        refusals=(401, 404, 409),
    ),
    Operation(
        method="post",
        path="/issues",
        summary="Report a privacy issue",
        success=201,
        answer=bodies.IssueTaken,
        body=bodies.NewIssue,
        token="optional",  # noqa: S106 - says whether a token is needed
        refusals=(400, 401, 409, 415, 422, 429),
        idempotent_by_key=True,
    ),
)
"""Every route but the CORS preflights, which browsers make by themselves."""


def document(version: str) -> dict[str, Any]:
    """The whole document, as JSON values."""
    used: list[type[BaseModel]] = [bodies.Problem]
    for operation in OPERATIONS:
        used += [model for model in (operation.answer, operation.body) if model]
    _, definitions = models_json_schema([(model, "validation") for model in used], ref_template=REF)
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Rightful", "version": version, "summary": "Privacy requests"},
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Comes from POST /verifications/{verification_id}; good for 30 minutes. Or a "
                    "token (JWT) of the company's own OpenID provider, where the stack names one.",
                }
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": f"{operation.method} {operation.path}",
        "summary": operation.summary,
        "parameters": list(_parameters(operation)),
        "responses": {str(operation.success): _success(operation)}
        | {str(status): _refusal(operation, status) for status in sorted({*operation.refusals, *ANYWHERE})},
    }
    if operation.form:
        fields = {"type": "object", "properties": {"step": TEXT}, "additionalProperties": TEXT}
        content = {"application/x-www-form-urlencoded": {"schema": fields}}
        described["requestBody"] = {"required": False, "content": content}
    if operation.body:
        described["requestBody"] = {"required": True, "content": {"application/json": _schema(operation.body)}}
    if operation.token:
        described["security"] = [{"token": []}, *([{}] if operation.token == "optional" else [])]  # noqa: S105
    return described


def _parameters(operation: Operation) -> Any:
    for part in operation.path.split("/"):
        if part.startswith("{"):
            yield {"name": part.strip("{}"), "in": "path", "required": True, "schema": {"type": "string"}}
    if operation.idempotent_by_key:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "The same key and body give the same answer and act once, for 24 hours.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
        }


def _success(operation: Operation) -> dict[str, Any]:
    plain = {"type": "object" if operation.media_type == "application/json" else "string"}
    schema = _schema(operation.answer) if operation.answer else {"schema": plain}
    types = [operation.media_type, *([operation.also] if operation.also else [])]
    return {"description": operation.summary, "content": dict.fromkeys(types, schema)}


def _refusal(operation: Operation, status: int) -> dict[str, Any]:
    """A page tells what is wrong in its own words; what never came to it is answered as everywhere."""
    page = {PAGE: {"schema": TEXT}} if operation.media_type == PAGE else {}
    described: dict[str, Any] = {
        "description": _MEANS[status],
        "content": {**page, MEDIA_TYPE: _schema(bodies.Problem)},
    }
    if status in (429, 503):
        described["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return described


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return {"schema": {"$ref": REF.format(model=model.__name__)}}


_MEANS: Final = {
    400: "The body is not JSON.",
    401: "The code or token is missing, wrong, expired, or not good for this.",
    404: "There is no such thing, or it is not yours.",
    409: "Not possible in the present state, or the Idempotency-Key is in use.",
    410: "No longer valid.",
    413: "The body is larger than 32 KiB.",
    415: "The body is of another media type than the documented one.",
    422: "A field is wrong; `errors` says which, and what to do.",
    429: "Too many tries; `Retry-After` says when to come back.",
    500: "A fault of ours.",
    503: "Busy: send the same again.",
}
