"""What the forms of the page do: one step each, and one answer, whatever happens."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from rightful.errors import Conflict, NotFound, Refused, RightfulError, TryAgain
from rightful.service import verifying
from rightful.service.deps import Deps
from rightful.service.visiting import controls, entering, own, showing
from rightful.service.visiting.visits import Page, Saved, SignedOut, Trouble, Visit, session

Show = Callable[[Deps, Visit], Page]
BUSY: Final = "We are still working on what you sent. Wait a moment, then press the button again."
BROKEN: Final = "Something went wrong on our side. Nothing you typed is lost: please try again in a moment."


@dataclass(frozen=True, slots=True)
class Step:
    act: Callable[[Deps, Visit], Page | Visit | Saved]
    """Does it. A visit in place of a page is done next."""
    form: Show | None = None
    """The page that holds its form, shown again with what was typed when it is refused; None: a page of its own."""


def _again_ask(deps: Deps, visit: Visit) -> Page:
    return (showing.delete if visit.field("kind") == "erasure" else showing.download)(deps, visit)


STEPS: Final[dict[str, Step]] = {
    "start": Step(showing.start),
    "download": Step(showing.download),
    "delete": Step(showing.delete),
    "ask": Step(entering.ask, _again_ask),
    "sign_in": Step(showing.sign_in),
    "enter": Step(entering.enter, showing.sign_in),
    "code": Step(entering.code, entering.code_page),
    "code_page": Step(entering.code_page),
    "sign_out": Step(entering.leave),
    "preferences": Step(controls.choices),
    "save": Step(controls.save, controls.choices),
    "issue": Step(showing.issue),
    "report": Step(controls.report, showing.issue),
    "requests": Step(own.listed),
    "request": Step(own.request),
    "withdraw": Step(own.withdraw, own.request),
    "fetch": Step(own.fetch, own.request),
    "receipt": Step(own.receipt, own.request),
}
"""The field `step` of a form -> what it does."""


def acted(deps: Deps, visit: Visit) -> Page | Saved:
    """The page that follows, or a file. Raises only what is no RightfulError."""
    step = STEPS.get(visit.field("step"), STEPS["start"])
    try:
        done = step.act(deps, visit)
        if isinstance(done, Visit):
            return acted(deps, done)
        return _signed_in(done, visit) if isinstance(done, Page) else done
    except SignedOut:
        return _signed_out(visit)
    except RightfulError as error:
        return refused(deps, visit, step.form, error)


def refused(deps: Deps, visit: Visit, form: Show | None, error: RightfulError) -> Page:
    """The form again, with what was typed, and why."""
    trouble = trouble_of(error)
    if form is not None:
        try:
            page = form(deps, visit.with_fields(keep_key="yes") if trouble.keeps_key else visit)
            page.status, page.trouble, page.error = status_of(error), trouble, error
            return _signed_in(page, visit)
        except SignedOut:
            return _signed_out(visit)
        except RightfulError as second:
            trouble = trouble_of(second)
    page = lost(visit, status_of(error), trouble)
    page.error = error
    return _signed_in(page, visit)


def lost(visit: Visit, status: int, trouble: Trouble) -> Page:
    """A page that says what went wrong, and offers to send the same again."""
    fields = {name: value for name, value in visit.fields.items() if name not in ("token", "who", "lang", "keep_key")}
    facts = {"fields": fields, "missing": status == NotFound.status}
    return Page(state="trouble", facts=facts, here={"step": "start"}, status=status, trouble=trouble)


def trouble_of(error: Exception) -> Trouble:
    if isinstance(error, Refused):
        minutes = math.ceil((error.retry_after or 0) / 60)
        if error.detail == verifying.SPENT:
            minutes = 0  # the code is spent for good, and a new one works at once
        if isinstance(error, Conflict) and error.retry_after is not None:
            return Trouble(message=BUSY, keeps_key=True)
        return Trouble(message=error.detail, fields=dict(error.errors), minutes=minutes)
    if isinstance(error, TryAgain):
        return Trouble(message=BUSY, keeps_key=True)
    return Trouble(message=BROKEN, keeps_key=True)


def status_of(error: Exception) -> int:
    if isinstance(error, Refused):
        return error.status
    return 503 if isinstance(error, TryAgain) else 500


def _signed_in(page: Page, visit: Visit) -> Page:
    if not page.session and page.state not in ("sign_in", "code"):
        page.session = session(visit)
    return page


def _signed_out(visit: Visit) -> Page:
    """Sign in again, and go on where it was."""
    then = {name: value for name, value in visit.fields.items() if name != "keep_key"}
    page = showing.signing_in(visit, then, expired="token" in visit.fields)
    return replace(page, status=401) if "token" in visit.fields else page
