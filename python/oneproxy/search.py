"""Searches: the Pareto front of a space, and its best architectures within limits."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from oneproxy import _engine
from oneproxy._arrays import count, fraction, seed_of
from oneproxy._errors import Error, StandInWarning
from oneproxy.space import Space, space_of

if TYPE_CHECKING:
    import pandas


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
    objectives: Sequence[str],
    *,
    seed: int,
    limits: Sequence[float] = (),
    method: str = "auto",
    evaluations: int = 0,
    seconds: float = 0,
    confidence: float = 0,
    best: int = 1,
    fix: Sequence[str] = (),
    set: str | None = None,
    store: str | os.PathLike[str] | None = None,
) -> SearchResult:
    """The front of two or three objectives, the goal first, and the best architectures within limits.

    objectives: direction, source of the values, and limits, as the command line has them: "max
    metric:natsbench:cifar10", "min table:phone.h5 <= 5, 8". limits: those of the second objective, one a search, where
    its text has none. method: `oneproxy list search` describes them. evaluations, seconds: budgets; 0: none.
    confidence: with which limits are to hold on the device, of an objective with a posterior; 0: limits on predicted
    values. best: so many for each limit. A goal that a model stands in for gives a StandInWarning. fix: parts of the space. set, store: as in Store.
    """
    own = space_of(space)
    if isinstance(objectives, str) or not all(isinstance(text, str) for text in objectives):
        raise Error("objectives: should be a list of texts, the goal first")
    texts = list(objectives)
    if len(limits):
        if len(texts) < 2 or any(sign in texts[1] for sign in "<>"):
            raise Error("limits: are those of the second objective, whose text has some already")
        sign = ">=" if texts[1].split(" ")[0].startswith("max") else "<="
        texts[1] += f" {sign} " + ", ".join(repr(float(limit)) for limit in limits)
    if not 0 <= float(seconds) < float("inf"):
        raise Error(f"seconds = {seconds}: should be a time, 0 or more")
    found = _engine.search(
        own._engine, own.measured_set if set is None else set, "" if store is None else os.fspath(store), texts,
        list(fix), method, count(evaluations, "evaluations", 0), float(seconds),
        fraction(confidence, "confidence"), count(best, "best", 1), seed_of(seed),
    )
    if found.warning:
        warnings.warn(found.warning, StandInWarning, stacklevel=2)
    return SearchResult(found)


def _solutions(found: list[tuple[str, list[float]]]) -> list[Solution]:
    return [Solution(arch, tuple(values)) for arch, values in found]
