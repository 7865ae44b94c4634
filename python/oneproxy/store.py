"""Stores: measurements of devices, in one HDF5 file."""

from __future__ import annotations

import os
import shutil
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oneproxy import _engine
from oneproxy._arrays import count, numbers, same_length
from oneproxy._errors import Error
from oneproxy.space import Architectures, Space, space_of


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
    """A store, by its path; without one the store that ships, which is never changed.

    space: a Space, or its name. set: architectures that were measured together; the space's own where none is named.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._engine = _engine.open_store("" if path is None else os.fspath(path))

    @classmethod
    def create(cls, path: str | os.PathLike[str]) -> Store:
        """A store of one's own, to add to: a copy of the one that ships. Error where there is a file already."""
        try:
            with open(os.fspath(path), "xb") as copy, open(Store().path, "rb") as shipped:
                shutil.copyfileobj(shipped, copy)
        except OSError as error:
            remedy = "open it by Store(path)" if isinstance(error, FileExistsError) else "give another path"
            raise Error(f"path = {os.fspath(path)}: can not be made ({error.strerror}); {remedy}") from None
        return cls(path)

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

    def add_device(
        self,
        space: Space | str,
        device: str,
        archs: Architectures,
        latency_ms: ArrayLike,
        *,
        set: str = "user",
        source: str = "",
        licence: str = "private",
        precision: str = "unknown",
        batch: int = 0,
    ) -> None:
        """Add a device that was measured, as `oneproxy import --device` does: archs and latency_ms [n], one a
        measurement. Several of one architecture are repeats (their median counts), NaN is a failed one. Measurements
        of this device that are there are replaced. source: where they come from; precision: "fp32", "int8", ...;
        batch: images at once, 0: unknown. Error: the store that ships, a set of public data.
        """
        own, choices, values = _measured(space, archs, latency_ms, "latency_ms")
        _engine.add_device(self.path, own._engine, set, device, choices, values, source, licence, precision,
                           count(batch, "batch", 0))
        self._engine = _engine.open_store(self.path)

    def add_metric(
        self,
        space: Space | str,
        name: str,
        archs: Architectures,
        values: ArrayLike,
        *,
        unit: str = "",
        direction: str = "",
        set: str = "user",
        source: str = "",
        licence: str = "private",
    ) -> None:
        """Add a metric, as `oneproxy import --metric` does: archs and values [n], in the unit ("mJ", "images/s", "%").
        direction: "min" or "max", which way is better. Both need not be given where the store has a metric of this
        name. Otherwise like add_device.
        """
        own, choices, array = _measured(space, archs, values, "values")
        _engine.add_metric(self.path, own._engine, set, name, choices, array, unit, direction, source, licence)
        self._engine = _engine.open_store(self.path)

    def __repr__(self) -> str:
        return f"Store({self.path!r})"


def _measured(
    space: Space | str, archs: Architectures, values: ArrayLike, name: str
) -> tuple[Space, NDArray[np.uint8], NDArray[np.float64]]:
    own = space_of(space)
    choices, array = own.choices(archs), numbers(values, name, 1)
    same_length(choices, array, ("archs", name))
    return own, choices, array


def _name(space: Space | str) -> str:
    return space if isinstance(space, str) and not space.endswith(".toml") else space_of(space).name


def _set(space: Space | str, set: str | None) -> str:
    return space_of(space).measured_set if set is None else set
