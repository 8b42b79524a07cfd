"""The part of `retention.surely_after` that DynamoDB can tell: a filter that spares the wire what is in use for sure.

`2027-01-31T09:30:00Z` is later than a moment exactly when its text is. The filter asks for the text's range, year by
year, so that the month lies between 01 and 12; for its length; and that none of the parts is in it that no such date
has, such as `-32` or `T24`. What is neither in it comes, and `surely_after` has the last word on that.

What it cannot tell: a text of the right length in a year's range, with a T, a colon and a Z, whose other characters are
no digits (`2027-01-31T0x:30:00Z`). No date can be read from it, so `decide` keeps such a record in any case; it is
counted as in use, not as malformed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from rightful.clocks import stamp

LENGTH: Final = len("2027-01-31T09:30:00Z")
YEARS: Final = 15
"""Ranges in one filter. What is dated later comes: DynamoDB takes 300 operators and 4 KB in an expression."""
NEEDED: Final = ("T", ":", "Z")
IMPOSSIBLE: Final = (
    *("-00", "-32", "-33", "-34", "-35", "-36", "-37", "-38", "-39", "-4", "-5", "-6", "-7", "-8", "-9"),
    *("-02-29", "-02-30", "-02-31", "-04-31", "-06-31", "-09-31", "-11-31"),
    *("T24", "T25", "T26", "T27", "T28", "T29", "T3", "T4", "T5", "T6", "T7", "T8", "T9"),
    *(":6", ":7", ":8", ":9"),
)
"""Days, hours, minutes and seconds that do not exist, and 29 February, of which `surely_after` knows the years."""

_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""`surely_after` knows no date before."""
_LAST: Final = 2999


@lru_cache(maxsize=8)
def hiding(since: str, after: datetime) -> Mapping[str, Any]:
    """FilterExpression with its names and values, which leaves out what is dated surely later than `after` (aware);
    nothing when there is nothing to leave out. Every name and value begins with `f`."""
    ranges = _ranges(after.astimezone(UTC))
    if not ranges:
        return {}
    values = {":ft": {"S": "S"}, ":fn": {"N": str(LENGTH)}}
    between = []
    for n, (low, high) in enumerate(ranges):
        values |= {f":fl{n}": {"S": low}, f":fh{n}": {"S": high}}
        between.append(f"#f BETWEEN :fl{n} AND :fh{n}")
    values |= {f":fy{n}": {"S": part} for n, part in enumerate(NEEDED)}
    values |= {f":fx{n}": {"S": part} for n, part in enumerate(IMPOSSIBLE)}
    needed = " AND ".join(f"contains(#f, :fy{n})" for n in range(len(NEEDED)))
    impossible = " OR ".join(f"contains(#f, :fx{n})" for n in range(len(IMPOSSIBLE)))
    later = f"({' OR '.join(between)}) AND size(#f) = :fn AND {needed} AND NOT ({impossible})"
    later = f"attribute_type(#f, :ft) AND {later}"
    return {
        "FilterExpression": f"NOT ({later})",
        "ExpressionAttributeNames": {"#f": since},
        "ExpressionAttributeValues": values,
    }


def _ranges(after: datetime) -> list[tuple[str, str]]:
    """First and last text of each year that is later."""
    begin = max(after.replace(microsecond=0), _FIRST - timedelta(seconds=1)) + timedelta(seconds=1)
    ranges = []
    for year in range(begin.year, min(begin.year + YEARS, _LAST + 1)):
        low = stamp(begin) if year == begin.year else f"{year}-01-01T00:00:00Z"
        ranges.append((low, f"{year}-12-31T23:59:59Z"))
    return ranges
