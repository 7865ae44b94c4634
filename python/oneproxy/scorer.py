"""Scores of very many architectures, by the kernels of the engine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Union

import numpy as np
from numpy.typing import NDArray

from oneproxy import _engine
from oneproxy._arrays import ANY_INDEX, numbers, seed_of
from oneproxy._arrays import count as whole_number
from oneproxy._errors import Error
from oneproxy._progress import Progress, progress_of
from oneproxy.adaptation import Adapted
from oneproxy.mlp import Mlp
from oneproxy.search import SearchResult
from oneproxy.space import Architectures, Space, space_of

# A predictor of a whole space: a network, what adapt() returned, or a name or file as searches take them.
AnyPredictor = Union[Mlp, Adapted, str, "os.PathLike[str]"]


class Scorer:
    """Predictors of a space, ready to score millions of its architectures a second.

    predictors: each an Mlp, what adapt() returned, or what a search takes: "table:phone.h5", "predictor:net.h5",
    "proxy:pixel3", "model:macs", or the path of a file with a table or a predictor (*.h5). backend: "cpu", "cuda", or
    "auto", a GPU where there is one. precision: in which numbers networks are evaluated, "fp64" (the definition, the
    same bits on every machine), "fp32", "bf16" or, on a GPU, "tf32"; tables are always summed in fp64. set, store: as in
    Store, for names. Any number of threads may use one; their calls wait for each other.
    """

    def __init__(
        self,
        space: Space | str,
        predictors: Sequence[AnyPredictor],
        backend: str = "auto",
        precision: str = "fp64",
        *,
        set: str | None = None,
        store: str | os.PathLike[str] | None = None,
    ) -> None:
        own = space_of(space)
        if isinstance(predictors, (str, os.PathLike, Mlp, Adapted)):
            raise Error("predictors: is one; give a list of them")
        given = [_given(one, f"predictors[{i}]") for i, one in enumerate(predictors)]
        if not given:
            raise Error("predictors: is empty; give one or more")
        for name, text in (("backend", backend), ("precision", precision)):
            if not isinstance(text, str):
                raise Error(f"{name} = {text!r}: should be a text")
        self._space, self._n = own, len(given)
        self._free: list[NDArray[np.float64]] = []
        self._engine = _engine.make_scorer(
            own._engine, own.measured_set if set is None else set, "" if store is None else os.fspath(store), given,
            backend, precision,
        )

    def score(self, begin: int, count: int, *, out: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Values of the architectures begin .. begin + count - 1 by their index (Space.arch) -> [count, n_predictors].

        float64, in the unit of each predictor; NaN where one has no entry for a choice. The columns lie one after
        another in memory. out: an array to write to, float64 [count, n_predictors] with order="F" (of one predictor
        any); it is what is returned. Without it the memory of the last large result is taken again, once nobody has it.
        """
        first, n = self._range(begin, count)
        values = self._place(n, out)
        self._engine.score(str(first), values.T)
        return values

    def score_archs(self, archs: Architectures, *, out: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Values of architectures -> [n, n_predictors], as score() gives them; out: as there."""
        choices = self._space.choices(archs)
        values = self._place(len(choices), out)
        self._engine.score_list(choices, values.T)
        return values

    def reduce(
        self,
        directions: Sequence[str],
        *,
        limits: Sequence[float] | Sequence[Sequence[float]] = (),
        best: int = 1,
        begin: int = 0,
        count: int | None = None,
        seed: int | None = None,
        progress: Progress = False,
    ) -> SearchResult:
        """The Pareto front of a range, and the best architectures in it within limits; no values are stored.

        directions: "min" or "max" for each of the two or three predictors, the goal first. limits: of the second
        predictor, or rows of one for each predictor beside the goal (NaN: none): the largest value of one that is
        minimised, the smallest of one that is maximised. best: so many for each of the limits, the best in the goal
        first. begin, count: indices, to the end where no count is given. seed: instead of neighbours, count
        architectures of the whole space in the random order of that seed, none twice, from place begin on.
        progress: True shows a bar, a function is called with (done, total).

        The answer is exact in every precision where `certainty` says so: what fast numbers leave is evaluated again in
        fp64.
        """
        if isinstance(directions, str) or len(directions) != self._n or self._n not in (2, 3):
            raise Error(f"directions = {directions!r}: should be {self._n} words, one a predictor, of two or three")
        for direction in directions:
            if direction not in ("min", "max"):
                raise Error(f"directions: {direction!r} should be 'min' or 'max'")
        first, n = self._range(begin, count, least=1)
        bounds = [[np.nan, *row] for row in _limits(limits, self._n - 1)] or [[np.nan] * self._n]
        with progress_of(progress):
            front, within, certainty = self._engine.reduce(
                [direction == "max" for direction in directions], bounds, whole_number(best, "best", 1), str(first),
                str(n), seed is not None, 0 if seed is None else seed_of(seed),
            )
        return SearchResult(_Reduced(self._engine.names, self._engine.units, bounds, front, within, certainty, n))

    @property
    def space(self) -> Space:
        return self._space

    @property
    def units(self) -> list[str]:
        """Of the columns."""
        return self._engine.units

    @property
    def paths(self) -> list[str]:
        """How each predictor is evaluated, for reports."""
        return self._engine.paths

    @property
    def backend(self) -> str:
        return self._engine.backend

    def _range(self, begin: int, count: int | None, least: int = 0) -> tuple[int, int]:
        size, first = self._space.size, whole_number(begin, "begin", 0, ANY_INDEX)
        n = max(size - first, least) if count is None else whole_number(count, "count", least, ANY_INDEX)
        if first + n > size:
            raise Error(f"begin = {first}, count = {n}: {self._space.name} has the indices 0 to {size - 1}")
        return first, n

    def _place(self, n: int, out: NDArray[np.float64] | None) -> NDArray[np.float64]:
        if out is None:
            return _new_values(self._free, n * self._n).reshape(self._n, n).T
        shape = (n, self._n)
        if not isinstance(out, np.ndarray) or out.dtype != np.float64 or not out.dtype.isnative or out.shape != shape:
            what = f"{out.dtype} {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
            raise Error(f"out: is {what}; should be float64 {shape}")
        if not out.flags.writeable:
            raise Error("out: is read-only; give an array that can be written to")
        if not out.flags.f_contiguous or not out.flags.aligned:
            raise Error(f'out: its columns do not lie one after another; make it by numpy.empty({shape}, order="F")')
        return out

    def __repr__(self) -> str:
        return f"<oneproxy.Scorer of {self._space.name}: {self._n} predictors, {self.backend} {self._engine.precision}>"


_WORTH_KEEPING = 1 << 17  # values; the system clears the pages of larger arrays, longer than some tables take to sum


class _Lent:
    """Owner of a result's memory, which goes to the next result once nobody has the array, nor a view of it, any more."""

    def __init__(self, memory: NDArray[np.float64], size: int, free: list[NDArray[np.float64]]) -> None:
        self._memory, self._free = memory, free
        self.__array_interface__ = memory[:size].__array_interface__

    def __del__(self) -> None:
        if not self._free:
            self._free.append(self._memory)


def _new_values(free: list[NDArray[np.float64]], size: int) -> NDArray[np.float64]:
    if size < _WORTH_KEEPING:
        return np.empty(size)
    try:
        memory = free.pop()
    except IndexError:
        memory = np.empty(0)
    if memory.size < size:
        memory = np.empty(size)
    return np.asarray(_Lent(memory, size, free))


class _Reduced:
    """What SearchResult shows, of a reduced range."""

    def __init__(self, names, units, limits, front, best, certainty, n_evaluated) -> None:
        self.names, self.units, self.limits = names, units, limits
        self.front, self.best, self.certainty, self.n_evaluated = front, best, certainty, n_evaluated


def _limits(limits: Sequence[float] | Sequence[Sequence[float]], n: int) -> list[list[float]]:
    """Rows of n bounds."""
    array = np.asarray(limits)
    if array.ndim == 1:
        rows = np.full((array.size, n), np.nan)
        rows[:, 0] = numbers(limits, "limits", 1)
        return rows.tolist()
    rows = numbers(limits, "limits", 2)
    if rows.shape[1] != n:
        raise Error(f"limits: has shape {rows.shape}; should be [n] of the second predictor, or [n, {n}]")
    return rows.tolist()


def _given(one: AnyPredictor, key: str) -> object:
    if isinstance(one, (Mlp, Adapted)):
        return one._engine
    if isinstance(one, (str, os.PathLike)):
        return os.fspath(one)
    raise Error(f"{key} = {one!r}: should be an Mlp, what adapt() returned, or the name or file of a predictor")
