"""The experiment that counts how many measurements a front needs, against hypervolumes and regrets by NumPy."""

from __future__ import annotations

import csv
import unittest
from pathlib import Path

import numpy as np

from support import CONFIGS, ProgramCase, Result, names, sets, stored

SMOKE = CONFIGS / "front_loop" / "smoke_nasflat_tasks.toml"
QUANTILES = (0.1, 0.25, 0.5, 0.75)


def area(latency: np.ndarray, quality: np.ndarray, slowest: float, floor: float) -> float:
    """What points dominate of the box up to a latency, down to a quality: by strips between all their latencies."""
    edges = np.unique(np.r_[latency[latency < slowest], slowest])
    best = [max(floor, quality[latency <= edge].max()) - floor for edge in edges[:-1]]
    return float(np.sum(np.diff(edges) * best))


def best_within(latency: np.ndarray, quality: np.ndarray, limit: float, otherwise: float) -> float:
    return quality[latency <= limit].max(initial=otherwise)


class FrontLoop(ProgramCase):
    def run_smoke(self, path: Path = SMOKE, *arguments: object) -> Result:
        return Result(self.folder / self.ok("run", path, *arguments).splitlines()[-1])

    def test_figures_follow_from_what_was_measured(self) -> None:
        found = self.run_smoke()
        arrays, group = found.arrays(), "front_loop/nasbench201_small"
        self.assertEqual(names(arrays["front_loop_tasks"]), ["nasbench201_small"])
        self.assertEqual(names(arrays[f"{group}/targets"]), ["fpga", "raspi4"])
        methods = names(arrays[f"{group}/methods"])
        self.assertEqual(methods, ["loop", "plan_10", "adaproxy_25", "random"])
        cells, latencies = stored("nasbench201", "help")
        others, metrics = stored("nasbench201", "natsbench")
        order = {tuple(cell): i for i, cell in enumerate(others)}
        quality = metrics["cifar100"][[order[tuple(cell)] for cell in cells]]
        curves: dict[str, list[tuple[float, float]]] = {method: [] for method in methods}  # at 20, of each target
        for t, name in enumerate(("fpga", "raspi4")):
            latency = latencies[name]
            slowest = latency[quality == quality.max()].min()
            whole = area(latency, quality, slowest, float(np.median(quality)))
            limits = np.quantile(latency, QUANTILES)
            np.testing.assert_allclose(arrays[f"{group}/regret_limits_ms"][t], limits, rtol=1e-12)
            table = set(zip(latency, quality))
            for method in methods:
                trace = {k: arrays[f"{group}/{method}/trace/{k}"][t, 0, 0] for k in ("latency_ms", "quality", "fitted_ms")}
                n = int(np.isfinite(trace["latency_ms"]).sum())
                self.assertTrue(set(zip(trace["latency_ms"][:n], trace["quality"][:n])) <= table)
                self.assertTrue((np.isfinite(trace["fitted_ms"]) == np.isfinite(trace["latency_ms"])).all())
                for k in (1, 5, 10, 20, n):
                    y, a = trace["latency_ms"][: min(k, n)], trace["quality"][: min(k, n)]
                    share = area(y, a, slowest, float(np.median(quality))) / whole
                    self.assertAlmostEqual(arrays[f"{group}/{method}/hypervolume"][t, 0, 0, k - 1], share, 9)
                    lost = [
                        best_within(latency, quality, limit, quality.min()) - best_within(y, a, limit, quality.min())
                        for limit in limits
                    ]
                    self.assertAlmostEqual(arrays[f"{group}/{method}/regret"][t, 0, 0, k - 1], np.mean(lost), 9)
                    if k == 20:
                        curves[method].append((share, float(np.mean(lost))))
        for method, both in curves.items():
            share, lost = np.array(both).T
            for end in ("", ".nasbench201_small"):
                self.assertAlmostEqual(found.summary[f"hypervolume.{method}.20{end}"], share.mean(), 9)
                self.assertAlmostEqual(found.summary[f"worst.{method}.20{end}"], share.min(), 9)
                self.assertAlmostEqual(found.summary[f"regret.{method}.20{end}"], lost.mean(), 9)
                self.assertEqual(found.summary[f"broken.{method}.20{end}"], 0)
                self.assertGreaterEqual(found.summary[f"broken_by_fit.{method}.20{end}"], 0)
        for method in ("plan_10", "adaproxy_25"):
            measured = np.isfinite(arrays[f"{group}/{method}/trace/latency_ms"]).sum(axis=-1)
            self.assertAlmostEqual(found.summary[f"measurements.{method}"], measured.mean(), 12)
            ends = [curve[n - 1] for curve, n in zip(arrays[f"{group}/{method}/hypervolume"][:, 0, 0], measured[:, 0, 0])]
            self.assertAlmostEqual(found.summary[f"hypervolume.{method}.all"], np.mean(ends), 12)
            # Shares of at most four answers on each of two devices.
            self.assertTrue(0 <= found.summary[f"unchecked_broken.{method}"] <= 1)
            self.assertGreaterEqual(found.summary[f"unchecked_regret.{method}"], 0)
        # What the issue is about, on two devices: the loop is ahead of random networks by far.
        self.assertGreater(found.summary["hypervolume.loop.20"], found.summary["hypervolume.random.20"] + 0.2)
        self.assertGreater(found.summary["hypervolume.loop.20"], 0.9)

    def test_the_loop_with_limits_and_where_it_stops(self) -> None:
        found = self.run_smoke()
        arrays, group = found.arrays(), "front_loop/nasbench201_small"
        latencies = stored("nasbench201", "help")[1]
        regrets = []
        others, metrics = stored("nasbench201", "natsbench")
        order = {tuple(cell): i for i, cell in enumerate(others)}
        quality = metrics["cifar100"][[order[tuple(cell)] for cell in stored("nasbench201", "help")[0]]]
        floor = float(np.quantile(quality, 0.25))
        for t, name in enumerate(("fpga", "raspi4")):
            latency = latencies[name]
            y, a = (arrays[f"{group}/limits/trace/{k}"][t, 0, 0][:15] for k in ("latency_ms", "quality"))
            for limit in np.quantile(latency, (0.25, 0.5)):
                regrets.append(best_within(latency, quality, limit, 0) - best_within(y, a, limit, quality.min()))
            n = int(arrays[f"{group}/stop/measurements"][t, 0, 0])
            y, a = (arrays[f"{group}/loop/trace/{k}"][t, 0, 0][:n] for k in ("latency_ms", "quality"))
            slowest = latency[quality == quality.max()].min()
            gap = 1 - area(y, a, slowest, floor) / area(latency, quality, slowest, floor)
            self.assertAlmostEqual(arrays[f"{group}/stop/gap"][t, 0, 0], gap, 9)
        self.assertAlmostEqual(found.summary["limits_regret.15"], np.mean(regrets), 9)
        self.assertAlmostEqual(found.summary["limits_within.15"], np.mean(np.array(regrets) <= 0.1), 9)
        self.assertAlmostEqual(found.summary["stop_gap"], arrays[f"{group}/stop/gap"].mean(), 12)
        self.assertIn("The loop would have stopped after", found.report)

    def test_answers_of_a_device_that_scatters_are_measured_again(self) -> None:
        found = self.run_smoke()
        arrays, group = found.arrays(), "front_loop/nasbench201_small"
        self.assertEqual(list(arrays[f"{group}/repeats"]), [1, 3])
        for key in ("broken", "far_off", "measurements"):
            values = arrays[f"{group}/scattered/{key}"]
            for i, repeats in enumerate((1, 3)):
                self.assertAlmostEqual(found.summary[f"scattered_{key}.{repeats}"], values[..., i].mean(), 12)
        broken, far_off = (arrays[f"{group}/scattered/{key}"] for key in ("broken", "far_off"))
        self.assertTrue(((0 <= far_off) & (far_off <= broken) & (broken <= 1)).all())
        # Two limits: answers that are measured three times take some measurements more.
        self.assertTrue((arrays[f"{group}/scattered/measurements"] >= [15, 17]).all())

    def test_results_do_not_depend_on_threads(self) -> None:
        # The start of a result's folder is its identity; it is run again, not found again.
        one = self.ok("--threads", 1, "run", SMOKE, "--out", "one").splitlines()[-1]
        two = self.ok("--threads", 2, "run", SMOKE, "--out", "two").splitlines()[-1]
        first, second = (Result(self.folder / path).arrays() for path in (one, two))
        self.assertEqual(first.keys(), second.keys())
        for name, values in first.items():
            np.testing.assert_array_equal(values, second[name], name)

    def test_a_whole_space_is_judged_by_the_fit(self) -> None:
        found = self.run_smoke(CONFIGS / "front_loop" / "smoke_fbnet.toml")
        arrays, group = found.arrays(), "front_loop/fbnet_space"
        np.testing.assert_array_equal(
            arrays[f"{group}/loop/hypervolume"], arrays[f"{group}/loop/hypervolume_by_fit"]
        )
        # A measurement is the fit's latency times one of its residuals.
        trace = {k: arrays[f"{group}/random/trace/{k}"][0, 0, 0] for k in ("latency_ms", "fitted_ms")}
        rows = arrays["front_loop/fbnet_rows/random/trace/latency_ms"], arrays["front_loop/fbnet_rows/random/trace/fitted_ms"]
        self.assertLess(np.abs(trace["latency_ms"] / trace["fitted_ms"] - 1).max(), 0.2)
        self.assertGreater(np.abs(trace["latency_ms"] / trace["fitted_ms"] - 1).max(), 0)
        self.assertTrue(np.isfinite(rows[0]).all() and np.isfinite(rows[1]).all())
        # The summary counts the task on rows alone, whose truth was measured.
        self.assertEqual(found.summary["hypervolume.loop.15"], found.summary["hypervolume.loop.15.fbnet_rows"])
        self.assertNotEqual(found.summary["hypervolume.loop.15"], found.summary["hypervolume.loop.15.fbnet_space"])

    def test_what_can_not_be_judged_is_refused(self) -> None:
        for change, says in (
            (dict(measured=[9000]), "measured"),
            (dict(measured=[900], limits_measured=[]), "limits_measured"),
            (dict(regret_limits=[]), "regret_limits"),
        ):
            self.fault("run", SMOKE, *sets(**change), says=(says,))
        text = SMOKE.read_text()
        for old, new, says in (
            ('"metric:natsbench:cifar100"]', '"metric:natsbench:cifar100", "model:macs"]', "different units"),
            ('qualities = ["metric:natsbench:cifar100"]', "qualities = []", "needs a quality"),
            ('["1080ti_1", "silver_4114", "pixel3"]', '["fpga"]', "no source device"),
            ('qualities = ["metric', 'over = "space"\nqualities = ["metric', "over = \"rows\""),
        ):
            changed = self.folder / "changed.toml"
            self.assertIn(old, text)
            changed.write_text(text.replace(old, new))
            self.fault("run", changed, says=(says,))
            changed.unlink()

    def test_it_can_be_exported(self) -> None:
        found = self.run_smoke()
        self.ok("export", found.folder)
        with open(found.folder / "csv" / "front_loop.csv") as file:
            lines = list(csv.DictReader(file))
        arrays = found.arrays()
        loop = [line for line in lines if line["method"] == "loop" and line["target"] == "raspi4"]
        self.assertEqual([int(line["measured"]) for line in loop], list(range(1, 21)))
        np.testing.assert_array_equal(
            [float(line["hypervolume"]) for line in loop], arrays["front_loop/nasbench201_small/loop/hypervolume"][1, 0, 0]
        )


if __name__ == "__main__":
    unittest.main()
