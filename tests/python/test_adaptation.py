"""Plans and adapted predictors: the same numbers as the command line, to the bit."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy import stats

import oneproxy

SOURCES = ["1080ti_1", "silver_4114", "pixel3"]
TARGET = "fpga"


def of_target(space: oneproxy.Space, archs: list[str]) -> np.ndarray:
    """Its latencies in the store that ships."""
    devices, choices, latency_ms = oneproxy.Store().latency(space)
    rows = {row.tobytes(): i for i, row in enumerate(choices)}
    return latency_ms[devices.index(TARGET)][[rows[row.tobytes()] for row in space.choices(archs)]]


@pytest.fixture(scope="module")
def space() -> oneproxy.Space:
    return oneproxy.Space("nasbench201")


@pytest.fixture(scope="module")
def planned(space: oneproxy.Space) -> oneproxy.Plan:
    return oneproxy.plan(space, 20, seed=1, sources=SOURCES)


@pytest.fixture(scope="module")
def adapted(space: oneproxy.Space, planned: oneproxy.Plan) -> oneproxy.Adapted:
    return oneproxy.adapt(space, planned.archs, of_target(space, planned.archs), seed=1, sources=SOURCES)


def run(program: Path, folder: Path, *arguments: str) -> str:
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def datasets(path: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, node: found.update({name: node[()].tobytes()}) if hasattr(node, "shape") else None)
    return found


def test_the_command_line_has_the_same_bits(
    space: oneproxy.Space, planned: oneproxy.Plan, adapted: oneproxy.Adapted, program: Path, tmp_path: Path
) -> None:
    run(program, tmp_path, "plan", "--space", "nasbench201", "--k", "20", "--sources", *SOURCES)
    planned.save(tmp_path / "own.csv")
    assert (tmp_path / "own.csv").read_text() == (tmp_path / "plan.csv").read_text()

    latency_ms = of_target(space, planned.archs)
    lines = [f'"{arch}",{value!r}' for arch, value in zip(planned.archs, latency_ms.tolist())]
    (tmp_path / "measured.csv").write_text("arch,latency_ms\n" + "\n".join(lines) + "\n")
    others = space.strings(space.random(200, seed=5))
    (tmp_path / "others.csv").write_text("arch\n" + "".join(f'"{arch}"\n' for arch in others))
    said = run(
        program, tmp_path, "adapt", "--space", "nasbench201", "--sources", *SOURCES, "--measurements", "measured.csv",
        "--out", "phone.h5", "--archs", "others.csv", "--predictions", "predicted.csv",
    )
    value, low, high = adapted.expected_srcc
    assert f"{value:.3f} (10 % to 90 %: {low:.3f} to {high:.3f})" in said
    assert f"with probability {adapted.probability:.2f}" in said
    with open(tmp_path / "predicted.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    mean, deviation = adapted.predict([row["arch"] for row in rows])
    assert len(rows) > 190
    # Files hold what people read; to the bit they are compared below.
    assert mean == pytest.approx([float(row["latency_ms"]) for row in rows], rel=1e-5)
    assert deviation == pytest.approx([float(row["deviation_ms"]) for row in rows], rel=1e-5)

    adapted.save(tmp_path / "own.h5")
    assert datasets(tmp_path / "own.h5") == datasets(tmp_path / "phone.h5")


def test_it_ranks_what_was_not_measured(space: oneproxy.Space, adapted: oneproxy.Adapted) -> None:
    devices, choices, latency_ms = oneproxy.Store().latency(space)
    mean, deviation = adapted.predict(choices)
    truth = latency_ms[devices.index(TARGET)]
    assert stats.spearmanr(mean, truth).statistic > 0.8
    assert (deviation > 0).all() and mean.shape == deviation.shape == truth.shape
    assert adapted.expected_srcc.low <= adapted.expected_srcc.value <= adapted.expected_srcc.high
    assert adapted.n_known == 20 and adapted.sources == SOURCES and adapted.why_not_adapted == ""
    assert isinstance(adapted.advice, oneproxy.Advice)


def test_a_plan_goes_on_from_what_is_measured(space: oneproxy.Space, planned: oneproxy.Plan) -> None:
    assert planned.choices.shape == (20, 6) and len(set(planned.archs)) == 20
    more = oneproxy.plan(space, 5, seed=1, sources=SOURCES, measured=planned.archs)
    assert not set(more.archs) & set(planned.archs)
    again = oneproxy.plan("nasbench201", 6, seed=1, sources="none", reference_every=2)
    assert [arch == again.archs[0] for arch in again.archs] == [True, False, False, True, False, False, True, False, True]


def test_repeats_failures_outliers_and_drift(space: oneproxy.Space, planned: oneproxy.Plan) -> None:
    archs = [arch for i, arch in enumerate(planned.archs) for arch in ([arch, planned.archs[0]] if i % 5 == 4 else [arch])]
    latency_ms = of_target(space, archs)
    slow = archs.index(planned.archs[7])
    latency_ms[slow] *= 100
    latency_ms[3] = np.nan
    latency_ms *= np.linspace(1, 1.3, len(archs))
    adapted = oneproxy.adapt(space, archs, latency_ms, seed=1, sources=SOURCES, calibrate=False)
    assert adapted.n_known == 19
    assert [one.arch for one in adapted.outliers] == [planned.archs[7]]
    low, high = adapted.drift
    assert 1.1 < high / low < 1.4


def test_too_few_measurements_are_said(space: oneproxy.Space, tmp_path: Path) -> None:
    archs = space.strings(space.random(1, seed=1))
    adapted = oneproxy.adapt(space, archs, [3.0], seed=1, sources=SOURCES, calibrate=False)
    assert adapted.why_not_adapted and adapted.advice is None
    with pytest.raises(oneproxy.Error, match="measure more"):
        adapted.save(tmp_path / "phone.h5")


def test_bad_input_names_the_argument(space: oneproxy.Space, adapted: oneproxy.Adapted, refused, tmp_path: Path) -> None:
    archs = space.strings(space.random(3, seed=1))
    with refused("latency_ms", "2 values", "archs has 3"):
        oneproxy.adapt(space, archs, [1, 2], seed=1)
    with refused("latency_ms[1] = -4", "NaN"):
        oneproxy.adapt(space, archs, [1, -4, 2], seed=1)
    with refused("archs[0]", "nonsense"):
        oneproxy.adapt(space, ["nonsense"], [1], seed=1)
    with refused("threshold", "1.5"):
        oneproxy.adapt(space, archs, [1, 2, 3], seed=1, threshold=1.5)
    with refused("k", "0"):
        oneproxy.plan(space, 0, seed=1)
    with refused("path", ".h5"):
        adapted.save(tmp_path / "phone")
    with refused("sources", "7"):
        oneproxy.plan(space, 3, seed=1, sources=[7])
    with pytest.raises(oneproxy.Error, match="pixel33.*pixel3"):
        oneproxy.plan(space, 3, seed=1, sources=["pixel33"])
    with pytest.raises(oneproxy.Error, match="byes.*bayes"):
        oneproxy.adapt(space, archs, [1, 2, 3], seed=1, method="byes")
    with pytest.raises(TypeError, match="seed"):
        oneproxy.plan(space, 3)


def test_ctrl_c_ends_long_work_and_leaves_python_as_it_was(space: oneproxy.Space) -> None:
    handler = signal.getsignal(signal.SIGINT)
    begin = time.monotonic()
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        while time.monotonic() - begin < 60:
            oneproxy.plan("fbnet", 200, seed=1)
    assert signal.getsignal(signal.SIGINT) is handler
    oneproxy.plan(space, 3, seed=1, sources=SOURCES)  # and work goes on


def test_other_threads_run_meanwhile() -> None:
    done = threading.Event()

    def work() -> None:
        oneproxy.plan("fbnet", 100, seed=1)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    turns = 0
    while not done.is_set():
        turns += 1
        time.sleep(0.001)
    thread.join()
    assert turns > 20


def test_a_file_says_again_what_was_adapted(
    space: oneproxy.Space, planned: oneproxy.Plan, program: Path, tmp_path: Path
) -> None:
    latency_ms = of_target(space, planned.archs)
    latency_ms[7] *= 40  # a slip
    made = oneproxy.adapt(space, planned.archs, latency_ms, seed=1, sources=SOURCES)
    assert made.outliers
    made.save(tmp_path / "phone.h5")
    read = oneproxy.Adapted.load(tmp_path / "phone.h5")
    assert (read.space.name, read.unit) == ("nasbench201", "ms")
    for name in ("method", "sources", "n_known", "expected_srcc", "probability", "advice", "drift", "outliers", "remarks"):
        assert getattr(read, name) == getattr(made, name), name
    archs = space.random(300, seed=4)
    for one, other in zip(read.predict(archs), made.predict(archs)):
        assert np.all(np.isfinite(one)) and np.allclose(one, other, rtol=1e-6)
    read.save(tmp_path / "again.h5")
    assert datasets(tmp_path / "again.h5") == datasets(tmp_path / "phone.h5")

    lines = [f'"{arch}",{value!r}' for arch, value in zip(planned.archs, latency_ms.tolist())]
    (tmp_path / "measured.csv").write_text("arch,latency_ms\n" + "\n".join(lines) + "\n")
    run(program, tmp_path, "adapt", "--space", "nasbench201", "--sources", *SOURCES, "--measurements", "measured.csv",
        "--out", "there.h5")
    there = oneproxy.Adapted.load(tmp_path / "there.h5", space=space)
    assert there.outliers == made.outliers and np.array_equal(there.predict(archs), read.predict(archs))


def test_a_metric_is_adapted_as_the_command_line_does(space: oneproxy.Space, program: Path, tmp_path: Path) -> None:
    planned = oneproxy.plan(space, 15, seed=1, sources="none", metric="throughput")
    planned.save(tmp_path / "plan.csv")
    assert "throughput" in (tmp_path / "plan.csv").read_text().splitlines()[0]
    rate = 1000 / of_target(space, planned.archs)
    made = oneproxy.adapt(
        space, planned.archs, rate, seed=1, sources="none", metric="throughput", unit="images/s", direction="max"
    )
    assert made.unit == "images/s"
    made.save(tmp_path / "here.h5")
    lines = [f'"{arch}",{value!r}' for arch, value in zip(planned.archs, rate.tolist())]
    (tmp_path / "measured.csv").write_text("arch,throughput\n" + "\n".join(lines) + "\n")
    run(program, tmp_path, "adapt", "--space", "nasbench201", "--sources", "none", "--measurements", "measured.csv",
        "--metric", "throughput", "--unit", "images/s", "--direction", "max", "--out", "there.h5")
    assert datasets(tmp_path / "here.h5") == datasets(tmp_path / "there.h5")
    archs = space.random(200, seed=4)
    read = oneproxy.Adapted.load(tmp_path / "there.h5")
    assert np.allclose(read.predict(archs)[0], made.predict(archs)[0], rtol=1e-6) and read.unit == "images/s"


def test_metrics_and_files_that_are_refused(refused, space: oneproxy.Space, tmp_path: Path) -> None:
    archs = space.random(3, seed=1)
    with refused("metric", "latencies in ms"):
        oneproxy.adapt(space, archs, [1, 2, 3], seed=1, unit="s")
    with refused("metric", "''"):
        oneproxy.adapt(space, archs, [1, 2, 3], seed=1, metric="")
    with pytest.raises(oneproxy.Error, match="energy.*unit"):
        oneproxy.adapt(space, archs, [1, 2, 3], seed=1, metric="energy", sources="none")
    with refused("energy[1]", "mJ"):
        oneproxy.adapt(space, archs, [1, -2, 3], seed=1, metric="energy", unit="mJ", direction="min", sources="none")
    with refused("--metric arch"):
        oneproxy.plan(space, 3, seed=1, sources="none", metric="arch").save(tmp_path / "plan.csv")
    with pytest.raises(oneproxy.Error, match="nowhere.h5"):
        oneproxy.Adapted.load(tmp_path / "nowhere.h5")
    with pytest.raises(oneproxy.Error, match="adapt --out"):
        oneproxy.Adapted.load(oneproxy.Store().path)


def test_progress(refused) -> None:
    space, told = oneproxy.Space("nasbench201"), []
    sources = {"sources": ["1080ti_1", "silver_4114", "pixel3"], "seed": 1}
    planned = oneproxy.plan(space, 12, **sources)
    latency_ms = 5 + space.costs(planned.archs)["macs"] / 1e8
    seen = oneproxy.adapt(space, planned.archs, latency_ms, **sources, progress=lambda *step: told.append(step))
    assert {total for _, total in told} == {3, 6}, "devices, and two searches on each"
    assert all(0 <= done <= total for done, total in told) and told[-1] == (6, 6)
    unseen = oneproxy.adapt(space, planned.archs, latency_ms, **sources)
    assert (seen.predict(planned.archs)[0] == unseen.predict(planned.archs)[0]).all()
    with refused("progress = 3"):
        oneproxy.adapt(space, planned.archs, latency_ms, **sources, progress=3)
