"""A streaming upload to S3 that another process can take up.

S3 takes parts of at least 5 MiB, at most 10,000 of them. What is buffered at a pause may be less, so it is stored as an
object beside the key, under a random name: two tries at the same upload never share one. An object smaller than one
part is written by a plain PUT. Source: S3 user guide, "Amazon S3 multipart upload limits".
"""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from rightful.aws.errors import error_code, translated
from rightful.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from rightful.ports import Files

PART: Final = 8 * 1024 * 1024
"""Bytes of the first parts, and so what an upload holds in memory."""
CHECKSUMS: Final = ("ChecksumCRC32", "ChecksumCRC32C", "ChecksumCRC64NVME", "ChecksumSHA1", "ChecksumSHA256")


def part_size(offset: int) -> int:
    """Bytes of the part that begins at `offset`. A part that grows with what went before keeps even an object of 5 TiB
    under 10,000 parts, and costs memory only where it must: 16 MiB at 20 GiB."""
    return max(PART, offset // 1250)


class S3Upload:
    """Made by `S3Files.upload`. Writing to an upload that was already finished by another try has no effect, so a
    step killed after `finish` can be run again."""

    def __init__(self, files: Files, client: S3Client, bucket: str, key: str, state: str | None = None) -> None:
        self._files = files
        self._client = client
        self._at: Any = {"Bucket": bucket, "Key": key}
        self._tails = f"{key}.tail-"
        self._buffer = bytearray()
        self._parts: list[dict[str, Any]] = []
        self._id = ""
        self._sent = 0
        self._done = False
        self._resumed = state is not None
        if state is not None:
            self._resume(json.loads(state))

    def write(self, data: bytes) -> int:
        view = memoryview(data)
        while view:
            room = part_size(self._sent) - len(self._buffer)
            self._buffer += view[:room]
            view = view[room:]
            if len(self._buffer) >= part_size(self._sent):
                self._send_part()
        return len(data)

    def tell(self) -> int:
        return self._sent + len(self._buffer)

    def flush(self) -> None:
        """Does nothing: parts go out when they are full."""

    def pause(self) -> str:
        tail = ""
        if self._buffer and not self._done:
            tail = f"{self._tails}{secrets.token_hex(8)}"
            self._files.put(tail, bytes(self._buffer))
        state = {"id": self._id, "parts": self._parts, "sent": self._sent, "offset": self.tell(), "tail": tail}
        return json.dumps(state)

    def finish(self) -> None:
        if self._id:
            if self._buffer:
                self._send_part()
            self._complete()
        elif not self._done:
            self._files.put(self._at["Key"], bytes(self._buffer))
        self._done = True
        if self._resumed:
            self._files.delete(self._tails)

    def _resume(self, state: dict[str, Any]) -> None:
        self._id, self._parts, self._sent = state["id"], state["parts"], state["sent"]
        if not state["tail"]:
            return
        try:
            self._buffer += b"".join(self._files.read(state["tail"]))
        except NotFound:
            with translated():
                self._gone(state["offset"])

    def _send_part(self) -> None:
        if not self._done:
            self._upload_part()
        self._sent += len(self._buffer)
        self._buffer.clear()

    def _upload_part(self) -> None:
        with translated():
            if not self._id:
                self._id = self._client.create_multipart_upload(**self._at)["UploadId"]
            number = len(self._parts) + 1
            try:
                answer: Any = self._client.upload_part(
                    **self._at, UploadId=self._id, PartNumber=number, Body=bytes(self._buffer)
                )
            except ClientError as error:
                if error_code(error) != "NoSuchUpload":
                    raise
                self._gone(self._sent)
                return
        checksums = {name: answer[name] for name in CHECKSUMS if name in answer}
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"], **checksums})

    def _complete(self) -> None:
        if self._done:
            return
        parts: Any = self._parts
        with translated():
            try:
                self._client.complete_multipart_upload(**self._at, UploadId=self._id, MultipartUpload={"Parts": parts})
            except ClientError as error:
                if error_code(error) != "NoSuchUpload":
                    raise
                self._gone(self._sent)

    def _gone(self, offset: int) -> None:
        """The upload no longer exists: either it was finished and only the answer was lost, or it was removed."""
        try:
            self._client.head_object(**self._at)
        except ClientError as error:
            if error_code(error) not in {"404", "NoSuchKey", "NotFound"}:
                raise
            raise NotFound("The upload does not exist any more; begin a new one.") from None
        self._done = True
        self._sent = offset
