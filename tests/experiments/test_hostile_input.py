"""What the program makes of words and files that nobody writes by hand: one line, soon, and nothing left behind."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from support import PROGRAM, ProgramCase, config, environment  # noqa: E402


class HostileInput(ProgramCase):
    def test_a_word_that_is_not_utf8_is_refused_at_the_door(self) -> None:
        # Its result could not be written, at the end of the run.
        call = [os.fsencode(PROGRAM), b"run", os.fsencode(config("nasbench201", "monotonicity")), b"--out", b"caf\xe9"]
        done = subprocess.run(call, cwd=self.folder, env=environment(), capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"argument 4", done.stderr)
        self.assertIn(b"not UTF-8", done.stderr)
        self.assertEqual(done.stderr.count(b"\n"), 1)
        self.assertEqual(os.listdir(self.folder), [])

    def test_too_little_memory_is_said_with_a_remedy(self) -> None:
        with open(self.folder / "large.pth", "wb") as file:
            file.truncate(500 << 20)
        call = [PROGRAM, "import", "--predictor", "large.pth", "--space", "nasbench201", "--target", "t", "--unit", "u"]
        limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))  # noqa: E731
        done = subprocess.run(
            call, cwd=self.folder, env=environment(), capture_output=True, text=True, timeout=60, preexec_fn=limit
        )
        self.assertEqual(done.returncode, 1)
        self.assertIn("out of memory", done.stderr)
        self.assertIn("ulimit", done.stderr)

    def test_threads_that_can_not_start_are_said_with_a_remedy(self) -> None:
        limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))  # noqa: E731
        call = [PROGRAM, "--threads", "1000", "run", config("nasbench201", "monotonicity")]
        done = subprocess.run(
            call, cwd=self.folder, env=environment(), capture_output=True, text=True, timeout=60, preexec_fn=limit
        )
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("can not be started", done.stderr)
        self.assertIn("--threads", done.stderr)

    def test_a_key_of_many_parts_is_one_line(self) -> None:
        (self.folder / "dots.toml").write_text("a" + ".a" * 400_000 + " = 1\n")
        for command in ("check", "run", "info"):
            self.fault(command, "dots.toml", says=("dots.toml:1", "32 parts"))


if __name__ == "__main__":
    unittest.main()
