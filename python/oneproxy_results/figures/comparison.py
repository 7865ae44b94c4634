"""SRCC before and after adaptation for each device, ours beside the paper's where that is known."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from . import style, words
from ..result import Result


def applies(result: Result) -> bool:
    return result.has("devices", "srcc_before", "srcc_after") and len(result.arrays["devices"]) > 0


def draw(result: Result) -> dict[str, Figure]:
    devices = words.devices(result, "devices")
    before = result.arrays["srcc_before"]
    after = np.asarray(result.arrays["srcc_after"], dtype=float).reshape(len(devices), -1)  # [T, trials]
    published = {
        key: result.arrays[f"published_{key}"] for key in ("before", "after") if result.has(f"published_{key}")
    }
    y = np.arange(len(devices))[::-1].astype(float)
    offset = 0.16 if published else 0.0
    ours = ", ours" if published else ""  # only where something else stands beside it

    figure, body = style.sheet(8.6, 0.42 * len(devices) + 2.1, result.footer())
    axes = body.subplots()
    mean = after.mean(axis=1)
    low, high = np.quantile(after, (0.1, 0.9), axis=1)
    axes.hlines(
        y + offset, np.minimum(before, mean), np.maximum(before, mean), color="#D0D0D0", linewidth=1.2, zorder=1
    )
    axes.hlines(y + offset, low, high, color=style.BLUE, linewidth=4.5, alpha=0.35, zorder=2)
    axes.plot(before, y + offset, "o", color=style.VERMILION, markersize=6.5, label=f"before{ours}")
    axes.plot(
        mean,
        y + offset,
        "o",
        color=style.BLUE,
        markersize=6.5,
        label=f"after AdaProxy{ours} (mean, 10-90 % of {after.shape[1]} trials)"
        if after.shape[1] > 1
        else f"after AdaProxy{ours}",
    )
    for key, colour in (("before", style.VERMILION), ("after", style.BLUE)):
        if key in published:
            label = "before, paper" if key == "before" else "after AdaProxy, paper"
            axes.plot(
                published[key], y - offset, "D", color=colour, markerfacecolor="white", markersize=5.5, label=label
            )
    axes.axvline(0.9, color=style.GREY, linestyle=":", linewidth=1.2)
    axes.set_yticks(y, devices)
    axes.set_ylim(-0.7, len(devices) - 0.3)
    axes.set_xlabel("SRCC with the target's measurements (dotted: the paper's 0.9)")
    axes.grid(axis="y", visible=False)
    what = "SRCC before and after AdaProxy" + (", ours and the paper's" if published else "")
    body.suptitle(words.title(result, what))
    body.legend(loc="outside lower center", ncols=2)
    return {"comparison" if published else "adaproxy": figure}
