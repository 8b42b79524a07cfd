"""What happened to a request, in words: its timeline, and what was done in each store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from rightful.centre.voices import Voice
from rightful.centre.words import GROUNDS, N_, P_, Counted, again
from rightful.clocks import moment
from rightful.model import DataMap

COUNTS: Final[dict[str, Counted]] = {
    "exported": P_("%(num)s record is in your download", "%(num)s records are in your download"),
    "deleted": P_("%(num)s record deleted", "%(num)s records deleted"),
    "anonymised": P_("%(num)s record made anonymous", "%(num)s records made anonymous"),
    "kept": P_("%(num)s record kept", "%(num)s records kept"),
    "held": P_(
        "%(num)s record kept under a legal hold; it goes when the hold ends, without your asking again",
        "%(num)s records kept under a legal hold; they go when the hold ends, without your asking again",
    ),
    "blocked": P_("%(num)s record locked against deletion", "%(num)s records locked against deletion"),
    "left": P_("%(num)s record could not be deleted", "%(num)s records could not be deleted"),
    "later": P_(
        "%(num)s record came while we were at work and is still there; ask again to have it deleted",
        "%(num)s records came while we were at work and are still there; ask again to have them deleted",
    ),
}
"""What can become of records, in the order in which it is told."""
MARKS: Final = ("skipped", "left", "blocked", "held", "kept", "anonymised", "deleted", "exported")
"""Which of several things a store is marked with: what the person should see first."""


def timeline(voice: Voice, events: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """`{at, what}` of each event, oldest first."""
    return [{"at": moment(each["at"]), "what": again(voice, each["what"], _value(voice))} for each in events]


def _value(voice: Voice) -> Callable[[str, str], str]:
    def shown(name: str, value: str) -> str:
        try:
            if name == "day":
                return voice.day(date.fromisoformat(value))
            if name == "when":
                return voice.time(datetime.fromisoformat(value).replace(tzinfo=UTC))
        except ValueError:
            pass
        return value

    return shown


def outcomes(voice: Voice, datamap: DataMap, shown: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each store of a completed request: `{title, mark, lines}`. `shown`: see rightful.service.viewing."""
    told = []
    for store in shown["result"]["stores"].values():
        if not store["covered"]:
            mark, lines = "uncovered", [voice.said(UNCOVERED[shown["type"]])]
        else:
            mark = next((mark for mark in MARKS if store.get(mark)), "none")
            lines = list(_lines(voice, datamap, store)) or [voice.said(N_("Nothing was found"))]
        told.append({"title": datamap.said(store["title"], voice.language), "mark": mark, "lines": lines})
    return told


UNCOVERED: Final = {
    "access": N_(
        "Not in the download. Write to our data protection officer and quote your reference; you will get it."
    ),
    "erasure": N_(
        "Not deleted automatically. Write to our data protection officer and quote your reference; it will be deleted "
        "by hand."
    ),
}


def _lines(voice: Voice, datamap: DataMap, store: Mapping[str, Any]) -> Iterator[str]:
    for done, (one, many) in COUNTS.items():
        number = int(store.get(done, 0))
        if number:
            line = voice.translations.ngettext(one, many, number) % {"num": number}
            if done == "blocked" and store.get("blocked_until"):
                line = voice.said(N_("%(what)s until %(day)s")) % {
                    "what": line,
                    "day": voice.day(datetime.fromisoformat(store["blocked_until"])),
                }
            yield line
        if done == "kept" and number:
            yield from _why_kept(voice, datamap, store)
        if done == "held" and number:
            for ground in sorted({each["ground"] for each in store.get("held_by", [])}):
                yield voice.said(N_("Why the hold: %(reason)s")) % {"reason": voice.said(GROUNDS.get(ground, ground))}
    if store.get("skipped"):
        reason = store.get("reason", "")
        yield voice.said(N_("Left out: %(reason)s")) % {"reason": reason}
        if store.get("partly"):
            yield voice.said(N_("A part of it may have been deleted before it failed"))


def _why_kept(voice: Voice, datamap: DataMap, store: Mapping[str, Any]) -> Iterator[str]:
    for ground, until in sorted(store.get("kept_by", {}).items()):
        reason = voice.said(GROUNDS.get(ground, ground))
        if until:
            day = voice.day(datetime.fromisoformat(until).date())
            yield voice.said(N_("Why: %(reason)s, until %(day)s")) % {"reason": reason, "day": day}
        else:
            yield voice.said(N_("Why: %(reason)s, for as long as the law asks")) % {"reason": reason}
    if store.get("law"):
        yield voice.said(N_("Legal basis: %(law)s")) % {"law": datamap.said(store["law"], voice.language)}
