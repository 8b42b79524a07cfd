"""What every exports bucket does: in memory, and in S3."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber
from moto import mock_aws
from moto.s3.models import S3Backend

from rightful.aws import uploads
from rightful.aws.files import S3Files, attachment
from rightful.aws.uploads import S3Upload, part_size
from rightful.errors import NeedsAttention, NotFound, TryAgain
from rightful.ports import Files
from tests.fakes.files import MemoryFiles
from tests.fakes.s3_repairs import upload_part

MIB = 1024 * 1024
KEY = "packages/r1.zip"
BUCKET = "exports"
SIZES = [0, 1, 5 * MIB, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 17 * MIB]


def body(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def whole(files: Files, key: str = KEY) -> bytes:
    return b"".join(files.read(key))


class FilesContract:
    """Needs the fixture `files`."""

    def test_what_was_put_is_read(self, files: Files) -> None:
        files.put("work/r1/a.jsonl", b"old")
        files.put("work/r1/a.jsonl", b"new")
        assert whole(files, "work/r1/a.jsonl") == b"new"
        files.put("empty", b"")
        assert whole(files, "empty") == b""

    def test_it_is_read_in_chunks(self, files: Files) -> None:
        files.put("big", body(3 * MIB + 1))
        chunks = list(files.read("big"))
        assert max(map(len, chunks)) <= MIB
        assert b"".join(chunks) == body(3 * MIB + 1)

    def test_what_is_not_there_is_not_found(self, files: Files) -> None:
        with pytest.raises(NotFound):
            files.read("nothing")

    def test_listing_is_by_prefix_and_in_order(self, files: Files) -> None:
        for key in ("work/r1/b", "work/r1/a", "work/r10/a", "work/r2/a"):
            files.put(key, b"")
        assert list(files.list("work/r1/")) == ["work/r1/a", "work/r1/b"]
        assert list(files.list("none/")) == []

    def test_deleting_takes_the_prefix_and_nothing_else(self, files: Files) -> None:
        for key in ("work/r1/a", "work/r1/b", "work/r10/a"):
            files.put(key, b"")
        files.delete("work/r1/")
        files.delete("work/r1/")
        assert list(files.list("")) == ["work/r10/a"]

    @pytest.mark.parametrize("size", SIZES)
    def test_an_upload_is_there_whole_when_finished_and_not_before(self, files: Files, size: int) -> None:
        upload = files.upload(KEY)
        data = body(size)
        for start in range(0, size, 700_001):
            piece = data[start : start + 700_001]
            assert upload.write(piece) == len(piece)
        upload.flush()
        assert upload.tell() == size
        assert list(files.list("")) == []
        upload.finish()
        upload.finish()
        assert list(files.list("")) == [KEY]
        assert whole(files) == data

    @pytest.mark.parametrize("size", SIZES)
    def test_another_process_goes_on_after_a_pause(self, files: Files, size: int) -> None:
        data = body(size)
        state = None
        for start in range(0, size + 1, 3 * MIB):
            upload = files.upload(KEY, state)
            assert upload.tell() == start
            upload.write(data[start : start + 3 * MIB])
            state = upload.pause()
        upload = files.upload(KEY, state)
        upload.finish()
        assert whole(files) == data
        assert list(files.list(KEY)) == [KEY]

    def test_a_try_that_died_leaves_no_trace_in_the_next(self, files: Files) -> None:
        upload = files.upload(KEY)
        upload.write(body(9 * MIB))
        saved = upload.pause()
        lost = files.upload(KEY, saved)
        lost.write(b"x" * (9 * MIB))
        lost.pause()
        again = files.upload(KEY, saved)
        again.write(b"y" * (9 * MIB))
        again.finish()
        assert whole(files) == body(9 * MIB) + b"y" * (9 * MIB)

    @pytest.mark.parametrize("before", [1 * MIB, 9 * MIB])
    def test_a_finished_upload_may_be_finished_again_from_its_last_pause(self, files: Files, before: int) -> None:
        data = body(20 * MIB)
        upload = files.upload(KEY)
        upload.write(data[:before])
        state = upload.pause()
        for _ in range(2):
            upload = files.upload(KEY, state)
            upload.write(data[before:])
            assert upload.tell() == len(data)
            upload.finish()
            assert whole(files) == data

    @pytest.mark.parametrize("before", [1 * MIB, 8 * MIB, 9 * MIB])
    def test_deleting_ends_an_unfinished_upload(self, files: Files, before: int) -> None:
        upload = files.upload(KEY)
        upload.write(body(before))
        state = upload.pause()
        files.delete("packages/r1")
        with pytest.raises(NotFound):
            self.go_on(files, state)
        assert list(files.list("")) == []

    def go_on(self, files: Files, state: str) -> None:
        upload = files.upload(KEY, state)
        upload.write(body(9 * MIB))
        upload.finish()

    def test_a_zip_can_be_written_straight_into_it(self, files: Files) -> None:
        upload = files.upload(KEY)
        with zipfile.ZipFile(upload, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]  # write-only
            archive.writestr("a.bin", body(9 * MIB))
        upload.finish()
        with zipfile.ZipFile(io.BytesIO(whole(files))) as archive:
            assert archive.read("a.bin") == body(9 * MIB)

    def test_a_link_is_made(self, files: Files) -> None:
        files.put(KEY, b"zip")
        assert files.link(KEY, "my data.zip", 300).startswith("https://")


class TestMemoryFiles(FilesContract):
    @pytest.fixture
    def files(self) -> MemoryFiles:
        return MemoryFiles()


class TestS3Files(FilesContract):
    @pytest.fixture
    def client(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
        monkeypatch.setattr(S3Backend, "upload_part", upload_part)
        with mock_aws():
            client = boto3.client("s3", "eu-west-1", config=Config(signature_version="s3v4"))
            client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
            yield client

    @pytest.fixture
    def files(self, client: Any) -> S3Files:
        return S3Files(client, BUCKET)

    def test_an_empty_prefix_is_refused(self, files: S3Files) -> None:
        with pytest.raises(ValueError, match="everything"):
            files.delete("")

    def test_all_pages_are_listed_and_deleted(self, client: Any, files: S3Files) -> None:
        for number in range(1_005):
            client.put_object(Bucket=BUCKET, Key=f"work/{number:04}", Body=b"")
        assert len(list(files.list("work/"))) == 1_005
        files.delete("work/")
        assert list(files.list("work/")) == []

    @pytest.mark.parametrize(("code", "error"), [("SlowDown", TryAgain), ("AccessDenied", NeedsAttention)])
    def test_an_object_that_stayed_is_an_error(
        self, client: Any, files: S3Files, code: str, error: type[Exception]
    ) -> None:
        files.put("work/a", b"")

        def refuse(parsed: dict[str, Any], **_: Any) -> None:
            parsed["Errors"] = [{"Key": "work/a", "Code": code, "Message": "..."}]

        client.meta.events.register("after-call.s3.DeleteObjects", refuse)
        with pytest.raises(error):
            files.delete("work/")

    def test_no_upload_is_left_open(self, client: Any, files: S3Files) -> None:
        for _ in range(2):
            upload = files.upload(KEY)
            upload.write(body(9 * MIB))
            upload.pause()
        files.delete("packages/")
        assert "Uploads" not in client.list_multipart_uploads(Bucket=BUCKET)
        assert list(files.list("")) == []

    def test_finishing_survives_a_lost_answer(self, client: Any, files: S3Files) -> None:
        upload = files.upload(KEY)
        upload.write(body(9 * MIB))
        lose_once(client, "CompleteMultipartUpload")
        with pytest.raises(TryAgain):
            upload.finish()
        upload.finish()
        assert whole(files) == body(9 * MIB)

    def test_a_lost_answer_to_a_part_leaves_the_upload_whole(self, client: Any, files: S3Files) -> None:
        upload = files.upload(KEY)
        state = upload.pause()
        lose_once(client, "UploadPart")
        with pytest.raises(TryAgain):
            upload.write(body(9 * MIB))
        upload = files.upload(KEY, state)
        upload.write(body(9 * MIB))
        upload.finish()
        assert whole(files) == body(9 * MIB)

    def test_a_small_file_is_one_put(self, client: Any, files: S3Files) -> None:
        calls: list[str] = []
        client.meta.events.register("before-call.s3", lambda model, **_: calls.append(model.name))
        upload = files.upload(KEY)
        upload.write(body(MIB))
        upload.finish()
        assert calls == ["PutObject"]

    def test_the_link_says_attachment_unstored_and_for_how_long(self, files: S3Files) -> None:
        query = parse_qs(urlsplit(files.link(KEY, "données.zip", 300)).query)
        assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
        assert query["X-Amz-Expires"] == ["300"]
        assert query["response-cache-control"] == ["no-store"]
        assert query["response-content-disposition"] == [
            "attachment; filename=\"donn_es.zip\"; filename*=UTF-8''donn%C3%A9es.zip"
        ]

    def test_a_body_that_breaks_off_is_a_passing_fault(self, client: Any, files: S3Files) -> None:
        class Broken(io.BytesIO):
            def iter_chunks(self, size: int) -> Iterator[bytes]:
                yield b"begun"
                raise ReadTimeoutError(endpoint_url="https://s3")

        with Stubber(client) as stub:
            stub.add_response("get_object", {"Body": Broken()})
            chunks = files.read(KEY)
        assert next(chunks) == b"begun"
        with pytest.raises(TryAgain):
            next(chunks)


def lose_once(client: Any, operation: str) -> None:
    """The call commits, its answer does not arrive."""
    name = f"after-call.s3.{operation}"

    def lose(**_: Any) -> None:
        client.meta.events.unregister(name, lose)
        raise ReadTimeoutError(endpoint_url="https://s3")

    client.meta.events.register(name, lose)


def test_ten_thousand_parts_hold_the_largest_object_of_s3() -> None:
    offset = parts = 0
    while offset < 5 * 1024 * 1024 * MIB:
        size = part_size(offset)
        assert 5 * MIB <= size <= 5 * 1024 * MIB
        offset += size
        parts += 1
    assert parts <= 10_000


def test_a_large_write_is_sent_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PART", 10)
    sent: list[bytes] = []
    upload = S3Upload(MemoryFiles(), Parts(sent.append), BUCKET, KEY)  # type: ignore[arg-type]  # two calls of the client
    upload.write(bytes(range(35)))
    assert [len(part) for part in sent] == [10, 10, 10]
    assert upload.tell() == 35


class Parts:
    """The calls of S3 that writing needs."""

    def __init__(self, taken: Callable[[bytes], None]) -> None:
        self._taken = taken

    def create_multipart_upload(self, **_: str) -> dict[str, str]:
        return {"UploadId": "u"}

    def upload_part(self, *, Body: bytes, **_: Any) -> dict[str, str]:  # noqa: N803  the name is AWS's
        self._taken(Body)
        return {"ETag": "e"}


def test_a_file_name_cannot_break_out_of_its_header() -> None:
    header = attachment('a"; filename=evil.exe\r\nX: y')
    assert header.count('"') == 2
    assert "\r" not in header
    assert "\n" not in header
