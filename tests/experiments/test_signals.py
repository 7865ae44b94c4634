"""Signals: heard at any time, also while the program waits for a pipe; the state of long work is saved first."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from aftermath import damaged, finish, leftovers, result_contents, results, start, wait_for  # noqa: E402
from own_devices import IMPORT, PREDICTOR, STORE, OwnDevices  # noqa: E402
from support import HANG, ProgramCase, config, sets  # noqa: E402

ENDLESS = ("run", config("fbnet", "search"), *sets(generations=10**6, population=200))
SEARCH = (
    *("search", "--space", "fbnet", "--latency", "proxy:pixel3", "--quality", "model:macs", "--method", "exhaustive"),
    *sets(count='"8000000"', shuffled=True),
)


class TestSignals(ProgramCase):
    def at_work(self, *command: object) -> subprocess.Popen[str]:
        """A run whose folder is there already."""
        process = start(self.folder, *command)
        wait_for(lambda: list(self.folder.glob("results/*/.*/run.log")), "the folder of the run")
        return process

    def test_the_exit_status_names_the_signal(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = self.at_work(*ENDLESS)
            process.send_signal(number)
            code, out, err = finish(process)
            self.assertEqual((code, out), (128 + number, ""), err)
            self.assertIn("interrupted", err.splitlines()[-1])
            self.assertEqual(self.files(), set())

    def test_a_closed_terminal_loses_nothing(self) -> None:
        process = self.at_work("--threads", "1", *SEARCH)
        process.send_signal(signal.SIGHUP)
        code, _, err = finish(process)
        self.assertEqual(code, 129, err)
        left = leftovers(self.folder)
        self.assertEqual([re.sub(r".*\.", "", name) for name in left], ["checkpoint"])
        self.assertIn("the same command goes on from there", err)
        done = self.program(*SEARCH)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("going on from", done.stderr)
        (found,) = results(self.folder)
        resumed = result_contents(found)
        self.assertEqual(damaged(found / "arrays.h5"), [])
        shutil.rmtree(self.folder / "results")
        self.ok(*SEARCH)
        self.assertTrue(result_contents(found) == resumed)
        self.assertEqual(leftovers(self.folder), [])


class TestPipes(OwnDevices):
    """A pipe that nobody writes to, in the place of a file."""

    HEARS = 20  # seconds, on a machine that does much else

    def pipe(self, name: str) -> str:
        os.mkfifo(self.folder / name)
        return name

    def commands(self) -> dict[str, tuple[object, ...]]:
        few = ("--space", "nasbench201", "--sources", "none")
        return {
            "a.csv": (*IMPORT, "--device", "phone", self.pipe("a.csv")),
            "b.csv": ("adapt", *few, "--measurements", self.pipe("b.csv"), "--out", "b.h5"),
            "c.csv": ("score", "--space", "nasbench201", "--predictor", "model:macs", "--archs", self.pipe("c.csv"),
                      "--out", "out.csv"),
            "a.toml": ("run", self.pipe("a.toml")),
            "b.toml": ("arch", "--space", self.pipe("b.toml"), "--index", "0"),
            "a.pth": (*IMPORT, "--predictor", self.pipe("a.pth"), "--name", "net"),
        }  # fmt: skip

    def ends(self, process: subprocess.Popen[str], code: int) -> None:
        try:
            _, err = process.communicate(timeout=self.HEARS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.fail(f"{process.args} does not hear a signal")
        self.assertEqual(process.returncode, code, err)

    def blocked(self, process: subprocess.Popen[str]) -> bool:
        state = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        return state == "S"

    def test_termination_is_heard(self) -> None:
        for name, command in self.commands().items():
            for with_writer in (False, True):  # it waits for a writer, or for a writer's words
                with self.subTest(pipe=name, writer=with_writer):
                    process = start(self.folder, *command)
                    time.sleep(0.15)
                    wait_for(lambda: process.poll() is not None or self.blocked(process), f"{command} waits")
                    self.assertIsNone(process.poll(), f"{command} does not read the pipe")
                    writer = None
                    if with_writer:
                        writer = os.open(self.folder / name, os.O_WRONLY | os.O_NONBLOCK)
                        time.sleep(0.1)
                    process.terminate()
                    self.ends(process, 143)
                    if writer is not None:
                        os.close(writer)

    def test_what_comes_through_a_pipe_is_read(self) -> None:
        for name, text in (("phone.csv", self.csv("user", "phone").read_bytes()), ("net.pth", PREDICTOR.read_bytes())):
            self.pipe(name)
            more = ("--device", "phone", name) if name.endswith("csv") else ("--predictor", name, "--name", "net")
            process = start(self.folder, *IMPORT, *more)
            writer = threading.Thread(target=(self.folder / name).write_bytes, args=(text,), daemon=True)
            writer.start()  # a program that does not open the pipe holds the writer for ever
            code, _, err = finish(process)
            self.assertEqual(code, 0, err)
            writer.join(HANG)
        self.check_store(["user:phone"])

    def test_a_pipe_is_no_store(self) -> None:
        self.csv("user", "phone")
        self.pipe(STORE)
        for command in (("info", STORE), (*IMPORT, "--device", "phone", "user_phone.csv"),
                        ("run", config("nasbench201", "monotonicity"), *sets(store=STORE))):  # fmt: skip
            self.ends(start(self.folder, *command), 1)
            self.fault(*command, says=(STORE,))


if __name__ == "__main__":
    unittest.main()
