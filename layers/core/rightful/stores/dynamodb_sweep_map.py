"""What the data map says of sweeping a DynamoDB table: how what is due is reached, whose it is, what is permitted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from rightful import paths, retention
from rightful.model import FORBID_UNKNOWN, Locator, Permission, Store, SweepVerb
from rightful.stores import dynamodb_map, encryption
from rightful.stores.dynamodb_map import Problem, Settings, Through

LEAST_UNITS: Final = 20
"""Of `max_rcu` and `max_wcu`: that many segments may share them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An index that leads to what may be due: by a bucket of the date (`bucket`, `first`), or, where only records that
    are counted down are in it, by the few values its partition key has (`shards`).

    What came back after an erasure is then seen once it is due; a scan sees it at once."""

    __pydantic_config__ = FORBID_UNKNOWN
    index: str = ""
    key: str = ""
    """The index's partition key; text."""
    bucket: str = ""
    """How `key` is written of the day of `since` in UTC, e.g. `%Y-%m`."""
    first: str = ""
    """The first bucket, e.g. `2015-01`; nothing is in an earlier one."""
    shards: list[str] = field(default_factory=list)
    """All values of `key`."""
    sort_key: str = ""
    """The index's sort key, when that is `since` itself, written as RFC 3339 text. Then no more is read than is due."""


def due(store: Store) -> Due:
    return Due(**store.retention.through)


def check(store: Store) -> Iterator[Problem]:
    settings, through = Settings(**store.settings), due(store)
    for name in ("max_rcu", "max_wcu"):
        if getattr(settings, name) and getattr(settings, name) < LEAST_UNITS:
            cure = f"write at least {LEAST_UNITS}, or leave it away for no limit"
            yield f"settings.{name}", f"is less than {LEAST_UNITS}, and up to {LEAST_UNITS} parts share it", cure
    if through == Due():
        return
    for name in ("index", "key"):
        if not getattr(through, name):
            yield (
                f"retention.through.{name}",
                "is missing",
                "name the index and its partition key, or say nothing of both",
            )
    if bool(through.bucket) == bool(through.shards):
        yield "retention.through", "names both or none of `bucket` and `shards`", "say how its partition key is written"
    if through.bucket:
        yield from _check_bucket(through)
    elif through.first:
        yield "retention.through.first", "has no meaning without `bucket`", "leave it away"
    if len(set(through.shards)) < len(through.shards) or "" in through.shards:
        yield "retention.through.shards", "holds a value twice or an empty one", "list each value once"
    if through.sort_key and through.sort_key != retention.attribute(store.retention.since):
        yield (
            "retention.through.sort_key",
            f"is not `{store.retention.since}`, so its order says nothing of what is due",
            "name it only where the index is sorted by the date that decides",
        )


def _check_bucket(through: Due) -> Iterator[Problem]:
    try:
        pattern = retention.key_pattern(through.bucket)
    except ValueError as error:
        yield "retention.through.bucket", f"is no pattern of dates: {error}", "write it like `%Y-%m`"
        return
    if "*" in through.bucket:
        yield "retention.through.bucket", "holds `*`, so its values cannot be counted up", "write it like `%Y-%m`"
    elif not pattern.fullmatch(through.first) or retention.key_date(through.bucket, through.first) is None:
        example = datetime(2015, 1, 1, tzinfo=UTC).strftime(through.bucket)
        yield (
            "retention.through.first",
            "is not the name of a bucket",
            f"write the first one there is, like `{example}`",
        )


def buckets(through: Due, until: datetime) -> list[str]:
    """The partition keys under which records may be that were last used by `until`, the oldest first."""
    if through.shards:
        return through.shards
    last = until.astimezone(UTC).strftime(through.bucket)
    if _begin(through, through.first) > until:
        return []
    names = [through.first]
    while names[-1] != last:
        names.append(following(through, names[-1]))
    return names


def following(through: Due, bucket: str) -> str:
    """The bucket that comes after one."""
    if through.shards:
        return through.shards[through.shards.index(bucket) + 1]
    moment = _begin(through, bucket)
    while (name := moment.strftime(through.bucket)) == bucket:
        moment += timedelta(hours=1) if "%H" in through.bucket else timedelta(days=1)
    return name


def _begin(through: Due, bucket: str) -> datetime:
    match = retention.key_pattern(through.bucket).fullmatch(bucket)
    assert match, "the data map's check has seen to it"
    found = {name: int(text) for name, text in match.groupdict().items()}
    return datetime(found["Y"], found.get("m", 1), found.get("d", 1), found.get("H", 0), tzinfo=UTC)


def attributes(locate: list[Locator]) -> set[str]:
    """Top-level attributes that `identities` looks at."""
    found: set[str] = set()
    for through in (Through(**locator.through) for locator in locate):
        found |= {paths.top(through.attribute) if through.attribute else through.key, through.sort_key}
    return found - {""}


def permissions(store: Store, verb: SweepVerb) -> list[Permission]:
    """Of reading and writing as the store's two rules ask: what came back is dealt with as its erasure says."""
    table = dynamodb_map.table_arn(store)
    if verb == "split":
        return [{"actions": ["dynamodb:DescribeTable"], "resources": [table]}]
    if verb == "announce":  # reads all of it, however its retention is reached
        read: list[Permission] = [{"actions": ["dynamodb:DescribeTable", "dynamodb:Scan"], "resources": [table]}]
        return read + encryption.decrypting(store, "dynamodb")
    through = due(store)
    granted = {table: {"dynamodb:BatchGetItem" if through.index else "dynamodb:Scan"}}
    if through.index:
        granted[f"{table}/index/{through.index}"] = {"dynamodb:Query"}
    rule = store.erasure
    wipes = {store.retention.action}
    if store.locate and rule.action != "keep":
        wipes.add(rule.action)
    if store.locate and rule.action == "keep" and rule.period:
        wipes.add("delete")
    if "delete" in wipes:
        granted[table] |= {"dynamodb:DeleteItem", "dynamodb:PartiQLDelete"}
    if "anonymise" in wipes:
        granted[table].add("dynamodb:UpdateItem")
    permissions: list[Permission] = [
        {"actions": sorted(actions), "resources": [arn]} for arn, actions in granted.items()
    ]
    return permissions + encryption.decrypting(store, "dynamodb")
