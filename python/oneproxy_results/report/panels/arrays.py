"""The arrays of a result as they are: what is left for a kind that nobody drew a chart for."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...result import Result
from .. import chart, words
from .panel import Panel

MOST = 12  # charts


def applies(result: Result) -> bool:
    return any(_drawable(result.arrays[name]) for name in result.arrays)


def panel(result: Result) -> Panel:
    names = [name for name in result.arrays if _drawable(result.arrays[name])]
    return Panel(charts=[_chart(result, name) for name in names[:MOST]])


def _drawable(values: np.ndarray) -> bool:
    return values.dtype.kind in "fiu" and 1 <= values.ndim <= 3 and values.size > 1


def _chart(result: Result, name: str) -> chart.Chart:
    values = np.asarray(result.arrays[name], dtype=float)
    said = ""
    if values.ndim == 3:
        values, said = np.nanmean(values, axis=2), ", mean over its last dimension"
    title = words.plain_key(name.replace("/", ", "))
    if values.ndim == 2:
        rows, columns = (_labels(result, name, length) for length in values.shape)
        traces: list[dict[str, Any]] = [
            {
                "type": "heatmap",
                "z": values,
                "y": rows,
                "x": columns,
                "colorscale": "YlGnBu",
                "reversescale": True,
                "hovertemplate": "%{y}, %{x}: %{z:.5g}<extra></extra>",
            }
        ]
        layout: dict[str, Any] = {"xaxis": {"type": "category"}, "yaxis": {"type": "category", "autorange": "reversed"}}
    else:
        shown = chart.thinned(len(values))
        labels = _labels(result, name, len(values))
        traces = [
            {
                "type": "bar" if len(values) <= 40 else "scatter",
                "x": [labels[i] for i in shown],
                "y": values[shown],
                "marker": {"color": chart.BLUE},
                "hovertemplate": "%{x}: %{y:.5g}<extra></extra>",
            }
        ]
        layout = {"xaxis": {"type": "category" if len(values) <= 40 else "linear"}, "yaxis": chart.axis(title)}
    shape = " x ".join(str(n) for n in result.arrays[name].shape)
    return chart.Chart(title, f"The array {name} of arrays.h5, {shape}{said}.", traces, layout, height=380)


def _labels(result: Result, name: str, length: int) -> list[Any]:
    """Texts of that length in the array's own group or one above; else numbers."""
    group = name
    while group:
        group = group.rpartition("/")[0]
        for other, values in result.arrays.items():
            if other.rpartition("/")[0] == group and values.dtype.kind in "OUS" and values.shape == (length,):
                return [str(text) for text in values]
    return list(range(length))
