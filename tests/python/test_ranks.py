"""Ranks and correlations against SciPy."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from scipy import stats

import oneproxy

RANDOM = np.random.default_rng(7)


@pytest.mark.parametrize("n", [2, 3, 10, 1000])
@pytest.mark.parametrize("ties", [False, True])
def test_pairs_as_scipy(n: int, ties: bool) -> None:
    x, y = RANDOM.normal(size=(2, n)) + np.arange(n) / n
    if ties:
        x, y = np.round(x * 3), np.round(y * 3)
        x[0], x[-1], y[0], y[-1] = 90, -90, 80, -80  # never constant
    assert oneproxy.spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    assert oneproxy.kendall(x, y) == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-12)
    assert np.array_equal(oneproxy.average_ranks(x), stats.rankdata(x))


def test_pairs_with_a_missing_value_are_left_out() -> None:
    x, y = RANDOM.normal(size=(2, 50))
    x[3] = y[8] = np.nan
    known = ~np.isnan(x + y)
    assert oneproxy.spearman(x, y) == pytest.approx(stats.spearmanr(x[known], y[known]).statistic, abs=1e-12)
    assert oneproxy.spearman(np.ma.masked_invalid(x), y) == oneproxy.spearman(x, y)
    assert np.isnan(oneproxy.average_ranks(x)[3])


def test_the_matrix_is_each_pair() -> None:
    rows = RANDOM.normal(size=(5, 200))
    rows[2, 7] = np.nan
    matrix = oneproxy.spearman_matrix(rows)
    assert matrix.shape == (5, 5) and matrix.dtype == np.float64
    for i in range(5):
        for j in range(5):
            assert matrix[i, j] == pytest.approx(oneproxy.spearman(rows[i], rows[j]), abs=1e-15)


def test_all_kinds_of_numbers_are_read() -> None:
    x, y = RANDOM.permutation(40), RANDOM.permutation(40)
    expected = stats.spearmanr(x, y).statistic
    wide = np.zeros((40, 3))
    wide[:, 1] = x
    frozen = x.astype(np.float64)
    frozen.flags.writeable = False
    for kind in (list(x), tuple(x), x.astype(np.int16), x.astype(np.float32), wide[:, 1], frozen, x.astype(">f8")):
        assert oneproxy.spearman(kind, y) == pytest.approx(expected, abs=1e-12)
    assert oneproxy.spearman(x[::-1], y[::-1]) == pytest.approx(expected, abs=1e-12)


def test_arguments_are_left_alone() -> None:
    x, y = RANDOM.normal(size=(2, 30))
    before = x.copy(), y.copy()
    oneproxy.spearman(x, y), oneproxy.average_ranks(x), oneproxy.spearman_matrix(np.stack([x, y]))
    assert np.array_equal(x, before[0]) and np.array_equal(y, before[1])


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [([], [], "fewer than two"), ([1], [1], "fewer than two"), ([1, np.nan], [1, 2], "fewer than two"),
     ([2, 2, 2], [1, 2, 3], "first"), ([1, 2, 3], [2, 2, 2], "second")],
)
def test_what_is_not_defined_is_nan_with_the_reason(x: list[float], y: list[float], reason: str) -> None:
    for measure in (oneproxy.spearman, oneproxy.kendall):
        with pytest.warns(oneproxy.UndefinedWarning, match=reason):
            assert np.isnan(measure(x, y))


def test_the_matrix_names_what_is_not_defined() -> None:
    rows = RANDOM.normal(size=(4, 20))
    rows[1] = 5
    with pytest.warns(oneproxy.UndefinedWarning, match="rows 0 and 1"):
        matrix = oneproxy.spearman_matrix(rows)
    assert np.isnan(matrix[1]).all() and not np.isnan(np.delete(matrix[0], 1)).any()


def test_bad_input_names_the_argument(refused) -> None:
    with refused("y", "3", "2"):
        oneproxy.spearman([1, 2], [1, 2, 3])
    with refused("x", "(2, 2)"):
        oneproxy.kendall(np.zeros((2, 2)), [1, 2])
    with refused("y", "dtype"):
        oneproxy.spearman([1, 2], ["a", "b"])
    with refused("x", "complex"):
        oneproxy.average_ranks(np.array([1j]))
    with refused("x", "object"):
        oneproxy.average_ranks([None, 1])
    with refused("x", "no array"):
        oneproxy.average_ranks([[1], [1, 2]])
    with refused("x", "2^53"):
        oneproxy.average_ranks([2**60, 2**60 + 1])
    with refused("rows", "(3,)"):
        oneproxy.spearman_matrix([1, 2, 3])


def test_of_nothing() -> None:
    assert oneproxy.average_ranks([]).shape == (0,)
    assert oneproxy.spearman_matrix(np.empty((0, 5))).shape == (0, 0)


def test_many_threads_at_once() -> None:
    rows = RANDOM.normal(size=(8, 3000))
    expected = oneproxy.spearman_matrix(rows)
    found: list[bool] = []
    threads = [
        threading.Thread(target=lambda: found.append(np.array_equal(oneproxy.spearman_matrix(rows), expected)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 8
