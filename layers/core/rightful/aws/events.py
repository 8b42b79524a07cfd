"""Events on EventBridge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from rightful.aws.errors import from_code, translated

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE: Final = "rightful"


class BusEvents:
    """`kind` becomes the event's `detail-type`."""

    def __init__(self, client: EventBridgeClient, bus: str = "default") -> None:
        self._client = client
        self._bus = bus

    def publish(self, kind: str, detail: Mapping[str, Any]) -> None:
        entry = {"Source": SOURCE, "DetailType": kind, "Detail": json.dumps(dict(detail)), "EventBusName": self._bus}
        with translated():
            answer = self._client.put_events(Entries=[entry])  # type: ignore[list-item]  # a plain dict is the TypedDict
        if answer["FailedEntryCount"]:
            raise from_code("PutEvents", answer["Entries"][0].get("ErrorCode", "InternalFailure"))
