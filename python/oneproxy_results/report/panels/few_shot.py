"""Adaptation with a handful of measurements: how well the networks are ranked, and how well that was foreseen."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...result import Result
from .. import chart, html, words
from ..devices import label
from .panel import Panel

STRONG = 0.9


def applies(result: Result) -> bool:
    return result.has("tasks") and any(
        name.startswith("task/") and name.endswith("/expected_srcc") for name in result.arrays
    )


def panel(result: Result) -> Panel:
    tasks = [str(name) for name in result.arrays["tasks"]]
    found = Panel()
    rows: list[list[html.Cell]] = []
    for task in tasks:
        samples = np.asarray(result.arrays[f"task/{task}/samples"])
        targets = [label(result, name) for name in result.arrays[f"task/{task}/targets"]]
        srcc, expected = (
            np.asarray(result.arrays[f"task/{task}/{what}"], dtype=float).reshape(len(targets), len(samples), -1)
            for what in ("srcc", "expected_srcc")
        )
        found.sentences.append(_sentence(result, task, samples, targets, srcc))
        found.charts += [
            _curve(task, samples, targets, srcc, expected),
            _foreseen(task, samples, targets, srcc, expected),
        ]
        most = int(np.argmax(samples))
        for i, target in enumerate(targets):
            rows.append(
                [
                    task,
                    target,
                    str(samples[most]),
                    words.srcc(np.nanmean(srcc[i, most])),
                    words.srcc(np.nanmean(expected[i, most])),
                ]
            )
    found.sentences += _foresight(result, tasks)
    head = ["task", "target", "measurements", "SRCC reached", "SRCC that was expected"]
    found.answer = [html.table(head, rows, "Each target, with the most measurements", numeric=(2, 3, 4))]
    return found


def _sentence(result: Result, task: str, samples: np.ndarray, targets: list[str], srcc: np.ndarray) -> str:
    most = int(np.argmax(samples))
    mean = np.nanmean(srcc, axis=2)  # [targets, samples]
    weakest = int(np.nanargmin(mean[:, most]))
    interval = result.summary.get(f"srcc_mean_interval95.{task}")
    sure = f" ± {words.number(interval, 2)}" if interval is not None else ""
    worst = (
        f", worst on {targets[weakest]} ({words.srcc(mean[weakest, most])})"
        if len(targets) > 1
        else f" on {targets[0]}"
    )
    fewer = [i for i in range(len(samples)) if np.nanmean(mean[:, i]) >= STRONG]
    enough = (
        f"; {samples[min(fewer, key=lambda i: samples[i])]} are enough for {STRONG} on average"
        if fewer and samples[min(fewer, key=lambda i: samples[i])] < samples[most]
        else ""
    )
    return (
        f"{task}: with {samples[most]} measurements the networks are ranked with a mean SRCC of "
        f"{words.srcc(np.nanmean(mean[:, most]))}{sure}{worst}{enough}."
    )


def _foresight(result: Result, tasks: list[str]) -> list[str]:
    errors = [
        (int(key.rpartition(".")[2]), value)
        for key, value in result.summary.items()
        if key.startswith("expected_error.") and value is not None and key.rpartition(".")[2].isdigit()
    ]
    if not errors:
        return []
    most = max(samples for samples, _ in errors)
    error = float(np.mean([value for samples, value in errors if samples == most]))
    return [
        f"The SRCC that was expected before anything else was measured is wrong by {words.number(error, 2)} on average with "
        f"{most} measurements: it can tell when to stop."
        if error <= 0.05
        else f"The SRCC that was expected is wrong by {words.number(error, 2)} on average with {most} measurements: do not rely "
        "on it alone to stop."
    ]


def _curve(task: str, samples: np.ndarray, targets: list[str], srcc: np.ndarray, expected: np.ndarray) -> chart.Chart:
    order = np.argsort(samples)
    reached = np.nanmean(srcc, axis=(0, 2))[order]
    each = np.nanmean(srcc, axis=2)[:, order]
    traces: list[dict[str, Any]] = [
        {
            "name": "reached (bars: worst, best target)",
            "x": samples[order],
            "y": reached,
            "error_y": {
                "symmetric": False,
                "array": np.nanmax(each, axis=0) - reached,
                "arrayminus": reached - np.nanmin(each, axis=0),
            },
            "mode": "lines+markers",
            "line": {"color": chart.BLUE, "width": 2.5},
            "hovertemplate": "%{x} measurements: SRCC %{y:.3f}<extra>reached</extra>",
        },
        {
            "name": "expected",
            "x": samples[order],
            "y": np.nanmean(expected, axis=(0, 2))[order],
            "mode": "lines+markers",
            "line": {"color": chart.VERMILION, "width": 2, "dash": "dash"},
            "hovertemplate": "%{x} measurements: SRCC %{y:.3f} expected<extra>expected</extra>",
        },
    ]
    return chart.Chart(
        f"{task}: SRCC against the number of measurements",
        f"What was reached on {words.counted(len(targets), 'target')}, and what the method expected from its measurements alone.",
        traces,
        {
            "xaxis": chart.axis("measurements on the target", tickvals=samples[order]),
            "yaxis": chart.axis("SRCC with the target's measurements"),
        },
        height=400,
    )


def _foreseen(
    task: str, samples: np.ndarray, targets: list[str], srcc: np.ndarray, expected: np.ndarray
) -> chart.Chart:
    traces = []
    for i, k in enumerate(samples):
        x, y = expected[:, i].reshape(-1), srcc[:, i].reshape(-1)
        traces.append(
            {
                "name": f"{k} measurements",
                "x": x,
                "y": y,
                "text": [target for target in targets for _ in range(srcc.shape[2])],
                "mode": "markers",
                "marker": {"size": 7, "color": chart.CYCLE[i % len(chart.CYCLE)], "opacity": 0.8},
                "hovertemplate": f"%{{text}}, {k} measurements<br>expected %{{x:.3f}}, reached %{{y:.3f}}<extra></extra>",
            }
        )
    known = np.concatenate([srcc[np.isfinite(srcc)], expected[np.isfinite(expected)]])
    low = float(known.min()) if known.size else 0.0
    return chart.Chart(
        f"{task}: foreseen and reached",
        "Each dot is one trial on one target; on the line what was expected came true, below it too much was expected.",
        traces,
        {
            "xaxis": chart.axis("SRCC that was expected"),
            "yaxis": chart.axis("SRCC that was reached"),
            "shapes": [chart.diagonal(low, 1)],
        },
        height=420,
    )
