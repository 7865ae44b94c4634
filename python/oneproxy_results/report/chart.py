"""A Plotly figure on the page: its data as JSON, drawn by page.js when the page opens."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import dataclass, field
from html import escape
from typing import Any, Iterable, Iterator

import numpy as np

from .html import Raw

# Okabe and Ito's colours, which colour-blind readers can tell apart; as in figures/style.py.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#8C8C8C"
CYCLE = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, BLACK, GREY)
DIGITS = 7  # significant ones of what is drawn
WRAP = 56  # signs of an architecture in one line of a box
HIDDEN = " Some dots lie far below: double-click to see all."
MOST = 3000  # points of one curve; a browser draws no more with ease


@dataclass
class Chart:
    title: str
    caption: str  # what one sees, in words; for those too who can not see it
    traces: list[dict[str, Any]]
    layout: dict[str, Any] = field(default_factory=dict)
    height: int = 460  # pixels
    # Several pictures in one, chosen from a list: name -> indices of the traces that it shows.
    views: dict[str, list[int]] = field(default_factory=dict)
    view_name: str = ""

    def html(self, name: str) -> Raw:
        traces = [dict(trace) for trace in self.traces]
        if self.views:
            first = set(next(iter(self.views.values())))
            for i, trace in enumerate(traces):
                trace["visible"] = i in first
        data = {"traces": traces, "layout": {**self.layout, "height": self.height}, "views": list(self.views.values())}
        choose = ""
        if len(self.views) > 1:
            options = "".join(f'<option value="{i}">{escape(view)}</option>' for i, view in enumerate(self.views))
            choose = (
                f'<label class="choose">{escape(self.view_name)} <select data-chart="{name}">{options}</select></label>'
            )
        return Raw(
            f'<figure class="chart"><h3>{escape(self.title)}</h3>{choose}'
            f'<div id="{name}" class="plot" role="img" aria-label="{escape(self.title)}. {escape(self.caption)}" '
            f'style="min-height:{self.height}px"></div><figcaption>{escape(self.caption)}</figcaption>'
            f'<script type="application/json" data-for="{name}">{_json(data)}</script></figure>'
        )


def names() -> Iterator[str]:
    """Of the charts of one page: chart-1, chart-2, ..."""
    return (f"chart-{i}" for i in itertools.count(1))


def axis(title: str, **more: Any) -> dict[str, Any]:
    return {"title": {"text": escape(title, quote=False)}, **more}


def diagonal(low: float, high: float) -> dict[str, Any]:
    """Where both axes say the same."""
    return {"type": "line", "x0": low, "x1": high, "y0": low, "y1": high, "line": {"color": GREY, "dash": "dot"}}


def level(y: float) -> dict[str, Any]:
    """A dotted line across."""
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": {"color": GREY, "dash": "dot"}}


def upright(x: float) -> dict[str, Any]:
    """A dotted line up."""
    return {"type": "line", "yref": "paper", "y0": 0, "y1": 1, "x0": x, "x1": x, "line": {"color": GREY, "dash": "dot"}}


def box(architecture: str, *lines: str) -> str:
    """What a point says under the mouse: the architecture, in lines that fit, and its values."""
    pieces = [architecture[i : i + WRAP] for i in range(0, len(architecture), WRAP)]
    return "<br>".join(escape(line, quote=False) for line in (*pieces, *lines))


def without_outliers(values: Iterable[float]) -> dict[str, Any]:
    """The range of an axis on which a few values far below all others do not press these together; {} where there are
    none such."""
    known = np.array([value for value in values if np.isfinite(value)])
    if known.size < 8:
        return {}
    tenth, high = np.quantile(known, 0.1), known.max()
    low = tenth - 0.5 * (high - tenth)
    if known.min() >= low or high == tenth:
        return {}
    return {"range": [low, high + 0.05 * (high - low)]}


def thinned(length: int) -> np.ndarray:
    """Indices of at most MOST points, evenly, with both ends."""
    return np.unique(np.linspace(0, length - 1, min(length, MOST)).round().astype(int))


def _json(value: Any) -> str:
    return json.dumps(_plain(value), separators=(",", ":"), allow_nan=False).replace("</", "<\\/")


def _plain(value: Any) -> Any:
    """NumPy to lists, numbers to DIGITS digits, what is no number to null."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(inner) for inner in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{float(value):.{DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, np.integer):
        return int(value)
    return value
