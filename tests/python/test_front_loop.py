"""Ask and tell: every answer is a measured one, and follows from the measurements alone."""

from __future__ import annotations

import csv
import subprocess
from pathlib import Path

import numpy as np
import pytest

import oneproxy

SOURCES = ["1080ti_1", "silver_4114", "pixel3"]
TARGET = "fpga"
QUALITY = "metric:natsbench:cifar10"


@pytest.fixture(scope="module")
def space() -> oneproxy.Space:
    return oneproxy.Space("nasbench201")


class Phone:
    """The target's column in the store that ships, as a device that can be measured."""

    def __init__(self, space: oneproxy.Space) -> None:
        devices, choices, latency_ms = oneproxy.Store().latency(space)
        self.space, self.choices = space, choices
        self.known = {row.tobytes(): value for row, value in zip(choices, latency_ms[devices.index(TARGET)])}
        self.all_ms = latency_ms[devices.index(TARGET)]

    def measure(self, archs: list[str]) -> np.ndarray:
        return np.array([self.known[row.tobytes()] for row in self.space.choices(archs)])


@pytest.fixture(scope="module")
def phone(space: oneproxy.Space) -> Phone:
    return Phone(space)


def accuracy(space: oneproxy.Space, archs: list[str]) -> np.ndarray:
    metric = oneproxy.Store().metric(space, "cifar10", "natsbench")
    known = {row.tobytes(): value for row, value in zip(metric.choices, metric.values)}
    return np.array([known[row.tobytes()] for row in space.choices(archs)])


def loop_of(space: oneproxy.Space, **settings: object) -> oneproxy.FrontLoop:
    return oneproxy.FrontLoop(space, **({"quality": QUALITY, "sources": SOURCES, "seed": 1} | settings))


def test_a_front_from_few_measurements(space: oneproxy.Space, phone: Phone) -> None:
    loop = loop_of(space, repeats=1)
    asked: list[str] = []
    assert loop.front == [] and not loop.done
    while archs := loop.ask():
        assert not set(archs) & set(asked), "nothing is asked for twice"
        asked += archs
        loop.tell(archs, phone.measure(archs))
    step = loop.step()
    assert loop.done and step.phase == "done" and step.why_stop == loop.why_stop != ""
    assert step.n_measured == step.n_measurements == len(asked) < 100
    front = [one.arch for one in loop.front]
    assert [one.latency_ms for one in loop.front] == list(phone.measure(front))
    assert [one.quality for one in loop.front] == list(accuracy(space, front))
    points = np.stack([phone.measure(asked), accuracy(space, asked)], axis=1)
    best = oneproxy.pareto_front(points, ("min", "max"))
    assert set(front) <= {asked[i] for i in best}
    everything = np.stack([phone.all_ms, accuracy(space, space.strings(phone.choices))], axis=1)
    reference = [points[:, 0].max(), np.nanmedian(everything[:, 1])]
    volume = [oneproxy.hypervolume(p, reference, ("min", "max")) for p in (points, everything)]
    assert volume[0] > 0.95 * volume[1]


def test_within_limits_and_measured_again(space: oneproxy.Space, phone: Phone) -> None:
    limits = [float(np.nanquantile(phone.all_ms, q)) for q in (0.25, 0.5)]
    loop = loop_of(space, limits_ms=limits, repeats=2)
    while archs := loop.ask():
        loop.tell(archs, phone.measure(archs))
    assert [answer.limit_ms for answer in loop.answers] == limits
    for answer in loop.answers:
        assert answer.found and answer.network.repeats == 2 and answer.network.latency_ms <= answer.limit_ms


def test_the_same_measurements_give_the_same_step(space: oneproxy.Space, phone: Phone) -> None:
    one, two = loop_of(space), loop_of(space)
    archs = one.ask()
    assert archs == two.ask() == two.ask()
    one.tell(archs, phone.measure(archs))
    for arch in archs:
        two.tell([arch], phone.measure([arch]))
    assert one.ask() == two.ask()
    assert one.step().gains == two.step().gains and one.expected_gain == two.expected_gain


def test_a_predicted_quality_says_what_is_not_known_of_it(space: oneproxy.Space, phone: Phone, tmp_path: Path) -> None:
    planned = oneproxy.plan(space, 12, seed=1, sources="none")
    adapted = oneproxy.adapt(space, planned.archs, phone.measure(planned.archs), seed=1, sources=SOURCES)
    adapted.save(tmp_path / "other.h5")
    loop = loop_of(space, quality=f"min table:{tmp_path / 'other.h5'}", sources="none")
    archs = loop.ask()
    loop.tell(archs, space.costs(archs)["macs"] / 1e7 + 1)
    mean, deviation = adapted.predict([one.arch for one in loop.front])
    assert [one.quality for one in loop.front] == pytest.approx(mean, rel=1e-9)
    assert [one.quality_deviation for one in loop.front] == pytest.approx(deviation, rel=1e-6)


def test_candidates_of_ones_own(space: oneproxy.Space, phone: Phone) -> None:
    archs = space.strings(phone.choices[::50])
    quality = space.costs(archs)["macs"]
    loops = [
        oneproxy.FrontLoop(space, quality=(archs, quality), sources="none", seed=1, repeats=1),
        oneproxy.FrontLoop(space, quality=(archs, -quality), direction="min", sources="none", seed=1, repeats=1),
    ]
    asked = [loop.ask() for loop in loops]
    assert asked[0] == asked[1] and set(asked[0]) <= set(archs)


def test_failed_measurements_go_on(space: oneproxy.Space, phone: Phone) -> None:
    loop = loop_of(space)
    archs = loop.ask()
    latency_ms = phone.measure(archs)
    latency_ms[0] = np.nan
    loop.tell(archs, latency_ms)
    assert loop.step().n_measured == len(archs) - 1
    assert loop.ask()


@pytest.mark.parametrize("case", ["front", "limits", "rate", "two"])
def test_the_command_line_has_the_same_bits(
    case: str, space: oneproxy.Space, phone: Phone, program: Path, tmp_path: Path
) -> None:
    """Batch for batch what `oneproxy next` asks for, from the same measurements."""
    columns, options, settings = ["latency_ms"], ["--sources", ",".join(SOURCES)], {}
    if case == "limits":
        options += ["--limits", "3,5"]
        settings = {"limits_ms": [3, 5]}
    if case == "rate":
        columns = ["throughput"]
        options += ["--metric", "throughput", "--unit", "images/s", "--direction", "max", "--limits", "100"]
        quantity = oneproxy.Quantity("throughput", "images/s", "max", limits=[100], sources=SOURCES)
        settings = {"metric": quantity, "sources": "all"}
    if case == "two":
        columns += ["energy"]
        options += ["--also", "energy", "--also-unit", "mJ", "--also-direction", "min", "--also-sources", "none",
                    "--limits", "5", "--also-limits", "30,40"]  # fmt: skip
        settings = {"also": oneproxy.Quantity("energy", "mJ", limits=[30, 40], sources="none"), "limits_ms": [5]}

    def measure(archs: list[str]) -> np.ndarray:
        latency_ms = phone.measure(archs)
        values = {"latency_ms": latency_ms, "throughput": 1000 / latency_ms, "energy": 3 * latency_ms**1.5}
        return np.stack([values[column] for column in columns], axis=1)

    loop = loop_of(space, **settings)
    assert loop.measured == columns
    for number in range(3):
        files = [f"{i}.csv" for i in range(number)]
        subprocess.run(
            [program, "next", "--space", "nasbench201", "--quality", QUALITY, *options, "--out", f"{number}.csv",
             "--front", "front.csv", *(["--measurements", *files] if files else [])],
            cwd=tmp_path, check=True, capture_output=True,
        )
        asked = list(csv.DictReader((tmp_path / f"{number}.csv").read_text().splitlines()))
        step = loop.step()
        assert [line["arch"] for line in asked] == step.measure
        gains = [float(line["gain"] or "nan") for line in asked]
        assert gains == pytest.approx(step.gains, rel=1e-2, nan_ok=True)
        front = list(csv.DictReader((tmp_path / "front.csv").read_text().splitlines()))
        assert [line["arch"] for line in front] == [one.arch for one in step.front]
        for line, one in zip(front, step.front):
            assert tuple(float(line[column]) for column in columns) == one.values
            assert (float(line["quality"]), int(line["repeats"])) == (one.quality, one.repeats)
            assert one.latency_ms == one.values[0] or (case == "rate" and np.isnan(one.latency_ms))
        values = measure(step.measure)
        with (tmp_path / f"{number}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["arch", *columns])
            writer.writerows([arch, *map(repr, map(float, row))] for arch, row in zip(step.measure, values))
        loop.tell(step.measure, values if case == "two" else values[:, 0])
    for answer in loop.answers:
        assert len(answer.limits) == len(columns)
        if answer.found and case == "two":
            assert (np.array(answer.network.values) <= answer.limits).all() and answer.limit_ms == 5
        if case == "rate":
            assert answer.limits == (100,) and answer.network.values[0] >= 100


def test_bad_quantities_name_the_argument(space: oneproxy.Space, refused) -> None:
    energy = oneproxy.Quantity("energy", "mJ")
    with refused("limits_ms", "energy"):
        loop_of(space, metric=energy, sources="all", limits_ms=[5])
    with refused("sources", "energy"):
        loop_of(space, metric=energy)
    with refused("also", "called energy"):
        loop_of(space, metric=energy, also=energy, sources="all")
    with refused("also = 'energy'", "Quantity"):
        loop_of(space, also="energy")
    with refused("also", "latency_ms"):
        loop_of(space, also=oneproxy.Quantity("latency_ms", "ms"))
    with refused("also", "no unit"):
        loop_of(space, also=oneproxy.Quantity("energy", ""))
    with refused("also", "direction = 'most'"):
        loop_of(space, also=oneproxy.Quantity("energy", "mJ", "most"))
    with refused("energy in mJ", "is maximised and no rate"):
        loop_of(space, also=oneproxy.Quantity("energy", "mJ", "max"))
    with refused("limits of energy = [-1.0]", "mJ"):
        loop_of(space, also=oneproxy.Quantity("energy", "mJ", limits=[-1]))
    with refused("limits of latency_ms has 2 limits", "3"):
        loop_of(space, also=oneproxy.Quantity("energy", "mJ", limits=[1, 2, 3]), limits_ms=[1, 2])
    loop = loop_of(space, also=energy, repeats=1)
    archs = loop.ask()
    with refused("values", "2 dimensions"):
        loop.tell(archs, np.ones(len(archs)))
    with refused("values", "3 values a network", "2 are measured"):
        loop.tell(archs, np.ones((len(archs), 3)))
    with refused("energy[1] = -3"):
        loop.tell(archs[:2], [[1.0, 2.0], [1.0, -3.0]])
    assert loop.step().n_measurements == 0, "none of them was taken"


def test_a_stand_in_for_accuracy_is_said_to_be_one() -> None:
    with pytest.warns(oneproxy.StandInWarning, match="model:accuracy"):
        oneproxy.FrontLoop("fbnet", seed=1, sources="none", fix=["layer *=k3_e1|skip"])


def test_bad_input_names_the_argument(space: oneproxy.Space, refused) -> None:
    loop = loop_of(space)
    archs = loop.ask()
    with refused("latency_ms", "1 values"):
        loop.tell(archs, [1.0])
    with refused("latency_ms[1] = -3"):
        loop.tell(archs[:2], [1.0, -3.0])
    assert loop.step().n_measurements == 0, "none of them was taken"
    with refused("archs[0]"):
        loop.tell(["nonsense"], [1.0])
    with refused("limits_ms", "-1"):
        loop_of(space, limits_ms=[-1])
    with refused("batch", "0"):
        loop_of(space, batch=0)
    with refused("floor", "2"):
        loop_of(space, floor=2)
    with refused("direction", "least"):
        loop_of(space, quality=(archs, np.ones(len(archs))), direction="least")
    with refused("quality", "twice"):
        loop_of(space, quality=([archs[0]] * 2, [1, 2]))
    with refused("quality", "metric:NAME"):
        loop_of(space, quality="")
    with refused("quality", "limit"):
        loop_of(space, quality="max metric:natsbench:cifar10 >= 90")
    with pytest.raises(oneproxy.Error, match="cifar1'"):
        loop_of(space, quality="metric:natsbench:cifar1")
    with refused("fix"):
        loop_of(space, quality=(archs, np.ones(len(archs))), fix=["edge 0-1=none"])


def test_progress_of_learning() -> None:
    told: list[tuple[int, int]] = []
    sources = ["1080ti_1", "silver_4114", "pixel3"]
    oneproxy.FrontLoop("nasbench201", quality="metric:natsbench:cifar10", sources=sources, seed=1,
                       progress=lambda *step: told.append(step))
    assert told[-1] == (3, 3), "devices"
