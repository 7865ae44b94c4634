"""Arguments as the engine reads them. What does not fit is an Error that names the argument."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oneproxy._errors import Error

_SHAPES = {1: "[n]", 2: "[n, m]"}
ANY_INDEX = math.inf  # what is compared with the size of a space anyway
_EXACT = 2**53  # larger integers are not all numbers of 64 bits with a point


def numbers(values: ArrayLike, name: str, dimensions: int) -> NDArray[np.float64]:
    """As float64 in row-major order: the same memory where it is that already. Masked values are NaN."""
    array = array_of(values, name)
    if array.dtype.kind not in "fiub":
        raise Error(f"{name}: has dtype {array.dtype}; give real numbers")
    if array.ndim != dimensions:
        raise Error(f"{name}: has shape {array.shape}; should have {dimensions} dimensions, {_SHAPES[dimensions]}")
    if array.dtype.kind in "iu" and array.size and max(abs(int(array.min())), abs(int(array.max()))) > _EXACT:
        raise Error(f"{name}: holds integers beyond 2^53, which float64 can not tell apart; subtract a constant")
    if isinstance(array, np.ma.MaskedArray):
        array = array.astype(np.float64).filled(np.nan)
    return np.require(array, np.float64, "C")


def same_length(x: NDArray[Any], y: NDArray[Any], names: tuple[str, str]) -> None:
    if len(x) != len(y):
        raise Error(f"{names[1]}: has {len(y)} values and {names[0]} has {len(x)}; give as many of both")


def array_of(values: ArrayLike, name: str) -> NDArray[Any]:
    """As NumPy reads it, of any kind."""
    try:
        return np.asanyarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise Error(f"{name}: is no array of numbers ({' '.join(str(error).split())})") from None


def count(value: int, name: str, least: int, most: float = 2**31 - 1) -> int:
    """A whole number, of Python or of NumPy, that the engine can hold."""
    try:
        number = operator.index(value)
    except TypeError:
        raise Error(f"{name} = {value!r}: should be a whole number") from None
    if number < least:
        raise Error(f"{name} = {number}: should be {least} or more")
    if number > most:
        raise Error(f"{name} = {number}: should be {most} at most")
    return number


def seed_of(seed: int) -> int:
    return count(seed, "seed", 0, 2**64 - 1)


def fraction(value: float, name: str) -> float:
    """A number from 0 to 1."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise Error(f"{name} = {value!r}: should be a number from 0 to 1") from None
    if not 0 <= number <= 1:
        raise Error(f"{name} = {number}: should be a number from 0 to 1")
    return number
