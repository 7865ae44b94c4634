"""Any metric, from outside: imported, planned, adapted to, searched under limits in its unit, and refused where faulty."""

from __future__ import annotations

import csv
import unittest
from pathlib import Path

import h5py
import numpy as np

from support import CONFIGS, SOURCES, ProgramCase, Result, cell_string, names, sets, spearman, stored

SPACE = ("--space", "nasbench201")
MONOTONICITY = CONFIGS / "nasbench201" / "smoke_monotonicity.toml"
FRONTS = CONFIGS / "nasbench201" / "smoke_front_transfer.toml"
RATE = ("--unit", "images/s", "--direction", "max")
ENERGY = ("--unit", "mJ", "--direction", "min")
FEW = """
kind = "few_shot"
samples_target = 20
trials = 2
prior = "stated"
ablations = false
[[task]]
name = "t"
space = "nasbench201"
samples_source = 60
sources = ["pixel3", "silver_4114"]
targets = ["metric:natsbench:cifar10", "metric:user:throughput"]
"""


class Metrics(ProgramCase):
    def setUp(self) -> None:
        super().setUp()
        self.cells, self.columns = stored("nasbench201", "help")
        self.archs = [cell_string(cell) for cell in self.cells]
        ms = self.columns["pixel3"]
        # A device that nobody has: its rate, and an energy that is not quite its latency.
        self.rate, self.energy = 1000 / ms, 3 * ms + self.columns["fpga"]

    def write(self, name: str, columns: dict[str, np.ndarray], rows: list[int]) -> Path:
        lines = [f'"{self.archs[i]}",' + ",".join(repr(float(values[i])) for values in columns.values()) for i in rows]
        (self.folder / name).write_text("arch," + ",".join(columns) + "\n" + "\n".join(lines) + "\n")
        return self.folder / name

    def rows(self, n: int) -> list[int]:
        return [int(i) for i in np.random.default_rng(3).permutation(len(self.cells))[:n]]

    def both(self, name: str, n: int) -> Path:
        return self.write(name, {"throughput": self.rate, "energy": self.energy}, self.rows(n))

    def search(self, *arguments: object) -> Result:
        return Result(self.folder / self.ok("search", *SPACE, *arguments).splitlines()[-1])

    def adapt(self, file: Path, metric: str, *more: object) -> str:
        return self.ok("adapt", *SPACE, "--measurements", file, "--prior", "stated", *SOURCES, "--metric", metric, *more)

    def test_a_metric_in_the_store(self) -> None:
        file = self.both("both.csv", 50)
        said = self.ok("import", *SPACE, "--metric", "energy", *ENERGY, file, "--licence", "CC0")
        self.assertIn("metric:user:energy [mJ, minimised] has 50 architectures", said)
        self.ok("import", *SPACE, "--metric", "throughput", *RATE, file)
        (self.folder / "phone.csv").write_text(f'arch,latency_ms\n"{self.archs[0]}",3\n')
        self.ok("import", *SPACE, "--device", "phone", self.folder / "phone.csv", "--unit", "s")
        with h5py.File(self.folder / "my_store.h5") as store:
            group = store["spaces/nasbench201/user"]
            energy, rate = group["metrics/energy"], group["metrics/throughput"]
            self.assertEqual((energy.attrs["unit"], energy.attrs["direction"]), ("mJ", "minimised"))
            self.assertEqual((energy.attrs["source"], energy.attrs["licence"]), ("both.csv", "CC0"))
            self.assertEqual((rate.attrs["unit"], rate.attrs["direction"]), ("images/s", "maximised"))
            np.testing.assert_array_equal(np.sort(rate[()][~np.isnan(rate[()])]), np.sort(self.rate[self.rows(50)]))
            self.assertEqual(np.nanmax(group["latency_ms/phone"][()]), 3000)
        said = self.ok("info", "my_store.h5")
        self.assertRegex(said, r"\| metric energy +\|[^|]+\| mJ +\| lower +\| +50 ")
        self.assertRegex(said, r"\| metric throughput +\|[^|]+\| images/s +\| higher +\| +50 ")
        # A second import of the metric needs neither; another unit or direction is refused.
        self.ok("import", *SPACE, "--metric", "energy", file)
        again = ("import", *SPACE, "--metric", "energy", file)
        self.fault(*again, "--unit", "J", says=("--unit J", "set user", "it is in mJ"))
        self.fault(*again, "--direction", "max", says=("--direction max", "it is minimised"))

    def test_bad_metrics_are_refused(self) -> None:
        file = self.both("both.csv", 5)
        start = ("import", *SPACE, file, "--metric")
        self.fault(*start, "energy", says=("its unit is not known", "give --unit"))
        self.fault(*start, "energy", "--unit", "mJ", says=("which way it is better", "--direction"))
        self.fault(*start, "energy", "--unit", "mJ", "--direction", "up", says=("'up' should be min or max",))
        self.fault(*start, "memory", "--unit", "MB", "--direction", "min", says=("both.csv", "neither a column 'memory'"))
        self.fault(*start, "macs", *ENERGY, says=("--metric macs", "call the metric otherwise"))
        self.fault(*start, "a/b", *ENERGY, says=("--metric 'a/b'",))
        accuracy = self.write("top1.csv", {"top1": self.columns["pixel3"] * 0 + 71}, [4, 5])
        start = ("import", *SPACE, accuracy, "--metric", "top1", "--direction", "max", "--unit")
        self.fault(*start, "fraction", says=("top1.csv:2: top1 = '71.0'", "a fraction is at most 1", "the unit is %"))
        accuracy.write_text(accuracy.read_text().replace("71.0", "0.71"))
        self.fault(*start, "%", says=("top1.csv:2: top1 = '0.71'", "--unit fraction"))
        self.ok(*start, "fraction")
        self.fault(
            "import", *SPACE, file, "--metric", "energy", *ENERGY, "--set", "help", says=("set 'help'", "public data")
        )
        self.fault("adapt", *SPACE, "--measurements", file, "--direction", "max", says=("--direction max is of a --metric",))

    def test_a_rate_is_adapted_and_searched_in_its_unit(self) -> None:
        plan = self.ok("plan", *SPACE, *SOURCES, "--k", 20, "--metric", "throughput")
        self.assertIn("fill in throughput", plan)
        lines = list(csv.DictReader((self.folder / "plan.csv").read_text().splitlines()))
        self.assertEqual({line["throughput"] for line in lines}, {""})
        measured = self.write("done.csv", {"throughput": self.rate}, [self.archs.index(line["arch"]) for line in lines])
        said = self.adapt(measured, "throughput", *RATE, "--out", "tpu.h5", "--predictions", "own.csv")
        self.assertIn("--objective table:tpu.h5", said)
        own = list(csv.DictReader((self.folder / "own.csv").read_text().splitlines()))
        self.assertEqual(list(own[0]), ["arch", "throughput", "throughput_deviation", "throughput_measured"])
        with h5py.File(self.folder / "tpu.h5") as file:
            values, record = file["values"][()], dict(file.attrs)
        self.assertEqual((record["unit"], record["direction"]), ("images/s", "maximised"))
        index = self.cells.astype(int) @ 5 ** np.arange(5, -1, -1)
        predicted = values[index]
        self.assertGreater(spearman(predicted, self.rate), 0.95)
        self.assertLess(np.median(np.abs(predicted / self.rate - 1)), 0.1)

        quality = stored("nasbench201", "natsbench")
        accuracy = dict(zip(map(bytes, quality[0]), quality[1]["cifar10"]))
        accuracy = np.array([accuracy[bytes(cell)] for cell in self.cells])
        found = self.search(
            "--quality", "metric:natsbench:cifar10", "--objective", "table:tpu.h5 >= 60, 150", "--method", "exhaustive"
        )
        for limit in (60, 150):
            best = accuracy[predicted >= limit].max()
            self.assertEqual(found.summary[f"quality.{limit}"], best)
            self.assertGreaterEqual(found.summary[f"tpu.{limit}"], limit)
        self.assertIn("| tpu >= 60 images/s ", found.report)
        self.assertIn("throughput on tpu [images/s]", found.report)
        self.ok("export", found.folder, "--csv")
        self.assertEqual(names(found.arrays()["objectives/direction"]), ["maximise", "maximise"])
        start = ("search", *SPACE, "--quality", "metric:natsbench:cifar10")
        self.fault(*start, "--latency", "table:tpu.h5", says=("is to be maximised, as its file says",))
        self.fault(*start, "--objective", "table:tpu.h5 <= 60", says=("is to be maximised, as its file says",))

    def test_a_rate_that_adds_up_is_searched_exactly(self) -> None:
        self.ok("plan", "--space", "fbnet", "--sources", "pixel3", "--k", 20)
        scores = ("score", "--space", "fbnet", "--out", "scored.csv", "--force")
        column = lambda name: np.array(  # noqa: E731
            [float(line[name]) for line in csv.DictReader((self.folder / "scored.csv").read_text().splitlines())]
        )
        self.ok(*scores, "--predictor", "proxy:fpga", "--archs", "plan.csv")
        lines = [line["arch"] for line in csv.DictReader((self.folder / "plan.csv").read_text().splitlines())]
        rates = [f'"{arch}",{float(1000 / v)!r}' for arch, v in zip(lines, column("proxy:fpga"))]
        (self.folder / "done.csv").write_text("arch,fps\n" + "\n".join(rates) + "\n")
        self.ok(
            "adapt", "--space", "fbnet", "--sources", "pixel3", "--measurements", "done.csv", "--metric", "fps",
            "--unit", "fps", "--direction", "max", "--out", "tpu.h5",
        )  # fmt: skip
        with h5py.File(self.folder / "tpu.h5") as file:
            self.assertEqual(file.attrs["format"], "oneproxy-rate-table")
            weights, bias = file["weights"][0].reshape(22, 9), file["bias"][0]
        self.assertIn("format: oneproxy-rate-table", self.ok("info", "tpu.h5"))
        some = ("--shuffled", "--count", 300)
        self.ok(*scores, "--predictor", "table:tpu.h5", "--predictor", "proxy:fpga", *some)
        rate, ms = column("table:tpu.h5"), column("proxy:fpga")
        self.assertGreater(spearman(rate, -ms), 0.9)
        self.assertLess(np.median(np.abs(rate * ms / 1000 - 1)), 0.1)

        limits = [float(f"{np.quantile(rate, q):.3g}") for q in (0.5, 0.9)]
        text = ", ".join(f"{limit:g}" for limit in limits)
        search = ("search", "--space", "fbnet", "--quality", "model:macs", "--objective", f"table:tpu.h5 >= {text}")
        exact, annealed = (
            Result(self.folder / self.ok(*search, "--method", method, *budget).splitlines()[-1]).summary
            for method, budget in (("exact", ()), ("annealing", ("--evaluations", 20000)))
        )
        for limit in (f"{limit:g}" for limit in limits):
            found = exact[f"tpu.{limit}"]
            self.assertGreaterEqual(found, float(limit))
            self.assertGreaterEqual(annealed[f"tpu.{limit}"], float(limit))
            self.assertLessEqual(annealed[f"quality.{limit}"], exact[f"quality.{limit}"])
            self.ok("score", "--space", "fbnet", "--out", "one.csv", "--force", "--predictor", "table:tpu.h5", "--archs",
                    self.one(exact[f"arch.{limit}"]))  # fmt: skip
            scored = list(csv.DictReader((self.folder / "one.csv").read_text().splitlines()))[0]["table:tpu.h5"]
            self.assertAlmostEqual(float(scored) / found, 1, 9)
        # No network is faster than the sum of its fastest parts.
        fastest = 1000 / -(bias + weights.max(axis=1).sum()) if bias + weights.max(axis=1).sum() < 0 else 1e9
        said = self.program(*search[:-1], f"table:tpu.h5 >= {2 * fastest:g}", "--method", "exact")
        self.assertNotEqual(said.returncode, 0)
        self.assertIn("the largest has", said.stderr)

    def one(self, arch: str) -> Path:
        (self.folder / "arch.csv").write_text(f'arch\n"{arch}"\n')
        return self.folder / "arch.csv"

    def test_energies_of_other_devices_are_sources(self) -> None:
        self.ok("import", *SPACE, "--metric", "energy", *ENERGY, self.both("known.csv", 15625))
        other = self.energy * (1 + 0.2 * np.sin(self.columns["fpga"]))
        file = self.write("mine.csv", {"energy": other}, self.rows(20))
        said = self.ok(
            "adapt", *SPACE, "--measurements", file, "--metric", "energy", *ENERGY, "--store", "my_store.h5",
            "--prior", "stated", "--sources", "metric:user:energy,silver_4114", "--out", "mine.h5",
        )  # fmt: skip
        self.assertIn("2 source devices", said)
        with h5py.File(self.folder / "mine.h5") as predictor:
            self.assertEqual(predictor.attrs["sources"], "metric:user:energy, silver_4114")
            self.assertEqual(predictor.attrs["unit"], "mJ")
            self.assertNotIn("n_references", predictor.get("device", {}))
            values = predictor["values"][()]
        self.assertGreater(spearman(values[self.cells.astype(int) @ 5 ** np.arange(5, -1, -1)], other), 0.9)
        low = self.write("joules.csv", {"energy": other / 1000}, self.rows(20))
        done = self.program(
            "adapt", *SPACE, "--measurements", low, "--metric", "energy", *ENERGY, "--store", "my_store.h5",
            "--prior", "stated", "--sources", "metric:user:energy",
        )  # fmt: skip
        self.assertIn("energy is some 1000 times below that of the sources", done.stderr)

    def test_agreement_with_a_maximised_metric_is_positive(self) -> None:
        self.ok("import", *SPACE, "--metric", "throughput", *RATE, self.both("known.csv", 15625))
        self.ok("import", *SPACE, "--metric", "energy", *ENERGY, self.folder / "known.csv")
        own = sets(store="my_store.h5", devices=["pixel3", "metric:user:throughput", "metric:user:energy", "metric:natsbench:cifar10"])
        result = self.run_config(MONOTONICITY, *own)
        srcc = result.arrays()["srcc"]
        self.assertAlmostEqual(srcc[0, 1], 1, 12)
        self.assertGreater(srcc[0, 2], 0.5)
        self.assertLess(srcc[0, 3], 0)  # accurate networks are slow
        self.assertIn("taken with the other sign: metric:user:throughput, metric:natsbench:cifar10", result.report)

        (self.folder / "few.toml").write_text(FEW)
        arrays = self.run_config(self.folder / "few.toml", *sets(store="my_store.h5")).arrays()
        self.assertEqual(names(arrays["task/t/targets"]), ["metric:natsbench:cifar10", "metric:user:throughput"])
        self.assertGreater(arrays["task/t/srcc"][0].min(), 0.5)
        self.assertGreater(arrays["task/t/srcc"][1].min(), 0.95)

        target = sets(store="my_store.h5", targets=["metric:user:energy", "metric:user:throughput"], proxy="fpga")
        fronts = self.run_config(FRONTS, *target)
        units = names(fronts.arrays()["targets/unit"])
        self.assertEqual(units, ["mJ", "ms"])  # of a rate the time of an item
        self.assertGreater(fronts.summary["srcc_after.metric:user:energy"], 0.5)
        self.fault(
            "run", FRONTS, *sets(store="my_store.h5", targets=["metric:natsbench:cifar10"]),
            says=("metric:natsbench:cifar10 is to be maximised", "quality"),
        )  # fmt: skip

    def test_limits_that_contradict_each_other_are_named(self) -> None:
        # Large chips are fast here: 10 ms need no more than 10 mm2, and nothing within 10 mm2 takes less.
        ms = 1000 / self.rate
        file = self.write("known.csv", {"throughput": self.rate, "area": 100 / ms}, list(range(len(ms))))
        self.ok("import", *SPACE, "--metric", "throughput", *RATE, file)
        self.ok("import", *SPACE, "--metric", "area", "--unit", "mm2", "--direction", "min", file)
        goal, why = "max metric:natsbench:cifar10", "throughput >= 200 images/s and area <= 10 mm2 contradict each other"
        for method, of_goal in (("exhaustive", ""), ("exhaustive", " >= 80"), ("evolutionary", "")):
            objectives = (goal + of_goal, "metric:user:throughput >= 200, 60", "metric:user:area <= 10, 10")
            asked = [word for text in objectives for word in ("--objective", text)]
            done = self.program("search", *SPACE, "--store", "my_store.h5", *asked, "--method", method)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stderr.count("contradict each other"), 1, done.stderr)
            self.assertIn(why, done.stderr)
            found = Result(self.folder / done.stdout.splitlines()[-1]).summary
            self.assertEqual([v for k, v in found.items() if k.endswith(".reason") and k.startswith("cifar10")][0][: len(why)], why)
            self.assertIsNotNone(found["cifar10.60_10" + ("_80" if of_goal else "")])


if __name__ == "__main__":
    unittest.main()
