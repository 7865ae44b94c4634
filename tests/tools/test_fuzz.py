"""tools/run_fuzzers.py with stand-ins for the programs of libFuzzer: what it reads, prints, keeps and refuses. And the
seeds of tests/fuzz: those that describe sound files are read, so that fuzzing begins behind the first checks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support import ROOT, TOOLS

QUIET = """#!/bin/sh
echo "#2 INITED cov: 10 ft: 11 corp: 1/1b exec/s: 0 rss: 30Mb"
echo "#4000 DONE cov: 120 ft: 340 corp: 9/90b lim: 4 exec/s: 100 rss: 44Mb"
echo "stat::number_of_executed_units: 4000"
echo "stat::slowest_unit_time_sec:    3"
echo "stat::peak_rss_mb:              44"
"""
FINDS = """#!/bin/sh
for argument; do case $argument in -artifact_prefix=*) echo x >"${argument#*=}crash-12ab" ;; esac; done
echo "#70 NEW cov: 5 ft: 6 corp: 1/1b"
exit 77
"""


class TestFuzz(unittest.TestCase):
    def setUp(self) -> None:
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.root = Path(place.name)
        (self.root / "tools").mkdir()
        shutil.copy(TOOLS / "run_fuzzers.py", self.root / "tools")

    def target(self, name: str, program: str) -> None:
        source = self.root / "tests" / "fuzz" / f"{name}_fuzz.cpp"
        built = self.root / "build-fuzz" / "tests" / "fuzz" / f"fuzz_{name}"
        for path, text in ((source, ""), (built, program)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        built.chmod(0o755)

    def call(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, self.root / "tools" / "run_fuzzers.py", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def test_what_libfuzzer_says_becomes_a_table_and_a_report(self) -> None:
        self.target("quiet", QUIET)
        report = self.root / "report.json"
        done = self.call("--minutes", 0.01, "--report", report)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        cells = [cell.strip() for cell in done.stdout.splitlines()[2].strip("|").split("|")]
        self.assertEqual(cells[0:2] + cells[3:], ["quiet", "4,000", "120", "340", "44", "3", "0", "0", "0", "0"])
        self.assertIn("no finding", done.stdout)
        row = json.loads(report.read_text())["targets"][0]
        self.assertEqual((row["target"], row["executions"], row["crashes"]), ("quiet", 4000, 0))

    def test_a_finding_is_named_once_and_is_the_exit_status(self) -> None:
        self.target("finds", FINDS)
        self.target("quiet", QUIET)
        done = self.call("--minutes", 0.01)
        self.assertEqual(done.returncode, 1)
        finding, program = "build/fuzz/findings/finds/crash-12ab", "build-fuzz/tests/fuzz/fuzz_finds"
        self.assertEqual(done.stdout.count(f"finds: {finding}; see it again: {program} {finding};"), 1, done.stdout)
        (self.root / "build-fuzz" / "tests" / "fuzz" / "fuzz_finds").write_text(QUIET)
        self.assertEqual(self.call("--minutes", 0.01).returncode, 0, "an older finding is not a new one")

    def test_a_target_that_does_not_run_is_no_success(self) -> None:
        self.target("broken", "#!/bin/sh\nexit 1\n")
        done = self.call("--minutes", 0.01)
        self.assertEqual(done.returncode, 1)
        self.assertIn("broken: ended with status 1", done.stdout)

    def test_arguments_that_make_no_sense_are_one_line(self) -> None:
        self.target("quiet", QUIET)
        for arguments, said in (
            (["--minutes", "0"], "--minutes 0"),
            (["--minutes", "1", "--jobs", "0"], "--jobs 0"),
            (["--minutes", "1", "--target", "queit"], "queit"),
            ([], "--minutes"),
        ):
            done = self.call(*arguments)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(said, done.stderr.splitlines()[-1])


class TestSeeds(unittest.TestCase):
    PROGRAM = Path(os.environ.get("ONEPROXY_BIN", ROOT / "build" / "oneproxy")).resolve()

    @classmethod
    def setUpClass(cls) -> None:
        place = tempfile.TemporaryDirectory()
        cls.addClassCleanup(place.cleanup)
        cls.folder = Path(place.name)
        writer = cls.PROGRAM.parent / "tests" / "fuzz" / "h5_from_script"
        command = [sys.executable, ROOT / "tests" / "fuzz" / "make_seeds.py", cls.folder, "--h5", writer]
        subprocess.run(command, check=True)
        cls.seeds = cls.folder / "seeds"

    def oneproxy(self, *arguments: object) -> str:
        done = subprocess.run(
            [self.PROGRAM, *map(str, arguments)], cwd=self.folder, capture_output=True, text=True, timeout=120
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_the_stores_are_read(self) -> None:
        for store in sorted(set((self.seeds / "store").iterdir()) - {self.seeds / "store" / "odd_types.h5"}):
            with self.subTest(store.name):
                self.assertRegex(self.oneproxy("info", store), "nasbench201|fbnet")

    def test_the_results_are_exported(self) -> None:
        for arrays in sorted((self.seeds / "result").iterdir()):
            with self.subTest(arrays.name):
                result = self.folder / arrays.stem
                result.mkdir()
                shutil.copy(arrays, result / "arrays.h5")
                (result / "DONE").touch()
                self.assertIn(".csv", self.oneproxy("export", result, "--csv"))

    def test_an_architecture_of_every_space_is_read(self) -> None:
        texts = [path.read_text() for path in sorted((self.seeds / "arch_string").iterdir())]
        for space in ("nasbench201", "fbnet", "ofa_mbv3", "mobilenetv2", "proxylessnas"):
            taken = 0
            for text in texts:
                command = [self.PROGRAM, "arch", "--space", space, text]
                taken += subprocess.run(command, capture_output=True, timeout=120).returncode == 0
            self.assertGreater(taken, 0, space)


if __name__ == "__main__":
    unittest.main()
