"""Find devices of a set that hold the same numbers, or nearly the same order."""

from __future__ import annotations

import numpy as np

from .measurements import Say
from .sets import MeasuredSet

NEARLY_THE_SAME = 0.985  # SRCC; OneProxy's eagle_gtx and eagle_i7 are known for 0.99


def find(s: MeasuredSet, say: Say) -> None:
    """Mark identical devices, report near ones; nothing is dropped."""
    names = sorted(s.latency)
    first: dict[bytes, str] = {}
    for name in names:
        latency = s.latency[name]
        original = first.setdefault(latency.ms.tobytes(), name)
        if original != name:
            latency.duplicate_of = original
            say(f"{s.label}: {name} holds the same values as {original}, kept and marked as its duplicate")
    distinct = [name for name in names if not s.latency[name].duplicate_of]
    near = [
        f"{a}~{b} {srcc:.3f}"
        for i, b in enumerate(distinct)
        for a in distinct[:i]
        if (srcc := spearman(s.latency[a].ms, s.latency[b].ms)) > NEARLY_THE_SAME
    ]
    if near:
        say(f"{s.label}: {len(near)} pairs of devices have SRCC > {NEARLY_THE_SAME}, all kept: {', '.join(near)}")


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Rank correlation over the rows that both have; NaN where it is not defined."""
    both = ~(np.isnan(x) | np.isnan(y))
    if both.sum() < 2:
        return float("nan")
    a, b = _ranks(x[both]), _ranks(y[both])
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else float("nan")


def _ranks(x: np.ndarray) -> np.ndarray:
    _, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]
