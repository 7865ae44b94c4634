"""Device features: SRCC against the number of measured architectures, a line for each description of a device."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import style, words
from ..result import Result

PROTOCOLS = (("lodo", "one device left out"), ("lofo", "its family left out"), ("targets", "other targets"))
COLOURS = (style.BLACK, style.GREY, style.ORANGE, style.SKY, style.GREEN, style.BLUE, style.VERMILION, style.PURPLE)
MARKERS = "osD^vP*X"
LEGEND_COLUMNS = 4


def applies(result: Result) -> bool:
    return result.has("tasks", "features", "samples") and bool(_panels(result))


def draw(result: Result) -> dict[str, Figure]:
    panels = _panels(result)
    features = [str(name) for name in result.arrays["features"]]
    rows, columns = style.grid(len(panels))
    legend_rows = -(-len(features) // LEGEND_COLUMNS)
    figure, body = style.sheet(max(7.5, 3.9 * columns), 3.1 * rows + 0.9 + 0.2 * legend_rows, result.footer())
    axes = list(body.subplots(rows, columns, squeeze=False).flat)
    for panel, (task, protocol, title) in zip(axes, panels):
        _panel(panel, result, f"task/{task}/{protocol}/srcc", f"{words.task(task)}: {title}", features)
    for panel in axes[len(panels) :]:
        panel.set_visible(False)
    body.suptitle("What describes a device: mean SRCC over the targets")
    handles, labels = body.axes[0].get_legend_handles_labels()
    body.legend(handles, labels, loc="outside lower center", ncols=LEGEND_COLUMNS)
    return {"device_features": figure}


def _panels(result: Result) -> list[tuple[str, str, str]]:
    tasks = [str(name) for name in result.arrays["tasks"]]
    return [(t, p, title) for t in tasks for p, title in PROTOCOLS if result.has(f"task/{t}/{p}/srcc")]


def _panel(axes: Axes, result: Result, name: str, title: str, features: list[str]) -> None:
    srcc = np.asarray(result.arrays[name], dtype=float)  # [targets, features, samples, trials]
    samples = [int(k) for k in result.arrays["samples"]]
    known = np.isfinite(srcc)
    sums, counts = np.where(known, srcc, 0).sum(axis=(0, 3)), known.sum(axis=(0, 3))
    mean = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    for i, feature in enumerate(features):
        axes.plot(range(len(samples)), mean[i], color=COLOURS[i % len(COLOURS)], marker=MARKERS[i % len(MARKERS)],
                  markersize=4, label=feature.replace("_", " "))
    axes.set_xticks(range(len(samples)), [str(k) for k in samples])
    axes.set_xlabel("measured architectures")
    axes.set_ylabel("SRCC")
    axes.set_title(title)
