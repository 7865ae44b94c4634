"""What many devices cost, which description of a device helps, and an optimizer that answers at once: the sentences; the
figures are those for papers (pictures.py)."""

from __future__ import annotations

from typing import Callable

import numpy as np

from ...result import Result
from .. import words
from .panel import Panel


def applies(result: Result) -> bool:
    return str(result.attributes.get("kind")) in SENTENCES


def panel(result: Result) -> Panel:
    return Panel(SENTENCES[str(result.attributes["kind"])](result))


def _cost(result: Result) -> list[str]:
    said = []
    for task in result.names("cost"):
        group = f"cost/{task}/"
        ways = [str(way) for way in result.arrays[group + "strategies"]]
        n = np.asarray(result.arrays[group + "n"])
        measurements = np.asarray(result.arrays[group + "measurements"], dtype=float).reshape(len(ways), len(n))
        share = np.asarray(result.arrays[group + "regret_share"], dtype=float)
        over = np.asarray(result.arrays[group + "over"], dtype=float)
        cheap = int(np.argmin(measurements[:, -1]))
        good = int(np.nanargmin(share))
        if cheap == good:
            said.append(
                f"{task}: for {n[-1]:,} devices {_way(ways[cheap])} takes the fewest measurements ({words.number(measurements[cheap, -1])}) "
                f"and loses the least quality ({words.share(share[good])} of its spread)."
            )
            continue
        said.append(
            f"{task}: for {n[-1]:,} devices {_way(ways[cheap])} takes the fewest measurements "
            f"({words.number(measurements[cheap, -1])}) and loses {words.share(share[cheap])} of the spread of the quality; "
            f"{_way(ways[good])} loses least ({words.share(share[good])}) and takes {words.number(measurements[good, -1])}."
        )
        if np.isfinite(over).any():
            said.append(
                f"{task}: limits are broken in {words.share(over[cheap])} of the answers of {_way(ways[cheap])}, and in "
                f"{words.share(over[good])} of those of {_way(ways[good])}."
            )
    return said


def _way(name: str) -> str:
    return name.replace("_", " ")


def _features(result: Result) -> list[str]:
    features = [str(name) for name in result.arrays["features"]]
    samples = np.asarray(result.arrays["samples"])
    most = int(np.argmax(samples))
    splits = {
        "lodo": "one device is left out",
        "lofo": "its whole family is left out",
        "targets": "other targets are predicted",
    }
    said = []
    for task in (str(name) for name in result.arrays["tasks"]):
        for split, words_of_it in splits.items():
            key = f"task/{task}/{split}/srcc"
            if key not in result.arrays:
                continue
            srcc = np.asarray(result.arrays[key], dtype=float)  # [targets, features, samples, trials]
            means = {}
            for i, feature in enumerate(features):
                values = srcc[:, i, most]
                if np.isfinite(values).any():
                    means[feature] = float(np.nanmean(values))
            if not means:
                continue
            order = sorted(means, key=lambda feature: -means[feature])
            second = f", then {order[1]} ({words.srcc(means[order[1]])})" if len(order) > 1 else ""
            said.append(
                f"{task}, where {words_of_it}: with {samples[most]} measurements {order[0]} describes a device best (mean SRCC "
                f"{words.srcc(means[order[0]])}){second}."
            )
    return said


def _optimizer(result: Result) -> list[str]:
    said = []
    for name in sorted(key.removesuffix("/contenders") for key in result.arrays if key.endswith("/contenders")):
        contenders = [str(c) for c in result.arrays[f"{name}/contenders"]]
        if "one_pass" not in contenders or "exact" not in contenders:
            continue
        volume, over = (np.asarray(result.arrays[f"{name}/{key}"], dtype=float) for key in ("hypervolume", "over"))
        proposals = [c for c in contenders if c.startswith("proposals")]
        told = [
            ("one_pass", "one pass of the optimizer"),
            *((c, f"{c.rpartition('_')[2]} checked proposals") for c in proposals),
            ("exact", "exact search"),
        ]
        parts = [
            f"{words_of_it} {words.share(volume[contenders.index(c)])} (limits broken: {words.share(over[contenders.index(c)])})"
            for c, words_of_it in told
        ]
        space, quality, truth = (name.split("/")[1:] + ["", "", ""])[:3]
        said.append(f"{space}, {quality}, latencies as {truth}: of the best front's hypervolume {words.listed(parts)}.")
    return said


SENTENCES: dict[str, Callable[[Result], list[str]]] = {
    "cost_of_n_devices": _cost,
    "device_features": _features,
    "neural_optimizer": _optimizer,
}
