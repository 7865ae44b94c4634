"""Search methods: what they lose against the truth, and how much of its front they find, against distinct evaluations."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from . import style, words
from ..result import Result

LOOKS = tuple(
    (color, marker)
    for marker in ("o", "s", "^")
    for color in (style.BLUE, style.VERMILION, style.GREEN, style.ORANGE, style.PURPLE, style.SKY, style.BLACK)
)


def applies(result: Result) -> bool:
    return result.has("searchers", "search_budgets", "regret/mean", "regret/q10", "regret/q90", "hypervolume/mean")


def draw(result: Result) -> dict[str, Figure]:
    names = [str(name) for name in result.arrays["searchers"]]
    budgets = np.asarray(result.arrays["search_budgets"], dtype=float)
    regret, low, high, volume = (
        np.asarray(result.arrays[key], dtype=float)
        for key in ("regret/mean", "regret/q10", "regret/q90", "hypervolume/mean")
    )
    rows = -(-len(names) // 3)
    figure, body = style.sheet(9.6, 4.2 + 0.24 * rows, result.footer())
    left, right = body.subplots(1, 2)
    label, factor = words.axis(_regret_label(result), result.units("regret/mean"), high)
    regret, low, high = (values * factor for values in (regret, low, high))
    positive = regret[np.isfinite(regret) & (regret > 0)]
    least = float(positive.min()) if positive.size else 1.0
    for i, name in enumerate(names):
        color, marker = LOOKS[i % len(LOOKS)]
        shift = budgets * 1.03 ** (i - (len(names) - 1) / 2)  # so that bars do not hide each other
        bars = np.maximum(0, [regret[i] - low[i], high[i] - regret[i]])
        left.errorbar(shift, regret[i], yerr=bars, color=color, marker=marker, markersize=5, linewidth=1.4,
                      elinewidth=0.8, label=name)  # fmt: skip
        right.plot(budgets, volume[i], color=color, marker=marker, markersize=5, linewidth=1.4)
    left.set_yscale("symlog", linthresh=least)  # a regret of 0 is on the axis
    left.set_ylim(bottom=0)
    left.set_ylabel(f"{label}\nbars: 10-90 % of all searches")
    right.set_ylabel("hypervolume, share of the best front")
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xticks(budgets, [f"{int(budget):,}" for budget in budgets])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("distinct evaluations for each limit")
    searched, size = result.summary.get("part"), result.summary.get("part_size")
    where = f"{searched}, {size} architectures" if searched and size else str(result.attributes.get("space", ""))
    body.suptitle(f"Search methods with equal budgets\n{words.spaces(words.numbers(where))}")
    body.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return {"searchers": figure}


def _regret_label(result: Result) -> str:
    quality = result.summary.get("quality")
    return f"regret: {words.label(result, str(quality))} lost" if quality else "regret"
