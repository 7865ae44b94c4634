#!/usr/bin/env python3
"""`oneproxy fleet` and `oneproxy import` of files with the measurements of many devices, wide and long."""

from __future__ import annotations

import csv
import sys
import unittest

import h5py
import numpy as np
from scipy.stats import spearmanr
from support import ROOT, STORE, ProgramCase, Result, cell_string

sys.path.insert(0, str(ROOT / "python"))
from oneproxy_results import load  # noqa: E402
from oneproxy_results.report import panels  # noqa: E402

SPACE = ("--space", "nasbench201")
SOURCES = ("--sources", "1080ti_1,silver_4114,pixel3,essential_ph_1")
DEVICES = ("fpga", "raspi4")  # of the set, so that they are left out of the sources
N = 24


class TestFleet(ProgramCase):
    def setUp(self) -> None:
        super().setUp()
        with h5py.File(STORE) as store:
            group = store["spaces/nasbench201/help"]
            rows = np.random.default_rng(7).choice(len(group["choices"]), N, replace=False)
            self.archs = [cell_string(cell) for cell in group["choices"][()][rows]]
            self.latency = {name: group["latency_ms"][name][()][rows] for name in DEVICES}

    def wide(self, name: str = "wide.csv", failed: tuple[int, ...] = (3,)) -> str:
        lines = ["Architecture;fpga (ms);raspi4_us;Note"]
        for i, arch in enumerate(self.archs):
            fpga = "timeout" if i in failed else f"{self.latency['fpga'][i]:.6f}".replace(".", ",")
            lines.append(f'"{arch}";{fpga};{1000 * self.latency["raspi4"][i]:.0f};warm')
        (self.folder / name).write_bytes("\ufeff".encode() + "\r\n".join(lines).encode() + b"\r\n")
        return name

    def long(self, name: str = "long.csv") -> str:
        lines = ["device,arch,latency_ms"]
        for device, values in self.latency.items():
            for i, (arch, value) in enumerate(zip(self.archs, values)):
                lines.append(f"{device},{arch},{'' if device == 'fpga' and i == 3 else round(float(value), 6)}")
        (self.folder / name).write_text("\n".join(lines) + "\n")
        return name

    def test_wide_and_long_give_the_same_report(self) -> None:
        tables = {}
        for file in (self.wide(), self.long()):
            out = self.folder / (file + ".out.csv")
            said = self.ok("fleet", file, *SPACE, *SOURCES, "--limits", "4,20", "--out", out)
            for words in ("# 2 devices", "## fpga", "## raspi4", "| proxy", "expected SRCC", "P(kept)", "pixel3"):
                self.assertIn(words, said)
            self.assertIn("23 networks measured; 1 line left out: 1 " + ("'timeout'" if file == "wide.csv" else "empty"), said)
            tables[file] = list(csv.DictReader(out.read_text().splitlines()))
            self.fault("fleet", file, *SPACE, *SOURCES, "--out", out, says=("is there already",))
        wide, long = tables.values()
        self.assertEqual([(line["device"], line["limit_ms"]) for line in wide], [(d, l) for d in DEVICES for l in ("4", "20")])
        for a, b in zip(wide, long):
            self.assertEqual((a["best_proxy"], a["arch"]), (b["best_proxy"], b["arch"]))
            if a["arch"]:
                self.assertLess(float(a["predicted_ms"]), float(a["limit_ms"]))
                self.assertGreaterEqual(float(a["probability_kept"]), 0.89)
        self.assertGreater(float(wide[0]["expected_srcc"]), 0.8)
        self.assertTrue(any(line["arch"] for line in wide))

    def test_the_report_is_a_result(self) -> None:
        said = self.ok("fleet", self.wide(), *SPACE, *SOURCES, "--limits", "0.01,20", "--out", "t.csv", "--results", "results")
        result = Result(self.folder / said.splitlines()[-1])
        self.assertRegex(str(result.folder.relative_to(self.folder)), r"^results/fleet/wide-[0-9a-f]{10}$")
        again = self.ok("fleet", "wide.csv", *SPACE, *SOURCES, "--limits", "0.01,20", "--results", "results")
        self.assertEqual(again.splitlines()[-1], said.splitlines()[-1])
        other = self.ok("fleet", "wide.csv", *SPACE, *SOURCES, "--limits", "20", "--results", "results")
        self.assertNotEqual(other.splitlines()[-1], said.splitlines()[-1])

        arrays, summary = result.arrays(), result.summary
        measured = {name: arrays["latency_ms"][i] for i, name in enumerate(DEVICES)}
        known = np.isfinite(measured["fpga"])
        self.assertEqual((known.sum(), len(known)), (N - 1, N))
        want = spearmanr(measured["fpga"][known], measured["raspi4"][known])[0]
        self.assertAlmostEqual(arrays["srcc"][0, 1], want, places=12)
        self.assertEqual(summary["srcc.raspi4.fpga"], arrays["srcc"][0, 1])
        self.assertEqual(arrays["n_pairs"].tolist(), [[N - 1, N - 1], [N - 1, N]])
        self.assertEqual(arrays["n_failed"].tolist(), [1, 0])
        for i, line in enumerate(csv.DictReader((self.folder / "t.csv").read_text().splitlines())):
            self.assertEqual(float(line["expected_srcc"]), summary[f"expected_srcc.{line['device']}"])
            self.assertEqual(line["best_proxy"], summary[f"best_proxy.{line['device']}"])
            self.assertEqual(line["arch"], arrays["networks/architecture"][i].decode())
            key = f"arch.{line['device']}.{line['limit_ms']}"
            self.assertEqual(summary[key], line["arch"] or None)
            if line["arch"]:
                self.assertEqual(float(line["predicted_ms"]), arrays["networks/latency_ms"][i])
            else:
                self.assertIn("keeps the limit", summary[f"{key}.reason"])
        self.assertEqual(np.nanmax(arrays["proxy_srcc"], axis=1).tolist(), [summary[f"best_proxy_srcc.{d}"] for d in DEVICES])
        self.assertIn("measurements wide.csv", result.text("provenance.json"))
        labelled = load(result.folder).labelled("srcc").sel(devices="raspi4", with_device="fpga")
        self.assertAlmostEqual(float(labelled), want, places=12)

    def test_few_measurements_say_so(self) -> None:
        """Two networks on one device, seven on the other: no SRCC of the pair, and advice instead of networks."""
        lines = [f"fpga,{arch},3.5" for arch in self.archs[:2]]
        lines += [f"raspi4,{arch},{value}" for arch, value in zip(self.archs[:7], self.latency["raspi4"])]
        (self.folder / "few.csv").write_text("\n".join(["device,arch,latency_ms", *lines]) + "\n")
        said = self.ok("fleet", "few.csv", *SPACE, *SOURCES, "--results", "results")
        result = Result(self.folder / said.splitlines()[-1])
        self.assertIsNone(result.summary["srcc.raspi4.fpga"])
        self.assertIn("fewer than 8 networks", result.summary["srcc.raspi4.fpga.reason"])
        self.assertIsNone(result.summary["expected_srcc.fpga"])
        self.assertIn("too few to adapt to", result.summary["expected_srcc.fpga.reason"])
        page = panels.read(load(result.folder))
        self.assertIn("more is needed for", page.sentences[0])
        self.assertIn("FPGA (2 measurements are too few", page.sentences[0])
        self.assertNotIn("How alike the devices rank the networks", [chart.title for chart in page.charts])

    def test_what_is_dropped_is_listed(self) -> None:
        done = self.program("fleet", self.wide(failed=tuple(range(N))), *SPACE, *SOURCES, "--limits", "20")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("left out: fpga (no measurement succeeded)", done.stdout)
        self.assertIn("not read: column 'Note'", done.stdout)
        self.assertEqual(done.stderr.count("not read"), 1)
        self.fault("fleet", "wide.csv", *SPACE, "--devices", "raspi", says=("unknown device 'raspi'", "raspi4"))

    def test_all_devices_are_imported_or_one(self) -> None:
        said = self.ok("import", self.wide(), *SPACE, "--store", "my.h5")
        self.assertIn("user:fpga has 23 architectures", said)
        self.assertIn('targets=["user:fpga", "user:raspi4"]', said)
        self.ok("import", self.long(), *SPACE, "--store", "one.h5", "--device", "raspi4")
        with h5py.File(self.folder / "my.h5") as all_of_them, h5py.File(self.folder / "one.h5") as one:
            stored = all_of_them["spaces/nasbench201/user/latency_ms"]
            self.assertEqual(set(stored), set(DEVICES))
            self.assertEqual(set(one["spaces/nasbench201/user/latency_ms"]), {"raspi4"})
            np.testing.assert_allclose(np.sort(stored["raspi4"][()]), np.sort(self.latency["raspi4"]), rtol=1e-3)
        self.fault("import", "wide.csv", *SPACE, "--device", "phone", says=("no column 'latency_ms'", "--device fpga"))

    def test_seconds_are_recognised(self) -> None:
        lines = ["arch,latency"] + [f"{arch},{v / 1000}" for arch, v in zip(self.archs, self.latency["raspi4"])]
        (self.folder / "s.csv").write_text("\n".join(lines) + "\n")
        call = ("import", "s.csv", *SPACE, "--device", "phone", "--store", "my.h5")
        self.fault(*call, says=("s.csv: the latencies look like seconds", "--unit s"))
        self.assertFalse((self.folder / "my.h5").exists())
        self.ok(*call, "--unit", "s")
        with h5py.File(self.folder / "my.h5") as store:
            values = store["spaces/nasbench201/user/latency_ms/phone"][()]
            np.testing.assert_allclose(np.sort(values), np.sort(self.latency["raspi4"]), rtol=1e-9)


if __name__ == "__main__":
    unittest.main()
