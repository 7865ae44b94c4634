"""oneproxy as a part of other projects: installed and found by find_package, and built along by add_subdirectory."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "experiments"))
from support import PROGRAM, ROOT, environment, stored  # noqa: E402

EXAMPLE = ROOT / "examples" / "embed"
BUILD = PROGRAM.parent
OTHERS = re.compile(r"#include [<\"](hdf5|toml\+\+|torch|Eigen|spdlog|nlohmann|cuda|thrust|openssl)")
OURS = ("-Werror", "-Wall", "-ffp-contract", "-fno-semantic-interposition", "-fsanitize", "-march", "-mavx")


class EmbedCase(unittest.TestCase):
    """A copy of the example in a temporary folder."""

    @classmethod
    def setUpClass(cls) -> None:
        place = tempfile.TemporaryDirectory()
        cls.addClassCleanup(place.cleanup)
        cls.folder = Path(place.name)
        cls.source = cls.folder / "project"
        shutil.copytree(EXAMPLE, cls.source)

    @classmethod
    def run_tool(cls, *arguments: object) -> str:
        done = subprocess.run(
            list(map(str, arguments)), cwd=cls.folder, env=environment(), capture_output=True, text=True
        )
        if done.returncode:
            raise AssertionError(f"{' '.join(map(str, arguments))}\n{done.stdout}{done.stderr}")
        return done.stdout

    def configure(self, name: str, *settings: str) -> Path:
        build = self.folder / name
        export = "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"
        self.run_tool("cmake", "-S", self.source, "-B", build, "-G", "Ninja", export, *settings)
        return build

    def check_flags(self, build: Path, *wanted: str) -> None:
        """Nothing of our compiler settings in the commands that compile the project's own file."""
        commands = json.loads((build / "compile_commands.json").read_text())
        command = next(c["command"] for c in commands if c["file"] == str(self.source / "main.cpp"))
        for flag in OURS:
            self.assertNotIn(flag, command)
        self.assertRegex(command, r"-std=(gnu|c)\+\+2")
        for flag in wanted:
            self.assertIn(flag, command)

    def check_output(self, build: Path, home: Path) -> None:
        lines = self.run_tool(build / "embed").splitlines()
        self.assertEqual(Path(lines[0].removeprefix("store ")), home / "experiments/data/public_latency.h5")
        choices, columns = stored("nasbench201", "help")
        srcc = stats.spearmanr(columns["titan_rtx_1"], columns["pixel3"]).statistic
        self.assertIn(f"over {len(choices)} architectures: {srcc:.4f}", lines[1])
        front = np.array([[float(part) for part in re.findall(r"[\d.]+(?= ms| %)", line)] for line in lines[2:]])
        self.assertGreater(len(front), 10)
        self.assertTrue((np.diff(front, axis=0) >= 0).all(), "a front rises in latency and accuracy")
        self.assertLessEqual(front[0, 0], np.nanmin(columns["pixel3"]) + 1e-3)


class TestInstalled(EmbedCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.prefix = cls.folder / "moved"
        cls.run_tool("cmake", "--install", BUILD, "--prefix", cls.folder / "installed")
        (cls.folder / "installed").rename(cls.prefix)  # nothing may depend on where it was installed

    def test_find_package(self) -> None:
        for build_type in ("", "Release"):
            with self.subTest(build_type=build_type):
                settings = (f"-DCMAKE_PREFIX_PATH={self.prefix}", f"-DCMAKE_BUILD_TYPE={build_type}")
                build = self.configure(f"found{build_type}", *settings)
                self.check_flags(build, str(self.prefix / "include"))
                self.run_tool("cmake", "--build", build)
                self.check_output(build, self.prefix / "share" / "oneproxy")

    def test_a_package_of_another_version_is_refused(self) -> None:
        project = self.folder / "later"
        project.mkdir()
        (project / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\nproject(later LANGUAGES CXX)\nfind_package(oneproxy 99 REQUIRED)\n"
        )
        with self.assertRaisesRegex(AssertionError, "99"):
            self.run_tool("cmake", "-S", project, "-B", project / "build", f"-DCMAKE_PREFIX_PATH={self.prefix}")

    def test_the_installed_program_finds_its_files(self) -> None:
        program = self.prefix / "bin" / "oneproxy"
        share = self.prefix / "share" / "oneproxy"
        self.assertIn(str(share / "configs" / "nasbench201"), self.run_tool(program, "list"))
        self.assertIn(str(share), self.run_tool(program, "info").splitlines()[0])

    def test_installed_headers_are_whole_and_free_of_other_libraries(self) -> None:
        include = self.prefix / "include"
        headers = sorted(path.relative_to(include) for path in include.rglob("*.h"))
        self.assertGreater(len(headers), 50)
        for header in headers:
            self.assertEqual(header.parts[0], "oneproxy")
            self.assertNotRegex((include / header).read_text(), OTHERS, header)
        for order in (headers, headers[::-1]):  # each of them before and after the others
            file = self.folder / "all.cpp"
            file.write_text("".join(f'#include "{header}"\n' for header in order))
            self.run_tool("c++", "-std=c++20", "-fsyntax-only", "-Wall", "-Werror", f"-I{include}", file)


class TestBuiltAlong(EmbedCase):
    def test_the_embedding_project_decides(self) -> None:
        build = self.configure("along", f"-DONEPROXY_SOURCE={ROOT}", "-DONEPROXY_CUDA=OFF")
        self.check_flags(build)
        cache = (build / "CMakeCache.txt").read_text()
        for setting in ("TESTS", "BENCH", "EXPERIMENTS", "INSTALL", "WERROR"):
            self.assertIn(f"ONEPROXY_{setting}:BOOL=OFF", cache)
        self.assertRegex(cache, r"CMAKE_BUILD_TYPE:STRING=\n")


if __name__ == "__main__":
    unittest.main()
