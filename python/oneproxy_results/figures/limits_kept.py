"""Whether limits hold: kept limits against the confidence asked for and against what was said, and what they cost."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from . import style, words
from ..result import Result

COLOURS = (style.BLUE, style.VERMILION, style.GREEN, style.ORANGE, style.PURPLE, style.SKY, style.BLACK, style.GREY)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "h")  # tasks are told apart without their colours
BINS = np.array([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])  # of probabilities
LEAST_ANSWERS = 10  # of a bin, or it is not drawn


def applies(result: Result) -> bool:
    return result.has("limits_kept_tasks")


def draw(result: Result) -> dict[str, Figure]:
    tasks = [str(name) for name in result.arrays["limits_kept_tasks"]]
    curves = _said(result, tasks)
    panels = 3 if curves else 2
    figure, body = style.sheet(4.4 * panels, 5.6, result.footer())
    asked, *middle, cost = body.subplots(1, panels)
    for i, task in enumerate(tasks):
        look = {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)], "markersize": 5}
        confidences = np.r_[0.0, _of(result, task, "confidences")]
        kept = _kept_shares(result, task, "calibrated")
        asked.plot(confidences[1:], kept[1:], linewidth=1.4, **look)
        cost.plot(100 * _lost(result, task), kept, linewidth=1.2, **look)
        if result.has(f"limits_kept/{task}/uncalibrated/latency_ms"):
            bare = _kept_shares(result, task, "uncalibrated")
            asked.plot(confidences[1:], bare[1:], linewidth=1, linestyle=":", fillstyle="none", **look)
    _diagonal(asked)
    asked.set_xlabel("confidence that was asked for")
    asked.set_ylabel("share of answers that keep their limit")
    for axes in middle:
        _draw_said(axes, curves)
    cost.set_xlabel("quality lost, % of the true optimum")
    cost.set_ylabel("share of answers that keep their limit")
    for axes in (asked, *middle, cost):
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    for axes in (asked, *middle):
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    body.suptitle("Do limits hold on the device?")
    entries = [
        Line2D([], [], color=COLOURS[i % len(COLOURS)], marker=MARKERS[i % len(MARKERS)], markersize=5,
               label=words.task(task))  # fmt: skip
        for i, task in enumerate(tasks)
    ]
    if any(result.has(f"limits_kept/{task}/uncalibrated/latency_ms") for task in tasks):
        entries.append(Line2D([], [], color=style.BLACK, linestyle=":", marker="o", fillstyle="none",
                              label="the posterior as it is"))  # fmt: skip
    body.legend(handles=entries, loc="outside lower center", ncols=5)
    return {"limits_kept": figure}


def _of(result: Result, task: str, what: str) -> np.ndarray:
    return np.asarray(result.arrays[f"limits_kept/{task}/{what}"], dtype=float)


def _kept_shares(result: Result, task: str, which: str) -> np.ndarray:
    """[1 + confidences], of the answers that were found."""
    latency, limit = (_of(result, task, f"{which}/{name}") for name in ("latency_ms", "limit_ms"))
    kept = np.where(np.isnan(latency), np.nan, latency <= limit)
    return np.nanmean(kept, axis=(0, 1, 3))


def _lost(result: Result, task: str) -> np.ndarray:
    quality, best = (_of(result, task, f"calibrated/{name}") for name in ("quality", "best_quality"))
    return np.nanmean((best - quality) / np.abs(best), axis=(0, 1, 3))


def _said(result: Result, tasks: list[str]) -> list[tuple[dict[str, Any], list[float], np.ndarray, np.ndarray]]:
    """(look, probability that was said, share kept, standard error) of the answers of all tasks and confidences, where
    there are answers enough."""
    curves = []
    for which, colour, marker, label in (
        ("calibrated", style.BLUE, "o", "calibrated at answers"),
        ("uncalibrated", style.VERMILION, "s", "the posterior as it is"),
    ):
        with_it = [task for task in tasks if result.has(f"limits_kept/{task}/{which}/latency_ms")]
        if not with_it:
            continue
        column = {
            name: np.concatenate([_of(result, task, f"{which}/{name}").ravel() for task in with_it])
            for name in ("latency_ms", "limit_ms", "probability")
        }
        known = np.isfinite(column["latency_ms"])
        said, kept = column["probability"][known], (column["latency_ms"] <= column["limit_ms"])[known]
        at = np.clip(np.digitize(said, BINS) - 1, 0, len(BINS) - 2)
        bins = [b for b in range(len(BINS) - 1) if (at == b).sum() >= LEAST_ANSWERS]
        share = np.array([kept[at == b].mean() for b in bins])
        error = np.sqrt(share * (1 - share) / [(at == b).sum() for b in bins])
        middle = [said[at == b].mean() for b in bins]
        if bins:
            curves.append(({"color": colour, "marker": marker, "label": label}, middle, share, error))
    return curves


def _draw_said(axes: Axes, curves: list[tuple[dict[str, Any], list[float], np.ndarray, np.ndarray]]) -> None:
    for look, middle, share, error in curves:
        axes.errorbar(middle, share, yerr=error, capsize=2, linewidth=1.2, **look)
    _diagonal(axes)
    axes.set_xlabel("probability that was said of an answer")
    axes.set_ylabel("share of these that keep their limit")
    axes.legend(loc="lower right", fontsize=9)


def _diagonal(axes: Axes) -> None:
    low = min(axes.get_xlim()[0], axes.get_ylim()[0])
    axes.plot([max(low, 0), 1], [max(low, 0), 1], color=style.GREY, linewidth=1, zorder=0)
