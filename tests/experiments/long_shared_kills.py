"""`kill -9` of a rank, of the launcher or of a shard at random moments: the resumed work comes to the same bits.

    ONEPROXY_BIN=build/oneproxy build/venv/bin/python tests/experiments/long_shared_kills.py -v

ONEPROXY_KILLS: kills in all (40). ONEPROXY_KILLS_SEED: of the moments (1). After each kill work goes on with another number
of ranks, or with none; up to three kills come in a row.
"""

from __future__ import annotations

import contextlib
import math
import os
import random
import shutil
import signal
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from aftermath import Contents, damaged, finish, leftovers, result_contents, results, start, wait_for  # noqa: E402
from support import ProgramCase, config, sets  # noqa: E402

KILLS = int(os.environ.get("ONEPROXY_KILLS", "40"))
SEED = int(os.environ.get("ONEPROXY_KILLS_SEED", "1"))
IN_A_ROW = 3
LAUNCH = ("mpirun", "--oversubscribe", "--bind-to", "none", "-n")
AS_ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
ONE_THREAD = {"ONEPROXY_THREADS": "1", **AS_ROOT}
SEARCH = (
    *("search", "--space", "fbnet", "--latency", "proxy:pixel3", "--quality", "model:macs", "--method", "exhaustive"),
    *("--best", "5", *sets(count='"30000000"', shuffled=True, checkpoint_seconds=0.1)),
)
TRIALS = ("run", config("nasbench201", "adaproxy"), *sets(trials=60))


def children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def is_alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    return False


class SharedKills(ProgramCase):
    def setUp(self) -> None:
        super().setUp()
        self.random = random.Random(f"{SEED} {self.id()}")
        self.counts = {"kills": 0, "repeated": 0, "resumed": 0}

    def undisturbed(self, command: tuple[object, ...]) -> tuple[Contents, float]:
        began = time.monotonic()
        folder = self.folder / "undisturbed"
        folder.mkdir()
        code, _, err = finish(start(folder, *command, env=ONE_THREAD))
        self.assertEqual(code, 0, err)
        (found,) = results(folder)
        return result_contents(found), time.monotonic() - began

    def told(self, share: float) -> int:
        return max(1, math.ceil(KILLS * share))

    def expect(self, folder: Path, wanted: Contents, story: str) -> None:
        (found,) = results(folder)
        self.assertEqual(damaged(found / "arrays.h5")[:3], [], story)
        self.assertTrue(result_contents(found) == wanted, f"{story}: comes to something else")

    def report(self) -> None:
        counted = ", ".join(f"{n} {what}" for what, n in self.counts.items())
        print(f"{self.id()}: {counted}; all results equal", flush=True)

    # ---- ranks -----------------------------------------------------------------------------------------------------

    def ranks_of(self, n: int, folder: Path, command: tuple[object, ...]):  # noqa: ANN201
        before = (*LAUNCH, str(n)) if n > 0 else ()
        return start(folder, *command, env=ONE_THREAD, before=before)

    def kill_ranks(self, command: tuple[object, ...], share: float, victim: str) -> None:
        wanted, seconds = self.undisturbed(command)
        aim, tries = self.told(share), 0
        while self.counts["kills"] < aim:
            tries += 1
            self.assertLess(tries, 20 * aim, "the command ends before it can be killed")
            folder, story = self.folder / f"try_{tries}", f"try {tries}, seed {SEED}"
            folder.mkdir()
            for _ in range(self.random.randint(1, IN_A_ROW)):
                n = self.random.randint(2, 3)
                running = self.ranks_of(n, folder, command)
                moment = self.random.uniform(0, 0.8 + seconds / 2)
                time.sleep(moment)
                ranks = children(running.pid)
                story += f", {n} ranks, kill -9 of {victim} after {moment:.4f} s"
                with contextlib.suppress(ProcessLookupError):
                    if victim == "the launcher":
                        running.kill()
                    elif ranks:
                        os.kill(self.random.choice(ranks), signal.SIGKILL)
                code, _, err = finish(running)
                self.counts["kills"] += code != 0
                self.counts["resumed"] += "going on from" in err
                if self.random.random() < 0.5:  # else the next ones meet those that have not noticed yet
                    wait_for(lambda: not any(map(is_alive, ranks)), "the end of the ranks")
            n = self.random.randint(0, 3)
            story += f", then {n} ranks"
            code, _, err = finish(self.ranks_of(n, folder, command))
            self.assertEqual(code, 0, f"{story}\n{err}")
            self.counts["repeated"] += 1
            self.counts["resumed"] += "going on from" in err
            self.expect(folder, wanted, story)
            self.assertEqual(leftovers(folder), [], story)
            shutil.rmtree(folder)
        self.report()

    @unittest.skipUnless(shutil.which("mpirun"), "no mpirun")
    def test_a_rank_of_a_search(self) -> None:
        self.kill_ranks(SEARCH, 0.3, "a rank")

    @unittest.skipUnless(shutil.which("mpirun"), "no mpirun")
    def test_the_launcher_of_a_search(self) -> None:
        self.kill_ranks(SEARCH, 0.25, "the launcher")

    @unittest.skipUnless(shutil.which("mpirun"), "no mpirun")
    def test_a_rank_of_trials(self) -> None:
        self.kill_ranks(TRIALS, 0.15, "a rank")

    # ---- shards ----------------------------------------------------------------------------------------------------

    def kill_shards(self, command: tuple[object, ...], share: float) -> None:
        wanted, seconds = self.undisturbed(command)
        aim, tries, n = self.told(share), 0, 3
        while self.counts["kills"] < aim:
            tries += 1
            self.assertLess(tries, 20 * aim, "the command ends before it can be killed")
            folder, story = self.folder / f"try_{tries}", f"try {tries}, seed {SEED}"
            folder.mkdir()
            files = []
            for i in range(1, n + 1):
                shard = (*command, "--shard", f"{i}/{n}")
                for _ in range(self.random.randint(0, IN_A_ROW)):
                    running = start(folder, *shard, env=ONE_THREAD)
                    moment = self.random.uniform(0, seconds / n)
                    time.sleep(moment)
                    running.kill()
                    code, _, err = finish(running)
                    story += f", kill -9 of shard {i} after {moment:.4f} s"
                    self.counts["kills"] += code == -signal.SIGKILL
                    self.counts["resumed"] += "going on from" in err
                code, out, err = finish(start(folder, *shard, env=ONE_THREAD))
                self.assertEqual(code, 0, f"{story}\n{err}")
                self.counts["repeated"] += 1
                self.counts["resumed"] += "going on from" in err
                files.append(out.splitlines()[-1])
            self.random.shuffle(files)
            code, _, err = finish(start(folder, "merge", *files))
            self.assertEqual(code, 0, f"{story}\n{err}")
            self.expect(folder, wanted, story)
            self.assertEqual([x for x in leftovers(folder) if ".shard-" not in x], [], story)
            shutil.rmtree(folder)
        self.report()

    def test_a_shard_of_a_search(self) -> None:
        self.kill_shards(SEARCH, 0.2)

    def test_a_shard_of_trials(self) -> None:
        self.kill_shards(TRIALS, 0.1)


if __name__ == "__main__":
    unittest.main()
