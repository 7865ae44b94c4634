"""The report.md of a result as HTML: headings, paragraphs, tables, `code`. Only what the program writes there."""

from __future__ import annotations

import re
from html import escape

from .html import Raw, architecture, table

CODE = re.compile(r"`([^`]*)`")


def to_html(markdown: str, level: int) -> Raw:
    """Headings of the text begin at this level; its first one, the name of the result, is left out."""
    lines = markdown.splitlines()
    if lines and lines[0].startswith("# "):
        lines = lines[1:]
    parts: list[str] = []
    block: list[str] = []

    def close() -> None:
        if block and block[0].startswith("|"):
            parts.append(_table(block).html)
        elif block:
            parts.append(f"<p>{_inline(' '.join(block))}</p>")
        block.clear()

    for line in lines:
        heading = re.match(r"(#+) (.*)", line)
        if heading:
            close()
            depth = min(6, level + max(0, len(heading[1]) - 2))
            parts.append(f"<h{depth}>{_inline(heading[2])}</h{depth}>")
        elif not line.strip():
            close()
        else:
            if block and line.startswith("|") != block[0].startswith("|"):
                close()
            block.append(line)
    close()
    return Raw("".join(parts))


def _table(lines: list[str]) -> Raw:
    head, rule, *rows = (_cells(line) for line in lines)
    numeric = [i for i, cell in enumerate(rule) if cell.endswith(":")]
    return table(
        [Raw(_inline(cell)) for cell in head], [[_cell(cell) for cell in row] for row in rows], numeric=numeric
    )


def _cells(line: str) -> list[str]:
    """A bar within `code` belongs to an architecture and parts no cells."""
    cells, inside = [""], False
    for sign in line.strip()[1:-1]:
        inside ^= sign == "`"
        if sign == "|" and not inside:
            cells.append("")
        else:
            cells[-1] += sign
    return [cell.strip() for cell in cells]


def _cell(cell: str) -> Raw:
    whole = CODE.fullmatch(cell)
    return architecture(whole[1]) if whole else Raw(_inline(cell))


def _inline(line: str) -> str:
    return CODE.sub(r"<code>\1</code>", escape(line, quote=False))
