"""Ranks and rank correlations. NaN is a missing value: a pair with one is left out."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oneproxy import _engine
from oneproxy._arrays import numbers, same_length
from oneproxy._errors import UndefinedWarning


def spearman(x: ArrayLike, y: ArrayLike) -> float:
    """Spearman's rank correlation (SRCC) of two lists of values.

    x, y: [n]. Ties share the average of their ranks. NaN with an UndefinedWarning where the data does not define it:
    fewer than two pairs, or a constant.
    """
    return _correlation(_engine.spearman, x, y)


def kendall(x: ArrayLike, y: ArrayLike) -> float:
    """Kendall's tau-b of two lists of values, x and y: [n]. Undefined values as in spearman()."""
    return _correlation(_engine.kendall, x, y)


def spearman_matrix(rows: ArrayLike) -> NDArray[np.float64]:
    """Spearman's correlation of every two rows: [d, n] -> [d, d], symmetric.

    A row is one device, over n architectures. Each entry equals spearman(row, row) over the architectures that both
    know. An undefined row or pair is NaN, with an UndefinedWarning that names the first.
    """
    matrix, row, column, reason = _engine.spearman_matrix(numbers(rows, "rows", 2))
    if reason:
        warnings.warn(f"rows {row} and {column} have no correlation: {reason}", UndefinedWarning, stacklevel=2)
    return matrix


def average_ranks(x: ArrayLike) -> NDArray[np.float64]:
    """Ranks of x: [n] -> [n], from 1 for the smallest. Ties share the average, the rank of NaN is NaN."""
    return _engine.average_ranks(numbers(x, "x", 1))


def _correlation(measure, x: ArrayLike, y: ArrayLike) -> float:
    left, right = numbers(x, "x", 1), numbers(y, "y", 1)
    same_length(left, right, ("x", "y"))
    value, reason = measure(left, right)
    if reason:
        warnings.warn(f"x and y have no correlation: {reason}", UndefinedWarning, stacklevel=3)
    return value
