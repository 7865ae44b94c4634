"""Stores: measurements of devices, in one HDF5 file."""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from oneproxy import _engine
from oneproxy.space import Space, space_of


class Latencies(NamedTuple):
    """Latencies of all devices of a set."""

    devices: list[str]
    choices: NDArray[np.uint8]  # [n, n_decisions]
    latency_ms: NDArray[np.float64]  # [devices, n]; NaN: failed or missing


class Metric(NamedTuple):
    """A metric of a set: accuracy, energy, ..."""

    choices: NDArray[np.uint8]  # [n, n_decisions]
    values: NDArray[np.float64]  # [n]; NaN: missing
    unit: str
    direction: str  # "min" or "max"; "" where the store does not say


class Store:
    """A store, by its path; without one the store that ships. It is read, never changed.

    space: a Space, or its name. set: architectures that were measured together; the space's own where none is named.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._engine = _engine.open_store("" if path is None else os.fspath(path))

    @property
    def path(self) -> str:
        return self._engine.path

    def spaces(self) -> list[str]:
        """Names of the spaces that have measurements."""
        return self._engine.spaces()

    def sets(self, space: Space | str) -> list[str]:
        return self._engine.sets(_name(space))

    def devices(self, space: Space | str, set: str | None = None) -> list[str]:
        return self._engine.devices(_name(space), _set(space, set))

    def metrics(self, space: Space | str, set: str | None = None) -> list[str]:
        return self._engine.metrics(_name(space), _set(space, set))

    def latency(self, space: Space | str, set: str | None = None) -> Latencies:
        """Of all devices of the set: their names, the choices [n, n_decisions], latencies in ms [devices, n]."""
        name, of = _name(space), _set(space, set)
        devices = self._engine.devices(name, of)
        return Latencies(devices, *self._engine.latency(name, of, devices))

    def metric(self, space: Space | str, name: str, set: str | None = None) -> Metric:
        """A metric of the set: the choices [n, n_decisions], its values [n], its unit, and which way is better."""
        choices, values, unit, direction = self._engine.metric(_name(space), _set(space, set), name)
        return Metric(choices, values, unit, direction[:3])

    def __repr__(self) -> str:
        return f"Store({self.path!r})"


def _name(space: Space | str) -> str:
    return space if isinstance(space, str) and not space.endswith(".toml") else space_of(space).name


def _set(space: Space | str, set: str | None) -> str:
    return space_of(space).measured_set if set is None else set
