"""Each command of README.md and docs/commands.md in its full length, as test_readme.py runs them shortened: minutes."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from readme_commands import PAPERS, run_all


class TestReadmeInFull(unittest.TestCase):
    def test_the_commands_run_as_they_are_printed(self) -> None:
        for paper in PAPERS:
            with self.subTest(paper=paper), tempfile.TemporaryDirectory() as folder:
                failed = run_all(Path(folder), paper, shorter=False)
                self.assertEqual(failed, [], "\n".join(failed))


if __name__ == "__main__":
    unittest.main()
