"""E-mail choices, and reports of issues."""

from __future__ import annotations

from rightful.errors import Invalid, Unauthorised
from rightful.service import issues, preferences, verifying
from rightful.service.deps import Deps
from rightful.service.verifying import Proof
from rightful.service.visiting import showing
from rightful.service.visiting.visits import Page, Visit, proven

TOPIC, OFFERED = "topic.", "offered."
"""Begin the names of fields: a topic that is switched on, and how it stood when it was shown."""
NO_KIND = "Choose what it is about."


def choices(deps: Deps, visit: Visit) -> Page:
    """What this person chose. A browser that asks not to sell or share is heard for good: now we know whose it is.
    Raises SignedOut."""
    proof = proven(deps, visit)
    if visit.gpc:
        preferences.honour(deps, proof)
    return _choices(deps, visit, proof, saved=False)


def save(deps: Deps, visit: Visit) -> Page:
    """Sets what the person switched, with the words that they saw; what they left alone stays as it is by now, so that
    a tab that was opened earlier takes nothing back. Raises SignedOut, Invalid."""
    proof = proven(deps, visit)
    offered = {name.removeprefix(OFFERED): on == "yes" for name, on in visit.fields.items() if name.startswith(OFFERED)}
    wanted = {name: visit.field(TOPIC + name) == "yes" for name in offered}
    topics = {name: on for name, on in wanted.items() if on is not offered[name]}
    shown = preferences.texts(deps.datamap, visit.voice.language)
    preferences.change(deps, proof, topics, how="page", shown=shown, gpc=visit.gpc)
    return _choices(deps, visit, proof, saved=True)


def _choices(deps: Deps, visit: Visit, proof: Proof, *, saved: bool) -> Page:
    shown = preferences.view(deps, proof, gpc=visit.gpc)
    facts = {
        "offered": [(name, deps.datamap.topics[name], on) for name, on in shown["topics"].items()],
        "mandatory": [deps.datamap.topics[name] for name in shown["mandatory"]],
        "unsold": not shown["gpc"]["sale_or_sharing"],
        "saved": saved,
    }
    return Page(state="preferences", facts=facts, here={"step": "preferences"})


def report(deps: Deps, visit: Visit) -> Page:
    """Takes in a report, by whoever comes. Raises Invalid, TooMany, Conflict."""
    kind = visit.field("kind")
    if kind not in issues.KINDS:
        raise Invalid(showing.UNREADABLE, errors=[("kind", NO_KIND)])
    email = visit.field("email")
    if kind == issues.MINOR and not email.strip():  # never taken to be the account of whoever is signed in
        raise Invalid(showing.UNREADABLE, errors=[("email", issues.WHOSE)])
    proof = _proof(deps, visit)
    made = issues.report(
        deps,
        kind=kind,
        message=visit.field("message").replace("\r\n", "\n"),
        email=email or ("" if proof else visit.field("who")),
        locale=visit.voice.tag,
        source=visit.source,
        proof=proof,
        website=visit.field("website"),
        key=visit.key,
    )
    facts = {"issue_id": made["issue_id"], "kind": kind}
    return Page(state="thanks", facts=facts, here={"step": "issue"})


def _proof(deps: Deps, visit: Visit) -> Proof | None:
    try:
        return verifying.authenticate(deps, f"Bearer {visit.field('token')}")
    except Unauthorised:
        return None
