"""A predictor against what was measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...result import Result
from .. import chart, words
from .panel import Panel


def applies(result: Result) -> bool:
    return result.has("test/measured", "test/predicted") or result.has("kept_back/accuracy", "kept_back/model")


def panel(result: Result) -> Panel:
    if result.has("test/measured"):
        return _trained(result)
    return _accuracy(result)


def _trained(result: Result) -> Panel:
    summary, unit = result.summary, str(result.attributes.get("unit", ""))
    target = str(result.attributes.get("target", "what was measured"))
    srcc, linear = summary.get("srcc"), summary.get("linear.srcc")
    said = [
        f"On {summary.get('samples_test', 'unseen'):,} networks that it has not seen, the trained predictor of {target} ranks with an "
        f"SRCC of {words.srcc(srcc)} and misses the value by {words.quantity(summary.get('rmse'), unit)} (root mean square)."
    ]
    if srcc is not None and linear is not None:
        better = "worth its training" if srcc > linear else "so the linear one is the better choice here"
        said.append(f"A linear predictor of the same networks reaches {words.srcc(linear)}: {better}.")
    curves: list[chart.Chart] = [
        _dots(
            "Predicted and measured",
            np.asarray(result.arrays["test/measured"], dtype=float),
            {"trained": np.asarray(result.arrays["test/predicted"], dtype=float)}
            | (
                {"linear": np.asarray(result.arrays["test/linear_predicted"], dtype=float)}
                if result.has("test/linear_predicted")
                else {}
            ),
            f"{target} ({unit})" if unit else target,
        )
    ]
    if result.has("train_loss", "validation_loss"):
        curves.append(_loss(result))
    return Panel(said, [], curves)


def _accuracy(result: Result) -> Panel:
    summary, unit = result.summary, str(result.attributes.get("unit", ""))
    said = [
        f"On networks that were kept back the stand-in for accuracy ranks with an SRCC of {words.srcc(summary.get('srcc.kept_back'))}; "
        f"MACs rank them with {words.srcc(summary.get('srcc.kept_back.macs'))}."
    ]
    if summary.get("srcc.deeper") is not None:
        said.append(f"On networks deeper than those it learnt from it reaches {words.srcc(summary['srcc.deeper'])}.")
    return Panel(
        said,
        [],
        [
            _dots(
                "The stand-in and the trained accuracy",
                np.asarray(result.arrays["kept_back/accuracy"], dtype=float),
                {"stand-in": np.asarray(result.arrays["kept_back/model"], dtype=float)},
                f"accuracy ({unit})" if unit else "accuracy",
            )
        ],
    )


def _dots(title: str, measured: np.ndarray, predicted: dict[str, np.ndarray], what: str) -> chart.Chart:
    shown = chart.thinned(len(measured))
    traces: list[dict[str, Any]] = [
        {
            "name": name,
            "x": measured[shown],
            "y": values[shown],
            "mode": "markers",
            "marker": {"size": 4, "opacity": 0.5, "color": colour},
            "hovertemplate": "measured %{x:.5g}, predicted %{y:.5g}<extra>%{fullData.name}</extra>",
        }
        for (name, values), colour in zip(predicted.items(), (chart.BLUE, chart.VERMILION))
    ]
    low, high = float(np.nanmin(measured)), float(np.nanmax(measured))
    part = "" if len(shown) == len(measured) else f" {len(shown):,} of {len(measured):,} are drawn."
    return chart.Chart(
        title,
        f"Each dot is a network that was not learnt from; on the line the prediction is right.{part}",
        traces,
        {
            "xaxis": chart.axis(f"{what}, measured"),
            "yaxis": chart.axis(f"{what}, predicted"),
            "shapes": [chart.diagonal(low, high)],
        },
        height=480,
    )


def _loss(result: Result) -> chart.Chart:
    traces = []
    for key, name, colour in (
        ("train_loss", "training", chart.BLUE),
        ("validation_loss", "validation", chart.VERMILION),
    ):
        values = np.asarray(result.arrays[key], dtype=float)
        traces.append(
            {"name": name, "x": np.arange(1, len(values) + 1), "y": values, "mode": "lines", "line": {"color": colour}}
        )
    return chart.Chart(
        "How the training went",
        "Loss after each pass over the data; the pass with the least validation loss was kept.",
        traces,
        {"xaxis": chart.axis("pass over the training data"), "yaxis": chart.axis("loss", type="log")},
        height=340,
    )
