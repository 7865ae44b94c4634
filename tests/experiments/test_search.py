"""`oneproxy search`: lists of objectives with limits and directions, the k best, budgets, beside NumPy."""

from __future__ import annotations

import csv
import itertools
import sys
import unittest

import numpy as np
from support import ROOT, ProgramCase, Result, names, sets, stored

sys.path.insert(0, str(ROOT / "python"))
from oneproxy_results import load  # noqa: E402
from oneproxy_results.report import panels  # noqa: E402

COST = ("--latency", "device:pixel3", "--quality", "metric:natsbench:cifar10")


def dominated_volume(front: np.ndarray, reference: np.ndarray) -> float:
    """What [n, m] minimised points dominate up to the reference: slice after slice along the last objective."""
    if front.shape[1] == 1:
        return max(0.0, reference[0] - front[:, 0].min())
    levels = np.append(np.unique(front[:, -1]), reference[-1])
    return sum(
        (above - level) * dominated_volume(front[front[:, -1] <= level, :-1], reference[:-1])
        for level, above in itertools.pairwise(levels)
    )


class Search(ProgramCase):
    def searched(self, *arguments: object) -> Result:
        return Result(self.folder / self.ok("search", "--space", "nasbench201", *arguments).strip().splitlines()[-1])

    def truth(self) -> tuple[np.ndarray, np.ndarray]:
        """[15625] latency on pixel3 and accuracy of the same cells."""
        choices, latency = stored("nasbench201", "help")
        other, accuracy = stored("nasbench201", "natsbench")
        row = {tuple(cell): i for i, cell in enumerate(other.tolist())}
        order = [row[tuple(cell)] for cell in choices.tolist()]
        return latency["pixel3"], accuracy["cifar10"][order]

    def test_the_best_few_within_a_limit(self) -> None:
        result = self.searched(*COST, "--limits", "6,9", "--method", "exhaustive", "--best", "4")
        latency, accuracy = self.truth()
        for limit in (6, 9):
            best = np.sort(accuracy[latency <= limit])[::-1][:4]
            keys = [f".{limit}", f".{limit}.2", f".{limit}.3", f".{limit}.4"]
            np.testing.assert_array_equal([result.summary["quality" + key] for key in keys], best)
            self.assertTrue(all(result.summary["latency_ms" + key] <= limit for key in keys))
            self.assertEqual(len({result.summary["arch" + key] for key in keys}), 4)
        exact = self.searched("--latency", "proxy:pixel3", "--quality", "model:macs", "--limits", "9", "--method", "exact",
                              "--best", "5")  # fmt: skip
        every = self.searched("--latency", "proxy:pixel3", "--quality", "model:macs", "--limits", "9",
                              "--method", "exhaustive", "--best", "5")  # fmt: skip
        for place in ("", ".2", ".5"):
            self.assertEqual(exact.summary["quality.9" + place], every.summary["quality.9" + place])

    def test_a_sample_is_exact_among_itself_alone(self) -> None:
        cost = ("--latency", "proxy:pixel3", "--quality", "model:macs", "--method", "exhaustive")
        result = self.searched(*cost, "--limits", "9", *sets(count='"500"', shuffled=True))
        self.assertEqual(result.summary["certainty"], "exact among 500 random architectures of 15625")
        every = self.searched(*cost, "--limits", "9")
        self.assertEqual(
            result.summary["regret.9"], every.summary["quality.9"] - result.summary["quality.9"]
        )  # beside the truth, as that of every method that does not prove
        self.assertGreater(result.summary["regret.9"], 0)
        said = panels.read(load(result.folder)).sentences
        self.assertIn("no network is better among 500 random architectures of 15625;", " ".join(said))
        self.assertIn("No network can be better", " ".join(panels.read(load(every.folder)).sentences))

    def test_three_objectives_under_two_limits(self) -> None:
        result = self.searched(*COST, "--objective", "min model:parameters <= 4e5", "--limits", "6,9",
                               "--method", "exhaustive")  # fmt: skip
        latency, accuracy = self.truth()
        arrays = result.arrays()
        self.assertEqual(names(arrays["objectives/name"]), ["quality", "latency_ms", "parameters"])
        self.assertEqual(names(arrays["objectives/direction"]), ["maximise", "minimise", "minimise"])
        for limit in (6, 9):
            self.assertLessEqual(result.summary[f"parameters.{limit}_400000"], 4e5)
            self.assertLessEqual(result.summary[f"latency_ms.{limit}_400000"], limit)
            self.assertLessEqual(result.summary[f"quality.{limit}_400000"], accuracy[latency <= limit].max())
        points = np.stack([-arrays["front/quality"], arrays["front/latency_ms"], arrays["front/parameters"]], axis=1)
        for point in points:  # none dominates another
            self.assertEqual((points <= point).all(axis=1).sum(), 1)
        self.assertIn("latency_ms <= 6, parameters <= 400000", result.report)
        self.ok("export", result.folder, "--csv")
        with (result.folder / "csv" / "front.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), len(points))
        self.assertEqual(float(rows[0]["parameters"]), arrays["front/parameters"][0])

    def test_accuracy_nobody_measured_is_the_models_and_said_to_be(self) -> None:
        def searched(*arguments: object) -> tuple[Result, str]:
            done = self.program("search", "--space", "fbnet", "--latency", "proxy:pixel3", "--method", "exact",
                                "--limits", "12", *arguments)  # fmt: skip
            self.assertEqual(done.returncode, 0, done.stderr)
            return Result(self.folder / done.stdout.strip().splitlines()[-1]), done.stderr

        def layers(result: Result, key: str = "arch.12") -> int:
            return 22 - result.summary[key].split("|").count("skip")

        taken, said = searched()
        self.assertIn("model:accuracy", said)
        self.assertIn("a stand-in for accuracy", said)
        self.assertTrue(taken.summary["quality_is_stand_in"])
        named, _ = searched("--quality", "model:accuracy")
        self.assertEqual(taken.summary["arch.12"], named.summary["arch.12"])
        by_macs, said = searched("--quality", "model:macs")
        self.assertIn("a stand-in for accuracy", said)
        self.assertGreater(layers(taken), layers(by_macs))
        deep, _ = searched("--quality", "model:accuracy", "--objective", "max model:layers >= 18")
        self.assertGreaterEqual(layers(deep, "arch.12_18"), 18)
        self.assertLess(deep.summary["quality.12_18"], taken.summary["quality.12"])
        whole, _ = searched("--fix", "layer *=k*")
        self.assertEqual(layers(whole), 22)

    def test_three_objectives_by_every_method(self) -> None:
        arguments = ("--latency", "proxy:pixel3", "--quality", "model:macs", "--limits", "9", "--objective",
                     "min model:parameters <= 6e5")  # fmt: skip
        key = "quality.9_600000"
        best = self.searched(*arguments, "--method", "exhaustive").summary[key]
        for method in ("exact", "annealing"):
            self.assertEqual(self.searched(*arguments, "--method", method).summary[key], best, method)
        evolved = self.searched(*arguments, "--method", "evolutionary").summary
        self.assertEqual(evolved["exhaustive_" + key], best)
        self.assertAlmostEqual(evolved["regret.9_600000"], best - evolved[key])

    def test_a_cost_as_the_goal(self) -> None:
        """The fewest parameters at 93 % or more."""
        result = self.searched("--objective", "min model:parameters", "--objective",
                               "metric:natsbench:cifar10 >= 93", "--method", "exhaustive")  # fmt: skip
        arrays = result.arrays()
        self.assertEqual(names(arrays["objectives/name"]), ["parameters", "cifar10"])
        within = arrays["front/cifar10"] >= 93
        self.assertEqual(result.summary["parameters.93"], arrays["front/parameters"][within].min())
        self.assertGreaterEqual(result.summary["cifar10.93"], 93)
        self.assertNotIn("latency_ms.93", result.summary)

    def test_a_budget_of_evaluations(self) -> None:
        for method in ("evolutionary", "annealing"):
            arguments = ("--latency", "proxy:pixel3", "--quality", "model:macs", "--limits", "9", "--method", method,
                         "--evaluations", "700")  # fmt: skip
            summary = self.searched(*arguments).summary
            self.assertLessEqual(summary["evaluated"], 700 + 120)
            self.assertGreater(summary["evaluated"], 300)
            again = Result(self.folder / self.ok("--threads", "1", "search", "--space", "nasbench201", *arguments,
                                                 "--force").strip().splitlines()[-1])  # fmt: skip
            self.assertEqual(again.summary, summary)

    def test_what_is_wrong_is_said(self) -> None:
        space = ("search", "--space", "nasbench201")
        for arguments, says in (
            (("--latency", "proxy:pixel3"), ("1 objective", "quality and latency")),
            ((*COST, "--objective", "model:macs", "--objective", "model:parameters"), ("4 objectives",)),
            ((*COST, "--objective", "predictor:x"), ("no predictor 'x'",)),
            ((*COST, "--objective", "min model:macs < 3"), ("--set", "without <= or >=")),
            ((*COST, "--objective", "max model:macs <= 3"), ("on the side where it is better",)),
            ((*COST, "--limits", "5,6,7", "--objective", "model:macs <= 1,2"), ("macs has 2 limits", "has 3")),
            ((*COST, "--objective", "device:quality"), ("quality",)),
            (("--objective", "max model:macs", "--objective", "device:pixel3", "--limits", "4"), ("limits_ms",)),
            ((*COST, "--method", "exhaustive", "--evaluations", "5"), ("evaluations = 5", "keeps to no budget")),
            ((*COST, "--method", "anealing"), ("annealing",)),
            (("--latency", "metric:natsbench:cifar10", "--quality", "model:macs"), ("is to be maximised",)),
        ):
            with self.subTest(arguments=arguments):
                self.fault(*space, *arguments, says=says)

    def test_the_hypervolume_is_that_of_the_front_up_to_its_worst_corner(self) -> None:
        for others in ([], ["--objective", "min model:parameters"]):
            call = ("--latency", "proxy:pixel3", "--quality", "model:macs", "--limits", "9", *others, "--method")
            found = self.searched(*call, "exact")
            names = ["quality", "latency_ms", "parameters"][: 2 + bool(others)]
            arrays, summary = found.arrays(), found.summary
            signs = np.array([-1, 1, 1])[: len(names)]
            front = np.stack([arrays[f"front/{name}"] for name in names], axis=1) * signs
            corner = [summary[f"hypervolume_reference.{name}"] for name in names] * signs
            self.assertEqual(corner.tolist(), front.max(axis=0).tolist())
            expected = dominated_volume(front, corner)
            self.assertGreater(expected, 0)
            self.assertAlmostEqual(summary["hypervolume"] / expected, 1, delta=1e-12)
            self.assertNotIn("hv_ratio", summary)  # it is the truth itself
            best_found = self.searched(*call, "annealing", "--evaluations", 300).summary
            self.assertEqual(best_found["hypervolume_reference.quality"], summary["hypervolume_reference.quality"])
            self.assertAlmostEqual(
                best_found["hv_ratio"], best_found["hypervolume"] / summary["hypervolume"], delta=1e-12
            )
            self.assertLessEqual(best_found["hv_ratio"], 1)


if __name__ == "__main__":
    unittest.main()
