"""Search spaces: architectures as strings, choices, indices and features."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple, Union

import numpy as np
from numpy.typing import NDArray

from oneproxy import _engine
from oneproxy._arrays import ANY_INDEX, array_of, count, seed_of
from oneproxy._errors import Error

# Several architectures: strings of the space, or choices [n, n_decisions].
Architectures = Union[Sequence[str], NDArray[Any], Sequence[Sequence[int]]]


class Decision(NamedTuple):
    """A decision with the names of its choices; choice i of an architecture is choices[i]."""

    name: str
    choices: list[str]


class Space:
    """A search space, by the name of one that ships or by the path of a file (*.toml).

    geometry: the shapes with which it is used, for example a data set; the space's first one where it is not given.
    Wherever architectures are taken (archs), they are strings of the space or choices [n, n_decisions].
    """

    def __init__(self, name_or_path: str | os.PathLike[str], geometry: str = "") -> None:
        self._engine = _engine.load_space(os.fspath(name_or_path), geometry)

    @classmethod
    def _of(cls, engine: _engine.Space) -> Space:
        """The space that the engine has already."""
        own = cls.__new__(cls)
        own._engine = engine
        return own

    @property
    def name(self) -> str:
        """Measurements and predictors of a store go by it."""
        return self._engine.name

    @property
    def geometry(self) -> str:
        return self._engine.geometry

    @property
    def geometries(self) -> list[str]:
        """All that it can be used with."""
        return self._engine.geometries

    @property
    def measured_set(self) -> str:
        """The set of a store that is meant where none is named."""
        return self._engine.measured_set

    @property
    def size(self) -> int:
        """Number of distinct architectures."""
        return int(self._engine.size)

    @property
    def decisions(self) -> list[Decision]:
        return [Decision(name, choices) for name, choices in self._engine.decisions]

    def choices(self, archs: Architectures) -> NDArray[np.uint8]:
        """Choices of architectures, [n, n_decisions]: the number of the choice that each decision makes."""
        if isinstance(archs, (str, bytes)):
            raise Error("archs: is one text; give a list of architectures")
        array = array_of(archs, "archs")
        if array.size == 0:
            return np.empty((0, len(self.decisions)), np.uint8)
        if array.dtype.kind in "UO" and array.ndim == 1 and all(isinstance(arch, str) for arch in array):
            return self._engine.parse([str(arch) for arch in array])
        if array.dtype.kind not in "iu":
            raise Error(f"archs: has dtype {array.dtype}; give strings, or whole numbers as choices [n, n_decisions]")
        if array.ndim != 2:
            raise Error(f"archs: has shape {array.shape}; should be [n, n_decisions], a row an architecture")
        if array.min() < 0 or array.max() > 255:
            raise Error(f"archs: holds {array.min() if array.min() < 0 else array.max()}, which is no choice")
        if np.ma.is_masked(array):
            raise Error("archs: has masked choices; leave such architectures out")
        choices = np.require(array, np.uint8, "C")
        self._engine.check(choices)
        return choices

    def strings(self, archs: Architectures) -> list[str]:
        """Architectures in the space's own writing."""
        return self._engine.strings(self.choices(archs))

    def encode(self, archs: Architectures) -> NDArray[np.float32]:
        """One-hot code, [n, number of all choices]: a column a choice of a decision. Inactive blocks have only zeros."""
        return self._engine.encode(self.choices(archs))

    def index(self, arch: str | Sequence[int] | NDArray[Any]) -> int:
        """Number of one architecture in the space, from 0; it may need more than 64 bits."""
        return int(self._engine.indices(self.choices([arch]))[0])

    def arch(self, index: int) -> str:
        """The architecture at an index."""
        number = count(index, "index", 0, ANY_INDEX)
        if number >= self.size:
            raise Error(f"index = {number}: {self.name} has the indices 0 to {self.size - 1}")
        return self.strings(self._engine.choices_at(str(number))[None])[0]

    def random(self, n: int, seed: int) -> NDArray[np.uint8]:
        """Architectures drawn evenly, choices [n, n_decisions]; some may be equal. The same seed draws the same ones."""
        return self._engine.random(count(n, "n", 0), seed_of(seed))

    def costs(self, archs: Architectures) -> dict[str, NDArray[np.float64]]:
        """What whole networks cost, [n] each: macs, parameters, activation_bytes, layers."""
        return self._engine.costs(self.choices(archs))

    def __repr__(self) -> str:
        geometry = f", geometry={self.geometry!r}" if self.geometry else ""
        return f"Space({self._engine.reference!r}{geometry})"

    def __reduce__(self) -> tuple[type[Space], tuple[str, str]]:
        return Space, (self._engine.reference, self.geometry)


def space_of(space: Space | str | os.PathLike[str], geometry: str = "") -> Space:
    """An argument `space`: a Space, or what makes one."""
    if isinstance(space, Space):
        return space
    if not isinstance(space, (str, os.PathLike)):
        raise Error(f"space = {space!r}: should be a Space, the name of one, or the path of its file")
    return Space(space, geometry)
