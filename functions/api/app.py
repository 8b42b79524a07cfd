"""The HTTP API: each view reads one call, makes one use case do it, and writes the answer down."""

from __future__ import annotations

import base64
import binascii
import functools
import re
import traceback
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from chalice.app import Chalice, Request, Response

from rightful import __version__, wiring
from rightful.api.problems import problem, problem_of
from rightful.api.sources import network
from rightful.api.speaking import accepted
from rightful.clocks import stamp, zone
from rightful.entry import logger
from rightful.errors import Invalid, Refused, RightfulError, Unauthorised
from rightful.service import intake, issues, policies, preferences, receipting, verifying, viewing
from rightful.service.deps import Deps

if TYPE_CHECKING:
    from rightful.service.visiting.answering import Answer
    from rightful.service.visiting.visits import Visit

BODY_LIMIT = 32 * 1024
"""Bytes."""
JSON = ["application/json"]
FORM = ["application/x-www-form-urlencoded"]
ANY: list[str] = []
"""For routes that read no body: whatever is said of it does not matter."""
FIXED_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Vary": "Origin",
}
AS_JSON = {"Content-Type": "application/json"}
IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,128}")

app = Chalice("rightful", configure_logs=False)

View = Callable[..., tuple[int, Any]]


@functools.cache
def deps() -> Deps:
    return wiring.build()


def route(
    method: str, path: str, content_types: list[str], headers: Mapping[str, str] = AS_JSON
) -> Callable[[View], View]:
    """Registers a view that returns (status, JSON values, or text where `headers` say so). What it raises becomes a
    problem here: Chalice would make a 500 of it, and log its message, before any middleware sees it."""

    def register(view: View) -> View:
        @functools.wraps(view)
        def answer(**parameters: str) -> Response:
            try:
                status, body = view(**parameters)
            except Refused as refusal:
                if isinstance(refusal, Unauthorised) and refusal.reason:
                    logger().info("token refused", extra={"route": path, "reason": refusal.reason})
                return _response(*problem_of(refusal))
            except RightfulError as error:
                _log(path, error)
                return _response(*problem_of(error))
            except Exception as error:  # noqa: BLE001 - the last line before the caller: whatever it is, its text stays here
                _log(path, error)
                return _response(*problem(500, "The operator has been told. Try again later."))
            return Response(body=body, status_code=status, headers=dict(headers))

        app.route(path, methods=[method], content_types=content_types)(answer)
        return view

    return register


def page(method: str, path: str, content_types: list[str]) -> Callable[[Callable[..., Answer]], None]:
    """Registers a view of the privacy centre, which answers with pages: its errors are pages, too."""

    def register(view: Callable[..., Answer]) -> None:
        @functools.wraps(view)
        def answer(**parameters: str) -> Response:
            try:
                shown = view(**parameters)
                if shown.error is not None and not isinstance(shown.error, Refused):
                    _log(path, shown.error)
            except Exception as error:  # noqa: BLE001 - the last line before the caller: whatever it is, its text stays here
                _log(path, error)
                try:
                    shown = _broken(error)
                except Exception as second:  # noqa: BLE001 - what broke the page may break this one, too
                    _log(path, second)
                    return _response(*problem(500, "The operator has been told. Try again later."))
            return Response(body=shown.body, status_code=shown.status, headers=dict(shown.headers))

        app.route(path, methods=[method], content_types=content_types)(answer)

    return register


@app.middleware("http")
def guard(request: Request | None, go_on: Callable[[Any], Response]) -> Response:
    """What holds for every call: known route, bounded body, problems as problems, headers."""
    if request is None or request.path not in app.routes:
        response = _response(*problem(404, "There is no such address."))
    elif _length(request) > BODY_LIMIT:
        response = _response(*problem(413, f"A body may have at most {BODY_LIMIT} bytes."))
    else:
        response = go_on(request)
        if response.status_code == 405:
            allowed = ", ".join(sorted(app.routes[request.path]))
            response = _response(*problem(405, f"This address takes {allowed}."))
            response.headers["Allow"] = allowed
        elif response.status_code == 415:
            taken = app.routes[request.path][request.method].content_types
            response = _response(*problem(415, f"Send the body as {taken[0]}."))
    response.headers = {**FIXED_HEADERS, **response.headers}
    origin = request.headers.get("origin") if request else None
    if origin and origin in deps().settings.form_origins:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "Retry-After, WWW-Authenticate"
    if request is not None:
        called = {"route": request.path, "method": request.method, "status": response.status_code}
        logger().info("call", extra=called)  # the route, not the path: ids of people's requests stay out of the log
    return response


@page("GET", "/", ANY)
def centre() -> Answer:
    from rightful.service.visiting import answering  # templates and languages: paid for by those who look

    return answering.get(deps(), _visit({}))


@page("POST", "/", FORM)
def centre_step() -> Answer:
    from rightful.service.visiting import answering

    if _request().headers.get("sec-fetch-site") in ("cross-site", "same-site"):  # another site's form does nothing here
        return answering.get(deps(), _visit({}))
    return answering.post(deps(), _visit(dict(_fields())))


@page("GET", "/unsubscribe/{token}", ANY)
def show_unsubscribe(token: str) -> Answer:
    from rightful.service.visiting import answering

    return answering.unsubscribe(deps(), _visit({}), token, posted=False)


@page("POST", "/unsubscribe/{token}", ANY)
def unsubscribe(token: str) -> Answer:
    """One click acts, whatever the body says and whatever it calls itself: mail providers send it (RFC 8058)."""
    from rightful.service.visiting import answering

    return answering.unsubscribe(deps(), _visit({}), token, posted=True)


@route("GET", "/health", ANY)
def health() -> tuple[int, Any]:
    return 200, {"status": "ok", "version": __version__}


@route("GET", "/openapi.json", ANY)
def openapi() -> tuple[int, Any]:
    from rightful.api.openapi import document  # Pydantic: paid for by those who ask

    return 200, document(__version__)


@route("GET", "/keys", ANY, {**AS_JSON, "Cache-Control": "public, max-age=3600"})
def keys() -> tuple[int, Any]:
    return 200, receipting.keys(deps())


@route("GET", "/policy", ANY, {**AS_JSON, "Cache-Control": "public, max-age=300"})
def policy() -> tuple[int, Any]:
    return 200, policies.listing(deps())


@route("POST", "/verifications", JSON)
def start_verification() -> tuple[int, Any]:
    from rightful.api import bodies

    body = bodies.parse(bodies.VerificationStart, _body())
    started = verifying.start(deps(), body.email, body.locale, _source())
    return 202, {"verification_id": started.verification_id, "expires_at": stamp(started.expires_at)}


@route("POST", "/verifications/{verification_id}", JSON)
def check_verification(verification_id: str) -> tuple[int, Any]:
    from rightful.api import bodies

    body = bodies.parse(bodies.VerificationCheck, _body())
    keep_signal = functools.partial(preferences.honour, deps()) if _signal() else None
    token = verifying.check(deps(), verification_id, re.sub(r"[\s-]", "", body.code), then=keep_signal)
    return 200, {"token": token.token, "expires_at": stamp(token.expires_at)}


@route("POST", "/requests", JSON)
def submit_request() -> tuple[int, Any]:
    from rightful.api import bodies

    body = bodies.parse(bodies.NewRequest, _body())
    asked = intake.Asked(
        type=body.type, email=body.email or "", regime=body.regime, locale=body.locale, details=body.details
    )
    proof = _proof() if "authorization" in _request().headers else None
    return 202, intake.submit(deps(), asked, _source(), proof, _idempotency_key())


@route("GET", "/requests", ANY)
def list_requests() -> tuple[int, Any]:
    return 200, {"requests": viewing.listed(deps(), _proof())}


@route("GET", "/requests/{request_id}", ANY)
def show_request(request_id: str) -> tuple[int, Any]:
    return 200, viewing.one(deps(), _proof(), request_id)


@route("DELETE", "/requests/{request_id}", ANY)
def withdraw_request(request_id: str) -> tuple[int, Any]:
    return 200, viewing.withdraw(deps(), _proof(), request_id)


@route("POST", "/requests/{request_id}/download", ANY)
def download(request_id: str) -> tuple[int, Any]:
    return 200, viewing.download(deps(), _proof(), request_id)


@route("GET", "/requests/{request_id}/receipt", ANY, {"Content-Type": "application/jose"})
def show_receipt(request_id: str) -> tuple[int, Any]:
    return 200, viewing.receipt(deps(), _proof(), request_id)


@route("GET", "/preferences", ANY)
def show_preferences() -> tuple[int, Any]:
    shown = preferences.view(deps(), _proof(), gpc=_signal())
    return 200, {**shown, "texts": preferences.texts(deps().datamap, _language())}


@route("PUT", "/preferences", JSON)
def change_preferences() -> tuple[int, Any]:
    from rightful.api import bodies

    proof = _proof()
    body = bodies.parse(bodies.NewPreferences, _body())
    texts = preferences.texts(deps().datamap, _language())
    changed = preferences.change(deps(), proof, body.topics, how="api", shown=texts, gpc=_signal())
    return 200, {**changed, "texts": texts}


@route("POST", "/issues", JSON)
def report_issue() -> tuple[int, Any]:
    from rightful.api import bodies

    body = bodies.parse(bodies.NewIssue, _body())
    proof = _proof() if "authorization" in _request().headers else None
    said = {"kind": body.kind, "message": body.message, "email": body.email or "", "locale": body.locale}
    return 201, issues.report(
        deps(), **said, source=_source(), proof=proof, website=body.website, key=_idempotency_key()
    )


@app.route("/assets/{name}", methods=["GET"], content_types=ANY)
def asset(name: str) -> Response:
    """What the privacy centre's page loads; its name changes with its content."""
    from rightful.service.visiting import answering

    found = answering.asset(name)
    if found is None:
        return _response(*problem(404, "There is no such address."))
    return Response(body=found.body, status_code=found.status, headers=dict(found.headers))


def _preflight(**_: str) -> Response:
    """What a browser asks before it posts from another origin."""
    methods = ", ".join(sorted(app.routes[_request().path]))
    headers: dict[str, str | list[str]] = {
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
        "Access-Control-Max-Age": "600",
    }
    return Response(body="", status_code=204, headers=headers)


CROSSING = ("/verifications", "/requests", "/preferences", "/issues")
"""How the routes begin that another origin's page may call."""

for _path in [path for path in app.routes if path.startswith(CROSSING)]:
    app.route(_path, methods=["OPTIONS"], content_types=ANY)(_preflight)


def _visit(form: Mapping[str, str]) -> Visit:
    from rightful.centre.voices import chosen
    from rightful.service.visiting.visits import Visit

    request = _request()
    query: Mapping[str, str] = request.query_params or {}
    fields = {**{name: query[name] for name in ("show", "lang") if name in query}, **form}  # no link fills in a form
    controller = deps().datamap.controller
    return Visit(
        voice=chosen(request.headers.get("accept-language") or "", fields.get("lang", ""), zone(controller.time_zone)),
        source=_source(),
        base=_base(request.context, request.path),
        gpc=_signal(),
        fields=fields,
    )


def _broken(error: Exception) -> Answer:
    from rightful.service.visiting import answering

    return answering.broken(deps(), _visit(dict(_fields())), error)


def _fields() -> list[tuple[str, str]]:
    """Of the form that was posted. A body that is none has no fields."""
    try:
        return parse_qsl(_body().decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=200)
    except (Refused, ValueError):
        return []


def _base(context: Mapping[str, Any], route: str) -> str:
    """Where links of the page begin. API Gateway's own address may come without a slash at its end, where relative
    links would lead astray; anywhere else they lead right, whatever stands before."""
    at_gateway = ".execute-api." in (context.get("domainName") or "")
    return f"/{context['stage']}/" if at_gateway else "../" * (route.count("/") - 1) or "./"


def _request() -> Request:
    if app.current_request is None:
        raise RuntimeError("no call is being answered")
    return app.current_request


def _length(request: Request) -> int:
    event = request.to_original_event()
    body = event.get("body") or ""
    return len(body) * 3 // 4 if event.get("isBase64Encoded") else len(body.encode("utf-8", "surrogatepass"))


def _body() -> bytes:
    event = _request().to_original_event()
    text: str = event.get("body") or ""
    try:
        return base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except (binascii.Error, UnicodeEncodeError):
        raise Refused("The body cannot be read. Send a JSON object in UTF-8.") from None


def _proof() -> verifying.Proof:
    return verifying.authenticate(deps(), _request().headers.get("authorization"))


def _signal() -> bool:
    """Global Privacy Control: whether the browser says that its user does not want to be sold or shared."""
    return bool(_request().headers.get("sec-gpc") == "1")


def _language() -> str:
    """The reader's, of those that we write."""
    return accepted(_request().headers.get("accept-language") or "")


def _source() -> str:
    """From the address that API Gateway saw, which no header of the caller can change."""
    return network(_request().context["identity"]["sourceIp"])


def _idempotency_key() -> str | None:
    key: str | None = _request().headers.get("idempotency-key")
    if key is not None and not IDEMPOTENCY_KEY.fullmatch(key):
        fault = "Use 1 to 128 visible ASCII characters."
        raise Invalid("The Idempotency-Key cannot be used.", errors=[("Idempotency-Key", fault)])
    return key


def _response(status: int, body: str, headers: dict[str, str]) -> Response:
    return Response(body=body, status_code=status, headers=dict(headers))


def _log(path: str, error: Exception) -> None:
    """A fault of ours: the route and the kind of error; the message of a foreign error may quote what it choked on."""
    if isinstance(error, RightfulError):
        logger().warning(type(error).__name__, extra={"route": path, "reason": str(error)})
    else:
        places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
        logger().error("unexpected", extra={"route": path, "error": type(error).__name__, "places": places})
