"""Every device as the proxy of every other: one heat map before adaptation and one for each budget."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from . import style, words
from .heatmap import MAP, STRONG
from ..result import Result


def applies(result: Result) -> bool:
    return result.has("devices", "srcc", "sweep_srcc", "sweep_budgets")


def draw(result: Result) -> dict[str, Figure]:
    devices = words.devices(result, "devices")
    before = np.asarray(result.arrays["srcc"], dtype=float)
    panels = [("as it is", before)]
    panels += [
        (f"adapted with {budget} measurements", np.asarray(srcc, dtype=float))
        for budget, srcc in zip(result.arrays["sweep_budgets"], result.arrays["sweep_srcc"])
    ]
    columns = 3 if len(panels) in (3, 5, 6) else min(2, len(panels))
    rows = -(-len(panels) // columns)
    side = max(3.6, 0.27 * len(devices)) + 1.2
    names = 0.06 * max(map(len, devices))  # inches beside and below the panels
    figure, body = style.sheet(side * columns + names + 0.8, side * rows + names + 1.0, result.footer())
    axes = body.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    known = np.concatenate([values[np.isfinite(values)] for _, values in panels])
    norm = Normalize(np.floor(known.min() * 5) / 5 if known.size else 0.0, 1.0)
    for panel, (title, values) in zip(axes.flat, panels):
        image = panel.imshow(np.ma.masked_invalid(values), cmap=MAP, norm=norm, interpolation="nearest")
        weak = np.argwhere(values < STRONG)
        panel.plot(weak[:, 1], weak[:, 0], linestyle="", marker=".", markersize=3, color=style.VERMILION)
        panel.set_xticks(range(len(devices)), devices, rotation=90, fontsize=8)
        panel.set_yticks(range(len(devices)), devices, fontsize=8)
        panel.set_title(title)
        panel.grid(False)
        panel.tick_params(length=0)
    for panel in axes.flat[len(panels) :]:
        panel.set_visible(False)
    for panel in axes[:, 0]:
        panel.set_ylabel("proxy")
    bar = body.colorbar(image, ax=axes, shrink=0.6, pad=0.015, aspect=30)
    bar.set_label(f"SRCC (dots: below {STRONG})")
    bar.outline.set_visible(False)
    body.suptitle(words.title(result, "Which proxy for which target (columns)"))
    return {"proxy_sweep": figure}
