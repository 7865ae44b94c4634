"""Devices of one's own (`oneproxy fleet --results`): for each the networks to use, its proxy, and whether it was measured
enough."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...result import Result
from .. import chart, html, words
from ..devices import label
from . import heat_map
from .panel import Panel

ENOUGH = "enough"


def applies(result: Result) -> bool:
    return result.attributes.get("kind") == "fleet" and result.has("devices", "expected_srcc", "advice")


def panel(result: Result) -> Panel:
    names = [label(result, name) for name in result.arrays["devices"]]
    found = Panel(_sentences(result, names))
    if result.has("networks/limit_ms"):
        found.answer.append(_networks(result))
        found.charts.append(_latencies(result))
    found.answer.append(_devices(result, names))
    found.charts.append(_expected(result, names))
    if result.has("proxy_srcc"):
        found.charts.append(_proxies(result, names))
    return found


def _threshold(result: Result) -> float:
    return float(result.attributes.get("threshold", heat_map.STRONG))


def _proxy_srcc(result: Result) -> np.ndarray:
    """Of each device with its best proxy; NaN without one."""
    if not result.has("proxy_srcc"):
        return np.full(len(result.arrays["devices"]), np.nan)
    return np.fmax.reduce(np.asarray(result.arrays["proxy_srcc"], dtype=float), axis=1)


def _sentences(result: Result, names: list[str]) -> list[str]:
    threshold, said = _threshold(result), []
    advice = [str(one) for one in result.arrays["advice"]]
    wanting = [i for i in range(len(names)) if advice[i] != ENOUGH]
    if not wanting:
        said.append(
            f"All {len(names)} devices were measured enough: the predictor of each is expected to rank its networks with an SRCC "
            f"of {threshold:g} or more."
            if len(names) > 1
            else f"{names[0]} was measured enough: its predictor is expected to reach an SRCC of {threshold:g}."
        )
    else:
        done = len(names) - len(wanting)
        said.append(
            f"{done} of {words.counted(len(names), 'device')} {'was' if done == 1 else 'were'} measured enough; more is needed "
            f"for {words.listed((f'{names[i]} ({advice[i]})' for i in wanting), 12)}."
        )
    proxies = [label(result, name) for name in str(result.summary.get("proxies", "")).split(", ") if name]
    alone = [label(result, name) for name in str(result.summary.get("unserved", "")).split(", ") if name]
    if proxies:
        served = len(names) - len(alone)
        fewest = "the fewest that do" if result.summary.get("proxies_exact") else "perhaps not the fewest"
        said.append(
            f"{words.listed(proxies)} can stand in for {f'{served} of ' if alone else ''}the {words.counted(len(names), 'device')} "
            f"without any adaptation (SRCC of {threshold:g} or more over the measured networks; {fewest})."
        )
    if alone:
        said.append(f"No known device can stand in for {words.listed(alone)}: use the predictor that was adapted to it.")
    if result.has("networks/architecture"):
        none = [
            f"{label(result, device)} within {words.number(limit)} ms"
            for device, limit, arch in zip(*(result.arrays[f"networks/{key}"] for key in ("device", "limit_ms", "architecture")))
            if not arch
        ]
        if none:
            said.append(f"No network keeps the limit on {words.listed(none)}.")
    return said


def _networks(result: Result) -> html.Raw:
    columns = {key: result.arrays[f"networks/{key}"] for key in _COLUMNS}
    rows: list[list[html.Cell]] = []
    for i, arch in enumerate(columns["architecture"]):
        latency, deviation = float(columns["latency_ms"][i]), float(columns["deviation_ms"][i])
        rows.append(
            [
                label(result, columns["device"][i]),
                words.number(float(columns["limit_ms"][i])),
                _with_deviation(latency, deviation) if arch else "none keeps it",
                words.share(float(columns["probability"][i])) if arch else "",
                words.number(float(columns["quality"][i])) if arch else "",
                html.architecture(str(arch)) if arch else "",
            ]
        )
    head = ["device", "limit (ms)", "predicted latency (ms)", "probability to keep the limit", _quality(result), "network"]
    return html.table(head, rows, "The best network of each device within each limit", numeric=(1, 2, 3, 4))


_COLUMNS = ("device", "limit_ms", "latency_ms", "deviation_ms", "probability", "quality", "architecture")


def _quality(result: Result) -> str:
    unit = str(result.attributes.get("quality_unit", ""))
    return f"{result.attributes.get('quality', 'quality')}{f' ({unit})' if unit else ''}"


def _with_deviation(value: float, deviation: float) -> str:
    return f"{words.number(value)} ± {words.number(deviation, 2)}" if np.isfinite(deviation) else words.number(value)


def _devices(result: Result, names: list[str]) -> html.Raw:
    proxy = _proxy_srcc(result)
    rows = []
    for i, key in enumerate(result.arrays["devices"]):
        low, high = (float(result.arrays[f"expected_srcc_{end}"][i]) for end in ("low", "high"))
        best = result.summary.get(f"best_proxy.{key}")
        rows.append(
            [
                names[i],
                f"{int(result.arrays['n_measured'][i]):,}",
                f"{int(result.arrays['n_failed'][i]):,}",
                label(result, best) if best else "-",
                words.srcc(proxy[i]),
                words.srcc(float(result.arrays["expected_srcc"][i])),
                f"{words.srcc(low)} to {words.srcc(high)}" if np.isfinite(low) else "-",
                words.share(float(result.arrays["probability"][i])),
                str(result.arrays["advice"][i]),
            ]
        )
    head = [
        "device",
        "networks measured",
        "failed",
        "best proxy",
        "its SRCC",
        "expected SRCC, adapted",
        "10 to 90 %",
        f"probability of {_threshold(result):g} or more",
        "measurements",
    ]
    return html.table(head, rows, "The devices", numeric=(1, 2, 4, 5, 7))


def _expected(result: Result, names: list[str]) -> chart.Chart:
    value, low, high = (
        np.asarray(result.arrays[key], dtype=float) for key in ("expected_srcc", "expected_srcc_low", "expected_srcc_high")
    )
    proxy, threshold = _proxy_srcc(result), _threshold(result)
    traces: list[dict[str, Any]] = [
        {
            "name": "best proxy, as it is",
            "x": proxy,
            "y": names,
            "mode": "markers",
            "marker": {"size": 9, "color": chart.VERMILION},
            "hovertemplate": "%{y}<br>SRCC %{x:.3f} over the measured networks<extra>best proxy</extra>",
        },
        {
            "name": "adapted predictor, expected",
            "x": value,
            "y": names,
            "mode": "markers",
            "marker": {"size": 9, "color": chart.BLUE},
            "error_x": {
                "symmetric": False,
                "array": np.maximum(0, high - value),
                "arrayminus": np.maximum(0, value - low),
                "color": chart.BLUE,
            },
            "hovertemplate": "%{y}<br>SRCC %{x:.3f} expected<extra>adapted</extra>",
        },
    ]
    return chart.Chart(
        "How well each device's networks can be ranked",
        f"SRCC of the best known device as it is, over the measured networks, and what is expected of the predictor adapted to "
        f"the device; bars: 10 to 90 %, dotted: {threshold:g}, which is good enough.",
        traces,
        {
            "xaxis": chart.axis("SRCC"),
            "yaxis": {"type": "category", "dtick": 1, "automargin": True, "autorange": "reversed"},
            "shapes": [chart.upright(threshold)],
        },
        height=int(160 + 26 * len(names)),
    )


def _latencies(result: Result) -> chart.Chart:
    columns = {key: result.arrays[f"networks/{key}"] for key in _COLUMNS}
    found = np.array([bool(arch) for arch in columns["architecture"]])
    places = [label(result, str(name)) for name in result.arrays["networks/question"]]
    texts = [
        chart.box(
            str(arch),
            f"predicted: {_with_deviation(float(latency), float(deviation))} ms",
            f"keeps {words.number(float(limit))} ms with a probability of {words.share(float(probability))}",
            f"{_quality(result)}: {words.number(float(quality))}",
        )
        for _, limit, latency, deviation, probability, quality, arch in zip(*(columns[key] for key in _COLUMNS))
    ]
    rows = np.flatnonzero(found)
    traces: list[dict[str, Any]] = [
        {
            "name": "limit",
            "x": columns["limit_ms"],
            "y": places,
            "mode": "markers",
            "marker": {"size": 14, "color": chart.VERMILION, "symbol": "line-ns-open"},
            "hovertemplate": "%{y}<extra>limit</extra>",
        },
        {
            "name": "chosen network, predicted",
            "x": np.asarray(columns["latency_ms"], dtype=float)[rows],
            "y": [places[i] for i in rows],
            "customdata": [str(columns["architecture"][i]) for i in rows],
            "text": [texts[i] for i in rows],
            "hovertemplate": "%{text}<extra></extra>",
            "mode": "markers",
            "marker": {"size": 9, "color": chart.BLUE},
            "error_x": {"array": np.asarray(columns["deviation_ms"], dtype=float)[rows], "color": chart.BLUE},
        },
    ]
    return chart.Chart(
        "The chosen networks and their limits",
        "Predicted latency of the best network within each limit; bars: one standard deviation of a measurement. Click a dot to "
        "copy its architecture.",
        traces,
        {
            "xaxis": chart.axis("latency (ms)", rangemode="tozero"),
            "yaxis": {"type": "category", "dtick": 1, "automargin": True, "autorange": "reversed"},
        },
        height=int(160 + 26 * len(places)),
    )


def _proxies(result: Result, names: list[str]) -> chart.Chart:
    """Devices that like the same proxies stand together, and so do the proxies."""
    srcc = np.asarray(result.arrays["proxy_srcc"], dtype=float)
    proxies = [label(result, name) for name in result.arrays["proxy"]]
    rows, columns = heat_map.order_of(srcc), heat_map.order_of(srcc.T)
    cells = srcc[np.ix_(rows, columns)]
    known = srcc[np.isfinite(srcc)]
    trace: dict[str, Any] = {
        "type": "heatmap",
        "z": cells,
        "x": [proxies[j] for j in columns],
        "y": [names[i] for i in rows],
        "zmin": float(np.floor(known.min() * 5) / 5) if known.size else 0.0,
        "zmax": 1,
        "colorscale": heat_map.COLOURS,
        "reversescale": True,
        "hovertemplate": "%{x} as the proxy of %{y}<br>SRCC %{z:.3f}<extra></extra>",
        "xgap": 1,
        "ygap": 1,
        "colorbar": {"title": {"text": "SRCC"}, "thickness": 14},
    }
    return chart.Chart(
        "Known devices as proxies of the measured ones",
        "SRCC of the predictor of each known device with the measured networks; dark: it can stand in. What is alike stands "
        "together (hierarchical clustering).",
        [trace],
        {
            "xaxis": {"tickangle": -60, "type": "category", "dtick": 1, "automargin": True},
            "yaxis": {"type": "category", "dtick": 1, "automargin": True, "autorange": "reversed"},
        },
        height=int(260 + 24 * len(names)),
    )
