"""`make screenshots`: draws the main pages of the privacy centre, as the sample company's, into docs/screenshots/."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, NamedTuple

from playwright.sync_api import Browser

from tests.fakes.company import ADA
from tests.web import chromium
from tests.web.sample import sample_world
from tests.web.served import served
from tests.web.states import WAYS
from tests.web.visiting import Visitor

FOLDER: Final = Path(__file__).parents[2] / "docs" / "screenshots"
WIDE: Final = 1280
NARROW: Final = 390
SCALE: Final = 0.8
"""Pixels of the picture for one of the page: as large as a README shows it."""


class Shot(NamedTuple):
    way: str
    scheme: Literal["light", "dark"] = "light"
    width: int = WIDE
    lang: str = "en"


SHOTS: Final[dict[str, Shot]] = {
    "start": Shot("start"),
    "start-dark": Shot("start", "dark"),
    "delete": Shot("delete"),
    "code": Shot("code"),
    "request": Shot("erasure done"),
    "preferences": Shot("preferences"),
    "issue": Shot("issue"),
    "mobile": Shot("request at work", width=NARROW, lang="fr"),
}
"""File -> what it shows."""


def draw(browser: Browser, shot: Shot, file: Path) -> None:
    """The whole page. The time, the people and their data are the same each time."""
    with served(sample_world()) as centre:
        page = browser.new_page(
            viewport={"width": shot.width, "height": 800},
            device_scale_factor=SCALE if shot.width == WIDE else 1,
            color_scheme=shot.scheme,
            reduced_motion="reduce",
        )
        WAYS[shot.way](Visitor(page, centre.url, ADA, centre.world), shot.lang)
        page.evaluate("document.activeElement.blur()")
        page.screenshot(path=file, full_page=True)
        page.close()


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with chromium.running() as browser:
        for name, shot in SHOTS.items():
            file = FOLDER / f"{name}.png"
            draw(browser, shot, file)
            print(f"{file.relative_to(FOLDER.parents[1])}  {file.stat().st_size // 1024} kB", flush=True)


if __name__ == "__main__":
    main()
