"""One proxy adapted to many targets: rank correlation before and after, and against the number of measurements."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...result import Result
from .. import chart, html, words
from ..devices import label
from .panel import Panel

STRONG = 0.9


def applies(result: Result) -> bool:
    return result.has("devices", "srcc_before", "srcc_after") and len(result.arrays["devices"]) > 0


def panel(result: Result) -> Panel:
    names = [label(result, name) for name in result.arrays["devices"]]
    before = np.asarray(result.arrays["srcc_before"], dtype=float)
    after = np.asarray(result.arrays["srcc_after"], dtype=float).reshape(len(names), -1)  # [targets, trials]
    if len(before) != len(names):
        raise ValueError(f"{len(before)} values of srcc_before for {len(names)} devices")
    found = Panel(charts=[_dumbbells(result, names, before, after)])
    if result.has("curve_samples", "curve_srcc"):
        found.charts.append(_curve(result, names))
    found.sentences = _sentences(result, names, before, after.mean(axis=1))
    if not result.has("published_before"):
        found.answer = [_answer(result, names, before, after)]
    return found


def _sentences(result: Result, names: list[str], before: np.ndarray, after: np.ndarray) -> list[str]:
    said = []
    if result.has("published_before", "published_after"):
        said.append(_published(result, before, after))
    samples = words.numbers_of(result.summary, "samples.")
    k = f"{round(float(np.median(samples)))} measurements" if samples else "few measurements"
    strong = int((after >= STRONG).sum())
    proxy = label(result, result.attributes.get("proxy", "the proxy"))
    said.append(
        f"With {k} on each target, the predictor of {proxy} adapted by AdaProxy ranks the networks of {strong} of {len(names)} "
        f"targets well (SRCC of at least {STRONG}); the bare proxy does so on {int((before >= STRONG).sum())}. The mean SRCC goes "
        f"from {words.srcc(float(np.nanmean(before)))} to {words.srcc(float(np.nanmean(after)))}."
    )
    gain = after - before
    most = int(np.nanargmax(gain))
    if gain[most] > 0:
        said.append(
            f"It helps most where the proxy is worst: {names[most]} goes from {words.srcc(before[most])} to "
            f"{words.srcc(after[most])}."
            if most == int(np.nanargmin(before))
            else f"It helps {names[most]} most: from {words.srcc(before[most])} to {words.srcc(after[most])}."
        )
    worse = [i for i in range(len(names)) if gain[i] < 0 and names[i] != proxy]
    if worse:
        said.append(_worse(result, names, before, after, worse))
    weak = [i for i in np.argsort(after) if after[i] < STRONG]
    if weak:
        said.append(_weak(result, names, after, weak))
    return said


def _ceiling(result: Result, i: int) -> float:
    """The most that an additive predictor reaches there, whatever the number of measurements."""
    value = result.summary.get(f"additive_ceiling.{result.arrays['devices'][i]}")
    return float("nan") if value is None else float(value)


def _worse(result: Result, names: list[str], before: np.ndarray, after: np.ndarray, worse: list[int]) -> str:
    who = words.listed(f"{names[i]} ({words.srcc(before[i])} to {words.srcc(after[i])})" for i in worse)
    bound = [i for i in worse if _ceiling(result, i) <= before[i]]
    start = f"AdaProxy is worse than the bare proxy on {who}"
    if len(bound) == len(worse):
        return (
            f"{start}, because its predictor is additive: even fitted to all measurements it would reach only "
            f"{words.listed(words.srcc(_ceiling(result, i)) for i in bound)} there."
        )
    reach = [_ceiling(result, i) for i in worse if _ceiling(result, i) > before[i]]
    if not reach:
        return f"{start}."
    return (
        f"{start}, because it has too few measurements there: fitted to all of them its predictor would reach "
        f"{words.srcc(min(reach))}{' or more' if len(reach) > 1 else ''}."
    )


def _weak(result: Result, names: list[str], after: np.ndarray, weak: list[int]) -> str:
    who = words.listed(f"{names[i]} ({words.srcc(after[i])})" for i in weak)
    below = [i for i in weak if _ceiling(result, i) < STRONG]
    if len(below) == len(weak):
        return f"Below {STRONG} stays {who}: no additive predictor reaches {STRONG} there, however many measurements it gets."
    reach = [i for i in weak if _ceiling(result, i) >= STRONG]
    if reach:
        return (
            f"Below {STRONG} stays {who}; more measurements can help: an additive predictor fitted to all of them reaches up to "
            f"{words.srcc(max(_ceiling(result, i) for i in reach))}."
        )
    return f"Below {STRONG} stays {who}."


def _published(result: Result, before: np.ndarray, after: np.ndarray) -> str:
    paper_before, paper_after = (np.asarray(result.arrays[f"published_{k}"], dtype=float) for k in ("before", "after"))
    known, known_after = np.isfinite(paper_before), np.isfinite(paper_after)
    near = np.abs(before - paper_before)[known] <= 0.02
    reached = (after >= paper_after - 0.02)[known_after]
    return (
        f"Before adaptation {int(near.sum())} of {near.size} numbers of the paper are reproduced within 0.02; after it "
        f"{int(reached.sum())} of {reached.size} reach the paper's number, or miss it by at most 0.02."
    )


def _answer(result: Result, names: list[str], before: np.ndarray, after: np.ndarray) -> html.Raw:
    rows = []
    for i in np.argsort(after.mean(axis=1)):
        low, high = np.quantile(after[i], (0.1, 0.9))
        spread = f"{words.srcc(low)} to {words.srcc(high)}" if after.shape[1] > 1 else "-"
        rows.append(
            [names[i], words.srcc(before[i]), words.srcc(after[i].mean()), spread, words.srcc(_ceiling(result, i))]
        )
    head = [
        "target",
        "SRCC, bare proxy",
        "SRCC, AdaProxy",
        "10 to 90 % of the trials",
        "most an additive predictor reaches",
    ]
    return html.table(head, rows, "Each target device, the weakest first", numeric=(1, 2, 3, 4))


def _dumbbells(result: Result, names: list[str], before: np.ndarray, after: np.ndarray) -> chart.Chart:
    mean = after.mean(axis=1)
    order = np.argsort(mean)[::-1]
    low, high = np.quantile(after, (0.1, 0.9), axis=1)
    y = [names[i] for i in order]
    line_x: list[Any] = []
    line_y: list[Any] = []
    for i in order:
        line_x += [before[i], mean[i], None]
        line_y += [names[i], names[i], None]
    traces: list[dict[str, Any]] = [
        {
            "x": line_x,
            "y": line_y,
            "mode": "lines",
            "line": {"color": "#c4c9cf", "width": 1.5},
            "hoverinfo": "skip",
            "showlegend": False,
        },
        _dots("bare proxy", before[order], y, chart.VERMILION, "circle"),
        _dots("after AdaProxy", mean[order], y, chart.BLUE, "circle"),
    ]
    if after.shape[1] > 1:
        traces[2]["error_x"] = {
            "symmetric": False,
            "array": np.maximum(0, high - mean)[order],
            "arrayminus": np.maximum(0, mean - low)[order],
            "color": chart.BLUE,
        }
    for key, colour in (("before", chart.VERMILION), ("after", chart.BLUE)):
        if result.has(f"published_{key}"):
            paper = np.asarray(result.arrays[f"published_{key}"], dtype=float)
            traces.append(
                _dots(
                    f"{'bare proxy' if key == 'before' else 'after AdaProxy'}, the paper's",
                    paper[order],
                    y,
                    colour,
                    "diamond-open",
                )
            )
    bars = " Bars: 10 to 90 % of the trials." if after.shape[1] > 1 else ""
    return chart.Chart(
        "Before and after adaptation",
        f"How well the networks of each target are ranked (SRCC; 1 is perfect, dotted: {STRONG}).{bars}",
        traces,
        {
            "xaxis": chart.axis("SRCC with the target's measurements"),
            "yaxis": {"type": "category", "dtick": 1, "automargin": True},
            "shapes": [chart.upright(STRONG)],
        },
        height=int(130 + 22 * len(names)),
    )


def _dots(name: str, x: np.ndarray, y: list[str], colour: str, symbol: str) -> dict[str, Any]:
    return {
        "name": name,
        "x": x,
        "y": y,
        "mode": "markers",
        "marker": {"size": 9, "color": colour, "symbol": symbol},
        "hovertemplate": f"%{{y}}<br>SRCC %{{x:.3f}}<extra>{name}</extra>",
    }


def _curve(result: Result, names: list[str]) -> chart.Chart:
    samples = np.asarray(result.arrays["curve_samples"])
    srcc = np.asarray(result.arrays["curve_srcc"], dtype=float)  # [targets, samples, trials]
    mean = srcc.mean(axis=2)
    every = np.nanmean(mean, axis=0)
    traces: list[dict[str, Any]] = [
        {
            "name": name,
            "x": samples,
            "y": row,
            "mode": "lines",
            "line": {"color": "#b9c2cb", "width": 1},
            "hovertemplate": f"{name}<br>%{{x}} measurements: SRCC %{{y:.3f}}<extra></extra>",
            "showlegend": False,
        }
        for name, row in zip(names, mean)
    ]
    traces.append(
        {
            "name": "mean of the targets",
            "x": samples,
            "y": every,
            "mode": "lines+markers",
            "line": {"color": chart.BLUE, "width": 3},
            "hovertemplate": "mean<br>%{x} measurements: SRCC %{y:.3f}<extra></extra>",
        }
    )
    return chart.Chart(
        "How many measurements it takes",
        "Mean SRCC over the trials against the number of measurements on the target; grey: each target.",
        traces,
        {"xaxis": chart.axis("measurements on the target"), "yaxis": chart.axis("SRCC")},
        height=400,
    )
