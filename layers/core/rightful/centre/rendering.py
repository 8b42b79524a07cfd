"""Writes one page in one language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from rightful.centre import assets
from rightful.centre.voices import LANGUAGES, Voice

if TYPE_CHECKING:
    from jinja2 import Environment

STATES: Final = (
    "start",
    "download",
    "delete",
    "sign_in",
    "code",
    "requests",
    "request",
    "ready",
    "preferences",
    "issue",
    "thanks",
    "trouble",
    "unsubscribe",
)
"""One template each; `data-state` of <main> says which one is shown."""


def render(state: str, voice: Voice, said: Callable[[str], str], **facts: Any) -> str:
    """The page. `said` translates texts of the data map; `facts` are what rightful.service.visiting says of the state.
    Raises jinja2.UndefinedError when one is missing."""
    if state not in STATES:
        raise ValueError(f"there is no page {state}")
    environment = _environment(voice.language)
    known: Mapping[str, Any] = {
        "state": state,
        "voice": voice,
        "said": said,
        "languages": LANGUAGES,
        "style": _style(),
        "script": assets.named("centre.js"),
        "icon_file": assets.named("icon.svg"),
    }
    return environment.get_template(f"{state}.html").render(known, **facts)


@cache
def _style() -> Any:
    from markupsafe import Markup

    return Markup(assets.style())  # noqa: S704 - our own file; a test holds it free of what could end the element


@cache
def _environment(language: str) -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("rightful.centre"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    translations = Voice(language, language).translations
    environment.install_gettext_callables(  # type: ignore[attr-defined] # added by the extension
        translations.gettext, translations.ngettext, newstyle=True
    )
    return environment
