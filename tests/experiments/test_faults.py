"""Bad input and bad luck: one clear line, an exit status, nothing half written, nothing lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

import h5py

sys.path.insert(0, str(Path(__file__).parent))
from support import CONFIGS, HANG, PROGRAM, STORE, ProgramCase, config, environment, sets  # noqa: E402

MONOTONICITY = config("nasbench201", "monotonicity")
ADAPROXY = config("nasbench201", "adaproxy")
PARETO = config("nasbench201", "front_transfer")
SEARCH = config("nasbench201", "search")
SEARCHERS = config("nasbench201", "searchers")
MINIMAL = 'kind = "monotonicity"\nspace = "nasbench201"\nset = "help"\ndevices = ["fpga", "pixel3"]\nresamples = 5\n'


class TestConfiguration(ProgramCase):
    def faulty(self, text: str, *says: str) -> None:
        """A configuration file that must be refused, by run and by check alike."""
        (self.folder / "c.toml").write_text(text)
        for command in ("run", "check"):
            self.fault(command, "c.toml", says=says)

    def test_the_minimal_configuration_is_valid(self) -> None:
        (self.folder / "c.toml").write_text(MINIMAL)
        self.run_config(Path("c.toml"))

    def test_the_line_of_the_fault_is_named(self) -> None:
        self.faulty(MINIMAL + "\ntreshold = 0.8\n", "c.toml:7", "treshold", "nearest: threshold")
        self.faulty(MINIMAL + 'threshold = "high"\n', "c.toml:6", "threshold", "number")
        self.faulty(MINIMAL + "threshold = 1.5\n", "c.toml:6", "1.5", "between 0 and 1")
        self.faulty(MINIMAL + "architectures = 2.5\n", "c.toml:6", "integer")
        self.faulty(MINIMAL + "seed = -1\n", "c.toml:6", "seed")
        self.faulty(MINIMAL + "name = 3\n", "c.toml:6", "text")
        self.faulty(MINIMAL + 'name = "a/b"\n', "c.toml:6", "a/b")
        self.faulty(MINIMAL + 'backend = "gpu"\n', "c.toml:6", "auto, cpu, cuda")
        self.faulty(MINIMAL + "threshold = nan\n", "c.toml:6", "between 0 and 1")
        self.faulty(MINIMAL + "[threshold]\nx = 1\n", "c.toml:6", "number")
        self.faulty(MINIMAL + "seed = 1\nseed = 2\n", "c.toml:7", "TOML")
        self.faulty(MINIMAL.replace('"help"', '"help'), "c.toml:3", "TOML")
        self.faulty(MINIMAL.replace('kind = "monotonicity"', 'kind = "monotony"'), "c.toml:1", "monotonicity")
        self.faulty(MINIMAL.replace('kind = "monotonicity"\n', ""), "c.toml", "kind", "missing")
        self.faulty(MINIMAL.replace('space = "nasbench201"\n', ""), "c.toml", "space", "missing")
        self.faulty("", "c.toml", "kind", "missing")

    def test_names_that_are_not_there(self) -> None:
        cases = (
            (MONOTONICITY, {"devices": ["pixel33"]}, ("pixel33", "nearest: pixel3")),
            (MONOTONICITY, {"devices": "model:mac"}, ("model:mac", "model:macs")),
            (MONOTONICITY, {"devices": "eagle:desktop"}, ("desktop-cpu-core-i7-7820x-fp32",)),
            (MONOTONICITY, {"devices": "eagel:x"}, ("eagel", "nearest: eagle")),
            (MONOTONICITY, {"kind": "monotony"}, ("monotonicity",)),
            (MONOTONICITY, {"space": "nasbench"}, ("nearest: accel_nasbench, nasbench201",)),
            (MONOTONICITY, {"set": "halp"}, ("nearest: help",)),
            (MONOTONICITY, {"geometry": "cifar"}, ("nearest: cifar10",)),
            (MONOTONICITY, {"treshold": 0.5}, ("--set treshold=0.5", "nearest: threshold")),
            (MONOTONICITY, {"a.b": 1}, ("unknown key 'a'",)),
            (ADAPROXY, {"proxy": "titan_rtx"}, ("proxy", "titan_rtx_1")),
            (ADAPROXY, {"targets": "titan_rtx_1"}, ("targets", "titan_rtx_1")),
            (PARETO, {"quality": "metric:natsbench:cifar"}, ("nearest: metric:natsbench:cifar10",)),
            (PARETO, {"quality": "metric:cifar10"}, ("metric:natsbench:cifar10",)),
            (PARETO, {"targets": "true_vpu"}, ("targets", "true_vpu")),
            (SEARCH, {"latency": "device:pixle3"}, ("nearest: pixel3",)),
            (SEARCH, {"latency": "pixel3"}, ("device:NAME",)),
            (SEARCHERS, {"methods": ["random", "random"]}, ("methods", '"random" is there twice')),
            (SEARCHERS, {"methods": []}, ("methods", "at least one method")),
            (SEARCHERS, {"methods": ["evolve"]}, ('"evolve": unknown search method',)),
            (SEARCHERS, {"methods": ["random: sample = 5"]}, ("unknown key 'sample'", "samples")),
            (SEARCHERS, {"methods": ["exact"]}, ("no budget of evaluations",)),
            (SEARCHERS, {"limits_ms": [5], "best_known": [1, 2]}, ("2 values for 1 limit",)),
            (SEARCHERS, {"latencies": []}, ("latencies: give at least one",)),
            (SEARCH, {"method": "greedy"}, ("exhaustive, exact, annealing, evolutionary",)),
        )
        for path, values, says in cases:
            with self.subTest(**values):
                self.fault("run", path, *sets(**values), says=says)

    def test_values_out_of_place(self) -> None:
        cases = (
            (ADAPROXY, {"p": 3}, ("1, 2, inf",)),
            (ADAPROXY, {"samples_train": 0}, ("samples_train", "integer between")),
            (ADAPROXY, {"samples_train": 500}, ("samples_max",)),
            (ADAPROXY, {"samples_train": 20000, "threshold": 0}, ("15625", "20010", "measure more")),
            (PARETO, {"samples_train": 20000}, ("15625", "20010", "measure more")),
            (ADAPROXY, {"curve": ["x"]}, ("curve",)),
            (PARETO, {"limits": -1}, ("limits",)),
            (MONOTONICITY, {"architectures": 20000}, ("architectures", "15625")),
            (MONOTONICITY, {"store": "none.h5"}, ("none.h5", "no such file")),
            (SEARCH, {"population": 1}, ("population",)),
            (config("fbnet", "search"), {"method": "exhaustive"}, ("984770902183611232881", "evolutionary")),
        )
        for path, values, says in cases:
            with self.subTest(**values):
                self.fault("run", path, *sets(**values), says=says)
        self.fault("run", MONOTONICITY, "--set", "threshold", says=("key=value",))

    def test_fewer_measurements_than_asked(self) -> None:
        few = sets(set="oneproxy", proxy="true_vpu", targets="rice_edgetpu", samples_train=1800, threshold=0)
        self.fault("run", ADAPROXY, *few, says=("rice_edgetpu", "1740", "1810"))

    def test_no_such_configuration(self) -> None:
        self.fault("run", "none.toml", says=("none.toml", "oneproxy list"))
        self.fault("run", ".", says=("folder",))
        self.fault("check", "none.toml", says=("none.toml",))
        self.fault("list", "monotony", says=("nearest: monotonicity",))
        self.fault("export", "none", says=("none",))
        self.fault("export", ".", says=("DONE",))

    def test_architectures_that_are_none(self) -> None:
        for arguments in (("--index", "15625"), ("--index", "x"), ("--official", "15625"), ("1,2,3",), ("|x~0|",)):
            self.fault("arch", "--space", "nasbench201", *arguments)
        self.fault("arch", "--space", "fbnet", "--index", str(9**22), says=(str(9**22),))

    def test_cuda_where_there_is_none(self) -> None:
        version = self.ok("--version")
        if "device: none" not in version:
            self.skipTest(version.strip())
        line = self.fault("run", MONOTONICITY, *sets(backend="cuda"), says=("cuda", 'backend = "cpu"'))
        self.assertRegex(line, "ONEPROXY_CUDA=ON|driver|GPU")
        self.ok("run", MONOTONICITY, *sets(backend="auto", devices=["fpga", "pixel3"]))

    def test_cuda_for_a_kind_that_has_no_cuda_code(self) -> None:
        few_shot = CONFIGS / "few_shot" / "smoke_nasflat_tasks.toml"
        for command in ("run", "check"):
            self.fault(command, few_shot, *sets(backend="cuda"), says=("few_shot", "CPU only", 'backend = "cpu"'))


class TestStore(ProgramCase):
    """A store that is not one, or not whole any more."""

    def setUp(self) -> None:
        super().setUp()
        self.store = self.folder / "mine.h5"

    def refused(self, *says: str) -> None:
        self.fault("run", MONOTONICITY, *sets(store="mine.h5", devices=["fpga", "pixel3"]), says=("mine.h5", *says))

    def test_truncated(self) -> None:
        whole = STORE.read_bytes()
        for length in (0, 3, 100, 2048, len(whole) // 2, len(whole) - 1):
            with self.subTest(length=length):
                self.store.write_bytes(whole[:length])
                self.refused()
                self.fault("info", "mine.h5", says=("mine.h5",))

    def test_foreign(self) -> None:
        self.store.write_text("arch,latency_ms\n")
        self.refused("HDF5")
        with h5py.File(self.store, "w") as file:
            file["data"] = [1, 2, 3]
        self.refused("not a store")
        self.fault("info", "mine.h5", says=("not a store",))
        self.store.unlink()
        self.store.mkdir()
        self.refused()

    def test_newer_schema(self) -> None:
        shutil.copy(STORE, self.store)
        with h5py.File(self.store, "r+") as file:
            file.attrs["schema_version"] = 99
        self.refused("schema 99", "newer")

    def test_damaged_column(self) -> None:
        shutil.copy(STORE, self.store)
        with h5py.File(self.store, "r+") as file:
            file["spaces/nasbench201/help/latency_ms/pixel3"][7] += 1e-9
        self.refused("pixel3", "checksum")
        # Who does not need the column is not held up.
        self.ok("run", MONOTONICITY, *sets(store="mine.h5", devices=["fpga", "raspi4"]))

    def test_damaged_choices_and_bytes(self) -> None:
        shutil.copy(STORE, self.store)
        with h5py.File(self.store, "r+") as file:
            choices = file["spaces/nasbench201/help/choices"]
            choices[3, 3] = (choices[3, 3] + 1) % 5
        self.refused("choices", "checksum")
        with h5py.File(STORE) as file:
            chunk = file["spaces/nasbench201/help/latency_ms/pixel3"].id.get_chunk_info(0)
        raw = bytearray(STORE.read_bytes())
        raw[chunk.byte_offset + chunk.size // 2] ^= 0xFF  # a flipped byte within the compressed numbers
        self.store.write_bytes(raw)
        self.refused("pixel3")

    def test_no_checksum_and_parts_missing(self) -> None:
        shutil.copy(STORE, self.store)
        with h5py.File(self.store, "r+") as file:
            del file["spaces/nasbench201/help/latency_ms/pixel3"].attrs["sha256"]
        self.refused("pixel3", "checksum")
        shutil.copy(STORE, self.store)
        with h5py.File(self.store, "r+") as file:
            del file["spaces/nasbench201/help/choices"]
        self.refused()

    def test_import_refuses_a_foreign_store(self) -> None:
        (self.folder / "a.csv").write_text('arch,latency_ms\n"0,0,0,0,0,1",1\n')
        with h5py.File(self.store, "w") as file:
            file["data"] = [1, 2, 3]
        before = self.store.read_bytes()
        add = ("import", "--space", "nasbench201", "--device", "p", "a.csv")
        self.fault(*add, "--store", "mine.h5", says=("mine.h5",))
        self.assertEqual(self.store.read_bytes(), before)


class TestNoPlace(ProgramCase):
    """Folders that can not be written, disks that are full."""

    def test_output_below_a_file(self) -> None:
        (self.folder / "file").write_text("")
        self.fault("run", MONOTONICITY, "--out", "file/results", says=("file/results", "--out"))

    @unittest.skipIf(os.geteuid() == 0, "root writes everywhere")
    def test_read_only_folder(self) -> None:
        folder = self.folder / "closed"
        folder.mkdir()
        folder.chmod(0o555)
        self.addCleanup(folder.chmod, 0o755)
        self.fault("run", MONOTONICITY, "--out", "closed", says=("closed", "--out"))

    def test_full_disk(self) -> None:
        kept = self.run_config(PARETO, *sets(targets="fpga"))
        marks = {p.name: p.stat().st_mtime_ns for p in kept.folder.iterdir()}
        for limit in (0, 200, 5000, 100_000, 400_000):
            with self.subTest(limit_bytes=limit):
                again = ("run", PARETO, *sets(targets="fpga"), "--force")
                self.fault(*again, limit_bytes=limit, says=("written", "full"))
                self.assertEqual({p.name: p.stat().st_mtime_ns for p in kept.folder.iterdir()}, marks)

    def test_full_disk_while_exporting(self) -> None:
        result = self.run_config(PARETO, *sets(targets="fpga"))
        self.fault("export", result.folder, "--csv", limit_bytes=1000, says=("full",))

    def test_full_disk_while_importing(self) -> None:
        (self.folder / "a.csv").write_text('arch,latency_ms\n"0,0,0,0,0,1",1\n')
        add = ("import", "--space", "nasbench201", "--device", "p", "a.csv")
        self.fault(*add, limit_bytes=1_000_000, says=("my_store.h5",))
        self.ok(*add)
        before = (self.folder / "my_store.h5").read_bytes()
        for limit in (1_000_000, len(before) - 100, len(before) + 1):
            self.fault(*add[:4], "q", "a.csv", limit_bytes=limit, says=("my_store.h5",))
            self.assertEqual((self.folder / "my_store.h5").read_bytes(), before)

    @unittest.skipUnless(Path("/dev/full").exists(), "needs /dev/full")
    def test_standard_output_is_full(self) -> None:
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run(
                [str(PROGRAM), "list"], stdout=full, stderr=subprocess.PIPE, text=True, env=environment(), timeout=HANG
            )
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^oneproxy: error: standard output .*\n$")


class TestInterrupt(ProgramCase):
    """Ctrl-C and a polite kill in mid-run."""

    LONG = {
        "bootstrap": (MONOTONICITY, sets(architectures=0, resamples=100000)),
        "trials": (ADAPROXY, sets(set="oneproxy", proxy="true_vpu", targets="all", trials=4000)),
        "evolution": (config("fbnet", "search"), sets(generations=1000000, population=200)),
        "reproduction": (config("", "reproduce_nb201"), sets(trials=1500)),
    }

    def interrupt(self, case: str, number: int, *arguments: str) -> tuple[int, str, Path]:
        """Exit status, standard error and the place where the result would have come."""
        path, settings = self.LONG[case]
        before = self.files()
        running = subprocess.Popen(
            [str(PROGRAM), "run", str(path), *settings, *arguments],
            cwd=self.folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        log: list[Path] = []
        while not log and running.poll() is None:  # until its folder is there
            time.sleep(0.02)
            log = list(self.folder.glob("results/*/.*/run.log"))
        time.sleep(0.2)
        running.send_signal(number)
        out, err = running.communicate(timeout=HANG)
        self.assertEqual(out, "")
        if "keeps what was done" in err:  # trials: those that are done stay
            before |= {p for p in self.files() if str(p).endswith(".checkpoint")}
        self.assertEqual(self.files(), before, "a partial result is left")
        work = log[0].parent
        return running.returncode, err, work.with_name(work.name.removeprefix(".").split(".partial")[0])

    def test_control_c(self) -> None:
        for case in self.LONG:
            with self.subTest(case=case):
                code, err, _ = self.interrupt(case, signal.SIGINT)
                self.assertEqual(code, 130)
                self.assertIn("interrupted", err.splitlines()[-1])
                self.assertEqual("keeps what was done" in err, case == "trials")

    def test_termination(self) -> None:
        code, err, _ = self.interrupt("trials", signal.SIGTERM)
        self.assertIn(code, (130, 143))
        self.assertIn("interrupted", err.splitlines()[-1])

    def test_an_older_result_survives(self) -> None:
        *_, place = self.interrupt("bootstrap", signal.SIGINT)
        place.mkdir(parents=True)
        for name in ("DONE", "report.md"):
            (place / name).write_text("an older result")
        code, _, again = self.interrupt("bootstrap", signal.SIGINT, "--force")
        self.assertEqual((code, again), (130, place))
        self.assertEqual((place / "report.md").read_text(), "an older result")


if __name__ == "__main__":
    unittest.main()
