"""Files that others use at the same time, reach by links, or protect: locks, leftovers, links, modes, the disk."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from aftermath import finish, leftovers, result_contents, results, start, wait_for  # noqa: E402
from own_devices import IMPORT, PREDICTOR, STORE, OwnDevices  # noqa: E402
from support import HANG, PROGRAM, SOURCES, config, environment, sets  # noqa: E402

ENDLESS = ("run", config("fbnet", "search"), *sets(generations=10**6, population=200))
LOCK = f".{STORE}.lock"


def dead_pid() -> int:
    """The PID of a process that has ended."""
    done = subprocess.Popen(["true"])
    done.wait()
    return done.pid


class TestAtOnce(OwnDevices):
    """The short form of long_races.py."""

    def test_eight_parallel_imports_are_all_there(self) -> None:
        devices = [f"user:{name}" for name in "abcde"] + ["own:f", "own:g"]
        commands = [self.import_of(device, set_name) for set_name, device in (name.split(":") for name in devices)]
        commands.append((*IMPORT, "--predictor", PREDICTOR, "--name", "net"))
        self.all_succeed([start(self.folder, *command) for command in commands])
        self.check_store(devices)
        self.assertIn("| net ", self.ok("info", STORE))

    def test_imports_of_one_device_at_once_leave_the_values_of_one_of_them(self) -> None:
        same, columns = [], []
        for _ in range(3):
            same.append(self.import_of("same"))
            columns.append(dict(self.measured["user:same"]))
            shutil.move(self.folder / "user_same.csv", self.folder / f"same_{len(same)}.csv")
            same[-1] = (*same[-1][:-1], f"same_{len(same)}.csv")
        self.all_succeed([start(self.folder, *add) for add in (*same, *map(self.import_of, "abc"))])
        del self.measured["user:same"]
        self.check_store([f"user:{name}" for name in "abc"])
        with h5py.File(self.store) as file:
            latency = file["spaces/nasbench201/user/latency_ms/same"][()]
            cells = file["spaces/nasbench201/user/choices"][()].tolist()
        found = {tuple(c): v for c, v in zip(cells, latency.tolist()) if not np.isnan(v)}
        self.assertIn(found, columns)

    def test_two_equal_runs_have_one_result(self) -> None:
        run = ("run", config("nasbench201", "front_transfer"))
        said = self.all_succeed([start(self.folder, *run) for _ in range(2)])
        self.assertEqual(sum("is finished already" in err for err in said), 1, said)
        (found,) = results(self.folder)
        together = result_contents(found)
        self.assertEqual(leftovers(self.folder), [])
        shutil.rmtree(self.folder / "results")
        self.ok(*run)
        self.assertTrue(result_contents(found) == together)


class TestLocks(OwnDevices):
    @contextlib.contextmanager
    def held(self, name: str = LOCK) -> Iterator[None]:
        """A lock, of the store if nothing else is said, in this process's hands."""
        with open(self.folder / name, "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            lock.write(f"process {os.getpid()} on {socket.gethostname()}, since 2026-11-24 06:50:01")
            lock.flush()
            try:
                yield
            finally:
                (self.folder / name).unlink(missing_ok=True)

    def waiting(self, *command: object) -> tuple[subprocess.Popen[str], Path]:
        """A program that has said that it waits, and where it says so."""
        said = self.folder.with_name(self.folder.name + ".said")
        self.addCleanup(said.unlink, missing_ok=True)
        with said.open("w") as err:
            process = start(self.folder, *command, stderr=err)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        wait_for(lambda: "wait" in said.read_text() or process.poll() is not None, "a message of waiting")
        self.assertIsNone(process.poll(), said.read_text())
        return process, said

    def says_who(self, line: str, pid: int) -> None:
        for word in (socket.gethostname(), str(pid)):
            self.assertIn(word, line)

    def test_a_store_in_use_is_waited_for(self) -> None:
        self.begin_small()
        add = self.import_of("second")
        with self.held():
            process, said = self.waiting(*add)
            lines = said.read_text().splitlines()
            self.assertEqual(len(lines), 1, lines)
            self.assertIn(STORE, lines[0])
            self.says_who(lines[0], os.getpid())
        code, _, _ = finish(process)
        self.assertEqual(code, 0, said.read_text())
        self.check_store(["user:first", "user:second"])

    def test_whatever_writes_waits_for_its_turn(self) -> None:
        self.begin_small()
        space, cells = ("--space", "nasbench201"), self.folder / "user_first.csv"
        front = config("nasbench201", "front_transfer")
        search = ("search", *space, "--latency", "proxy:pixel3", "--quality", "model:macs", "--method", "exhaustive")
        adapt = ("adapt", *space, "--measurements", cells, *SOURCES, "--prior", "stated")
        scores = ("score", *space, "--predictor", "model:macs", "--count", "9", "--out")
        commands = {
            "import": ((*self.import_of("second"),), STORE),
            "adapt --into": ((*adapt, "--into", STORE, "--name", "mine"), STORE),
            "adapt --predictions": ((*adapt, "--predictions", "all.csv"), "all.csv"),
            "plan": (("plan", *space, *SOURCES, "--k", "5", "--out", "plan.csv"), "plan.csv"),
            "score": ((*scores, "scores.csv"), "scores.csv"),
            "score to HDF5": ((*scores, "scores.h5"), "scores.h5"),
            "run": (("run", front, "--force"), None),
            "search": ((*search, "--force"), None),
            "search --shard": ((*search, "--shard", "1/2"), None),
        }
        for name, (command, written) in commands.items():
            with self.subTest(name):
                made = written or self.ok(*command).splitlines()[-1].replace("-of-2.h5", "")
                path = Path(made)
                lock = str(path.with_name(f".{path.name}.lock"))
                with self.held(lock):
                    process, said = self.waiting(*command)
                    line = said.read_text().splitlines()[-1]
                    for word in (f"{path} is in use by", "since 2026-11-24 06:50:01; waiting for it to end"):
                        self.assertIn(word, line)
                    self.says_who(line, os.getpid())
                    process.terminate()
                    self.assertEqual(finish(process)[0], 143, said.read_text())
                    self.assertEqual(leftovers(self.folder), [lock])

    def test_a_signal_ends_the_waiting_and_nothing_of_the_holder_is_touched(self) -> None:
        self.begin_small()
        before, add = self.store.read_bytes(), self.import_of("second")
        made = self.folder / f".{STORE}.partial-{os.getpid()}"
        made.write_text("in the making")
        with self.held():
            process, said = self.waiting(*add)
            process.terminate()
            self.assertEqual(finish(process)[0], 143, said.read_text())
            self.assertEqual(leftovers(self.folder), [LOCK, made.name])
            self.assertEqual((self.store.read_bytes(), made.read_text()), (before, "in the making"))

    def test_an_equal_run_waits_for_the_one_at_work(self) -> None:
        first = start(self.folder, *ENDLESS)
        self.addCleanup(first.wait)
        self.addCleanup(first.kill)
        wait_for(lambda: list(self.folder.glob("results/search/.*/run.log")), "the folder of the first run")
        second, said = self.waiting(*ENDLESS)
        self.says_who(said.read_text(), first.pid)
        for process in (second, first):
            process.send_signal(signal.SIGTERM)
            self.assertEqual(finish(process)[0], 143)
        self.assertEqual(self.files(), set())

    def test_a_lock_that_nobody_holds_is_no_obstacle(self) -> None:
        (self.folder / LOCK).write_text(f"process {dead_pid()} on {socket.gethostname()}")
        self.ok(*self.import_of("first"))
        self.check_store(["user:first"])

    def test_what_dead_processes_left_is_removed(self) -> None:
        self.begin_small()
        left = self.folder / f".{STORE}.partial-{dead_pid()}"
        left.write_text("half a store")
        other = self.folder / f".other.h5.partial-{dead_pid()}"
        other.write_text("of another file")
        self.ok(*self.import_of("second"))
        self.assertEqual(leftovers(self.folder), [other.name])
        other.unlink()
        self.check_store(["user:first", "user:second"])
        run = ("run", config("nasbench201", "search"), *sets(generations=2))
        self.ok(*run)
        (found,) = results(self.folder)
        left = found.with_name(f".{found.name}.partial-{dead_pid()}")
        left.mkdir()
        (left / "run.log").write_text("half a run")
        self.ok(*run, "--force")
        self.assertEqual(leftovers(self.folder), [])


class TestLinks(OwnDevices):
    def setUp(self) -> None:
        super().setUp()
        self.far = self.folder / "far"
        self.far.mkdir()
        self.real = self.far / "real.h5"

    def check_linked(self, target: str | Path) -> None:
        """mine.h5 -> target: an import changes the file that it leads to."""
        self.store.symlink_to(target)
        self.ok(*self.import_of("linked"))
        self.assertEqual(os.readlink(self.store), str(target))
        self.assertTrue(self.real.is_file() and not self.real.is_symlink())
        self.assertEqual(leftovers(self.folder), [])
        self.check_store([name for name in ("user:first", "user:linked") if name in self.measured])

    def make_real(self) -> None:
        self.begin_small()
        self.store.rename(self.real)

    def test_a_relative_link(self) -> None:
        self.make_real()
        self.check_linked("far/real.h5")

    def test_an_absolute_link(self) -> None:
        self.make_real()
        self.check_linked(self.real)

    def test_a_chain_of_links_through_folders(self) -> None:
        self.make_real()
        (self.folder / "shelf").symlink_to("far")
        (self.far / "second.h5").symlink_to("../shelf/real.h5")
        self.check_linked("shelf/second.h5")
        self.assertEqual(os.readlink(self.far / "second.h5"), "../shelf/real.h5")

    def test_a_link_to_a_file_that_is_not_there_yet(self) -> None:
        self.check_linked("far/real.h5")

    def test_both_names_have_one_lock(self) -> None:
        self.make_real()
        self.store.symlink_to("far/real.h5")
        by_link = [self.import_of(f"l{i}") for i in range(3)]
        by_name = [tuple(str(self.real) if a == STORE else a for a in self.import_of(f"n{i}")) for i in range(3)]
        self.all_succeed([start(self.folder, *command) for pair in zip(by_link, by_name) for command in pair])
        self.check_store(["user:first", *(f"user:{kind}{i}" for kind in "ln" for i in range(3))])

    def test_links_that_lead_nowhere(self) -> None:
        for target in ("none/real.h5", STORE):
            self.store.symlink_to(target)
            self.fault(*self.import_of("lost"), says=(target,))
            self.assertEqual(os.readlink(self.store), target)
            self.store.unlink()

    def test_text_files_and_result_folders(self) -> None:
        self.real.write_text("an older table\n")
        (self.folder / "out.csv").symlink_to("far/real.h5")
        score = ("score", "--space", "nasbench201", "--predictor", "proxy:pixel3", "--count", "3", "--out", "out.csv")
        self.ok(*score, "--force")
        self.assertEqual(os.readlink(self.folder / "out.csv"), "far/real.h5")
        self.assertEqual(len(self.real.read_text().splitlines()), 4)
        (self.folder / "results").symlink_to("far")
        self.run_config(config("nasbench201", "search"), *sets(generations=2))
        self.assertEqual(leftovers(self.folder), [])
        self.assertEqual(len(list(self.far.glob("search/*/DONE"))), 1)


class TestRights(OwnDevices):
    def mode(self) -> int:
        return stat.S_IMODE(self.store.stat().st_mode)

    def test_the_mode_stays(self) -> None:
        self.ok(*self.import_of("first"))
        mask = os.umask(0)
        os.umask(mask)
        self.assertEqual(self.mode(), 0o666 & ~mask)
        for mode in (0o640, 0o600, 0o664):
            self.store.chmod(mode)
            self.ok(*self.import_of(f"with_{mode:o}"))
            self.assertEqual(oct(self.mode()), oct(mode))

    @unittest.skipUnless(os.geteuid() == 0, "only root gives files away")
    def test_the_owner_stays(self) -> None:
        self.begin_small()
        self.store.chmod(0o640)
        os.chown(self.store, 12345, 23456)
        self.ok(*self.import_of("second"))
        found = self.store.stat()
        self.assertEqual((found.st_uid, found.st_gid, oct(self.mode())), (12345, 23456, oct(0o640)))

    def test_a_file_that_is_read_only_is_refused(self) -> None:
        self.begin_small()
        self.store.chmod(0o444)
        before, add = self.store.read_bytes(), self.import_of("second")
        self.fault(*add, says=(STORE, "read-only"))
        self.assertEqual((self.store.read_bytes(), oct(self.mode())), (before, oct(0o444)))
        table = self.folder / "out.csv"
        table.write_text("an older table\n")
        table.chmod(0o400)
        score = ("score", "--space", "nasbench201", "--predictor", "proxy:pixel3", "--count", "3", "--out", "out.csv")
        self.fault(*score, "--force", says=("out.csv", "read-only"))
        self.assertEqual(table.read_text(), "an older table\n")


class TestDisk(OwnDevices):
    """What a loss of power would find."""

    def test_content_is_on_the_disk_before_it_has_its_name(self) -> None:
        traced = ("strace", "-f", "-y", "-e", "trace=fsync,fdatasync,rename,renameat,renameat2")
        if not shutil.which("strace") or subprocess.run([*traced, "true"], capture_output=True).returncode:
            self.skipTest("needs strace")
        for command in (self.import_of("first"), self.import_of("second"), ("run", config("nasbench201", "search"))):
            done = subprocess.run(
                [*traced, str(PROGRAM), *map(str, command)],
                cwd=self.folder, env=environment(), capture_output=True, text=True, timeout=HANG,
            )  # fmt: skip
            self.assertEqual(done.returncode, 0, done.stderr)
            calls = re.findall(r"(?m)(fsync|fdatasync|rename\w*)\((.*)\) += 0$", done.stderr)
            kinds = "".join("r" if name.startswith("rename") else "s" for name, _ in calls)
            self.assertRegex(kinds, "^s+rs+$", done.stderr)
            renamed = kinds.index("r")
            synced = [re.findall("<(.*)>", what)[0] for _, what in calls[:renamed]]
            if command[0] == "run":
                (found,) = results(self.folder)
                for file in found.iterdir():
                    self.assertTrue(any(s.endswith(f"/{file.name}") for s in synced), f"{file.name} is not flushed")
                after = str(found.parent.resolve())
            else:
                self.assertTrue(any(f".{STORE}.partial-" in s for s in synced), synced)
                after = str(self.folder.resolve())
            self.assertIn(f"<{after}>", "".join(what for _, what in calls[renamed:]))


if __name__ == "__main__":
    unittest.main()
