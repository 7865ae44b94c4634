"""The kind device_features, and a device as a file: data sheet, measured networks and predictor, from outside."""

from __future__ import annotations

import csv
import unittest
from pathlib import Path

import h5py
import numpy as np

from support import CONFIGS, TRAINS, ProgramCase, cell_string, names, sets, spearman, stored

SMOKE = CONFIGS / "scaling_up" / "smoke_device_features.toml"
SHEETS = CONFIGS / "devices" / "help.toml"
CONFIG = """
kind = "device_features"
samples = [5]
trials = 1
samples_source = 60
data_sheets = "{sheets}"
{feature}
[[task]]
name = "t"
space = "nasbench201"
devices = {devices}
{more}
"""
PCA = '[[feature]]\nname = "pca"\nmethod = "pca"\n'
SHEET = '[[feature]]\nname = "sheet"\nmethod = "data_sheet"\n'
FOUR = '["1080ti_1", "2080ti_1", "gold_6226", "pixel3"]'
PHONE = '[[device]]\nname = "phone"\nclass = "phone"\ncores = 8\nclock_hz = 2.4e9\nbatch = 1\n'


class DeviceFeatures(ProgramCase):
    def config(self, feature: str = PCA, devices: str = FOUR, more: str = "", sheets: object = SHEETS) -> Path:
        path = self.folder / "features.toml"
        path.write_text(CONFIG.format(feature=feature, devices=devices, more=more, sheets=sheets))
        return path

    def refused(self, *said: str, **parts: object) -> None:
        done = self.program("run", self.config(**parts))
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        for text in said:
            self.assertIn(text, done.stderr)

    def test_summary_and_arrays(self) -> None:
        result = self.run_config(SMOKE)
        arrays, summary = result.arrays(), result.summary
        features, samples = names(arrays["features"]), list(arrays["samples"])
        self.assertEqual(features, ["data_sheet", "pca", "adapt2", "adapt2_data_sheet"])
        self.assertEqual(samples, [0, 5, 10])
        for protocol, targets in (("lodo", 5), ("lofo", 5), ("targets", 2)):
            srcc = arrays[f"task/nasbench201/{protocol}/srcc"]
            self.assertEqual(srcc.shape, (targets, 4, 3, 2))
            for f, feature in enumerate(features):
                for k, count in enumerate(samples):
                    own = srcc[:, f, k]
                    mean = summary[f"srcc_mean.nasbench201.{protocol}.{feature}.{count}"]
                    if np.isnan(own).all():  # one that adapts to measurements, or no data sheet
                        self.assertIsNone(mean)
                        continue
                    self.assertAlmostEqual(mean, np.nanmean(own), 12)
                    worst = summary[f"srcc_worst.nasbench201.{protocol}.{feature}.{count}"]
                    self.assertAlmostEqual(worst, np.nanmin(own.mean(axis=1)), 12)
        # Before anything is measured: the data sheet, and what is built on it, say the same.
        srcc = arrays["task/nasbench201/lodo/srcc"]
        np.testing.assert_allclose(srcc[:, 3, 0], srcc[:, 0, 0], atol=1e-9)
        self.assertTrue(np.isnan(srcc[:, 2, 0]).all())
        self.assertGreater(summary["srcc_mean.nasbench201.lodo.adapt2.10"], 0.9)
        self.assertGreater(
            summary["srcc_mean.nasbench201.lodo.adapt2.10"], summary["srcc_mean.nasbench201.lodo.data_sheet.10"]
        )
        # Measured or not, a data sheet ranks the same.
        np.testing.assert_allclose(srcc[:, 0, 0], srcc[:, 0, 2], atol=1e-9)
        # An accuracy is predicted like a latency; a device of another set has no data sheet in the file.
        self.assertEqual(
            names(arrays["task/nasbench201/targets/targets"]), ["oneproxy:true_a76", "metric:natsbench:cifar10"]
        )
        self.assertTrue(np.isnan(arrays["task/nasbench201/targets/srcc"][:, 0]).all())
        self.assertTrue((result.folder / "data_sheets.toml").read_text() == SHEETS.read_text())

    def test_the_mean_of_the_sources_is_that_of_their_fits(self) -> None:
        """Before anything is measured `pca` ranks by the mean standardised latency: with all rows of the sources known
        that is close to the mean of the standardised measurements themselves, which needs no fit."""
        more = '[[task.family]]\nname = "all"\ndevices = ["pixel3"]\n'
        path = self.config(more=more, devices='["1080ti_1", "2080ti_1", "gold_6226", "pixel3"]')
        result = self.run_config(path, *sets(samples=[0], samples_source=0, leave_out="devices"))
        arrays = result.arrays()
        _, latency = stored("nasbench201", "help")
        for target, srcc in zip(names(arrays["task/t/lodo/targets"]), arrays["task/t/lodo/srcc"][:, 0, 0, 0]):
            others = [latency[n] for n in ("1080ti_1", "2080ti_1", "gold_6226", "pixel3") if n != target]
            mean = np.mean([(x - x.mean()) / x.std() for x in others], axis=0)
            self.assertAlmostEqual(srcc, spearman(mean, latency[target]), delta=0.03)

    def test_a_run_is_the_same_again_and_on_one_thread(self) -> None:
        path = self.config(feature=PCA + SHEET)
        first = self.run_config(path).arrays()["task/t/lodo/srcc"]
        again = self.run_config(path, "--force", before=("--threads", 1)).arrays()["task/t/lodo/srcc"]
        np.testing.assert_array_equal(first, again)

    @unittest.skipUnless(TRAINS, "built without LibTorch")
    def test_a_network_on_reference_latencies(self) -> None:
        network = '[[feature]]\nname = "network"\nmethod = "references"\nreference_hidden = [8]\nreference_epochs = 3\n'
        result = self.run_config(self.config(feature=network), *sets(samples=[0, 5]))
        srcc = result.arrays()["task/t/lodo/srcc"]
        self.assertTrue(np.isnan(srcc[:, 0, 0]).all())  # it needs references
        self.assertTrue(np.isfinite(srcc[:, 0, 1]).all())

    def test_bad_input(self) -> None:
        self.refused("without 1080ti_1 2 source devices are left, 3 are needed", devices='["1080ti_1", "gold_6226", "pixel3"]')
        family = '[[task.family]]\nname = "gpu"\ndevices = {}\n'
        two = family.format('["1080ti_1", "2080ti_1"]') + '[[task.family]]\nname = "rest"\ndevices = ["gold_6226", "pixel3"]\n'
        self.refused("without family gpu 2 source devices are left", more=two)
        self.refused("2080ti_1 is of no family", more=family.format('["1080ti_1"]'))
        self.refused("family gpu: unknown device '1080ti'", more=family.format('["1080ti"]'))
        self.refused("there are two families 'gpu'", more=2 * family.format('["1080ti_1"]'))
        self.refused("of family gpu and of x", more=family.format('["pixel3"]') + '[[task.family]]\nname = "x"\ndevices = ["pixel3"]\n')
        self.refused("no [[feature]]", feature="")
        self.refused("data_sheets = \"no\" should be a file", sheets="no")
        self.refused("feature sheet needs a data sheet of 1080ti_1", feature=SHEET, sheets="none")
        self.refused("there are two features 'pca'", feature=2 * PCA)
        self.refused("pixel3 is among the devices already", more='targets = ["pixel3"]')
        self.refused("unknown quality 'metric:natsbench:cifar'", more='targets = ["metric:natsbench:cifar"]')
        sheets = self.folder / "sheets.toml"
        sheets.write_text(PHONE.replace("2.4e9", "2.4"))
        self.refused("sheets.toml:1: clock_hz = 2.4", "Hz", sheets=sheets)


class DeviceFiles(ProgramCase):
    def setUp(self) -> None:
        super().setUp()
        self.choices, latency = stored("nasbench201", "help")
        self.rows = [int(i) for i in np.linspace(100, 15000, 12)]
        self.latency = [float(latency["pixel3"][i]) for i in self.rows]
        lines = [(cell_string(self.choices[i]), t) for i, t in zip(self.rows, self.latency)]
        with (self.folder / "measured.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("arch", "latency_ms"), *lines, (cell_string(self.choices[7]), "")])
        (self.folder / "phone.toml").write_text(PHONE)

    def adapt(self, *arguments: object) -> str:
        return self.ok("adapt", "--space", "nasbench201", "--device", "pixel3", "--prior", "flat", *arguments)

    def refused(self, *arguments: object) -> str:
        done = self.program("adapt", "--space", "nasbench201", *arguments)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        return done.stderr

    def test_a_file_holds_predictor_references_and_data_sheet(self) -> None:
        self.adapt("--measurements", "measured.csv", "--data-sheet", "phone.toml", "--out", "phone.h5")
        with h5py.File(self.folder / "phone.h5") as file:
            device = file["device"]
            np.testing.assert_array_equal(device["latency_ms"][()], self.latency)  # the failed one is left out
            np.testing.assert_array_equal(device["choices"][()], self.choices[self.rows])
            self.assertEqual(device.attrs["clock_hz"], 2.4e9)
            self.assertEqual(device.attrs["class"], "phone")
            self.assertEqual(len(file["values"]), 15625)
        info = self.ok("info", "phone.h5")
        self.assertIn("device pixel3: 12 reference networks", info)
        self.assertIn("data sheet: phone; cores 8, clock_hz 2.4e+09, batch 1", info)
        self.ok("search", "--space", "nasbench201", "--latency", "table:phone.h5", "--quality",
                "metric:natsbench:cifar10", "--method", "exhaustive")

    def test_a_store_holds_them_below_the_name(self) -> None:
        self.adapt("--measurements", "measured.csv", "--data-sheet", "phone.toml", "--into", "my.h5", "--name", "p")
        with h5py.File(self.folder / "my.h5") as file:
            np.testing.assert_array_equal(file["tables/nasbench201/p/device/latency_ms"][()], self.latency)
        self.assertIn("pixel3: 12 reference networks", self.ok("info", "my.h5"))
        self.adapt("--measurements", "measured.csv", "--into", "my.h5", "--name", "p")  # without a data sheet
        self.assertIn("; no data sheet", self.ok("info", "my.h5"))
        self.ok("search", "--space", "nasbench201", "--store", "my.h5", "--latency", "table:p", "--quality",
                "metric:natsbench:cifar10", "--method", "exhaustive")

    def test_a_data_sheet_alone(self) -> None:
        said = self.ok("adapt", "--space", "nasbench201", "--method", "data_sheet", "--data-sheet", "phone.toml", "--out",
                       "zero.h5")
        self.assertIn("no measurements", said)
        with h5py.File(self.folder / "zero.h5") as file:
            predicted, device = file["values"][()], file["device"]
            self.assertEqual(len(device["latency_ms"]), 0)
        _, latency = stored("nasbench201", "help")
        radix = [int(np.ravel_multi_index(tuple(int(c) for c in row), (5,) * 6)) for row in self.choices]
        self.assertGreater(spearman(predicted[radix], latency["samsung_s7"]), 0.8)
        self.assertIn("0 reference networks", self.ok("info", "zero.h5"))

    def test_a_data_sheet_helps_bayes(self) -> None:
        self.adapt("--measurements", "measured.csv", "--data-sheet", "phone.toml", "--option", "use_data_sheet=true",
                   "--out", "phone.h5")
        self.assertIn("prior: flat, data sheets", self.ok("info", "phone.h5"))

    def test_bad_input(self) -> None:
        sheet = self.folder / "phone.toml"
        measured = ("--measurements", "measured.csv")
        self.assertIn("needs a data sheet of the target", self.refused("--method", "data_sheet", *measured))
        self.assertIn("--measurements is missing", self.refused())
        self.assertIn("--measurements is missing", self.refused("--method", "pca"))
        few = ("--sources", "1080ti_1", "pixel3")
        self.assertIn("method pca needs 3 source devices, and there are 2", self.refused("--method", "pca", *measured, *few))
        self.assertIn("no such file of data sheets", self.refused(*measured, "--data-sheet", "gone.toml"))
        for wrong, said in (
            (PHONE.replace("clock_hz", "clock_ghz"), "clock_ghz"),
            (PHONE.replace("2.4e9", "2.4"), "clock_hz = 2.4 should be from"),
            (PHONE.replace('"phone"\ncores', '"fone"\ncores'), "fone"),
            (PHONE.replace("8", '"eight"'), "cores"),
            (PHONE + PHONE, "two data sheets of device phone"),
        ):
            sheet.write_text(wrong)
            error = self.refused(*measured, "--data-sheet", "phone.toml")
            self.assertIn(said, error)
            self.assertIn("phone.toml", error)
        sheet.write_text(PHONE)
        own = self.folder / "sources.toml"
        own.write_text(PHONE)
        error = self.refused("--method", "data_sheet", "--data-sheet", "phone.toml", "--source-sheets", "sources.toml")
        self.assertIn("needs a data sheet of every source", error)


if __name__ == "__main__":
    unittest.main()
