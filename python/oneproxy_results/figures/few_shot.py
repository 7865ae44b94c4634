"""Few-shot tasks: SRCC against the number of samples, and whether the program knows how good it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from . import style, words
from ..result import Result

BINS = np.linspace(0, 1, 11)
LEAST_RUNS = 3  # of a bin, or it is not drawn
LEAST_DOTS = 10  # of expected against true: fewer are no picture
MANY_DOTS = 1000  # which are drawn smaller
PUBLISHED = (style.VERMILION, style.ORANGE, style.PURPLE, style.GREEN)
PUBLISHED_MARKERS = ("D", "s", "^", "v")  # hollow, so that equal values are all seen
VARIANTS = (("without sources", "x"), ("without physics", "+"), ("with neither", "1"))
LEGEND_ENTRY = 2.3  # inches


def applies(result: Result) -> bool:
    return result.has("tasks") and bool(_tasks(result))


def _tasks(result: Result) -> list[str]:
    names = [str(name) for name in result.arrays["tasks"]]
    return [name for name in names if result.has(f"task/{name}/srcc", f"task/{name}/samples")]


def draw(result: Result) -> dict[str, Figure]:
    figures = {"few_shot": _curves(result)}
    if sum(np.isfinite(_of(result, task, "expected_srcc")).sum() for task in _tasks(result)) >= LEAST_DOTS:
        figures["reliability"] = _reliability(result)
    return figures


def _of(result: Result, task: str, what: str) -> np.ndarray:
    return np.asarray(result.arrays[f"task/{task}/{what}"], dtype=float)


def _curves(result: Result) -> Figure:
    tasks = _tasks(result)
    rows, columns = style.grid(len(tasks))
    looks = _published_looks(result, tasks)
    width = max(7.0, 3.9 * columns)
    drawn = max(_variants(result, task).shape[1] for task in tasks) - 1
    legend_columns = max(2, int(width / LEGEND_ENTRY))
    legend_rows = -(-(1 + max(0, drawn) + len(looks)) // legend_columns)
    figure, body = style.sheet(width, 3.1 * rows + 1.0 + 0.2 * legend_rows, result.footer())
    panels = body.subplots(rows, columns, squeeze=False)
    for axes, task in zip(panels.flat, tasks):
        _curve(axes, result, task, looks)
    for axes in panels.flat[len(tasks) :]:
        axes.set_visible(False)
    body.suptitle("Few-shot adaptation: mean SRCC over the targets")
    one = [result.has(f"task/{task}/proxies") for task in tasks]
    of = "pair" if all(one) else "target or pair" if any(one) else "target"
    entries = [Line2D([], [], color=style.BLUE, marker="o", markersize=4, label=f"ours (bars: worst and best {of})")]
    entries += [Line2D([], [], label=label, **_variant(i)) for i, (label, _) in enumerate(VARIANTS) if i < drawn]
    entries += [Line2D([], [], label=name, **look) for name, look in looks.items()]
    body.legend(handles=entries, loc="outside lower center", ncols=min(legend_columns, len(entries)))
    return figure


def _variant(i: int) -> dict[str, Any]:
    return {"color": style.BLACK, "marker": VARIANTS[i][1], "markersize": 7, "linestyle": ""}


def _published(result: Result, task: str) -> dict[str, float]:
    if not result.has(f"task/{task}/published_names", f"task/{task}/published_srcc"):
        return {}
    names = [str(name) for name in result.arrays[f"task/{task}/published_names"]]
    return dict(zip(names, _of(result, task, "published_srcc")))


def _published_looks(result: Result, tasks: list[str]) -> dict[str, dict[str, Any]]:
    """A method looks the same in all panels."""
    looks: dict[str, dict[str, Any]] = {}
    for name in (name for task in tasks for name in _published(result, task)):
        row, column = divmod(len(looks), len(PUBLISHED))  # another pairing for every four methods
        marker = PUBLISHED_MARKERS[(column + row) % len(PUBLISHED_MARKERS)]
        look = {"color": PUBLISHED[column], "marker": marker, "markersize": 6, "linestyle": "", "fillstyle": "none"}
        looks.setdefault(name, look)
    return looks


def _curve(axes: Axes, result: Result, task: str, looks: dict[str, dict[str, Any]]) -> None:
    samples, srcc = _of(result, task, "samples"), _of(result, task, "srcc")  # [S], [targets, S, trials]
    head, order = samples[0], np.argsort(samples)
    by_target = np.nanmean(srcc, axis=2)[:, order]
    mean = by_target.mean(axis=0)
    spread = np.array([mean - by_target.min(axis=0), by_target.max(axis=0) - mean])
    axes.errorbar(samples[order], mean, yerr=spread, color=style.BLUE, marker="o", markersize=3.5, capsize=2)
    for i, value in enumerate(_variants(result, task).mean(axis=(0, 2))[1:]):
        axes.plot([head], [value], **_variant(i))
    for name, value in _published(result, task).items():
        axes.plot([head], [value], **looks[name])
    axes.set_title(words.task(task))
    axes.set_xlabel("measured architectures")
    axes.set_ylabel("SRCC")
    axes.set_xlim(0, 1.25 * samples.max())


def _variants(result: Result, task: str) -> np.ndarray:
    """[targets, variants, trials]; the first is the method itself."""
    return _of(result, task, "variant_srcc") if result.has(f"task/{task}/variant_srcc") else np.empty((1, 0, 1))


def _reliability(result: Result) -> Figure:
    """Left: expected against true SRCC. Right: how often SRCC >= 0.9 came true, by the probability that was given."""
    bins = _bins(result)
    figure, body = style.sheet(9.6 if bins else 5.2, 4.6, result.footer())
    left, *more = np.atleast_1d(body.subplots(1, 2 if bins else 1))
    n_dots = sum(np.isfinite(_of(result, task, "expected_srcc")).sum() for task in _tasks(result))
    sizes: dict[int, tuple[list, list]] = {}
    for task in _tasks(result):
        true, expected = (_of(result, task, name) for name in ("srcc", "expected_srcc"))
        for i, size in enumerate(_of(result, task, "samples").astype(int)):
            entry = sizes.setdefault(int(size), ([], []))
            for values, array in zip(entry, (true, expected)):
                values.append(array[:, i].ravel())
    colours = style.plt.colormaps["viridis"](np.linspace(0, 0.9, len(sizes)))
    lowest = 1.0
    for (size, entry), colour in zip(sorted(sizes.items()), colours):
        true, expected = (np.concatenate(values) for values in entry)
        known = np.isfinite(true) & np.isfinite(expected)
        left.scatter(expected[known], true[known], s=7 if n_dots > MANY_DOTS else 18, color=colour, alpha=0.5, linewidths=0, label=f"{size} samples")
        rare = 0.01 if n_dots > MANY_DOTS else 0.0  # of many the lowest may stay outside, of few none
        lowest = min(lowest, float(np.quantile(np.r_[true[known], expected[known]], rare))) if known.any() else lowest
    left.plot([lowest, 1], [lowest, 1], color=style.GREY, linewidth=1)
    margin = 0.03 * (1 - lowest)
    left.set_xlim(lowest - margin, 1 + margin)
    left.set_ylim(lowest - margin, 1 + margin)
    left.set_xlabel("expected SRCC")
    left.set_ylabel("SRCC with all latencies of the target")
    left.legend(markerscale=2.5, fontsize=8)
    for axes in more:
        _kept_word(axes, bins)
    body.suptitle("Does it know how good it is?")
    return figure


def _bins(result: Result) -> list[tuple[float, float, int]]:
    """(mean probability that was given, share where the SRCC is strong, runs) of each bin with runs enough; none where
    that is one bin only."""
    true, expected, sure = (
        np.concatenate([_of(result, task, name).ravel() for task in _tasks(result)])
        for name in ("srcc", "expected_srcc", "probability_strong")
    )
    known = np.isfinite(true) & np.isfinite(expected)
    true, sure = true[known], sure[known]
    which = np.clip(np.digitize(sure, BINS) - 1, 0, len(BINS) - 2)
    masks = [mask for b in range(len(BINS) - 1) if (mask := which == b).sum() >= LEAST_RUNS]
    if len(masks) < 2:  # one dot is no picture
        return []
    return [(float(sure[mask].mean()), float((true[mask] >= 0.9).mean()), int(mask.sum())) for mask in masks]


def _kept_word(axes: Axes, bins: list[tuple[float, float, int]]) -> None:
    """How often SRCC >= 0.9 came true, with standard errors, by the probability that was given."""
    for sure, share, runs in bins:
        error = np.sqrt(share * (1 - share) / runs)
        axes.errorbar([sure], [share], yerr=[error], color=style.BLUE, marker="o", capsize=2)
        axes.annotate(f"{runs}", (sure, share), xytext=(5, -9), textcoords="offset points", fontsize=8,
                      color=style.GREY)  # fmt: skip
    axes.plot([0, 1], [0, 1], color=style.GREY, linewidth=1)
    axes.set_xlabel("probability given to SRCC ≥ 0.9")
    axes.set_ylabel("share of runs where it is so (number of runs)")
