"""The program's numbers against NumPy and SciPy on the store that ships: none of its own code is in between."""

from __future__ import annotations

import itertools
import sys
import tomllib
import unittest
from pathlib import Path

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).parent))
from support import CONFIGS, ProgramCase, Result, config, names, sets, stored  # noqa: E402

QUANTILES = {"q10": 0.10, "q25": 0.25, "q50": 0.50, "q75": 0.75}
Points = list[tuple[float, float]]


def one_hot(choices: np.ndarray, radix: int) -> np.ndarray:
    return np.eye(radix)[choices].reshape(len(choices), -1)


def additive_fit(choices: np.ndarray, radix: int, latency: np.ndarray, of: np.ndarray | None = None) -> np.ndarray:
    """Predictions of least squares on one-hot codes, for `of` (default: the same architectures)."""
    codes = np.column_stack([one_hot(choices, radix), np.ones(len(choices))])
    known = ~np.isnan(latency)
    weights = np.linalg.lstsq(codes[known], latency[known], rcond=None)[0]
    target = choices if of is None else of
    return np.column_stack([one_hot(target, radix), np.ones(len(target))]) @ weights


def pareto_rows(latency: np.ndarray, quality: np.ndarray) -> list[int]:
    """Rows of the front, ascending latency; of equal points the lowest row."""
    order = np.lexsort((np.arange(len(latency)), -quality, latency))
    rows, best = [], -np.inf
    for row in order:
        if not np.isnan(latency[row]) and quality[row] > best:
            best = quality[row]
            rows.append(int(row))
    return rows


def hypervolume(points: Points, worst_latency: float, worst_quality: float) -> float:
    """Area that ascending points dominate within the reference point."""
    ends = [latency for latency, _ in points[1:]] + [worst_latency]
    return sum((end - latency) * (quality - worst_quality) for (latency, quality), end in zip(points, ends))


def best_within(points: Points, limit: float, otherwise: float) -> float:
    return max((quality for latency, quality in points if latency <= limit), default=otherwise)


class TestReferences(unittest.TestCase):
    """The references themselves, by definition on small cases with ties."""

    def test_front_is_what_nothing_dominates(self) -> None:
        rng = np.random.default_rng(1)
        for _ in range(50):
            latency, quality = rng.integers(0, 6, (2, 25)).astype(float)
            keep = []
            for i, j in itertools.product(range(25), repeat=2):
                if j == 0:
                    keep.append(i)
                no_worse = latency[j] <= latency[i] and quality[j] >= quality[i]
                equal = latency[j] == latency[i] and quality[j] == quality[i]
                if no_worse and (not equal or j < i) and keep and keep[-1] == i:
                    keep.pop()
            self.assertEqual(sorted(pareto_rows(latency, quality)), keep)

    def test_hypervolume_is_the_area_by_counting(self) -> None:
        points = [(1.0, 2.0), (3.0, 4.0), (4.0, 7.0)]
        cells = [(x + 0.5, y + 0.5) for x in range(10) for y in range(1, 9)]
        counted = sum(any(p <= x and q >= y for p, q in points) for x, y in cells)
        self.assertEqual(hypervolume(points, 10, 1), counted)


class TestMonotonicity(ProgramCase):
    def test_all_devices_of_help(self) -> None:
        result = self.run_config(
            config("nasbench201", "monotonicity"), *sets(devices=["all"], architectures=0, resamples=0)
        )
        _, columns = stored("nasbench201", "help")
        arrays = result.arrays()
        devices = names(arrays["devices"])
        self.assertEqual(devices, sorted(columns))
        table = np.column_stack([columns[d] for d in devices])
        expected = stats.spearmanr(table).statistic
        np.testing.assert_allclose(arrays["srcc"], expected, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(arrays["srcc"], arrays["srcc"].T)
        np.testing.assert_array_equal(arrays["n_pairs"], len(table))
        pairs = list(itertools.combinations(range(len(devices)), 2))
        for i, j in pairs[::12]:
            expected_tau = stats.kendalltau(table[:, i], table[:, j]).statistic
            self.assertAlmostEqual(arrays["kendall"][i, j], expected_tau, delta=1e-12)
            self.assertEqual(arrays["kendall"][i, j], arrays["kendall"][j, i])
        above = [expected[i, j] for i, j in pairs]
        summary = result.summary
        self.assertEqual(summary["pairs"], len(pairs))
        self.assertEqual(summary["strong_pairs"], sum(v >= 0.9 for v in above))
        self.assertAlmostEqual(summary["srcc_mean"], np.mean(above), delta=1e-12)
        self.assertAlmostEqual(summary["srcc_min"], np.min(above), delta=1e-12)
        served = ((expected >= 0.9).sum(1) - 1).tolist()
        self.assertEqual([summary[f"strong_targets.{d}"] for d in devices], served)
        self.assertEqual(served[devices.index(summary["best_proxy"])], max(served))

    def test_failed_measurements_are_left_out_pair_by_pair(self) -> None:
        result = self.run_config(
            config("nasbench201", "monotonicity"),
            *sets(set="oneproxy", devices=["rice_edgetpu", "true_vpu", "rice_fpga"], architectures=0, resamples=0),
        )
        _, columns = stored("nasbench201", "oneproxy")
        self.assertEqual(np.isnan(columns["rice_edgetpu"]).sum(), 259)
        arrays = result.arrays()
        devices = names(arrays["devices"])
        for (i, a), (j, b) in itertools.product(enumerate(devices), repeat=2):
            known = ~np.isnan(columns[a]) & ~np.isnan(columns[b])
            x, y = columns[a][known], columns[b][known]
            self.assertAlmostEqual(arrays["srcc"][i, j], stats.spearmanr(x, y).statistic, delta=1e-12)
            self.assertAlmostEqual(arrays["kendall"][i, j], stats.kendalltau(x, y).statistic, delta=1e-12)
            self.assertEqual(arrays["n_pairs"][i, j], known.sum())

    def test_a_device_of_another_set_is_joined_by_architecture(self) -> None:
        other = "desktop-cpu-core-i7-7820x-fp32"
        result = self.run_config(
            config("nasbench201", "monotonicity"),
            *sets(devices=["pixel3", f"eagle:{other}"], architectures=0, resamples=0),
        )
        cells, columns = stored("nasbench201", "help")
        eagle_cells, eagle = stored("nasbench201", "eagle")
        row = {tuple(c): i for i, c in enumerate(cells.tolist())}
        ours = columns["pixel3"][[row[tuple(c)] for c in eagle_cells.tolist()]]
        self.assertAlmostEqual(
            result.arrays()["srcc"][0, 1], stats.spearmanr(ours, eagle[other]).statistic, delta=1e-12
        )

    def test_a_sample_has_an_interval_around_the_value(self) -> None:
        arrays = self.run_config(config("fbnet", "monotonicity")).arrays()
        self.assertTrue((arrays["n_pairs"] == 500).all())
        self.assertTrue((arrays["srcc_low"] <= arrays["srcc_high"]).all())
        inside = (arrays["srcc_low"] <= arrays["srcc"] + 0.02) & (arrays["srcc"] <= arrays["srcc_high"] + 0.02)
        self.assertTrue(inside.all())

    def test_macs_and_parameters_of_the_published_cell_0(self) -> None:
        # NATS-Bench prints for its architecture 0 on CIFAR-10: flops 15.64737 M, params 0.129306 M.
        text = self.ok("arch", "--space", "nasbench201", "--official", 0)
        values = dict(line.rsplit("  ", 1) for line in text.splitlines())
        values = {k.strip(): v.strip() for k, v in values.items()}
        self.assertEqual(values["parameters"], "129306")
        self.assertAlmostEqual(float(values["MACs"]), 15.64737e6, delta=15)


class TestFrontTransfer(ProgramCase):
    def check_fronts(self, result: Result, space: str, radix: int, proxy: str, targets: list[str]) -> None:
        choices, columns = stored(space, "help")
        arrays, summary = result.arrays(), result.summary
        quality = arrays["quality"]
        np.testing.assert_array_equal(arrays["choices"], choices)
        proxy_predicted = additive_fit(choices, radix, columns[proxy])
        np.testing.assert_allclose(arrays["proxy_predicted_ms"], proxy_predicted, rtol=1e-9)
        for target in targets:
            with self.subTest(target=target):
                latency, adapted = columns[target], arrays[f"predicted_ms/{target}"]
                np.testing.assert_array_equal(arrays[f"latency_ms/{target}"], latency)
                # The adapted predictor is additive, whatever its weights.
                np.testing.assert_allclose(additive_fit(choices, radix, adapted), adapted, rtol=1e-8)
                srcc = stats.spearmanr(adapted, latency).statistic
                self.assertAlmostEqual(summary[f"srcc_after.{target}"], srcc, delta=1e-12)
                srcc = stats.spearmanr(columns[proxy], latency).statistic
                self.assertAlmostEqual(summary[f"srcc_before.{target}"], srcc, delta=1e-12)
                truth = pareto_rows(latency, quality)
                members = {
                    "target": truth,
                    "proxy": pareto_rows(proxy_predicted, quality),
                    "adaproxy": pareto_rows(adapted, quality),
                }
                spent = {"target": len(latency), "proxy": 0, "adaproxy": summary[f"samples.{target}"]}
                points = [(latency[r], quality[r]) for r in truth]
                corner = (latency.max(), quality.min())
                for name, rows in members.items():
                    base = f"fronts/{target}/{name}"
                    self.assertEqual(arrays[f"{base}/members/row"].tolist(), rows)
                    np.testing.assert_array_equal(arrays[f"{base}/members/latency_ms"], latency[rows])
                    rows = sorted(rows)
                    kept = [rows[i] for i in pareto_rows(latency[rows], quality[rows])]
                    self.assertEqual(arrays[f"{base}/row"].tolist(), kept)
                    np.testing.assert_array_equal(arrays[f"{base}/latency_ms"], latency[kept])
                    np.testing.assert_array_equal(arrays[f"{base}/quality"], quality[kept])
                    found = [(latency[r], quality[r]) for r in kept]
                    key = f"{name}.{target}"
                    ratio = hypervolume(found, *corner) / hypervolume(points, *corner)
                    self.assertAlmostEqual(summary[f"hv_ratio.{key}"], ratio, delta=1e-12)
                    reached = len(set(found) & set(points)) / len(points)
                    self.assertAlmostEqual(summary[f"recall.{key}"], reached, delta=1e-12)
                    more = 0 if name == "target" else len(rows)
                    self.assertEqual(summary[f"measured.{key}"], spent[name] + more)
                    for label, q in QUANTILES.items():
                        limit = np.quantile(latency, q)
                        lost = best_within(points, limit, corner[1]) - best_within(found, limit, corner[1])
                        scale = abs(corner[1]) + 1
                        self.assertAlmostEqual(summary[f"regret.{key}.{label}"], lost, delta=1e-9 * scale)

    def test_nasbench201_on_accuracy(self) -> None:
        targets = ["fpga", "essential_ph_1", "titan_rtx_256"]
        for quality in ("cifar10", "imagenet16_120"):
            result = self.run_config(
                config("nasbench201", "front_transfer"),
                *sets(targets=targets, quality=f"metric:natsbench:{quality}"),
            )
            cells, columns = stored("nasbench201", "natsbench")
            table = dict(zip(map(tuple, cells.tolist()), columns[quality]))
            arrays = result.arrays()
            np.testing.assert_array_equal(arrays["quality"], [table[tuple(c)] for c in arrays["choices"].tolist()])
            self.check_fronts(result, "nasbench201", 5, "titan_rtx_1", targets)

    def test_fbnet_says_that_macs_stand_in_for_accuracy(self) -> None:
        result = self.run_config(config("fbnet", "front_transfer"), *sets(targets=["fpga", "raspi4"]))
        self.check_fronts(result, "fbnet", 9, "pixel3", ["fpga", "raspi4"])
        self.assertIn("stand-in", result.summary["quality"])
        self.assertIs(result.summary["quality_is_stand_in"], True)
        self.assertIn("stand-in", result.report)
        self.assertIn("stand-in", result.attributes()["quality"])

    def test_best_under_limits(self) -> None:
        result = self.run_config(config("nasbench201", "front_transfer"), *sets(targets="fpga", limits=[2, 4.5, 0.001]))
        latency, quality = stored("nasbench201", "help")[1]["fpga"], result.arrays()["quality"]
        summary = result.summary
        for limit in ("2", "4.5"):
            self.assertEqual(summary[f"best_quality.target.fpga.{limit}"], quality[latency <= float(limit)].max())
            for front in ("proxy", "adaproxy"):
                self.assertLessEqual(
                    summary[f"best_quality.{front}.fpga.{limit}"], summary[f"best_quality.target.fpga.{limit}"]
                )
                self.assertLessEqual(summary[f"best_latency_ms.{front}.fpga.{limit}"], float(limit))
        self.assertIsNone(summary["best_quality.target.fpga.0.001"])
        self.assertIn("limit", summary["best_quality.target.fpga.0.001.reason"])

    def test_a_limit_named_twice_counts_once(self) -> None:
        self.run_config(config("nasbench201", "front_transfer"), *sets(targets="fpga", limits=[3, 3.0]))

    def test_a_target_measured_on_a_part_of_the_set(self) -> None:
        result = self.run_config(config("nasbench201", "front_transfer"), *sets(targets="oneproxy:rice_edgetpu"))
        arrays = result.arrays()
        latency = arrays["latency_ms/oneproxy:rice_edgetpu"]
        known = ~np.isnan(latency)
        self.assertEqual(known.sum(), 1740)
        self.assertEqual(result.summary["measured.target.oneproxy:rice_edgetpu"], 1740)
        truth = pareto_rows(latency, arrays["quality"])
        self.assertEqual(arrays["fronts/oneproxy:rice_edgetpu/target/row"].tolist(), truth)
        for front in ("proxy", "adaproxy"):
            self.assertFalse(np.isnan(arrays[f"fronts/oneproxy:rice_edgetpu/{front}/latency_ms"]).any())

    def test_a_target_with_few_measurements_says_what_can_not_be_known(self) -> None:
        cells, columns = stored("nasbench201", "help")
        rows = np.random.default_rng(7).choice(len(cells), 70, replace=False)
        file = self.measure("phone.csv", cells[rows], columns["pixel3"][rows])
        self.ok("import", file, "--space", "nasbench201", "--device", "phone", "--store", "my.h5")
        for targets in (["user:phone", "fpga"], ["user:phone"]):
            result = self.run_config(config("nasbench201", "front_transfer"), *sets(store="my.h5", targets=targets))
            summary, means = result.summary, []
            for front in ("proxy", "adaproxy"):
                key = f"{front}.user:phone"
                self.assertIsNone(summary[f"hv_ratio.{key}"])
                self.assertIsNone(summary[f"regret.{key}.q25"])
                for said in ("were not measured on user:phone", "70 of the 15625", "measure them"):
                    self.assertIn(said, summary[f"hv_ratio.{key}.reason"])
                    self.assertIn(said, result.report)
                self.assertGreater(summary[f"unmeasured.{key}"], 0)
                means.append(summary[f"hv_ratio_mean.{front}"])
            self.assertIn("beyond the measurements", summary["srcc_after_unseen.user:phone.reason"])
        self.assertEqual(means, [None, None])
        self.assertIsNone(summary["largest_regret.proxy"])


class TestAdaproxy(ProgramCase):
    def test_summary_is_the_statistics_of_the_trials(self) -> None:
        sizes = [20, 40]
        result = self.run_config(
            config("nasbench201", "adaproxy"),
            *sets(set="oneproxy", proxy="true_vpu", targets=["rice_fpga", "rice_edgetpu", "eagle_gtx"], trials=6),
            *sets(curve=sizes),
        )
        arrays, summary = result.arrays(), result.summary
        choices, columns = stored("nasbench201", "oneproxy")
        devices = names(arrays["devices"])
        self.assertEqual(devices, ["rice_fpga", "rice_edgetpu", "eagle_gtx"])
        self.assertEqual(arrays["srcc_after"].shape, (3, 6))
        self.assertEqual(arrays["curve_samples"].tolist(), sizes)
        self.assertEqual(arrays["curve_srcc"].shape, (3, 2, 6))
        for i, device in enumerate(devices):
            trials = arrays["srcc_after"][i]
            self.assertAlmostEqual(summary[f"srcc_after.{device}"], trials.mean(), delta=1e-14)
            self.assertAlmostEqual(summary[f"srcc_after_q10.{device}"], np.quantile(trials, 0.1), delta=1e-14)
            self.assertAlmostEqual(summary[f"srcc_after_q90.{device}"], np.quantile(trials, 0.9), delta=1e-14)
            known = ~np.isnan(columns[device])
            before = stats.spearmanr(columns["true_vpu"][known], columns[device][known]).statistic
            self.assertAlmostEqual(summary[f"srcc_before.{device}"], before, delta=1e-12)
            self.assertAlmostEqual(arrays["srcc_before"][i], before, delta=1e-12)
            own = additive_fit(choices, 5, columns[device])
            ceiling = stats.spearmanr(own[known], columns[device][known]).statistic
            # Predictions that tie but for rounding (FPGA) are ranked by their rounding.
            self.assertAlmostEqual(summary[f"additive_ceiling.{device}"], ceiling, delta=1e-4)
            self.assertLess(abs(summary[f"srcc_after_unseen.{device}"] - trials.mean()), 0.02)
            self.assertEqual(summary[f"samples.{device}"], 70)
            self.assertTrue(90 <= summary[f"rounds.samples.{device}"] <= 200)
            self.assertTrue(0 <= summary[f"rounds.false_stops.{device}"] <= summary[f"rounds.stopped.{device}"] <= 6)
        means = [summary[f"srcc_after.{d}"] for d in devices]
        self.assertAlmostEqual(summary["srcc_after_mean"], np.mean(means), delta=1e-14)
        self.assertEqual(summary["strong_after"], sum(m >= 0.9 for m in means))

    def test_an_affine_image_of_the_proxy_is_learnt_exactly(self) -> None:
        cells, columns = stored("nasbench201", "help")
        predicted = additive_fit(cells, 5, columns["titan_rtx_1"])
        latency = 3 * predicted + 50
        self.assertGreater(latency.min(), 0)
        file = self.measure("affine.csv", cells, latency)
        self.ok("import", "--space", "nasbench201", "--device", "affine", file)
        result = self.run_config(
            config("nasbench201", "adaproxy"),
            *sets(store="my_store.h5", targets=["user:affine"], trials=3, curve=[], samples_validation=15),
        )
        summary = result.summary
        np.testing.assert_allclose(result.arrays()["srcc_after"], 1, rtol=0, atol=1e-6)
        before = stats.spearmanr(columns["titan_rtx_1"], latency).statistic
        self.assertAlmostEqual(summary["srcc_before.user:affine"], before, delta=1e-6)
        self.assertEqual(summary["samples.user:affine"], 75)
        self.assertEqual(summary["rounds.samples.user:affine"], 95)
        self.assertEqual(summary["rounds.stopped.user:affine"], 3)
        self.assertEqual(summary["rounds.false_stops.user:affine"], 0)

    def test_each_norm_and_the_number_of_samples(self) -> None:
        for p in ("1", "2", "inf"):
            summary = self.run_config(
                config("nasbench201", "adaproxy"),
                *sets(targets="fpga", p=p, trials=1, curve=[], threshold=0, samples_train=90, samples_validation=30),
            ).summary
            self.assertEqual(summary["samples.fpga"], 120)
            self.assertGreater(summary["srcc_after.fpga"], 0.97)
            self.assertNotIn("rounds.samples.fpga", summary)


class TestReproduction(ProgramCase):
    def test_before_adaptation_as_published(self) -> None:
        path = CONFIGS / "smoke_reproduce_nb201.toml"
        summary = self.run_config(path).summary
        published = tomllib.loads((CONFIGS / "reproduce_nb201.toml").read_text())
        self.assertEqual(published["published"], tomllib.loads(path.read_text())["published"])
        self.assertEqual(len(published["published"]), 17)
        _, columns = stored("nasbench201", "oneproxy")
        for row in published["published"]:
            device = row["device"]
            latency, proxy = columns[device], columns["true_vpu"]
            known = ~np.isnan(latency)
            right = stats.spearmanr(latency[known], proxy[known]).statistic
            self.assertAlmostEqual(summary[f"srcc_before.{device}"], right, delta=1e-12)
            paper = summary.get(f"srcc_before_with_failures.{device}", right)
            self.assertLessEqual(abs(paper - row["before"]), 0.02, device)
            for key in ("srcc_after", "srcc_after_unseen", "samples"):
                self.assertIsNotNone(summary[f"{key}.{device}"])
        self.assertEqual(summary["before_within_0.02"], 17)
        self.assertAlmostEqual(summary["srcc_before.rice_edgetpu"], 0.897, delta=5e-4)
        self.assertAlmostEqual(summary["srcc_before_with_failures.rice_edgetpu"], 0.876, delta=5e-4)
        self.assertEqual(summary["failed_measurements.rice_edgetpu"], 259)
        for space, prefix in (("nasbench201", "pixel3."), ("fbnet", "pixel3.fbnet.")):
            _, columns = stored(space, "help")
            for device in ("raspi4", "eyeriss", "fpga"):
                expected = stats.spearmanr(columns["pixel3"], columns[device]).statistic
                self.assertAlmostEqual(summary[f"{prefix}srcc_before.{device}"], expected, delta=1e-12)
                self.assertIsNotNone(summary[f"{prefix}srcc_after.{device}"])
        for row in published["pixel3"]:
            prefix = "pixel3." + (f"{row['space']}." if "space" in row else "")
            self.assertEqual(summary[f"{prefix}published_before.{row['device']}"], row["before"])


class TestSearch(ProgramCase):
    @staticmethod
    def limits(summary: dict) -> list[str]:
        return [k.removeprefix("latency_ms.") for k in summary if k.startswith("latency_ms.")]

    def test_exhaustive_is_brute_force_and_evolution_never_beats_it(self) -> None:
        cells, columns = stored("nasbench201", "help")
        accuracy_cells, accuracy = stored("nasbench201", "natsbench")
        table = dict(zip(map(tuple, accuracy_cells.tolist()), accuracy["cifar10"]))
        quality = np.array([table[tuple(c)] for c in cells.tolist()])
        latency = columns["pixel3"]
        path = config("nasbench201", "search")
        exhaustive = self.run_config(path, *sets(method="exhaustive"))
        arrays, summary = exhaustive.arrays(), exhaustive.summary
        front = pareto_rows(latency, quality)
        np.testing.assert_array_equal(arrays["front/latency_ms"], latency[front])
        np.testing.assert_array_equal(arrays["front/quality"], quality[front])
        np.testing.assert_array_equal(arrays["front/choices"], cells[front])
        self.assertEqual(summary["evaluated"], 15625)
        keys = self.limits(summary)
        np.testing.assert_allclose([float(k) for k in keys], np.quantile(latency, [0.1, 0.25, 0.5, 0.75]), rtol=5e-6)
        for key, limit in zip(keys, np.quantile(latency, [0.1, 0.25, 0.5, 0.75])):
            self.assertEqual(summary[f"quality.{key}"], quality[latency <= limit].max())
            self.assertLessEqual(summary[f"latency_ms.{key}"], limit)

        evolved = self.run_config(path, *sets(method="evolutionary", generations=8)).summary
        truth = dict(zip(zip(latency, quality), range(len(latency))))
        for key in keys:
            self.assertEqual(evolved[f"exhaustive_quality.{key}"], summary[f"quality.{key}"])
            self.assertGreaterEqual(evolved[f"regret.{key}"], 0)
            self.assertLessEqual(evolved[f"latency_ms.{key}"], float(key) * (1 + 5e-6))
            self.assertIn((evolved[f"latency_ms.{key}"], evolved[f"quality.{key}"]), truth)
        self.assertLessEqual(evolved["hv_ratio"], 1)
        self.assertLessEqual(evolved["recall"], 1)

    def test_a_measured_latency_with_ties_has_its_limits(self) -> None:
        # essential_ph_1 measures whole milliseconds: nearby quantiles and a limit of one's own may coincide.
        self.run_config(config("nasbench201", "search"), *sets(method="exhaustive", limits_ms=[14, 14.0]))

    def test_the_whole_of_fbnet_within_predicted_limits(self) -> None:
        result = self.run_config(config("fbnet", "search"), *sets(quality="model:macs"))
        arrays, summary = result.arrays(), result.summary
        cells, columns = stored("fbnet", "help")
        found = arrays["front/choices"]
        expected = additive_fit(cells, 9, columns["pixel3"], of=found)
        np.testing.assert_allclose(arrays["front/latency_ms"], expected, rtol=1e-9)
        self.assertEqual(pareto_rows(arrays["front/latency_ms"], arrays["front/quality"]), list(range(len(found))))
        limits = np.quantile(additive_fit(cells, 9, columns["pixel3"]), [0.1, 0.25, 0.5, 0.75])
        keys = self.limits(summary)
        np.testing.assert_allclose([float(k) for k in keys], limits, rtol=5e-6)
        for key, limit in zip(keys, limits):
            self.assertLessEqual(summary[f"latency_ms.{key}"], limit * (1 + 1e-9))
        self.assertIs(summary["quality_is_stand_in"], True)
        self.assertIn("stand-in", result.report)
        text = self.ok("arch", "--space", "fbnet", ",".join(map(str, found[-1])))
        macs = next(float(line.split()[-1]) for line in text.splitlines() if line.startswith("MACs"))
        self.assertEqual(macs, arrays["front/quality"][-1])


if __name__ == "__main__":
    unittest.main()
