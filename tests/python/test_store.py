"""Stores against h5py."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import h5py
import numpy as np
import pytest

import oneproxy

SHIPPED = Path(__file__).resolve().parents[2] / "experiments" / "data" / "public_latency.h5"


def test_the_store_that_ships_as_h5py_reads_it() -> None:
    store = oneproxy.Store()
    assert os.path.samefile(store.path, SHIPPED)
    with h5py.File(SHIPPED) as file:
        assert store.spaces() == sorted(file["spaces"])
        for space in store.spaces():
            assert store.sets(space) == sorted(file[f"spaces/{space}"])
        own = file["spaces/nasbench201/help"]
        devices, choices, latency_ms = store.latency("nasbench201", "help")
        assert devices == store.devices("nasbench201", "help") == sorted(own["latency_ms"])
        assert np.array_equal(choices, own["choices"])
        for device, values in zip(devices, latency_ms):
            assert np.array_equal(values, own[f"latency_ms/{device}"], equal_nan=True)
        assert store.metrics("nasbench201", "natsbench") == sorted(file["spaces/nasbench201/natsbench/metrics"])
        metric = store.metric("nasbench201", "cifar10", "natsbench")
        assert np.array_equal(metric.values, file["spaces/nasbench201/natsbench/metrics/cifar10"], equal_nan=True)
        assert (metric.unit, metric.direction) == ("%", "max")


def test_a_space_stands_for_its_name_and_set() -> None:
    store, space = oneproxy.Store(), oneproxy.Space("nasbench201")
    assert store.devices(space) == store.devices("nasbench201") == store.devices("nasbench201", space.measured_set)


def test_many_threads_on_one_store() -> None:
    store = oneproxy.Store()
    expected = store.latency("fbnet").latency_ms
    found: list[bool] = []
    read = lambda: found.append(np.array_equal(store.latency("fbnet").latency_ms, expected, equal_nan=True))
    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 6


def test_after_a_fork() -> None:
    store = oneproxy.Store()
    oneproxy.spearman_matrix(np.random.default_rng(1).normal(size=(30, 5000)))  # the engine's threads are there
    child = os.fork()
    if child == 0:
        status = 1
        try:
            devices, _, latency_ms = store.latency("fbnet")
            status = 0 if oneproxy.spearman_matrix(latency_ms).shape == (len(devices),) * 2 else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_bad_input_names_what_is_wrong(refused, tmp_path: Path) -> None:
    store = oneproxy.Store()
    with pytest.raises(oneproxy.Error, match="nowhere.h5"):
        oneproxy.Store(tmp_path / "nowhere.h5")
    with pytest.raises(oneproxy.Error, match="nasbench2.*nasbench201"):
        store.sets("nasbench2")
    with pytest.raises(oneproxy.Error, match="hlep.*help"):
        store.latency("nasbench201", "hlep")
    with pytest.raises(oneproxy.Error, match="cifar1'"):
        store.metric("nasbench201", "cifar1", "natsbench")
    (tmp_path / "text.h5").write_text("no store")
    with pytest.raises(oneproxy.Error, match="text.h5"):
        oneproxy.Store(tmp_path / "text.h5")
    with refused("space", "7"):
        store.devices(7)


def copied(program: Path, folder: Path, *options: str) -> None:
    done = subprocess.run([program, "import", *options], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_own_measurements_are_stored_as_the_command_line_stores_them(program: Path, tmp_path: Path) -> None:
    space = oneproxy.Space("nasbench201")
    archs = space.strings(space.random(5, seed=2))
    archs.append(archs[0])  # a repeat
    values = [3.0, 1.5, float("nan"), 2.5, 9.0, 4.0]
    for name in ("latency_ms", "energy"):
        rows = "".join(f'"{arch}",{"" if value != value else value}\n' for arch, value in zip(archs, values))
        (tmp_path / f"{name}.csv").write_text(f"arch,{name}\n{rows}")
    copied(program, tmp_path, "--space", "nasbench201", "--device", "phone", "--store", "there.h5", "--batch", "4",
           "--precision", "int8", "--source", "me", "latency_ms.csv")
    copied(program, tmp_path, "--space", "nasbench201", "--metric", "energy", "--unit", "mJ", "--direction", "min",
           "--store", "there.h5", "--source", "me", "energy.csv")
    here, there = oneproxy.Store.create(tmp_path / "here.h5"), oneproxy.Store(tmp_path / "there.h5")
    here.add_device(space, "phone", archs, values, batch=4, precision="int8", source="me")
    here.add_metric(space, "energy", space.choices(archs), values, unit="mJ", direction="min", source="me")
    assert here.devices(space, "user") == ["phone"] and here.metrics(space, "user") == ["energy"]
    for name in ("latency_ms/phone", "metrics/energy", "choices"):
        with h5py.File(here.path) as own, h5py.File(there.path) as other:
            one, same = own[f"spaces/nasbench201/user/{name}"], other[f"spaces/nasbench201/user/{name}"]
            assert one[()].tobytes() == same[()].tobytes() and dict(one.attrs) == dict(same.attrs)
    energy = here.metric(space, "energy", "user")
    assert (energy.unit, energy.direction) == ("mJ", "min") and set(energy.values) >= {1.5, 2.5, 3.5, 9.0}
    here.add_device(space, "phone", archs[:2], [7, 8])
    assert np.nanmax(here.latency(space, "user").latency_ms) == 8, "older ones are replaced"


def test_what_a_store_refuses(refused, tmp_path: Path) -> None:
    before = SHIPPED.read_bytes()
    own, shipped = oneproxy.Store.create(tmp_path / "own.h5"), oneproxy.Store()
    archs = oneproxy.Space("fbnet").random(2, seed=1)
    with refused(shipped.path, "never changed"):
        shipped.add_device("fbnet", "phone", archs, [1, 2])
    with refused(shipped.path, "never changed"):
        shipped.add_metric("fbnet", "energy", archs, [1, 2], unit="mJ", direction="min")
    assert SHIPPED.read_bytes() == before
    with refused("path", "own.h5", "Store(path)"):
        oneproxy.Store.create(tmp_path / "own.h5")
    with refused("latency_ms", "3", "archs"):
        own.add_device("fbnet", "phone", archs, [1, 2, 3])
    with refused("latency_ms[1]", "-1"):
        own.add_device("fbnet", "phone", archs, [1, -1])
    with refused("device 'my phone'", "blanks"):
        own.add_device("fbnet", "my phone", archs, [1, 2])
    with refused("device phone", "no successful"):
        own.add_device("fbnet", "phone", archs, [np.nan, np.nan])
    with pytest.raises(oneproxy.Error, match="public data"):
        own.add_device("nasbench201", "phone", oneproxy.Space("nasbench201").random(1, seed=1), [1], set="help")
    with refused("batch", "-1"):
        own.add_device("fbnet", "phone", archs, [1, 2], batch=-1)
    with pytest.raises(oneproxy.Error, match="energy.*unit"):
        own.add_metric("fbnet", "energy", archs, [1, 2])
    with refused("top1", "fraction"):
        own.add_metric("fbnet", "top1", archs, [0.1, 0.2], unit="%", direction="max")
    assert own.sets("fbnet") == oneproxy.Store().sets("fbnet"), "nothing was written"
