"""oneproxy_results.load on what the program leaves: labelled axes, tables, figures, and errors that name the package."""

from __future__ import annotations

import sys
import unittest
from unittest import mock

import numpy as np

from support import ROOT, ProgramCase, config

sys.path.insert(0, str(ROOT / "python"))

from oneproxy_results import ResultError, load  # noqa: E402


class LoadResult(ProgramCase):
    def setUp(self) -> None:
        super().setUp()
        self.result = load(self.run_config(config("nasbench201", "monotonicity")).folder)

    def test_axes(self) -> None:
        device, other = self.result.axes("srcc")
        self.assertEqual((device.name, other.name), ("devices", "with_device"))
        self.assertEqual((device.long_name, device.units), ("device or metric", ""))
        np.testing.assert_array_equal(device.labels, self.result.arrays["devices"])
        self.assertEqual([axis.name for axis in self.result.axes("devices")], ["devices"])
        with self.assertRaisesRegex(ResultError, "arrays.h5: has no array nothing; it has .*srcc"):
            self.result.axes("nothing")

    def test_axes_of_results_without_labels(self) -> None:
        self.result.scales = {}
        axes = self.result.axes("srcc")
        self.assertEqual([axis.name for axis in axes], ["axis_0", "axis_1"])
        self.assertEqual(len(axes[0]), len(self.result.arrays["devices"]))

    def test_labelled(self) -> None:
        first, second = (str(name) for name in self.result.arrays["devices"][:2])
        srcc = self.result.labelled("srcc")
        self.assertEqual(float(srcc.sel(devices=first, with_device=second)), self.result.arrays["srcc"][0, 1])
        self.assertEqual(srcc.attrs, {"long_name": "Spearman's rank correlation (SRCC)", "units": "1"})

    def test_tables(self) -> None:
        tables = self.result.tables()
        summary = tables["summary"].set_index("key")["value"]
        self.assertEqual(summary["srcc_mean"], self.result.summary["srcc_mean"])
        (report,) = (table for name, table in tables.items() if name != "summary")
        self.assertEqual(list(report["device as the proxy"]), [str(d) for d in self.result.arrays["devices"]])
        self.assertEqual(report["worst SRCC"].dtype, np.float64)
        self.assertEqual(report["with"][0], str(report["with"][0]))

    def test_figures(self) -> None:
        self.assertEqual(list(self.result.figures()), ["srcc_heatmap"])

    def test_device_names(self) -> None:
        for key in ("raspi4", "device:raspi4", "help:raspi4"):
            self.assertEqual(self.result.device_name(key), "Raspberry Pi 4")
        self.assertEqual(self.result.device_name("my_phone"), "my_phone")

    def test_packages_that_are_not_there(self) -> None:
        for package, use in (
            ("xarray", lambda: self.result.labelled("srcc")),
            ("pandas", self.result.tables),
            ("matplotlib", self.result.figures),
        ):
            with mock.patch.dict(sys.modules, {package: None}):
                with self.assertRaisesRegex(ResultError, f"^this needs the Python package {package}; .*{package}$"):
                    use()


if __name__ == "__main__":
    unittest.main()
