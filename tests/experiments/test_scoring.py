#!/usr/bin/env python3
"""Scores and searches of whole spaces, from outside: against NumPy, brute force and a run that was cut short."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import time
import unittest
from pathlib import Path

import h5py
import numpy as np
from support import CONFIGS, PROGRAM, STORE, ProgramCase, Result, environment, sets

SPACE_ROWS = 10  # choices of a block of ofa_mbv3: none, then kernel by expansion


def table_latency(choices: list[int]) -> float:
    """The Note10 sum of an ofa_mbv3 network, from the store's numbers."""
    with h5py.File(STORE) as file:
        group = file["tables/ofa_mbv3/note10"]
        weights, bias = group["weights"][()], group["bias"][()]
    weights = weights.reshape(len(bias), -1)
    resolution = choices[0]
    rows = [25 + SPACE_ROWS * block + choice for block, choice in enumerate(choices[1:])]
    return float(bias[resolution] + weights[resolution][rows].sum())


class TestScore(ProgramCase):
    def read(self, path: Path) -> list[dict[str, str]]:
        with open(path, newline="") as file:
            return list(csv.DictReader(file))

    def test_a_file_of_architectures(self) -> None:
        blocks = "k3_e3 k3_e4|k5_e6 k7_e3 k3_e3|k3_e3 k3_e3|k5_e4 k5_e4 k5_e4 k5_e4|k7_e6 k7_e6"
        (self.folder / "in.csv").write_text(f"name,arch\nfirst,r=176|{blocks}\n\"a, b\",r=224|{blocks}\nlow,r=128|{blocks}\n")
        self.ok("score", "--space", "ofa_mbv3", "--predictor", "table:note10", "--predictor", "model:macs",
                "--archs", "in.csv", "--out", "out.csv")  # fmt: skip
        rows = self.read(self.folder / "out.csv")
        self.assertEqual([r["name"] for r in rows], ["first", "a, b", "low"])
        sides = list(range(128, 225, 4))
        kinds = {"none": 0} | {f"k{k}_e{e}": 1 + 3 * i + j for i, k in enumerate((3, 5, 7)) for j, e in enumerate((3, 4, 6))}
        for row, side in zip(rows, (176, 224, 128)):
            choices = [sides.index(side)]
            for stage in blocks.split("|"):
                names = stage.split(" ")
                choices += [kinds[n] for n in names + ["none"] * (4 - len(names))]
            if side == 128:
                self.assertEqual(row["table:note10"], "", "no table below 160 pixels")
            else:
                self.assertAlmostEqual(float(row["table:note10"]), table_latency(choices), places=9)
            text = self.ok("arch", "--space", "ofa_mbv3", row["arch"])
            macs = next(float(line.split()[-1]) for line in text.splitlines() if line.startswith("MACs"))
            self.assertAlmostEqual(float(row["model:macs"]) / macs, 1, places=4)

    def test_a_range_is_the_space_and_precisions_agree(self) -> None:
        self.ok("score", "--space", "nasbench201", "--predictor", "proxy:pixel3", "--out", "all.csv")
        rows = self.read(self.folder / "all.csv")
        self.assertEqual([int(r["index"]) for r in rows], list(range(15625)))
        self.ok("score", "--space", "nasbench201", "--predictor", "proxy:pixel3", "--out", "some.csv", "--begin", "100",
                "--count", "50", "--shuffled", "--seed", "3")  # fmt: skip
        some = self.read(self.folder / "some.csv")
        self.assertEqual(len({r["index"] for r in some}), 50)
        for row in some:
            self.assertEqual(row, rows[int(row["index"])])

    def test_what_is_wrong_is_said(self) -> None:
        (self.folder / "in.csv").write_text("arch\nk3_e1\n")
        common = ("score", "--space", "fbnet", "--out", "out.csv", "--predictor")
        self.fails("in.csv:2", *common, "model:macs", "--archs", "in.csv")
        self.fails("no predictor 'nobody'", *common, "nobody", "--archs", "in.csv")
        self.fails("984770902183611232881", *common, "model:macs")
        self.fails("no column 'arch'", *common, "model:macs", "--archs", self.write("other.csv", "a,b\n1,2\n"))
        self.assertFalse((self.folder / "out.csv").exists())

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return name

    def fails(self, message: str, *arguments: object) -> None:
        done = self.program(*arguments)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(message, done.stderr.strip().splitlines()[-1])


class TestSearchOfSpaces(ProgramCase):
    def searched(self, *arguments: object) -> Result:
        return Result(self.folder / self.ok("search", *arguments).strip().splitlines()[-1])

    def test_exact_is_exhaustive_where_that_can_be_had(self) -> None:
        fix = [a for layer in range(17) for a in ("--fix", f"layer {layer}=k3_e6")]
        common = ("--space", "fbnet", "--latency", "proxy:pixel3", "--quality", "model:macs", "--limits", "27,30", *fix)
        exact = self.searched(*common, "--method", "exact")
        every = self.searched(*common, "--method", "exhaustive")
        self.assertEqual(every.summary["evaluated"], 9**5)
        self.assertEqual(every.summary["part_size"], str(9**5))
        for limit in ("27", "30"):
            self.assertGreater(exact.summary[f"quality.{limit}"], 0)
            self.assertEqual(exact.summary[f"quality.{limit}"], every.summary[f"quality.{limit}"])
        np.testing.assert_allclose(exact.arrays()["front/quality"], every.arrays()["front/quality"], rtol=0)
        np.testing.assert_allclose(exact.arrays()["front/latency_ms"], every.arrays()["front/latency_ms"], rtol=1e-12)

    def test_exact_front_of_all_of_fbnet(self) -> None:
        result = self.run_config(CONFIGS / "fbnet" / "exact_front.toml")
        latency, quality = result.arrays()["front/latency_ms"], result.arrays()["front/quality"]
        self.assertEqual(result.summary["front_size"], len(latency))
        self.assertGreater(len(latency), 1000)
        self.assertTrue((np.diff(latency) > 0).all() and (np.diff(quality) > 0).all())
        self.assertIn("exact", result.summary["certainty"])
        # No evolution gets above it.
        evolved = self.run_config(CONFIGS / "fbnet" / "smoke_search.toml").arrays()
        for ms, best in zip(evolved["front/latency_ms"], evolved["front/quality"]):
            self.assertGreaterEqual(quality[latency <= ms * (1 + 1e-9)].max(), best)

    def test_an_interrupted_run_goes_on_to_the_same_result(self) -> None:
        arguments = [str(CONFIGS / "fbnet" / "exact_front.toml"), *sets(method="exhaustive", count='"1000000000"')]
        # One thread, so that it is far from done.
        process = subprocess.Popen(
            [PROGRAM, "--threads", "1", "run", *arguments], cwd=self.folder, env=environment(), stderr=subprocess.PIPE
        )
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1].decode().splitlines()[-1]
        self.assertEqual(process.returncode, 130)
        self.assertRegex(said, r"interrupted: .*\.checkpoint holds \d+ of 1000000000 architectures; the same command goes on")
        self.assertNotIn("nothing was written", said)
        saved = list((self.folder / "results" / "search").glob("*.checkpoint"))
        self.assertEqual(len(saved), 1)
        done = self.program("run", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("going on from", done.stderr)
        self.assertEqual(list((self.folder / "results" / "search").glob("*.checkpoint")), [])
        resumed = Result(self.folder / done.stdout.strip().splitlines()[-1])
        self.assertEqual(resumed.summary["evaluated"], 1000000000)
        whole = self.run_config(CONFIGS / "fbnet" / "exact_front.toml", *sets(method="exhaustive", count='"1000000000"'),
                                "--out", "elsewhere")  # fmt: skip
        self.assertEqual(json.dumps(resumed.summary), json.dumps(whole.summary))
        for name, values in whole.arrays().items():
            np.testing.assert_array_equal(resumed.arrays()[name], values)

    def test_what_is_wrong_is_said(self) -> None:
        def fails(message: str, *arguments: object) -> None:
            done = self.program("search", *arguments)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(message, done.stderr.strip().splitlines()[-1])

        fbnet = ("--space", "fbnet", "--latency", "proxy:pixel3", "--quality", "model:macs")
        fails("too many to score", *fbnet, "--method", "exhaustive")
        fails("nearest", *fbnet, "--fix", "layer 3=k3_e7")
        fails("pass the size of the space", *fbnet, "--method", "exhaustive", "--set", 'begin="9000000000000000000000"')
        fails("has no measurements", "--space", "proxylessnas", "--latency", "device:pixel3", "--quality", "model:macs")
        fails("does not", "--space", "nasbench201", "--latency", "device:pixel3", "--quality", "model:macs", "--method", "exact")
        fails("keeps to no budget", *fbnet, "--method", "exact", "--seconds", "3")

    def test_a_limit_that_nothing_meets(self) -> None:
        fbnet = ("--space", "fbnet", "--latency", "proxy:pixel3", "--quality", "model:macs")
        for method in ("exact", "evolutionary"):
            told = self.fault("search", *fbnet, "--limits", "20,0.1", "--method", method)
            for part in ("limits_ms", "<= 0.1", "smallest has 2.83", "skip|skip|", "raise the limit"):
                self.assertIn(part, told)
        told = self.fault("search", *fbnet, "--objective", "max model:parameters >= 1e12", "--limits", "20")
        self.assertIn("largest has", told)
        # The limit can be kept, but not by the one architecture that is looked at.
        result = self.searched(*fbnet, "--limits", "3", "--method", "exhaustive", "--set", "count=1")
        self.assertIsNone(result.summary["quality.3"])
        self.assertIn("none found", result.report)


if __name__ == "__main__":
    unittest.main()
