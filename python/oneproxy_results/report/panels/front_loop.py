"""Measuring in a loop: what is known of the true front after so many measurements, by method."""

from __future__ import annotations

import numpy as np

from ...result import Result
from .. import chart, words
from .panel import Panel

COLOURS = {"loop": chart.VERMILION, "adaproxy": chart.GREEN, "random": chart.GREY}
PLANS = (chart.SKY, chart.BLUE, chart.PURPLE, chart.ORANGE, chart.BLACK)


def applies(result: Result) -> bool:
    return result.has("front_loop_tasks")


def panel(result: Result) -> Panel:
    found = Panel()
    for task in (str(name) for name in result.arrays["front_loop_tasks"]):
        curves = _curves(result, task)
        found.sentences += _sentences(task, curves)
        found.charts.append(_chart(task, curves))
    found.sentences += _to_stop(result)
    return found


def _curves(result: Result, task: str) -> dict[str, np.ndarray]:
    """Share of the true hypervolume, mean of all runs, after 1, 2, ... measurements; by method."""
    group = f"front_loop/{task}/"
    longest = int(np.max(result.arrays[group + "measured"]))
    return {
        str(method): np.asarray(result.arrays[f"{group}{method}/hypervolume"], dtype=float)[..., :longest].mean(
            axis=(0, 1, 2)
        )
        for method in result.arrays[group + "methods"]
    }


def name(method: str) -> str:
    kind, _, samples = method.partition("_")
    said = {
        "loop": "the loop (oneproxy next)",
        "plan": f"a plan of {samples}, then its front",
        "adaproxy": f"AdaProxy with {samples}, then its front",
        "random": "random networks",
    }
    return said.get(kind, method)


def _sentences(task: str, curves: dict[str, np.ndarray]) -> list[str]:
    n = min(len(curve) for curve in curves.values())
    at = {method: float(curve[n - 1]) for method, curve in curves.items()}
    if "loop" not in at or len(at) < 2:
        return []
    rival = max((m for m in at if m != "loop"), key=lambda m: at[m])
    ahead = at["loop"] > at[rival]
    sentence = (
        f"{task}: after {n} measurements the loop knows {words.share(at['loop'])} of the true front's hypervolume, "
        f"{'more than' if ahead else 'less than' if at['loop'] < at[rival] else 'as much as'} the best other way, "
        f"{name(rival)} ({words.share(at[rival])})"
    )
    if "random" in at and rival != "random":
        sentence += f"; random networks reach {words.share(at['random'])}"
    return [sentence + "."]


def _to_stop(result: Result) -> list[str]:
    needed = result.summary.get("measurements_to_99.loop")
    if needed is None:
        return []
    return [
        f"In the median the loop needs {words.number(needed)} measurements to know 99 % of the true front's hypervolume."
    ]


def _chart(task: str, curves: dict[str, np.ndarray]) -> chart.Chart:
    plans = [method for method in curves if method.startswith("plan")]
    traces = [
        {
            "name": name(method),
            "x": np.arange(1, len(curve) + 1),
            "y": curve,
            "mode": "lines",
            "line": {
                "color": PLANS[plans.index(method) % len(PLANS)]
                if method in plans
                else COLOURS.get(method.split("_")[0], chart.BLACK),
                "width": 3 if method == "loop" else 1.6,
            },
            "hovertemplate": "%{x} measurements: %{y:.2%}<extra>%{fullData.name}</extra>",
        }
        for method, curve in curves.items()
    ]
    return chart.Chart(
        f"{task}: what is known after so many measurements",
        "Share of the true front's hypervolume that the measured networks hold, mean of all runs. Higher and earlier is better.",
        traces,
        {
            "xaxis": chart.axis("measurements on the target, samples included"),
            "yaxis": chart.axis("share of the true front's hypervolume", tickformat=".0%", range=[0, 1.02]),
        },
        height=430,
    )
