"""A device that was adapted to (`oneproxy adapt --results`): predicted against measured, what was expected, drift."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...result import Result
from .. import architectures, chart, html, words
from .panel import Panel

STRONG = 0.9


def applies(result: Result) -> bool:
    return result.has("measured/value", "measured/predicted", "measured/deviation", "measured/choices")


def panel(result: Result) -> Panel:
    measured, predicted, deviation = (
        np.asarray(result.arrays[f"measured/{key}"], dtype=float) for key in ("value", "predicted", "deviation")
    )
    found = Panel(_sentences(result, measured, predicted, deviation), [_answer(result, measured, predicted, deviation)])
    found.charts.append(_scatter(result, measured, predicted, deviation))
    if result.has("expected/samples", "expected/srcc", "expected/low", "expected/high"):
        found.charts.append(_expected(result))
    if result.has("drift/line", "drift/factor", "drift/reference"):
        found.charts.append(_drift(result))
    return found


def _what(result: Result) -> tuple[str, str]:
    return str(result.attributes.get("quantity", "latency")), str(result.attributes.get("unit", "ms"))


def _sentences(result: Result, measured: np.ndarray, predicted: np.ndarray, deviation: np.ndarray) -> list[str]:
    summary, said = result.summary, []
    n, expected, probability = (summary.get(key) for key in ("n_measured", "expected_srcc", "probability"))
    device = result.attributes.get("device", "the device")
    if expected is not None:
        low, high = (f"{summary[f'expected_srcc_{end}']:.3f}" for end in ("low", "high"))
        said.append(
            f"After {words.counted(n, 'measured network')} the predictor of {device} is expected to rank all others with an SRCC of "
            f"{expected:.3f} (10 to 90 %: {low} to {high})."
        )
    if probability is not None:
        threshold = summary.get("threshold", STRONG)
        if summary.get("stop"):
            what = "it is enough, stop measuring"
        elif summary.get("more"):
            what = f"measure {summary['more']} more"
        else:
            what = "more measurements of this kind would not get there"
        sure = "more than 99 %" if probability > 0.99 else words.share(probability)
        said.append(f"That it reaches {threshold} has a probability of {sure}: {what}.")
    known = np.isfinite(measured) & np.isfinite(deviation)
    if known.any():
        off = np.abs(measured - predicted)[known]
        inside = int((off <= 2 * deviation[known]).sum())
        _, unit = _what(result)
        said.append(
            f"The measured values lie {words.quantity(float(np.median(off)), unit)} from the prediction in the median, and "
            f"{inside} of {known.sum()} within two standard deviations of it; all of them were used to fit it."
        )
    if "drift_max" in summary:
        low, high = summary["drift_min"], summary["drift_max"]
        done = "it was divided out" if summary.get("drift_divided_out") else "it was left in (--drift divides it out)"
        said.append(
            f"While it was measured, the device drifted from {words.number(low, 3)} to {words.number(high, 3)} times its middle "
            f"time; {done}."
        )
    return said


def _answer(result: Result, measured: np.ndarray, predicted: np.ndarray, deviation: np.ndarray) -> html.Raw:
    what, unit = _what(result)
    names = architectures.strings(result, "measured")
    rows = [
        [
            words.quantity(measured[i], unit),
            f"{words.number(predicted[i])} ± {words.number(deviation[i], 2)} {unit}"
            if np.isfinite(deviation[i])
            else words.quantity(predicted[i], unit),
            html.architecture(names[i]),
        ]
        for i in range(len(names))
    ]
    return html.table(["measured", "predicted", "network"], rows, f"The measured networks: {what}", numeric=(0, 1))


def _scatter(result: Result, measured: np.ndarray, predicted: np.ndarray, deviation: np.ndarray) -> chart.Chart:
    what, unit = _what(result)
    names = architectures.strings(result, "measured")
    trace: dict[str, Any] = {
        "name": "measured networks",
        "x": measured,
        "y": predicted,
        "customdata": names,
        "text": [
            chart.box(
                name, f"measured: {words.quantity(m, unit)}", f"predicted: {words.number(p)} ± {words.number(d, 2)}"
            )
            for name, m, p, d in zip(names, measured, predicted, deviation)
        ],
        "hovertemplate": "%{text}<extra></extra>",
        "mode": "markers",
        "marker": {"color": chart.BLUE, "size": 8},
    }
    if np.isfinite(deviation).any():
        trace["error_y"] = {"array": deviation, "color": chart.BLUE, "thickness": 1}
    known = np.concatenate([measured[np.isfinite(measured)], predicted[np.isfinite(predicted)]])
    return chart.Chart(
        "Predicted against measured",
        "Each dot is a measured network; bars: one standard deviation of the prediction. On the dotted line both agree. Click a "
        "dot to copy its architecture.",
        [trace],
        {
            "xaxis": chart.axis(f"{what}, measured ({unit})"),
            "yaxis": chart.axis(f"{what}, predicted ({unit})"),
            "shapes": [chart.diagonal(float(known.min()), float(known.max()))] if known.size else [],
        },
        height=460,
    )


def _expected(result: Result) -> chart.Chart:
    samples = np.asarray(result.arrays["expected/samples"])
    value, low, high = (np.asarray(result.arrays[f"expected/{key}"], dtype=float) for key in ("srcc", "low", "high"))
    return chart.Chart(
        "What was expected after so many measurements",
        f"Expected SRCC with all networks of the device, from the first of its measurements alone; bars: 10 to 90 %, dotted: {STRONG}.",
        [
            {
                "x": samples,
                "y": value,
                "error_y": {
                    "symmetric": False,
                    "array": np.maximum(0, high - value),
                    "arrayminus": np.maximum(0, value - low),
                },
                "mode": "lines+markers",
                "line": {"color": chart.BLUE, "width": 2},
                "hovertemplate": "%{x} measurements: SRCC %{y:.3f} expected<extra></extra>",
                "showlegend": False,
            }
        ],
        {
            "xaxis": chart.axis("measured networks"),
            "yaxis": chart.axis("expected SRCC"),
            "shapes": [chart.level(STRONG)],
        },
        height=380,
    )


def _drift(result: Result) -> chart.Chart:
    line, factor = (np.asarray(result.arrays[f"drift/{key}"], dtype=float) for key in ("line", "factor"))
    reference = np.asarray(result.arrays["drift/reference"]) > 0
    return chart.Chart(
        "Drift of the device while it was measured",
        "How much longer (above 1) or shorter everything took at that measurement, read off the network that was measured again "
        "and again (dots).",
        [
            {
                "name": "in between",
                "x": line + 1,
                "y": factor,
                "mode": "lines",
                "line": {"color": chart.SKY, "width": 2},
                "hovertemplate": "measurement %{x}: factor %{y:.3f}<extra></extra>",
            },
            {
                "name": "the network measured again",
                "x": line[reference] + 1,
                "y": factor[reference],
                "mode": "markers",
                "marker": {"color": chart.BLUE, "size": 8},
                "hovertemplate": "measurement %{x}: factor %{y:.3f}<extra></extra>",
            },
        ],
        {
            "xaxis": chart.axis("measurement, in the order of the file"),
            "yaxis": chart.axis("factor"),
            "shapes": [chart.level(1)],
        },
        height=360,
    )
