"""Each command of README.md and docs/commands.md runs as it is printed, or is named with the reason why not."""

from __future__ import annotations

import re
import tempfile
import unittest
from pathlib import Path

from readme_commands import NEEDS_TRAINING, NOT_RUN, PAPERS, SHORTER, commands, run_all
from support import ROOT


class TestReadme(unittest.TestCase):
    def check(self, paper: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            failed = run_all(Path(folder), paper, shorter=True)
            self.assertEqual(failed, [], "\n".join(failed))

    def test_the_readme(self) -> None:
        self.check("README.md")

    def test_the_commands_by_example(self) -> None:
        self.check("docs/commands.md")

    def test_every_block_is_seen(self) -> None:
        for paper in PAPERS:
            text = (ROOT / paper).read_text()
            # A line that looks like a command outside of what commands() reads would never be run.
            lines = {command.line for command in commands(paper)}
            for number, line in enumerate(text.splitlines(), start=1):
                if re.match(r"\s*(build/oneproxy |tools/\w+ |cmake -|oneproxy [\w-]+ -)", line):
                    self.assertIn(number, lines, f"{paper}:{number} is no command of a ```sh block: {line}")
            self.assertGreater(len(lines), 8, paper)

    def test_no_reason_outlives_its_command(self) -> None:
        texts = [command.text for paper in PAPERS for command in commands(paper)]
        for beginning in (*NOT_RUN, *NEEDS_TRAINING):
            self.assertTrue(any(text.startswith(beginning) for text in texts), beginning)
        for words in SHORTER:
            self.assertTrue(any(words in text for text in texts), words)

    def test_the_files_of_the_examples_are_named(self) -> None:
        said = (ROOT / "examples" / "README.md").read_text()
        for path in sorted((ROOT / "examples").rglob("*")):
            name = path.relative_to(ROOT / "examples")
            if path.is_file() and name.parts[0] not in ("README.md", "embed") and "__pycache__" not in name.parts:
                self.assertIn(str(name), said)


if __name__ == "__main__":
    unittest.main()
