"""Latency against quality: the target's own front, and what the proxy and AdaProxy find of it."""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from . import style
from ..result import Result

LABEL_WIDTH = 28  # characters beside one panel
CLOUD_POINTS = 4000  # of the cloud are drawn; more only make the file larger
MANY_POINTS = 150  # of a front: their white edges would hide each other
#          front -> label, colour, marker, size, line width
FRONTS = {
    "target": ("target's own front", style.BLACK, "o", 5.5, 1.6),
    "proxy": ("proxy", style.ORANGE, "s", 4.2, 1.3),
    "adaproxy": ("AdaProxy", style.BLUE, "^", 4.6, 1.3),
}


def applies(result: Result) -> bool:
    return bool(result.names("fronts")) or result.has("front/choices", "objectives/name")


def draw(result: Result) -> dict[str, Figure]:
    if not result.names("fronts"):
        return {"search_front": _search(result)}
    devices = result.names("fronts")
    pages = [devices[i : i + style.PANELS] for i in range(0, len(devices), style.PANELS)]
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
    body.suptitle(result.title("Pareto fronts on the target, dominated members removed", n))
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
    axes.set_title(device)


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
    left_out = _zoom_quality(axes, quality, result.arrays.get("quality"))
    right = latency.max() * 1.15
    if result.has(f"latency_ms/{device}"):
        right = max(right, np.nanquantile(result.arrays[f"latency_ms/{device}"], 0.9))
    axes.set_xlim(max(0.0, latency.min() - 0.04 * right), right)
    return left_out


def _zoom_quality(axes: Axes, quality: np.ndarray, cloud: np.ndarray | None) -> int:
    floor = np.quantile(quality, 0.25)
    if cloud is not None:
        floor = min(floor, np.nanquantile(cloud, 0.1))
    floor = max(floor, quality.min())
    margin = 0.08 * ((quality.max() - floor) or abs(floor) or 1.0)
    axes.set_ylim(floor - margin, quality.max() + margin)
    return int((quality < floor - margin).sum())


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


def _searched(result: Result) -> str:
    """What was searched, "all of fbnet, 9.8e+20 architectures": not the rows of a set, as in other kinds."""
    part, size = result.summary.get("part"), result.summary.get("part_size")
    if not part or not size:
        return str(result.attributes.get("space", ""))
    size = int(size)
    return f"{part}, {size:,} architectures" if size < 10**9 else f"{part}, {size:.2g} architectures"


def _axis_label(result: Result, objective: int) -> str:
    label, unit = (str(result.arrays[f"objectives/{part}"][objective]) for part in ("label", "unit"))
    return f"{label} ({unit})" if unit else label


def _maximised(result: Result, objective: int) -> bool:
    return str(result.arrays["objectives/direction"][objective]) == "maximise"


def _search(result: Result) -> Figure:
    """A search's own front, beside the exhaustive one where that is known: the goal against each other objective."""
    names = [str(name) for name in result.arrays["objectives/name"]]
    figure, body = style.sheet(7.2 if len(names) == 2 else 11.0, 5.0, result.footer())
    panels = body.subplots(1, len(names) - 1, squeeze=False, sharey=True)[0]
    for objective, axes in enumerate(panels, start=1):
        _search_panel(axes, result, names, objective)
        axes.set_xlabel(textwrap.fill(_axis_label(result, objective), 2 * LABEL_WIDTH))
    panels[0].set_ylabel(textwrap.fill(_axis_label(result, 0), LABEL_WIDTH))
    empty_corner = "lower left" if _maximised(result, 1) else "lower right"
    panels[-1].legend(loc="best" if len(names) > 2 else empty_corner)
    body.suptitle(f"Search: Pareto front\n{_searched(result)}")
    return figure


def _search_panel(axes: Axes, result: Result, names: list[str], objective: int) -> None:
    goal, cost = names[0], names[objective]
    qualities = []
    for group, label, colour, marker in (
        ("exhaustive_front", "exhaustive front", style.BLACK, "o"),
        ("front", "found by the search", style.VERMILION, "D"),
    ):
        if not result.has(f"{group}/{cost}", f"{group}/{goal}"):
            continue
        values, quality = result.arrays[f"{group}/{cost}"], result.arrays[f"{group}/{goal}"]
        order = np.argsort(values, kind="stable")
        few = len(order) <= MANY_POINTS
        flat = len(names) == 2  # of three objectives the front is a surface: its points, not a line
        axes.plot(
            values[order],
            quality[order],
            drawstyle=("steps-pre" if _maximised(result, objective) else "steps-post") if flat else "default",
            linestyle="-" if flat else "none",
            color=colour,
            marker=marker if flat or few else ".",
            markersize=5 if few else 2,
            markeredgecolor="white" if few else colour,
            markeredgewidth=0.5 if flat or few else 0,
            linewidth=1.4,
            rasterized=not flat,
            label=f"{label} ({len(order):,} networks)",
        )
        qualities.append(quality)
    accuracy = _maximised(result, 0) and "MACs" not in str(result.arrays["objectives/label"][0])
    # accuracies of the worst networks flatten all else
    if any(map(len, qualities)) and accuracy and (below := _zoom_quality(axes, np.concatenate(qualities), None)):
        axes.plot([], [], linestyle="none", label=f"{below:,} point{'s' * (below > 1)} further down")
