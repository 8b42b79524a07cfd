"""State "Read what the DPO asks": `{"input", "execution"}` -> `{"ok", "action", "order", ...}`, or what is wrong."""

from rightful.entry import handler as entry
from rightful.service.desk import orders

handler = entry(lambda deps, event, _: orders.take(deps, event["input"], event["execution"]))
