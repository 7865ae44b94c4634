"""A predictor that `adapt` wrote, and the search with it."""

from __future__ import annotations

import csv
import hashlib
import itertools
import re
import shlex
import tomllib
import unittest
from pathlib import Path

import h5py
import numpy as np

from support import CONFIGS, SOURCES, STORE, TRAINS, ProgramCase, Result, cell_string, sets, spearman, stored


class SearchWithAdapted(ProgramCase):
    """plan, measure (by a model, or looked up), adapt, and then search the space with what came out."""

    def table(self, name: str) -> list[dict[str, str]]:
        return list(csv.DictReader((self.folder / name).read_text().splitlines()))

    def scored(self, space: str, predictor: str, *more: object) -> np.ndarray:
        self.ok("score", "--space", space, "--predictor", predictor, "--out", "scored.csv", "--force", *more)
        return np.array([float(line[predictor]) for line in self.table("scored.csv")])

    def measured(self, space: str, k: int, device: str, scale: float, sources: tuple[object, ...]) -> Path:
        """A plan that a model of the store measured."""
        self.ok("plan", "--space", space, "--k", k, "--out", "plan.csv", *sources)
        latency = self.scored(space, device, "--archs", "plan.csv")
        lines = [f'"{p["arch"]}",{float(v * scale)!r}' for p, v in zip(self.table("plan.csv"), latency)]
        (self.folder / "done.csv").write_text("arch,latency_ms\n" + "\n".join(lines) + "\n")
        return self.folder / "done.csv"

    def search(self, *arguments: object) -> Result:
        return Result(self.folder / self.ok("search", *arguments).splitlines()[-1])

    def check_best(self, found: Result, archs: list[str], latency: np.ndarray, quality: np.ndarray) -> None:
        """Against brute force; among equals the lowest latency, then the first."""
        for limit in [name.split(".", 1)[1] for name in found.summary if name.startswith("quality.")]:
            within = np.flatnonzero((latency <= float(limit)) & ~np.isnan(quality))
            best = min(within, key=lambda i: (-quality[i], latency[i]))
            self.assertEqual(found.summary[f"arch.{limit}"], archs[best])
            self.assertEqual(found.summary[f"quality.{limit}"], quality[best])
            self.assertAlmostEqual(found.summary[f"latency_ms.{limit}"], latency[best], 9)

    def test_weights_of_an_additive_space(self) -> None:
        sources = ("--sources", "pixel3")
        done = self.measured("fbnet", 20, "proxy:fpga", 1, sources)
        said = self.ok(
            "adapt", "--space", "fbnet", "--measurements", done, *sources,
            "--out", "phone.h5", "--into", "mine.h5", "--name", "phone",
        )  # fmt: skip
        self.assertIn("oneproxy search --space fbnet --latency table:phone.h5 --quality model:accuracy", said)
        self.assertIn("oneproxy search --space fbnet --store mine.h5 --latency table:phone --quality", said)
        with h5py.File(self.folder / "phone.h5") as file:
            weights, bias, record = file["weights"][0], file["bias"][0], dict(file.attrs)
        self.assertEqual((record["n_measured"], record["sources"], record["method"]), (20, "pixel3", "bayes"))
        self.assertEqual((record["target"], record["unit"]), ("latency on phone", "ms"))
        self.assertEqual(record["measurements_sha256"], hashlib.sha256(done.read_bytes()).hexdigest())
        self.assertTrue(0 < record["expected_srcc"] <= 1)

        some = ("--shuffled", "--count", 500)
        latency = self.scored("fbnet", "table:phone.h5", *some)
        choices = np.array([self.fbnet_choices(line["arch"]) for line in self.table("scored.csv")])
        np.testing.assert_allclose(latency, bias + weights.reshape(22, 9)[np.arange(22), choices].sum(axis=1), 1e-12)
        self.assertGreater(spearman(latency, self.scored("fbnet", "proxy:fpga", *some)), 0.9)
        np.testing.assert_array_equal(self.scored("fbnet", "table:phone", *some, "--store", "mine.h5"), latency)
        self.assertRegex(self.ok("info", "mine.h5"), r"\| phone +\| fbnet +\| latency on phone")

        # A part of 9^3, of which brute force knows all.
        operations = [f"k{k}_e{e}" for k, e in ((3, 1), (3, 3), (3, 6), (5, 1), (5, 3), (5, 6))] + ["k3_e1_g2", "k5_e1_g2"]
        operations.append("skip")
        parts = [["|".join(three) + "|skip" * 19] for three in itertools.product(sorted(operations), repeat=3)]
        archs = [part[0] for part in parts]
        (self.folder / "part.csv").write_text("arch\n" + "\n".join(archs) + "\n")
        latency, macs = (self.scored("fbnet", p, "--archs", "part.csv") for p in ("table:phone.h5", "model:macs"))
        fixed = [a for layer in range(3, 22) for a in ("--fix", f"layer {layer}=skip")]
        limits = ",".join(repr(float(v)) for v in np.quantile(latency, (0.1, 0.5)))
        call = ("--space", "fbnet", "--latency", "table:phone.h5", "--quality", "model:macs", "--limits", limits, *fixed)
        for method in ("exhaustive", "exact"):
            self.check_best(self.search(*call, "--method", method), archs, latency, macs)

    def fbnet_choices(self, arch: str) -> list[int]:
        if not hasattr(self, "order"):
            file = tomllib.loads((CONFIGS / "spaces" / "fbnet.toml").read_text())
            self.order = [operation["name"] for operation in file["operation"]]
        return [self.order.index(part) for part in arch.split("|")]

    def cells(self) -> None:
        """adapted.h5 of 12 measurements of the store's fpga."""
        cells, columns = stored("nasbench201", "help")
        rows = np.random.default_rng(5).permutation(len(cells))[:12]
        done = self.measure("done.csv", cells[rows], columns["fpga"][rows])
        self.ok(
            "adapt", "--space", "nasbench201", "--measurements", done, "--prior", "stated", *SOURCES,
            "--out", "adapted.h5", "--into", "mine.h5", "--name", "mine",
        )  # fmt: skip

    def test_the_search_that_is_proposed(self) -> None:
        cells, columns = stored("nasbench201", "help")
        done = self.measure("done.csv", cells[:4000:300], columns["fpga"][:4000:300])
        call = ("adapt", "--space", "nasbench201", "--measurements", done, "--prior", "stated", *SOURCES)
        into = (*call, "--into", "my store.h5", "--name", "mine")
        for more in (
            ("--out", "my fpga.h5"),
            ("--into", "my store.h5", "--name", "mine"),
            ("--method", "adaproxy", "--out", "a.h5"),
        ):
            arguments = [a for a in (*call, *more) if a not in ("--prior", "stated") or "adaproxy" not in more]
            (proposed,) = re.findall(r"(?m)^  oneproxy (search .*)", self.ok(*arguments))
            proposed = shlex.split(proposed)
            self.assertEqual(proposed[proposed.index("--quality") + 1], "metric:natsbench:cifar10")
            found = self.search(*proposed[1:]).summary
            self.assertTrue(any(name.startswith("quality.") for name in found))
        again = self.program(*into)
        self.assertEqual(again.returncode, 0)
        self.assertIn("table:mine of nasbench201 was there and is replaced", again.stderr)
        self.assertNotIn("replaced", self.program(*into[:-1], "other").stderr)
        # A store without metrics: one's own.
        with h5py.File(STORE) as given, h5py.File(self.folder / "bare.h5", "w") as bare:
            for name, value in given.attrs.items():
                bare.attrs[name] = value
            given.copy("spaces/nasbench201/help", bare.create_group("spaces/nasbench201"))
        said = self.ok(*call, "--store", "bare.h5", "--out", "b.h5")
        self.assertIn("--latency table:b.h5 --quality model:macs --method exhaustive", said)

    def test_every_latency_of_a_cell_space(self) -> None:
        self.cells()
        call = ("--space", "nasbench201", "--latency", "table:adapted.h5")
        latency, macs = (self.scored("nasbench201", p) for p in ("table:adapted.h5", "model:macs"))
        archs = [line["arch"] for line in self.table("scored.csv")]
        with h5py.File(self.folder / "adapted.h5") as file:
            np.testing.assert_array_equal(file["values"][()], latency)
        np.testing.assert_array_equal(self.scored("nasbench201", "table:mine", "--store", "mine.h5"), latency)
        self.assertRegex(self.ok("info", "mine.h5"), r"\| mine +\| nasbench201 +\| latency on mine")
        about = self.ok("info", "adapted.h5")
        self.assertRegex(about, r"\| adapted.h5 +\| nasbench201 +\| latency on mine .* 15625 values, by index")
        self.assertIn("\nn_measured: 12\n", about)
        macs_call = (*call, "--quality", "model:macs")
        found = self.search(*macs_call, "--method", "exhaustive")
        self.check_best(found, archs, latency, macs)
        front = found.arrays()["front/latency_ms"]
        beaten = np.array([np.any((latency <= x) & (macs >= q) & ((latency < x) | (macs > q))) for x, q in zip(latency, macs)])
        np.testing.assert_array_equal(np.unique(latency[~beaten]), np.unique(front))
        # A part of the space, and a range of it.
        fixed = [a for edge in ("edge 0-1", "edge 0-2") for a in ("--fix", f"{edge}=nor_conv_1x1|nor_conv_3x3")]
        of_part = np.array([a.count("|nor_conv") >= 2 and a.split("|")[1].startswith("nor_conv") for a in archs])
        of_part &= np.array([a.split("|")[3].startswith("nor_conv") for a in archs])
        self.assertEqual(of_part.sum(), 4 * 5**4)
        part = [np.array(v)[of_part] for v in (archs, latency, macs)]
        self.check_best(self.search(*macs_call, "--method", "exhaustive", *fixed), *part)
        some = self.search(*macs_call, "--method", "exhaustive", *sets(begin="100", count="1000"))
        self.check_best(some, archs[100:1100], latency[100:1100], macs[100:1100])
        evolved = self.search(*macs_call, "--method", "evolutionary").summary
        self.assertTrue(all(v >= 0 for name, v in evolved.items() if name.startswith("regret.")))
        # Where the quality is known on the rows of a set only.
        metric = "metric:natsbench:cifar100"
        cells, columns = stored("nasbench201", "natsbench")
        row = {cell_string(cell): i for i, cell in enumerate(cells.tolist())}
        at = [row.get(a, -1) for a in archs]
        quality = np.where(np.array(at) < 0, np.nan, columns["cifar100"][at])
        self.check_best(self.search(*call, "--quality", metric, "--method", "exhaustive"), archs, latency, quality)
        # What the kernels must score is refused in one line.
        for method, says in (("annealing", "exhaustive"), ("exact", "exhaustive")):
            self.fault("search", *macs_call, "--method", method, says=("latency on mine", says))
        self.fault("score", "--space", "fbnet", "--predictor", "table:adapted.h5", "--out", "x.csv", says=("nasbench201",))
        self.fault(
            "score", "--space", "nasbench201", "--predictor", "adapted.h5", "--out", "x.csv", says=("table:FILE",)
        )

    def test_one_table_a_resolution(self) -> None:
        done = self.measured("ofa_mbv3", 20, "model:macs", 1e-7, ("--sources", "none"))
        self.ok("adapt", "--space", "ofa_mbv3", "--measurements", done, "--sources", "none", "--out", "phone.h5")
        some = ("--shuffled", "--count", 500)
        latency = self.scored("ofa_mbv3", "table:phone.h5", *some)
        self.assertGreater(spearman(latency, self.scored("ofa_mbv3", "model:macs", *some)), 0.98)
        with h5py.File(self.folder / "phone.h5") as file:
            self.assertEqual((file["weights"].shape, file["bias"].shape), ((25, 25 + 200), (25,)))
        call = ("--space", "ofa_mbv3", "--latency", "table:phone.h5", "--quality", "model:parameters", "--method", "exact")
        found = self.search(*call, "--limits", "25").summary
        self.assertLessEqual(found["latency_ms.25"], 25)

    def test_the_papers_method(self) -> None:
        done = self.measured("fbnet", 20, "proxy:fpga", 1, ("--sources", "pixel3"))
        call = ("adapt", "--space", "fbnet", "--measurements", done, "--method")
        said = self.ok(*call, "adaproxy", "--sources", "pixel3", "raspi4", "--out", "a.h5")
        self.assertIn("does not know how well", said)
        with h5py.File(self.folder / "a.h5") as file:
            self.assertIn(file.attrs["proxy"], ("pixel3", "raspi4"))
            self.assertNotIn("expected_srcc", file.attrs)
        self.assertGreater(spearman(*(self.scored("fbnet", p, "--count", 2000, "--shuffled") for p in ("table:a.h5", "proxy:fpga"))), 0.3)
        self.fault(*call, "adaproxy", "--sources", "none", says=("adaproxy", "source"))
        self.fault(*call, "adaproxy", "--prior", "flat", says=("prior", "adaproxy", "--method bayes"))
        self.ok(*call, "adaproxy", "--option", "p=inf", "--sources", "pixel3", "raspi4", "--out", "inf.h5")
        with h5py.File(self.folder / "a.h5") as two, h5py.File(self.folder / "inf.h5") as inf:
            self.assertFalse(np.array_equal(two["weights"][()], inf["weights"][()]))
        self.fault(*call, "adaproxy", "--option", "p=3", says=("p=3", "inf"))
        self.fault(*call, "adaproxy", "--option", "penalty=1", says=("penalty", "adaproxy", "oneproxy list few_shot"))

    @unittest.skipUnless(TRAINS, "built without LibTorch")
    def test_a_fine_tuned_network(self) -> None:
        done = self.measured("fbnet", 20, "proxy:fpga", 1, ("--sources", "pixel3"))
        call = ("adapt", "--space", "fbnet", "--measurements", done, "--method", "finetune", "--sources", "pixel3")
        self.assertIn("--latency predictor:net.h5", self.ok(*call, "--out", "net.h5"))
        self.assertTrue(np.all(self.scored("fbnet", "predictor:net.h5", "--count", 100, "--shuffled") > 0))

    @unittest.skipIf(TRAINS, "built with LibTorch")
    def test_fine_tuning_needs_libtorch(self) -> None:
        (self.folder / "m.csv").write_text("arch,latency_ms\n")
        call = ("adapt", "--space", "fbnet", "--measurements", "m.csv", "--method", "finetune")
        self.fault(*call, says=("finetune", "LibTorch"))

    def test_nothing_is_left_half_written(self) -> None:
        cells, columns = stored("nasbench201", "help")
        done = self.measure("done.csv", cells[:12], columns["fpga"][:12])
        call = ("adapt", "--space", "nasbench201", "--measurements", done, "--sources", "none")
        self.fault(*call, "--out", "adapted.h5", limit_bytes=5000, says=("adapted.h5",))
        self.fault(*call, "--into", "mine.h5", "--name", "a", limit_bytes=5000, says=("mine.h5",))
        self.fault(*call, "--out", "nowhere/adapted.h5", says=("nowhere/adapted.h5",))
        self.fault(*call, "--out", "adapted", says=("--out adapted", ".h5"))
        self.fault(*call, "--into", "mine.h5", says=("--name",))
        self.fault(*call, "--into", "mine.h5", "--name", "a b", says=("a b",))


if __name__ == "__main__":
    unittest.main()
