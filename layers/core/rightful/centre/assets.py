"""What the pages load beside themselves: one script and one icon, under names that change with their content."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

KINDS: Final = {"centre.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"}


class Asset(NamedTuple):
    content_type: str
    content: str


@cache
def read(name: str) -> str:
    return files("rightful.centre").joinpath(name).read_text("utf-8")


@cache
def named(name: str) -> str:
    """The name under which it is served: `centre.0a1b2c3d4e5f.js`."""
    stem, _, ending = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(read(name).encode()).hexdigest()[:12]}.{ending}"


def find(served: str) -> Asset | None:
    for name, content_type in KINDS.items():
        if served == named(name):
            return Asset(content_type, read(name))
    return None


@cache
def style() -> str:
    """The style sheet, which stands in each page: a page is drawn after one round trip."""
    return read("centre.css")


@cache
def policy(*, runs: bool = True) -> str:
    """`Content-Security-Policy`: nothing but this style, forms to this origin and, on a page that `runs`, the script of
    this origin."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    scripts = "script-src 'self'; connect-src 'self'; " if runs else ""
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; {scripts}img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types centre"
    )
