"""Show where the fronts are: the worst networks would flatten all else."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes


def zoom_quality(axes: Axes, quality: np.ndarray, cloud: np.ndarray | None, marked: float = np.inf) -> int:
    """Cut the axis of qualities below a quarter of the front, and never above what is marked. Returns the points left
    out."""
    floor = min(np.quantile(quality, 0.25), marked)
    if cloud is not None:
        floor = min(floor, np.nanquantile(cloud, 0.1))
    floor = max(floor, quality.min())
    margin = 0.08 * ((quality.max() - floor) or abs(floor) or 1.0)
    axes.set_ylim(floor - margin, quality.max() + margin)
    return int((quality < floor - margin).sum())
