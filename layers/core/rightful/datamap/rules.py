"""Whether the rules of a data map say all that is needed to act on them: erasure, retention, requests, controller."""

from __future__ import annotations

import difflib
import re
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime

from rightful import periods
from rightful.datamap.categories import identifies
from rightful.datamap.problems import Finding, Loc, nearest
from rightful.datamap.references import OF_AN_OBJECT, OF_OBJECTS, declared, steps
from rightful.errors import Invalid
from rightful.model import GROUNDS, DataMap, RequestPolicy, Store, Strategy, Unless
from rightful.retention import key_pattern

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_ROLE = re.compile(
    r"arn:(aws[a-z-]*|\$\{AWS::Partition\}):iam::(\d{12}|\$\{AWS::AccountId\}):role/[\w+=,.@/-]+", re.ASCII
)
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_LONGEST_FROM = datetime(2100, 1, 1, tzinfo=UTC)


def erasure(datamap: DataMap) -> Iterator[Finding]:
    """Each action has what it needs, and nothing that belongs to another."""
    for name, store in datamap.stores.items():
        rule, loc = store.erasure, ("stores", name, "erasure")
        said = {"ground": rule.ground, "law": rule.law, "period": rule.period, "since": rule.since}
        if rule.action == "keep":
            for key in (key for key, value in said.items() if not value.strip()):
                cure = f"Add `{key}:`; a person is told why, under which law, and until when records are kept."
                yield Finding((*loc, "action"), f"`keep` without `{key}` in store `{name}`", cure)
            if rule.ground:
                yield from _ground((*loc, "ground"), rule.ground, GROUNDS)
            if rule.period:
                yield from _period((*loc, "period"), rule.period)
            if rule.since:
                yield from _kept_since((*loc, "since"), rule.since, store)
        else:
            for key in (key for key, value in said.items() if value):
                cure = f"Remove `{key}`, or write `action: keep`."
                yield Finding((*loc, key), f"`{key}` has no meaning where the action is `{rule.action}`", cure)
        yield from _strategies(loc, rule.action, rule.fields, store)


def _kept_since(loc: Loc, since: str, store: Store) -> Iterator[Finding]:
    """An erasure reads a record as it was found, and so its date is in the record."""
    if OF_AN_OBJECT.fullmatch(since):
        what = f"`{since}` is no date of the record, so that it would be kept for ever"
        yield Finding(loc, what, "Write the path of a date; of an object in S3, `last_modified` is one.")
    elif not (store.connector in OF_OBJECTS and since == "last_modified"):
        yield from declared(loc, since, store)


def retention(datamap: DataMap) -> Iterator[Finding]:
    """Each rule has a period and a date; exceptions say when they end."""
    for name, store in datamap.stores.items():
        rule, loc = store.retention, ("stores", name, "retention")
        yield from _period((*loc, "period"), rule.period)
        yield from _dated((*loc, "since"), rule.since, store)
        if not 0 <= rule.brake <= 100:
            cure = "Write how many percent of the store may be due at once, such as `brake: 10`; 100 never brakes."
            yield Finding((*loc, "brake"), f"`brake: {rule.brake}` is no share of a store", cure)
        yield from _strategies(loc, rule.action, rule.fields, store)
        for number, unless in enumerate(rule.unless):
            yield from _unless((*loc, "unless", number), unless, store)


def _dated(loc: Loc, since: str, store: Store) -> Iterator[Finding]:
    """A date of the record, or of the object; a pattern for one in a key says which day, month or year."""
    yield from declared(loc, since, store, date=True)
    if store.connector in OF_OBJECTS and since.startswith("key_date:"):
        try:
            key_pattern(since.removeprefix("key_date:"))
        except ValueError as error:
            cure = "Write the beginning of a key, such as `key_date:events/%Y/%m/%d`."
            yield Finding(loc, f"`{since}` names no date in a key: {error}", cure)


def requests(datamap: DataMap) -> Iterator[Finding]:
    for kind, policy in datamap.requests.items():
        loc: Loc = ("requests", kind, "grace_period")
        if policy.grace_period:
            yield from _period(loc, policy.grace_period)
        if policy.grace_period and kind != "erasure":
            yield Finding(loc, f"`{kind}` has a grace period, but nothing to take back", "Remove `grace_period`.")
        yield from _approval(("requests", kind), policy, datamap)


def _approval(loc: Loc, policy: RequestPolicy, datamap: DataMap) -> Iterator[Finding]:
    """Who approves exists, and what calls for it can come true."""
    if policy.approvers not in (1, 2):
        cure = "Write 1, or 2 for the DPO and `controller.deputy`."
        yield Finding((*loc, "approvers"), f"`approvers: {policy.approvers}` cannot be", cure)
    if policy.approvers == 2 and not datamap.controller.deputy:
        cure = "Add `deputy:` with the second person's e-mail address to `controller:`."
        yield Finding((*loc, "approvers"), "two approvals are asked for, and there is one person to give them", cure)
    asked, here = policy.ask_when, (*loc, "ask_when")
    if asked.records < 0:
        yield Finding((*here, "records"), f"`records: {asked.records}` is no number of records", "Write 0 or more.")
    for number, name in enumerate(asked.stores):
        if name not in datamap.stores or not datamap.stores[name].covered:
            covered = [each for each, store in datamap.stores.items() if store.covered]
            what = f"`{name}` is no store that requests reach"
            yield Finding((*here, "stores", number), what, nearest(name, covered))
    for name, most in asked.identities.items():
        if name not in datamap.identities:
            yield Finding((*here, "identities", name), f"`{name}` is no identity", nearest(name, datamap.identities))
        elif most < 1:
            cure = "Write how many one person usually has, such as 1."
            yield Finding((*here, "identities", name), f"`{name}: {most}` is always exceeded", cure)
    if asked.privileged and not any(store.privileged.attribute for store in datamap.stores.values()):
        cure = "Say in a store which records are: `privileged: {attribute: roles, values: [owner]}`."
        yield Finding((*here, "privileged"), "no store says which of its records are privileged", cure)


def privileged(datamap: DataMap) -> Iterator[Finding]:
    """A store that has privileged records says by which values of which field."""
    for name, store in datamap.stores.items():
        loc: Loc = ("stores", name, "privileged")
        rule = store.privileged
        if bool(rule.attribute) != bool(rule.values):
            cure = "Write `privileged: {attribute: roles, values: [owner]}`."
            yield Finding(loc, "`attribute` and `values` belong together", cure)
        if rule.attribute:
            yield from declared((*loc, "attribute"), rule.attribute, store)


def texts(datamap: DataMap) -> Iterator[Finding]:
    """What a person or an operator reads is there, and addresses look like addresses."""
    controller = datamap.controller
    told: dict[Loc, str] = {("version",): datamap.version}
    told |= {("controller", key): getattr(controller, key) for key in ("name", "contact", "policy_url", "complaint")}
    for name, store in datamap.stores.items():
        told |= {("stores", name, key): getattr(store, key) for key in ("title", "purpose", "lawful_basis", "source")}
    for loc, text in told.items():
        if not text.strip():
            yield Finding(loc, f"`{loc[-1]}` is empty", "Write what the person will read there.")
    if controller.contact.strip() and not _EMAIL.fullmatch(controller.contact):
        yield Finding(("controller", "contact"), "`contact` is not an e-mail address", "Write the DPO's address.")
    if controller.deputy and not _EMAIL.fullmatch(controller.deputy):
        yield Finding(
            ("controller", "deputy"), "`deputy` is not an e-mail address", "Write the second person's address."
        )
    if controller.deputy and controller.deputy.strip().casefold() == controller.contact.strip().casefold():
        cure = "Write another person's address, or remove `deputy`."
        yield Finding(("controller", "deputy"), "`deputy` is the same mailbox as `contact`", cure)
    if controller.policy_url.strip() and not controller.policy_url.startswith("https://"):
        yield Finding(("controller", "policy_url"), "`policy_url` is not an https address", "Begin it with `https://`.")
    if controller.time_zone != "UTC" and controller.time_zone not in (known := zoneinfo.available_timezones()):
        what = f"no time zone is called `{controller.time_zone}`"
        yield Finding(("controller", "time_zone"), what, _zone_cure(controller.time_zone, known))
    for number, day in enumerate(controller.holidays):
        if not _is_date(day):
            cure = "Write it as `2027-01-01`."
            yield Finding(("controller", "holidays", number), f"`{day}` is not a date", cure)


def _zone_cure(name: str, known: Iterable[str]) -> str:
    place = name.rpartition("/")[2].strip().replace(" ", "_")
    meant = [zone for zone in known if zone.rpartition("/")[2].casefold() == place.casefold()]
    close = difflib.get_close_matches(name, [*meant, *known], n=1)
    guess = min(meant) if meant else close[0] if close else "America/New_York"
    return f"Write an IANA name such as `{guess}`."


def places(datamap: DataMap) -> Iterator[Finding]:
    """Stores in another account or region."""
    for name, store in datamap.stores.items():
        loc = ("stores", name)
        if store.role_arn and not _ROLE.fullmatch(store.role_arn):
            cure = "Write it whole: `arn:aws:iam::123456789012:role/NAME`."
            yield Finding((*loc, "role_arn"), f"`{store.role_arn}` is not the ARN of one role", cure)
        if store.external_id and not store.role_arn:
            cure = "Add `role_arn`, or remove `external_id`."
            yield Finding((*loc, "external_id"), "`external_id` without `role_arn`", cure)
        if store.region and store.region != "${AWS::Region}" and not _REGION.fullmatch(store.region):
            cure = "Write a region such as `eu-west-1`."
            yield Finding((*loc, "region"), f"`{store.region}` is not a region", cure)


def _strategies(loc: Loc, action: str, fields: Mapping[str, Strategy], store: Store) -> Iterator[Finding]:
    if action == "anonymise" and not fields:
        cure = "Add `fields:` with a strategy for each field that tells who it is, or write `action: delete`."
        yield Finding((*loc, "action"), "`anonymise` without fields would change nothing", cure)
    if action != "anonymise" and fields:
        cure = "Write `action: anonymise`, or remove `fields`."
        yield Finding((*loc, "fields"), f"`fields` have no meaning where the action is `{action}`", cure)
        return
    for path, strategy in fields.items():
        here = (*loc, "fields", path)
        yield from declared(here, path, store)
        for over in fields:
            if over != path and steps(over) == steps(path)[: len(steps(over))]:
                cure = "Keep one of the two."
                yield Finding(here, f"`{path}` lies inside `{over}`, which has a strategy already", cure)
        if strategy.keep is not None and (strategy.strategy != "truncate" or strategy.keep < 0):
            cure = "Use `keep` with `strategy: truncate` only, as a number of characters from 0."
            yield Finding((*here, "keep"), f"`keep: {strategy.keep}` has no meaning here", cure)
    if action == "anonymise":
        for path, field in store.fields.items():
            if (identifies(field.category) or field.free_text) and not _covered(path, fields):
                why = "is free text" if field.free_text else f"is {field.category}"
                cure = f"Give it a strategy under `fields:`, such as `{path}: {{strategy: redact}}`."
                yield Finding((*loc, "action"), f"`{path}` {why} and would stay readable after anonymising", cure)


def _covered(path: str, fields: Mapping[str, Strategy]) -> bool:
    """A field is dealt with by a strategy on it, around it, or on something inside it."""
    own = steps(path)
    return any(own[: len(other)] == other or other[: len(own)] == own for other in map(steps, fields))


def _unless(loc: Loc, unless: Unless, store: Store) -> Iterator[Finding]:
    yield from _ground((*loc, "ground"), unless.ground, ("active_service", *GROUNDS))
    by_value, by_date = (unless.attribute, unless.equals), (unless.period, unless.since)
    if any(by_value) and not all(by_value):
        yield Finding(loc, "`attribute` and `equals` belong together", "Say which values of which field count.")
    if any(by_date) and not all(by_date):
        yield Finding(loc, "`period` and `since` belong together", "Say how long since which date.")
    if not any(by_value) and (unless.ground == "active_service" or not any(by_date)):
        wanted = "attribute: status, equals: [active]"
        cure = f"Add `{wanted}`." if unless.ground == "active_service" else f"Add `period` and `since`, or `{wanted}`."
        yield Finding(loc, f"`unless` on the ground `{unless.ground}` does not say when it holds", cure)
    if unless.attribute:
        yield from declared((*loc, "attribute"), unless.attribute, store)
    if unless.period:
        yield from _period((*loc, "period"), unless.period)
    if unless.since:
        yield from _dated((*loc, "since"), unless.since, store)


def _ground(loc: Loc, ground: str, grounds: tuple[str, ...]) -> Iterator[Finding]:
    if ground not in grounds:
        yield Finding(loc, f"`{ground}` is not a ground", nearest(ground, grounds))


def _period(loc: Loc, text: str) -> Iterator[Finding]:
    try:
        periods.add(_LONGEST_FROM, periods.parse(text))
    except (Invalid, OverflowError, ValueError):
        cure = "Write years, months, weeks or days as in `P1Y`, `P6M`, `P2W`, `P30D`."
        yield Finding(loc, f"`{text}` is not an ISO 8601 duration that can be counted", cure)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
