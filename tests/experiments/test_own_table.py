"""Look-up tables of a user's own (`oneproxy import --table`): the published key formats, to the bit what the importer of
the store that ships makes of them; a plain CSV; choices without an entry, and faulty files."""

from __future__ import annotations

import hashlib
import sys
import unittest
from pathlib import Path

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
from support import ROOT, ProgramCase  # noqa: E402

sys.path.insert(0, str(ROOT / "tools"))
from importer import lookup_tables  # noqa: E402

# Channels before and after, stride, squeeze-and-excitation of each stage.
OFA = ((24, 32, 2, 0), (32, 48, 2, 1), (48, 96, 2, 0), (96, 136, 1, 1), (136, 192, 2, 1))
PROXYLESS = ((16, 24, 2, 0), (24, 40, 2, 0), (40, 80, 2, 0), (80, 96, 1, 0), (96, 192, 2, 0), (192, 320, 1, 0))


def block_keys(stages: tuple, side: int, expansions: tuple[int, ...], in_channels: bool) -> list[str]:
    keys = []
    for before, after, stride, squeeze in stages:
        for channels, step in ((before, stride), (after, 1))[: 1 if after == 320 else 2]:  # one block is its last stage
            out = -(-side // step)
            for kernel in (3, 5, 7):
                for e in expansions:
                    tail = f"-se:{squeeze}-hs:0" if in_channels else ""
                    keys.append(
                        f"expanded_conv-input:{side}x{side}x{channels}-output:{out}x{out}x{after}-expand:"
                        f"{e * channels if in_channels else e}-kernel:{kernel}-stride:{step}-idskip:"
                        f"{int(step == 1 and channels == after)}{tail}"
                    )
            side = out
    return keys


def note10_keys(resolution: int) -> list[str]:
    return block_keys(OFA, resolution // 2, (3, 4, 6), True) + lookup_tables._note10_fixed(resolution)


def phone_keys() -> list[str]:
    return block_keys(PROXYLESS, 112, (3, 6), False) + lookup_tables._proxyless_fixed(224)


def mean_of(key: str) -> float:
    return 0.1 + int(hashlib.sha256(key.encode()).hexdigest()[:12], 16) / 1e14


def yaml(keys: list[str], spread: str = "std") -> str:
    return "".join(f"{key}:\n  count: 500\n  mean: {mean_of(key)!r}\n  {spread}: 0.01\n" for key in keys)


def csv_of(rows: list[tuple]) -> str:
    return "decision,choice,value\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)


FBNET = [f"{k}_{e}" for k in ("k3", "k5") for e in ("e1", "e1_g2", "e3", "e6")] + ["skip"]


class OwnTableCase(ProgramCase):
    def take(self, *files: object, space: str = "mobilenetv2", name: str = "mine") -> tuple[object, ...]:
        return ("import", "--table", *files, "--space", space, "--name", name)

    def table(self, space: str, name: str = "mine") -> tuple[np.ndarray, np.ndarray]:
        with h5py.File(self.folder / "my_store.h5") as file:
            group = file[f"tables/{space}/{name}"]
            return group["weights"][()], group["bias"][()]


class TestPublishedKeys(OwnTableCase):
    def test_one_file_is_the_table_of_the_importer_to_the_bit(self) -> None:
        path = self.folder / "phone.yaml"
        path.write_text(yaml(phone_keys(), "var"))
        for expected in lookup_tables.read_mobile_trim(self.folder, [path], print):
            said = self.ok(*self.take(path, space=expected.space), "--target", "latency on my phone")
            weights, bias = self.table(expected.space)
            np.testing.assert_array_equal(weights, expected.weights)
            np.testing.assert_array_equal(bias, expected.bias)
            self.assertIn(f"table mine of {expected.space} (latency on my phone, ms)", said)
            self.assertNotIn("without", said)
        network = "k3_e3 k5_e6|k3_e3 k3_e3|k3_e3 k3_e3|k3_e3 k3_e3|k3_e3 k3_e3|k3_e3"
        shown = self.ok("arch", "--space", "mobilenetv2", network, "--store", "my_store.h5")
        self.assertRegex(shown, r"mine +\d+\.\d+ ms \(latency on my phone, look-up table\)")

    def test_a_folder_holds_a_file_a_resolution(self) -> None:
        folder = self.folder / "tables"
        folder.mkdir()
        for resolution in (176, 180, 224):
            (folder / f"{resolution}_lookup_table.yaml").write_text(yaml(note10_keys(resolution)))
        files = sorted(folder.iterdir())
        said = self.ok(*self.take(folder, space="ofa_mbv3"))
        expected = lookup_tables.read_note10(folder, files, lambda line: None)[0]
        weights, bias = self.table("ofa_mbv3")
        for at in ((resolution - 128) // 4 for resolution in (176, 180, 224)):
            np.testing.assert_array_equal(weights[at], expected.weights[at])
            self.assertEqual(bias[at], expected.bias[at])
        self.assertEqual(np.isnan(bias).sum(), 22)  # nothing is interpolated
        self.assertIn("22 resolutions of 25", said)
        self.assertIn("(12 %)", said)

    def test_a_missing_layer_names_what_it_blocks(self) -> None:
        lost = "expanded_conv-input:7x7x192-output:7x7x320-expand:6-kernel:5"
        path = self.folder / "phone.yaml"
        path.write_text(yaml([key for key in phone_keys() if not key.startswith(lost)]))
        said = self.ok(*self.take(path))
        self.assertRegex(said, r"stage 6 block 1=k5_e6 +\| +\d+ +\| +16.7 %")  # one of the six of the last block
        self.assertIn("(83.3 %)", said)
        last = self.ok(
            *("search", "--space", "mobilenetv2", "--latency", "table:mine", "--store", "my_store.h5"),
            *("--quality", "model:macs", "--method", "exact"),
        ).splitlines()[-1]
        with h5py.File(self.folder / last / "arrays.h5") as arrays:
            last_block = arrays["front/choices"][:, -1]
        self.assertGreater(len(last_block), 100)
        self.assertNotIn(4, last_block)  # k5_e6

    def test_layers_of_another_network_are_said(self) -> None:
        path = self.folder / "phone.yaml"
        path.write_text(yaml(phone_keys() + ["Conv-input:9x9x3-output:9x9x4"]))
        done = self.program(*self.take(path))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("warning: ", done.stderr)
        self.assertRegex(done.stderr, r"phone.yaml:\d+: Conv-input:9x9x3-output:9x9x4 .*not used")

    def test_faulty_files_are_one_line(self) -> None:
        good = yaml(phone_keys())
        path = self.folder / "phone.yaml"
        block = phone_keys()[0]
        for bad, says in (
            (good.replace("idskip:0", "idskap:0", 1), "phone.yaml:1: the key"),
            (good.replace("x16", "x0", 1), "phone.yaml:1: the key"),
            (good.replace("112x112", "112x96", 1), "not square"),
            (good + good[: good.index("\n") + 1], "in line 1 too"),
            (good.replace("mean: 0", "mean: -0", 1), "phone.yaml:1: the layer"),
            (good.replace("mean: 0", "mean: x0", 1), "phone.yaml:3:"),
            (good.replace("  count", "count", 1), "phone.yaml:2:"),
            (good.replace("expand:6", "expand:960", 1), "phone.yaml:5: expand:960 of 16"),
            (good.replace("Logits-input", "Logits-inputs"), "Logits-inputs"),
            (good.replace("7x7x1280-output:1000", "7x7x1280-output:10"), "'classifier'"),
            ("", "holds no layer"),
        ):
            self.assertNotEqual(bad, good)
            path.write_text(bad)
            self.fault(*self.take(path), says=("phone.yaml", says))
        path.write_text(good)
        self.assertIn(block, good)
        self.fault(*self.take(path, space="nasbench201"), says=("nasbench201", "decision,choice,value"))
        self.fault(*self.take(path, space="ofa_mbv3"), says=("phone.yaml", "224_lookup_table.yaml"))
        (self.folder / "96_phone.yaml").write_text(good)
        self.fault(*self.take("96_phone.yaml", space="ofa_mbv3"), says=("resolution 96", "from 128 to 224"))
        self.fault(*self.take(path, "96_phone.yaml"), says=("one resolution only",))
        self.fault(*self.take("none.yaml"), says=("none.yaml",))
        (self.folder / "table.txt").write_text(good)
        self.fault(*self.take("table.txt"), says=("table.txt", "*.csv"))


class TestPlainCsv(OwnTableCase):
    def write(self, text: str) -> str:
        (self.folder / "mine.csv").write_text(text)
        return "mine.csv"

    def fbnet(self) -> list[tuple]:
        rows = [(f"layer {i}", op, 0.25 * i + 0.125 * c) for i in range(22) for c, op in enumerate(FBNET)]
        return [*rows, ("fixed", "", 3.5)]

    def test_every_choice_has_its_value(self) -> None:
        said = self.ok(*self.take(self.write(csv_of(self.fbnet())), space="fbnet"))
        weights, bias = self.table("fbnet")
        np.testing.assert_array_equal(weights[0], [value for _, _, value in self.fbnet()[:-1]])
        self.assertEqual(bias[0], 3.5)
        self.assertNotIn("predicts", said)
        by_number = [(d.split()[-1], op, v) for d, op, v in self.fbnet()[:-1]] + [("bias", "", 3.5)]
        self.ok(*self.take(self.write(csv_of(by_number[::-1])), space="fbnet", name="again"))
        np.testing.assert_array_equal(self.table("fbnet", "again")[0], weights)

    def test_seconds_become_milliseconds_and_other_units_stay(self) -> None:
        path = self.write(csv_of(self.fbnet()))
        self.ok(*self.take(path, space="fbnet"), "--unit", "s")
        self.assertEqual(self.table("fbnet")[1][0], 3500)
        said = self.ok(*self.take(path, space="fbnet", name="energy"), "--unit", "mJ", "--target", "energy")
        self.assertIn("(energy, mJ)", said)
        self.assertEqual(self.table("fbnet", "energy")[1][0], 3.5)

    def test_a_file_of_its_own_instead_of_a_store(self) -> None:
        self.ok("import", "--table", self.write(csv_of(self.fbnet())), "--space", "fbnet", "--out", "t.h5")
        self.assertEqual(self.files(), {"mine.csv", "t.h5"})
        self.ok("score", "--space", "fbnet", "--predictor", "table:t.h5", "--count", "1", "--out", "s.csv")
        value = float((self.folder / "s.csv").read_text().splitlines()[1].split(",")[-1])
        self.assertAlmostEqual(value, 3.5 + sum(0.25 * i for i in range(22)))

    def test_missing_choices_are_named_with_what_they_block(self) -> None:
        rows = [row for row in self.fbnet() if row[:2] not in (("layer 3", "k5_e6"), ("layer 7", "skip"))]
        said = self.ok(*self.take(self.write(csv_of(rows)), space="fbnet"))
        self.assertRegex(said, r"layer 3=k5_e6 +\| +\d+ +\| +11.1 %")
        self.assertRegex(said, r"layer 7=skip +\| +\d+ +\| +11.1 %")
        self.assertIn(f"predicts {9**20 * 64} of {9**22} networks (79 %)", said)
        self.fault(
            *self.take(self.write(csv_of([r for r in rows if r[0] != "layer 5"])), space="fbnet", name="less"),
            says=("no network of space fbnet", "11 choices", "layer 5=k3_e1"),
        )

    def test_rows_of_a_resolution(self) -> None:
        blocks = [f"{k}_{e}" for k in ("k3", "k5", "k7") for e in ("e3", "e4", "e6")]
        text = "decision,choice,value,resolution\n" + "".join(
            f"stage {s} block {b},{op},{0.1 * s + 0.01 * b},{r}\n"
            for r in (160, 224)
            for s in range(1, 6)
            for b in range(1, 5)
            for op in blocks
        )
        said = self.ok(*self.take(self.write(text + "fixed,,5,224\n"), space="ofa_mbv3"))
        weights, bias = self.table("ofa_mbv3")
        self.assertEqual([bias[8], bias[24]], [0, 5])
        self.assertEqual(np.isnan(bias).sum(), 23)
        self.assertEqual(weights[24][25], 0)  # an inactive block
        self.assertIn("23 resolutions of 25", said)
        self.fault(
            *self.take(self.write(text.replace(",224\n", ",226\n")), space="ofa_mbv3"), says=("mine.csv:182", "'226'")
        )
        self.fault(*self.take(self.write(csv_of(self.fbnet())), space="ofa_mbv3"), says=("'resolution'",))

    def test_faulty_rows_are_one_line(self) -> None:
        rows = self.fbnet()
        for bad, says in (
            (rows + [rows[0]], ("mine.csv:201", "line 2")),
            (rows + [("bias", "", 1)], ("mine.csv:201", "line 200")),
            ([("layer 0", "k3_e1", -1)], ("mine.csv:2", "'-1'")),
            ([("layer 0", "k3_e1", "1 ms")], ("mine.csv:2", "'1 ms'")),
            ([("layer 0", "k3_e1", "nan")], ("mine.csv:2", "'nan'")),
            ([("layer0", "k3_e1", 1)], ("mine.csv:2", "nearest: layer 0")),
            ([("22", "k3_e1", 1)], ("mine.csv:2", "from 0 to 21")),
            ([("layer 0", "k3_e2", 1)], ("mine.csv:2", "nearest: k3_e1")),
            ([("fixed", "k3_e1", 1)], ("mine.csv:2", "should be empty")),
            ([], ("mine.csv", "no row")),
        ):
            self.fault(*self.take(self.write(csv_of(bad)), space="fbnet"), says=says)
        self.fault(*self.take(self.write("decision,choice\n"), space="fbnet"), says=("'value'",))
        self.fault(*self.take(self.write("decision,choice,valu\n"), space="fbnet"), says=("nearest: value",))
        usage = self.program("import", "--table", "mine.csv", "--space", "fbnet")
        self.assertEqual((usage.returncode, "--name" in usage.stderr), (2, True))


if __name__ == "__main__":
    unittest.main()
