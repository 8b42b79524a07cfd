"""The page about one run of the retention sweep."""

from __future__ import annotations

from html import escape
from typing import Any


def retention_page(summary: dict[str, Any], controller: str) -> str:
    """HTML of a run's `summary` (see `rightful.service.sweep.reporting`)."""
    return f"<!doctype html><title>{escape(controller)}: retention</title><p>{escape(summary['run_id'])}</p>"
