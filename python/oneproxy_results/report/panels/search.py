"""A search: the best networks within each limit, how sure, and the front to point at and copy from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...figures import words as picture_words
from ...result import Result
from .. import architectures, chart, html, objectives, words
from ..objectives import Objective
from .panel import Panel

ROWS = 100  # of the front, in the table below the chart


@dataclass
class Answer:
    limit: str  # "25" or, with limits on two objectives, "25_300000" (keys of the summary) or in words (best/limit)
    place: int
    arch: str | None
    values: dict[str, float | None]  # by name of the objective; its deviation and probability too


def applies(result: Result) -> bool:
    return result.has("front/choices", "objectives/name", "objectives/label", "objectives/unit", "objectives/direction")


def panel(result: Result) -> Panel:
    goal, *limited = objectives.of(result)
    answers = _answers(result, [goal, *limited])
    found = Panel(_sentences(result, goal, limited, answers), [_table(goal, limited, answers)])
    found.charts = [_front(result, goal, limited, answers), _front_table(result, [goal, *limited])]
    return found


def _answers(result: Result, everything: list[Objective]) -> list[Answer]:
    """All that the search answered, and the limits within which it found nothing."""
    goal = everything[0].name
    tails = [
        key.partition(".")[2] for key in result.summary if key.startswith(f"{goal}.") and not key.endswith(".reason")
    ]
    names = [f"{o.name}{more}" for o in everything for more in ("", "_deviation", "_probability")]
    if not result.has("best/limit", "best/place"):
        return [
            Answer(
                tail,
                1,
                result.summary.get(f"arch.{tail}"),
                {name: result.summary.get(f"{name}.{tail}") for name in names},
            )
            for tail in tails
        ]
    arch = architectures.strings(result, "best")
    found = [
        Answer(
            str(limit),
            int(place),
            arch[i],
            {
                name: float(result.arrays[f"best/{name}"][i]) if f"best/{name}" in result.arrays else None
                for name in names
            },
        )
        for i, (limit, place) in enumerate(zip(result.arrays["best/limit"], result.arrays["best/place"]))
    ]
    empty = [tail for tail in tails if result.summary[f"{goal}.{tail}"] is None]
    return found + [Answer(tail, 1, None, dict.fromkeys(names)) for tail in empty]


def _limit(answer: Answer, limited: list[Objective]) -> str:
    parts = answer.limit.split("_")
    if len(parts) != len(limited):
        return answer.limit
    return ", ".join(
        (f"{objective.label} " if len(limited) > 1 else "")
        + f"{'at least' if objective.maximised else 'at most'} {_number(part, objective.unit)}"
        for part, objective in zip(parts, limited)
    )


def _number(text: str, unit: str) -> str:
    try:
        return words.quantity(float(text), unit)
    except ValueError:
        return text


def _value(answer: Answer, objective: Objective) -> str:
    value = answer.values[objective.name]
    if value is None:
        return "none found"
    deviation = answer.values[f"{objective.name}_deviation"]
    if deviation is None:
        return objective.said(value)
    return f"{words.number(value)} ± {words.number(deviation, 2)} {objective.unit}".strip()


def _table(goal: Objective, limited: list[Objective], answers: list[Answer]) -> html.Raw:
    sure = [o for o in limited if any(a.values[f"{o.name}_probability"] is not None for a in answers)]
    head = ["limit", goal.label, *(o.label for o in limited)]
    head += [f"probability to keep it ({o.label})" if len(sure) > 1 else "probability to keep the limit" for o in sure]
    head.append("network")
    rows = []
    for answer in answers:
        row: list[html.Cell] = [_limit(answer, limited), _value(answer, goal), *(_value(answer, o) for o in limited)]
        row += [words.share(_or_nan(answer.values[f"{o.name}_probability"])) for o in sure]
        row.append(html.architecture(answer.arch) if answer.arch else "no network within the limit was found")
        rows.append(row)
    caption = "The best networks within each limit"
    if sure:
        caption += "; ± is one standard deviation of a single measurement around the prediction"
    return html.table(head, rows, caption, numeric=range(1, 1 + 1 + len(limited) + len(sure)))


def _or_nan(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _sentences(result: Result, goal: Objective, limited: list[Objective], answers: list[Answer]) -> list[str]:
    summary = result.summary
    told = [a for a in answers if a.place == 1 and a.values[goal.name] is not None]
    said = []
    if told:
        first, last = told[0], told[-1]
        one = f"Within {_short(first, limited)} the best network found reaches {goal.said(first.values[goal.name])} ({goal.label})"
        if last is not first:
            one += f", and within {_short(last, limited)} {goal.said(last.values[goal.name])}"
        said.append(one + ".")
    none = [a for a in answers if a.values[goal.name] is None]
    if none:
        said.append(f"Nothing was found within {words.listed(_short(a, limited) for a in none)}.")
    said += _certainty(result, limited, told)
    if summary.get("quality_is_stand_in"):
        said.append(
            f"The quality ({goal.label}) is a stand-in for accuracy: use it to compare networks, and train the ones you "
            "choose before you state an accuracy."
        )
    return said


def _short(answer: Answer, limited: list[Objective]) -> str:
    parts = answer.limit.split("_")
    if len(parts) != len(limited):
        return answer.limit
    return words.listed(_number(part, objective.unit) for part, objective in zip(parts, limited))


def _certainty(result: Result, limited: list[Objective], told: list[Answer]) -> list[str]:
    summary, said = result.summary, []
    certainty = str(summary.get("certainty", ""))
    evaluated = summary.get("evaluated")
    if certainty.startswith("exact among"):  # a sample, or a range
        looked = certainty.split(";")[0].removeprefix("exact ")
        said.append(
            f"By these predictions no network is better {looked}; among the others better ones may exist. A measurement can "
            "still differ."
        )
    elif certainty.startswith("exact"):
        said.append(
            "No network can be better by these predictions: the search is exact. A measurement can still differ."
        )
    elif certainty.startswith("certified: "):
        proven = certainty.removeprefix("certified: ").partition("; the front is")[0]
        said.append(f"These networks are the best or next to it by these predictions, which is proven: {proven}.")
    elif certainty:
        looked = f" after {evaluated:,} evaluations" if isinstance(evaluated, int) else ""
        said.append(f"These are the best networks that were found{looked}; better ones may exist ({certainty}).")
    regrets = words.numbers_of(summary, "regret.")
    if regrets and "hv_ratio" in summary:
        worst = max(regrets)
        lost = "no limit lost anything" if worst == 0 else f"at most {words.number(worst, 2)} was lost at a limit"
        said.append(
            f"Beside the truth, which is known here, the front has {words.share(summary['hv_ratio'])} of the "
            f"hypervolume, and {lost}."
        )
    for objective in limited:
        sure = [p for a in told if (p := a.values[f"{objective.name}_probability"]) is not None]
        if sure:
            said.append(
                f"Each of these networks keeps its limit ({objective.label}) with a probability of at least "
                f"{words.share(min(sure))}"
                + (f"; {words.share(summary['confidence'])} was asked for." if summary.get("confidence") else ".")
            )
    return said


def _front(result: Result, goal: Objective, limited: list[Objective], answers: list[Answer]) -> chart.Chart:
    across = limited[0]
    traces = []
    if result.has("exhaustive_front/choices"):
        traces.append(_curve(result, "exhaustive_front", [goal, *limited], "the true front", chart.GREY, "circle-open"))
    certain = str(result.summary.get("certainty", "")).startswith(("exact", "certified"))
    traces.append(
        _curve(result, "front", [goal, *limited], "the front" if certain else "the front found", chart.BLUE, "circle")
    )
    told = [a for a in answers if a.values[goal.name] is not None and a.values[across.name] is not None]
    if told:
        bars = [_or_nan(a.values[f"{across.name}_deviation"]) for a in told]
        shown = {
            "name": "answers",
            "x": [a.values[across.name] for a in told],
            "y": [a.values[goal.name] for a in told],
            "customdata": [a.arch or "" for a in told],
            "text": [
                chart.box(a.arch or "", *_lines(a, [goal, *limited]), f"limit: {_limit(a, limited)}") for a in told
            ],
            "hovertemplate": "%{text}<extra>answer</extra>",
            "mode": "markers",
            "marker": {"symbol": "star", "size": 13, "color": chart.VERMILION},
            **({"error_x": {"array": bars, "color": chart.VERMILION}} if np.isfinite(bars).any() else {}),
        }
        for trace in traces:
            _speak_alike(trace, shown)
        traces.append(shown)
    limits = sorted({part for a in answers for part in [_first_limit(a, limited)] if part is not None})
    shapes = [chart.upright(limit) for limit in limits]
    size = len(result.arrays["front/choices"])
    ticks = chart.without_outliers([y for trace in traces for y in trace["y"]]) if goal.maximised else {}
    third = (
        f" The other limited quantities ({words.listed(o.label for o in limited[1:])}) stand in the boxes."
        if limited[1:]
        else ""
    )
    drawn = traces[-1 if not told else -2]
    bars_said = " Bars: one standard deviation." if "error_x" in drawn or told and "error_x" in traces[-1] else ""
    if across.unit == "ms" and np.nanmin(np.r_[result.arrays[f"front/{across.name}"], np.inf]) < 0:
        third += " A predicted latency below zero means: too fast for the predictor to tell how fast."
    return chart.Chart(
        "The front: no network is better in everything than one of these",
        f"{words.counted(size, 'network')}; searched: {_searched(result)}. Dotted: the limits.{bars_said}{third} "
        f"Point at a dot to see its network; click it to copy the architecture.{chart.HIDDEN if ticks else ''}",
        traces,
        {"xaxis": chart.axis(across.title), "yaxis": chart.axis(goal.title, **ticks), "shapes": shapes},
        height=520,
    )


def _searched(result: Result) -> str:
    """All of a space, or how many of how many: what the result says of itself."""
    told = str(result.attributes.get("searched") or result.summary.get("part", "the space"))
    return picture_words.spaces(picture_words.numbers(told))


def _speak_alike(curve: dict[str, Any], shown: dict[str, Any]) -> None:
    """A dot of a curve under the star of an answer says what the star says, whichever the mouse finds."""
    for x, y, arch, text in zip(shown["x"], shown["y"], shown["customdata"], shown["text"]):
        for i in np.flatnonzero(np.isclose(curve["x"], x, rtol=1e-6) & np.isclose(curve["y"], y, rtol=1e-6)):
            curve["customdata"][i], curve["text"][i] = arch, text


def _first_limit(answer: Answer, limited: list[Objective]) -> float | None:
    try:
        return float(answer.limit.split("_")[0]) if len(answer.limit.split("_")) == len(limited) else None
    except ValueError:
        return None


def _lines(answer: Answer, everything: list[Objective]) -> list[str]:
    return [f"{objective.label}: {_value(answer, objective)}" for objective in everything]


def _curve(
    result: Result, group: str, everything: list[Objective], name: str, colour: str, symbol: str
) -> dict[str, Any]:
    goal, *limited = everything
    across = limited[0]
    columns = {
        objective.name: np.asarray(result.arrays[f"{group}/{objective.name}"], dtype=float) for objective in everything
    }
    order = np.argsort(columns[across.name], kind="stable")
    rows = order[chart.thinned(len(order))]
    names = architectures.strings(result, group, rows)
    deviation = result.arrays.get(f"{group}/{across.name}_deviation")
    texts = []
    for i, arch in zip(rows, names):
        lines = [f"{o.label}: {o.said(columns[o.name][i])}" for o in everything]
        if deviation is not None:
            lines[1] += f" ± {words.number(deviation[i], 2)}"
        texts.append(chart.box(arch, *lines))
    trace = {
        "name": name,
        "x": columns[across.name][rows],
        "y": columns[goal.name][rows],
        "customdata": names,
        "text": texts,
        "hovertemplate": f"%{{text}}<extra>{name}</extra>",
        # With more than one limited quantity the front is a surface, and no line runs along it.
        "mode": "lines+markers" if len(limited) == 1 else "markers",
        "line": {"color": colour, "width": 1.2, "shape": "hv" if goal.maximised else "vh"},
        "marker": {"color": colour, "size": 6, "symbol": symbol},
    }
    if deviation is not None and len(rows) <= 200:
        trace["error_x"] = {"array": deviation[rows], "color": colour, "thickness": 0.8, "width": 0}
    return trace


def _front_table(result: Result, everything: list[Objective]) -> html.Raw:
    """For keyboards, screen readers and paper's readers: the same front as text."""
    columns = [np.asarray(result.arrays[f"front/{o.name}"], dtype=float) for o in everything]
    order = np.argsort(columns[1], kind="stable")
    shown = order if len(order) <= ROWS else order[np.linspace(0, len(order) - 1, ROWS).round().astype(int)]
    names = architectures.strings(result, "front", shown)
    rows = [
        [*(o.said(column[i]) for o, column in zip(everything, columns)), html.architecture(name)]
        for i, name in zip(shown, names)
    ]
    left = "" if len(shown) == len(order) else f" ({len(shown)} of {len(order):,}, evenly; oneproxy export writes all)"
    table = html.table(
        [*(o.label for o in everything), "network"],
        rows,
        f"The networks of the front{left}",
        numeric=range(len(everything)),
    )
    return html.Raw(f'<div class="screen-only">{table.html}</div>')
