"""Shards, merge and ranks of mpirun, from outside: the bits of one process, whoever did the work; and bad input."""

import os
import random
import re
import shutil
import signal
import subprocess
import time
import unittest
from pathlib import Path

import h5py
import numpy as np

from support import PROGRAM, ProgramCase, environment

SEARCH = ("search", "--space", "nasbench201", "--latency", "proxy:pixel3", "--quality", "model:macs", "--method",
          "exhaustive", "--limits", "4,5", "--best", "3")  # fmt: skip
SAMPLE = ("search", "--space", "fbnet", "--latency", "proxy:raspi4", "--quality", "model:macs", "--method", "exhaustive",
          "--set", "shuffled=true", "--limits", "20,30")  # fmt: skip
TRIALS = {
    "adaproxy": ("run", "nasbench201/smoke_adaproxy"),
    "few_shot": ("run", "few_shot/smoke_nasflat_tasks"),
    "proxy_sweep": ("run", "proxy_sweep/smoke_oneproxy"),
    "searchers": ("run", "nasbench201/smoke_searchers"),
}
TIMES = re.compile(r"time|seconds|_ms$")


def arrays(folder: Path) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    with h5py.File(folder / "arrays.h5") as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


class SharedCase(ProgramCase):
    def folder_of(self, output: str) -> Path:
        return self.folder / output.strip().splitlines()[-1]

    def expect_same(self, one: Path, other: Path) -> None:
        lines = [[x for x in (p / "summary.json").read_text().splitlines() if not TIMES.search(x)] for p in (one, other)]
        self.assertEqual(*lines)
        first, second = arrays(one), arrays(other)
        self.assertEqual(first.keys(), second.keys())
        for name, values in first.items():
            if not TIMES.search(name):
                np.testing.assert_array_equal(values, second[name], name)

    def shards(self, command: tuple[str, ...], n: int, out: str, *more: str) -> list[str]:
        return [self.ok(*command, "--out", out, *more, "--shard", f"{i}/{n}").strip() for i in range(1, n + 1)]

    def merged(self, files: list[str], *more: str) -> Path:
        files = list(files)
        random.Random(1).shuffle(files)
        return self.folder_of(self.ok("merge", *files, *more))

    def bad(self, *arguments: str, says: tuple[str, ...]) -> None:
        done = self.program(*arguments)
        self.assertIn(done.returncode, (1, 2), arguments)
        errors = [line for line in done.stderr.splitlines() if line.startswith("oneproxy: error: ")]
        self.assertEqual(errors, done.stderr.splitlines()[-1:], "one line, the last")
        for word in says:
            self.assertIn(word, errors[0])


class TestShards(SharedCase):
    def test_searches_have_the_bits_of_one_process(self) -> None:
        for name, command in {"all": SEARCH, "sample": (*SAMPLE, "--set", "count=300000")}.items():
            one = self.folder_of(self.ok(*command, "--out", "one"))
            for n in (2, 5):
                with self.subTest(search=name, shards=n):
                    self.expect_same(one, self.merged(self.shards(command, n, f"of{n}")))

    def test_trials_have_the_bits_of_one_process(self) -> None:
        for kind, command in TRIALS.items():
            one = self.folder_of(self.ok(*command, "--out", "one"))
            for n in (2, 7):
                with self.subTest(kind=kind, shards=n):
                    self.expect_same(one, self.merged(self.shards(command, n, f"of{n}")))

    def test_scores_have_the_bits_of_one_process(self) -> None:
        plain = ("score", "--space", "nasbench201", "--predictor", "proxy:pixel3", "--predictor", "model:macs")
        for ending in ("csv", "npy"):
            for more in ((), ("--top", "50"), ("--shuffled", "--count", "1000")):
                with self.subTest(ending=ending, more=more):
                    self.ok(*plain, *more, "--out", f"one.{ending}", "--force")
                    files = [self.ok(*plain, *more, "--out", f"all.{ending}", "--force", "--shard", f"{i}/3").strip()
                             for i in (1, 2, 3)]  # fmt: skip
                    self.ok("merge", *reversed(files), "--force")
                    self.assertEqual(
                        (self.folder / f"all.{ending}").read_bytes(), (self.folder / f"one.{ending}").read_bytes()
                    )

    def test_a_finished_shard_is_not_run_again(self) -> None:
        (file, *_) = self.shards(SEARCH, 2, "results")
        before = (self.folder / file).stat().st_mtime_ns
        self.shards(SEARCH, 2, "results")
        self.assertEqual((self.folder / file).stat().st_mtime_ns, before)

    def test_bad_input(self) -> None:
        for shard, word in (("5/4", "no shard 5 of 4"), ("0/4", "i/n"), ("x", "i/n")):
            self.bad(*SEARCH, "--shard", shard, says=(shard, word))
        self.bad(*SEARCH[:7], "--method", "evolutionary", "--shard", "1/2", says=("evolutionary", "exhaustive"))
        self.bad("run", "nasbench201/smoke_monotonicity", "--shard", "1/2", says=("does not share",))
        files = self.shards(SEARCH, 4, "results")
        self.bad("merge", *files[:3], says=("of 4 shards 4 is missing", "--shard 4/4"))
        self.bad("merge", files[0], says=("2-4 are missing",))
        shutil.copy(self.folder / files[1], self.folder / "again.h5")
        self.bad("merge", *files, "again.h5", says=("again.h5", "both shard 2/4", "once"))
        other = self.shards((*SEARCH, "--set", "seed=2"), 4, "results")
        self.bad("merge", files[0], *other[1:], says=("different runs", "seed"))
        self.bad("merge", files[0], *self.shards(SEARCH, 3, "three")[1:], says=("shards",))
        (self.folder / "text.h5").write_text("not HDF5")
        self.bad("merge", "text.h5", says=("text.h5",))
        data = (self.folder / files[2]).read_bytes()
        (self.folder / files[2]).write_bytes(data[: len(data) // 2])
        self.bad("merge", *files, says=(files[2],))
        (self.folder / files[2]).write_bytes(data)
        with h5py.File(self.folder / files[2], "a") as file:
            file.attrs["version"] = "0.0.9"
        self.bad("merge", *files, says=("0.0.9",))

    def test_a_killed_shard_goes_on(self) -> None:
        command = (*SAMPLE, "--set", "count=20000000", "--set", "checkpoint_seconds=0.05", "--threads", "1")
        arguments = ["--threads", "1", *command[:-2]]
        one = self.folder_of(self.ok(*arguments, "--out", "one"))
        first = [str(PROGRAM), *arguments, "--out", "parts", "--shard", "1/2"]
        running = subprocess.Popen(first, cwd=self.folder, env=environment(), stdout=-3, stderr=-3)
        while not list(self.folder.glob("parts/search/*.shard-1-of-2.h5")) and running.poll() is None:
            time.sleep(0.005)
        running.send_signal(signal.SIGKILL)
        running.wait()
        second = self.ok(*arguments, "--out", "parts", "--shard", "2/2").strip()
        left = str(next(self.folder.glob("parts/search/*.shard-1-of-2.h5")).relative_to(self.folder))
        if running.returncode == -signal.SIGKILL:
            self.bad("merge", left, second, says=("shard 1/2 is not finished", "run it again"))
        self.ok(*arguments, "--out", "parts", "--shard", "1/2")
        self.expect_same(one, self.merged([left, second]))


@unittest.skipUnless(shutil.which("mpirun"), "no mpirun")
class TestRanks(SharedCase):
    MPI = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}

    def test_ranks_that_see_other_data_or_settings_are_named(self) -> None:
        rows = "\n".join(f"|{o}~0|+|none~0|{o}~1|+|none~0|none~1|{o}~2|,{t}" for o, t in
                         (("nor_conv_1x1", 2.5), ("nor_conv_3x3", 4.5), ("avg_pool_3x3", 3.5)))  # fmt: skip
        (self.folder / "a").mkdir()
        (self.folder / "mine.csv").write_text("arch,latency_ms\n" + rows + "\n")
        self.ok("import", "--space", "nasbench201", "--device", "mine", "mine.csv", "--store", "a/s.h5")
        shutil.copytree(self.folder / "a", self.folder / "b")
        (self.folder / "mine.csv").write_text("arch,latency_ms\n" + rows.replace("2.5", "2.6") + "\n")
        self.ok("import", "--space", "nasbench201", "--device", "other", "mine.csv", "--store", "b/s.h5")
        launch = ["mpirun", "--oversubscribe", "--bind-to", "none"]
        command = [str(PROGRAM), *SEARCH]
        for name, one, other in (
            ("settings", command, [*command, "--set", "best=4"]),
            ("data", ["-wdir", "a", *command, "--set", "store=s.h5"], ["-wdir", "b", *command, "--set", "store=s.h5"]),
        ):
            with self.subTest(name):
                done = subprocess.run(
                    [*launch, "-n", "1", *one, ":", "-n", "1", *other],
                    cwd=self.folder, env={**environment(), **self.MPI}, capture_output=True, text=True, timeout=120,
                )  # fmt: skip
                self.assertNotEqual(done.returncode, 0)
                self.assertIn("see different settings or data", done.stderr)
                self.assertEqual(list(self.folder.glob("**/results/*/*")), [])

    def setUp(self) -> None:
        super().setUp()
        if "MPI: compiled" not in self.ok("--version"):
            self.skipTest("built without MPI")

    def ranks(self, n: int, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(n), str(PROGRAM), *arguments],
            cwd=self.folder, env={**environment(), **self.MPI}, capture_output=True, text=True, timeout=300,
        )  # fmt: skip

    def test_ranks_have_the_bits_of_one_process(self) -> None:
        for command in ((*SAMPLE, "--set", "count=2000000"), TRIALS["adaproxy"]):
            one = self.folder_of(self.ok(*command, "--out", "one"))
            for n in (2, 3):
                with self.subTest(command=command[1], ranks=n):
                    done = self.ranks(n, *command, "--out", f"of{n}")
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertEqual(len(done.stdout.strip().splitlines()), 1, done.stdout)
                    self.expect_same(one, self.folder_of(done.stdout))
                    self.assertFalse([p for p in self.files() if "checkpoint" in str(p)])
                    again = self.ranks(n, *command, "--out", f"of{n}")
                    self.assertIn("finished already", again.stderr)

    def test_what_does_not_share_is_refused(self) -> None:
        for arguments, says in (
            (("list",), "does not share"),
            (("run", "nasbench201/smoke_monotonicity"), "does not share"),
            ((*SEARCH, "--shard", "1/2"), "take one of them"),
        ):
            done = self.ranks(2, *arguments)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(says, done.stderr)

    def test_killed_ranks_go_on_with_another_number(self) -> None:
        command = (*SAMPLE, "--set", "count=20000000", "--set", "checkpoint_seconds=0.05")
        one = self.folder_of(self.ok(*command, "--out", "one"))
        running = subprocess.Popen(
            ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", "3", str(PROGRAM), *command, "--out", "many"],
            cwd=self.folder, env={**environment(), **self.MPI, "ONEPROXY_THREADS": "1"}, stdout=-3, stderr=-3,
        )  # fmt: skip
        while not list(self.folder.glob("many/search/*.checkpoint*")) and running.poll() is None:
            time.sleep(0.005)
        ranks = subprocess.run(["pgrep", "-P", str(running.pid)], capture_output=True, text=True).stdout.split()
        if ranks:
            os.kill(int(ranks[-1]), signal.SIGKILL)
        running.wait(60)
        done = self.ranks(2, *command, "--out", "many")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.expect_same(one, self.folder_of(done.stdout))
        self.assertFalse([p for p in self.files() if "checkpoint" in str(p)], "left behind")


if __name__ == "__main__":
    unittest.main()
