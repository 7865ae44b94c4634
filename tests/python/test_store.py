"""Stores against h5py."""

from __future__ import annotations

import os
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
