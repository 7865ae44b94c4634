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

    def __init__(self, space: Space, engine: _engine.Plan) -> None:
        self._space, self._engine = space, engine

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
        self._engine.save(os.fspath(path))

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
) -> Plan:
    """Which k architectures of the space to measure on a new device, of which nothing is known yet.

    sources: devices of the store's set that teach about the new one, "all" or "none"; set, store: as Store has them.
    selection: the design. reference_every: after so many others the first comes again, to show whether the device
    drifts; 0: never. measured: known already; they count, and are not planned again.
    """
    own = space_of(space)
    query = source_query(own, sources, set, store, None, seed)
    every = count(reference_every, "reference_every", 0)
    return Plan(own, _engine.plan(own._engine, query, count(k, "k", 1), selection, every, own.choices(measured)))


class Adapted:
    """A latency predictor of a device, adapted to its measurements, and what these say of it."""

    def __init__(self, space: Space, engine: _engine.Adapted) -> None:
        self._space, self._engine = space, engine

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
        strings = self._space.strings(self._engine.choices)
        return [Outlier(strings[i], value, times) for i, value, times in self._engine.outliers]

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
        """Latencies of architectures in ms, [n], and their standard deviations (of a latency without the noise of a
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
) -> Adapted:
    """A latency predictor from measurements: archs and latency_ms [n], one a measurement, in the order of time.

    Several measurements of one architecture are repeats (their median counts), NaN is a failed one. sources: as in
    plan(); target: the device's own name in the store, so that it is left out of the sources. threshold: the SRCC that
    is good enough; confidence: the probability of it at which to stop measuring. calibrate: learn from the sources how
    far searches have to stay from a limit, which save() writes; it takes a second.
    """
    own = space_of(space)
    choices, latencies = own.choices(archs), numbers(latency_ms, "latency_ms", 1)
    same_length(choices, latencies, ("archs", "latency_ms"))
    if np.isnan(latencies).all():
        raise Error("latency_ms: has no measurement that succeeded; measure at least 3 architectures")
    query = source_query(own, sources, set, store, target, seed)
    return Adapted(
        own,
        _engine.adapt(
            own._engine, choices, latencies, query, method, bool(divide_out_drift), fraction(threshold, "threshold"),
            fraction(confidence, "confidence"), bool(calibrate),
        ),
    )


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
