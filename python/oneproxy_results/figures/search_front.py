"""What a search found: its front, the limits that were asked for, and the network chosen within each."""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import style, words
from .zoom import zoom_quality
from ..result import Result

LABEL_WIDTH = 34  # characters beside one panel
TITLE_WIDTH = 68
MANY_POINTS = 150  # of a front: their white edges would hide each other
FRONTS = (
    ("exhaustive_front", "true front", style.BLACK, "o"),
    ("front", "found by the search", style.VERMILION, "D"),
)


def applies(result: Result) -> bool:
    return result.has("front/choices", "objectives/name") and not result.names("fronts")


def draw(result: Result) -> dict[str, Figure]:
    """The goal against each other objective, in a panel each."""
    names = [str(name) for name in result.arrays["objectives/name"]]
    figure, body = style.sheet(7.2 if len(names) == 2 else 11.0, 5.0, result.footer())
    panels = body.subplots(1, len(names) - 1, squeeze=False, sharey=True)[0]
    goal, of_goal = _axis(result, names, 0)
    for objective, axes in enumerate(panels, start=1):
        cost, of_cost = _axis(result, names, objective)
        _panel(axes, result, (names[0], names[objective]), (of_goal, of_cost), objective)
        axes.set_xlabel(textwrap.fill(cost, 2 * LABEL_WIDTH))
    panels[0].set_ylabel(textwrap.fill(goal, LABEL_WIDTH))
    body.suptitle(_title(result), fontsize=11.5)
    entries: dict[str, object] = {}  # panels say the same, but for limits that only some have
    for axes in panels:
        entries |= dict(zip(*reversed(axes.get_legend_handles_labels())))
    body.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=2 if len(names) == 2 else 4)
    return {"search_front": figure}


def _title(result: Result) -> str:
    """The method, and what it looked at. Results from before that was written say nothing of it."""
    method = str(result.summary.get("method", "")).replace("_", " ")
    what = f"Pareto front by {method} search" if method else "Pareto front of a search"
    searched = result.attributes.get("searched") or result.attributes.get("space", "")
    shown = words.spaces(words.numbers(str(searched)))
    return f"{what}\n{textwrap.fill(shown, TITLE_WIDTH, break_long_words=False)}"


def _axis(result: Result, names: list[str], objective: int) -> tuple[str, float]:
    text, unit = (str(result.arrays[f"objectives/{part}"][objective]) for part in ("label", "unit"))
    drawn = [result.arrays[f"{front}/{names[objective]}"] for front, *_ in FRONTS if result.has(f"{front}/{names[objective]}")]
    return words.axis(words.label(result, text, unit), unit, np.concatenate(drawn))


def _maximised(result: Result, objective: int) -> bool:
    return str(result.arrays["objectives/direction"][objective]) == "maximise"


def _panel(
    axes: Axes, result: Result, names: tuple[str, str], factors: tuple[float, float], objective: int
) -> None:
    qualities = []
    flat = len(result.arrays["objectives/name"]) == 2  # of three objectives the front is a surface: points, no line
    for group, label, colour, marker in FRONTS:
        if not result.has(*(f"{group}/{name}" for name in names)):
            continue
        quality, values = (result.arrays[f"{group}/{name}"] * factor for name, factor in zip(names, factors))
        order = np.argsort(values, kind="stable")
        few = len(order) <= MANY_POINTS
        axes.plot(
            values[order],
            quality[order],
            drawstyle=("steps-pre" if _maximised(result, objective) else "steps-post") if flat else "default",
            linestyle="-" if flat else "none",
            color=colour,
            marker=marker if few else ".",
            markersize=5 if few else 2,
            markeredgecolor="white" if few else colour,
            markeredgewidth=0.5 if flat or few else 0,
            linewidth=1.4,
            rasterized=not flat,
            label=f"{label} ({len(order):,} networks)",
        )
        if result.has(f"{group}/{names[1]}_deviation"):
            spread = result.arrays[f"{group}/{names[1]}_deviation"][order] * factors[1]
            axes.fill_betweenx(quality[order], values[order] - spread, values[order] + spread, color=colour,
                               alpha=0.18, linewidth=0, label="± a standard deviation of one measurement")  # fmt: skip
        qualities.append(quality)
    chosen = _chosen(axes, result, names, factors)
    accuracy = _maximised(result, 0) and factors[0] == 1
    # accuracies of the worst networks flatten all else
    if any(map(len, qualities)) and accuracy:
        floor = min(chosen, default=np.inf)
        if below := zoom_quality(axes, np.concatenate(qualities), None, floor):
            axes.plot([], [], linestyle="none", label=f"{below:,} point{'s' * (below > 1)} further down")


def _chosen(axes: Axes, result: Result, names: tuple[str, str], factors: tuple[float, float]) -> np.ndarray:
    """Limits as dashed lines, the best network within each as a star. Returns the qualities of the stars."""
    best = [f"best/{name}" for name in names]
    if not result.has(*best, "best/place", f"{best[1]}_limit"):
        return np.empty(0)
    first = result.arrays["best/place"] == 1
    quality, values = (result.arrays[name][first] * factor for name, factor in zip(best, factors))
    limits = np.unique(result.arrays[f"{best[1]}_limit"][first]) * factors[1]
    for place, limit in enumerate(limits[np.isfinite(limits)]):
        axes.axvline(limit, color=style.GREY, linestyle="--", linewidth=1, zorder=1, label="" if place else "limits")
    error = result.arrays[f"{best[1]}_deviation"][first] * factors[1] if result.has(f"{best[1]}_deviation") else None
    axes.errorbar(values, quality, xerr=error, linestyle="none", marker="*", markersize=13, capsize=3, zorder=4,
                  color=style.BLUE, markeredgecolor="white", markeredgewidth=0.6, label="best within a limit")  # fmt: skip
    return quality
