"""The kinds few_shot and proxy_sweep, from outside."""

from __future__ import annotations

import csv
import unittest
from pathlib import Path

import numpy as np

from support import CONFIGS, TRAINS, ProgramCase, names, sets, spearman, stored

FEW = CONFIGS / "few_shot" / "smoke_nasflat_tasks.toml"
SWEEP = CONFIGS / "proxy_sweep" / "smoke_oneproxy.toml"
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

    def test_without_sources_the_features_of_the_space_are_all_there_is(self) -> None:
        path = self.task("curve = [30]", sources='"none"', targets='["metric:natsbench:cifar100"]')
        result = self.run_config(path)
        self.assertIn("1 targets, 0 sources", result.report)
        arrays, summary = result.arrays(), result.summary
        for i, samples in enumerate((10, 30)):
            key = f"srcc.t.metric:natsbench:cifar100.{samples}"
            self.assertAlmostEqual(summary[key], arrays["task/t/srcc"][0, i].mean(), 12)
        self.assertGreater(summary["srcc.t.metric:natsbench:cifar100.30"], 0.5)
        self.fault("run", self.task('proxies = "one"', sources='"none"'), says=("none", "proxies"))

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
