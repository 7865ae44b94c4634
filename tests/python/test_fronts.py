"""Fronts and hypervolumes against brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import oneproxy

RANDOM = np.random.default_rng(3)
DIRECTIONS = [d for m in (2, 3) for d in itertools.product(("min", "max"), repeat=m)]


def signs(directions: tuple[str, ...]) -> np.ndarray:
    return np.array([1.0 if d == "min" else -1.0 for d in directions])


def front_by_pairs(points: np.ndarray, directions: tuple[str, ...]) -> list[int]:
    """Every point against every other one."""
    own = points * signs(directions)
    front = []
    for i, one in enumerate(own):
        better = ((own <= one).all(axis=1) & (own < one).any(axis=1)) | (
            (own == one).all(axis=1) & (np.arange(len(own)) < i)
        )
        if not np.isnan(one).any() and not better.any():
            front.append(i)
    return front


def volume_by_cells(points: np.ndarray, reference: np.ndarray, directions: tuple[str, ...]) -> int:
    """Of points with whole coordinates: the unit cells that one of them dominates."""
    own, corner = points * signs(directions), reference * signs(directions)
    low = int(min(own.min(), corner.min()))
    axes = [np.arange(low, int(c)) for c in corner]
    cells = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(corner))
    return int((own[None] <= cells[:, None]).all(axis=2).any(axis=1).sum())


@pytest.mark.parametrize("directions", DIRECTIONS)
@pytest.mark.parametrize("n", [1, 2, 60])
def test_front_as_by_pairs(directions: tuple[str, ...], n: int) -> None:
    for points in (RANDOM.normal(size=(n, len(directions))), RANDOM.integers(0, 5, size=(n, len(directions)))):
        found = oneproxy.pareto_front(points, directions)
        assert found.dtype == np.int64
        assert sorted(found) == front_by_pairs(points.astype(float), directions)
        first = points[found, 0] * signs(directions)[0]
        assert (np.diff(first) >= 0).all(), "from the best in the first objective to the worst"


@pytest.mark.parametrize("directions", DIRECTIONS)
def test_hypervolume_as_by_cells(directions: tuple[str, ...]) -> None:
    m = len(directions)
    for n in (1, 2, 12):
        points = RANDOM.integers(-4, 5, size=(n, m)).astype(float)
        reference = RANDOM.integers(-2, 6, size=m).astype(float) * signs(directions)
        expected = volume_by_cells(points, reference, directions)
        assert oneproxy.hypervolume(points, reference, directions) == pytest.approx(expected, abs=1e-9)


def test_points_with_nan_do_not_count() -> None:
    points = np.array([[1, 1], [np.nan, 9], [2, 5]])
    assert list(oneproxy.pareto_front(points, ["min", "max"])) == [0, 2]
    assert oneproxy.hypervolume(points, [3, 0], ["min", "max"]) == pytest.approx(1 * 1 + 5 * 1)


def test_of_nothing() -> None:
    assert oneproxy.pareto_front(np.empty((0, 3)), ("min",) * 3).shape == (0,)
    assert oneproxy.hypervolume(np.empty((0, 2)), [1, 1], ("min", "min")) == 0


def test_bad_input_names_the_argument(refused) -> None:
    two = np.zeros((3, 2))
    with refused("points", "(3, 4)"):
        oneproxy.pareto_front(np.zeros((3, 4)), ["min"] * 4)
    with refused("points", "(3,)"):
        oneproxy.pareto_front([1, 2, 3], ["min"])
    with refused("directions", "2 words"):
        oneproxy.pareto_front(two, ["min"])
    with refused("directions", "2 words"):
        oneproxy.pareto_front(two, "min")
    with refused("directions", "'least'"):
        oneproxy.pareto_front(two, ["least", "max"])
    with refused("reference", "3 values"):
        oneproxy.hypervolume(two, [1, 2, 3], ["min", "min"])
    with refused("reference", "NaN"):
        oneproxy.hypervolume(two, [1, np.nan], ["min", "min"])
