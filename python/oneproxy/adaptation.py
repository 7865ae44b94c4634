"""A latency predictor of a new device from few measurements: what to measure, and what the measurements say."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oneproxy import _engine
from oneproxy._arrays import count, fraction, numbers, same_length, seed_of
from oneproxy._errors import Error
from oneproxy._progress import Progress, progress_of
from oneproxy.space import Architectures, Space, space_of


class ExpectedSrcc(NamedTuple):
    """How well a predictor is expected to rank architectures that were not measured. NaN: the method does not know."""

    value: float
    low: float  # 10 % quantile
    high: float  # 90 % quantile


class Advice(NamedTuple):
    """Whether to go on measuring."""

    stop: bool
    more: int  # measurements to go on with; -1: the threshold is not reached with 64 more
    reachable: float  # expected SRCC with these


class Outlier(NamedTuple):
    """A measured value far beyond all others, which counts for next to nothing: measure it again."""

    arch: str
    latency_ms: float
    times_median: float


class Plan:
    """Architectures to measure, most informative first. One may stop anywhere."""

    def __init__(self, space: Space, engine: _engine.Plan, metric: str | None = None) -> None:
        self._space, self._engine, self._metric = space, engine, metric

    @property
    def choices(self) -> NDArray[np.uint8]:
        """The architectures, each once: [k, n_decisions]."""
        return self._engine.choices

    @property
    def archs(self) -> list[str]:
        """What to measure, in order; with reference_every the first comes again and again."""
        strings = self._space.strings(self.choices)
        return [strings[i] for i in self._engine.order]

    @property
    def sources(self) -> list[str]:
        """Names of the source devices."""
        return self._engine.sources

    def save(self, path: str | os.PathLike[str]) -> None:
        """As a CSV to fill in, as `oneproxy plan` writes it."""
        self._engine.save(os.fspath(path), "latency_ms" if self._metric is None else self._metric)

    def __len__(self) -> int:
        return len(self._engine.order)

    def __repr__(self) -> str:
        return f"<oneproxy.Plan of {len(self)} measurements of {self._space.name}>"


def plan(
    space: Space | str,
    k: int,
    *,
    seed: int,
    sources: Sequence[str] | str = "all",
    set: str | None = None,
    store: str | os.PathLike[str] | None = None,
    selection: str = "a_optimal",
    reference_every: int = 0,
    measured: Architectures = (),
    metric: str | None = None,
) -> Plan:
    """Which k architectures of the space to measure on a new device, of which nothing is known yet.

    sources: devices of the store's set that teach about the new one, "all" or "none"; set, store: as Store has them.
    selection: the design. reference_every: after so many others the first comes again, to show whether the device
    drifts; 0: never. measured: known already; they count, and are not planned again. metric: what is measured instead
    of latency, for the column of save(); sources may then be metrics of the store, "metric:NAME".
    """
    own = space_of(space)
    query = source_query(own, sources, set, store, None, seed)
    every = count(reference_every, "reference_every", 0)
    planned = _engine.plan(own._engine, query, count(k, "k", 1), selection, every, own.choices(measured))
    return Plan(own, planned, metric)


class Adapted:
    """A predictor of a device, adapted to its measurements, and what these say of it."""

    def __init__(self, space: Space, engine: _engine.Adapted | _engine.AdaptedFile) -> None:
        self._space, self._engine = space, engine

    @classmethod
    def load(cls, path: str | os.PathLike[str], space: Space | str | None = None) -> Adapted:
        """From a file (*.h5) of save(), or of `oneproxy adapt --out`. Predictions are those of what was saved, up to
        the rounding of sums. space: of the file where it is not given; a space of one's own has to be.
        """
        given = None if space is None else space_of(space)
        engine_space, engine = _engine.load_adapted(os.fspath(path), None if given is None else given._engine)
        return cls(given or Space._of(engine_space), engine)

    @property
    def space(self) -> Space:
        return self._space

    @property
    def unit(self) -> str:
        """Of what is predicted: "ms" of latencies, of a metric its own."""
        return self._engine.unit

    @property
    def expected_srcc(self) -> ExpectedSrcc:
        return ExpectedSrcc(*self._engine.expected_srcc)

    @property
    def probability(self) -> float:
        """That the SRCC is at least the threshold; NaN where the method does not know."""
        return self._engine.probability

    @property
    def advice(self) -> Advice | None:
        """None where the method does not know, or nothing was adapted."""
        return None if self._engine.advice is None else Advice(*self._engine.advice)

    @property
    def outliers(self) -> list[Outlier]:
        return [Outlier(arch, value, times) for arch, value, times in self._engine.outliers]

    @property
    def remarks(self) -> list[str]:
        """What else a person should know of the measurements."""
        return self._engine.remarks

    @property
    def why_not_adapted(self) -> str:
        """Why the measurements allowed no adaptation, so that the sources alone rank; "" where they did."""
        return self._engine.why_not_adapted

    @property
    def drift(self) -> tuple[float, float] | None:
        """Slowest and fastest of the device while it was measured, as factors of its middle speed; None where no
        architecture was measured again and again."""
        return self._engine.drift

    @property
    def method(self) -> str:
        return self._engine.method

    @property
    def sources(self) -> list[str]:
        """Names of the source devices."""
        return self._engine.sources

    @property
    def n_known(self) -> int:
        """Architectures with a latency."""
        return self._engine.n_known

    def predict(self, archs: Architectures) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Latencies of architectures in ms (values of a metric in its unit), [n], and their standard deviations (of a latency without the noise of a
        measurement), [n]; NaN where the method does not know them."""
        return self._engine.predict(self._space.choices(archs))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Into a file (*.h5) to search with, "table:FILE.h5", as `oneproxy adapt --out` writes it."""
        self._engine.save(os.fspath(path))

    def __repr__(self) -> str:
        return f"<oneproxy.Adapted: {self.method} on {self._space.name}, {self.n_known} architectures measured>"


def adapt(
    space: Space | str,
    archs: Architectures,
    latency_ms: ArrayLike,
    *,
    seed: int,
    sources: Sequence[str] | str = "all",
    target: str | None = None,
    set: str | None = None,
    store: str | os.PathLike[str] | None = None,
    method: str = "bayes",
    divide_out_drift: bool = False,
    threshold: float = 0.9,
    confidence: float = 0.9,
    calibrate: bool = True,
    metric: str | None = None,
    unit: str | None = None,
    direction: str | None = None,
    progress: Progress = False,
) -> Adapted:
    """A latency predictor from measurements: archs and latency_ms [n], one a measurement, in the order of time.

    Several measurements of one architecture are repeats (their median counts), NaN is a failed one. sources: as in
    plan(); target: the device's own name in the store, so that it is left out of the sources. threshold: the SRCC that
    is good enough; confidence: the probability of it at which to stop measuring. calibrate: learn from the sources how
    far searches have to stay from a limit, which save() writes; that is most of the time. progress: True shows bars, a
    function is called with (done, total) of one piece of work after another.

    metric: what latency_ms holds instead of latencies, for example "energy", with its unit ("mJ", "images/s", "%") and
    direction ("min" or "max"), which need not be given where the store has a metric of this name. Of a rate the time
    of one item is adapted, and predictions are rates again.
    """
    own = space_of(space)
    if metric is None and not (unit in (None, "ms") and direction is None):
        raise Error("metric: is not given, so that the measurements are latencies in ms; name it, or leave unit and direction out")
    if metric is not None and (not isinstance(metric, str) or not metric):
        raise Error(f"metric = {metric!r}: should be a name, for example 'energy'")
    choices, latencies = own.choices(archs), numbers(latency_ms, "latency_ms", 1)
    same_length(choices, latencies, ("archs", "latency_ms"))
    if np.isnan(latencies).all():
        raise Error("latency_ms: has no measurement that succeeded; measure at least 3 architectures")
    query = source_query(own, sources, set, store, target, seed)
    of_metric = (metric, unit or "", direction or "") if metric else ("", "", direction or "")
    at = (fraction(threshold, "threshold"), fraction(confidence, "confidence"))
    with progress_of(progress):
        adapted = _engine.adapt(
            own._engine, choices, latencies, query, *of_metric, method, bool(divide_out_drift), *at, bool(calibrate)
        )
    return Adapted(own, adapted)


def source_query(
    space: Space,
    sources: Sequence[str] | str,
    set: str | None,
    store: str | os.PathLike[str] | None,
    target: str | None,
    seed: int,
) -> _engine.SourceQuery:
    names = [sources] if isinstance(sources, str) else list(sources)
    for name in names:
        if not isinstance(name, str):
            raise Error(f"sources: holds {name!r}; give names of devices, 'all' or 'none'")
    return _engine.SourceQuery(
        space.measured_set if set is None else set,
        "" if store is None else os.fspath(store),
        names,
        "" if target is None else target,
        seed_of(seed),
    )
