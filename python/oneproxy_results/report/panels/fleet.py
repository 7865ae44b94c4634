"""Every device as the proxy of every other: how few proxies a fleet needs, and who serves whom."""

from __future__ import annotations

import numpy as np

from ...result import Result
from .. import chart, html, words
from ..devices import label
from .heat_map import COLOURS, STRONG, cluster
from .panel import Panel


def applies(result: Result) -> bool:
    return result.has("devices", "srcc", "sweep_srcc", "sweep_budgets")


def panel(result: Result) -> Panel:
    budgets = [0, *(int(budget) for budget in result.arrays["sweep_budgets"])]
    names = [label(result, name) for name in result.arrays["devices"]]
    matrices = [np.asarray(m, dtype=float) for m in (result.arrays["srcc"], *result.arrays["sweep_srcc"])]
    return Panel(
        _sentences(result, budgets, len(names)),
        [_answer(result, budgets)],
        [_cover(matrices, budgets, names), _matrices(matrices, budgets, names)],
    )


def _proxies(result: Result, budget: int) -> list[str]:
    told = str(result.summary.get(f"proxies.{budget}", ""))
    return [label(result, name) for name in told.split(", ") if name]


def _sentences(result: Result, budgets: list[int], n: int) -> list[str]:
    summary, said = result.summary, []
    bare = summary.get("proxies_needed.0")
    served = summary.get("served_share.0")
    if bare is not None and served is not None:
        said.append(
            f"As they are, the {n} devices need {words.counted(bare, 'proxy', 'proxies')}: one serves another (SRCC of at least "
            f"{STRONG}) in {words.share(served)} of the pairs."
        )
    best = min(
        (b for b in budgets[1:] if summary.get(f"measurements.{b}") is not None),
        key=lambda b: (summary[f"measurements.{b}"], b),
        default=None,
    )
    if best is not None:
        needed = summary[f"proxies_needed.{best}"]
        said.insert(
            0,
            f"With {best} measurements on each other device, {words.counted(needed, 'proxy serves', 'proxies serve')} the whole "
            f"fleet of {n}: {words.listed(_proxies(result, best))}. That saves {words.share(summary[f'saved_share.{best}'])} of the "
            "measurements that every device by itself would take.",
        )
        weakest = summary.get(f"srcc_worst.{best}")
        if weakest is not None:
            said.append(
                f"The mean SRCC of all pairs is {words.srcc(summary[f'srcc_mean.{best}'])} then ({words.srcc(summary['srcc_mean.0'])} "
                f"without adaptation); the least of any pair is {words.srcc(weakest)}."
            )
    return said


def _answer(result: Result, budgets: list[int]) -> html.Raw:
    rows = []
    for budget in budgets:
        of = lambda key: result.summary.get(f"{key}.{budget}")  # noqa: B023, E731
        exact = "" if of("proxies_exact") in (True, None) else " (found, not proven)"
        rows.append(
            [
                str(budget),
                f"{of('proxies_needed')}{exact}",
                words.listed(_proxies(result, budget), most=12) if _proxies(result, budget) else words.UNKNOWN,
                words.share(of("served_share")),
                words.srcc(of("srcc_mean")),
                words.plain_value(of("measurements")),
                words.share(of("saved_share")),
            ]
        )
    head = [
        "measurements on each target",
        "proxies needed",
        "which",
        "pairs served",
        "mean SRCC",
        "measurements in all",
        "saved",
    ]
    return html.table(head, rows, "The fewest proxies that serve every device", numeric=(0, 1, 3, 4, 5, 6))


def _cover(matrices: list[np.ndarray], budgets: list[int], names: list[str]) -> chart.Chart:
    served = [((m >= STRONG) & ~np.eye(len(m), dtype=bool)).sum(axis=1) for m in matrices]
    order = np.argsort(-served[0], kind="stable")
    colours = [chart.GREY, chart.SKY, chart.BLUE, chart.GREEN, chart.ORANGE, chart.PURPLE]
    traces = [
        {
            "type": "bar",
            "name": "as it is" if budget == 0 else f"{budget} measurements",
            "x": [names[i] for i in order],
            "y": count[order],
            "marker": {"color": colours[i % len(colours)]},
            "hovertemplate": f"%{{x}} serves %{{y}} of {len(names) - 1}<extra>%{{fullData.name}}</extra>",
        }
        for i, (budget, count) in enumerate(zip(budgets, served))
    ]
    return chart.Chart(
        "How many others each device can stand in for",
        f"Targets whose networks are ranked with an SRCC of at least {STRONG}, out of {len(names) - 1}, by the number of "
        "measurements on each target.",
        traces,
        {
            "barmode": "group",
            "xaxis": {"tickangle": -60, "type": "category", "dtick": 1},
            "yaxis": chart.axis("targets served", range=[0, len(names) - 1 + 0.5]),
        },
        height=440,
    )


def _matrices(matrices: list[np.ndarray], budgets: list[int], names: list[str]) -> chart.Chart:
    order, _ = cluster(matrices[0])
    known = np.concatenate([m[np.isfinite(m)] for m in matrices])
    low = float(np.floor(known.min() * 5) / 5) if known.size else 0.0
    labels = [names[i] for i in order]
    traces, views = [], {}
    for i, (budget, matrix) in enumerate(zip(budgets, matrices)):
        cells = matrix[np.ix_(order, order)]
        traces.append(
            {
                "type": "heatmap",
                "z": cells,
                "x": labels,
                "y": labels,
                "zmin": low,
                "zmax": 1,
                "colorscale": COLOURS,
                "reversescale": True,
                "xgap": 1,
                "ygap": 1,
                "text": [["serves" if value >= STRONG else "does not serve" for value in row] for row in cells],
                "hovertemplate": "%{y} %{text} %{x}<br>SRCC %{z:.3f}<extra></extra>",
                "colorbar": {"title": {"text": "SRCC"}, "thickness": 14, "len": 0.7},
            }
        )
        views["as they are" if budget == 0 else f"adapted with {budget} measurements"] = [i]
    return chart.Chart(
        "Which proxy serves which target",
        f"Rows: the proxy. Columns: the target. It serves where the SRCC is at least {STRONG}. Devices that are alike stand "
        "together (hierarchical clustering).",
        traces,
        {
            "xaxis": {"title": {"text": "target"}, "tickangle": -60, "showgrid": False, "type": "category", "dtick": 1},
            "yaxis": {
                "title": {"text": "proxy"},
                "autorange": "reversed",
                "showgrid": False,
                "type": "category",
                "dtick": 1,
            },
        },
        height=int(max(360, 21 * len(names) + 160)),
        views=views,
        view_name="Proxies:",
    )
