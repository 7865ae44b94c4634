"""Selections that are written in Python: a copy of one that ships selects the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import oneproxy

SOURCES = ["1080ti_1", "silver_4114", "pixel3"]
CONFIG = {
    "kind": "few_shot", "samples_target": 12, "trials": 2, "ablations": False, "prior": "stated", "seed": 1,
    "task": [{"name": "small", "space": "nasbench201", "samples_source": 200, "sources": SOURCES, "targets": ["fpga"]}],
}


@oneproxy.selection("d_optimal_in_python")
def d_optimal(pool: oneproxy.Pool) -> list[int]:
    """Of largest posterior variance, one after the other."""
    precision = np.eye(pool.features.shape[1]) + pool.measured_features.T @ pool.measured_features / pool.noise
    covariance = np.linalg.inv(precision)
    chosen: list[int] = []
    for _ in range(pool.k):
        variance = np.einsum("ij,jk,ik->i", pool.features, covariance, pool.features)
        variance[chosen] = -np.inf
        best = int(np.argmax(variance))
        along = covariance @ pool.features[best]
        covariance = covariance - np.outer(along, along) / (pool.noise + variance[best])
        chosen.append(best)
    return chosen


@pytest.fixture(scope="module")
def space() -> oneproxy.Space:
    return oneproxy.Space("nasbench201")


def test_a_copy_of_one_that_ships_plans_the_same(space: oneproxy.Space) -> None:
    own, shipped = (
        oneproxy.plan(space, 20, seed=3, sources=SOURCES, selection=name)
        for name in ("d_optimal_in_python", "d_optimal")
    )
    assert own.archs == shipped.archs
    more = oneproxy.plan(space, 5, seed=3, sources=SOURCES, selection="d_optimal_in_python", measured=own.archs)
    assert more.archs == oneproxy.plan(space, 5, seed=3, sources=SOURCES, selection="d_optimal", measured=own.archs).archs
    assert not set(more.archs) & set(own.archs)


def test_what_it_sees(space: oneproxy.Space) -> None:
    pools: list[oneproxy.Pool] = []

    @oneproxy.selection("looks_at_pool")
    def looks(pool: oneproxy.Pool) -> np.ndarray:
        pools.append(pool)
        assert oneproxy.Space("fbnet").size > pool.space.size == 15625, "may use the package"
        return np.arange(pool.k)[::-1]

    measured = space.random(3, seed=8)
    planned = oneproxy.plan(space, 4, seed=1, sources=SOURCES, selection="looks_at_pool", measured=measured)
    (pool,) = pools
    assert np.array_equal(planned.choices, pool.choices[pool.k - 4 : pool.k][::-1])
    assert pool.choices.shape == (500, 6) and len(pool.features) == len(pool.reference) == 500
    assert np.array_equal(pool.measured, measured) and pool.measured_features.shape == (3, pool.features.shape[1])
    assert (pool.features[:, -1] == pool.features[0, -1]).all() and pool.noise > 0 and pool.seed == 1


@pytest.mark.parametrize(
    ("returned", "parts"),
    [
        (lambda pool: [0], ("chose 1 architectures", "return the positions")),
        (lambda pool: [0] * pool.k, ("position 0 twice",)),
        (lambda pool: range(len(pool.choices) - 1, len(pool.choices) + pool.k - 1), ("position 500", "0 to 499")),
        (lambda pool: [-1 - i for i in range(pool.k)], ("position -1",)),
        (lambda pool: None, ("returned None",)),
        (lambda pool: np.ones(pool.k), ("returned array",)),
        (lambda pool: ["a"], ("returned ['a']",)),
    ],
)
def test_bad_answers_name_the_selection(space: oneproxy.Space, refused, returned, parts: tuple[str, ...]) -> None:
    oneproxy.selection("bad")(returned)
    with refused("selection bad", *parts):
        oneproxy.plan(space, 4, seed=1, sources=SOURCES, selection="bad")


def test_what_it_raises_comes_out(space: oneproxy.Space, tmp_path: Path) -> None:
    @oneproxy.selection("raises")
    def raises(pool: oneproxy.Pool) -> list[int]:
        raise ZeroDivisionError("in my selection")

    with pytest.raises(ZeroDivisionError, match="in my selection"):
        oneproxy.plan(space, 4, seed=1, sources=SOURCES, selection="raises")
    with pytest.raises(ZeroDivisionError, match="in my selection"):
        oneproxy.run(CONFIG, out=tmp_path, selection="raises")


def test_names(refused, space: oneproxy.Space) -> None:
    with refused("selection a_optimal", "ships"):
        oneproxy.selection("a_optimal")(d_optimal)
    with refused("name = <function", "brackets"):
        oneproxy.selection(d_optimal)
    with refused("selection mine", "no function"):
        oneproxy.selection("mine")(3)
    with pytest.raises(oneproxy.Error, match="d_optimal_in_python"):
        oneproxy.plan(space, 4, seed=1, selection="d_optimal_in_pytho")


def test_few_shot_judges_it(tmp_path: Path) -> None:
    own, shipped = (
        oneproxy.run(CONFIG, out=tmp_path, selection=name) for name in ("d_optimal_in_python", "d_optimal")
    )
    keys = [key for key in shipped.summary if "srcc" in key and isinstance(shipped.summary[key], float)]
    assert keys and all(own.summary[key] == shipped.summary[key] for key in keys)
    assert own.folder != shipped.folder
