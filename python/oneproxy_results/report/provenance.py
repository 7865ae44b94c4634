"""Where a result comes from: program, command, seed, data and their checksums."""

from __future__ import annotations

from html import escape

from ..result import Result
from .html import Cell, Raw, pairs

FIELDS = (
    ("command", "command"),
    ("config", "configuration"),
    ("seed", "seed"),
    ("version", "version of oneproxy"),
    ("commit", "commit"),
    ("date", "date"),
    ("backend", "run on"),
    ("device", "computer"),
    ("threads", "threads"),
)


def html_of(result: Result) -> Raw:
    told = result.provenance
    items: list[tuple[str, Cell]] = [
        (name, _code(told[key]) if key in ("command", "config", "commit") else str(told[key]))
        for key, name in FIELDS
        if told.get(key) not in (None, "")
    ]
    for what, value in dict(told.get("data") or {}).items():
        items.append(("store" if what == "store" else f"checksum (SHA-256) of {what}", _code(value)))
    seconds = dict(told.get("seconds") or {})
    if seconds:
        items.append(("seconds", ", ".join(f"{what} {value:.3g}" for what, value in seconds.items())))
    items.append(("folder of the result", _code(result.folder.resolve().name)))
    return pairs(items)


def _code(value: object) -> Raw:
    return Raw(f"<code>{escape(str(value))}</code>")
