"""Accel-NASBench through tools/import_datasets.py: folder and archive, what is missing or repeated, and bad files."""

from __future__ import annotations

import copy
import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support  # noqa: E402
from test_import import Folder  # noqa: E402

import h5py  # noqa: E402
import numpy as np  # noqa: E402

from importer import accel_nasbench_set, space_files  # noqa: E402

SET = "spaces/accel_nasbench/anb"


class Networks(Folder):
    def make(self, networks: list[dict[str, Any]]) -> None:
        support.make_accel_nasbench(self.data, networks)

    def test_columns_and_their_attributes(self) -> None:
        self.make([support.accel_network(i) for i in range(30)])
        file, said = self.imported()
        rows = file[SET]
        self.assertEqual(rows.attrs["licence"], "Apache-2.0")
        self.assertEqual(rows["choices"].shape, (30, 7))
        order = np.argsort(rows["metrics/macs"])  # row of network i
        np.testing.assert_allclose(rows["metrics/val_top1"][:][order], 60 + np.arange(30) / 10)
        np.testing.assert_allclose(rows["latency_ms/zcu102"][:][order], 5.0 + np.arange(30))
        np.testing.assert_allclose(rows["metrics/throughput_newchip"][:][order], 1000 * 0.8 ** np.arange(30))
        np.testing.assert_allclose(rows["latency_ms/newchip"][:][order], 1 / 0.8 ** np.arange(30))
        # A device that has a latency keeps the name; its throughput becomes another.
        np.testing.assert_allclose(rows["latency_ms/zcu102_throughput"][:][order], 1000 / (400.0 - np.arange(30)))
        self.assertIn("1000 / metrics/throughput_newchip", rows["latency_ms/newchip"].attrs["note"])
        self.assertNotIn("note", rows["latency_ms/zcu102"].attrs)
        directions = {
            name: (metric.attrs["unit"], metric.attrs["direction"]) for name, metric in rows["metrics"].items()
        }
        self.assertEqual(directions["val_top5"], ("%", "maximize"))
        self.assertEqual(directions["train_time"], ("s", "minimize"))
        self.assertEqual(directions["params"], ("M", "minimize"))
        self.assertEqual(directions["throughput_zcu102"], ("images/s", "maximize"))
        self.assertNotIn("more than once", said)

    def test_choices_are_those_of_the_program(self) -> None:
        self.make([support.accel_network(29)])  # e6_k5_l2_se1 in block 0
        file, _ = self.imported()
        choices = file[SET]["choices"][0]
        names = space_files.choice_names("accel_nasbench")
        self.assertEqual([len(choice) for choice in names], [36, 36, 36, 36, 36, 48, 36])
        self.assertEqual(names[0]["e6_k5_l2_se1"], choices[0])
        program = os.environ.get("ONEPROXY_BIN")
        if not program:
            self.skipTest("ONEPROXY_BIN is not set")
        text = ",".join(map(str, choices))
        run = subprocess.run([program, "arch", "--space", "accel_nasbench", text], capture_output=True, text=True)
        self.assertIn("e6_k5_l2_se1|", run.stdout)
        architecture = support.accel_network(29)["architecture"]
        for b in range(7):
            e, k, layers, se = (architecture[f"block{b}_{letter}"] for letter in ("e", "k", "l", "se"))
            self.assertIn(f"e{e}_k{k}_l{layers}_se{int(se)}", run.stdout)

    def test_archive_is_the_same_as_the_folder(self) -> None:
        networks = [support.accel_network(i) for i in range(5)]
        self.make(networks)
        from_folder = {name: item[...].tobytes() for name, item in self._datasets(self.imported()[0]).items()}
        for path in self.data.iterdir():
            path.unlink()
        members = [(f"./anb_dataset_jsons/result_{i}.json", json.dumps(n).encode()) for i, n in enumerate(networks)]
        support.pack_accel_nasbench(self.data / "anb_dataset_jsons.tar.gz", [*members, ("README.md", b"text")])
        from_archive = {name: item[...].tobytes() for name, item in self._datasets(self.imported()[0]).items()}
        self.assertEqual(from_folder, from_archive)

    def _datasets(self, file: h5py.File) -> dict[str, h5py.Dataset]:
        found: dict[str, h5py.Dataset] = {}
        file.visititems(lambda name, item: found.update({name: item} if isinstance(item, h5py.Dataset) else {}))
        return found

    def test_missing_values(self) -> None:
        networks = [support.accel_network(i) for i in range(6)]
        networks[2]["platform_perf"]["throughput_newchip"]["throughput_mean"] = None
        del networks[3]["platform_perf"]["latency_zcu102"]
        networks[4]["metrics"]["val_top1"] = None
        self.make(networks)
        file, said = self.imported()
        rows = file[SET]
        order = np.argsort(rows["metrics/macs"])
        for name, i in (
            ("latency_ms/newchip", 2),
            ("metrics/throughput_newchip", 2),
            ("latency_ms/zcu102", 3),
            ("metrics/val_top1", 4),
        ):
            np.testing.assert_array_equal(np.isnan(rows[name][:][order]), [j == i for j in range(6)], name)
        self.assertIn("throughput_newchip: 1 of 6 values are missing, stored as NaN", said)
        self.assertIn("zcu102: 1 of 6 rows are missing, stored as NaN", said)
        self.assertIn("val_top1: 1 of 6 values are missing", said)

    def test_repeats_become_their_mean(self) -> None:
        again = support.accel_network(1)
        again["metrics"]["val_top1"] += 0.4
        again["platform_perf"]["latency_zcu102"]["latency_mean"] = None
        self.make([support.accel_network(0), support.accel_network(1), again])
        file, said = self.imported()
        rows = file[SET]
        self.assertEqual(len(rows["choices"]), 2)
        np.testing.assert_allclose(sorted(rows["metrics/val_top1"]), [60, 60.3])
        np.testing.assert_allclose(sorted(rows["latency_ms/zcu102"]), [5, 6])  # one of two is known
        self.assertIn("1 networks come more than once, stored as one row with their mean", said)
        self.assertIn("val_top1 0.28 %", said)  # .4 / sqrt(2)

    def test_a_crowd_at_the_largest_throughput_is_said(self) -> None:
        networks = [support.accel_network(i) for i in range(30)]
        for i in range(10):
            networks[i]["platform_perf"]["throughput_newchip"]["throughput_mean"] = 1800.0 - i
        self.make(networks)
        file, said = self.imported()
        cap = "10 of 30 networks lie within 15% of the largest throughput, 1800 images/s: a cap"
        self.assertIn(f"throughput_newchip: {cap}", said)
        self.assertIn(cap, file[SET]["latency_ms/newchip"].attrs["note"])
        # Throughputs that thin out are no cap: 1000, 800, 640, ...
        self.make([support.accel_network(i) for i in range(30)])
        self.assertNotIn("throughput_newchip: 2", self.imported()[1])

    def test_what_nobody_can_name_is_said_and_left_out(self) -> None:
        network = support.accel_network(0)
        network["metrics"]["sharpness"] = 3.0
        network["platform_perf"]["energy_newchip"] = {"energy_mean": 1.0}
        self.make([network])
        file, said = self.imported()
        self.assertNotIn("sharpness", file[SET]["metrics"])
        self.assertIn("sharpness is a metrics value of unknown unit, left out", said)
        self.assertIn("energy_newchip is a platform_perf value of unknown unit, left out", said)


class BadNetworks(Folder):
    def refused(self, change: Any, *words: str) -> None:
        networks = [support.accel_network(i) for i in range(3)]
        change(networks[1])
        support.make_accel_nasbench(self.data, networks)
        self.assert_refused("result_1.json", *words)

    def test_bad_values(self) -> None:
        def put(part: str, name: str, value: Any) -> Any:
            return lambda network: network[part].update({name: value})

        perf = {"throughput_mean": "fast", "throughput_std": None}
        for change, words in (
            (put("metrics", "val_top1", 0.71), "val_top1 = 0.71 looks like a fraction; it is meant in %"),
            (put("metrics", "val_top1", 7100), "not a percentage"),
            (put("metrics", "val_top1", 99.0), "is above val_top5"),
            (put("metrics", "val_top1", "71"), "val_top1 is a str"),
            (put("metrics", "val_top5", True), "val_top5 is a bool"),
            (put("model_info", "macs", float("nan")), "NaN is no number of JSON"),
            (put("platform_perf", "throughput_newchip", perf), "throughput_mean of throughput_newchip is a str"),
            (put("platform_perf", "latency_zcu102", {}), 'no "latency_mean" in latency_zcu102'),
            (put("architecture", "block2_e", 5), "block 2: e5_k5_l2_se0 is no choice"),
            (put("architecture", "block4_l", 4), "no choice of the space"),
            (put("architecture", "block0_e", 4.0), "block 0 should have whole numbers"),
            (put("architecture", "block0_se", 1), "block 0 should have whole numbers"),
            (put("architecture", "block7_e", 1), "block7_e in the architecture is not known"),
            (lambda network: network["architecture"].pop("block3_k"), "no block3_k in the architecture"),
            (lambda network: network.pop("metrics"), 'no "metrics" in it'),
            (lambda network: network.update(metrics=[1]), '"metrics" is not an object'),
        ):
            with self.subTest(words):
                self.refused(change, words)

    def test_bad_text(self) -> None:
        support.make_accel_nasbench(self.data, [support.accel_network(0)])
        good = json.dumps(support.accel_network(1))
        for raw, words in (
            (good[:-40].encode(), "line 1 column"),
            (b"", "Expecting value"),
            (b"\xff\xfe{}", "not UTF-8 text"),
            (b"[" * 30_000, "nested too deeply"),
            (b"[]", "not an object"),
            (good.replace('"metrics"', '"metrics": {}, "metrics"').encode(), "a key occurs twice"),
            (good.replace("301.0", "1e999").encode(), "macs is no finite number"),
            (b" " * 70_000, "more than 64 kB"),
        ):
            with self.subTest(words):
                (self.data / "result_1.json").write_bytes(raw)
                self.assert_refused("result_1.json", words)


class BadArchives(Folder):
    def setUp(self) -> None:
        super().setUp()
        self.archive = self.data / "anb_dataset_jsons.tar.gz"
        self.network = json.dumps(support.accel_network(0)).encode()

    def test_names_lead_nowhere(self) -> None:
        """Members are read in memory: their names are only for errors."""
        with tarfile.open(self.archive, "w:gz") as archive:
            member = tarfile.TarInfo("../../escaped.json")
            member.size = len(self.network)
            archive.addfile(member, io.BytesIO(self.network))
            link = tarfile.TarInfo("link.json")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(link)
        file, _ = self.imported()
        self.assertEqual(file[SET]["choices"].shape, (1, 7))
        self.assertEqual(list(self.base.parent.glob("escaped.json")) + list(self.base.glob("escaped.json")), [])

    def test_faulty_member_is_named(self) -> None:
        bad = copy.deepcopy(support.accel_network(1))
        bad["metrics"]["val_top1"] = 0.7
        members = [("a/result_0.json", self.network), ("a/result_1.json", json.dumps(bad).encode())]
        support.pack_accel_nasbench(self.archive, members)
        self.assert_refused("anb_dataset_jsons.tar.gz: a/result_1.json", "looks like a fraction")

    def test_large_member(self) -> None:
        support.pack_accel_nasbench(self.archive, [("result_0.json", b" " * 100_000)])
        self.assert_refused("result_0.json", "more than 64 kB")

    def test_bomb(self) -> None:
        with gzip.open(self.archive, "wb", compresslevel=9) as stream:
            for _ in range(1 + (accel_nasbench_set.LARGEST_ARCHIVE >> 20)):
                stream.write(bytes(1 << 20))
        self.assert_refused("anb_dataset_jsons.tar.gz", "more than 128 MB unpacked")

    def test_no_archive(self) -> None:
        support.pack_accel_nasbench(self.archive, [("result_0.json", self.network)])
        good = self.archive.read_bytes()
        for raw, words in (
            (good[: len(good) // 2], "truncated or no gzip archive"),
            (b"hello", "truncated or no gzip archive"),
            (gzip.compress(b"hello" * 300), "not a readable tar archive"),
        ):
            with self.subTest(words):
                self.archive.write_bytes(raw)
                self.assert_refused("anb_dataset_jsons.tar.gz", words)
        support.pack_accel_nasbench(self.archive, [("README.md", b"text")])
        self.assert_refused("no JSON of a network in it")


if __name__ == "__main__":
    unittest.main()
