"""What somebody who opens a page finds in it."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser


class Seen(HTMLParser):
    """Words, tags, attributes and styles of a page, and its tables as lists of rows of cells' words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.styles: list[str] = []
        self.tables: list[list[list[str]]] = []
        self.ids: dict[str, int] = {}
        """id -> how many tables stand before it."""
        self._cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.ids |= {value or "": len(self.tables) for name, value in attrs if name == "id"}
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data: str) -> None:
        (self.styles if self.tags and self.tags[-1] == "style" and data.strip() else self.words).append(data)
        if self._cell:
            self.tables[-1][-1][-1] = " ".join(f"{self.tables[-1][-1][-1]} {data}".split())

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def table(self, section: str, number: int = 0) -> dict[str, list[str]]:
        """First cell -> the others, of the rows of a table of the section whose heading has that id."""
        rows = self.tables[self.ids[section] + number]
        return {first: others for first, *others in rows}


def assert_runs_nothing(whole: str) -> None:
    """Nothing is loaded, nothing runs, and the policy allows the page's one style sheet by its hash."""
    seen = Seen(whole)
    assert {"script", "img", "link", "iframe", "form", "object"}.isdisjoint(seen.tags)
    assert {name for name, _ in seen.attributes}.isdisjoint({"style", "src", "srcset"})
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    assert all(value.startswith("#") for name, value in seen.attributes if name == "href")
    (style,) = re.findall(r"<style>(.*?)</style>", whole, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'" in whole
    assert "url(" not in style
    assert "@import" not in style


def assert_can_be_read_aloud(whole: str) -> None:
    seen = Seen(whole)
    assert '<html lang="en">' in whole
    assert seen.tags.count("h1") == seen.tags.count("main") == 1
    assert all("scope=" in cell for cell in re.findall(r"<th[ >][^>]*", whole))
    ids = [value for name, value in seen.attributes if name == "id"]
    assert sorted(ids) == sorted(set(ids))
    named = {one for name, value in seen.attributes if name == "aria-labelledby" for one in value.split()}
    assert named | {value[1:] for name, value in seen.attributes if name == "href"} <= set(ids)
    assert all('role="img"' in svg or 'aria-hidden="true"' in svg for svg in re.findall(r"<svg[^>]*", whole))
