"""Plan, measure (look up), adapt: what a person with a device does."""

from __future__ import annotations

import csv
import hashlib
import re
import shlex
import signal
import subprocess
import time
import unittest
from pathlib import Path

import h5py
import numpy as np

from support import (
    HANG, OPERATIONS, PROGRAM, SOURCES, ProgramCase, cell_string, environment, spearman, stored,
)  # fmt: skip


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
            said, warned = self.adapt(file, "--out", "phone.h5", "--force", *more)
            with h5py.File(self.folder / "phone.h5") as predictor:
                values = predictor["values"][()]
            self.assertEqual(self.drift_said(said, warned), {"steady": "", "as it is": "warned", "divided": "said"}[name])
            index = [self.index_of(cell) for cell in self.cells]
            srcc[name] = spearman(values[index], self.columns["titan_rtx_256"])
        self.assertGreater(srcc["divided"], srcc["as it is"])
        self.assertGreater(srcc["divided"], srcc["steady"] - 0.02)
        without = self.fill_in(self.plan(10, out="b.csv"), "pixel3", "b_done.csv")
        self.fault("adapt", "--space", "nasbench201", "--measurements", without, "--drift", says=("divide out the drift", "reference 5"))

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
        self.fault(*call, says=("has no measurements of space proxylessnas", "sources \"none\""))
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
        seconds = self.fill_in(plan, "gold_6226", "seconds.csv", 1e-3)
        call = ("adapt", "--space", "nasbench201", *SOURCES, "--measurements")
        self.fault(*call, seconds, says=("seconds.csv: the latencies look like seconds", "--unit s"))
        _, warned = self.adapt(seconds, "--unit", "ms")
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
        self.assertIn("1 line has no latency and is left out: 1 empty", warned)
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
        self.assertIn("all measurements are 3", warned)
        one = self.fill_in(plan[:1], "fpga", "one.csv")
        said, warned = self.adapt(one)
        self.assertIn("1 measurement is too few", warned)
        self.assertIn("one.csv: 1 architecture of", said)
        # No predictor of measurements that it did not adapt to.
        call = ("adapt", "--space", "nasbench201", "--prior", "stated", *SOURCES, "--measurements")
        for file, why in ((two, "2 measurements are too few"), (equal, "all measurements are 3")):
            for more in (("--out", "p.h5"), ("--into", "p.h5", "--name", "p"), ("--predictions", "p.csv")):
                self.fault(*call, file, *more, says=(why, "nothing is written", "measure more", "oneproxy plan"))
        bad = self.folder / "bad.csv"
        call = ("adapt", "--space", "nasbench201", "--measurements", bad, "--sources", "none")
        for text, says in (
            ("arch,latency_ms\n|conv_7x7~0|+|none~0|none~1|+|none~0|none~1|none~2|,3\n", ("bad.csv:2", "conv_7x7")),
            ("arch,latency_ms\n0;0;0;0;0;9,3\n", ("bad.csv:2", "choice '9'")),
            ("arch,latency_ms\n0;0;0;0;0;1,-3\n", ("bad.csv:2", "positive")),
            ("arch,watts\n0;0;0;0;0;1,3\n", ("'latency_ms'", "--columns latency_ms=HEADER")),
            ("arch,mean_ms,median_ms\n0;0;0;0;0;1,3,3\n", ("'mean_ms'", "say which one")),
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


if __name__ == "__main__":
    unittest.main()
