"""Who is told of an erasure, and what. Pure.

Article 19 GDPR: the controller communicates an erasure to each recipient to whom the data was disclosed, unless that
proves impossible or involves disproportionate effort, and names them to the person who asks. Only values by which a
recipient can find the person go out (Article 5(1)(c)).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rightful.identities import normalise
from rightful.model import DataMap

ARTICLES: Final = {
    "gdpr": "Article 19 GDPR",
    "uk_gdpr": "Article 19 UK GDPR",
    "ccpa": "California Civil Code section 1798.105(c)",
}
"""Regime -> what has recipients told."""


def due(datamap: DataMap, rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Names of the recipients of the covered stores in which something was, or may have been, deleted or
    anonymised, in order. `rows`:
    store -> what the erasure came to there (`service.progress`)."""
    erased = (
        store
        for name, store in datamap.stores.items()
        if store.covered and any(rows.get(name, {}).get(done) for done in ("deleted", "anonymised", "partly"))
    )
    return sorted({name for store in erased for name in store.recipients if name in datamap.recipients})


def known(datamap: DataMap, name: str, identities: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Of the identity values found, those that the recipient knows the person by: in their normal form, each once.
    An identity without a value is left out."""
    values = {
        identity: list(dict.fromkeys(normalise(datamap.identities[identity], value) for value in identities[identity]))
        for identity in datamap.recipients[name].knows
        if identity in identities
    }
    return {identity: found for identity, found in values.items() if found}
