"""Pieces of HTML: text is escaped here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Iterable, Sequence


LONG = 40  # characters of a cell, from which on its lines may break


@dataclass(frozen=True)
class Raw:
    """HTML that is ready."""

    html: str


Cell = str | Raw


def text(value: Cell) -> str:
    return value.html if isinstance(value, Raw) else escape(value)


def paragraph(value: Cell, kind: str = "") -> Raw:
    return Raw(f"<p{_class(kind)}>{text(value)}</p>")


def architecture(name: str) -> Raw:
    """In a fixed-width type, with a button that copies it."""
    said = escape(name)
    parted = said.replace("|", "|<wbr>")  # a line ends between two choices, if it can
    return Raw(
        f'<span class="arch"><code>{parted}</code><button type="button" class="copy" data-copy="{said}" '
        f'aria-label="copy the architecture {said}">copy</button></span>'
    )


def table(head: Sequence[Cell], rows: Iterable[Sequence[Cell]], caption: str = "", numeric: Iterable[int] = ()) -> Raw:
    """Columns of numbers stand right; a wide or long table scrolls on the screen and is whole in print."""
    right = set(numeric)

    def cells(tag: str, row: Sequence[Cell]) -> str:
        scope = ' scope="col"' if tag == "th" else ""
        return "".join(
            f"<{tag}{scope}{_class(_kind(cell, i in right))}>{text(cell)}</{tag}>" for i, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    top = f"<caption>{escape(caption)}</caption>" if caption else ""
    return Raw(
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption or "table")}"><table>{top}'
        f"<thead><tr>{cells('th', head)}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def pairs(items: Iterable[tuple[str, Cell]]) -> Raw:
    """Names and what they stand for."""
    return Raw("<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{text(value)}</dd>" for name, value in items) + "</dl>")


def listing(items: Iterable[Cell], kind: str = "", ordered: bool = True) -> Raw:
    tag = "ol" if ordered else "ul"
    return Raw(f"<{tag}{_class(kind)}>" + "".join(f"<li>{text(item)}</li>" for item in items) + f"</{tag}>")


def _kind(cell: Cell, number: bool) -> str:
    return "number" if number else "long" if isinstance(cell, str) and len(cell) > LONG else ""


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""
