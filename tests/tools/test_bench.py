"""tools/bench, with benchmarks that only pretend: what is printed, and which exit status it ends with."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from support import TOOLS

MATCHES = '#!/bin/sh\necho \'{"case": "rank_1"}\'\necho "a note" >&2\n'
NO_CASE = '#!/bin/sh\necho "no case matches the filter" >&2\nexit 3\n'
FAILS = '#!/bin/sh\necho "out of memory" >&2\nexit 1\n'


class TestBench(unittest.TestCase):
    def setUp(self) -> None:
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.root = Path(place.name)
        for folder in ("tools", "build/bench"):
            (self.root / folder).mkdir(parents=True)
        shutil.copy(TOOLS / "bench", self.root / "tools" / "bench")
        for name in ("setup", "build_project"):
            self.program(f"tools/{name}", "#!/bin/sh\n")

    def program(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)
        (self.root / name).chmod(0o755)

    def bench(self, **benches: str) -> subprocess.CompletedProcess[str]:
        for name, text in benches.items():
            self.program(f"build/bench/{name}_bench", text)
        return subprocess.run(
            [self.root / "tools" / "bench", "--filter", "rank"], capture_output=True, text=True, timeout=60
        )

    def test_programs_without_a_matching_case_are_passed_over(self) -> None:
        done = self.bench(rank=MATCHES, pareto=NO_CASE)
        self.assertEqual((done.returncode, done.stdout), (0, '{"case": "rank_1"}\n'))
        self.assertEqual(done.stderr, "a note\n")

    def test_a_benchmark_that_fails_is_named(self) -> None:
        done = self.bench(rank=MATCHES, mlp=FAILS)
        self.assertEqual((done.returncode, done.stdout), (1, '{"case": "rank_1"}\n'))
        self.assertIn("out of memory", done.stderr)
        self.assertIn("mlp_bench failed", done.stderr)

    def test_a_filter_that_matches_nowhere_is_an_error(self) -> None:
        done = self.bench(rank=NO_CASE)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("'rank'", done.stderr)


if __name__ == "__main__":
    unittest.main()
