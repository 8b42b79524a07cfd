"""Passes on, once a day, the issues of which the DPO was not mailed at once: they came in a flood, or the process that
took them in was killed. And says which clocks of breaches run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from heapq import merge
from itertools import islice
from typing import Any, Final

from rightful.agenda import Breach
from rightful.clocks import moment
from rightful.service import issues, mailing, requests
from rightful.service.deps import Deps, TimeLeft
from rightful.service.faults import Faults

MOST: Final = 200
"""Issues that one day's mail holds, the earliest due first; the others come with the next days' mails."""
LIFE: Final = timedelta(days=30)
"""How long the list of a day's mail stays."""


def pass_on(deps: Deps, now: datetime, tz: tzinfo, faults: Faults, time_left: TimeLeft) -> int:
    """Mails the DPO, once a day, all that they were not told of; how many that were. Which these are is written down
    before the mail, so that a round that is killed and run again mails the same."""
    day = now.astimezone(tz).date().isoformat()
    subject = f"issues-{day}"
    waiting = {item["issue_id"]: item for item in _untold(deps) if not _begun(deps, item, faults)}
    noted = deps.table.get(requests.pk(subject), "GATHERED")
    if noted is None and waiting:
        facts = {"ids": _first(waiting), "expires_at": int((now + LIFE).timestamp())}
        deps.table.put_new(requests.pk(subject), "GATHERED", facts)
        noted = deps.table.get(requests.pk(subject), "GATHERED")
    left = [waiting[each] for each in (noted or {"ids": []})["ids"] if each in waiting]
    if not left:
        return 0
    shown, done = [], []
    for item in left:
        if time_left() <= 0:
            faults.unfinished("issues")
            return 0
        with faults.noted("issues"):  # it keeps no other back, and is tried again; what can be read, the DPO reads now
            shown.append(issues.told(deps, item))
            issues.act_on(deps, item)
            done.append(item)
    if not shown:
        return 0
    mailing.send_once(
        deps,
        subject,
        "dpo_issues",
        deps.datamap.controller.contact,
        deps.datamap.controller.locale,
        controller=deps.datamap.controller,
        desk=deps.settings.desk_url,
        issues=shown,
        more=max(0, len(waiting) - len(left)),
    )
    for item in done:
        issues.await_answer(deps, item)
    return len(done)


def _begun(deps: Deps, item: dict[str, Any], faults: Faults) -> bool:
    """Whether its own mail was begun. That may have gone out, and is seen to its end."""
    if deps.table.get(requests.pk(item["issue_id"]), mailing.claim_key(issues.MAIL, 1)) is None:
        return False
    with faults.noted("issues"):
        issues.pass_on(deps, item)
    return True


def _first(waiting: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Those of this day. Each account that is reported makes work of its own, for the DPO too."""
    minors = [each for each, item in waiting.items() if item["kind"] == issues.MINOR]
    later = set(minors[issues.MAILS_PER_HOUR :])
    return [each for each in waiting if each not in later][:MOST]


def _untold(deps: Deps) -> Iterator[dict[str, Any]]:
    """Some more than fit into a mail, so that it can say that there are more."""
    return islice(deps.table.open_requests(issues.UNTOLD), MOST * 5)


def breaches(deps: Deps, now: datetime, tz: tzinfo) -> list[Breach]:
    """The clocks that run, the earliest due first; those too of which no mail to the DPO went out yet."""
    untold = (item for item in _untold(deps) if item["kind"] == issues.BREACH)
    return [
        Breach(
            issue_id=item["issue_id"],
            due_at=item["due_at"],
            day=moment(item["due_at"]).astimezone(tz).date(),
            time=f"{moment(item['due_at']).astimezone(tz):%H:%M}",
            hours_left=issues.hours_left(item, now),
            provisional="aware_at" not in item,
        )
        for item in merge(deps.table.open_requests(issues.CLOCK), untold, key=lambda item: str(item["due_at"]))
    ]
