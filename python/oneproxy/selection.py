"""Selections of one's own: which architectures to measure (an acquisition, a design)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oneproxy import _engine
from oneproxy._errors import Error
from oneproxy._registry import selections, version_of
from oneproxy.space import Space


@dataclass(frozen=True)
class Pool:
    """What a selection chooses from. Features are rows in which the prior's covariance of two architectures is the
    product of their rows; the last column is a constant."""

    space: Space
    choices: NDArray[np.uint8]  # [n, n_decisions] the candidates
    features: NDArray[np.float64]  # [n, n_columns]
    measured: NDArray[np.uint8]  # [m, n_decisions] measured already
    measured_features: NDArray[np.float64]  # [m, n_columns]
    reference: NDArray[np.float64]  # [r, n_columns] features of architectures that a predictor is to be good for
    noise: float  # variance of one measurement, in units of the prior's
    k: int  # so many are to be chosen
    seed: int  # of all random draws


Select = Callable[[Pool], Sequence[int]]


def selection(name: str) -> Callable[[Select], Select]:
    """Adds a selection under a name: plan(selection=...) and the experiments with a key `selection` call for it.

        @oneproxy.selection("widest")
        def widest(pool):
            return np.argsort(-(pool.features**2).sum(axis=1), kind="stable")[: pool.k]

    It returns the positions of pool.k candidates, in the order in which to measure them. The same name again takes its
    place. A result of an experiment is told from that of another version by the source of the function itself.
    """
    if not isinstance(name, str):
        raise Error(f"name = {name!r:.60}: should be a text; write the decorator with brackets, ('my_own')")

    def register(function: Select) -> Select:
        if not callable(function):
            raise Error(f"selection {name}: {function!r:.60} is no function")
        _engine.register_selection(name, version_of(function))
        selections[name] = function
        return function

    return register
