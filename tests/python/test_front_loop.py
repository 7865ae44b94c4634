"""Ask and tell: every answer is a measured one, and follows from the measurements alone."""

from __future__ import annotations

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
