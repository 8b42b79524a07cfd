"""What Article 15(1) and (2) GDPR has the person told beside the data, drawn from the data map. Plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rightful.model import DataMap, Recipient, Store


def information(datamap: DataMap) -> dict[str, Any]:
    """{"controller": {...}, "data_map_version", "stores": {name: {...}}}. The comments name the letters of 15(1)."""
    controller = datamap.controller
    return {
        "controller": {
            "name": controller.name,
            "contact": controller.contact,
            "policy": controller.policy_url,
            "complaint": controller.complaint,  # (f)
            "transfers": controller.transfers,  # 15(2)
            "regime": controller.regime,
        },
        "data_map_version": datamap.version,
        "stores": {name: _of_store(store, datamap.recipients) for name, store in datamap.stores.items()},
    }


def _of_store(store: Store, recipients: Mapping[str, Recipient]) -> dict[str, Any]:
    rule = store.erasure
    return {
        "title": store.title,
        "covered": store.covered,
        "purpose": store.purpose,  # (a)
        "lawful_basis": store.lawful_basis,
        "categories": sorted({meaning.category for meaning in store.fields.values()}),  # (b)
        "recipients": [recipients[name].title for name in store.recipients],  # (c)
        "retention": {  # (d)
            "period": store.retention.period,
            "since": store.retention.since,
            "longer": [
                {"ground": unless.ground, "period": unless.period, "since": unless.since}
                for unless in store.retention.unless
            ],
        },
        "on_erasure": {  # (e)
            "action": rule.action,
            **({"ground": rule.ground, "law": rule.law, "period": rule.period} if rule.action == "keep" else {}),
        },
        "source": store.source,  # (g)
    }
