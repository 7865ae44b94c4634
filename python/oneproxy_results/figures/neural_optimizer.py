"""The neural optimizer: what its answers lose against how often they break the limit, beside other ways to answer."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import style
from ..result import Result

LEGEND_COLUMNS, MANY = 6, 100
LOOKS = {  # what a contender's name begins with
    "exact": (style.BLACK, "*"),
    "one_pass": (style.BLUE, "o"),
    "proposals": (style.SKY, "s"),
    "independent": (style.VERMILION, "^"),
    "label_free": (style.ORANGE, "v"),
    "sources_only": (style.GREEN, "D"),
    "evolutionary": (style.PURPLE, "P"),
    "random": (style.GREY, "X"),
}


def applies(result: Result) -> bool:
    return bool(_panels(result))


def draw(result: Result) -> dict[str, Figure]:
    panels = _panels(result)
    rows, columns = style.grid(len(panels))
    figure, body = style.sheet(max(7.5, 4.2 * columns), 3.4 * rows + 1.2, result.footer())
    axes = list(body.subplots(rows, columns, squeeze=False).flat)
    for panel, (task, quality, truth) in zip(axes, panels):
        _panel(panel, result, f"optimizer/{task}/{quality}/{truth}")
        panel.set_title(f"{task}: {quality}, {truth}")
    for panel in axes[len(panels) :]:
        panel.set_visible(False)
    known = {}  # not every panel has every contender
    for panel in body.axes:
        known.update(dict(zip(*reversed(panel.get_legend_handles_labels()))))
    body.legend(known.values(), known.keys(), loc="outside lower center", ncols=LEGEND_COLUMNS)
    return {"neural_optimizer": figure}


def _panels(result: Result) -> list[tuple[str, str, str]]:
    found = []
    for name in result.arrays:
        parts = name.strip("/").split("/")
        if len(parts) == 5 and parts[0] == "optimizer" and parts[4] == "regret":
            found.append((parts[1], parts[2], parts[3]))
    # Against measurements, where every architecture was measured; else against the fit to them.
    return [one for one in found if one[2] == "measured" or (one[0], one[1], "measured") not in found]


def _panel(axes: Axes, result: Result, group: str) -> None:
    names = [str(name) for name in result.arrays[f"{group}/contenders"]]
    regret = np.asarray(result.arrays[f"{group}/regret"], dtype=float)
    over = 100 * np.asarray(result.arrays[f"{group}/over_5_percent"], dtype=float)
    positive = regret[np.isfinite(regret) & (regret > 0)]
    least = float(positive.min()) / 2 if positive.size else 1e-3
    for name, x, y in zip(names, over, regret):
        start = next((key for key in LOOKS if name.startswith(key)), "")
        colour, marker = LOOKS.get(start, (style.BLACK, "."))
        many = name.rsplit("_", 1)[-1]
        # What looks at more is drawn emptier.
        filled = "full" if not many.isdigit() else "left" if int(many) < MANY else "none"
        axes.plot(x, max(y, least), color=colour, marker=marker, markersize=8, linestyle="none", fillstyle=filled,
                  label=name.replace("_", " "))  # fmt: skip
    axes.set_yscale("log")
    axes.margins(x=0.15, y=0.15)
    axes.set_xlabel("limits broken by more than 5 %, %")
    axes.set_ylabel("quality lost (regret)")
