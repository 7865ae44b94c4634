"""Limits that hold: what `adapt` says of them, `search --confidence`, and the experiment that counts them."""

from __future__ import annotations

import csv
import unittest
from pathlib import Path

import h5py
import numpy as np

from support import CONFIGS, SOURCES, ProgramCase, Result, names, sets, stored


class Limits(ProgramCase):
    def adapted(self, *sources: object) -> str:
        """cells.h5 of 15 measurements of the store's fpga; what the program said."""
        cells, columns = stored("nasbench201", "help")
        rows = np.random.default_rng(5).permutation(len(cells))[:15]
        done = self.measure("done.csv", cells[rows], columns["fpga"][rows])
        return self.ok("adapt", "--space", "nasbench201", "--measurements", done, *sources, "--out", "cells.h5")

    def fbnet(self) -> None:
        """phone.h5 of a model of the store, without sources."""
        self.ok("plan", "--space", "fbnet", "--k", 15, "--sources", "none", "--out", "plan.csv")
        self.ok("score", "--space", "fbnet", "--predictor", "proxy:fpga", "--archs", "plan.csv", "--out", "s.csv")
        latency = [float(line["proxy:fpga"]) for line in self.lines("s.csv")]
        archs = [line["arch"] for line in self.lines("plan.csv")]
        (self.folder / "m.csv").write_text("arch,latency_ms\n" + "".join(f'"{a}",{y!r}\n' for a, y in zip(archs, latency)))
        self.ok("adapt", "--space", "fbnet", "--measurements", "m.csv", "--sources", "none", "--out", "phone.h5")

    def lines(self, path: Path | str) -> list[dict[str, str]]:
        return list(csv.DictReader((self.folder / path).read_text().splitlines()))

    def search(self, *arguments: object) -> Result:
        return Result(self.folder / self.ok("search", *arguments).splitlines()[-1])

    def test_an_answer_says_how_sure_it_is(self) -> None:
        said = self.adapted("--sources", "pixel3", "raspi4", "1080ti_1")
        self.assertRegex(said, r"limits: .* with probability 0\.\d\d; `oneproxy search --confidence 0\.9` stays \d\.\d\d .* 3 source devices")
        call = ("--space", "nasbench201", "--latency", "table:cells.h5", "--quality", "metric:natsbench:cifar100")
        limits = ("--method", "exhaustive", "--limits", "4,6")
        plain, sure = self.search(*call, *limits), self.search(*call, *limits, "--confidence", 0.9)
        with h5py.File(self.folder / "cells.h5") as file:
            mean, deviation = file["values"][()], file["posterior/deviation"][()]
            about, errors = dict(file["posterior"].attrs), file["posterior/errors"][()]
        self.assertEqual(about["n_devices"], 3)
        noise = about["noise_deviation"] ** 2 * (0.15**2 + (mean / about["noise_typical"]) ** 2)
        spread = np.sqrt(deviation**2 + noise)
        bound = mean + max(0, errors[int(np.ceil(0.9 * (len(errors) + 1))) - 1]) * spread
        cells, columns = stored("nasbench201", "natsbench")
        place = (cells * 5 ** np.arange(5, -1, -1)).sum(axis=1)  # the first edge is most significant
        for limit in (4, 6):
            for found, kept in ((plain, mean[place] <= limit), (sure, bound[place] <= limit)):
                best = np.where(kept, columns["cifar100"], -1).max()
                self.assertEqual(found.summary[f"quality.{limit}"], best)
                at = np.abs(mean - found.summary[f"latency_ms.{limit}"]).argmin()
                self.assertAlmostEqual(found.summary[f"latency_ms_deviation.{limit}"], spread[at], 9)
                self.assertRegex((found.folder / "report.md").read_text(), rf" \+- \S+, P\(<= {limit}\) = 0\.\d\d")
            self.assertGreaterEqual(sure.summary[f"latency_ms_probability.{limit}"], 0.89)
            self.assertLess(plain.summary[f"latency_ms_probability.{limit}"], 0.95)
        self.assertEqual(sure.summary["confidence"], 0.9)
        self.assertEqual(sure.summary["confidence_devices"], 3)
        self.assertRegex(sure.summary["certainty"], r"^exact: .*confidence 0\.9")
        for found in (plain, sure):  # the second looked at every cell twice
            with h5py.File(found.folder / "arrays.h5") as file:
                self.assertEqual(file.attrs["searched"], "all of nasbench201, 15625 architectures")
        self.ok("export", sure.folder)
        lines = self.lines(sure.folder / "csv" / "best.csv")
        self.assertEqual([line["limit"] for line in lines], ["4", "6"])
        for line in lines:
            self.assertAlmostEqual(
                float(line["latency_ms_probability"]), sure.summary[f"latency_ms_probability.{line['limit']}"]
            )
        front = self.lines(sure.folder / "csv" / "front.csv")
        self.assertTrue(all(float(line["latency_ms_deviation"]) > 0 for line in front))

    def test_the_whole_of_a_large_space(self) -> None:
        self.fbnet()
        call = ("--space", "fbnet", "--latency", "table:phone.h5", "--quality", "model:macs", "--method", "exact", "--limits")
        plain = self.search(*call, 20).summary
        sure = self.search(*call, 20, "--confidence", 0.9)
        self.assertLess(sure.summary["quality.20"], plain["quality.20"])
        self.assertGreaterEqual(sure.summary["latency_ms_probability.20"], 0.89)
        self.assertRegex(sure.summary["certainty"], "^(exact|certified)")
        self.assertIn("by stated errors", (sure.folder / "report.md").read_text())
        choices = sure.arrays()["best/choices"][0]
        with h5py.File(self.folder / "phone.h5") as file:
            at = np.arange(22) * 9 + choices
            mean = file["bias"][0] + file["weights"][0][at].sum()
            factors = file["posterior/factor_bias"][:, 0] + file["posterior/factor_weights"][:, 0][:, at].sum(axis=1)
            about, errors = dict(file["posterior"].attrs), file["posterior/errors"][()]
        noise = about["noise_deviation"] ** 2 * (0.15**2 + (mean / about["noise_typical"]) ** 2)
        spread = np.sqrt((factors**2).sum() + noise)
        self.assertAlmostEqual(sure.summary["latency_ms_deviation.20"], spread, 9)
        self.assertLessEqual(mean + errors[int(np.ceil(0.9 * (len(errors) + 1))) - 1] * spread, 20)

    def test_what_can_not_be_promised_is_refused(self) -> None:
        self.adapted(*SOURCES, "--prior", "stated")
        call = ("search", "--space", "nasbench201", "--quality", "model:macs", "--method", "exhaustive", "--limits", "6")
        table = (*call, "--latency", "table:cells.h5")
        for wrong in (0.3, 0.999, 1, -0.5, "nan", 2):
            self.fault(*table, "--confidence", wrong, says=("confidence",))
        self.fault(*table, "--confidence", 0.9, *sets(certify="single"), says=("certify", "confidence"))
        certain = ("model:parameters", "--limits", 400000, "--confidence", 0.9)
        self.fault(*call[:-2], "--latency", *certain, says=("confidence", "adaptation by method bayes"))
        # A file of an older program says nothing of its errors, and is searched as it was.
        with h5py.File(self.folder / "cells.h5", "a") as file:
            del file["posterior"]
        old = self.search(*table[1:])
        self.assertNotIn("latency_ms_deviation.6", old.summary)
        self.assertNotIn("+-", (old.folder / "report.md").read_text())
        self.fault(*table, "--confidence", 0.9, says=("confidence", "adapt again"))

    def test_the_experiment(self) -> None:
        config = CONFIGS / "limits" / "smoke_kept.toml"
        found = Result(self.folder / self.ok("run", config).splitlines()[-1])
        for confidence in ("0", "0.5", "0.9"):
            for task in ("", ".nasbench201_small", ".fbnet_small"):
                for key in ("kept", "far_off", "none", "said"):
                    self.assertTrue(0 <= found.summary[f"{key}.{confidence}{task}"] <= 1)
                self.assertIn(f"quality_lost.{confidence}{task}", found.summary)
        self.assertEqual(found.summary["quality_given.0"], 0)
        self.assertGreaterEqual(found.summary["quality_given.0.9"], 0)
        arrays = found.arrays()
        group = "limits_kept/nasbench201_small"
        cells = stored("nasbench201", "help")[1]
        self.assertEqual(names(arrays[f"{group}/targets"]), ["fpga", "raspi4"])
        for i, name in enumerate(("fpga", "raspi4")):
            np.testing.assert_allclose(
                arrays[f"{group}/calibrated/limit_ms"][i, 0, 0], np.quantile(cells[name], (0.25, 0.5)), rtol=1e-9
            )
            self.assertTrue(np.isin(arrays[f"{group}/calibrated/latency_ms"][i], np.r_[cells[name], np.nan]).all())
        kept = arrays[f"{group}/calibrated/latency_ms"] <= arrays[f"{group}/calibrated/limit_ms"]
        self.assertAlmostEqual(found.summary["kept.0.9.nasbench201_small"], kept[:, :, 2].mean())
        self.ok("export", found.folder)
        lines = self.lines(found.folder / "csv" / "limits_kept.csv")
        self.assertEqual(len(lines), 2 * 2 * 2 * 3 * 2 + 3 * 2)
        for change, says in (
            (dict(confidences=[0.2]), "confidences"),
            (dict(confidences=[]), "confidences"),
            (dict(samples_target=4000), "leaves too few"),
        ):
            self.fault("run", config, *sets(**change), says=(says,))


if __name__ == "__main__":
    unittest.main()
