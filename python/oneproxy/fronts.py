"""Pareto fronts and hypervolumes of two or three objectives. A point with a NaN does not count."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oneproxy import _engine
from oneproxy._arrays import numbers
from oneproxy._errors import Error


def pareto_front(points: ArrayLike, directions: Sequence[str]) -> NDArray[np.int64]:
    """Rows of the points that no other point dominates, from the best in the first objective to the worst.

    points: [n, 2] or [n, 3]; directions: "min" or "max" for each column. Of equal points the first counts.
    """
    values = numbers(points, "points", 2)
    return _engine.pareto_front(values, _maximised(values, directions))


def hypervolume(points: ArrayLike, reference: ArrayLike, directions: Sequence[str]) -> float:
    """What the points dominate, up to the reference point: an area of two, a volume of three objectives.

    points: [n, 2] or [n, 3]; reference: [2] or [3], the worst values that count; directions: "min" or "max" for each.
    The points need be no front; those beyond the reference add nothing. In the product of the objectives' units.
    """
    values = numbers(points, "points", 2)
    maximised = _maximised(values, directions)
    corner = numbers(reference, "reference", 1)
    if len(corner) != len(maximised):
        raise Error(f"reference: has {len(corner)} values; should have {len(maximised)}, one a column of points")
    if np.isnan(corner).any():
        raise Error("reference: holds NaN; give the worst value of each objective that counts")
    return _engine.hypervolume(values, corner, maximised)


def _maximised(points: NDArray[np.float64], directions: Sequence[str]) -> list[bool]:
    if points.shape[1] not in (2, 3):
        raise Error(f"points: has shape {points.shape}; should be [n, 2] or [n, 3], a column an objective")
    if isinstance(directions, str) or len(directions) != points.shape[1]:
        raise Error(f"directions = {directions!r}: should be {points.shape[1]} words, one a column of points")
    for direction in directions:
        if direction not in ("min", "max"):
            raise Error(f"directions: {direction!r} should be 'min' or 'max'")
    return [direction == "max" for direction in directions]
