"""Latency against quality: the target's own front, and what the proxy and AdaProxy find of it."""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from . import style, words
from .zoom import zoom_quality
from ..result import Result

LABEL_WIDTH = 28  # characters beside one panel
CLOUD_POINTS = 4000  # of the cloud are drawn; more only make the file larger
#          front -> label, colour, marker, size, line width
FRONTS = {
    "target": ("target's own front", style.BLACK, "o", 5.5, 1.6),
    "proxy": ("proxy", style.ORANGE, "s", 4.2, 1.3),
    "adaproxy": ("AdaProxy", style.BLUE, "^", 4.6, 1.3),
}


def applies(result: Result) -> bool:
    return bool(result.names("fronts"))


def draw(result: Result) -> dict[str, Figure]:
    devices = result.names("fronts")
    pages = [devices[page.start : page.stop] for page in style.pages(len(devices))]
    return {
        "pareto" + (f"_{i}" if len(pages) > 1 else ""): _page(result, page) for i, page in enumerate(pages, start=1)
    }


def _page(result: Result, devices: list[str]) -> Figure:
    rows, columns = style.grid(len(devices))
    size = (7.2, 5.2) if len(devices) == 1 else (4.3 * columns, 3.5 * rows + 1.1)
    figure, body = style.sheet(*size, result.footer())
    panels = body.subplots(rows, columns, squeeze=False)
    for axes, device in zip(panels.flat, devices):
        _panel(axes, result, device)
    for axes in panels.flat[len(devices) :]:
        axes.set_visible(False)
    for axes in panels[:, 0]:
        axes.set_ylabel(textwrap.fill(_quality_label(result), LABEL_WIDTH))
    for i, axes in enumerate(panels.flat[: len(devices)]):
        if i + columns >= len(devices) or not _same_costs(result):
            axes.set_xlabel(textwrap.fill(_cost_label(result, devices[i]), LABEL_WIDTH + 10))
    n = len(result.arrays["quality"]) if result.has("quality") else None
    body.suptitle(words.title(result, "Pareto fronts on the target, dominated members removed", n))
    _legend(body, result, devices)
    return figure


def _panel(axes: Axes, result: Result, device: str) -> None:
    base = f"fronts/{device}"
    if result.has("quality", f"latency_ms/{device}"):
        _cloud(axes, result.arrays[f"latency_ms/{device}"], result.arrays["quality"])
    notes = []  # beside the lines, in the corner where no front can be
    for name in (name for name in FRONTS if name in result.names(base)):
        label, colour, marker, size, width = FRONTS[name]
        latency, quality = (result.arrays[f"{base}/{name}/{key}"] for key in ("latency_ms", "quality"))
        members = f"{base}/{name}/members"
        if result.has(f"{members}/latency_ms", f"{members}/quality"):
            axes.plot(
                result.arrays[f"{members}/latency_ms"],
                result.arrays[f"{members}/quality"],
                linestyle="none",
                marker=marker,
                markersize=size,
                markerfacecolor="none",
                markeredgecolor=colour,
                alpha=0.35,
            )
        order = np.argsort(latency, kind="stable")
        axes.plot(
            latency[order],
            quality[order],
            drawstyle="steps-post",
            color=colour,
            linewidth=width,
            marker=marker,
            markersize=size,
            markeredgecolor="white",
            markeredgewidth=0.5,
        )
        if (ratio := result.summary.get(f"hv_ratio.{name}.{device}")) is not None and name != "target":
            notes.append(f"{label} {ratio:.3f}")
    if notes:
        notes.insert(0, "hypervolume ratio")
    if below := _zoom(axes, result, device):
        notes.append(f"{below} front point{'s' * (below > 1)} further down")
    if notes:
        axes.text(
            0.97,
            0.04,
            "\n".join(notes),
            transform=axes.transAxes,
            ha="right",
            va="bottom",
            fontsize=8.5,
            bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.5},
        )
    axes.set_title(words.device(result, device))


def _zoom(axes: Axes, result: Result, device: str) -> int:
    """Show where the fronts are: the worst networks would flatten all else. Returns the front points left out."""
    base = f"fronts/{device}"
    latency, quality = (
        np.concatenate([result.arrays[f"{base}/{name}/{key}"] for name in result.names(base)])
        for key in ("latency_ms", "quality")
    )
    known = np.isfinite(latency) & np.isfinite(quality)
    if not known.any():
        return 0
    latency, quality = latency[known], quality[known]
    left_out = zoom_quality(axes, quality, result.arrays.get("quality"))
    right = latency.max() * 1.15
    if result.has(f"latency_ms/{device}"):
        right = max(right, np.nanquantile(result.arrays[f"latency_ms/{device}"], 0.9))
    axes.set_xlim(max(0.0, latency.min() - 0.04 * right), right)
    return left_out


def _cloud(axes: Axes, latency: np.ndarray, quality: np.ndarray) -> None:
    step = -(-len(latency) // CLOUD_POINTS)  # every step-th: no random choice, so the picture is reproducible
    axes.plot(
        latency[::step],
        quality[::step],
        linestyle="none",
        marker=".",
        markersize=2.2,
        color="#BDBDBD",
        markeredgewidth=0,
        rasterized=True,
        zorder=1,
    )


def _quality_label(result: Result) -> str:
    label, unit = result.attributes.get("quality", "quality"), result.attributes.get("quality_unit")
    return f"{label} ({unit})" if unit else str(label)


def _cost_label(result: Result, device: str) -> str:
    """What was measured on the target, "measured latency (ms)"; older results hold latencies only."""
    if not result.has("targets/name", "targets/label", "targets/unit"):
        return "measured latency (ms)"
    at = [str(name) for name in result.arrays["targets/name"]].index(device)
    label, unit = (str(result.arrays[f"targets/{part}"][at]) for part in ("label", "unit"))
    return f"{label} ({unit})" if unit else label


def _same_costs(result: Result) -> bool:
    devices = result.names("fronts")
    return len({_cost_label(result, device) for device in devices}) == 1


def _legend(body: SubFigure, result: Result, devices: list[str]) -> None:
    used = {name for device in devices for name in result.names(f"fronts/{device}")}
    entries = [
        Line2D([], [], color=colour, marker=marker, markersize=size + 1, linewidth=width, label=label)
        for name, (label, colour, marker, size, width) in FRONTS.items()
        if name in used
    ]
    entries.append(
        Line2D(
            [],
            [],
            color=style.GREY,
            marker="o",
            markerfacecolor="none",
            linestyle="none",
            label="members before removal",
        )
    )
    if result.has("quality"):
        entries.append(
            Line2D([], [], color="#BDBDBD", marker=".", markersize=9, linestyle="none", label="all networks")
        )
    narrow = len(devices) == 1
    body.legend(handles=entries, loc="outside lower center", ncols=3 if narrow else len(entries))
