"""Anytime curves: what the measured front is worth, and what its answers lose, against the number of measurements."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from . import style, words
from ..result import Result

COLOURS = {"loop": style.VERMILION, "adaproxy": style.GREEN, "random": style.GREY}
PLANS = (style.SKY, style.BLUE, style.PURPLE, style.ORANGE, style.BLACK)  # by number of samples
LEAST_GAP = 1e-4  # of the hypervolume: what is nearer to the whole is drawn there


def applies(result: Result) -> bool:
    return result.has("front_loop_tasks")


def draw(result: Result) -> dict[str, Figure]:
    return {f"front_loop_{task}": _task(result, str(task)) for task in result.arrays["front_loop_tasks"]}


def _task(result: Result, task: str) -> Figure:
    figure, body = style.sheet(13.2, 5.2, result.footer())
    typical, worst, lost = body.subplots(1, 3)
    group = f"front_loop/{task}/"
    methods = [str(name) for name in result.arrays[group + "methods"]]
    colours = _colours(methods)
    longest = int(result.arrays[group + "measured"].max())
    for method in methods:
        # [targets, trials, qualities, measured]
        hypervolume, regret = (
            np.asarray(result.arrays[f"{group}{method}/{what}"], dtype=float)[..., :longest]
            for what in ("hypervolume", "regret")
        )
        measured = np.arange(1, hypervolume.shape[-1] + 1)
        look = {"color": colours[method], "linewidth": 2.2 if method == "loop" else 1.4}
        typical.plot(measured, _gap(np.median(hypervolume, axis=(0, 1, 2))), **look)
        worst.plot(measured, _gap(hypervolume.mean(axis=(1, 2)).min(axis=0)), **look)
        lost.plot(measured, regret.mean(axis=(0, 1, 2)), **look)
    _hypervolume_axis(typical, "median run")
    _hypervolume_axis(worst, "worst device (its mean)")
    lost.set_yscale("log")
    lost.set_title("mean over all runs")
    lost.set_ylabel(f"regret: {_quality(result, group)} lost at the limits")
    for axes in (typical, worst, lost):
        axes.set_xlabel("measurements on the target, samples included")
        axes.set_xlim(0, longest)
    body.suptitle(f"What is known of the true front after so many measurements: {words.task(task)}")
    entries = [Line2D([], [], color=colours[method], linewidth=2, label=_label(method)) for method in methods]
    body.legend(handles=entries, loc="outside lower center", ncols=len(entries))
    return figure


def _quality(result: Result, group: str) -> str:
    """What is lost; "quality" where there are several, each in its own unit."""
    qualities = [str(name) for name in result.arrays.get(group + "qualities", ())]
    return words.device(result, qualities[0]) if len(qualities) == 1 else "quality"


def _colours(methods: list[str]) -> dict[str, str]:
    plans = [method for method in methods if method.startswith("plan_")]
    found = {method: PLANS[i % len(PLANS)] for i, method in enumerate(plans)}
    return {method: found.get(method) or COLOURS[method.split("_")[0]] for method in methods}


def _label(method: str) -> str:
    kind, _, samples = method.partition("_")
    said = {"plan": f"{samples} of a plan, then its front", "adaproxy": f"AdaProxy with {samples}, then its front"}
    return said.get(kind, kind)


def _gap(hypervolume: np.ndarray) -> np.ndarray:
    return np.maximum(1 - hypervolume, LEAST_GAP)


def _hypervolume_axis(axes: Axes, title: str) -> None:
    """Of the gap to the whole, on a logarithmic scale, labelled by the hypervolume."""
    axes.set_yscale("log")
    axes.invert_yaxis()
    low = axes.get_ylim()[1]
    ticks = [gap for gap in (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 1e-3 / 2, LEAST_GAP) if gap >= low * 0.99]
    axes.set_yticks(ticks, [("≥ " if gap == LEAST_GAP else "") + f"{1 - gap:.4f}".rstrip("0") for gap in ticks])
    axes.minorticks_off()
    axes.set_title(title)
    axes.set_ylabel("share of the true front's hypervolume")
