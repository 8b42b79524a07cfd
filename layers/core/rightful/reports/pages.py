"""How a page is made: one HTML file that runs no script and loads nothing.

Its Content-Security-Policy allows the hash of its one style sheet and no more, and all that operators and the data
protection officer wrote is escaped.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rightful.reports import words

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE: Final = Path(__file__).parent / "templates"


def render(name: str, controller: str, **facts: Any) -> str:
    """The page `templates/<name>.html`, which extends `page.html`, in `page.css` and its own `<name>.css`."""
    style = "".join(_HERE.joinpath(f"{sheet}.css").read_text("utf-8") for sheet in ("page", name))
    css_hash = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    template = _environment().get_template(f"{name}.html")
    return template.render(controller=controller, css=style, css_hash=css_hash, **facts)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "number": words.number,
        "count": words.count,
        "moment": words.instant,
        "date": words.date,
        "lasting": words.lasting,
        "period": words.period,
        "label": words.label,
    }
    return environment
