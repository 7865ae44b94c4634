"""Results and stores whose arrays were altered, with right checksums beside wrong values: `export` and the commands
that read an official index say in one line what does not fit, and read nothing beyond an array."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Callable

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
from support import CONFIGS, STORE, ProgramCase, config, sets  # noqa: E402

RUNS = {
    "monotonicity": config("nasbench201", "monotonicity"),
    "front_transfer": config("nasbench201", "front_transfer"),
    "adaproxy": config("nasbench201", "adaproxy"),
    "search": config("nasbench201", "search"),
    "few_shot": CONFIGS / "few_shot" / "smoke_nasflat_tasks.toml",
    "proxy_sweep": CONFIGS / "proxy_sweep" / "smoke_oneproxy.toml",
    "cost_of_n_devices": CONFIGS / "scaling_up" / "smoke_cost_of_n_devices.toml",
}
MORE = {
    "front_transfer": sets(targets=["fpga"]),  # of 28 devices' fronts an export takes a second
    "cost_of_n_devices": sets(optimizer=False),
}


def replace(file: h5py.File, name: str, values: np.ndarray) -> None:
    """A dataset with its attributes and other values, and their checksum."""
    attributes = dict(file[name].attrs)
    values = np.ascontiguousarray(values, file[name].dtype)
    del file[name]
    file.create_dataset(name, data=values).attrs.update(attributes)
    file[name].attrs["sha256"] = hashlib.sha256(values.tobytes()).hexdigest()


def numeric(file: h5py.File) -> dict[str, np.ndarray]:
    """Its arrays of numbers; of many fronts and many tasks, the first."""
    found: dict[str, np.ndarray] = {}

    def visit(name: str, node: h5py.Dataset | h5py.Group) -> None:
        if isinstance(node, h5py.Dataset) and node.dtype.kind in NUMBERS and node.ndim > 0:
            found[name] = node[()]

    file.visititems(visit)
    groups = {name.split("/")[0]: "/".join(name.split("/")[:3]) for name in reversed(found) if name.count("/") > 2}
    groups |= {"task": "/".join(name.split("/")[:2]) for name in reversed(found) if name.startswith("task/")}
    groups |= {"cost": "cost/fbnet"}
    found = {name: v for name, v in found.items() if "/answers/" not in name or "/few_shot/" in name}
    return {name: v for name, v in found.items() if name.startswith(groups.get(name.split("/")[0], name))}


def longer(values: np.ndarray) -> np.ndarray:
    return np.concatenate([values, values[:1]]) if len(values) else np.ones((1, *values.shape[1:]), values.dtype)


LENGTHS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "one row less": lambda v: v[:-1],
    "one row more": longer,
    "empty": lambda v: v[:0],
    "flat and one less": lambda v: v.ravel()[:-1],
    "a row of it": lambda v: v[:1],
}
NUMBERS = {"f": (np.nan, np.inf, -1e308), "i": (-1, 2**62, -(2**62)), "u": (255,)}


class DamagedResults(ProgramCase):
    results: dict[str, Path] = {}

    @classmethod
    def tearDownClass(cls) -> None:
        shutil.rmtree(cls.place)

    @classmethod
    def setUpClass(cls) -> None:
        cls.place = Path(tempfile.mkdtemp())

    def result(self, kind: str) -> Path:
        if kind not in self.results:
            self.results[kind] = self.run_config(RUNS[kind], *MORE.get(kind, []), cwd=self.place).folder
        copy = self.folder / kind
        if not copy.exists():
            shutil.copytree(self.results[kind], copy)
        return copy

    def altered(self, kind: str, name: str, values: np.ndarray) -> Path:
        folder = self.result(kind)
        shutil.copy(self.results[kind] / "arrays.h5", folder / "arrays.h5")
        with h5py.File(folder / "arrays.h5", "r+") as file:
            replace(file, name, values)
        return folder

    def test_whatever_is_altered_export_ends_well(self) -> None:
        for kind in RUNS:
            self.ok("export", self.result(kind), "--to", "whole", "--force")
            with h5py.File(self.results[kind] / "arrays.h5") as file:
                arrays = numeric(file)
            for name, values in arrays.items():
                changes = {what: change(values) for what, change in LENGTHS.items()}
                for number in NUMBERS[values.dtype.kind]:
                    changes[f"{number}"] = np.full_like(values, number)
                for what, change in changes.items():
                    with self.subTest(kind=kind, name=name, what=what):
                        done = self.program("export", self.altered(kind, name, change), "--to", "csv", "--force")
                        self.assertIn(done.returncode, (0, 1), done.stderr)
                        if done.returncode:
                            self.assertRegex(done.stderr, r"^oneproxy: error: .*arrays\.h5.*\n$")
                            self.assertNotIn("internal", done.stderr)

    def refused(self, kind: str, name: str, change: Callable[[np.ndarray], np.ndarray], *says: str) -> None:
        self.result(kind)
        with h5py.File(self.results[kind] / "arrays.h5") as file:
            values = change(file[name][()])
        folder = self.altered(kind, name, values)
        done = self.program("export", folder, "--to", "csv", "--force")
        self.assertEqual(done.returncode, 1, f"{name}: {done.stdout}")
        for part in ("arrays.h5", name, "damaged", *says):
            self.assertIn(part, done.stderr)

    def first_front(self) -> str:
        self.result("front_transfer")
        with h5py.File(self.results["front_transfer"] / "arrays.h5") as file:
            names: list[str] = []
            file["fronts"].visit(lambda name: names.append(name) if name.endswith("members/row") else None)
        return f"fronts/{names[0]}"

    def test_a_row_of_a_front_is_one_of_the_set(self) -> None:
        rows = self.first_front()
        with h5py.File(self.results["front_transfer"] / "arrays.h5") as file:
            n = len(file["choices"])
        for row in (-1, n, 2**62):
            self.refused("front_transfer", rows, lambda v, row=row: np.full_like(v, row), f"row {row} of {n}")
        self.refused("front_transfer", "choices", lambda v: v * 0 + 200, "row 0 has choice 200")
        self.refused("front_transfer", "choices", lambda v: v.ravel()[:-1], "choices, an architecture has 6")

    def test_columns_are_as_long_as_their_rows(self) -> None:
        column = self.first_front().replace("row", "latency_ms")
        for change in (lambda v: v[:-1], longer, lambda v: v[:0]):
            self.refused("front_transfer", column, change, "values")
            self.refused("monotonicity", "srcc", change, "values")
            self.refused("adaproxy", "srcc_before", change, "values")
            self.refused("proxy_sweep", "sweep_srcc", change, "values")
        self.refused("adaproxy", "srcc_after", lambda v: v.ravel()[:-1], "no multiple")
        self.refused("proxy_sweep", "sweep_budgets", lambda v: v[:0], "empty")

    def test_tasks_have_as_many_values_as_they_say(self) -> None:
        self.result("few_shot")
        with h5py.File(self.results["few_shot"] / "arrays.h5") as file:
            task = f"task/{next(iter(file['task']))}"
        self.refused("few_shot", f"{task}/samples", lambda v: v[:0], "empty")
        self.refused("few_shot", f"{task}/expected_srcc", lambda v: v[:0], "values")


class DamagedStores(ProgramCase):
    def test_an_official_index_numbers_each_row(self) -> None:
        with h5py.File(STORE) as file:
            space = file["spaces/nasbench201"]
            name = next(f"spaces/nasbench201/{s}/official_index" for s in space if "official_index" in space[s])
        for change in LENGTHS.values():
            shutil.copy(STORE, self.folder / "s.h5")
            with h5py.File(self.folder / "s.h5", "r+") as file:
                replace(file, name, change(file[name][()]))
            arch = ("arch", "--space", "nasbench201", "--store", "s.h5")
            self.fault(*arch, "--official", 0, says=("s.h5", "official_index", "import the data again"))


if __name__ == "__main__":
    unittest.main()
