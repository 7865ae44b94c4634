"""Accel-NASBench in the store that ships: searches with measured metrics as objectives, fronts and what they cost."""

from __future__ import annotations

import shlex
import unittest

import h5py
import numpy as np
from support import STORE, ProgramCase, Result, config

SET = "spaces/accel_nasbench/anb"
OBJECTIVES = ("--quality", "proxy:metric:val_top1", "--latency", "proxy:zcu102")


class AccelNasBench(ProgramCase):
    def searched(self, *arguments: object) -> Result:
        done = self.ok("search", "--space", "accel_nasbench", *OBJECTIVES, *arguments)
        return Result(self.folder / done.strip().splitlines()[-1])

    def test_the_exact_front_is_that_of_an_exhaustive_search(self) -> None:
        """Four blocks fixed: 36^3 networks are left, all of which can be scored."""
        block = "e4_k3_l2_se0"
        fixed = [part for b in (0, 2, 3, 5) for part in ("--fix", f"block {b}={block}")]
        exact = self.searched(*fixed, "--limits", "5,6,7", "--method", "exact")
        every = self.searched(*fixed, "--limits", "5,6,7", "--method", "exhaustive", "--set", "precision=fp64")
        for limit in (5, 6, 7):
            self.assertEqual(exact.summary[f"arch.{limit}"], every.summary[f"arch.{limit}"])
            self.assertIn(block, exact.summary[f"arch.{limit}"])
        self.assertEqual(exact.summary["front_size"], every.summary["front_size"])

    def test_the_whole_space_is_at_least_as_good(self) -> None:
        """The best of 1e11 networks is at least as good as any measured one under the same linear predictors."""
        result = self.searched("--limits", "4,8", "--method", "exact")
        self.assertIn("predicted ImageNet top-1", result.report)
        with h5py.File(STORE, "r") as store:
            accuracy, latency = store[SET]["metrics/val_top1"][:], store[SET]["latency_ms/zcu102"][:]
        for limit in (4, 8):
            self.assertGreater(result.summary[f"quality.{limit}"], accuracy[latency <= limit].mean())
            self.assertLess(result.summary[f"quality.{limit}"], 75)  # %, and maximised: not the worst network
            self.assertLessEqual(result.summary[f"latency_ms.{limit}"], limit)

    def test_a_part_of_it_is_searched_as_prune_space_says(self) -> None:
        said = self.ok("prune-space", "--space", "accel_nasbench", "--set", "anb", *OBJECTIVES, "--keep", "4",
                       "--limits", "4,8", "--out", "part.toml")  # fmt: skip
        command = shlex.split(said.strip().splitlines()[-1])
        self.assertEqual(command[0], "oneproxy")
        result = Result(self.folder / self.ok(*command[1:], "--limits", "4,8").strip().splitlines()[-1])
        self.assertLessEqual(result.summary["latency_ms.4"], 4)

    def test_a_metric_that_is_not_there(self) -> None:
        done = self.program("search", "--space", "accel_nasbench", "--quality", "proxy:metric:val_top2",
                            "--latency", "proxy:zcu102")  # fmt: skip
        self.assertEqual(done.returncode, 1)
        self.assertIn("nearest: metric:val_top1", done.stderr)

    def test_a_plan_knows_the_set_of_the_space(self) -> None:
        self.assertIn("adapt --space accel_nasbench", self.ok("plan", "--space", "accel_nasbench", "--k", "5"))
        done = self.program("plan", "--space", "accel_nasbench", "--k", "5", "--set", "help", "--out", "other.csv")
        self.assertEqual(done.returncode, 1)
        self.assertIn("unknown set 'help'", done.stderr)

    def test_what_reusing_a_front_costs_at_most(self) -> None:
        result = self.run_config(config("accel_nasbench", "front_transfer"))
        for front in ("proxy", "adaproxy"):
            regrets = {
                f"{target} at {quantile}": result.summary[f"regret.{front}.{target}.{quantile}"]
                for target in ("tpuv2", "zcu102")
                for quantile in ("q10", "q25", "q50", "q75")
                if f"regret.{front}.{target}.{quantile}.reason" not in result.summary
            }
            largest = max(regrets, key=lambda at: regrets[at])
            self.assertAlmostEqual(result.summary[f"largest_regret.{front}"], regrets[largest], 12)
            if regrets[largest] > 0:
                self.assertEqual(result.summary[f"largest_regret_at.{front}"], largest)
            self.assertIn(f"The most that the front of {front} loses", result.report)


class Choices(unittest.TestCase):
    def test_rows_are_distinct(self) -> None:
        with h5py.File(STORE, "r") as store:
            choices = store[SET]["choices"][:]
        self.assertEqual(len(np.unique(choices, axis=0)), len(choices))


if __name__ == "__main__":
    unittest.main()
