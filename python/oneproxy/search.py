"""Searches: the Pareto front of a space, and its best architectures within limits."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oneproxy import _engine
from oneproxy._arrays import count, fraction, numbers, seed_of
from oneproxy._errors import Error, StandInWarning
from oneproxy._progress import Progress, progress_of
from oneproxy.space import Space, space_of

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Objective:
    """An objective that a function computes.

        oneproxy.Objective("max", accuracy)
        oneproxy.Objective("min", lambda choices: model.predict(choices), name="energy", unit="mJ", limits=[40])

    direction: "max" or "min". function: choices [n, n_decisions] in, finite numbers [n] out; n is at most 4096. It is
    called once for each architecture that a search comes to, always in the same order, and from one thread; what it
    raises, the search raises. name: how results call it; the function's own where none is given. limits: bounds on it,
    one a search.
    """

    direction: str
    function: Callable[[NDArray[np.uint8]], ArrayLike]
    name: str = ""
    unit: str = ""
    limits: Sequence[float] = ()

    def __post_init__(self) -> None:
        if self.direction not in ("min", "max"):
            raise Error(f"direction = {self.direction!r:.60}: should be 'min' or 'max'")
        if not callable(self.function):
            raise Error(f"function = {self.function!r:.60}: can not be called; give a function of choices")
        if not self.name:
            own = getattr(self.function, "__name__", "")
            if not own.isidentifier():
                raise Error(f"name: {own or type(self.function).__name__} is no name; give the objective one")
            object.__setattr__(self, "name", own)
        limits = numbers(self.limits, f"limits of objective {self.name}", 1)
        if np.isnan(limits).any():
            raise Error(f"limits of objective {self.name}: hold NaN; leave it out")
        object.__setattr__(self, "limits", tuple(limits.tolist()))

    def __call__(self, space: Space, choices: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Values of the architectures [n], checked."""
        n, name = len(choices), f"objective {self.name}"
        values = self.function(choices)
        array = np.asarray(values)
        if array.ndim != 1 or len(array) != n:
            raise Error(f"{name}: returned shape {array.shape} for choices of shape {choices.shape}; return [{n}]")
        array = numbers(array, name, 1)
        if not np.isfinite(array).all():
            first = int(np.flatnonzero(~np.isfinite(array))[0])
            raise Error(
                f"{name}: is {array[first]} for {space.strings(choices[first : first + 1])[0]}; return a finite number "
                "for every architecture"
            )
        return array


class Solution(NamedTuple):
    """An architecture with its value in each of the objectives."""

    arch: str
    values: tuple[float, ...]


class SearchResult:
    """What a search found."""

    def __init__(self, engine: _engine.Found) -> None:
        self._engine = engine

    @property
    def objectives(self) -> list[str]:
        """Their names, in the order of the values."""
        return self._engine.names

    @property
    def units(self) -> list[str]:
        """Of the values; "" where one has none."""
        return self._engine.units

    @property
    def front(self) -> list[Solution]:
        """The Pareto front, from the best in the second objective to the worst."""
        return _solutions(self._engine.front)

    @property
    def limits(self) -> list[tuple[float, ...]]:
        """A bound on each objective for each of the questions; NaN: none."""
        return [tuple(bounds) for bounds in self._engine.limits]

    @property
    def best(self) -> list[list[Solution]]:
        """For each of the limits the best within them, best first; empty where none was found."""
        return [_solutions(own) for own in self._engine.best]

    @property
    def certainty(self) -> str:
        """How sure: "exact: ...", "best found: ..."."""
        return self._engine.certainty

    @property
    def n_evaluated(self) -> int:
        """Distinct architectures that were evaluated."""
        return self._engine.n_evaluated

    def to_pandas(self) -> pandas.DataFrame:
        """The front as a table: a column arch, and one for each objective. It needs pandas."""
        try:
            import pandas
        except ImportError:
            raise Error("to_pandas() needs pandas, which is not installed: pip install pandas") from None
        rows = [(one.arch, *one.values) for one in self.front]
        return pandas.DataFrame(rows, columns=["arch", *self.objectives])

    def __repr__(self) -> str:
        return f"<oneproxy.SearchResult: {len(self.front)} architectures on the front, {self.certainty}>"


def search(
    space: Space | str,
    objectives: Sequence[Union[str, Objective]],
    *,
    seed: int,
    limits: Sequence[float] = (),
    method: str = "auto",
    settings: Mapping[str, object] | None = None,
    evaluations: int = 0,
    seconds: float = 0,
    confidence: float = 0,
    best: int = 1,
    fix: Sequence[str] = (),
    set: str | None = None,
    store: str | os.PathLike[str] | None = None,
    progress: Progress = False,
) -> SearchResult:
    """The front of two or three objectives, the goal first, and the best architectures within limits.

    objectives: functions (Objective), or texts with direction, source of the values, and limits, as the command line
    has them: "max metric:natsbench:cifar10", "min table:phone.h5 <= 5, 8". limits: those of the second objective, one
    a search, where it has none of its own. method: `oneproxy list search` describes those that ship; search_method()
    adds others. settings: of the method, {"population": 50}. evaluations, seconds: budgets; 0: none. An evaluation is
    one of the goal; methods look the other objectives up before it. confidence: with which limits are to hold on the
    device, of an objective with a posterior; 0: limits on predicted values. best: so many for each limit. fix: parts
    of the space. set, store: as in Store. progress: True shows a bar, a function is called with (done, total).

    A goal that a model stands in for gives a StandInWarning.
    """
    own = space_of(space)
    if isinstance(objectives, (str, Objective)) or not all(isinstance(one, (str, Objective)) for one in objectives):
        raise Error("objectives: should be a list of texts or oneproxy.Objective, the goal first")
    asked = [one if isinstance(one, str) else _computed(own, one) for one in objectives]
    if len(limits):
        bounds = numbers(limits, "limits", 1).tolist()
        second = asked[1] if len(asked) > 1 else "<"
        if second[3] if isinstance(second, tuple) else any(sign in second for sign in "<>"):
            raise Error("limits: are those of the second objective, which has some already")
        if isinstance(second, tuple):
            asked[1] = (*second[:3], bounds, second[4])
        else:
            sign = ">=" if second.split(" ")[0].startswith("max") else "<="
            asked[1] = f"{second} {sign} " + ", ".join(repr(limit) for limit in bounds)
    if not 0 <= float(seconds) < float("inf"):
        raise Error(f"seconds = {seconds}: should be a time, 0 or more")
    with progress_of(progress):
        found = _engine.search(
            own._engine, own.measured_set if set is None else set, "" if store is None else os.fspath(store), asked,
            list(fix), method, _settings(settings), count(evaluations, "evaluations", 0, 2**63 - 1), float(seconds),
            fraction(confidence, "confidence"), count(best, "best", 1), seed_of(seed),
        )
    if found.warning:
        warnings.warn(found.warning, StandInWarning, stacklevel=2)
    return SearchResult(found)


def _computed(space: Space, one: Objective) -> tuple[str, str, bool, list[float], Callable[..., object]]:
    return one.name, one.unit, one.direction == "max", list(one.limits), lambda choices: one(space, choices)


def _settings(settings: Mapping[str, object] | None) -> list[str]:
    """As a configuration writes them."""
    texts = []
    for key, value in (settings or {}).items():
        if not isinstance(key, str) or not isinstance(value, (bool, int, float, str)):
            raise Error(f"settings: {key!r:.60} = {value!r:.60}; give texts as keys, and numbers, texts or truth values")
        texts.append(f"{key}={json.dumps(value)}")
    return texts


def _solutions(found: list[tuple[str, list[float]]]) -> list[Solution]:
    return [Solution(arch, tuple(values)) for arch, values in found]
