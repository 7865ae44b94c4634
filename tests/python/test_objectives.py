"""Objectives that Python computes: the answers of a table with the same values, and errors that name the objective."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import oneproxy
from oneproxy import Objective

GOAL, LATENCY = "max metric:natsbench:cifar10", "min device:pixel3"
LAYERS = 7  # with 4 choices each: 16384 architectures


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> oneproxy.Space:
    path = tmp_path_factory.mktemp("space") / "mine.toml"
    layer = '[[decision]]\nname = "layer{}"\nchoices = ["k3", "k5", "k7", "skip"]\n'
    path.write_text('name = "mine"\n' + "".join(layer.format(i) for i in range(LAYERS)))
    return oneproxy.Space(path)


def accuracy(choices: np.ndarray) -> np.ndarray:
    return 70 + np.sin(choices @ np.arange(1.0, LAYERS + 1)) + (choices == 2).sum(axis=1)


def latency(choices: np.ndarray) -> np.ndarray:
    return 1 + choices @ np.arange(LAYERS, 0.0, -1) / 3


class Recorded:
    """Remembers what it was asked."""

    def __init__(self, function) -> None:
        self.function, self.calls = function, []

    def __call__(self, choices: np.ndarray) -> np.ndarray:
        self.calls.append(choices.copy())
        choices[:] = 0  # one's own copy
        return self.function(self.calls[-1])


def test_every_architecture_of_a_small_space(space: oneproxy.Space) -> None:
    recorded = Recorded(accuracy)
    objectives = [Objective("max", recorded, name="accuracy", unit="%"), Objective("min", latency, unit="ms")]
    found = oneproxy.search(space, objectives, limits=[5, 10], seed=1)
    choices = space.choices([space.arch(i) for i in range(space.size)])
    points = np.stack([accuracy(choices), latency(choices)], axis=1)
    expected = points[oneproxy.pareto_front(points, ("max", "min"))]
    assert np.array_equal(np.array([one.values for one in found.front])[::-1], expected)
    for limit, best in zip((5, 10), found.best):
        assert best[0].values[0] == points[points[:, 1] <= limit, 0].max()
    assert found.certainty.startswith("exact") and found.n_evaluated == space.size
    assert found.objectives == ["accuracy", "latency"] and found.units == ["%", "ms"]
    asked = np.concatenate(recorded.calls)
    assert len(np.unique(asked, axis=0)) == len(asked) == space.size, "each once"
    assert max(map(len, recorded.calls)) == 4096, "in batches"


@pytest.mark.parametrize("method", ["evolutionary", "random", "local", "coordinate_descent", "fp_nas", "shgo", "auto"])
def test_methods_find_what_they_find_on_a_table(method: str, program: Path) -> None:
    """A function that looks the published values up, against the values themselves."""
    cells = oneproxy.Space("nasbench201")
    metric = oneproxy.Store().metric(cells, "cifar10", "natsbench")
    known = {row.tobytes(): value for row, value in zip(metric.choices, metric.values)}
    recorded = Recorded(lambda choices: np.array([known[row.tobytes()] for row in choices]))
    computed = Objective("max", recorded, name="cifar10")
    found = [
        oneproxy.search(cells, [goal, LATENCY], limits=[5, 8], method=method, evaluations=400, seed=3)
        for goal in (GOAL, computed)
    ]
    assert found[0].front == found[1].front and found[0].best == found[1].best
    assert found[0].n_evaluated == found[1].n_evaluated <= 450
    asked = np.concatenate(recorded.calls)
    assert len(np.unique(asked, axis=0)) == len(asked)
    if method != "local":
        assert len(recorded.calls) < len(asked), "in batches"


def test_the_order_does_not_depend_on_threads(space: oneproxy.Space, tmp_path: Path) -> None:
    script = tmp_path / "order.py"
    script.write_text(
        "import hashlib, sys, numpy as np, oneproxy\n"
        "space, sha = oneproxy.Space(sys.argv[1]), hashlib.sha256()\n"
        "def cost(choices):\n    sha.update(choices.tobytes())\n    return choices @ np.arange(1.0, 8)\n"
        "def gain(choices):\n    sha.update(choices.tobytes())\n    return np.cos(choices @ np.arange(3.0, 10))\n"
        "both = [oneproxy.Objective('max', gain), oneproxy.Objective('min', cost, limits=[30, 40])]\n"
        "for method in ('evolutionary', 'coordinate_descent', 'local'):\n"
        "    print(oneproxy.search(space, both, method=method, evaluations=300, seed=5).best)\n"
        "print(sha.hexdigest())\n"
    )
    path = Path(repr(space).split("'")[1])
    package = str(Path(oneproxy.__file__).parents[1])
    outputs = {
        subprocess.run(
            [sys.executable, script, path], env=os.environ | {"ONEPROXY_THREADS": threads, "PYTHONPATH": package},
            check=True, capture_output=True, text=True,
        ).stdout
        for threads in ("1", "3")
    }
    assert len(outputs) == 1


def test_a_function_may_use_the_package(space: oneproxy.Space) -> None:
    """Which takes the engine's turn again, and may be in the middle of a search of its own."""
    def depth(choices: np.ndarray) -> np.ndarray:
        inner = oneproxy.search(space, [Objective("max", accuracy), Objective("min", latency)], fix=["layer*=k3"], seed=1)
        return oneproxy.Space("nasbench201").size + accuracy(choices) + len(inner.front)

    found = oneproxy.search(
        space, [Objective("max", depth), Objective("min", latency)], method="evolutionary", evaluations=20, seed=1
    )
    assert found.n_evaluated >= 20 and found.front


def test_what_it_raises_comes_out_with_its_traceback(space: oneproxy.Space) -> None:
    class OwnError(Exception):
        pass

    def fails(choices: np.ndarray) -> np.ndarray:
        raise OwnError("the phone is unplugged")

    with pytest.raises(OwnError, match="unplugged") as raised:
        oneproxy.search(space, [Objective("max", fails), Objective("min", latency)], seed=1)
    assert any(entry.name == "fails" for entry in raised.traceback)
    assert oneproxy.search(space, [Objective("max", accuracy), Objective("min", latency)], seed=1).front, "and goes on"


def test_bad_values_name_the_objective(space: oneproxy.Space, refused) -> None:
    def search(goal, **how) -> None:
        oneproxy.search(space, [Objective("max", goal, name="gain"), Objective("min", latency)], seed=1, **how)

    with refused("objective gain", "shape (4095,)", "return [4096]"):
        search(lambda choices: np.ones(len(choices) - 1))
    with refused("objective gain", "shape (4096, 1)"):
        search(lambda choices: np.ones((len(choices), 1)))
    with refused("objective gain", "shape ()"):
        search(lambda choices: 1.0)
    with refused("objective gain", "dtype <U1"):
        search(lambda choices: ["a"] * len(choices))
    with refused("objective gain", "shape ()"):
        search(lambda choices: None)
    with refused("objective gain", "is nan for", "finite"):
        search(lambda choices: np.where(choices[:, 0] == 3, np.nan, 1.0))
    with refused("objective gain", "is inf for", "finite"):
        search(lambda choices: np.full(len(choices), np.inf))
    with refused("method = \"exact\"", "gain", "is a function", "exhaustive", "evolutionary"):
        search(accuracy, method="exact")
    for method in ("annealing", "differentiable"):
        with refused(method, "gain", "is a function", "exhaustive"):
            search(accuracy, method=method, evaluations=100)
    with refused("method = \"exhaustive\"", "would call a function", "evolutionary"):
        oneproxy.search("fbnet", [Objective("max", accuracy), "min proxy:pixel3"], method="exhaustive", seed=1)


def test_bad_objectives_name_the_argument(space: oneproxy.Space, refused) -> None:
    with refused("direction = 'most'"):
        Objective("most", accuracy)
    with refused("function = 3"):
        Objective("max", 3)
    with refused("name", "<lambda>"):
        Objective("max", lambda choices: choices[:, 0])
    with refused("limits of objective latency"):
        Objective("min", latency, limits=["x"])
    with refused("objectives[1]", "two objectives are called accuracy"):
        oneproxy.search(space, [Objective("max", accuracy), Objective("min", accuracy)], seed=1)
    with refused("limits", "has some already"):
        oneproxy.search(space, [Objective("max", accuracy), Objective("min", latency, limits=[5])], limits=[5], seed=1)
    with refused("settings of evolutionary", "populatio"):
        oneproxy.search(space, [Objective("max", accuracy), Objective("min", latency)], method="evolutionary",
                        settings={"populatio": 3}, seed=1)


def test_settings_of_a_method_that_ships(space: oneproxy.Space) -> None:
    both = [Objective("max", accuracy), Objective("min", latency)]
    found = oneproxy.search(space, both, method="evolutionary", settings={"population": 20, "generations": 3}, seed=1)
    assert "population of 20 for 3 generations" in found.certainty


def test_ctrl_c_within_a_function(space: oneproxy.Space) -> None:
    def slow(choices: np.ndarray) -> np.ndarray:
        if len(calls) == 0:
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        calls.append(len(choices))
        time.sleep(0.05)
        return accuracy(choices)

    calls: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        oneproxy.search(
            space, [Objective("max", slow), Objective("min", latency)], method="evolutionary", evaluations=9000,
            settings={"population": 4}, seed=1,
        )
    assert len(calls) < 100
    assert oneproxy.search(space, [Objective("max", accuracy), Objective("min", latency)], seed=1).front


def test_progress(space: oneproxy.Space, capsys) -> None:
    both = [Objective("max", accuracy), Objective("min", latency)]
    told: list[tuple[int, int]] = []
    oneproxy.search(space, both, seed=1, progress=lambda done, total: told.append((done, total)))
    assert told == [(4096 * i, space.size) for i in range(1, 5)]
    told.clear()
    oneproxy.search(
        space, both, method="random", evaluations=600, seed=1, progress=lambda done, total: told.append((done, total))
    )
    assert told[-1] == (600, 600) and told == sorted(told)
    oneproxy.search(space, both, seed=1, progress=True)
    assert "evaluations" in capsys.readouterr().err
    told.clear()
    oneproxy.search(space, both, seed=1)
    assert not told and capsys.readouterr().err == ""


def test_progress_without_tqdm(space: oneproxy.Space, capsys, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    oneproxy.search(space, [Objective("max", accuracy), Objective("min", latency)], seed=1, progress=True)
    assert capsys.readouterr().err.endswith(f"{space.size} of {space.size} evaluations\n")


def test_a_progress_that_raises_ends_the_work(space: oneproxy.Space, refused) -> None:
    def enough(done: int, total: int) -> None:
        raise StopIteration(done)

    both = [Objective("max", accuracy), Objective("min", latency)]
    with pytest.raises(StopIteration):
        oneproxy.search(space, both, seed=1, progress=enough)
    with refused("progress = 3"):
        oneproxy.search(space, both, seed=1, progress=3)


def test_progress_of_a_search_by_kernels() -> None:
    told: list[tuple[int, int]] = []
    with pytest.warns(oneproxy.StandInWarning):
        oneproxy.search(
            "fbnet", ["max model:macs", "min proxy:pixel3 <= 15"], method="exhaustive", seed=1,
            settings={"count": "3000000"}, progress=lambda done, total: told.append((done, total)),
        )
    assert told[-1] == (3000000, 3000000)
