"""Scores against the definition, the command line and brute force."""

from __future__ import annotations

import csv
import subprocess
from pathlib import Path

import numpy as np
import pytest

import oneproxy

RANDOM = np.random.default_rng(5)


def network(space: oneproxy.Space, widths: tuple[int, ...], **more: object) -> oneproxy.Mlp:
    inputs = sum(len(decision.choices) for decision in space.decisions)
    pairs = list(zip((inputs, *widths), widths))
    weights = [RANDOM.normal(size=(b, a)) / np.sqrt(a) for a, b in pairs]
    return oneproxy.Mlp.from_arrays(weights, [RANDOM.normal(size=b) for b in widths], space, **more)


@pytest.fixture(scope="module")
def space() -> oneproxy.Space:
    return oneproxy.Space("nasbench201")


@pytest.fixture(scope="module")
def adapted(space: oneproxy.Space) -> oneproxy.Adapted:
    planned = oneproxy.plan(space, 15, seed=1, sources=["1080ti_1", "pixel3"])
    latency_ms = 1 + space.costs(planned.archs)["macs"] / 1e7
    return oneproxy.adapt(space, planned.archs, latency_ms, seed=1, sources=["1080ti_1", "pixel3"], calibrate=False)


def archs_at(space: oneproxy.Space, begin: int, n: int) -> list[str]:
    return [space.arch(begin + i) for i in range(n)]


def test_each_predictor_by_its_definition(space: oneproxy.Space, adapted: oneproxy.Adapted, tmp_path: Path) -> None:
    mlp, logs = network(space, (9, 4, 1)), network(space, (6, 1), log=True, offset=1.0, scale=0.5)
    adapted.save(tmp_path / "phone.h5")
    mlp.save(tmp_path / "net.h5")
    scorer = oneproxy.Scorer(
        space, [mlp, adapted, "model:macs", logs, tmp_path / "phone.h5", str(tmp_path / "net.h5")], backend="cpu"
    )
    begin, n = 4321, 3000
    archs = archs_at(space, begin, n)
    values = scorer.score(begin, n)
    assert values.shape == (n, 6) and values.dtype == np.float64
    mean, _ = adapted.predict(archs)
    expected = [mlp.predict(archs), mean, space.costs(archs)["macs"], logs.predict(archs), mean, mlp.predict(archs)]
    for column, own in enumerate(expected):
        assert values[:, column] == pytest.approx(own, rel=1e-12), column
    assert np.array_equal(values[:, 0], expected[0]), "the same bits"
    assert np.array_equal(scorer.score_archs(archs), values)
    assert len(scorer.units) == len(scorer.paths) == 6 and scorer.backend == "cpu"
    assert scorer.score(7, 0).shape == scorer.score_archs([]).shape == (0, 6)


def test_precisions(space: oneproxy.Space) -> None:
    mlp = network(space, (32, 16, 1))
    exact, fast = (oneproxy.Scorer(space, [mlp], "cpu", p).score(0, 5000) for p in ("fp64", "fp32"))
    assert fast == pytest.approx(exact, abs=1e-4) and not np.array_equal(fast, exact)


def test_indices_beyond_64_bits() -> None:
    space = oneproxy.Space("fbnet")
    mlp = network(space, (8, 1))
    scorer = oneproxy.Scorer(space, ["model:macs", mlp], "cpu")
    begin = space.size - 1000
    archs = archs_at(space, begin, 1000)
    values = scorer.score(begin, 1000)
    assert np.array_equal(values[:, 1], mlp.predict(archs))
    assert values[:, 0] == pytest.approx(space.costs(archs)["macs"], rel=1e-12)


def test_stages_and_lists_of_choices() -> None:
    space = oneproxy.Space("ofa_mbv3")
    mlp = network(space, (8, 1))
    scorer = oneproxy.Scorer(space, [mlp], "cpu")
    archs = space.random(300, seed=1)
    assert np.array_equal(scorer.score_archs(archs)[:, 0], mlp.predict(archs))
    begin = space.size // 3
    assert np.array_equal(scorer.score(begin, 50)[:, 0], mlp.predict(archs_at(space, begin, 50)))


def test_what_a_table_does_not_know_is_nan(program: Path, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        'name = "own"\n' + "".join(f'[[decision]]\nname = "d{i}"\nchoices = ["a", "b", "c"]\n' for i in range(3))
    )
    rows = [(f"d{i}", choice, 10**i * (k + 1)) for i in range(3) for k, choice in enumerate("abc")]
    text = "".join(f"{d},{c},{v}\n" for d, c, v in rows if (d, c) != ("d1", "b"))
    (tmp_path / "table.csv").write_text("decision,choice,value\n" + text)
    subprocess.run(
        [program, "import", "--table", "table.csv", "--space", "own.toml", "--out", "own.h5"],
        cwd=tmp_path, check=True, capture_output=True,
    )
    space = oneproxy.Space(tmp_path / "own.toml")
    scorer = oneproxy.Scorer(space, [tmp_path / "own.h5", "table:" + str(tmp_path / "own.h5")], "cpu")
    values, choices = scorer.score(0, 27), space.choices(archs_at(space, 0, 27))
    assert np.array_equal(np.isnan(values[:, 0]), choices[:, 1] == 1)
    known = choices[:, 1] != 1
    assert values[known, 1] == pytest.approx((choices[known] + 1) @ [1.0, 10, 100])
    assert np.array_equal(scorer.score_archs(choices), values, equal_nan=True)


def test_the_command_line_has_the_same_bits(space: oneproxy.Space, program: Path, tmp_path: Path) -> None:
    network(space, (12, 1)).save(tmp_path / "net.h5")
    names = ["predictor:" + str(tmp_path / "net.h5"), "proxy:pixel3", "model:parameters"]
    subprocess.run(
        [program, "score", "--space", "nasbench201", *(a for name in names for a in ("--predictor", name)), "--begin",
         "100", "--count", "2000", "--backend", "cpu", "--out", "scores.csv"],
        cwd=tmp_path, check=True, capture_output=True,
    )
    with (tmp_path / "scores.csv").open() as file:
        rows = [[float(value) for value in row[-3:]] for row in list(csv.reader(file))[1:]]
    assert np.array_equal(oneproxy.Scorer(space, names, "cpu").score(100, 2000), rows)


def test_out_is_written_to(space: oneproxy.Space) -> None:
    scorer = oneproxy.Scorer(space, ["model:macs", "model:parameters"], "cpu")
    out = np.empty((500, 2), order="F")
    assert scorer.score(10, 500, out=out) is out and np.array_equal(out, scorer.score(10, 500))
    archs = archs_at(space, 10, 500)
    out[:] = 0
    assert scorer.score_archs(archs, out=out) is out and np.array_equal(out, scorer.score(10, 500))
    one = oneproxy.Scorer(space, ["model:macs"], "cpu")
    column = np.empty((500, 1))
    assert one.score(10, 500, out=column) is column and np.array_equal(column, out[:, :1])
    middle = np.zeros((500, 4), order="F")  # two columns of a larger table
    assert np.shares_memory(scorer.score(10, 500, out=middle[:, 1:3]), middle) and np.array_equal(middle[:, 1:3], out)
    assert not middle[:, [0, 3]].any()


def test_results_that_are_held_stay_as_they_are() -> None:
    space = oneproxy.Space("fbnet")
    scorer = oneproxy.Scorer(space, ["model:macs", "model:parameters"], "cpu")
    n = 200_000
    expected = [scorer.score(i * n, n, out=np.empty((n, 2), order="F")) for i in range(4)]
    held = scorer.score(0, n)
    view, place = scorer.score(n, n)[5:, 1], None
    for i in (2, 3, 2, 3):
        other = scorer.score(i * n, n)
        assert np.array_equal(other, expected[i]) and other.flags.writeable and other.flags.f_contiguous
        place = other.__array_interface__["data"][0]
        del other
    assert scorer.score(0, n // 2).__array_interface__["data"][0] == place, "what nobody has is taken again"
    assert np.array_equal(held, expected[0]) and np.array_equal(view, expected[1][5:, 1])
    del scorer
    assert np.array_equal(held, expected[0])


@pytest.mark.parametrize("directions", [("max", "min"), ("min", "max"), ("min", "min"), ("max", "max", "min")])
@pytest.mark.parametrize("precision", ["fp64", "fp32"])
def test_reduce_by_brute_force(directions: tuple[str, ...], precision: str, space: oneproxy.Space) -> None:
    m = len(directions)
    mlps = [network(space, (16, 1)) for _ in range(m)]
    begin, n = 2000, 9000
    values = oneproxy.Scorer(space, mlps, "cpu").score(begin, n)
    order = np.lexsort((np.arange(n), values[:, 0] * (1 if directions[0] == "min" else -1)))
    limits = [float(np.quantile(values[:, 1], q)) for q in (0.1, 0.4, 0.9)]
    found = oneproxy.Scorer(space, mlps, "cpu", precision).reduce(
        directions, limits=limits, best=5, begin=begin, count=n
    )
    front = {space.arch(begin + int(i)) for i in oneproxy.pareto_front(values, directions)}
    assert {one.arch for one in found.front} == front and found.certainty.startswith("exact")
    for limit, best in zip(limits, found.best):
        kept = values[order, 1] <= limit if directions[1] == "min" else values[order, 1] >= limit
        expected = order[kept][:5]
        assert [one.arch for one in best] == [space.arch(begin + int(i)) for i in expected]
        assert [one.values for one in best] == [tuple(values[i]) for i in expected]
    assert found.n_evaluated == n and len(found.objectives) == m


def test_reduce_under_limits_of_two(space: oneproxy.Space) -> None:
    scorer = oneproxy.Scorer(space, [network(space, (16, 1)), "model:macs", "model:parameters"], "cpu")
    values = scorer.score(0, space.size)
    limits = [[np.quantile(values[:, 1], 0.3), np.nan], [np.nan, np.quantile(values[:, 2], 0.2)]]
    found = scorer.reduce(["max", "min", "min"], limits=limits)
    for (macs, parameters), best in zip(limits, found.best):
        kept = ~(values[:, 1] > macs) & ~(values[:, 2] > parameters)
        assert best[0].values[0] == values[kept, 0].max()


def test_reduce_in_random_order() -> None:
    space = oneproxy.Space("fbnet")
    scorer = oneproxy.Scorer(space, [network(space, (8, 1)), "model:macs"], "cpu", "fp32")
    found = scorer.reduce(["max", "min"], count=20_000, seed=3)
    assert found.certainty == f"exact among 20000 random architectures of {space.size}"
    choices = space.choices([one.arch for one in found.front])
    assert len(np.unique(choices[:, 0])) > 1, "the first decision is not always choice 0, as in a range"
    again, other = (scorer.reduce(["max", "min"], count=20_000, seed=seed) for seed in (3, 4))
    assert again.front == found.front != other.front
    assert scorer.score_archs(choices) == pytest.approx(np.array([one.values for one in found.front]), rel=1e-4)


def test_reduce_tells_how_far_it_is() -> None:
    space, told = oneproxy.Space("fbnet"), []
    scorer = oneproxy.Scorer(space, ["model:parameters", "model:macs"], "cpu")
    found = scorer.reduce(["max", "min"], count=50_000_000, progress=lambda done, total: told.append((done, total)))
    assert found.n_evaluated == 50_000_000 and told
    assert all(total == 50_000_000 and 0 < done <= total for done, total in told)


def test_threads_do_not_matter(space: oneproxy.Space, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = oneproxy.Scorer(space, [network(space, (16, 8, 1)), "model:macs"], "cpu", "fp32")
    results = []
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("ONEPROXY_THREADS", threads)
        results.append(scorer.score(0, space.size))
    assert np.array_equal(results[0], results[1]) and np.array_equal(results[0], results[2])


def test_bad_input_names_the_argument(space: oneproxy.Space, adapted: oneproxy.Adapted, refused) -> None:
    scorer = oneproxy.Scorer(space, ["model:macs", "model:parameters"], "cpu")
    for begin, count in ((15_625, 1), (15_000, 700), (2**200, 1)):
        with refused("begin", "0 to 15624"):
            scorer.score(begin, count)
    with refused("begin", "-1"):
        scorer.score(-1, 5)
    with refused("count", "1.5"):
        scorer.score(0, 1.5)
    frozen = np.empty((5, 2), order="F")
    frozen.flags.writeable = False
    raw = np.empty(5 * 2 * 8 + 1, np.uint8)
    bad = {
        "float32": np.empty((5, 2), np.float32, order="F"), "(5, 3)": np.empty((5, 3), order="F"),
        "one after another": np.empty((5, 2)), "read-only": frozen, "list": [[0.0] * 2] * 5,
        ">f8": np.empty((5, 2), ">f8", order="F"), 'order="F"': raw[1:].view(np.float64).reshape(2, 5).T,
    }
    for part, out in bad.items():
        with refused("out", "float64" if part in ("list", ">f8") else part):
            scorer.score(0, 5, out=out)
    with refused("predictors", "is one"):
        oneproxy.Scorer(space, "model:macs")
    with refused("predictors", "empty"):
        oneproxy.Scorer(space, [])
    with refused("predictors[1]", "3", "Mlp"):
        oneproxy.Scorer(space, ["model:macs", 3])
    with refused("predictors[0]", "measured"):
        oneproxy.Scorer(space, ["metric:natsbench:cifar10"])
    with refused("predictors[0]", "nothing"):
        oneproxy.Scorer(space, ["nothing"])
    with refused("predictors[0]", "nasbench201", "fbnet"):
        oneproxy.Scorer("fbnet", [network(space, (3, 1))])
    with refused("predictors[0]", "nasbench201", "fbnet"):
        oneproxy.Scorer("fbnet", [adapted])
    with refused("backend", "'gpu'"):
        oneproxy.Scorer(space, ["model:macs"], backend="gpu")
    with refused("precision", "fp16"):
        oneproxy.Scorer(space, ["model:macs"], precision="fp16")
    with refused("directions", "2 words"):
        scorer.reduce(["min"])
    with refused("directions", "two or three"):
        oneproxy.Scorer(space, ["model:macs"]).reduce(["min"])
    with refused("directions", "'least'"):
        scorer.reduce(["least", "max"])
    with refused("limits", "(1, 2)"):
        scorer.reduce(["max", "min"], limits=[[1, 2]])
    with refused("count", "0"):
        scorer.reduce(["max", "min"], count=0)
    with refused("begin", "15625"):
        scorer.reduce(["max", "min"], begin=15_625)
    with refused("best", "0"):
        scorer.reduce(["max", "min"], best=0)
