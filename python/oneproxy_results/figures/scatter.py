"""Predicted against measured values of architectures that the training has not seen, and how the training went."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import style, words
from ..result import Result


def applies(result: Result) -> bool:
    return result.has("test/predicted", "test/measured", "train_loss")


def draw(result: Result) -> dict[str, Figure]:
    return {"predicted": _predicted(result), "training": _training(result)}


def _predicted(result: Result) -> Figure:
    figure, body = style.sheet(6.2, 6.0, result.footer())
    axes = body.subplots()
    measured, predicted = result.arrays["test/measured"], result.arrays["test/predicted"]
    both = np.concatenate([measured, predicted])
    low, high = (float(both.min()), float(both.max())) if both.size else (0.0, 1.0)
    line = np.array([low, high])
    axes.fill_between(line, 0.9 * line, 1.1 * line, color=style.SKY, alpha=0.25, linewidth=0, label="within 10 %")
    axes.plot(line, line, color=style.GREY, linewidth=1)
    axes.scatter(measured, predicted, s=7, color=style.BLUE, alpha=0.4, linewidths=0)
    unit = f" ({result.attributes['unit']})" if result.attributes.get("unit") else ""
    axes.set_xlabel(f"measured{unit}")
    axes.set_ylabel(f"predicted{unit}")
    axes.set_aspect("equal", adjustable="datalim")
    axes.legend(loc="lower right")
    axes.set_title(_figures(result), fontsize=10)
    body.suptitle(words.title(result, words.label(result, str(result.attributes.get("target", "predictor"))), len(measured)))
    return figure


def _figures(result: Result) -> str:
    def show(key: str, form: str) -> str:
        value = result.summary.get(key)
        return form.format(value) if isinstance(value, (int, float)) else "-"

    return (
        f"SRCC {show('srcc', '{:.4f}')}, Kendall {show('kendall', '{:.4f}')}, MAPE {show('mape', '{:.2%}')}, "
        f"within 10 %: {show('within_10', '{:.1%}')}"
    )


def _training(result: Result) -> Figure:
    figure, body = style.sheet(7.0, 4.2, result.footer())
    axes: Axes = body.subplots()
    for name, label, colour in (
        ("train_loss", "training", style.BLUE),
        ("validation_loss", "validation", style.VERMILION),
    ):
        values = result.arrays.get(name, np.empty(0))
        if values.size:
            axes.plot(np.arange(1, len(values) + 1), values, color=colour, linewidth=1.5, label=label)
    best = result.summary.get("best_epoch")
    if isinstance(best, int):
        axes.axvline(best + 1, color=style.GREY, linestyle="--", linewidth=1, label="kept")
    axes.set_yscale("log")
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    axes.legend()
    body.suptitle(words.title(result, "Training: " + words.label(result, str(result.attributes.get("target", "predictor")))))
    return figure
