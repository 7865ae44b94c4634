"""Search methods that are written in Python: found, judged and limited as those that ship."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import oneproxy

GOAL, LATENCY = "max metric:natsbench:cifar10", "min device:pixel3"
CONFIG = {
    "kind": "searchers", "space": "nasbench201", "quality": "metric:natsbench:cifar100", "latencies": ["device:pixel3"],
    "budgets": [50, 200], "trials": 2, "seed": 1,
}


@oneproxy.search_method("drawn_in_python")
def drawn(problem: oneproxy.Problem, batch: int = 32) -> None:
    """Evaluates what is drawn.

    Until the budget ends it."""
    rng = np.random.default_rng(problem.seed)
    while True:
        problem.evaluate(problem.random(batch, seed=int(rng.integers(2**32))))


@oneproxy.search_method("climb_in_python", "hill climbing")
def climb(problem: oneproxy.Problem) -> None:
    """One decision at a time, from the cheapest of a sample."""
    rng = np.random.default_rng(problem.seed)
    for bounds in problem.limits:
        some = problem.random(200, seed=int(rng.integers(2**32)))
        now = some[np.nanargmin(problem.costs(some)[:, 0])]
        goal = problem.evaluate(now[None])[0, 0]
        better = True
        while better:
            around = np.repeat(now[None], sum(map(len, problem.allowed)), axis=0)
            row = 0
            for decision, choices in enumerate(problem.allowed):
                for choice in choices:
                    around[row, decision] = choice
                    row += 1
            within = around[problem.costs(around)[:, 0] <= bounds[1]]
            goals = problem.evaluate(within)[:, 0]
            better = len(goals) > 0 and np.nanmax(goals) > goal
            if better:
                now, goal = within[np.nanargmax(goals)], np.nanmax(goals)


@pytest.fixture(scope="module")
def space() -> oneproxy.Space:
    return oneproxy.Space("nasbench201")


def search(space: oneproxy.Space, method: str, **how) -> oneproxy.SearchResult:
    return oneproxy.search(space, [GOAL, LATENCY], method=method, **({"limits": [5, 8], "seed": 3} | how))


def test_the_budget_ends_it(space: oneproxy.Space) -> None:
    found = search(space, "drawn_in_python", evaluations=500)
    assert found.n_evaluated == 500 and "drawn_in_python" in found.certainty
    again = search(space, "drawn_in_python", evaluations=500)
    assert again.front == found.front and again.best == found.best
    assert search(space, "drawn_in_python", evaluations=500, seed=4).front != found.front
    assert search(space, "drawn_in_python", seconds=0.2).n_evaluated > 100


def test_it_finds_what_the_values_say(space: oneproxy.Space) -> None:
    found, exact = search(space, "climb_in_python"), search(space, "exhaustive")
    for mine, best, limit in zip(found.best, exact.best, (5, 8)):
        assert mine[0].values[1] <= limit and mine[0].values[0] > best[0].values[0] - 2


def test_what_it_sees_of_its_problem(space: oneproxy.Space, refused) -> None:
    kept: list[oneproxy.Problem] = []

    @oneproxy.search_method("looks")
    def looks(problem: oneproxy.Problem, share: float = 2.0, n: int = 3, word: str = "a", flag: bool = False) -> None:
        kept.append(problem)
        assert (share, n, word, flag) == (0.5, 4, "b", True)
        assert problem.space.name == "nasbench201" and problem.objectives == ["cifar10", "pixel3"]
        assert problem.directions == ["max", "min"] and problem.units == ["%", "ms"] and problem.seed == 3
        assert [bounds[1] for bounds in problem.limits] == [5, 8] and np.isnan(problem.limits[0][0])
        assert problem.evaluations == 10 and problem.seconds == 0 and problem.left == 10
        assert [len(own) for own in problem.allowed] == [1, 5, 5, 5, 5, 5]
        rows = problem.rows
        assert len(rows) == 3125 and len(problem.random(7, seed=1)) == 7
        values = problem.evaluate(rows[:2])
        assert values.shape == (2, 2) and np.array_equal(values[:, 1:], problem.costs(rows[:2]))
        assert np.array_equal(values, problem.evaluate(space.strings(rows[:2])))
        assert np.array_equal(values, problem.evaluate([space.index(row) for row in rows[:2]]))
        assert (problem.n_evaluated, problem.left) == (2, 8) and "cifar10" in repr(problem)
        assert problem.evaluate([]).shape == (0, 2)
        with refused("archs[0]", "is not in", "problem.random()"):
            problem.evaluate(["|skip_connect~0|+|none~0|none~1|+|none~0|none~1|none~2|"])
        with pytest.raises(oneproxy.BudgetSpent, match="10 architectures"):
            problem.evaluate(rows)
        assert problem.left == 0 and problem.n_evaluated == 10
        assert np.array_equal(problem.evaluate(rows[:2]), values), "known already"

    settings = {"share": 0.5, "n": 4, "word": "b", "flag": True}
    search(space, "looks", evaluations=10, settings=settings, fix=["edge 0-1=none"])
    with refused("problem", "has ended"):
        kept[0].evaluate(["anything"][:0])
    with refused("settings of looks", "shar"):
        search(space, "looks", settings={"shar": 1})


def test_objectives_of_python_too(tmp_path: Path) -> None:
    layer = '[[decision]]\nname = "layer{}"\nchoices = ["k3", "k5", "k7", "skip"]\n'
    (tmp_path / "own.toml").write_text('name = "own"\n' + "".join(layer.format(i) for i in range(10)))
    asked: list[np.ndarray] = []

    def gain(choices: np.ndarray) -> np.ndarray:
        asked.append(choices)
        return choices.sum(axis=1)

    both = [oneproxy.Objective("max", gain), oneproxy.Objective("min", lambda c: c[:, 0], name="cost", limits=[1])]
    found = oneproxy.search(str(tmp_path / "own.toml"), both, method="drawn_in_python", evaluations=200, seed=1)
    assert found.n_evaluated == 200 and len(np.unique(np.concatenate(asked), axis=0)) == 200
    assert found.best[0][0].values[1] <= 1


def test_what_it_raises_comes_out(space: oneproxy.Space, refused) -> None:
    @oneproxy.search_method("raises")
    def raises(problem: oneproxy.Problem) -> None:
        raise ZeroDivisionError("in my method")

    with pytest.raises(ZeroDivisionError, match="in my method") as raised:
        search(space, "raises")
    assert any(entry.name == "raises" for entry in raised.traceback)

    @oneproxy.search_method("raises")
    def returns(problem: oneproxy.Problem) -> list[int]:
        return [3]

    with refused("search method raises", "returned a list"):
        search(space, "raises")


def test_two_threads_on_one_problem(space: oneproxy.Space) -> None:
    @oneproxy.search_method("threads")
    def threads(problem: oneproxy.Problem) -> None:
        def work(number: int) -> None:
            for i in range(20):
                problem.evaluate(problem.random(5, seed=100 * number + i))

        all_of_them = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for one in all_of_them:
            one.start()
        for one in all_of_them:
            one.join()

    assert 300 < search(space, "threads").n_evaluated <= 400


def test_names_and_arguments(refused) -> None:
    with refused("search method random", "ships"):
        oneproxy.search_method("random")(drawn)
    with refused("name = 'my own'", "letters"):
        oneproxy.search_method("my own")(drawn)
    with refused("name = <function", "brackets"):
        oneproxy.search_method(drawn)
    with refused("search_method mine", "weight has no default"):
        oneproxy.search_method("mine")(lambda problem, weight: None)


def test_searchers_judges_it_beside_those_that_ship(tmp_path: Path) -> None:
    methods = ["random", "climb_in_python", "drawn_in_python", "drawn_in_python: batch = 3"]
    result = oneproxy.run(CONFIG, out=tmp_path, methods=methods)
    alone = oneproxy.run(CONFIG, out=tmp_path, methods=["random"])
    names = ["random", "climb_in_python", "drawn_in_python", "drawn_in_python_batch=3"]
    for name in names:
        for budget in (50, 200):
            assert result.summary[f"evaluated.{name}.{budget}"] <= budget + 1
    assert result.summary["regret.random.200"] == alone.summary["regret.random.200"]
    assert "climb_in_python" in (Path(result.folder) / "report.md").read_text()


def test_another_version_is_another_result(tmp_path: Path) -> None:
    folders = []
    for batch in (1, 2, 1):
        scope: dict[str, object] = {"oneproxy": oneproxy}
        exec(
            "@oneproxy.search_method('changes')\n"
            f"def changes(problem):\n    problem.evaluate(problem.random({batch}, seed=1))\n",
            scope,
        )
        folders.append(str(oneproxy.run(CONFIG, out=tmp_path, methods=["changes"]).folder))
    assert folders[0] == folders[2] != folders[1]


def test_search_experiment_takes_it(tmp_path: Path) -> None:
    config = {"kind": "search", "space": "nasbench201", "quality": "metric:natsbench:cifar10",
              "latency": "device:pixel3", "limits_ms": [5, 8], "method": "drawn_in_python", "evaluations": 300, "seed": 1}
    result = oneproxy.run(config, out=tmp_path)
    found = oneproxy.search("nasbench201", [GOAL, LATENCY], limits=[5, 8], method="drawn_in_python", evaluations=300, seed=1)
    assert result.summary["evaluated"] == found.n_evaluated == 300
    assert result.summary["arch.5"] == found.best[0][0].arch


def test_ctrl_c_within_a_method(tmp_path: Path) -> None:
    script = tmp_path / "long.py"
    script.write_text(
        "import oneproxy, os, signal, threading\n"
        "@oneproxy.search_method('long')\n"
        "def long(problem):\n"
        "    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "    while True:\n"
        "        problem.evaluate(problem.random(10, seed=1))\n"
        "try:\n"
        "    oneproxy.search('nasbench201', ['max metric:natsbench:cifar10', 'min device:pixel3'], method='long', seed=1)\n"
        "except KeyboardInterrupt:\n"
        "    print('ended')\n"
    )
    done = subprocess.run(
        [sys.executable, script], env={"PYTHONPATH": str(Path(oneproxy.__file__).parents[1])}, timeout=60,
        capture_output=True, text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "ended\n", "")


def test_progress_of_an_experiment(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    oneproxy.run(CONFIG, out=tmp_path, methods=["random", "drawn_in_python"], progress=lambda *step: told.append(step))
    assert told[-1] == (4, 4)  # those that run one at a time come after those that run side by side
    assert told.count((4, 4)) >= 2
