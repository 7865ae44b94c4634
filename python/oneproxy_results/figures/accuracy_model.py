"""How well the accuracy model ranks: networks that were kept back, and those of another space or that were published."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from . import style, words
from ..result import Result


LEAST_PUBLISHED = 3  # of networks: fewer are no picture


def applies(result: Result) -> bool:
    return result.has("kept_back/model", "kept_back/accuracy")


def draw(result: Result) -> dict[str, Figure]:
    other = result.has("other_space/model", "other_space/accuracy")
    published = result.has("published/model") and len(result.arrays["published/model"]) >= LEAST_PUBLISHED
    panels = 1 + other + published
    figure, body = style.sheet(4.2 * panels + 0.6, 4.6, result.footer())
    axes = list(np.atleast_1d(body.subplots(1, panels)))
    unit = str(result.attributes.get("unit", ""))
    _cloud(axes.pop(0), result, "kept_back", f"networks kept back, accuracy ({unit})", "srcc.kept_back")
    if other:
        name = str(result.attributes.get("other_space", "another space"))
        _cloud(axes.pop(0), result, "other_space", f"{words.space(name)}, predicted accuracy", f"srcc.{name}")
    if published:
        _published(axes.pop(0), result)
    body.suptitle(words.title(result, "Accuracy model"))
    return {"accuracy_model": figure}


def _cloud(axes, result: Result, group: str, label: str, key: str) -> None:
    model, accuracy = result.arrays[f"{group}/model"], result.arrays[f"{group}/accuracy"]
    shown = slice(None, None, max(1, len(model) // 3000))
    axes.scatter(accuracy[shown], model[shown], s=7, color=style.BLUE, alpha=0.35, linewidths=0)
    macs = result.summary.get(f"{key}.macs")
    beside = f" (by MACs {macs:.3f})" if isinstance(macs, float) else ""
    axes.set_title(f"SRCC by the model {result.summary[key]:.3f}{beside}", fontsize=10)
    axes.set_xlabel(label)
    axes.set_ylabel("accuracy by the model")


def _published(axes, result: Result) -> None:
    model, accuracy = result.arrays["published/model"], result.arrays["published/accuracy"]
    axes.scatter(accuracy, model, s=30, color=style.VERMILION)
    for name, x, y in zip(result.arrays["published/name"], accuracy, model):
        axes.annotate(name, (x, y), textcoords="offset points", xytext=(5, -10), fontsize=8)
    axes.margins(x=0.3, y=0.15)
    axes.set_title("published networks", fontsize=10)
    axes.set_xlabel("published top-1 accuracy (%)")
    axes.set_ylabel("model")
