"""The page: what was asked, the answer, the take-away, figures, all numbers, where they come from."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Iterator

from plotly.offline import get_plotlyjs

from ..errors import ResultError
from ..figures import words as picture_words
from ..result import Result
from . import asked, chart, html, markdown, panels, provenance, words
from .devices import label

HERE = Path(__file__).parent
MARK = "oneproxy-results"  # the name of the <meta> that says whose page a file is
LONG = 60  # rows of a summary from which on paper leaves it out


def take_away(results: list[Result]) -> list[str]:
    """What to remember, in plain sentences: of one result all that there are, of several the first of each."""
    if len(results) == 1:
        return panels.read(results[0]).sentences
    return [sentences[0] for result in results if (sentences := panels.read(result).sentences)]


def write(results: list[Result], path: Path | None, force: bool) -> Path:
    """Into `path`, of one result by default into its own folder; what is there is replaced only where it is a page of the
    same results, or by force."""
    if path is None:
        if len(results) > 1:
            raise ResultError(f"a page of {len(results)} results has no folder of its own: name its file by --html")
        path = results[0].folder / "report.html"
    if path.is_dir():
        raise ResultError(f"{path}: is a folder; give --html a file, for example {path / 'report.html'}")
    if path.exists() and not force and _mark_of(path) != _mark(results):
        raise ResultError(
            f"{path}: is there already and is no page of the same result; give another --html, or --force"
        )
    text = page(results)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".tmp")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def page(results: list[Result]) -> str:
    """A whole HTML document that needs nothing but itself."""
    names = chart.names()
    articles = "".join(_article(result, names, alone=len(results) == 1) for result in results)
    whole = asked.title(results[0]) if len(results) == 1 else f"{len(results)} results"
    top = "" if len(results) == 1 else _overview(results)
    return (
        "<!DOCTYPE html>\n"
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(whole)} - oneproxy</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="{MARK}" content="{escape(_mark(results))}">\n'
        '<link rel="icon" href="data:,">\n'
        f"<style>{_file('style.css')}</style></head>\n"
        f"<body>{top}<main>{articles}</main>"
        '<p id="said" role="status" aria-live="polite"></p>\n'
        f"<script>{get_plotlyjs()}</script>\n<script>{_file('page.js')}</script></body></html>\n"
    )


def _overview(results: list[Result]) -> str:
    links = [
        html.Raw(f'<a href="#{escape(_anchor(result))}">{escape(asked.title(result))}</a> {escape(_place(result))}')
        for result in results
    ]
    return (
        "<header><h1>Results</h1><h2>In short</h2>"
        + html.listing(take_away(results), "short").html
        + "<nav><h2>On this page</h2>"
        + html.listing(links, ordered=False).html
        + "</nav></header>"
    )


def _article(result: Result, names: Iterator[str], alone: bool) -> str:
    panel = panels.read(result)
    parts = [
        f"<h1>{escape(asked.title(result))}</h1>",
        html.paragraph(_place(result), "place").html,
        f'<section class="asked"><h2>What was asked</h2>{html.paragraph(asked.question(result)).html}'
        f"{asked.settings(result).html}</section>",
    ]
    if panel.answer or panel.sentences:
        answer = "".join(html.text(piece) for piece in panel.answer)
        short = html.listing(panel.sentences, "short").html if panel.sentences else ""
        parts.append(f'<section class="answer"><h2>The answer</h2>{short}{answer}</section>')
    if panel.charts:
        drawn = "".join(
            (piece.html(next(names)) if isinstance(piece, chart.Chart) else piece).html for piece in panel.charts
        )
        parts.append(f'<section class="charts"><h2>Figures</h2>{drawn}</section>')
    report = _report(result)
    if report:
        parts.append(f'<section class="tables"><h2>Tables</h2>{report}</section>')
    parts.append(_summary(result))
    parts.append(f'<section class="origin"><h2>Where this comes from</h2>{provenance.html_of(result).html}</section>')
    kind = "" if alone else ' class="one-of-many"'
    return f'<article id="{escape(_anchor(result))}"{kind}>' + "".join(parts) + "</article>"


def _report(result: Result) -> str:
    path = result.folder / "report.md"
    return markdown.to_html(path.read_text(encoding="utf-8"), level=3).html if path.exists() else ""


def _summary(result: Result) -> str:
    reasons = {key.removesuffix(".reason"): value for key, value in result.summary.items() if key.endswith(".reason")}
    of_limits = result.attributes.get("kind") == "search"
    rows = []
    for key, value in result.summary.items():
        if key.endswith(".reason"):
            continue
        said = words.plain_value(value) + (f": {reasons[key]}" if value is None and key in reasons else "")
        rows.append([words.plain_key(key, of_limits), said, html.Raw(f"<code>{escape(key)}</code>")])
    if not rows:
        return ""
    hidden = ' class="screen-only"' if len(rows) > LONG else ""
    table = html.table(["what", "value", "its key in summary.json"], rows, "All numbers of summary.json")
    return f"<section{hidden}><h2>All numbers</h2>{table.html}</section>"


def _place(result: Result) -> str:
    """Space, set and proxy, each only where the folder knows it, and the folder's name."""
    told = result.attributes
    parts = [
        picture_words.place(result),
        f"proxy {label(result, told['proxy'])}" if told.get("proxy") else "",
        result.folder.resolve().name,
    ]
    return ", ".join(part for part in parts if part)


def _anchor(result: Result) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "-", result.folder.resolve().name)


def _mark(results: list[Result]) -> str:
    return " ".join(f"{result.attributes.get('kind')}/{_anchor(result)}" for result in results)


def _mark_of(path: Path) -> str:
    """Of a page that this program wrote; "" of another file."""
    with path.open("rb") as file:
        start = file.read(4096).decode("utf-8", "replace")
    found = re.search(rf'<meta name="{MARK}" content="([^"]*)">', start)
    return found[1] if found else ""


def _file(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")
