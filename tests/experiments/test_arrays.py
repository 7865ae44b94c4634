"""What arrays.h5 says of itself: every dataset of every smoke configuration has a long name, units and named axes."""

from __future__ import annotations

import csv
import tomllib
import unittest
from pathlib import Path

import h5py
import numpy as np
import xarray

from support import CONFIGS, SOURCES, STORE, TRAINS, ProgramCase, config

TRAINING = ("train_predictor", "cost_of_n_devices", "neural_optimizer")  # kinds that need LibTorch
SMOKES = sorted(CONFIGS.rglob("smoke_*.toml"))


def unexplained(path: Path) -> list[str]:
    """What is missing, a line each."""
    missing: list[str] = []

    def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if not isinstance(item, h5py.Dataset):
            return
        text = h5py.check_string_dtype(item.dtype) is not None
        if not item.attrs.get("long_name"):
            missing.append(f"{name}: no long_name")
        if "units" not in item.attrs or bool(item.attrs["units"]) == text:
            missing.append(f"{name}: units {item.attrs.get('units')!r}")
        if item.is_scale:
            return
        for place, dimension in enumerate(item.dims):
            if not dimension.label or len(dimension) != 1 or dimension[0].shape != (item.shape[place],):
                missing.append(f"{name}: dimension {place} of {item.ndim} has no name, or no labels")
        if len({dimension.label for dimension in item.dims}) < item.ndim:
            missing.append(f"{name}: two dimensions of one name")  # xarray can not tell them apart

    with h5py.File(path) as file:
        file.visititems(visit)
    return missing


class EveryKind(ProgramCase):
    def test_every_dataset_explains_itself(self) -> None:
        for path in SMOKES:
            with self.subTest(config=str(path.relative_to(CONFIGS))):
                if tomllib.loads(path.read_text())["kind"] in TRAINING and not TRAINS:
                    self.skipTest("this build does not train")
                arrays = self.run_config(path).folder / "arrays.h5"
                self.assertEqual(unexplained(arrays), [])
                for group in xarray.open_groups(arrays, engine="h5netcdf").values():
                    group.load()

    def test_what_adapt_learnt(self) -> None:
        plan = ("--space", "nasbench201", "--k", 12, "--reference", 4, *SOURCES, "--out", "plan.csv")
        self.ok("plan", *plan)
        rows = csv.DictReader((self.folder / "plan.csv").read_text().splitlines())
        lines = [f"{row['arch']},{(5 + 3e-7 * float(row['macs'])) * (1 + 0.02 * i)}" for i, row in enumerate(rows)]
        (self.folder / "measured.csv").write_text("\n".join(["arch,latency_ms", *lines]) + "\n")
        files = ("--measurements", "measured.csv", "--out", "phone.h5", "--drift", "--results", "results")
        said = self.ok("adapt", "--space", "nasbench201", *SOURCES, *files)
        arrays = self.folder / said.splitlines()[-1] / "arrays.h5"
        self.assertEqual(unexplained(arrays), [])
        with xarray.open_dataset(arrays, engine="h5netcdf", group="measured") as measured:
            self.assertEqual(measured["choices"].dims, ("architecture", "decision"))

    def test_the_check_finds_what_is_missing(self) -> None:
        with h5py.File(self.folder / "bare.h5", "w") as file:
            file["bare"] = np.zeros((2, 2))
        self.assertEqual(len(unexplained(self.folder / "bare.h5")), 5)


class Labels(ProgramCase):
    def test_names_of_devices(self) -> None:
        result = self.run_config(config("fbnet", "monotonicity"))
        with h5py.File(result.folder / "arrays.h5") as file:
            self.assertEqual(file["names"].attrs["raspi4"], "Raspberry Pi 4")
        self.assertRegex(self.ok("info", STORE), r"\| raspi4 +\| Raspberry Pi 4 +\| ms ")

    def test_a_search_says_how_much_it_looked_at(self) -> None:
        result = self.run_config(config("fbnet", "search"))
        evaluated = result.summary["evaluated"]
        whole = "984770902183611232881 architectures"
        self.assertEqual(result.attributes()["searched"], f"{evaluated} of the {whole} of fbnet")
        proven = self.run_config(config("fbnet", "exact_front"))
        self.assertEqual(proven.attributes()["searched"], f"all of fbnet, {whole}")
        rows = self.run_config(config("nasbench201", "three_objectives"))  # exact, and of the rows that it was given
        self.assertEqual(rows.attributes()["searched"], "2000 of the 15625 architectures of nasbench201")

    def test_xarray_finds_pairs_by_device(self) -> None:
        result = self.run_config(config("nasbench201", "monotonicity"))
        with xarray.open_dataset(result.folder / "arrays.h5", engine="h5netcdf") as data:
            devices = [str(name) for name in data["devices"].values]
            pair = data["srcc"].sel(devices=devices[0], with_device=devices[1])
            self.assertEqual(float(pair), result.arrays()["srcc"][0, 1])
            self.assertEqual(data["srcc"].attrs["units"], "1")

    def test_xarray_finds_a_network_of_a_front(self) -> None:
        result = self.run_config(config("nasbench201", "search"))
        limit = next(key[len("arch.") :] for key in result.summary if key.startswith("arch."))
        with xarray.open_dataset(result.folder / "arrays.h5", engine="h5netcdf", group="best") as best:
            answer = best.isel(answer=0)
            self.assertEqual(str(answer["architecture"].values), result.summary[f"arch.{limit}"])
            self.assertAlmostEqual(float(answer["latency_ms_limit"]) / float(limit), 1, delta=5e-6)  # keys are short
        with xarray.open_dataset(result.folder / "arrays.h5", engine="h5netcdf", group="front") as front:
            network = front.sel(architecture=result.summary[f"arch.{limit}"])
            self.assertEqual(float(network["latency_ms"]), result.summary[f"latency_ms.{limit}"])
            self.assertEqual(front["latency_ms"].attrs["units"], "ms")
            self.assertEqual(network["choices"].dims, ("decision",))


if __name__ == "__main__":
    unittest.main()
