"""Searches: the results of the command line, to the bit."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest

import oneproxy

GOAL, LATENCY = "max metric:natsbench:cifar10", "min device:pixel3"


@pytest.fixture(scope="module")
def space() -> oneproxy.Space:
    return oneproxy.Space("nasbench201")


@pytest.mark.parametrize("method", ["exhaustive", "evolutionary"])
def test_the_command_line_has_the_same_bits(
    method: str, space: oneproxy.Space, program: Path, tmp_path: Path
) -> None:
    budget = ["--evaluations", "3000"] if method == "evolutionary" else []
    subprocess.run(
        [program, "search", "--space", "nasbench201", "--objective", GOAL, "--objective", f"{LATENCY} <= 5,8",
         "--method", method, *budget, "--out", "found"],
        cwd=tmp_path, check=True, capture_output=True,
    )
    evaluations = 3000 if budget else 0
    found = oneproxy.search(space, [GOAL, LATENCY], limits=[5, 8], method=method, evaluations=evaluations, seed=1)
    (result,) = (tmp_path / "found" / "search").iterdir()
    with h5py.File(result / "arrays.h5") as file:
        assert np.array_equal(file["front/choices"][()], space.choices([one.arch for one in found.front]))
        for i, name in enumerate(found.objectives):
            assert np.array_equal(file[f"front/{name}"][()], [one.values[i] for one in found.front])
    summary = json.loads((result / "summary.json").read_text())
    assert (found.certainty, found.n_evaluated) == (summary["certainty"], summary["evaluated"])
    for limit, (best,) in zip((5, 8), found.best):
        assert best.arch == summary[f"arch.{limit}"]
        assert best.values == (summary[f"cifar10.{limit}"], summary[f"pixel3.{limit}"])


def test_the_front_and_the_best_by_brute_force(space: oneproxy.Space) -> None:
    store = oneproxy.Store()
    devices, choices, latency_ms = store.latency(space)
    metric = store.metric(space, "cifar10", "natsbench")
    known = {row.tobytes(): value for row, value in zip(metric.choices, metric.values)}
    points = np.stack([[known[row.tobytes()] for row in choices], latency_ms[devices.index("pixel3")]], axis=1)
    found = oneproxy.search(space, [GOAL, LATENCY + " <= 5, 8"], seed=1)
    expected = points[oneproxy.pareto_front(points, ("max", "min"))]
    assert np.array_equal(np.array([one.values for one in found.front])[::-1], expected)
    assert found.certainty.startswith("exact") and found.objectives == ["cifar10", "pixel3"]
    assert found.units == ["%", "ms"] and [bounds[1] for bounds in found.limits] == [5, 8]
    for limit, best in zip((5, 8), found.best):
        assert best[0].values[0] == np.nanmax(points[points[:, 1] <= limit, 0])


def test_a_space_too_large_to_look_at(tmp_path: Path) -> None:
    with pytest.warns(oneproxy.StandInWarning, match="stand-in for accuracy"):
        found = oneproxy.search("fbnet", ["max model:accuracy", "min proxy:pixel3 <= 15"], seed=1)
    assert found.certainty.startswith("exact") and len(found.front) > 100
    assert found.best[0][0].values[1] <= 15


def test_a_limit_that_nothing_keeps_is_refused_as_on_the_command_line(
    space: oneproxy.Space, program: Path, tmp_path: Path, refused
) -> None:
    done = subprocess.run(
        [program, "search", "--space", "nasbench201", "--objective", GOAL, "--objective", f"{LATENCY} <= 0.001"],
        cwd=tmp_path, check=False, capture_output=True, text=True,
    )
    with refused("objectives[1]", "no architecture of all of nasbench201", "raise the limit") as raised:
        oneproxy.search(space, [GOAL, LATENCY], limits=[1e-3], seed=1)
    assert str(raised.value).partition(": ")[2] in done.stderr


def test_equal_limits_are_one_question(space: oneproxy.Space) -> None:
    assert [bounds[1] for bounds in oneproxy.search(space, [GOAL, LATENCY], limits=[5, 8, 5], seed=1).limits] == [5, 8]


def test_a_predictor_of_ones_own(space: oneproxy.Space, tmp_path: Path) -> None:
    planned = oneproxy.plan(space, 15, seed=1, sources=["1080ti_1", "pixel3"])
    latency_ms = 1 + space.costs(planned.archs)["macs"] / 1e7
    adapted = oneproxy.adapt(space, planned.archs, latency_ms, seed=1, sources=["1080ti_1", "pixel3"])
    adapted.save(tmp_path / "phone.h5")
    objective = f"min table:{tmp_path / 'phone.h5'}"
    limit = float(np.median(latency_ms))
    bold, careful = (
        oneproxy.search(space, [GOAL, objective], limits=[limit], confidence=c, seed=1).best[0][0] for c in (0, 0.9)
    )
    mean, _ = adapted.predict([bold.arch, careful.arch])
    assert mean == pytest.approx([bold.values[1], careful.values[1]], rel=1e-9)
    assert careful.values[1] < bold.values[1] <= limit


def test_as_a_table(space: oneproxy.Space, refused) -> None:
    found = oneproxy.search(space, [GOAL, LATENCY], seed=1)
    try:
        import pandas
    except ImportError:
        with refused("to_pandas()", "pip install pandas"):
            found.to_pandas()
        return
    table = found.to_pandas()
    assert isinstance(table, pandas.DataFrame) and list(table.columns) == ["arch", "cifar10", "pixel3"]
    assert len(table) == len(found.front)


def test_bad_input_names_the_argument(space: oneproxy.Space, refused) -> None:
    with refused("objectives", "two or three"):
        oneproxy.search(space, [GOAL], seed=1)
    with refused("objectives", "list"):
        oneproxy.search(space, GOAL, seed=1)
    with refused("objectives[1]", "nothing"):
        oneproxy.search(space, [GOAL, "min nothing"], seed=1)
    with refused("objectives[1]", "cifar10"):
        oneproxy.search(space, [GOAL, GOAL], seed=1)
    with refused("limits"):
        oneproxy.search(space, [GOAL, LATENCY + " <= 5"], limits=[5], seed=1)
    with refused("evaluations = 10", "exhaustive", "budget"):
        oneproxy.search(space, [GOAL, LATENCY], method="exhaustive", evaluations=10, seed=1)
    with refused("seconds"):
        oneproxy.search(space, [GOAL, LATENCY], seconds=-1, seed=1)
    with pytest.raises(oneproxy.Error, match="exhaustiv.*exhaustive"):
        oneproxy.search(space, [GOAL, LATENCY], method="exhaustiv", seed=1)
