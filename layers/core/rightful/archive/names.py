"""Names inside the ZIP. They are made here; nothing a person or a store wrote becomes part of a path.

A file keeps its extension only if that is one of a known, passive kind. What a double click would run or render as an
active page (`.exe`, `.js`, `.html`, `.svg`, macros ...), and whatever is unknown, becomes `.bin`. The bytes stay as
they are, and the name the person knows stands in the data and in index.html.
"""

from __future__ import annotations

import re

INDEX = "index.html"
ARTICLE_15 = "article15.json"
MANIFEST = "manifest.json"

_PACKED = re.compile(
    "7z|aac|avif|bz2|docx|epub|flac|gif|gz|heic|heif|jpeg|jpg|m4a|m4v|mkv|mov|mp3|mp4|mpeg|mpg|odp|ods|odt|ogg|opus"
    "|parquet|png|pptx|rar|tgz|webm|webp|woff|woff2|xlsx|xz|zip|zst"
)
"""Kinds that are compressed already: stored as they are."""
_PLAIN = re.compile(
    "bmp|csv|dbf|doc|eml|geojson|gpx|ics|json|jsonl|key|kml|log|md|mid|midi|msg|ndjson|numbers|pages|pdf|ppt|ps|psd|rtf"
    "|shp|sqlite|srt|tif|tiff|tsv|txt|vcf|vtt|wav|xls|yaml|yml"
)
_EXTENSION = re.compile(r"\.([a-z0-9]{1,8})$", re.ASCII)
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.ASCII)
"""Windows cannot unpack files of these names, whatever their extension."""


def folder(store: str) -> str:
    """The store's name as part of a path. `store` is a name of the data map: small letters, digits, `_`."""
    return f"{store}_" if _DEVICES.fullmatch(store) else store


def json_name(store: str) -> str:
    return f"data/{folder(store)}.json"


def csv_name(store: str) -> str:
    return f"data/{folder(store)}.csv"


def file_name(store: str, number: int, original: str) -> str:
    """`files/<store>/000001.<ext>`. `number` counts from 1; `original` is the name that the person gave the file."""
    return f"files/{folder(store)}/{number:06}.{extension(original)}"


def extension(original: str) -> str:
    match = _EXTENSION.search(original.lower())
    known = match and (_PACKED.fullmatch(match[1]) or _PLAIN.fullmatch(match[1]))
    return known[0] if known else "bin"


def is_packed(original: str) -> bool:
    """Whether deflating it again would be work for nothing."""
    return bool(_PACKED.fullmatch(extension(original)))
