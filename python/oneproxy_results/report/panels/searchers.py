"""Search methods with equal budgets: what they lose against the truth."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...result import Result
from .. import chart, html, words
from .panel import Panel

SYMBOLS = ("circle", "square", "triangle-up")


def applies(result: Result) -> bool:
    return result.has("searchers", "search_budgets", "regret/mean", "regret/q10", "regret/q90", "hypervolume/mean")


def panel(result: Result) -> Panel:
    names = [str(name) for name in result.arrays["searchers"]]
    budgets = np.asarray(result.arrays["search_budgets"])
    regret, low, high, volume = (
        np.asarray(result.arrays[key], dtype=float)
        for key in ("regret/mean", "regret/q10", "regret/q90", "hypervolume/mean")
    )
    return Panel(
        _sentences(result, names, budgets, regret),
        [_answer(names, budgets, regret, volume)],
        [_regret(names, budgets, regret, low, high), _volume(names, budgets, volume)],
    )


def _sentences(result: Result, names: list[str], budgets: np.ndarray, regret: np.ndarray) -> list[str]:
    said = []
    for at in sorted({int(np.argmin(budgets)), int(np.argmax(budgets))}, key=lambda i: -budgets[i]):
        column = regret[:, at]
        if not np.isfinite(column).any():
            continue
        order = [i for i in np.argsort(column) if np.isfinite(column[i])]
        best = order[0]
        next_best = f", ahead of {names[order[1]]} ({words.number(column[order[1]], 3)})" if len(order) > 1 else ""
        said.append(
            f"With {budgets[at]:,} evaluations for each limit {names[best]} loses least: {words.number(column[best], 3)} of "
            f"{result.summary.get('quality', 'quality')} on average{next_best}."
        )
        if "random" in names and names[best] != "random" and len(order) > 1:
            i = names.index("random")
            worse = [names[k] for k in order if column[k] > column[i]]
            if np.isfinite(column[i]) and worse:
                said.append(
                    f"With {budgets[at]:,} evaluations random search loses {words.number(column[i], 3)}, less than {words.listed(worse)}."
                )
    if not any(words.numbers_of(result.summary, "violations.")):
        said.append("No answer of any method broke its limit.")
    return said


def _answer(names: list[str], budgets: np.ndarray, regret: np.ndarray, volume: np.ndarray) -> html.Raw:
    last = int(np.argmax(budgets))
    order = np.argsort(np.nan_to_num(regret[:, last], nan=np.inf))
    rows = [[names[i], words.number(regret[i, last], 3), words.share(volume[i, last])] for i in order]
    return html.table(
        ["method", "mean regret (quality lost)", "hypervolume found"],
        rows,
        f"The methods with {budgets[last]:,} evaluations for each limit, the best first",
        numeric=(1, 2),
    )


def _look(i: int, name: str, budgets: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    colour = chart.CYCLE[i % len(chart.CYCLE)]
    return {
        "name": name,
        "x": budgets,
        "y": y,
        "mode": "lines+markers",
        "line": {"color": colour, "width": 1.6},
        "marker": {"size": 7, "symbol": SYMBOLS[i // len(chart.CYCLE) % len(SYMBOLS)]},
        "hovertemplate": "%{x} evaluations: %{y:.4g}<extra>%{fullData.name}</extra>",
    }


def _regret(
    names: list[str], budgets: np.ndarray, regret: np.ndarray, low: np.ndarray, high: np.ndarray
) -> chart.Chart:
    traces = []
    for i, name in enumerate(names):
        trace = _look(i, name, budgets, regret[i])
        trace["error_y"] = {
            "symmetric": False,
            "array": np.maximum(0, high[i] - regret[i]),
            "arrayminus": np.maximum(0, regret[i] - low[i]),
            "thickness": 0.8,
        }
        traces.append(trace)
    return chart.Chart(
        "Quality lost against the truth",
        "Mean regret over devices, limits and seeds; bars: 10 to 90 % of the searches. Lower is better.",
        traces,
        {
            "xaxis": chart.axis("distinct evaluations for each limit", type="log"),
            "yaxis": chart.axis("regret", rangemode="tozero"),
        },
        height=440,
    )


def _volume(names: list[str], budgets: np.ndarray, volume: np.ndarray) -> chart.Chart:
    return chart.Chart(
        "How much of the front is found",
        "Share of the best front's hypervolume in all that a search met. Higher is better.",
        [_look(i, name, budgets, volume[i]) for i, name in enumerate(names)],
        {
            "xaxis": chart.axis("distinct evaluations for each limit", type="log"),
            "yaxis": chart.axis("share of the hypervolume"),
        },
        height=400,
    )
