"""tools/import_datasets.py: every published layout in small, and every way in which a file can be bad."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support  # noqa: E402

import h5py  # noqa: E402
import numpy as np  # noqa: E402

from importer import device_names, duplicates, nasbench201, store  # noqa: E402
from importer.errors import DataError  # noqa: E402

SHIPPED = support.ROOT / "experiments" / "data" / "public_latency.h5"


def public_data() -> Path | None:
    for folder in (os.environ.get("ONEPROXY_DATA"), support.ROOT.parent / "shared" / "datasets"):
        if folder and Path(folder).is_dir():
            return Path(folder)
    return None


class Folder(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.base = Path(holder.name)
        self.data, self.target = self.base / "data", self.base / "store.h5"
        self.data.mkdir()

    def run_import(self, *more: str) -> subprocess.CompletedProcess[str]:
        return support.run_tool("import_datasets.py", "--from", self.data, "--to", self.target, *more)

    def imported(self, *more: str) -> tuple[h5py.File, str]:
        run = self.run_import(*more)
        self.assertEqual(run.returncode, 0, run.stderr)
        file = h5py.File(self.target, "r")
        self.addCleanup(file.close)
        return file, run.stdout

    def assert_refused(self, *words: str) -> None:
        """One line on stderr with these words, exit code 1, and nothing left behind."""
        before = sorted(self.base.iterdir())
        run = self.run_import()
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        self.assertEqual(run.stderr.count("\n"), 1, run.stderr)
        for word in words:
            self.assertIn(word, run.stderr)
        self.assertEqual(sorted(self.base.iterdir()), before)


class Layouts(Folder):
    def test_collection(self) -> None:
        order = support.make_collection(self.data)
        file, said = self.imported()
        self.assertEqual(file.attrs["format"], "oneproxy-store")
        self.assertEqual(file.attrs["schema_version"], 1)
        self.assertEqual(
            {f"{space}/{name}" for space in file["spaces"] for name in file["spaces"][space]},
            {
                "nasbench201/help",
                "nasbench201/oneproxy",
                "nasbench201/eagle",
                "nasbench201/natsbench",
                "fbnet/help",
                "ofa_mbv3/help",
            },
        )
        help_set = file["spaces/nasbench201/help"]
        np.testing.assert_array_equal(help_set["choices"], np.array(order, dtype=np.uint8))
        np.testing.assert_array_equal(help_set["official_index"], np.arange(40))
        self.assertEqual(help_set.attrs["licence"], "MIT")
        column = help_set["latency_ms/titan_rtx_32"]
        np.testing.assert_array_equal(column, support.latencies(40, 1))
        self.assertEqual((column.attrs["batch"], column.attrs["unit"], column.attrs["n_failed"]), (32, "ms", 0))
        self.assertEqual(
            [help_set[f"latency_ms/{name}"].attrs["batch"] for name in ("essential_ph_1", "gold_6226")], [0, 0]
        )
        self.assertIn("skipped: OFA accuracy predictor (ofa/acc_predictor.pth): weights are not stored here", said)
        self.assertIn("nasbench201/help: 40 of 15625 cells", said)

    def test_oneproxy(self) -> None:
        order = support.make_collection(self.data)
        file, said = self.imported()
        rows = file["spaces/nasbench201/oneproxy"]
        np.testing.assert_array_equal(rows["official_index"], np.arange(30, 10, -1))
        np.testing.assert_array_equal(rows["choices"], np.array(order[30:10:-1], dtype=np.uint8))
        edge_tpu = rows["latency_ms/rice_edgetpu"]
        np.testing.assert_array_equal(np.isnan(edge_tpu), [i % 5 == 0 for i in range(20)])
        self.assertEqual(edge_tpu.attrs["n_failed"], 4)
        self.assertIn("rice_edgetpu: 4 of 20 measurements failed (-1), stored as NaN", said)
        self.assertEqual(rows["latency_ms/true_vpu"].attrs["duplicate_of"], "eagle_i7")
        self.assertNotIn("duplicate_of", rows["latency_ms/eagle_i7"].attrs)
        self.assertIn("true_vpu holds the same values as eagle_i7", said)

    def test_eagle_in_milliseconds_by_official_index(self) -> None:
        support.make_collection(self.data)
        file, said = self.imported()
        rows = file["spaces/nasbench201/eagle"]
        np.testing.assert_array_equal(rows["official_index"], np.arange(1, 40, 2))
        np.testing.assert_allclose(rows["latency_ms/desktop-cpu-core-i7-7820x-fp32"], np.arange(20, 0, -1))
        self.assertEqual(rows["latency_ms/desktop-cpu-core-i7-7820x-fp32"].attrs["precision"], "fp32")
        self.assertIn("nasbench201/eagle: 15605 of 15625 cells are missing", said)

    def test_metrics(self) -> None:
        support.make_collection(self.data)
        file, _ = self.imported()
        metrics = file["spaces/nasbench201/natsbench/metrics"]
        self.assertEqual(sorted(metrics), ["cifar10", "cifar100", "imagenet16_120"])
        np.testing.assert_allclose(metrics["cifar100"], 70 - np.arange(40) / 10)
        self.assertEqual((metrics["cifar10"].attrs["unit"], metrics["cifar10"].attrs["direction"]), ("%", "maximize"))

    def test_ofa_zeroes_what_is_not_used(self) -> None:
        support.make_collection(self.data)
        file, _ = self.imported()
        choices = file["spaces/ofa_mbv3/help/choices"]
        # k3_e3 k5_e4 k7_e6 k3_e4, each kernel with three expansions, behind "none"
        blocks = {2: [1, 5, 0, 0], 3: [1, 5, 9, 0], 4: [1, 5, 9, 2]}
        expected = [x for depth in (2, 3, 4, 2, 3) for x in blocks[depth]]
        np.testing.assert_array_equal(choices, [[19, *expected], [0, *expected]])
        self.assertIn("resolution", choices.attrs["decisions"])

    def test_clone_of_one_repository(self) -> None:
        rows = support.make_help_fbnet(self.data / "HELP" / "data" / "fbnet")
        file, _ = self.imported()
        np.testing.assert_array_equal(file["spaces/fbnet/help/choices"], rows)

    def test_folder_of_one_set(self) -> None:
        support.make_oneproxy(self.data, support.cells(20))
        file, _ = self.imported()
        self.assertEqual(list(file["spaces/nasbench201"]), ["oneproxy"])
        self.assertNotIn("official_index", file["spaces/nasbench201/oneproxy"])

    def test_eagle_alone_is_sorted_by_choices(self) -> None:
        order = support.cells(9)
        support.make_eagle(self.data, order)
        file, _ = self.imported()
        np.testing.assert_array_equal(file["spaces/nasbench201/eagle/choices"], sorted(order))

    def test_any_device(self) -> None:
        support.make_help_fbnet(self.data)
        support.save_torch(self.data / "latency" / "my-own.device_128.pt", support.latencies(12, 9))
        file, _ = self.imported()
        self.assertEqual(file["spaces/fbnet/help/latency_ms/my-own.device_128"].attrs["batch"], 128)

    def test_checksums_and_compression(self) -> None:
        support.make_collection(self.data)
        file, _ = self.imported()
        checked = []

        def check(name: str, item: object) -> None:
            if isinstance(item, h5py.Dataset):
                self.assertEqual(item.attrs["sha256"], hashlib.sha256(item[...].tobytes()).hexdigest(), name)
                self.assertEqual((item.compression, item.compression_opts, item.shuffle), ("gzip", 9, True))
                checked.append(name)

        file.visititems(check)
        self.assertGreater(len(checked), 15)

    def test_same_bytes_again(self) -> None:
        support.make_collection(self.data)
        self.imported()
        first = self.target.read_bytes()
        time.sleep(1.1)  # a stored time would differ
        self.imported()
        self.assertEqual(self.target.read_bytes(), first)

    def test_quiet(self) -> None:
        support.make_collection(self.data)
        self.assertEqual(self.imported("--quiet")[1], "")


class BadFiles(Folder):
    def setUp(self) -> None:
        super().setUp()
        support.make_collection(self.data)
        self.help = self.data / "help" / "nasbench201"
        self.device = self.help / "latency" / "gold_6226.pt"

    def test_truncated_zip(self) -> None:
        self.device.write_bytes(self.device.read_bytes()[:-30])
        self.assert_refused("gold_6226.pt", "truncated", "github.com/HayeonLee/HELP")

    def test_truncated_pickle(self) -> None:
        path = self.data / "oneproxy" / "latency_data" / "true_vpu.pickle"
        path.write_bytes(path.read_bytes()[:-20])
        self.assert_refused("true_vpu.pickle", "truncated")

    def test_empty_file(self) -> None:
        (self.data / "oneproxy" / "encode.pickle").write_bytes(b"")
        self.assert_refused("encode.pickle", "truncated")

    def test_damaged_bytes(self) -> None:
        raw = bytearray(self.device.read_bytes())
        raw[len(raw) // 3] ^= 0xFF
        self.device.write_bytes(raw)
        self.assert_refused("gold_6226.pt")

    def test_text_renamed(self) -> None:
        self.device.write_text("hello\n")
        self.assert_refused("gold_6226.pt", "not a zip archive of torch.save")

    def test_malicious_pickle_runs_nothing(self) -> None:
        sign = self.base / "ran"

        class Evil:
            def __reduce__(self) -> tuple[object, ...]:
                return os.system, (f"touch {sign}",)

        for path, save in (
            (self.device, support.save_torch),
            (self.data / "oneproxy" / "latency_data" / "true_vpu.pickle", support.save_pickle),
        ):
            good = path.read_bytes()
            save(path, [Evil()])
            self.assert_refused(path.name, "system")
            self.assertFalse(sign.exists())
            path.write_bytes(good)

    def test_object_scalar_is_refused(self) -> None:
        support.save_torch(self.device, [np.datetime64("2020-01-01")] * 40)
        self.assert_refused("gold_6226.pt", "kind")

    def test_wrong_length(self) -> None:
        support.save_torch(self.device, support.latencies(39, 3))
        self.assert_refused("gold_6226.pt", "39 latencies for 40 architectures")

    def test_wrong_types(self) -> None:
        for value, words in (
            ({"a": 1}, "holds a dict"),
            (["1.5"] * 40, "is a str"),
            ([[1.0]] * 40, "is a list"),
            ([True] * 40, "is a bool"),
            ([-1] * 40, "none of 40 measurements"),
        ):
            support.save_torch(self.device, value)
            self.assert_refused("gold_6226.pt", words)

    def test_operations_disagree_with_names(self) -> None:
        rows = [[0] * 22] * 12
        support.save_torch(self.data / "help" / "fbnet" / "arch.pt", rows)
        self.assert_refused("metainfo.pt", "disagrees")

    def test_architecture_out_of_range(self) -> None:
        support.save_torch(self.data / "help" / "fbnet" / "arch.pt", [[9] * 22] * 12)
        self.assert_refused("arch.pt", "0..8")

    def test_ofa_out_of_range(self) -> None:
        arch = {"ks": [9] * 20, "e": [3] * 20, "d": [2] * 5, "r": 128}
        support.save_torch(self.data / "help" / "ofa" / "ofa_archs.pt", {"arch": [arch]})
        self.assert_refused("ofa_archs.pt")

    def test_bad_csv(self) -> None:
        path = self.data / "natsbench" / "nats_bench.csv"
        good = path.read_text()
        for bad, words in (
            (good.replace("CIFAR100Test", "Cifar"), "no column CIFAR100TestAccuracy200Epochs"),
            (good.replace("90.0,", "190.0,"), "line 2: 190.0 is not a percentage"),
            (good.replace("none~0", "nothing~0"), "is not an edge from node 0"),
            (good[: len(good) - 30], "line 41"),
            (good + good.splitlines()[1] + "\n", "occurs twice"),
        ):
            path.write_text(bad)
            self.assert_refused("nats_bench.csv", words)

    def test_latencies_without_architectures(self) -> None:
        (self.help / "str_arch2idx.pt").unlink()
        self.assert_refused("latencies without their architectures", "str_arch2idx.pt")

    def test_architectures_without_latencies(self) -> None:
        for path in (self.help / "latency").iterdir():
            path.unlink()
        self.assert_refused("latency", "no *.pt file")

    def test_same_set_twice(self) -> None:
        support.make_help_fbnet(self.data / "copy")
        self.assert_refused("fbnet/help was found in")


class BadValues(Folder):
    def test_every_kind_of_failure(self) -> None:
        support.make_help_fbnet(self.data)
        values: list[float | None] = [-1, float("nan"), 0.0, float("inf"), None, *map(float, range(1, 8))]
        support.save_torch(self.data / "latency" / "pixel3.pt", values)
        file, said = self.imported()
        column = file["spaces/fbnet/help/latency_ms/pixel3"]
        np.testing.assert_array_equal(np.isnan(column), [True] * 5 + [False] * 7)
        self.assertEqual(column.attrs["n_failed"], 4)
        self.assertIn("pixel3: 4 of 12 measurements failed", said)
        self.assertIn("pixel3: 1 of 12 rows are missing", said)

    def test_near_duplicates_are_said_and_kept(self) -> None:
        support.make_help_fbnet(self.data)
        values = support.latencies(12, 4)
        support.save_torch(self.data / "latency" / "twin.pt", [2 * v for v in values])
        file, said = self.imported()
        self.assertIn("pixel3~twin 1.000", said)
        self.assertNotIn("duplicate_of", file["spaces/fbnet/help/latency_ms/twin"].attrs)

    def test_spearman_against_scipy(self) -> None:
        from scipy.stats import spearmanr

        rng = np.random.default_rng(1)
        for _ in range(5):
            x, y = rng.integers(0, 6, 30).astype(float), rng.normal(size=30)
            self.assertAlmostEqual(duplicates.spearman(x, y), spearmanr(x, y).statistic, places=12)
        self.assertTrue(np.isnan(duplicates.spearman(np.ones(4), np.arange(4.0))))

    def test_cell_string(self) -> None:
        for cell in support.cells(200, seed=3):
            self.assertEqual(nasbench201.choices_of(support.cell_string(cell)), cell)
        for bad in ("", "|none~0|", "|none~1|+|none~0|none~1|+|none~0|none~1|none~2|", "|none~0|+|none~0|+|none~0|"):
            with self.assertRaises(ValueError):
                nasbench201.choices_of(bad)


class Writing(Folder):
    def setUp(self) -> None:
        super().setUp()
        support.make_help_fbnet(self.data)

    def test_empty_folder_names_what_was_looked_for(self) -> None:
        self.data = self.base / "empty"
        self.data.mkdir()
        self.assert_refused("nothing to import", "str_arch2idx.pt", "nats_bench.csv", "encode.pickle")

    def test_no_folder(self) -> None:
        self.data = self.base / "nowhere"
        self.assert_refused("there is no such folder")

    def test_foreign_target_is_kept(self) -> None:
        self.target.write_text("precious")
        self.assert_refused("is no oneproxy store", "--force")
        self.assertEqual(self.target.read_text(), "precious")
        self.imported("--force")

    def test_own_store_is_replaced(self) -> None:
        self.imported()
        support.save_torch(self.data / "latency" / "second.pt", support.latencies(12, 8))
        file, _ = self.imported()
        self.assertIn("second", file["spaces/fbnet/help/latency_ms"])

    def test_unwritable_target(self) -> None:
        self.target = self.base / "no" / "such" / "folder" / "store.h5"
        self.assert_refused("not there or not writable")
        self.target = self.data
        self.assert_refused("is a folder")
        if Path("/proc/self").exists():  # where even root can not write
            self.target = Path("/proc/store.h5")
            self.assert_refused("/proc/store.h5")

    def test_interrupted_write_leaves_the_old_store(self) -> None:
        self.imported()
        before = self.target.read_bytes()
        for failure in (KeyboardInterrupt, SystemExit(143), OSError(28, "No space left on device")):
            for place in ("os.fsync", "os.replace"):
                with (
                    mock.patch(place, side_effect=failure),
                    self.assertRaises((KeyboardInterrupt, SystemExit, DataError)),
                ):
                    store.write([], [], self.target, force=False)
                self.assertEqual(self.target.read_bytes(), before)
                self.assertEqual(sorted(p.name for p in self.base.iterdir()), ["data", "store.h5"])

    def test_signals_leave_nothing(self) -> None:
        fifo = self.data / "latency" / "slow.pt"
        os.mkfifo(fifo)  # the importer waits for its first byte
        for number in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen(
                [
                    sys.executable,
                    str(support.TOOLS / "import_datasets.py"),
                    "--from",
                    str(self.data),
                    "--to",
                    str(self.target),
                ],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            assert process.stdout is not None
            process.stdout.readline()  # "reading ..."
            time.sleep(0.2)
            process.send_signal(number)
            _, errors = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 128 + number)
            self.assertIn("interrupted", errors)
            self.assertEqual([p.name for p in self.base.iterdir()], ["data"])


class Starting(unittest.TestCase):
    def test_help(self) -> None:
        run = support.run_tool("import_datasets.py", "--help")
        self.assertEqual(run.returncode, 0)
        for word in ("--from", "--to", "--force", "HELP", "OneProxy"):
            self.assertIn(word, run.stdout)

    def test_missing_argument(self) -> None:
        self.assertEqual(support.run_tool("import_datasets.py").returncode, 2)

    def test_python_without_packages_finds_the_venv_or_says_so(self) -> None:
        """`-S` hides the installed packages; the copy of the tools has no build/venv beside it."""
        with tempfile.TemporaryDirectory() as base:
            subprocess.run(["cp", "-r", str(support.TOOLS), f"{base}/tools"], check=True)
            run = subprocess.run(
                [sys.executable, "-S", "-E", f"{base}/tools/import_datasets.py", "--help"],
                capture_output=True,
                text=True,
            )
        self.assertEqual(run.returncode, 1)
        self.assertIn("run tools/quickstart or tools/test first", run.stderr)
        self.assertEqual(run.stderr.count("\n"), 1)
        if (support.ROOT / "build" / "venv" / "bin" / "python").exists():
            run = subprocess.run(
                [sys.executable, "-S", "-E", str(support.TOOLS / "import_datasets.py"), "--help"],
                capture_output=True,
                text=True,
            )
            self.assertEqual(run.returncode, 0, run.stderr)


class NamesOfDevices(unittest.TestCase):
    def test_devices_of_the_store_have_names_of_their_own(self) -> None:
        with h5py.File(SHIPPED, "r") as file:
            for space, sets in file["spaces"].items():
                for name, group in sets.items():
                    columns = group.get("latency_ms", {})
                    names = [columns[device].attrs.get("long_name", "") for device in columns]
                    self.assertNotIn("", names, f"{space}/{name}")
                    self.assertEqual(len(set(names)), len(names), f"{space}/{name}")
            self.assertEqual(file["spaces/fbnet/help/latency_ms/raspi4"].attrs["long_name"], "Raspberry Pi 4")

    def test_names_of_devices(self) -> None:
        self.assertEqual(device_names.long_name("2080ti_32", 32), "GeForce RTX 2080 Ti (batch 32)")
        self.assertEqual(device_names.long_name("essential_ph_1", 0), "Essential PH-1")
        self.assertEqual(device_names.long_name("toaster_32", 32), "")


@unittest.skipUnless(public_data(), "no folder of the public files: set ONEPROXY_DATA")
class PublicData(Folder):
    def test_shipped_store_is_what_the_importer_makes(self) -> None:
        self.data = public_data()
        made, said = self.imported()
        self.assertIn("rice_edgetpu: 259 of 1999 measurements failed (-1), stored as NaN", said)
        with h5py.File(SHIPPED, "r") as shipped:
            self.assertEqual(content(made), content(shipped))
        self.assertLessEqual(SHIPPED.stat().st_size, 5_000_000)

    def test_sets_agree_where_they_overlap(self) -> None:
        self.data = public_data()
        file, _ = self.imported()
        space = file["spaces/nasbench201"]
        index = space["oneproxy/official_index"][:]
        for device in ("eyeriss", "fpga", "pixel3", "raspi4"):
            np.testing.assert_array_equal(
                space[f"help/latency_ms/{device}"][:][index], space[f"oneproxy/latency_ms/rice_{device}"][:]
            )
        place = {int(i): row for row, i in enumerate(space["eagle/official_index"])}
        eagle = space["eagle/latency_ms/desktop-cpu-core-i7-7820x-fp32"][:]
        np.testing.assert_allclose(
            eagle[[place[int(i)] for i in index]], space["oneproxy/latency_ms/eagle_i7"], rtol=1e-12
        )
        np.testing.assert_array_equal(space["natsbench/choices"], space["help/choices"])


def content(file: h5py.File) -> dict[str, object]:
    """Everything in a store but the way it is packed."""
    found: dict[str, object] = {"/": dict(file.attrs)}

    def add(name: str, item: h5py.Group | h5py.Dataset) -> None:
        values = (item.shape, item.dtype.str, item[...].tobytes()) if isinstance(item, h5py.Dataset) else ()
        found[name] = (dict(item.attrs), values)

    file.visititems(add)
    return found


if __name__ == "__main__":
    unittest.main()
