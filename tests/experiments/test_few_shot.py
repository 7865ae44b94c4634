"""Few-shot adaptation from outside: plan, measure (look up), adapt; the kinds few_shot and proxy_sweep."""

from __future__ import annotations

import csv
import hashlib
import itertools
import re
import shlex
import signal
import subprocess
import time
import tomllib
import unittest
from pathlib import Path

import h5py
import numpy as np

from support import (
    CONFIGS, HANG, OPERATIONS, PROGRAM, STORE, TRAINS, ProgramCase, Result, cell_string, environment, names, sets, stored,
)  # fmt: skip

FEW = CONFIGS / "few_shot" / "smoke_nasflat_tasks.toml"
SWEEP = CONFIGS / "proxy_sweep" / "smoke_oneproxy.toml"
SOURCES = ("--sources", "1080ti_1", "silver_4114", "pixel3")
TASK = """
kind = "few_shot"
samples_target = 10
trials = 1
prior = "stated"
ablations = false
[[task]]
name = "t"
space = "nasbench201"
samples_source = 60
sources = {sources}
targets = {targets}
{more}
"""


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    rank = [np.argsort(np.argsort(v)) for v in (x, y)]
    return float(np.corrcoef(*rank)[0, 1])


class PlanAndAdapt(ProgramCase):
    def setUp(self) -> None:
        super().setUp()
        self.cells, self.columns = stored("nasbench201", "help")
        self.row = {tuple(cell): i for i, cell in enumerate(self.cells.tolist())}

    def plan(self, k: int, *more: object, out: str = "plan.csv") -> list[dict[str, str]]:
        self.ok("plan", "--space", "nasbench201", "--k", k, "--out", out, *SOURCES, *more)
        return list(csv.DictReader((self.folder / out).read_text().splitlines()))

    def rows_of(self, plan: list[dict[str, str]]) -> list[int]:
        cells = [re.findall(r"(\w+)~", line["arch"]) for line in plan]
        return [self.row[tuple(OPERATIONS.index(op) for op in cell)] for cell in cells]

    def fill_in(self, plan: list[dict[str, str]], device: str, name: str, scale: float = 1) -> Path:
        for line, row in zip(plan, self.rows_of(plan)):
            line["latency_ms"] = repr(float(self.columns[device][row]) * scale)
        with (self.folder / name).open("w") as file:
            writer = csv.DictWriter(file, plan[0].keys())
            writer.writeheader()
            writer.writerows(plan)
        return self.folder / name

    def adapt(self, file: Path, *more: object) -> tuple[str, str]:
        done = self.program(
            "adapt", "--space", "nasbench201", "--measurements", file, "--prior", "stated", *SOURCES, *more
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout, done.stderr

    def test_a_plan_measured_and_taken_back_ranks_the_whole_space(self) -> None:
        plan = self.plan(20)
        self.assertEqual([line["order"] for line in plan], [str(i) for i in range(1, 21)])
        self.assertTrue(all(line["latency_ms"] == "" for line in plan))
        self.assertIn("edge 0-1 = ", plan[0]["decisions"])
        self.assertEqual(len(set(self.rows_of(plan))), 20)
        said, _ = self.adapt(self.fill_in(plan, "fpga", "done.csv"), "--out", "fpga.h5")
        self.assertIn("stop measuring", said)
        with h5py.File(self.folder / "fpga.h5") as file:
            table = file["values"][()]
        self.assertIn(
            "fpga2 has 20 architectures",
            self.ok("import", "--space", "nasbench201", "--device", "fpga2", self.folder / "done.csv"),
        )
        index = self.cells.astype(int) @ 5 ** np.arange(5, -1, -1)
        self.assertGreater(spearman(table[index], self.columns["fpga"]), 0.98)
        self.assertLess(np.median(np.abs(table[index] / self.columns["fpga"] - 1)), 0.1)

    def test_a_drift_that_a_reference_shows_is_divided_out(self) -> None:
        plan = self.plan(12, "--reference", 3, out="drifting.csv")
        again = [i for i, line in enumerate(plan) if line["arch"] == plan[0]["arch"]]
        self.assertEqual(again, [0, 4, 8, 12, 15])  # after every three others, and at the end
        self.assertEqual([plan[i]["repeat"] for i in again], list("12345"))
        self.assertEqual([int(line["order"]) for line in plan], list(range(1, 17)))
        steady = self.fill_in(plan, "titan_rtx_256", "steady.csv")
        lines = list(csv.DictReader(steady.read_text().splitlines()))
        for i, line in enumerate(lines):
            line["latency_ms"] = repr(float(line["latency_ms"]) * (1 + 0.8 * i / len(lines)))
        drifting = self.folder / "drifting_done.csv"
        with drifting.open("w") as file:
            writer = csv.DictWriter(file, lines[0].keys())
            writer.writeheader()
            writer.writerows(lines)
        srcc = {}
        for name, file, more in (("steady", steady, ()), ("as it is", drifting, ()), ("divided", drifting, ("--drift",))):
            said, warned = self.adapt(file, "--out", "phone.h5", *more)
            with h5py.File(self.folder / "phone.h5") as predictor:
                values = predictor["values"][()]
            self.assertEqual(self.drift_said(said, warned), {"steady": "", "as it is": "warned", "divided": "said"}[name])
            index = [self.index_of(cell) for cell in self.cells]
            srcc[name] = spearman(values[index], self.columns["titan_rtx_256"])
        self.assertGreater(srcc["divided"], srcc["as it is"])
        self.assertGreater(srcc["divided"], srcc["steady"] - 0.02)
        without = self.fill_in(self.plan(10, out="b.csv"), "pixel3", "b_done.csv")
        self.fault("adapt", "--space", "nasbench201", "--measurements", without, "--drift", says=("--drift", "--reference 5"))

    def drift_said(self, said: str, warned: str) -> str:
        return "warned" if "--drift divides that out" in warned else "said" if "divided out" in said else ""

    def index_of(self, cell: np.ndarray) -> int:
        return int(np.ravel_multi_index(tuple(int(c) for c in cell), (5,) * 6))

    def test_predictions_have_error_bars(self) -> None:
        done = self.fill_in(self.plan(15), "fpga", "done.csv")
        said, _ = self.adapt(done, "--predictions", "own.csv")
        self.assertIn("own.csv: predicted latencies of 15 architectures", said)
        own = list(csv.DictReader((self.folder / "own.csv").read_text().splitlines()))
        filled = {line["arch"]: float(line["latency_ms"]) for line in csv.DictReader(done.read_text().splitlines())}
        self.assertEqual({line["arch"]: float(line["measured_ms"]) for line in own}, filled)
        (self.folder / "all.csv").write_text("arch\n" + "\n".join(cell_string(cell) for cell in self.cells[:400]) + "\n")
        self.adapt(done, "--archs", "all.csv", "--predictions", "all_predicted.csv")
        rows = list(csv.DictReader((self.folder / "all_predicted.csv").read_text().splitlines()))
        self.assertEqual(len(rows), 400)
        predicted, bar = (np.array([float(row[name]) for row in rows]) for name in ("latency_ms", "deviation_ms"))
        truth = self.columns["fpga"][:400]
        self.assertGreater(spearman(predicted, truth), 0.9)
        within = np.abs(predicted - truth) < 3 * bar
        self.assertTrue(np.all(bar > 0) and 0.8 < within.mean() <= 1, within.mean())
        # Measured architectures are known better than others.
        self.assertLess(np.mean([float(line["deviation_ms"]) for line in own]), bar.mean())
        call = ("adapt", "--space", "nasbench201", "--measurements", done)
        self.fault(*call, "--archs", "all.csv", says=("--archs all.csv", "--predictions"))
        self.fault(*call, "--predictions", "nowhere/p.csv", says=("nowhere/p.csv",))

    def test_a_plan_goes_on_where_it_stopped(self) -> None:
        whole, first = self.plan(12, out="a.csv"), self.plan(5, out="b.csv")
        self.assertEqual([line["arch"] for line in whole[:5]], [line["arch"] for line in first])
        more = self.plan(7, "--measured", "b.csv", out="c.csv")
        self.assertFalse({line["arch"] for line in more} & {line["arch"] for line in first})
        self.fault("plan", "--space", "nasbench201", "--out", "a.csv", says=("a.csv", "is there already"))

    def hint(self, text: str) -> list[str]:
        """Words of the one call of the program that is proposed, without the program's name."""
        (line,) = re.findall(r"oneproxy ((?:plan|adapt) .*?)\)?$", text, re.MULTILINE)
        return shlex.split(line)

    def test_two_files_count_as_one(self) -> None:
        lines = self.fill_in(self.plan(14), "fpga", "whole.csv").read_text().splitlines()
        first, second = self.folder / "my first $1.csv", self.folder / "b.csv"
        first.write_text("\n".join(lines[:8]) + "\n")
        second.write_text("\n".join([lines[0], *lines[8:]]) + "\n")
        said, _ = self.adapt(self.folder / "whole.csv", "--out", "whole.h5")
        text = self.ok(
            "adapt", "--space", "nasbench201", "--prior", "stated", *SOURCES,
            "--measurements", first.name, second.name, "--out", "both.h5",
        )  # fmt: skip
        self.assertIn(": 14 architectures of nasbench201", text)
        with h5py.File(self.folder / "whole.h5") as one, h5py.File(self.folder / "both.h5") as two:
            np.testing.assert_array_equal(one["values"][()], two["values"][()])
            sums = [hashlib.sha256(file.read_bytes()).hexdigest() for file in (first, second)]
            self.assertEqual(two.attrs["measurements_sha256"], ", ".join(sums))
            self.assertEqual(two.attrs["n_measured"], 14)
        second.write_text(second.read_text() + lines[1] + "\n" + lines[2].replace(lines[2].split(",")[1], "fast") + "\n")
        call = ("adapt", "--space", "nasbench201", "--measurements")
        self.fault(*call, first, second, says=("b.csv:10", "fast"))
        self.fault(*call, first, first, says=("is given twice",))

    def test_hints_run_as_they_are(self) -> None:
        """Too few measurements, the plan that is proposed, its measurements: each call taken from the last text."""
        first = self.fill_in(self.plan(8), "raspi4", "my phone's $1.csv")
        (self.folder / "more.csv").write_text("arch\n")
        proposed = self.hint(self.ok("adapt", "--space", "nasbench201", "--measurements", first.name, *SOURCES))
        self.assertEqual(proposed[:3], ["plan", "--space", "nasbench201"])
        self.assertEqual(proposed[proposed.index("--measured") + 1], first.name)
        self.assertEqual(proposed[proposed.index("--sources") + 1 :][:3], list(SOURCES[1:]))
        self.assertEqual(proposed[-2:], ["--out", "more2.csv"])
        proposed[proposed.index("--k") + 1] = "4"
        then = self.hint(self.ok(*proposed))
        at = then.index("--measurements")
        self.assertEqual(then[at : at + 3], ["--measurements", first.name, "more2.csv"])
        more = list(csv.DictReader((self.folder / "more2.csv").read_text().splitlines()))
        self.fill_in(more, "raspi4", "more2.csv")
        self.assertIn(": 12 architectures of nasbench201", self.ok(*then))
        # Architectures alone are no measurements.
        (self.folder / "known.csv").write_text("arch\n" + more[0]["arch"] + "\n")
        call = ("plan", "--space", "nasbench201", "--k", 2, *SOURCES, "--measured", "known.csv", first.name)
        then = self.hint(self.ok(*call, "--out", "d.csv"))
        self.assertEqual(then[then.index("--measurements") + 1 :], [first.name, "d.csv"])

    def test_sources_that_are_not_there(self) -> None:
        call = ("plan", "--space", "proxylessnas", "--k", 3, "--out", "p.csv")
        self.fault(*call, says=("has no measurements of space proxylessnas", "--sources none"))
        then = self.hint(self.ok(*call, "--sources", "none"))
        self.assertEqual(then[then.index("--sources") + 1], "none")
        done = self.fill_in(self.plan(8), "fpga", "done.csv")
        _, said = self.adapt(done, "--device", "phone")
        self.assertIn("--device phone is not in set help", said)
        _, said = self.adapt(done, "--device", "fpga")  # no source, but known
        self.assertNotIn("not in set", said)

    def listens(self, process: int) -> bool:
        """Whether it catches SIGINT by now."""
        caught = re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{process}/status").read_text())
        return caught is not None and bool(int(caught[1], 16) >> (signal.SIGINT - 1) & 1)

    def test_control_c(self) -> None:
        done = self.fill_in(self.plan(12), "fpga", "done.csv")
        before = self.files()
        for call in (
            ("adapt", "--space", "nasbench201", "--measurements", done, "--out", "x.h5"),
            ("plan", "--space", "nasbench201", "--k", 200, "--out", "x.csv"),
        ):
            running = subprocess.Popen(
                [str(PROGRAM), *map(str, call)],
                cwd=self.folder,
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            while running.poll() is None and not self.listens(running.pid):
                time.sleep(0.002)
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=HANG)
            self.assertEqual((running.returncode, out), (130, ""), err)
            self.assertIn("interrupted", err.splitlines()[-1])
            self.assertEqual(self.files(), before)

    def test_units_outliers_repeats_and_failures(self) -> None:
        plan = self.plan(16)
        _, warned = self.adapt(self.fill_in(plan, "gold_6226", "seconds.csv", 1e-3))
        self.assertIn("look like seconds", warned)
        _, warned = self.adapt(self.folder / "seconds.csv", "--unit", "s")
        self.assertEqual(warned, "")
        self.fill_in(plan, "gold_6226", "done.csv")
        lines = (self.folder / "done.csv").read_text().splitlines()
        columns = lines[3].split(",")
        columns[1] = repr(float(columns[1]) * 100)
        spoilt = self.folder / "spoilt.csv"
        spoilt.write_text("\n".join([*lines[:3], ",".join(columns), *lines[4:]]) + "\n")
        said, warned = self.adapt(spoilt)
        self.assertIn(f"warning: {plan[2]['arch']} took ", warned)
        self.assertIn("times the median", warned)
        self.assertNotIn("sample", warned)
        columns[1] = ""
        spoilt.write_text("\n".join([*lines, ",".join(columns), lines[5].replace(lines[5].split(",")[1], "99")]) + "\n")
        said, warned = self.adapt(spoilt)
        self.assertIn("16 architectures", said)
        self.assertIn("1 line has no latency and is left out", warned)
        self.assertIn("the device is unsteady", warned)

    def test_too_little_is_said_and_wrong_input_refused(self) -> None:
        plan = self.plan(5)
        two = self.fill_in(plan[:2], "fpga", "two.csv")
        said, warned = self.adapt(two)
        self.assertIn("Not adapted", said)
        self.assertIn("too few", warned)
        equal = self.folder / "equal.csv"
        equal.write_text("arch,latency_ms\n" + "".join(f"{line['arch']},3\n" for line in plan))
        said, warned = self.adapt(equal)
        self.assertIn("all latencies are 3 ms", warned)
        one = self.fill_in(plan[:1], "fpga", "one.csv")
        said, warned = self.adapt(one)
        self.assertIn("1 measurement is too few", warned)
        self.assertIn("one.csv: 1 architecture of", said)
        # No predictor of measurements that it did not adapt to.
        call = ("adapt", "--space", "nasbench201", "--prior", "stated", *SOURCES, "--measurements")
        for file, why in ((two, "2 measurements are too few"), (equal, "all latencies are 3 ms")):
            for more in (("--out", "p.h5"), ("--into", "p.h5", "--name", "p"), ("--predictions", "p.csv")):
                self.fault(*call, file, *more, says=(why, "nothing is written", "measure more", "oneproxy plan"))
        bad = self.folder / "bad.csv"
        call = ("adapt", "--space", "nasbench201", "--measurements", bad, "--sources", "none")
        for text, says in (
            ("arch,latency_ms\n|conv_7x7~0|+|none~0|none~1|+|none~0|none~1|none~2|,3\n", ("bad.csv:2", "conv_7x7")),
            ("arch,latency_ms\n0;0;0;0;0;9,3\n", ("bad.csv:2", "choice '9'")),
            ("arch,latency_ms\n0;0;0;0;0;1,-3\n", ("bad.csv:2", "positive")),
            ("arch,ms\n0;0;0;0;0;1,3\n", ("arch,latency_ms",)),
            ("arch,latency_ms,color\n0;0;0;0;0;1,3,red\n", ("color",)),
            ("arch,latency_ms\n0;0;0;0;0;1,\n", ("no measurement that succeeded",)),
        ):
            bad.write_text(text)
            self.fault(*call, says=says)

    def test_a_linear_predictor_where_features_add_up(self) -> None:
        self.ok("plan", "--space", "fbnet", "--k", 12, "--sources", "pixel3")
        text = (self.folder / "plan.csv").read_text().splitlines()
        filled = [text[0]] + [line.replace(",,", f",{5 + i % 7},", 1) for i, line in enumerate(text[1:])]
        (self.folder / "done.csv").write_text("\n".join(filled) + "\n")
        self.ok("adapt", "--space", "fbnet", "--measurements", "done.csv", "--sources", "pixel3", "--out", "f.h5")
        with h5py.File(self.folder / "f.h5") as file:
            self.assertEqual(file["weights"].shape, (1, 198))
            self.assertEqual(file["radices"][()].tolist(), [9] * 22)

    def test_the_target_is_no_source(self) -> None:
        plan = self.plan(10)
        done = self.fill_in(plan, "pixel3", "done.csv")
        said, warned = self.adapt(done, "--device", "pixel3")
        self.assertIn("left out of the sources", warned)
        self.assertIn("2 source devices", said)


class SearchWithAdapted(ProgramCase):
    """plan, measure (by a model, or looked up), adapt, and then search the space with what came out."""

    def table(self, name: str) -> list[dict[str, str]]:
        return list(csv.DictReader((self.folder / name).read_text().splitlines()))

    def scored(self, space: str, predictor: str, *more: object) -> np.ndarray:
        self.ok("score", "--space", space, "--predictor", predictor, "--out", "scored.csv", *more)
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
        self.assertIn("oneproxy search --space fbnet --latency table:phone.h5 --quality model:macs", said)
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
            (proposed,) = re.findall(r"oneproxy (search .*)", self.ok(*arguments))
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
        self.fault(*call, "adaproxy", "--sources", "none", says=("AdaProxy", "source"))
        self.fault(*call, "adaproxy", "--prior", "flat", says=("--prior", "adaproxy"))

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


class FewShot(ProgramCase):
    def test_summary_and_arrays(self) -> None:
        result = self.run_config(FEW)
        for task, targets in (("nasbench201_small", ["fpga", "raspi4"]), ("fbnet_small", ["fpga"])):
            arrays, summary = result.arrays(), result.summary
            srcc = arrays[f"task/{task}/srcc"]
            self.assertEqual(names(arrays[f"task/{task}/targets"]), targets)
            self.assertEqual(srcc.shape, (len(targets), 2, 2))
            self.assertAlmostEqual(summary[f"srcc_mean.{task}"], srcc[:, 0].mean(), 12)
            self.assertAlmostEqual(summary[f"curve.{task}.8"], srcc[:, 1].mean(), 12)
            self.assertGreater(summary[f"srcc_mean.{task}"], 0.9)
            self.assertLess(summary[f"srcc_mean_with_neither.{task}"], summary[f"srcc_mean.{task}"])
            # Two trials: t = 12.706, sd / sqrt 2.
            means = srcc[:, 0].mean(axis=0)
            self.assertAlmostEqual(
                summary[f"srcc_mean_interval95.{task}"], 12.706 * means.std(ddof=1) / np.sqrt(2), 9
            )
        self.assertEqual(result.summary["published.fbnet_small.someone"], 0.5)

    def test_as_csv(self) -> None:
        more = 'proxies = "one"\ncurve = [5]'
        result = self.run_config(self.task(more, targets='["pixel3", "raspi4"]'))
        self.ok("export", result.folder)
        rows = list(csv.DictReader((result.folder / "csv" / "few_shot.csv").read_text().splitlines()))
        arrays = result.arrays()
        self.assertEqual([float(row["srcc"]) for row in rows], arrays["task/t/srcc"].ravel().tolist())
        self.assertEqual([row["samples"] for row in rows[:2]], ["10", "5"])
        self.assertEqual([row["target"] for row in rows[::2]], names(arrays["task/t/targets"]))
        self.assertEqual([row["proxy"] for row in rows[::2]], names(arrays["task/t/proxies"]))

    def test_more_samples_than_a_design_has_candidates(self) -> None:
        more = 'set = "oneproxy"\ncurve = [505, 520]\nselection = "d_optimal"\nmethod = "adaproxy"'
        task = self.task(more, '["rice_pixel3"]', '["rice_edgetpu"]')
        arrays = self.run_config(task).arrays()
        self.assertEqual(arrays["task/t/samples"].tolist(), [10, 505, 520])
        few, many, more = arrays["task/t/srcc"][0, :, 0]
        self.assertGreater(many, few)
        self.assertNotEqual(many, more)  # 15 samples more are measured

    def test_the_same_on_any_number_of_threads(self) -> None:
        quick = sets(trials=1, ablations=False)
        one = self.run_config(FEW, *quick, "--out", "one", before=("--threads", "1")).text("summary.json")
        self.assertEqual(self.run_config(FEW, *quick, "--out", "two", before=("--threads", "2")).text("summary.json"), one)

    def task(self, more: str = "", sources: str = '["pixel3", "fpga"]', targets: str = '["raspi4"]') -> Path:
        path = self.folder / "task.toml"
        path.write_text(TASK.format(more=more, sources=sources, targets=targets))
        return path

    def test_every_method_and_selection(self) -> None:
        for more in ('method = "adaproxy"', 'selection = "random"', 'selection = "kmeans"', 'selection = "d_optimal"'):
            self.assertGreater(self.run_config(self.task(more)).summary["srcc_mean.t"], 0.4, more)

    @unittest.skipUnless(TRAINS, "built without LibTorch")
    def test_fine_tuning(self) -> None:
        task = self.task('method = "finetune"')
        one = self.run_config(task, "--out", "one", before=("--threads", "1"))
        self.assertGreater(one.summary["srcc_mean.t"], 0.4)
        two = self.run_config(task, "--out", "two", before=("--threads", "2"))
        self.assertEqual(one.text("summary.json"), two.text("summary.json"))

    @unittest.skipIf(TRAINS, "built with LibTorch")
    def test_fine_tuning_without_libtorch_says_what_is_missing(self) -> None:
        self.fault("run", self.task('method = "finetune"'), says=("finetune", "LibTorch"))

    def test_all_sources_are_all_but_the_target(self) -> None:
        result = self.run_config(self.task(sources='"all"', targets='["raspi4", "fpga"]'))
        self.assertIn("25 sources", result.report)

    def test_one_proxy_at_a_time(self) -> None:
        more = 'proxies = "one"\npairs_below = 0.8'
        result = self.run_config(self.task(more, '["pixel3", "eyeriss"]', '["pixel3", "eyeriss", "raspi4"]'))
        arrays, columns = result.arrays(), stored("nasbench201", "help")[1]
        pairs = list(zip(names(arrays["task/t/proxies"]), names(arrays["task/t/targets"])))
        expected = [
            (p, t)
            for t in ("pixel3", "eyeriss", "raspi4")
            for p in ("pixel3", "eyeriss")
            if p != t and spearman(columns[p], columns[t]) < 0.8
        ]
        self.assertEqual(sorted(pairs), sorted(expected))

    def test_help_protocol(self) -> None:
        more = "source_official = [0, 899]\ntest_official = [900, 1899]\ntrim = 0.1"
        self.assertGreater(self.run_config(self.task(more)).summary["srcc_mean.t"], 0.5)

    def test_bad_tasks(self) -> None:
        for more, targets, says in (
            ("", '["pixel3"]', ("pixel3", "among the sources")),
            ("", '["pixle3"]', ("pixle3", "pixel3")),
            ("hidden = []", '["raspi4"]', ("hidden", "no layer")),
            ("frozen_layers = [3]", '["raspi4"]', ("frozen_layers names layer 3", "the last is 2")),
            ("last_layer_only = true\nfrozen_layers = [2]", '["raspi4"]', ("all layers are frozen",)),
            ("curve = [5001]", '["raspi4"]', ("curve", "5000")),
            ("test_official = [9, 1]", '["raspi4"]', ("test_official",)),
            ('published_names = ["x"]', '["raspi4"]', ("published",)),
            ("samples_targets = 3", '["raspi4"]', ("samples_targets", "samples_target")),
        ):
            self.fault("run", self.task(more, targets=targets), says=says)
        many = self.task()
        many.write_text(many.read_text().replace("samples_source = 60", "samples_source = 20000"))
        self.fault("check", many, says=("pixel3", "15625 measurements", "20000"))
        path = self.folder / "none.toml"
        path.write_text('kind = "few_shot"\n')
        self.fault("run", path, says=("[[task]]",))


class ProxySweep(ProgramCase):
    def test_cover_and_savings_follow_from_the_matrices(self) -> None:
        result = self.run_config(SWEEP)
        arrays, summary = result.arrays(), result.summary
        devices = names(arrays["devices"])
        for budget, srcc in ((0, arrays["srcc"]), *zip(arrays["sweep_budgets"], arrays["sweep_srcc"])):
            serves = (srcc >= 0.9) | np.eye(4, dtype=bool)
            fewest = min(
                bin(s).count("1") for s in range(1, 16) if serves[[i for i in range(4) if s >> i & 1]].any(axis=0).all()
            )
            self.assertEqual(summary[f"proxies_needed.{budget}"], fewest)
            chosen = [devices.index(name) for name in summary[f"proxies.{budget}"].split(", ")]
            self.assertTrue(serves[chosen].any(axis=0).all())
            self.assertEqual(summary[f"measurements.{budget}"], fewest * 300 + (4 - fewest) * budget)
            off = srcc[~np.eye(4, dtype=bool)]
            self.assertAlmostEqual(summary[f"srcc_mean.{budget}"], off.mean(), 12)
            self.assertAlmostEqual(summary[f"srcc_worst.{budget}"], off.min(), 12)
        self.assertGreater(summary["srcc_mean.20"], summary["srcc_mean.0"])

    def test_bad_fleets(self) -> None:
        self.fault("run", SWEEP, *sets(devices=["rice_fpga"]), says=("at least two",))
        self.fault("run", SWEEP, *sets(budgets=[600]), says=("500 measurements", "600"))
        self.fault("run", SWEEP, *sets(budgets=[10, 20, 10]), says=("budgets", "10 twice"))
        self.fault("check", SWEEP, *sets(samples_proxy=501), says=("500 measurements", "samples_proxy", "501"))

    def test_the_only_proxy_is_the_best_one(self) -> None:
        fleet = sets(space="fbnet", set="help", devices=["fpga", "raspi4", "pixel3"], budgets=[10])
        summary = self.run_config(SWEEP, *fleet).summary
        self.assertEqual(summary["proxies_needed.0"], 1)
        self.assertEqual(summary["proxies.0"], summary["best_proxy.0"])

    def test_a_design_on_few_rows_is_no_random_draw(self) -> None:
        fleet = sets(space="fbnet", set="help", devices=["fpga", "raspi4"], architectures=60, samples_proxy=60)
        few = sets(budgets=[5], trials=1)
        designed = self.run_config(SWEEP, *fleet, *few).arrays()["sweep_srcc"]
        drawn = self.run_config(SWEEP, *fleet, *few, *sets(selection="random")).arrays()["sweep_srcc"]
        self.assertFalse(np.array_equal(designed, drawn))  # once the first rows of the random order were taken

    def test_as_csv(self) -> None:
        result = self.run_config(SWEEP)
        self.ok("export", result.folder)
        rows = list(csv.DictReader((result.folder / "csv" / "proxy_sweep.csv").read_text().splitlines()))
        after = result.arrays()["sweep_srcc"].reshape(2, -1)
        self.assertEqual([float(row["srcc_20"]) for row in rows], after[1].tolist())


if __name__ == "__main__":
    unittest.main()
