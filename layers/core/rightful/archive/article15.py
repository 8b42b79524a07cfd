"""What Article 15(1) and (2) GDPR has the person told beside the data, drawn from the data map. Plain JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from rightful.languages import language_of
from rightful.model import DataMap, Recipient, Store


def information(datamap: DataMap, locale: str) -> dict[str, Any]:
    """{"controller": {...}, "data_map_version", "stores": {name: {...}}}. The comments name the letters of 15(1). What
    the map says is in the language of `locale` where the map has it in that language (Article 12(1): intelligible)."""
    controller, language = datamap.controller, language_of(locale)
    said = partial(datamap.said, language=language)
    return {
        "controller": {
            "name": controller.name,
            "contact": controller.contact,
            "policy": controller.policy_url,
            "complaint": said(controller.complaint),  # (f)
            "transfers": said(controller.transfers),  # 15(2)
            "regime": controller.regime,
        },
        "data_map_version": datamap.version,
        "stores": {name: _of_store(store, datamap.recipients, said) for name, store in datamap.stores.items()},
    }


def _of_store(store: Store, recipients: Mapping[str, Recipient], said: Callable[[str], str]) -> dict[str, Any]:
    rule = store.erasure
    return {
        "title": said(store.title),
        "covered": store.covered,
        "purpose": said(store.purpose),  # (a)
        "lawful_basis": said(store.lawful_basis),
        "categories": sorted({meaning.category for meaning in store.fields.values()}),  # (b)
        "recipients": [said(recipients[name].title) for name in store.recipients],  # (c)
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
            **({"ground": rule.ground, "law": said(rule.law), "period": rule.period} if rule.action == "keep" else {}),
        },
        "source": said(store.source),  # (g)
    }
