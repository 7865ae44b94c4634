"""The published figures of few-shot adaptation: every device of every set as the target (docs/few_shot.md)."""

from __future__ import annotations

import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from support import CONFIGS, PROGRAM, ROOT, ProgramCase, Result, environment  # noqa: E402

CONFIG = CONFIGS / "few_shot" / "every_device.toml"
TASKS = {
    "NAS-Bench-201, HELP": "nasbench201",
    "NAS-Bench-201, OneProxy": "nasbench201_oneproxy",
    "FBNet, HELP": "fbnet",
    "Once-for-All, HELP": "ofa_mbv3",
}


def published() -> dict[str, tuple[int, list[float], float, float]]:
    """Of each task: devices, mean SRCC at 5, 10 and 20 samples, error of the expected SRCC at 10 and 20."""
    rows = {}
    for line in (ROOT / "docs" / "few_shot.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] in TASKS and len(cells) == 5:
            errors = [float(re.search(r"(\.\d+)$", cell).group(1)) for cell in cells[3:]]
            rows[TASKS[cells[0]]] = (int(cells[1]), [float(c) for c in cells[2].split(",")], *errors)
    return rows


class LongFewShot(ProgramCase):
    def test_the_figures_of_the_page(self) -> None:
        rows = published()
        self.assertEqual(set(rows), set(TASKS.values()))
        command = [str(PROGRAM), "run", str(CONFIG)]
        done = subprocess.run(command, cwd=self.folder, env=environment(), capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        summary = Result(self.folder / done.stdout.splitlines()[-1]).summary
        for task, (devices, srcc, error_10, error_20) in rows.items():
            with self.subTest(task=task):
                self.assertEqual(sum(key.startswith(f"srcc.{task}.") for key in summary), devices)
                ours = [summary[key] for key in (f"curve.{task}.5", f"curve.{task}.10", f"srcc_mean.{task}")]
                for value, printed in zip(ours, srcc):
                    self.assertAlmostEqual(value, printed, delta=0.0025)  # rounding, and other linear algebra
                for samples, printed in ((10, error_10), (20, error_20)):
                    self.assertAlmostEqual(summary[f"expected_error.{task}.{samples}"], printed, delta=0.0025)


if __name__ == "__main__":
    unittest.main()
