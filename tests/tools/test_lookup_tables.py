"""Look-up tables: which published entry becomes which weight, what is interpolated, and what is refused."""

from __future__ import annotations

import hashlib
import math
import tempfile
import unittest
from pathlib import Path

import h5py
import numpy as np

import support

OFA_STAGES = ((24, 32, 2, 0), (32, 48, 2, 1), (48, 96, 2, 0), (96, 136, 1, 1), (136, 192, 2, 1))
PROXYLESS_STAGES = ((16, 24, 2), (24, 40, 2), (40, 80, 2), (80, 96, 1), (96, 192, 2), (192, 320, 1))


def ofa_keys(resolution: int) -> dict[tuple[int, int, int, int], str]:
    """(stage, is it the first block, kernel, expansion) -> key, and -1 ... for what is fixed."""
    keys = {}
    side = resolution // 2
    for stage, (before, after, stride, squeeze) in enumerate(OFA_STAGES):
        for first in (1, 0):
            channels, step = (before, stride) if first else (after, 1)
            out = math.ceil(side / step)
            shortcut = int(step == 1 and channels == after)
            for kernel in (3, 5, 7):
                for expansion in (3, 4, 6):
                    keys[stage, first, kernel, expansion] = (
                        f"expanded_conv-input:{side}x{side}x{channels}-output:{out}x{out}x{after}-expand:"
                        f"{channels * expansion}-kernel:{kernel}-stride:{step}-idskip:{shortcut}-se:{squeeze}-hs:0"
                    )
            side = out
    fixed = (
        f"Conv-input:{resolution}x{resolution}x3-output:{resolution // 2}x{resolution // 2}x24",
        f"expanded_conv-input:{resolution // 2}x{resolution // 2}x24-output:{resolution // 2}x{resolution // 2}x24"
        "-expand:24-kernel:3-stride:1-idskip:1-se:0-hs:0",
        f"Conv_1-input:{side}x{side}x192-output:{side}x{side}x1152",
        f"AvgPool2D-input:{side}x{side}x1152-output:1x1x1152",
        "Conv_2-input:1x1x1152-output:1x1x1536",
        "Logits-input:1x1x1536-output:1000",
    )
    return keys | {(-1, i, 0, 0): key for i, key in enumerate(fixed)}


def mean_of(key: str) -> float:
    return 0.5 + int(hashlib.sha256(key.encode()).hexdigest()[:6], 16) / 1e6


def yaml(keys: list[str]) -> str:
    return "".join(f"{key}:\n  count: 500\n  mean: {mean_of(key)!r}\n  std: 0.01\n" for key in keys)


class Tables(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.base = Path(folder.name)
        self.data = self.base / "data"
        self.data.mkdir()
        for resolution in (176, 208):
            self.file(resolution).write_text(yaml(list(ofa_keys(resolution).values())))

    def file(self, resolution: int) -> Path:
        return self.data / f"{resolution}_lookup_table.yaml"

    def imported(self) -> h5py.File:
        run = support.run_tool("import_datasets.py", "--from", self.data, "--to", self.base / "s.h5")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.said = run.stdout
        file = h5py.File(self.base / "s.h5")
        self.addCleanup(file.close)
        return file

    def assert_refused(self, *words: str) -> None:
        run = support.run_tool("import_datasets.py", "--from", self.data, "--to", self.base / "s.h5")
        self.assertEqual(run.returncode, 1)
        self.assertEqual(run.stderr.count("\n"), 1, run.stderr)
        for word in words:
            self.assertIn(word, run.stderr)
        self.assertFalse((self.base / "s.h5").exists())

    def test_every_choice_has_its_entry(self) -> None:
        table = self.imported()["tables/ofa_mbv3/note10"]
        self.assertEqual(list(table["radices"]), [25] + 20 * [10])
        weights, bias = table["weights"][()], table["bias"][()]
        self.assertEqual(weights.shape, (25, 225))
        for resolution in (176, 208):
            keys = ofa_keys(resolution)
            row = weights[(resolution - 128) // 4]
            np.testing.assert_array_equal(row[:25], 0)
            for block in range(20):
                expected = [0.0] + [
                    mean_of(keys[block // 4, int(block % 4 == 0), k, e]) for k in (3, 5, 7) for e in (3, 4, 6)
                ]
                np.testing.assert_array_equal(row[25 + 10 * block : 35 + 10 * block], expected)
            fixed = sum(mean_of(key) for (stage, *_), key in keys.items() if stage == -1)
            self.assertAlmostEqual(bias[(resolution - 128) // 4], fixed, places=12)

    def test_between_two_resolutions_every_block_is_interpolated(self) -> None:
        table = self.imported()["tables/ofa_mbv3/note10"]
        weights, bias = table["weights"][()], table["bias"][()]
        low, high = 12, 20  # 176 and 208
        np.testing.assert_allclose(weights[14], 0.75 * weights[low] + 0.25 * weights[high], rtol=1e-14)
        np.testing.assert_allclose(bias[19], 0.125 * bias[low] + 0.875 * bias[high], rtol=1e-14)
        np.testing.assert_array_equal(np.isnan(bias), [not 12 <= i <= 20 for i in range(25)])
        self.assertEqual(table.attrs["measured_resolutions"], "176 208")
        self.assertIn("204 (176-208)", table.attrs["interpolated_resolutions"])
        self.assertEqual(table.attrs["resolutions_without_table"].split()[-1], "224")
        self.assertEqual(table.attrs["licence"], "MIT")
        self.assertEqual(
            table["weights"].attrs["sha256"], hashlib.sha256(weights.astype("<f8").tobytes()).hexdigest()
        )
        self.assertIn("7 resolutions between", self.said)

    def test_a_measured_table_replaces_interpolation(self) -> None:
        self.file(180).write_text(yaml(list(ofa_keys(180).values())))
        table = self.imported()["tables/ofa_mbv3/note10"]
        keys = ofa_keys(180)
        self.assertEqual(table["weights"][13, 26], mean_of(keys[0, 1, 3, 3]))
        self.assertEqual(table.attrs["measured_resolutions"], "176 180 208")
        self.assertNotIn("180 (", table.attrs["interpolated_resolutions"])
        self.assertIn("CompOFA", table.attrs["source"])
        self.assertEqual(table.attrs["licence"], "MIT, Apache-2.0")

    def test_nothing_is_interpolated_where_all_is_measured(self) -> None:
        for resolution in range(180, 208, 4):
            self.file(resolution).write_text(yaml(list(ofa_keys(resolution).values())))
        self.assertEqual(self.imported()["tables/ofa_mbv3/note10"].attrs["interpolated_resolutions"], "none")

    def test_one_phone_table_prices_two_spaces(self) -> None:
        keys, fixed, side = {}, [], 112
        for stage, (before, after, stride) in enumerate(PROXYLESS_STAGES):
            for first in (1, 0):
                channels, step = (before, stride) if first else (after, 1)
                out = side // step
                shortcut = int(step == 1 and channels == after)
                for kernel in (3, 5, 7):
                    for expansion in (3, 6):
                        keys[stage, first, kernel, expansion] = (
                            f"expanded_conv-input:{side}x{side}x{channels}-output:{out}x{out}x{after}"
                            f"-expand:{expansion}-kernel:{kernel}-stride:{step}-idskip:{shortcut}"
                        )
                side = out
        fixed = [
            "Conv-input:224x224x3-output:112x112x32",
            "expanded_conv-input:112x112x32-output:112x112x16-expand:1-kernel:3-stride:1-idskip:0",
            "Conv_1-input:7x7x320-output:7x7x1280",
            "Logits-input:7x7x1280-output:1000",
        ]
        (self.data / "mobile_trim.yaml").write_text(yaml([*keys.values(), *fixed]))
        file = self.imported()
        expected = [
            weight
            for block in range(21)
            for weight in [0.0]
            + [mean_of(keys[block // 4, int(block % 4 == 0), k, e]) for k in (3, 5, 7) for e in (3, 6)]
        ]
        for space in ("proxylessnas", "mobilenetv2"):
            table = file[f"tables/{space}/mobile_trim"]
            np.testing.assert_array_equal(table["weights"], [expected])
            self.assertAlmostEqual(table["bias"][0], sum(map(mean_of, fixed)), places=12)

    def test_faults_are_named(self) -> None:
        good = self.file(176).read_text()
        block = ofa_keys(176)[2, 0, 5, 4]
        for bad, words in (
            (good.replace(block, block.replace("kernel:5", "kernel:9")), "has no entry for k5_e4 from 11x11x96"),
            (good.replace("Logits", "Lo"), "has no entry Logits-input"),
            (good.replace(f"{block}:\n  count: 500\n  mean: ", f"{block}:\n  count: 500\n  mean: -"), "no positive mean"),
            (good.replace("  mean: 0", "  mean: x0", 1), ".yaml:"),
            (good + good[: good.index("\n") + 1], "is there twice"),
            (good + "Extra:\n  count: 3\n", "Extra has no positive mean"),
            ("  mean: 3\n", ".yaml:1"),
            ("", "no entry"),
        ):
            self.file(176).write_text(bad)
            self.assert_refused("176_lookup_table.yaml", words)
        self.file(176).write_bytes(b"\xff\xfe")
        self.assert_refused("is no text")
        self.file(176).rename(self.data / "big_lookup_table.yaml")
        self.assert_refused("big_lookup_table.yaml", "RESOLUTION")


if __name__ == "__main__":
    unittest.main()
