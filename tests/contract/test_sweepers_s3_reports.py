"""The sweep's way through a bucket by the reports of S3 Inventory: what they say is looked at again
before it is believed."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from rightful import retention
from rightful.errors import NeedsAttention, TryAgain
from rightful.model import Done, Result
from tests.contract.aws_bench import aws
from tests.contract.s3_sweep_bench import (
    EVERYTHING,
    ReportBench,
    Unversioned,
    as_csv,
    as_parquet,
    everything,
    fill,
    pages,
    shown,
    with_inventory,
)
from tests.contract.sweeper_suite import NOW, SweepBench, SweeperSuite, swept

__all__ = ["aws"]


class UnversionedReport(ReportBench, Unversioned):
    guard = ("last_modified",)
    tells_gone = True


class ParquetReport(ReportBench):
    form = "Parquet"


class TestCsvReport(SweeperSuite):
    @pytest.fixture
    def bench(self, aws: None) -> SweepBench:
        return UnversionedReport()


class TestParquetReport(SweeperSuite):
    @pytest.fixture
    def bench(self, aws: None) -> SweepBench:
        return ParquetReport()


@pytest.mark.parametrize("made", [ReportBench, ParquetReport])
@pytest.mark.parametrize("page", [2, 1000])
def test_a_report_tells_of_versions_and_markers_and_uploads_are_listed(
    aws: None, made: type[ReportBench], page: int
) -> None:
    bench = made()
    bench.put("elsewhere/x")
    fill(bench)
    bench.report()
    bench.page_size = page
    assert everything(bench) == bench.there() - Counter({key: 1 for key in bench.there() if key[0] == "elsewhere/x"})
    for records in pages(bench):
        done = {result.done for result in bench.sweeper().delete(records, ["last_modified"]).results}
        assert done <= {Done.deleted, Done.blocked}
        assert shown(bench) <= {"app/a+b", "elsewhere/x"}


def test_what_a_stale_report_says_is_looked_at_again(aws: None) -> None:
    bench = UnversionedReport()
    bench.add("ada", "long_ago", 4)
    records, _ = swept(bench)
    bench.remove(records[0])
    bench.meddle(records[1])
    bench.put("app/new")
    results = bench.sweeper().delete(records, bench.guard).results
    assert [result.done for result in results] == [Done.gone, Done.changed, Done.deleted, Done.deleted]
    assert bench.sweeper().delete(records[2:], ()).results == [Result(Done.gone)] * 2
    assert shown(bench) == {"app/new", records[1].data["key"]}


def test_the_newest_whole_report_counts(aws: None) -> None:
    bench = ReportBench()
    bench.add("ada", "long_ago", 2)
    bench.write("2027-01-31T01-00Z/manifest.json", b"{}")
    bench.write("2027-02-01T01-00Z/manifest.json", b"{}")
    bench.write("2027-02-01T01-00Z/manifest.checksum", b"of something else")
    bench.write("hive/dt=2027-02-02/symlink.txt", b"")
    segment = json.loads(bench.sweeper().segments(2, NOW)[0])
    assert segment == ["report", "2027-01-30T01-00Z/", 0, 3]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"sourceBucket": "another"}, "another bucket"),
        ({"fileFormat": "ORC"}, "neither CSV nor Parquet"),
        ({"fileSchema": "Bucket, Key, Size"}, "does not say is_delete_marker"),
        ({"files": [{"key": "x"}]}, "not one that S3 writes"),
    ],
)
def test_a_report_that_cannot_be_used_says_why(aws: None, changed: Mapping[str, Any], said: str) -> None:
    bench = ReportBench()
    bench.report(**changed)
    with pytest.raises(NeedsAttention, match=said):
        bench.sweeper().segments(5, NOW)


def test_without_a_report_nothing_is_gone_through(aws: None) -> None:
    bench = ReportBench()
    bench.place = "inventories/other/"
    bench.store = replace(bench.store, retention=with_inventory(bench.reports, bench.place))
    with pytest.raises(NeedsAttention, match="no whole inventory report"):
        bench.sweeper().segments(5, NOW)


@pytest.mark.parametrize("body", [b"", b"not what the manifest says"])
def test_a_file_with_another_md5_is_not_believed(aws: None, body: bytes) -> None:
    bench = ReportBench()
    bench.add("ada", "long_ago", 2)
    segment = bench.sweeper().segments(2, NOW)[0]
    for number in range(3):
        bench.write(f"data/2027-01-30-{number}", body)
    with pytest.raises(TryAgain, match="MD5"):
        bench.sweeper().page(segment, EVERYTHING, None)


@pytest.mark.parametrize("made", [ReportBench, ParquetReport])
def test_a_file_that_cannot_be_read_needs_a_person(
    aws: None, made: type[ReportBench], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = made()
    monkeypatch.setattr(bench, "file", lambda rows: b"PAR1 or gzip, neither of the two")
    bench.report()
    segment = bench.sweeper().segments(2, NOW)[0]
    with pytest.raises(NeedsAttention, match="cannot be read"):
        bench.sweeper().page(segment, EVERYTHING, None)


@pytest.mark.parametrize("row", ["", '"too","short"', '"' + "x" * 200_000 + '"'])
def test_a_row_that_is_none_needs_a_person(aws: None, row: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = ReportBench()
    monkeypatch.setattr(bench, "file", lambda rows: gzip.compress(f"{row}\n".encode()))
    bench.report(count=1)
    segment = bench.sweeper().segments(2, NOW)[0]
    with pytest.raises(NeedsAttention, match="cannot be read"):
        bench.sweeper().page(segment, EVERYTHING, None)


@pytest.mark.parametrize("moments", ["TIMESTAMP_MS", "TIMESTAMP", "TIMESTAMPTZ"])
def test_moments_in_parquet_however_they_are_written(aws: None, moments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = ParquetReport()
    bench.add("ada", "long_ago")
    monkeypatch.setattr(bench, "file", lambda rows: as_parquet(rows, moments))
    bench.report(count=1)
    ((record,), _) = swept(bench)
    assert record.data == next(iter(bench.snapshot().values()))


def test_a_row_whose_date_cannot_be_read_comes_and_is_kept(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = ReportBench()
    bench.add("ada", "lately")
    monkeypatch.setattr(bench, "file", lambda rows: as_csv([[*row[:6], "soon", row[7]] for row in rows]))
    bench.report(count=1)
    ((record,), _) = swept(bench)
    assert retention.decide(bench.store.retention, record, NOW).reason == retention.MALFORMED
