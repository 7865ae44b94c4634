"""tools/setup and tools/build_project in a tree of stand-ins: when LibTorch is fetched, and what is said about it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from support import TOOLS


class TestSetup(unittest.TestCase):
    def setUp(self) -> None:
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.root = Path(place.name)
        (self.root / "tools").mkdir()
        for name in ("setup", "build_project", "requirements.txt", "requirements_tests.txt"):
            shutil.copy(TOOLS / name, self.root / "tools" / name)
        # A machine that has all packages, and an environment that is made already.
        self.program("bin/dpkg-query", "echo installed")
        self.program("bin/apt-get", "exit 1")
        self.program("bin/sha256sum", "grep '^pytest' >/dev/null && echo tests || echo tools")
        self.program("bin/cmake", f'echo "cmake $*" >> {self.root}/called')
        self.program("build/venv/bin/python", f'echo "python $*" >> {self.root}/called')
        (self.root / "build" / "venv" / ".complete").write_text("tools\n")

    def program(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def call(self, tool: str, *arguments: str, **environment: str) -> tuple[subprocess.CompletedProcess[str], str]:
        env = {k: v for k, v in os.environ.items() if not k.startswith(("ONEPROXY_", "CONDA_"))}
        env["PATH"] = f"{self.root / 'bin'}:{env['PATH']}"
        called = self.root / "called"
        called.write_text("")
        done = subprocess.run(
            [self.root / "tools" / tool, *arguments], env=env | environment, capture_output=True, text=True, timeout=60
        )
        return done, called.read_text()

    def test_the_size_of_libtorch_is_said_first_and_how_to_go_without(self) -> None:
        done, called = self.call("setup")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("tools/fetch_torch.py", called)
        first = done.stderr.splitlines()[0]
        for part in ("530 MB", "--no-torch", "ONEPROXY_TORCH=OFF"):
            self.assertIn(part, first)

    def test_it_is_not_fetched_where_it_is_not_wanted(self) -> None:
        for arguments, environment in (
            (["--no-torch"], {}),
            ([], {"ONEPROXY_TORCH": "OFF"}),
            ([], {"ONEPROXY_CMAKE_ARGS": "-DONEPROXY_TORCH=OFF"}),
            ([], {"ONEPROXY_TORCH_ROOT": "/somewhere"}),
        ):
            done, called = self.call("setup", *arguments, **environment)
            self.assertEqual((done.returncode, called), (0, ""), done.stderr)
            self.assertNotIn("530", done.stderr)

    def test_nothing_is_said_of_a_download_that_is_not_needed(self) -> None:
        (self.root / "build" / "torch").mkdir()
        (self.root / "build" / "torch" / ".complete").write_text("")
        done, called = self.call("setup")
        self.assertIn("fetch_torch.py", called)  # which sees whether all of it is there
        self.assertNotIn("530", done.stderr)

    def test_wrong_values_are_refused(self) -> None:
        for tool_arguments, environment, part in (
            (["--no-touch"], {}, "--no-touch"),
            ([], {"ONEPROXY_TORCH": "no"}, "ONEPROXY_TORCH=no"),
        ):
            done, called = self.call("setup", *tool_arguments, **environment)
            self.assertEqual((done.returncode, called), (1, ""))
            self.assertIn(part, done.stderr)

    def test_the_environment_of_the_tests_serves_the_tools_too(self) -> None:
        complete = self.root / "build" / "venv" / ".complete"
        complete.write_text("tools\ntests\n")
        for arguments in (["--no-torch"], ["--no-torch", "--tests"]):
            done, called = self.call("setup", *arguments)
            self.assertEqual((done.returncode, called, done.stderr), (0, "", ""))
        complete.write_text("tools\n")
        done, _ = self.call("setup", "--no-torch", "--tests", PIP_INDEX_URL="http://127.0.0.1:9", PIP_RETRIES="0")
        self.assertEqual(done.returncode, 1)
        self.assertIn("tools/requirements_tests.txt", done.stderr)

    def test_the_build_goes_without_it_too(self) -> None:
        self.assertIn("-DONEPROXY_TORCH=OFF", self.call("build_project", ONEPROXY_TORCH="OFF")[1])
        self.assertNotIn("ONEPROXY_TORCH", self.call("build_project")[1])


if __name__ == "__main__":
    unittest.main()
