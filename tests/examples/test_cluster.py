"""The job array of examples/cluster without SLURM: its variables are set by hand, its tasks run one after the other."""

from __future__ import annotations

import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "experiments"))
from support import PROGRAM, ROOT, ProgramCase, Result, environment  # noqa: E402

CLUSTER = ROOT / "examples" / "cluster"
SEARCH = ("search", "--space", "fbnet", "--latency", "proxy:pixel3", "--quality", "model:accuracy", "--method",
          "exhaustive", "--best", "10", "--set", 'count="300000"', "--set", "shuffled=true")


class TestCluster(ProgramCase):
    def job(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        settings = {"ONEPROXY": str(PROGRAM), "ONEPROXY_COUNT": "300000", "ONEPROXY_OUT": "shared"} | variables
        return subprocess.run(["bash", CLUSTER / script], cwd=self.folder, env=environment() | settings,
                              capture_output=True, text=True, timeout=300)

    def task(self, number: int) -> None:
        done = self.job("search_shards.sh", SLURM_ARRAY_TASK_ID=str(number), SLURM_ARRAY_TASK_COUNT="3",
                        SLURM_CPUS_ON_NODE="1")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_an_array_and_its_merge_find_what_one_process_finds(self) -> None:
        for number in (3, 1):
            self.task(number)
        early = self.job("merge_shards.sh", ONEPROXY_SHARDS="3")
        self.assertEqual(early.returncode, 1)
        self.assertIn("of 3 shards 2 is missing", early.stderr)
        self.task(2)
        merged = self.job("merge_shards.sh", ONEPROXY_SHARDS="3")
        self.assertEqual(merged.returncode, 0, merged.stderr)
        ours = Result(self.folder / merged.stdout.splitlines()[-1])
        alone = Result(self.folder / self.ok(*SEARCH, "--out", "alone").splitlines()[-1])
        self.assertEqual(ours.summary, alone.summary)
        self.assertEqual({k: v.tobytes() for k, v in ours.arrays().items() if v.dtype != object},
                         {k: v.tobytes() for k, v in alone.arrays().items() if v.dtype != object})

    def test_outside_of_an_array_it_says_what_to_do(self) -> None:
        done = self.job("search_shards.sh")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("sbatch --array=1-16", done.stderr)


if __name__ == "__main__":
    unittest.main()
