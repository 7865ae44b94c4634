"""Made-up devices of a user's own: their CSV files, their import into a store, and whether they are all there."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import h5py
import numpy as np
from aftermath import damaged, finish, leftovers
from support import ROOT, ProgramCase, stored
from support import STORE as SHIPPED

PREDICTOR = ROOT / "tests" / "fixtures" / "torch" / "zip.pth"
STORE = "mine.h5"
IMPORT = ("import", "--space", "nasbench201", "--store", STORE)


class OwnDevices(ProgramCase):
    """A store mine.h5 in the test's folder."""

    seed = 1

    def setUp(self) -> None:
        super().setUp()
        self.random = random.Random(f"{self.seed} {self.id()}")
        self.numbers = np.random.default_rng(self.random.randrange(2**32))
        self.cells, self.columns = stored("nasbench201", "help")
        self.measured: dict[str, dict[tuple[int, ...], float]] = {}  # "set:device" -> cell -> latency

    @property
    def store(self) -> Path:
        return self.folder / STORE

    def begin_small(self, *more: str) -> None:
        """A store with a public set and `more` of what ships, quick to copy and verify, and a device "first"."""
        with h5py.File(SHIPPED) as shipped, h5py.File(self.store, "w") as file:
            for name, value in shipped.attrs.items():
                file.attrs[name] = value
            for group in ("spaces/nasbench201/oneproxy", *more):
                shipped.copy(group, file.require_group(group.rsplit("/", 1)[0]))
        self.ok(*self.import_of("first"))

    def csv(self, set_name: str, device: str) -> Path:
        """A CSV of a device: its own cells, of which others have some."""
        rows = self.numbers.choice(400, int(self.numbers.integers(5, 60)), replace=False)
        latency = self.numbers.uniform(1, 9, len(rows))
        cells = self.cells[rows]
        self.measured[f"{set_name}:{device}"] = {tuple(c): v for c, v in zip(cells.tolist(), latency.tolist())}
        return self.measure(f"{set_name}_{device}.csv", cells, latency)

    def import_of(self, device: str, set_name: str = "user") -> tuple[object, ...]:
        return (*IMPORT, "--set", set_name, "--device", device, self.csv(set_name, device))

    def check_store(self, devices: list[str]) -> None:
        """All of them ("set:device") are there, with their values, and the store is whole."""
        self.assertEqual(damaged(self.store), [])
        with h5py.File(self.store) as file:
            for name in devices:
                set_name, device = name.split(":")
                path = f"spaces/nasbench201/{set_name}"
                self.assertIn(f"{path}/latency_ms/{device}", file, f"the import of {name} exited 0 and is lost")
                column = file[f"{path}/latency_ms/{device}"][()]
                known = ~np.isnan(column)
                cells = file[f"{path}/choices"][()][known].tolist()
                found = {tuple(c): v for c, v in zip(cells, column[known].tolist())}
                self.assertEqual(found, self.measured[name], name)
        self.ok("info", STORE)
        self.assertEqual([n for n in leftovers(self.folder) if not n.startswith("results")], [])

    def all_succeed(self, running: list[subprocess.Popen[str]]) -> list[str]:
        """Standard error of each."""
        ended = [finish(process) for process in running]
        for code, _, err in ended:
            self.assertEqual(code, 0, err)
        return [err for _, _, err in ended]
