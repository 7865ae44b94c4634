"""What n devices cost, by the ways there are: measurements and seconds against n, and what they buy."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, PercentFormatter

from . import style
from ..result import Result

# Colour, marker, its size, line, and name: those that count the same measurements stay apart.
LOOKS = {
    "each_device": (style.BLACK, "o", 6, "-", "a predictor for each device"),
    "one_proxy": (style.ORANGE, "s", 6, "-", "one proxy, its front bisected"),
    "one_proxy_front": (style.ORANGE, "D", 6, "--", "one proxy, its front measured"),
    "adaproxy": (style.VERMILION, "^", 7, "-", "AdaProxy"),
    "adaproxy_front": (style.VERMILION, "v", 7, "--", "AdaProxy, its front bisected"),
    "few_shot": (style.BLUE, "o", 10, "-", "few measurements and sources"),
    "one_pass": (style.GREEN, "P", 7, "--", "neural optimizer, one pass"),
}
PROPOSALS = (style.PURPLE, "X", 4.5, ":", "neural optimizer, {} proposals")


def applies(result: Result) -> bool:
    return bool(result.names("cost"))


def draw(result: Result) -> dict[str, Figure]:
    return {f"cost_{task}": _picture(result, task) for task in result.names("cost")}


def _look(strategy: str) -> dict[str, Any]:
    color, marker, size, line, label = LOOKS.get(strategy, PROPOSALS)
    label = label.format(strategy.rpartition("_")[2])
    return {"color": color, "marker": marker, "markersize": size, "linestyle": line, "label": label}


def _picture(result: Result, task: str) -> Figure:
    values = {name: result.arrays[f"cost/{task}/{name}"] for name in ("strategies", "n", "measurements")}
    names = [str(name) for name in values["strategies"]]
    n = np.asarray(values["n"], dtype=float)
    measurements = np.asarray(values["measurements"], dtype=float)
    figure, body = style.sheet(13.2, 5.4, result.footer())
    left, middle, right = body.subplots(1, 3)
    times = result.provenance.get("seconds", {})
    for i, name in enumerate(names):
        seconds = [times.get(f"{task}: {name}, n = {int(k)}", np.nan) for k in n]
        left.plot(n, measurements[i], linewidth=1.4, **_look(name))
        middle.plot(n, seconds, linewidth=1.4, **_look(name))
    for axes, what in ((left, "measurements, in all"), (middle, "processor seconds, in all")):
        axes.set_xscale("log")
        axes.set_xticks(n, [f"{int(k):,}" for k in n])
        axes.xaxis.set_minor_locator(NullLocator())
        if any(np.nanmax(line.get_ydata(), initial=0) > 0 for line in axes.get_lines()):
            axes.set_yscale("log")  # a result without its provenance has no seconds
        axes.set_xlabel("devices")
        axes.set_ylabel(what)
    _bought(result, task, names, right)
    devices = result.arrays[f"cost/{task}/devices"]
    real = int(np.sum(result.arrays[f"cost/{task}/real"]))
    body.suptitle(f"What n devices cost, and what that buys\n{task}: {real} real and {len(devices) - real:,} generated")
    body.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


def _bought(result: Result, task: str, names: list[str], axes: Axes) -> None:
    """Regret against limits broken: low and left is good. Hollow: limits broken by more than 5 %."""
    columns = ("regret_share", "over", "over_5_percent", "unanswered")
    regret, over, much, unanswered = (np.asarray(result.arrays[f"cost/{task}/{name}"], dtype=float) for name in columns)
    for i, name in enumerate(names):
        look = _look(name) | {"linestyle": "", "markersize": 7}
        axes.plot([much[i], over[i]], [regret[i]] * 2, color=look["color"], linewidth=1, alpha=0.7)
        axes.plot([much[i]], [regret[i]], **look, fillstyle="none")
        axes.plot([over[i]], [regret[i]], **look)
        if unanswered[i] >= 0.02:
            inwards = {"xytext": (7, 4), "ha": "left"} if over[i] < 0.5 else {"xytext": (-7, 5), "ha": "right"}
            axes.annotate(f"{unanswered[i]:.0%} unanswered", (over[i], regret[i]), **inwards,
                          textcoords="offset points", color=look["color"], fontsize=8)  # fmt: skip
    axes.margins(0.12)
    axes.set_xlim(left=-0.02)
    axes.set_ylim(bottom=0)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1))
    axes.set_xlabel("limits broken (hollow: by more than 5 %)")
    axes.set_ylabel("quality lost, of (best - median)")
