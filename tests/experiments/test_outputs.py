"""What the program writes, and what it never writes over: tables of scores, --force, counts and units as people write
them, the store that ships."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import sys
import unittest
from pathlib import Path

import h5py
import numpy as np
import pyarrow.parquet
import xarray

sys.path.insert(0, str(Path(__file__).parent))
from support import CONFIGS, STORE, ProgramCase, config, sets  # noqa: E402

SCORE = ("score", "--space", "nasbench201", "--predictor", "proxy:pixel3", "--predictor", "model:macs")
RANGE = ("--begin", "100", "--count", "70")
PYTHON = {"ONEPROXY_PYTHON": sys.executable}


class TestScoreTables(ProgramCase):
    def rows(self, name: str) -> list[dict[str, str]]:
        with open(self.folder / name, newline="") as file:
            return list(csv.DictReader(file))

    def columns(self, name: str) -> dict[str, np.ndarray]:
        rows = self.rows(name)
        return {n: np.array([float(row[n]) for row in rows]) for n in ("proxy:pixel3", "model:macs")}

    def test_every_form_holds_the_same_numbers(self) -> None:
        for ending in ("csv", "npy", "h5", "parquet"):
            self.ok(*SCORE, *RANGE, "--out", f"all.{ending}", env=PYTHON)
        rows, expected = self.rows("all.csv"), self.columns("all.csv")
        array = np.load(self.folder / "all.npy")
        table = pyarrow.parquet.read_table(self.folder / "all.parquet")
        with h5py.File(self.folder / "all.h5") as file:
            self.assertEqual([v.decode() for v in file["arch"][()]], [row["arch"] for row in rows])
            self.assertEqual([v.decode() for v in file["index"][()]], [row["index"] for row in rows])
            self.assertEqual(file["proxy:pixel3"].dims[0][0][0].decode(), rows[0]["arch"])
            self.assertEqual(file["proxy:pixel3"].attrs["units"], "ms")
            np.testing.assert_array_equal(file["choices"][()], array["choices"])
            for name, values in expected.items():
                np.testing.assert_array_equal(file[name][()], values)
                np.testing.assert_array_equal(array[name], values)
                np.testing.assert_array_equal(table[name].to_numpy(), values)
        self.assertEqual(table["index"].to_pylist(), list(range(100, 170)))
        self.assertEqual(table["arch"].to_pylist(), [row["arch"] for row in rows])
        self.assertEqual(table.schema.field("proxy:pixel3").metadata[b"units"], b"ms")
        with xarray.open_dataset(self.folder / "all.h5", engine="h5netcdf") as data:
            self.assertEqual(data["proxy:pixel3"].dims, ("arch",))
            self.assertEqual(data["choices"].dims, ("arch", "decision"))
            best = data["proxy:pixel3"].sel(arch=rows[7]["arch"])
            self.assertEqual(float(best), expected["proxy:pixel3"][7])

    def test_a_space_beyond_64_bits_and_missing_values(self) -> None:
        self.ok("score", "--space", "fbnet", "--predictor", "model:macs", "--begin", "9e20", "--count", "3", "--out",
                "large.parquet", env=PYTHON)  # fmt: skip
        table = pyarrow.parquet.read_table(self.folder / "large.parquet")
        self.assertEqual(table["index"].to_pylist(), ["9" + "0" * 20, "9" + "0" * 19 + "1", "9" + "0" * 19 + "2"])
        blocks = "k3_e3 k3_e4|k5_e6 k7_e3 k3_e3|k3_e3 k3_e3|k5_e4 k5_e4 k5_e4 k5_e4|k7_e6 k7_e6"
        (self.folder / "in.csv").write_text(f'note,arch\n"a, ""b""",r=176|{blocks}\nlow,r=128|{blocks}\n')
        for ending in ("parquet", "h5", "npy"):
            self.ok("score", "--space", "ofa_mbv3", "--predictor", "table:note10", "--archs", "in.csv", "--out",
                    f"some.{ending}", env=PYTHON)  # fmt: skip
        table = pyarrow.parquet.read_table(self.folder / "some.parquet")
        self.assertEqual(table.column_names, ["note", "arch", "table:note10"])
        self.assertEqual(table["note"].to_pylist(), ['a, "b"', "low"])
        self.assertEqual(table["table:note10"].null_count, 1)
        self.assertTrue(np.isnan(np.load(self.folder / "some.npy")["table:note10"][1]))
        with h5py.File(self.folder / "some.h5") as file:
            self.assertEqual([v.decode() for v in file["note"][()]], ['a, "b"', "low"])
            self.assertEqual(list(np.isnan(file["table:note10"][()])), [False, True])

    def test_another_ending_is_refused_with_the_list(self) -> None:
        for name in ("out.txt", "out", "out.csv.gz"):
            self.fault(*SCORE, "--out", name, says=(name, ".csv, .npy, .h5, .parquet"))
        self.fault(*SCORE, "--predictor", "model:macs", "--out", "a.csv", says=("model:macs", "once"))

    def test_parquet_without_pyarrow_says_what_to_do(self) -> None:
        bare = self.folder / "bare_python"
        bare.write_text("#!/bin/sh\necho no pyarrow >&2\nexit 1\n")
        bare.chmod(0o755)
        self.fault(*SCORE, "--out", "out.parquet", env={"ONEPROXY_PYTHON": str(bare)}, says=("pyarrow", "ONEPROXY_PYTHON", ".h5"))

    def test_a_file_is_there_whole_or_not_at_all(self) -> None:
        for ending in ("csv", "npy", "h5", "parquet"):
            done = self.program(*SCORE, "--out", f"out.{ending}", limit_bytes=20000, env=PYTHON)
            self.assertEqual(done.returncode, 1, (ending, done.stderr))
            self.assertEqual(self.files(), set(), ending)

    def test_the_best_are_those_of_the_whole_table(self) -> None:
        self.ok(*SCORE, "--out", "all.csv")
        latency = self.columns("all.csv")["proxy:pixel3"]
        order = np.lexsort((np.arange(len(latency)), latency))
        for direction, expected in (("min", order[:20]), ("max", np.lexsort((np.arange(len(latency)), -latency))[:20])):
            self.ok(*SCORE, "--top", "20", "--direction", direction, "--out", f"{direction}.csv")
            self.assertEqual([int(row["index"]) for row in self.rows(f"{direction}.csv")], list(expected))
        self.ok(*SCORE, "--top", "20", "--out", "known.csv")  # of a latency the direction is known
        self.assertEqual(self.rows("known.csv"), self.rows("min.csv"))
        whole = self.rows("all.csv")
        self.assertEqual(self.rows("known.csv"), [whole[i] for i in order[:20]])
        (self.folder / "all_archs.csv").write_text("arch\n" + "\n".join(row["arch"] for row in whole) + "\n")
        self.ok(*SCORE, "--archs", "all_archs.csv", "--top", "5", "--out", "listed.csv")
        self.assertEqual([row["arch"] for row in self.rows("listed.csv")], [whole[i]["arch"] for i in order[:5]])
        self.ok(*SCORE, "--top", "99999", "--out", "more.csv")  # more than there are: all, in order
        self.assertEqual([int(row["index"]) for row in self.rows("more.csv")], list(order))

    def test_the_best_of_more_than_a_file_takes(self) -> None:
        fbnet = ("score", "--space", "fbnet", "--predictor", "proxy:pixel3", "--shuffled", "--out", "best.csv")
        self.fault(*fbnet, "--count", "1e12", says=("--count 1000000000000", "--top"))
        self.ok(*fbnet, "--count", "3e5", "--top", "3")
        self.assertEqual(len(self.rows("best.csv")), 3)


class TestCountsAndUnits(ProgramCase):
    def test_counts(self) -> None:
        score = ("score", "--space", "fbnet", "--predictor", "model:macs", "--out", "out.csv")
        self.fault(*score, "--count", "1.5e0", says=("--count 1.5e0", "whole number"))
        self.fault(*score, "--count", "-3", says=("--count -3", "whole number"))
        self.ok(*score, "--begin", "1e20", "--count", "1e1")
        with open(self.folder / "out.csv") as file:
            self.assertEqual([row["index"][-2:] for row in csv.DictReader(file)], [f"{i:02}" for i in range(10)])
        toml = self.folder / "few.toml"
        text = (CONFIGS / "fbnet" / "exact_front.toml").read_text()
        text = re.sub(r'(?m)^method = .*$', 'method = "exhaustive"\ncount = "2e3"', text)
        toml.write_text(text)
        self.assertEqual(self.run_config(toml).summary["evaluated"], 2000)
        toml.write_text(text.replace('"2e3"', '"1.5e0"'))
        self.fault("run", toml, says=("few.toml", "1.5e0", "whole number"))

    def test_limits_with_a_unit(self) -> None:
        search = ("search", "--space", "nasbench201", "--latency", "proxy:pixel3", "--quality", "metric:natsbench:cifar10",
                  "--method", "exhaustive")  # fmt: skip
        plain = self.ok(*search, "--limits", "15,25")
        for same in ("15ms,25ms", "0.015s,0.025s", "15000us,25"):
            self.assertEqual(self.ok(*search, "--limits", same), plain, same)
        self.fault(*search, "--limits", "25mJ", "--out", "other", says=("limits_ms", "mJ", "in ms"))
        self.fault(*search, "--limits", "fast", "--out", "other", says=("limits_ms", "'fast'"))
        objectives = [*search[:3], "--objective", "max metric:natsbench:cifar10", "--objective"]
        self.fault(*objectives, "min proxy:pixel3 <= 25mJ", "--method", "exhaustive", "--out", "other", says=("mJ", "in ms"))
        said = self.ok(*objectives, "min proxy:pixel3 <= 0.025s", "--method", "exhaustive")
        keys = json.loads((self.folder / said.strip() / "summary.json").read_text())
        self.assertTrue(any(key.endswith(".25") for key in keys), keys)

    def test_keys_have_no_floating_point_tails(self) -> None:
        result = self.run_config(config("nasbench201", "front_transfer"), *sets(targets=["fpga"], limits=[0.1 + 0.2, 4.123456789]))
        keys = list(result.summary)
        self.assertTrue(any(key.endswith(".0.3") for key in keys), keys)
        self.assertTrue(any(key.endswith(".4.12346") for key in keys), keys)
        search = self.run_config(config("nasbench201", "search"), *sets(generations=3))  # limits are quantiles
        for key in (*keys, *search.summary):
            self.assertNotRegex(key, r"\d\.\d{7}")
        self.assertNotRegex("".join(line for line in search.report.splitlines() if "limit" in line), r"\d\.\d{7}")

    def test_a_key_of_the_same_meaning_is_offered(self) -> None:
        for wrong, right in (("limit", "limits_ms"), ("n", "count"), ("time", "seconds")):
            said = self.fault("run", config("nasbench201", "search"), *sets(method="exhaustive", **{wrong: 1}))
            self.assertRegex(said, rf"nearest: {right}\b", wrong)


class TestNothingIsOverwritten(ProgramCase):
    def kept(self, name: str, *arguments: object) -> None:
        """The command refuses a file that is there, and replaces it with --force."""
        path = self.folder / name
        path.write_text("mine\n")
        self.fault(*arguments, says=(name, "is there already", "--force"), env=PYTHON)
        self.assertEqual(path.read_text(), "mine\n")
        self.ok(*arguments, "--force", env=PYTHON)
        self.assertNotEqual(path.read_bytes(), b"mine\n")

    def test_commands(self) -> None:
        space = ("--space", "nasbench201")
        sources = ("--sources", "1080ti_1,pixel3")
        self.kept("plan.csv", "plan", *space, *sources, "--k", 5)
        self.ok("plan", *space, *sources, "--k", 30, "--out", "more.csv")
        plan = list(csv.DictReader((self.folder / "more.csv").open(newline="")))
        rows = [f'"{row["arch"]}",{5 + i % 7}' for i, row in enumerate(plan)]
        (self.folder / "measured.csv").write_text("arch,latency_ms\n" + "\n".join(rows) + "\n")
        adapt = ("adapt", *space, *sources, "--measurements", "measured.csv")
        self.kept("phone.h5", *adapt, "--out", "phone.h5")
        self.kept("predicted.csv", *adapt, "--predictions", "predicted.csv")
        self.kept("scores.csv", *SCORE, *RANGE, "--out", "scores.csv")
        self.kept("scores.npy", *SCORE, *RANGE, "--out", "scores.npy")
        self.kept("next.csv", "next", *space, *sources, "--quality", "metric:natsbench:cifar10")
        self.kept("part.toml", "prune-space", "--space", "fbnet", "--latency", "proxy:pixel3", "--quality", "model:macs",
                  "--keep", 2, "--contexts", 2, "--evaluations", 50, "--limits", "20ms", "--out", "part.toml")  # fmt: skip
        self.kept("answers.csv", "optimize", "--space", "nasbench201", "--device", "proxy:pixel3", "--quality",
                  "model:macs", "--limit", "0.02s", "--out", "answers.csv")  # fmt: skip

    def test_export(self) -> None:
        result = self.run_config(config("nasbench201", "search"), *sets(generations=3))
        written = self.ok("export", result.folder, "--to", "out").split()
        self.ok("export", result.folder, "--to", "out")  # the same content is no change
        first = self.folder / written[0]
        content = first.read_text()
        first.write_text("mine\n")
        self.fault("export", result.folder, "--to", "out", says=(first.name, "is there already", "--force"))
        self.assertEqual(first.read_text(), "mine\n")
        self.ok("export", result.folder, "--to", "out", "--force")
        self.assertEqual(first.read_text(), content)


class TestTheStoreThatShips(ProgramCase):
    def test_no_command_changes_it(self) -> None:
        before = hashlib.sha256(STORE.read_bytes()).hexdigest()
        (self.folder / "m.csv").write_text("arch,latency_ms\n\"0,0,0,0,0,0\",3\n\"1,1,1,1,1,1\",4\n")
        self.fault("import", "m.csv", "--space", "nasbench201", "--device", "mine", "--store", STORE,
                   says=("is the store that ships", "name a file of your own"))  # fmt: skip
        link = self.folder / "link.h5"
        link.symlink_to(STORE)
        self.fault("import", "m.csv", "--space", "nasbench201", "--device", "mine", "--store", link, says=("ships",))
        self.assertEqual(hashlib.sha256(STORE.read_bytes()).hexdigest(), before)

    def test_no_remedy_names_it_as_the_store_to_change(self) -> None:
        search = ("search", "--space", "nasbench201", "--latency", "proxy:pixel3", "--quality")
        for quality in ("predictor:nobody", "predictor:weights.pth", "table:nobody"):
            said = self.fault(*search, quality)
            self.assertIn("my_store.h5", said)
            self.assertNotIn(f"--store {STORE}", said)


class TestListing(ProgramCase):
    def test_devices_sort_as_people_count(self) -> None:
        for device in ("pixel10", "pixel9"):
            (self.folder / "m.csv").write_text("arch,latency_ms\n\"0,0,0,0,0,0\",3\n\"1,1,1,1,1,1\",4\n")
            self.ok("import", "m.csv", "--space", "nasbench201", "--device", device)
        said = self.ok("info", "my_store.h5")
        self.assertLess(said.index("pixel9 "), said.index("pixel10 "))


if __name__ == "__main__":
    unittest.main()
