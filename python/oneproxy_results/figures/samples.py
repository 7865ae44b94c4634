"""SRCC after adaptation against the number of measured architectures: mean and 10-90 % band over the trials."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from . import style, words
from ..result import Result


def applies(result: Result) -> bool:
    # One number of samples is no curve; adaproxy.png says it.
    return result.has("devices", "curve_samples", "curve_srcc") and result.arrays["curve_samples"].size > 1


def draw(result: Result) -> dict[str, Figure]:
    count = len(result.arrays["devices"])
    pages = style.pages(count)
    return {
        "samples" + (f"_{i}" if len(pages) > 1 else ""): _page(result, page) for i, page in enumerate(pages, start=1)
    }


def _page(result: Result, targets: range) -> Figure:
    rows, columns = style.grid(len(targets))
    size = (7.0, 4.8) if len(targets) == 1 else (3.6 * columns, 2.7 * rows + 1.1)
    figure, body = style.sheet(*size, result.footer())
    panels = body.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for axes, target in zip(panels.flat, targets):
        _panel(axes, result, target)
    for axes in panels.flat[len(targets) :]:
        axes.set_visible(False)
    for axes in panels[:, 0]:
        axes.set_ylabel("SRCC")
    for i, axes in enumerate(panels.flat[: len(targets)]):
        if i + columns >= len(targets):
            axes.set_xlabel("measured architectures")
            axes.tick_params(labelbottom=True)
    panels.flat[0].set_ylim(*_range(result))
    trials = result.arrays["curve_srcc"].shape[2]
    body.suptitle(words.title(result, f"AdaProxy: SRCC against the number of samples ({trials} trials)"))
    entries = [Line2D([], [], color=style.BLUE, marker="o", markersize=4, label="after AdaProxy, mean")]
    if trials > 1:
        entries.append(Patch(color=style.BLUE, alpha=0.2, label="10-90 % of the trials"))
    if result.has("srcc_before"):
        entries.append(Line2D([], [], color=style.VERMILION, linestyle="--", label="before"))
    body.legend(handles=entries, loc="outside lower center", ncols=len(entries))
    return figure


def _panel(axes: Axes, result: Result, target: int) -> None:
    samples, srcc = result.arrays["curve_samples"], result.arrays["curve_srcc"][target]  # [S], [S, trials]
    known = np.isfinite(srcc).any(axis=1)
    samples, srcc = samples[known], srcc[known]
    if len(samples):
        low, high = np.nanquantile(srcc, (0.1, 0.9), axis=1)
        axes.fill_between(samples, low, high, color=style.BLUE, alpha=0.2, linewidth=0)
        axes.plot(samples, np.nanmean(srcc, axis=1), color=style.BLUE, marker="o", markersize=3.5, linewidth=1.5)
    if result.has("srcc_before") and np.isfinite(before := result.arrays["srcc_before"][target]):
        axes.axhline(before, color=style.VERMILION, linestyle="--", linewidth=1.3)
    axes.set_title(words.device(result, str(result.arrays["devices"][target])))


def _range(result: Result) -> tuple[float, float]:
    """One scale for all pages: from the lowest band or line to 1."""
    low = np.nanquantile(result.arrays["curve_srcc"], 0.1, axis=2)
    values = np.concatenate([low.ravel(), result.arrays.get("srcc_before", np.empty(0)).ravel()])
    values = values[np.isfinite(values)]
    lowest = float(values.min()) if values.size else 0.0
    return lowest - 0.05 * (1 - lowest), 1.0 + 0.02 * (1 - lowest)
