"""The tables of a result as pandas.DataFrame: those of report.md, under the heading that they stand below, and the summary."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from .needs import need

HEADING = re.compile(r"#+ +(.*)")
CELL = re.compile(r"(?<!\\)\|")  # a bar with a backslash before it belongs to the cell


def read(report: Path, summary: dict[str, Any]) -> dict[str, Any]:
    """{"summary": [key, value], heading: table, ...}; a second table below one heading is called "heading (2)"."""
    pandas = need("pandas")
    found = {"summary": pandas.DataFrame({"key": list(summary), "value": list(summary.values())})}
    text = report.read_text(encoding="utf-8") if report.is_file() else ""
    for heading, rows in _tables(text.splitlines()):
        name, again = heading, 1
        while name in found:
            again += 1
            name = f"{heading} ({again})"
        found[name] = _frame(pandas, rows)
    return found


def _tables(lines: list[str]) -> list[tuple[str, list[list[str]]]]:
    """(heading, [header, row, ...]) of each table, in order."""
    found: list[tuple[str, list[list[str]]]] = []
    heading, inside = "report", False
    for line in lines:
        if match := HEADING.match(line):
            heading = match[1].strip()
        if not line.startswith("|"):
            inside = False
            continue
        cells = [cell.strip().replace(r"\|", "|") for cell in CELL.split(line.strip())[1:-1]]
        if not inside:
            found.append((heading, []))
        inside = True
        if not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            found[-1][1].append(cells)
    return found


def _frame(pandas: Any, rows: list[list[str]]) -> Any:
    frame = pandas.DataFrame(rows[1:], columns=rows[0])
    for place, column in enumerate(rows[0]):
        numbers = pandas.to_numeric([row[place] for row in rows[1:]], errors="coerce")
        if len(numbers) and not any(numbers != numbers):  # NaN: not a number, so the column stays text
            frame.isetitem(place, numbers)
    return frame
