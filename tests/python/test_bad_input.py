"""What must not crash, hang or go unnoticed, over the whole package: odd arrays, forks, threads, what is gone."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import oneproxy

RANDOM = np.random.default_rng(13)
N = 40


@pytest.fixture(scope="module")
def space() -> oneproxy.Space:
    return oneproxy.Space("nasbench201")


@pytest.fixture(scope="module")
def mlp(space: oneproxy.Space) -> oneproxy.Mlp:
    return oneproxy.Mlp.from_arrays(
        [RANDOM.normal(size=(8, 30)), RANDOM.normal(size=(1, 8))], [np.zeros(8), np.zeros(1)], space
    )


@pytest.fixture(scope="module")
def plan(space: oneproxy.Space) -> oneproxy.Plan:
    return oneproxy.plan(space, 12, seed=1, sources=["1080ti_1", "pixel3"])


def adapt(space: oneproxy.Space, archs, latency_ms) -> oneproxy.Adapted:
    return oneproxy.adapt(space, archs, latency_ms, seed=1, sources=["1080ti_1", "pixel3"], calibrate=False)


def odd_layouts(values: np.ndarray) -> dict[str, np.ndarray]:
    """The same numbers, as they may lie in memory."""
    wide = np.zeros((*values.shape[:-1], values.shape[-1] * 3), values.dtype)
    wide[..., 1::3] = values
    raw = np.zeros(values.nbytes + 1, np.uint8)
    shifted = raw[1:].view(values.dtype).reshape(values.shape)
    shifted[...] = values
    frozen = values.copy()
    frozen.flags.writeable = False
    return {
        "strided": wide[..., 1::3],
        "reversed": values[::-1].copy()[::-1],
        "column by column": np.asfortranarray(values),
        "between the words": shifted,
        "read-only": frozen,
        "byte-swapped": values.astype(values.dtype.newbyteorder()),
        "masked": np.ma.masked_array(values),
        "matrix of objects' kin": values.astype(np.longdouble) if values.dtype.kind == "f" else values.astype(np.int64),
    }


def test_numbers_lie_as_they_like() -> None:
    x, y = RANDOM.normal(size=(2, N))
    points = RANDOM.normal(size=(N, 2))
    calls: list[tuple[np.ndarray, Callable]] = [
        (x, lambda v: oneproxy.spearman(v, y)), (x, lambda v: oneproxy.kendall(y, v)),
        (x, oneproxy.average_ranks), (np.stack([x, y]), oneproxy.spearman_matrix),
        (points, lambda v: oneproxy.pareto_front(v, ["min", "max"])),
        (points, lambda v: oneproxy.hypervolume(v, [3, -3], ["min", "max"])),
    ]
    for values, call in calls:
        expected = call(values)
        for how, odd in odd_layouts(values).items():
            assert np.array_equal(call(odd), expected), how


def test_choices_lie_as_they_like(space: oneproxy.Space, mlp: oneproxy.Mlp) -> None:
    choices = space.random(N, seed=1)
    scorer = oneproxy.Scorer(space, [mlp], "cpu")
    for call in (space.strings, space.encode, lambda c: space.costs(c)["macs"], mlp.predict, scorer.score_archs):
        expected = call(choices)
        for how, odd in odd_layouts(choices).items():
            assert np.array_equal(call(odd), expected), how


def test_measurements_lie_as_they_like(space: oneproxy.Space, plan: oneproxy.Plan) -> None:
    latency_ms = 1 + space.costs(plan.archs)["macs"] / 1e7
    expected, _ = adapt(space, plan.archs, latency_ms).predict(plan.choices)
    for how, odd in odd_layouts(latency_ms).items():
        assert np.array_equal(adapt(space, plan.archs, odd).predict(plan.choices)[0], expected), how


NO_NUMBERS = {
    "dtype": [np.array(["1.0"] * N), np.array([None] * N), np.zeros(N, complex), np.zeros(N, "M8[s]"),
              np.zeros(N, [("a", "f8")]), b"text", "text", {1: 2}, np.void(b"12345678")],
    "shape": [5.0, np.zeros((N, 1)), np.zeros((2, 3, 4))],
    "no array": [[[1.0], [1.0, 2.0]]],
}


@pytest.mark.parametrize("what", NO_NUMBERS)
def test_what_is_no_list_of_numbers_is_refused(
    what: str, space: oneproxy.Space, plan: oneproxy.Plan, refused
) -> None:
    for bad in NO_NUMBERS[what]:
        with refused("x", what):
            oneproxy.average_ranks(bad)
        with refused("y", what):
            oneproxy.spearman(np.zeros(N), bad)
        with refused("reference", what):
            oneproxy.hypervolume(np.zeros((3, 2)), bad, ["min", "min"])
        with refused("latency_ms", what):
            adapt(space, plan.archs, bad)
        with refused("limits_ms", what):
            oneproxy.FrontLoop(space, quality="metric:natsbench:cifar10", seed=1, limits_ms=bad)
    for bad in [np.zeros((N, 2), complex), np.zeros(N), [[1.0], [1.0, 2.0]], "text"]:
        with refused("points"):
            oneproxy.pareto_front(bad, ["min", "max"])


def test_what_is_no_architecture_is_refused(
    space: oneproxy.Space, mlp: oneproxy.Mlp, plan: oneproxy.Plan, refused
) -> None:
    good = space.choices(plan.archs)
    wrong = good.astype(np.int64)
    wrong[3, 2] = 5
    huge, negative = wrong.copy(), wrong.copy()
    huge[0, 0], negative[0, 0] = 2**40 + 1, -1  # which would be choice 1 in eight bits
    bad = [
        (good[:, :5], "5 choices"), (wrong, "[3]"), (huge, str(2**40 + 1)), (negative, "-1"),
        (good.astype(float), "dtype"), (good[0], "shape"), (good[None], "shape"), (["|nor_conv_3x3~0|"], "[0]"),
        ("|nor_conv_3x3~0|", "one text"), ([None], "dtype"), ([plan.archs[0], 3], ""), (3, ""),
        (None, ""), ([[0, 0], [0]], ""), (good.astype(bool), "dtype"),
        (np.ma.masked_equal(good, good[0, 0]), "masked"),
    ]
    scorer = oneproxy.Scorer(space, [mlp], "cpu")
    calls = [space.choices, space.strings, space.encode, space.costs, mlp.predict, scorer.score_archs]
    for archs, part in bad:
        for call in calls:
            with refused("archs", part):
                call(archs)


def test_values_at_the_edge_of_numbers(space: oneproxy.Space, plan: oneproxy.Plan, refused) -> None:
    edge = np.array([0.0, -0.0, 5e-324, -1.7e308, 1.7e308, np.inf, -np.inf, np.nan])
    assert list(oneproxy.average_ranks(edge)[:7]) == [3.5, 3.5, 5, 2, 6, 7, 1]
    assert oneproxy.spearman(edge, edge) == 1
    points = np.stack([edge, -edge], axis=1)
    assert set(oneproxy.pareto_front(points, ["min", "max"])) == {6}
    assert set(oneproxy.pareto_front(points, ["min", "min"])) >= {5, 6}
    with np.errstate(all="raise"):
        assert oneproxy.hypervolume(points[:5], [1e308, 1e308], ["min", "min"]) >= 0
    for bad in (-1.0, 0.0, np.inf, 1e300):
        with refused("latency_ms"):
            adapt(space, plan.archs, [bad] * 12)
    with refused("latency_ms"):
        adapt(space, plan.archs, [np.nan] * 12)


def test_numbers_of_things(space: oneproxy.Space, refused) -> None:
    for bad in (-1, 1.5, "3", None, 2**64):
        with refused("seed"):
            space.random(3, seed=bad)
    for bad in (-1, 2.5, "3", None, 2**63, 2**200):
        with refused("n"):
            space.random(bad, seed=1)
    for bad in (-1, 15_625, 2**130, 0.5, "0"):
        with refused("index"):
            space.arch(bad)
    for bad in (0, -3, 1.5, 2**40):
        with refused("k"):
            oneproxy.plan(space, bad, seed=1)
    with refused("threshold"):
        oneproxy.adapt(space, [space.arch(0)], [1.0], seed=1, threshold=2)
    assert space.random(np.int8(3), seed=np.uint64(2**64 - 1)).shape == (3, 6)


def test_things_that_are_no_space(refused) -> None:
    for bad in (None, 3, ["nasbench201"], b"nasbench201"):
        with refused("space"):
            oneproxy.plan(bad, 3, seed=1)
    for bad in ("nothing", "", "nothing.toml", "a\0b"):
        with pytest.raises(oneproxy.Error):
            oneproxy.Space(bad)


def test_what_is_gone_is_refused(space: oneproxy.Space, mlp: oneproxy.Mlp, tmp_path: Path, refused) -> None:
    path = tmp_path / "mine.h5"
    path.write_bytes(Path(oneproxy.Store().path).read_bytes())
    store = oneproxy.Store(path)
    before = store.latency(space).latency_ms
    path.unlink()
    assert np.array_equal(store.latency(space).latency_ms, before, equal_nan=True), "an open file stays"
    with refused(str(path)):
        oneproxy.Store(path)
    mlp.save(path)
    scorer = oneproxy.Scorer(space, [path], "cpu")
    before = scorer.score(0, 100)
    path.unlink()
    assert np.array_equal(scorer.score(0, 100), before), "what was read is kept"
    with refused(str(path), "no such file"):
        oneproxy.Scorer(space, [path], "cpu")


def test_objects_that_were_never_made_raise(space: oneproxy.Space, mlp: oneproxy.Mlp) -> None:
    for kind, use in [(oneproxy.Space, lambda o: o.size), (oneproxy.Store, lambda o: o.spaces()),
                      (oneproxy.Mlp, lambda o: o.predict([])), (oneproxy.Scorer, lambda o: o.score(0, 1)),
                      (oneproxy.FrontLoop, lambda o: o.ask())]:
        with pytest.raises((AttributeError, oneproxy.Error)):
            use(kind.__new__(kind))
    engine = oneproxy._engine
    for kind in (engine.Space, engine.Mlp, engine.Scorer, engine.Adapted, engine.Plan):
        with pytest.raises(TypeError):
            kind()
    assert pickle.loads(pickle.dumps(space)).name == copy.deepcopy(space).name == "nasbench201"
    for one in (mlp, oneproxy.Scorer(space, [mlp], "cpu")):
        with pytest.raises(TypeError):
            pickle.dumps(one)


def child_of(work: Callable[[], object], seconds: int = 60) -> object:
    """The result of work() in a child that was forked; an error where it hangs or dies."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(seconds)
        try:
            data = pickle.dumps(work())
        except BaseException as error:
            data = pickle.dumps(f"{type(error).__name__}: {error}")
        with os.fdopen(write, "wb") as pipe:
            pipe.write(data)
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        data = pipe.read()
    _, status = os.waitpid(child, 0)
    assert status == 0, f"the child ended with status {status}"
    return pickle.loads(data)


def test_a_child_of_fork_works(space: oneproxy.Space, mlp: oneproxy.Mlp, plan: oneproxy.Plan) -> None:
    rows = RANDOM.normal(size=(6, 5000))
    latency_ms = 1 + space.costs(plan.archs)["macs"] / 1e7
    scorer = oneproxy.Scorer(space, [mlp, "proxy:pixel3"], "cpu", "fp32")

    def all_of_it() -> list[object]:
        found = oneproxy.search(space, ["max metric:natsbench:cifar10", "min device:pixel3"], limits=[5], seed=1)
        return [
            oneproxy.spearman_matrix(rows), scorer.score(0, space.size), mlp.predict(space.random(3000, seed=1)),
            adapt(space, plan.archs, latency_ms).predict(plan.choices)[0], found.front, oneproxy.Store().spaces(),
        ]

    expected = all_of_it()  # the parent's threads run
    for _ in range(3):
        for mine, own in zip(child_of(all_of_it), expected):
            assert np.array_equal(mine, own) if isinstance(own, np.ndarray) else mine == own
    assert np.array_equal(all_of_it()[1], expected[1]), "the parent goes on"


@pytest.mark.parametrize("busy", ["kernels", "engine"])
def test_a_fork_beside_busy_threads(busy: str, space: oneproxy.Space, mlp: oneproxy.Mlp) -> None:
    rows = RANDOM.normal(size=(4, 30_000))
    scorer = oneproxy.Scorer(space, [mlp], "cpu", "fp32")
    work = (lambda: oneproxy.spearman_matrix(rows)) if busy == "kernels" else (lambda: scorer.score(0, space.size))
    expected, stop = work(), threading.Event()

    def on_and_on() -> None:
        while not stop.is_set():
            work()

    threads = [threading.Thread(target=on_and_on) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            assert np.array_equal(child_of(work), expected)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_fork_beside_a_thread_that_holds_a_loop(space: oneproxy.Space) -> None:
    loop = oneproxy.FrontLoop(space, quality="metric:natsbench:cifar10", seed=1, sources=["1080ti_1"])
    expected, held, go_on = loop.ask(), threading.Event(), threading.Event()

    def hold() -> None:
        with loop._lock:  # as in step(), at the moment when the engine has answered
            held.set()
            go_on.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        assert child_of(loop.ask, seconds=30) == expected
    finally:
        go_on.set()
        thread.join()


@pytest.mark.parametrize("way_out", ["os._exit(0)", "sys.exit(0)"])
def test_a_child_ends_as_any_program(way_out: str) -> None:
    code = f"""
        import os, signal, sys
        import numpy as np, oneproxy
        rows = np.random.default_rng(1).normal(size=(8, 20000))
        expected = oneproxy.spearman_matrix(rows)
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            assert np.array_equal(oneproxy.spearman_matrix(rows), expected)
            {way_out}
        assert os.waitpid(child, 0)[1] == 0
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=120)


def test_pools_of_processes(space: oneproxy.Space, mlp: oneproxy.Mlp) -> None:
    oneproxy.average_ranks(RANDOM.normal(size=50_000))  # threads run
    for way in ("fork", "spawn"):
        with multiprocessing.get_context(way).Pool(2) as pool:
            ranks = pool.map(oneproxy.average_ranks, [np.arange(20_000.0)[::-1]] * 4, chunksize=1)
        assert all(np.array_equal(own, np.arange(20_000.0)[::-1] + 1) for own in ranks)


def test_two_threads_on_one_object(space: oneproxy.Space, mlp: oneproxy.Mlp, plan: oneproxy.Plan) -> None:
    latency_ms = 1 + space.costs(plan.archs)["macs"] / 1e7
    adapted, store = adapt(space, plan.archs, latency_ms), oneproxy.Store()
    scorer = oneproxy.Scorer(space, [mlp, adapted], "cpu", "fp32")
    choices = space.random(2000, seed=1)
    uses: list[Callable[[], object]] = [
        lambda: scorer.score(0, 5000), lambda: scorer.score_archs(choices), lambda: mlp.predict(choices),
        lambda: adapted.predict(choices)[0], lambda: space.encode(choices),
        lambda: store.latency(space).latency_ms, lambda: [one.values for one in scorer.reduce(["max", "min"]).front],
    ]
    expected, wrong = [use() for use in uses], []

    def again(first: int) -> None:
        for i in range(3 * len(uses)):
            place = (first + i) % len(uses)
            if not np.array_equal(uses[place](), expected[place], equal_nan=True):
                wrong.append(place)

    threads = [threading.Thread(target=again, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_two_threads_on_one_loop(space: oneproxy.Space) -> None:
    loop = oneproxy.FrontLoop(space, quality="metric:natsbench:cifar10", seed=1, sources=["1080ti_1"])
    archs = loop.ask()
    errors: list[BaseException] = []

    def use() -> None:
        try:
            for arch in archs:
                loop.tell([arch], [3.0])
                loop.step()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=use) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and {one.arch for one in loop.front} <= set(archs)


def test_ctrl_c_ends_a_long_score() -> None:
    code = """
        import os, signal, threading, time
        import numpy as np, oneproxy
        space = oneproxy.Space("fbnet")
        rows = [np.zeros((400, 198)), np.zeros((400, 400)), np.zeros((1, 400))]
        mlp = oneproxy.Mlp.from_arrays(rows, [np.zeros(400), np.zeros(400), np.zeros(1)], space)
        scorer = oneproxy.Scorer(space, [mlp], "cpu")
        choices = space.random(1_000_000, seed=1)
        for long in (lambda: scorer.score(0, 50_000_000), lambda: mlp.predict(choices),
                     lambda: scorer.score_archs(choices)):
            threading.Timer(1.0, os.kill, [os.getpid(), signal.SIGINT]).start()
            begin = time.monotonic()
            try:
                long()
                raise SystemExit("it was not interrupted")
            except KeyboardInterrupt:
                assert time.monotonic() - begin < 20
        print(scorer.score(0, 10)[0, 0])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], check=True, timeout=300, capture_output=True, text=True
    )
    assert done.stdout == "0.0\n"
