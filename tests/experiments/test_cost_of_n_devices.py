"""The kind cost_of_n_devices from outside: what it counts, what it stores, what it refuses."""

from __future__ import annotations

import csv
import sys
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from support import CONFIGS, TRAINS, ProgramCase, Result, cell_string, names, sets, spearman, stored  # noqa: E402

SMOKE = CONFIGS / "scaling_up" / "smoke_cost_of_n_devices.toml"
UNTRAINED = sets(optimizer=False)
PLAIN = ["each_device", "one_proxy", "one_proxy_front", "adaproxy", "adaproxy_front", "few_shot"]
TASKS = {"nasbench201": 5, "fbnet": 3}  # limits
TASK = """
kind = "cost_of_n_devices"
n = [1, 2]
generated = 1
optimizer = false
samples_source = 60
samples_each = 60
prior = "flat"
{keys}
[[task]]
name = "t"
space = "nasbench201"
qualities = {qualities}
sources = ["pixel3", "fpga", "gold_6226"]
{more}
"""


class Cost(ProgramCase):
    def check_answers(self, result: Result, strategies: list[str]) -> None:
        """Stored answers against the store and against what the summary says of them."""
        arrays, summary = result.arrays(), result.summary
        for task, n_limits in TASKS.items():
            get = lambda name: arrays[f"cost/{task}/{name}"]  # noqa: B023, E731
            self.assertEqual(names(get("strategies")), strategies)
            devices, limits = names(get("devices")), get("limits_ms")
            self.assertEqual(devices, ["raspi4", "eyeriss", *(f"generated_{i}" for i in range(6))])
            self.assertEqual(get("real").tolist(), [1, 1, 0, 0, 0, 0, 0, 0])
            self.assertEqual((summary[f"n_devices.{task}"], summary[f"n_real.{task}"]), (8, 2))
            self.assertEqual(limits.shape, (8, n_limits))
            self.assertTrue((np.diff(limits, axis=1) > 0).all() and (limits > 0).all())
            for i, strategy in enumerate(strategies):
                of = lambda name: arrays[f"cost/{task}/answers/{strategy}/{name}"]  # noqa: B023, E731
                latency, predicted, regret = of("latency_ms"), of("predicted_ms"), of("regret")
                answered = ~np.isnan(latency)
                self.assertTrue((predicted[answered] <= limits[answered] * (1 + 1e-9)).all(), (task, strategy))
                self.assertTrue((regret[answered] >= 0).all())
                for rows, suffix in ((slice(None), ""), (slice(2), "_real")):
                    key = f"{suffix}.{task}.{strategy}"
                    over = np.where(answered, latency / limits, 0)[rows]
                    self.assertAlmostEqual(summary["violations" + key], (over > 1).mean(), 12)
                    self.assertAlmostEqual(summary["violations_5" + key], (over > 1.05).mean(), 12)
                    self.assertAlmostEqual(summary["unanswered" + key], 1 - answered[rows].mean(), 12)
                    mean = np.nanmean(regret[rows])
                    self.assertAlmostEqual(summary["regret" + key] / mean if mean else 1, 1, 9)
                self.assertEqual(get("over")[i], summary[f"violations.{task}.{strategy}"])
                spent = of("measurements")
                for column, n in enumerate((1, 3, 8)):
                    total = {"each_device": 0, "few_shot": 800, "one_pass": 800, "proposals_5": 800}.get(strategy, 200)
                    total += spent[:n].sum()
                    self.assertEqual(get("measurements")[i, column], total)
                    self.assertEqual(summary[f"measurements.{task}.{strategy}.{n}"], total)
                    self.assertIn(f"{task}: {strategy}, n = {n}", result.text("provenance.json"))
                self.assertNotIn("seconds", result.text("summary.json"))

    @staticmethod
    def most_alike(space: str, devices: list[str]) -> str:
        """Whose measurements rank most like those of the others."""
        _, columns = stored(space, "help")
        known = np.all([~np.isnan(columns[d]) for d in devices], axis=0)
        srcc = [np.mean([spearman(columns[a][known], columns[b][known]) for b in devices]) for a in devices]
        return devices[int(np.argmax(srcc))]

    def test_without_the_optimizer(self) -> None:
        result = self.run_config(SMOKE, *UNTRAINED)
        self.check_answers(result, PLAIN)
        arrays, summary = result.arrays(), result.summary
        of = lambda task, strategy, name: arrays[f"cost/{task}/answers/{strategy}/{name}"]  # noqa: E731
        for task in TASKS:
            self.assertEqual(of(task, "each_device", "measurements").tolist(), [200] * 8)
            self.assertEqual(of(task, "adaproxy", "measurements").tolist(), [30] * 8)
            self.assertEqual(of(task, "few_shot", "measurements").tolist(), [10] * 8)
            whole = of(task, "one_proxy_front", "measurements")
            self.assertEqual(len(set(whole)), 1)  # all of the same front
            self.assertTrue((of(task, "one_proxy", "measurements") <= whole).all())
            # Measurements of generated devices are as noisy as those of real ones: never the truth, never far from it.
            measured, truth = (of(task, "one_proxy_front", name)[2:] for name in ("predicted_ms", "latency_ms"))
            error = np.abs(measured / truth - 1)[~np.isnan(truth)]
            self.assertTrue((error > 0).all())
            self.assertLess(np.median(error), 0.1)
            # Who measures each device thoroughly loses less than who carries one device's front to all.
            self.assertLess(summary[f"regret.{task}.each_device"], summary[f"regret.{task}.one_proxy_front"])

        self.assertEqual(summary["proxy.nasbench201"], "pixel3")  # the configuration's
        self.assertEqual(summary["proxy.fbnet"], self.most_alike("fbnet", ["1080ti_1", "gold_6226", "pixel3", "fpga"]))

        # Answers of cells: their accuracy is the store's, and what a proxy's front was measured at is the store's too.
        choices, columns = stored("nasbench201", "help")
        row = {tuple(c): i for i, c in enumerate(choices.tolist())}
        _, metrics = stored("nasbench201", "natsbench")
        official, _ = stored("nasbench201", "natsbench")
        accuracy = {tuple(c): metrics["cifar100"][i] for i, c in enumerate(official.tolist())}
        for strategy in PLAIN:
            answers, quality = of("nasbench201", strategy, "choices"), of("nasbench201", strategy, "quality")
            for place in np.argwhere(~np.isnan(quality)):
                self.assertEqual(accuracy[tuple(answers[tuple(place)])], quality[tuple(place)])
        answers, measured = (of("nasbench201", "one_proxy", name) for name in ("choices", "predicted_ms"))
        for device, name in enumerate(("raspi4", "eyeriss")):
            for limit in np.flatnonzero(~np.isnan(measured[device])):
                self.assertEqual(columns[name][row[tuple(answers[device, limit])]], measured[device, limit])

    def test_repetition_and_threads_change_no_bit(self) -> None:
        one = self.run_config(SMOKE, *UNTRAINED, "--out", "one", before=("--threads", "1"))
        two = self.run_config(SMOKE, *UNTRAINED, "--out", "two", before=("--threads", "2"))
        self.assertEqual(one.text("summary.json"), two.text("summary.json"))
        first, second = one.arrays(), two.arrays()
        self.assertEqual(first.keys(), second.keys())
        for name, values in first.items():
            np.testing.assert_array_equal(values, second[name], err_msg=name)

    @unittest.skipUnless(TRAINS, "built without LibTorch")
    def test_with_the_optimizer(self) -> None:
        result = self.run_config(SMOKE)
        self.check_answers(result, [*PLAIN, "one_pass", "proposals_5"])
        for task in TASKS:
            key = f"cost/{task}/answers/{{}}/quality"
            few_shot, best = (result.arrays()[key.format(name)] for name in ("few_shot", "proposals_5"))
            known = ~np.isnan(few_shot) & ~np.isnan(best)
            self.assertTrue((best[known] <= few_shot[known] * (1 + 1e-9)).all())  # exact on the same predictor

    @unittest.skipIf(TRAINS, "built with LibTorch")
    def test_without_libtorch_it_says_what_is_missing(self) -> None:
        self.fault("run", SMOKE, says=("LibTorch",))

    def test_as_csv(self) -> None:
        result = self.run_config(SMOKE, *UNTRAINED)
        self.ok("export", result.folder)
        read = lambda name: list(csv.DictReader((result.folder / "csv" / name).read_text().splitlines()))  # noqa: E731
        arrays = result.arrays()
        rows = [row for row in read("cost_of_n_devices.csv") if row["task"] == "fbnet"]
        self.assertEqual([int(row["measurements"]) for row in rows], arrays["cost/fbnet/measurements"].ravel().tolist())
        self.assertEqual([row["strategy"] for row in rows[::3]], PLAIN)
        self.assertEqual([row["n"] for row in rows[:3]], ["1", "3", "8"])
        self.assertEqual([float(row["regret"]) for row in rows[::3]], arrays["cost/fbnet/regret"].tolist())
        rows = read("fleet.csv")
        self.assertEqual(len(rows), 8 * len(PLAIN) * sum(TASKS.values()))
        some = [row for row in rows if row["task"] == "nasbench201" and row["strategy"] == "one_proxy"]
        self.assertEqual([row["device"] for row in some[::5]], names(arrays["cost/nasbench201/devices"]))
        group = "cost/nasbench201/answers/one_proxy/"
        latency = arrays[group + "latency_ms"].ravel()
        self.assertIn("", [row["arch"] for row in some])  # some limits are beyond the proxy's front
        for row, choices, value in zip(some, arrays[group + "choices"].reshape(-1, 6), latency):
            self.assertEqual(row["arch"], "" if np.isnan(value) else cell_string(choices))
            self.assertEqual(row["latency_ms"] and float(row["latency_ms"]), "" if np.isnan(value) else value)

    def task(self, keys: str = "", qualities: str = '["metric:natsbench:cifar100"]', more: str = "") -> Path:
        path = self.folder / "cost.toml"
        path.write_text(TASK.format(keys=keys, qualities=qualities, more=more))
        return path

    def test_faults(self) -> None:
        for keys, says in (
            (dict(more='proxy = "raspi4"'), ("task t", "raspi4", "none of the sources")),
            (dict(more='targets = ["raspi4", "fpga"]'), ("task t", "fpga is a source too")),
            (dict(more='targets = ["raspi5"]'), ("raspi5", "raspi4")),
            (dict(more="n = [3, 2]"), ("n is to hold",)),
            (dict(more='targets = ["raspi4"]\nn = [1, 3]'), ("n = 3", "2 devices")),
            (dict(qualities='["model:macs", "model:parameters"]'), ("qualities has 2",)),
            (dict(qualities='["metric:natsbench:cifar"]'), ("cifar100",)),
            (dict(keys="evaluations = [100]"), ("evaluations",)),
            (dict(more='[[task.family]]\nname = "x"\ndevices = ["fpga"]'), ("family",)),
        ):
            with self.subTest(says=says):
                self.fault("run", self.task(**keys), says=says)
        two = self.task().read_text().replace('"fpga", ', "")
        (self.folder / "cost.toml").write_text(two)
        self.fault("run", self.folder / "cost.toml", says=("sources has 2", "at least 3"))


if __name__ == "__main__":
    unittest.main()
