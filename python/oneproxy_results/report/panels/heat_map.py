"""Rank correlation between devices, those alike side by side."""

from __future__ import annotations

import numpy as np
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from ...result import Result
from .. import chart, html, words
from ..devices import label
from .panel import Panel

STRONG = 0.9  # the paper's rule: from here on the proxy's optima can be used again
COLOURS = "YlGnBu"
WRITTEN = 20  # devices up to which the cells bear their numbers


def applies(result: Result) -> bool:
    if not (result.has("srcc") and result.has(_key(result))) or result.has("sweep_srcc"):  # of fleet.py
        return False
    srcc = np.asarray(result.arrays["srcc"], dtype=float)
    return srcc.ndim == 2 and bool(np.isfinite(srcc[~np.eye(len(srcc), dtype=bool)]).any())  # a pair that is known


def panel(result: Result) -> Panel:
    devices = [label(result, name) for name in result.arrays[_key(result)]]
    srcc = np.asarray(result.arrays["srcc"], dtype=float)
    order, groups = cluster(srcc)
    found = Panel(charts=[_chart(result, devices, srcc, order)])
    if result.attributes.get("kind") == "monotonicity":
        found.sentences = _sentences(result, devices, srcc, groups)
        found.answer = [_answer(devices, srcc, groups)]
    return found


def cluster(srcc: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The order in which devices that are alike stand together, and the groups within which the mean SRCC is at least
    STRONG: average linkage on 1 - SRCC, leaves turned so that neighbours are as near as can be. What is not known
    counts as no correlation."""
    if len(srcc) < 3:
        return np.arange(len(srcc)), [np.array([i]) for i in range(len(srcc))]
    both = np.nan_to_num((srcc + srcc.T) / 2, nan=0.0)
    distance = np.clip(1 - both, 0, None)
    np.fill_diagonal(distance, 0)
    tree = hierarchy.linkage(squareform(distance, checks=False), method="average", optimal_ordering=True)
    members = hierarchy.fcluster(tree, 1 - STRONG, criterion="distance")
    groups = [np.flatnonzero(members == group) for group in np.unique(members)]
    return hierarchy.leaves_list(tree), sorted(groups, key=len, reverse=True)


def order_of(rows: np.ndarray) -> np.ndarray:
    """The order in which rows that are alike stand together: average linkage on their distance. What is not known counts
    as no correlation."""
    if len(rows) < 3:
        return np.arange(len(rows))
    known = np.nan_to_num(rows, nan=0.0)
    return hierarchy.leaves_list(hierarchy.linkage(known, method="average", optimal_ordering=True))


def _key(result: Result) -> str:
    return "matrix_devices" if result.has("matrix_devices") else "devices"


def _chart(result: Result, devices: list[str], srcc: np.ndarray, order: np.ndarray) -> chart.Chart:
    known = srcc[np.isfinite(srcc)]
    low = float(np.floor(known.min() * 5) / 5) if known.size else 0.0
    bounds = result.has("srcc_low", "srcc_high")
    traces, side = [], len(devices)
    for rows in (order, np.arange(side)):
        texts = []
        for i in rows:
            line = []
            for j in rows:
                said = f"{devices[i]} and {devices[j]}<br>SRCC {words.srcc(srcc[i, j])}"
                if bounds and i != j:
                    said += f" ({words.srcc(result.arrays['srcc_low'][i, j])} to {words.srcc(result.arrays['srcc_high'][i, j])})"
                line.append(
                    said
                    + ("<br>alike: the best networks of one serve the other" if i != j and srcc[i, j] >= STRONG else "")
                )
            texts.append(line)
        cells = srcc[np.ix_(rows, rows)]
        trace = {
            "type": "heatmap",
            "z": cells,
            "x": [devices[i] for i in rows],
            "y": [devices[i] for i in rows],
            "zmin": low,
            "zmax": 1,
            "colorscale": COLOURS,
            "reversescale": True,
            "text": texts,
            "hovertemplate": "%{text}<extra></extra>",
            "xgap": 1,
            "ygap": 1,
            "colorbar": {"title": {"text": "SRCC"}, "thickness": 14, "len": 0.7},
        }
        if side <= WRITTEN:
            trace["texttemplate"] = "%{z:.2f}"
            trace["textfont"] = {"size": 9 if side > 12 else 11}
        traces.append(trace)
    longest = max(len(name) for name in devices)
    return chart.Chart(
        "How alike the devices rank the networks",
        "Spearman's rank correlation (SRCC) of each pair of devices; dark: alike. Devices that are alike stand together "
        "(hierarchical clustering, average linkage on 1 - SRCC).",
        traces,
        {
            "xaxis": {"tickangle": -60, "showgrid": False, "type": "category", "dtick": 1, "tickfont": {"size": 11}},
            "yaxis": {
                "autorange": "reversed",
                "showgrid": False,
                "type": "category",
                "dtick": 1,
                "tickfont": {"size": 11},
            },
            "margin": {"r": 30},
        },
        height=int(max(360, 21 * side + 7 * longest + 40)),
        views={"alike together": [0], "as in the result": [1]},
        view_name="Order of the devices:",
    )


def _sentences(result: Result, devices: list[str], srcc: np.ndarray, groups: list[np.ndarray]) -> list[str]:
    upper = np.triu_indices(len(devices), 1)
    values = srcc[upper]
    if not np.isfinite(values).any():
        return []
    strong, known = int((values >= STRONG).sum()), int(np.isfinite(values).sum())
    off = srcc - np.where(np.eye(len(srcc), dtype=bool), np.inf, 0)  # of others: never counts itself
    serves = (off >= STRONG).sum(axis=1)
    best = int(np.argmax(serves))
    said = [
        f"{strong} of {known} pairs of devices rank the networks alike (SRCC of at least {STRONG}): there the best networks "
        "of one device can be used on the other."
    ]
    if serves[best]:
        said.append(
            f"As a proxy for the others {devices[best]} serves most: {serves[best]} of {len(devices) - 1}; the rest need "
            "adaptation, or a proxy of their own."
        )
    else:
        said.append("No device can stand in for any other as it is: adapt the proxy (oneproxy plan, oneproxy adapt).")
    if result.attributes.get("kind") == "monotonicity":
        worst = int(np.nanargmin(values))
        i, j = upper[0][worst], upper[1][worst]
        mean = float(np.nanmean(values))
        said.append(
            f"Least alike are {devices[i]} and {devices[j]} (SRCC {words.srcc(values[worst])}; the mean of all pairs is "
            f"{words.srcc(mean)})."
        )
        large = [g for g in groups if len(g) > 1]
        if large and len(groups) > 1:
            said.append(
                f"The devices fall into {words.counted(len(groups), 'group')} that are alike within (SRCC of at least {STRONG} on "
                f"average where two parts of a group meet); the largest has {words.counted(len(large[0]), 'device')}."
            )
    return said


def _answer(devices: list[str], srcc: np.ndarray, groups: list[np.ndarray]) -> html.Raw:
    rows: list[list[html.Cell]] = []
    for group in groups:
        inside = srcc[np.ix_(group, group)][np.triu_indices(len(group), 1)]
        rows.append(
            [
                words.listed([devices[i] for i in group], most=len(group)),
                str(len(group)),
                words.srcc(float(np.nanmean(inside))) if inside.size else "-",
                words.srcc(float(np.nanmin(inside))) if inside.size else "-",
            ]
        )
    return html.table(
        ["devices that can share their best networks", "devices", "mean SRCC", "least SRCC"],
        rows,
        "Groups of devices that are alike",
        numeric=(1, 2, 3),
    )
