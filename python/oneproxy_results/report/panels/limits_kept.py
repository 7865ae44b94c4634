"""Whether answers keep their limits on the device, at what confidence, and what that costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...result import Result
from .. import chart, html, words
from .panel import Panel


def applies(result: Result) -> bool:
    return result.has("limits_kept_tasks")


def panel(result: Result) -> Panel:
    confidences = _confidences(result)
    return Panel(
        _sentences(result, confidences), [_answer(result, confidences)], [_asked_and_kept(result, confidences)]
    )


def _confidences(result: Result) -> list[str]:
    """As the summary has them; "0" is a search without any."""
    keys = [key.removeprefix("kept.") for key in result.summary if key.startswith("kept.")]
    tasks = [str(name) for name in result.arrays["limits_kept_tasks"]]
    return sorted((key for key in keys if not any(key.endswith(f".{task}") for task in tasks)), key=float)


def _sentences(result: Result, confidences: list[str]) -> list[str]:
    summary, said = result.summary, []
    if "0" in confidences:
        said.append(
            f"Searched without a confidence, {words.share(summary['kept.0'])} of the answers keep their limit when they are "
            f"measured; {words.share(summary['far_off.0'])} break it by more than 5 %."
        )
    asked = [c for c in confidences if c != "0"]
    if asked:
        c = asked[-1]
        kept, lost = summary[f"kept.{c}"], summary.get(f"quality_given.{c}")
        if kept is not None:
            good = "so the confidence holds" if kept >= float(c) else "so less than was asked for"
            price = f"; it costs {words.share(lost)} of the quality" if lost is not None else ""
            said.append(
                f"Asked for a confidence of {words.share(float(c))}, {words.share(kept)} are kept, {good}{price}."
            )
        alone = summary.get(f"uncalibrated_kept.{c}")
        if alone is not None and kept is not None:
            said.append(
                f"Without calibration on source devices {words.share(alone)} would be kept instead of {words.share(kept)}."
                if round(alone, 3) != round(kept, 3)
                else "Calibration on source devices changes nothing here."
            )
    return said


def _answer(result: Result, confidences: list[str]) -> html.Raw:
    rows = [
        [
            "none" if c == "0" else words.share(float(c)),
            *(
                words.share(_number(result, f"{key}.{c}"))
                for key in ("kept", "said", "far_off", "quality_lost", "none")
            ),
        ]
        for c in confidences
    ]
    head = [
        "confidence asked for",
        "limits kept",
        "probability said",
        "broken by more than 5 %",
        "quality lost",
        "nothing found",
    ]
    return html.table(head, rows, "Answers over all tasks, measured on the device", numeric=range(6))


def _number(result: Result, key: str) -> float:
    value = result.summary.get(key)
    return float("nan") if value is None else float(value)


def _asked_and_kept(result: Result, confidences: list[str]) -> chart.Chart:
    asked = [c for c in confidences if c != "0"]
    x = [float(c) for c in asked]
    traces: list[dict[str, Any]] = []
    for i, task in enumerate(str(name) for name in result.arrays["limits_kept_tasks"]):
        traces.append(
            {
                "name": task,
                "x": x,
                "y": [_number(result, f"kept.{c}.{task}") for c in asked],
                "mode": "lines+markers",
                "line": {"color": chart.CYCLE[i % len(chart.CYCLE)], "width": 1.4},
            }
        )
    traces.append(
        {
            "name": "all tasks",
            "x": x,
            "y": [_number(result, f"kept.{c}") for c in asked],
            "mode": "lines+markers",
            "line": {"color": chart.BLACK, "width": 3},
        }
    )
    for trace in traces:
        trace["hovertemplate"] = "asked %{x:.0%}, kept %{y:.1%}<extra>%{fullData.name}</extra>"
    lowest = float(np.nanmin([0.5, *x, *(y for trace in traces for y in trace["y"])]))
    return chart.Chart(
        "Confidence asked for, and limits kept",
        "Share of the answers that keep their limit on the device, against the confidence that was asked for; on or above the "
        "dotted line the promise is kept.",
        traces,
        {
            "xaxis": chart.axis("confidence asked for", tickformat=".0%"),
            "yaxis": chart.axis(
                "share of the answers that keep their limit", tickformat=".0%", range=[lowest - 0.05, 1.03]
            ),
            "shapes": [chart.diagonal(lowest, 1)],
        },
        height=420,
    )
