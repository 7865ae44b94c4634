"""Measurement in the loop: the front of a device, or the best network within limits, after few measurements."""

from __future__ import annotations

import os
import threading
import warnings
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from oneproxy import _engine
from oneproxy._arrays import count, fraction, numbers, same_length, seed_of
from oneproxy._errors import Error, StandInWarning
from oneproxy._progress import Progress, progress_of
from oneproxy.adaptation import source_query
from oneproxy.space import Architectures, Space, space_of


@dataclass(frozen=True)
class Quantity:
    """Something other than latency that is measured on the device: Quantity("energy", "mJ", limits=[40]).

    unit: "mJ", "W", "images/s". direction: "min", or of a rate "max". limits: the best network within each. sources:
    devices ("all", "none") or metrics ("metric:NAME") of the store that say something of it.
    """

    name: str
    unit: str
    direction: str = "min"
    limits: Sequence[float] = ()
    sources: Sequence[str] | str = "all"


class MeasuredNetwork(NamedTuple):
    """A network with the medians of its measurements."""

    arch: str
    latency_ms: float  # NaN where no latency is measured
    quality: float
    repeats: int  # measurements that succeeded
    quality_deviation: float = 0  # of a predicted quality; 0: known
    values: tuple[float, ...] = ()  # of all that is measured, in the order of loop.measured


class LimitAnswer(NamedTuple):
    """The best measured network within a limit; where none keeps it, the one that comes nearest."""

    limit_ms: float  # NaN: none on the latency
    found: bool
    network: MeasuredNetwork | None  # None: nothing is measured yet
    limits: tuple[float, ...] = ()  # on all that is measured, in the order of loop.measured; NaN: none


@dataclass(frozen=True)
class LoopStep:
    """What is known so far, and what to measure next."""

    phase: str  # "start", "rounds", "confirm" (the answer is measured again), "done"
    measure: list[str]  # most wanted first; none when done
    gains: list[float]  # [n] expected of each, as a share of what there is; NaN but in rounds
    front: list[MeasuredNetwork]  # undominated among the measured, fastest first
    answers: list[LimitAnswer]  # one a limit
    n_measured: int  # networks with a latency
    n_measurements: int  # repeats included
    attained: float  # hypervolume; with limits the mean quality above the floor. NaN before the first round
    expected_gain: float  # share of it that is expected to be still to gain; NaN before the first round
    recent_gain: float  # share that the last two batches gained
    why_stop: str  # "" where it goes on
    start: str  # which start, and why
    remarks: list[str]  # what a person should know of the measurements


class FrontLoop:
    """Proposes which networks to measure, takes what was measured, and knows the front so far (ask and tell).

        loop = oneproxy.FrontLoop("nasbench201", quality="metric:natsbench:cifar10", seed=1)
        while archs := loop.ask():
            loop.tell(archs, measure(archs))
        print(loop.front, loop.why_stop)

    quality: what is good of a network and known beforehand: its name ("metric:natsbench:cifar10",
    "predictor:FILE.h5", "min metric:perplexity"), or a pair (archs, values [n]) that lists the candidates; of the pair
    direction says which way is better. metric: what is measured instead of latency; also: what is measured with it. A
    second quantity makes values [n, 2] of what is told. limits_ms: the best network within each latency; without any
    limits the whole front. Limits on two quantities go in pairs, or one of either with all of the other. sources,
    target, set, store: as in adapt(). fix: parts of the space, "DECISION=CHOICE|CHOICE". batch: networks of a round.
    floor: networks whose quality is below this quantile of the candidates' count for nothing. stop_gain: expected gain
    at which to stop. repeats: measurements of each network of the answer; 1: none is measured again. budget:
    measurements in all, room kept to measure the answer again; 0: no end. progress: while it learns from the sources,
    True shows bars, a function is called with (done, total).

    What is proposed follows from the measurements that were told, and the seed. Nothing is remembered of networks that
    were asked for and not told: the next ask() proposes them again.
    """

    def __init__(
        self,
        space: Space | str,
        *,
        seed: int,
        quality: str | tuple[Architectures, ArrayLike] = "",
        direction: str = "max",
        metric: Quantity | None = None,
        also: Quantity | None = None,
        limits_ms: Sequence[float] = (),
        sources: Sequence[str] | str = "all",
        target: str | None = None,
        set: str | None = None,
        store: str | os.PathLike[str] | None = None,
        fix: Sequence[str] = (),
        batch: int = 5,
        floor: float = 0.25,
        stop_gain: float = 0.01,
        repeats: int = 3,
        budget: int = 0,
        progress: Progress = False,
    ) -> None:
        self._space = space_of(space)
        self._lock = threading.Lock()
        _loops.add(self)
        self._step: LoopStep | None = None
        latency = Quantity("latency_ms", "ms", limits=limits_ms, sources=sources)
        self._measured = [metric or latency] + ([also] if also else [])
        for argument, one in (("metric", metric), ("also", also)):
            _check_quantity(one, argument)
        if metric and len(limits_ms):
            raise Error(f"limits_ms: no latency is measured; give the limits to the quantity {metric.name}")
        if metric and sources != "all":
            raise Error(f"sources: are those of the latency; give the quantity {metric.name} its own")
        if metric and also and metric.name == also.name:
            raise Error(f"also: is called {also.name} as the metric is; measure another quantity")
        own_limits = [_positive(one) for one in self._measured]
        measured = [
            _engine.MeasuredQuantity(
                "" if one is latency else one.name, one.unit, one.direction == "max",
                source_query(self._space, one.sources, set, store, target, seed),
            )
            for one in self._measured
        ]
        settings = _engine.FrontLoopSettings(
            count(batch, "batch", 1), fraction(floor, "floor"), own_limits[0], own_limits[1] if also else [],
            self.measured, fraction(stop_gain, "stop_gain"), count(repeats, "repeats", 1),
            count(budget, "budget", 0), seed_of(seed),
        )
        if isinstance(quality, str):
            if direction != "max":
                raise Error(f"direction = {direction!r}: is of a pair of arrays; begin the name of a quality with 'min '")
            with progress_of(progress):
                self._engine = _engine.loop_by_name(self._space._engine, measured, quality, list(fix), settings)
            if self._engine.stand_in:
                text = f"the quality is {quality or 'model:accuracy'}: {self._engine.stand_in}, a stand-in for accuracy"
                warnings.warn(
                    f"{text} that nobody measured; docs/search.md says how well it ranks", StandInWarning, stacklevel=2
                )
            return
        if direction not in ("min", "max"):
            raise Error(f"direction = {direction!r}: should be 'min' or 'max'")
        if not isinstance(quality, tuple) or len(quality) != 2:
            raise Error("quality: should be a name, or a pair (archs, values)")
        if fix:
            raise Error("fix: the pair (archs, values) lists the candidates already; leave those of other parts out")
        choices, values = self._space.choices(quality[0]), numbers(quality[1], "quality", 1)
        same_length(choices, values, ("archs", "quality"))
        with progress_of(progress):
            self._engine = _engine.loop_by_values(
                self._space._engine, measured, choices, values, direction == "max", settings
            )

    def ask(self) -> list[str]:
        """What to measure now, most wanted first; none when it is done."""
        return self.step().measure

    def tell(self, archs: Architectures, values: ArrayLike) -> None:
        """Measurements in the order of time: values [n], latencies in ms or what is measured instead; of two
        quantities [n, 2], in the order of `measured`. NaN is one that failed; several of one network are repeats; a
        network need not have been asked for. All are taken, or none where one is refused."""
        choices = self._space.choices(archs)
        name = self.measured[0] if len(self._measured) == 1 else "values"
        told = numbers(values, name, len(self._measured))
        same_length(choices, told, ("archs", name))
        with self._lock:
            self._engine.tell(choices, told.reshape(len(choices), -1))
            self._step = None

    def step(self) -> LoopStep:
        """What is known so far, and what to measure next."""
        with self._lock:
            if self._step is None:
                found = self._engine.step()
                found["front"] = [self._network(*one) for one in found["front"]]
                found["answers"] = [
                    LimitAnswer(
                        self._latency(limits), kept, None if network is None else self._network(*network), tuple(limits)
                    )
                    for limits, kept, network in found["answers"]
                ]
                self._step = LoopStep(**found)
            return self._step

    def _network(
        self, arch: str, values: list[float], quality: float, repeats: int, deviation: float
    ) -> MeasuredNetwork:
        return MeasuredNetwork(arch, self._latency(values), quality, repeats, deviation, tuple(values))

    def _latency(self, values: list[float]) -> float:
        return values[0] if self._measured[0].name == "latency_ms" else float("nan")

    @property
    def measured(self) -> list[str]:
        """Names of the quantities that are measured: "latency_ms", or the metric's, and the second's."""
        return [one.name for one in self._measured]

    @property
    def candidates(self) -> str:
        """Among which networks it chooses."""
        return self._engine.candidates

    @property
    def front(self) -> list[MeasuredNetwork]:
        return self.step().front

    @property
    def answers(self) -> list[LimitAnswer]:
        return self.step().answers

    @property
    def expected_gain(self) -> float:
        return self.step().expected_gain

    @property
    def done(self) -> bool:
        return self.step().phase == "done"

    @property
    def why_stop(self) -> str:
        """Why it stops, "" where it goes on."""
        return self.step().why_stop

    def __repr__(self) -> str:
        return f"<oneproxy.FrontLoop over {self.candidates}>"


_loops: weakref.WeakSet[FrontLoop] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    """The thread that held a loop's lock is not in the child, and would never give it back."""
    for loop in list(_loops):
        loop._lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork_in_child)
def _check_quantity(quantity: Quantity | None, argument: str) -> None:
    if quantity is None:
        return
    if not isinstance(quantity, Quantity):
        raise Error(f"{argument} = {quantity!r:.60}: should be an oneproxy.Quantity, for example ('energy', 'mJ')")
    if not isinstance(quantity.name, str) or not quantity.name.isidentifier() or quantity.name == "latency_ms":
        raise Error(f"{argument}: name {quantity.name!r:.60} is none of a quantity besides latency; call it energy")
    if not isinstance(quantity.unit, str) or not quantity.unit:
        raise Error(f"{argument}: {quantity.name} has no unit; give it, for example 'mJ' or 'images/s'")
    if quantity.direction not in ("min", "max"):
        raise Error(f"{argument}: direction = {quantity.direction!r:.60}: should be 'min' or 'max'")


def _positive(quantity: Quantity) -> list[float]:
    name = "limits_ms" if quantity.name == "latency_ms" else f"limits of {quantity.name}"
    limits = numbers(quantity.limits, name, 1)
    if not (np.isfinite(limits) & (limits > 0)).all():
        raise Error(f"{name} = {limits.tolist()}: should be positive numbers, in {quantity.unit}")
    return limits.tolist()
