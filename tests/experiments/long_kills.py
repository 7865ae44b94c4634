"""`kill -9` at random moments: the store stays whole, the same command again comes to the same bits, nothing is left.

    ONEPROXY_BIN=build/oneproxy build/venv/bin/python tests/experiments/long_kills.py -v

ONEPROXY_KILLS: kills in all (40). ONEPROXY_KILLS_SEED: of the moments (1). Only kills of a program at work count; up to
three come in a row, so that a run meets what several dead ones left.
"""

from __future__ import annotations

import math
import os
import random
import shutil
import sys
import time
import unittest
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from aftermath import (  # noqa: E402
    Contents,
    contents,
    damaged,
    finish,
    leftovers,
    result_contents,
    results,
    start,
)
from own_devices import PREDICTOR, STORE  # noqa: E402
from support import SOURCES, TRAINS, ProgramCase, config, sets, stored  # noqa: E402

KILLS = int(os.environ.get("ONEPROXY_KILLS", "40"))
SEED = int(os.environ.get("ONEPROXY_KILLS_SEED", "1"))
IN_A_ROW = 3


@dataclass
class Job:
    """A command that is killed, in a folder that is prepared anew each time."""

    arguments: tuple[object, ...]
    prepare: Callable[[Path], object]  # files that the command needs, and what it replaces
    outcome: Callable[[Path], Contents | None]  # what is there under its final name; None: nothing
    says_it_resumes: str = ""  # on standard error, where it goes on from a checkpoint
    share: float = 1.0  # of the kills
    counts: dict[str, int] = field(default_factory=lambda: {"kills": 0, "repeated": 0, "resumed": 0})

    def resumed(self, err: str) -> bool:
        return bool(self.says_it_resumes) and self.says_it_resumes in err


def store_outcome(folder: Path) -> Contents | None:
    return contents(folder / STORE) if (folder / STORE).exists() else None


def result_outcome(folder: Path) -> Contents | None:
    found = results(folder)
    if len(found) > 1:
        raise AssertionError(f"more than one result: {found}")
    return result_contents(found[0]) if found else None


def share_of_kills(share: float) -> int:
    return max(1, math.ceil(KILLS * share))


class Kills(ProgramCase):
    def setUp(self) -> None:
        super().setUp()
        self.random = random.Random(f"{SEED} {self.id()}")

    # ---- what the commands need ------------------------------------------------------------------------------------

    def measurements(self, device: str) -> Path:
        """A CSV of 300 cells as a device of the store measured them."""
        cells, columns = stored("nasbench201", "help")
        rows = np.random.default_rng(len(device)).choice(len(cells), 300, replace=False)
        return self.measure(f"{device}.csv", cells[rows], columns[device][rows])

    def store_with(self, device: str) -> Path:
        """A store that has a device of a user's own already."""
        add = ("import", "--space", "nasbench201", "--device", "old", self.measurements(device))
        self.ok(*add, "--store", "with_old.h5")
        return self.folder / "with_old.h5"

    # ---- the test --------------------------------------------------------------------------------------------------

    def check_killed(self, job: Job) -> None:
        whole = self.prepared(job, "undisturbed")
        old = job.outcome(whole)
        began = time.monotonic()
        code, _, err = finish(start(whole, *job.arguments))
        self.assertEqual(code, 0, err)
        seconds = time.monotonic() - began
        new = job.outcome(whole)
        self.assertIsNotNone(new)
        wanted = share_of_kills(job.share)
        for attempt in range(20 * wanted):
            if job.counts["kills"] >= wanted:
                break
            self.kill_and_repeat(job, f"try {attempt}", seconds, old, new)
        self.assertGreaterEqual(job.counts["kills"], wanted, "the command ends before it can be killed")
        counted = ", ".join(f"{n} {what}" for what, n in job.counts.items())
        print(f"{self.id()}: {counted}; all files whole, all results equal", flush=True)
        if job.says_it_resumes and wanted >= 5:
            self.assertGreater(job.counts["resumed"], 0, "no checkpoint was ever used")

    def prepared(self, job: Job, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        job.prepare(folder)
        return folder

    def kill_and_repeat(self, job: Job, name: str, seconds: float, old: Contents | None, new: Contents | None) -> None:
        folder = self.prepared(job, name)
        story = f"{name}, seed {SEED}"
        for _ in range(self.random.randint(1, IN_A_ROW)):
            process = start(folder, *job.arguments)
            moment = self.random.uniform(0, seconds)
            time.sleep(moment)
            process.kill()
            code, _, err = finish(process)
            story += f", kill -9 after {moment:.4f} s"
            self.assertIn(code, (0, -9), f"{story}\n{err}")
            job.counts["kills"] += code == -9
            job.counts["resumed"] += job.resumed(err)
            self.check_intact(folder, story)
            self.assertTrue(job.outcome(folder) in (old, new), f"{story}: neither the old content nor the new one")
        code, _, err = finish(start(folder, *job.arguments))
        self.assertEqual(code, 0, f"{story}\n{err}")
        job.counts["repeated"] += 1
        job.counts["resumed"] += job.resumed(err)
        self.assertTrue(job.outcome(folder) == new, f"{story}: the repeated command comes to something else")
        self.check_intact(folder, story)
        self.assertEqual(leftovers(folder), [], story)
        shutil.rmtree(folder)

    def check_intact(self, folder: Path, story: str) -> None:
        for result in results(folder):
            self.assertTrue((result / "DONE").exists(), f"{story}: {result.name} is half written")
            self.assertEqual(damaged(result / "arrays.h5")[:3], [], story)
        if (folder / STORE).exists():
            self.assertEqual(damaged(folder / STORE)[:3], [], story)
            self.ok("info", STORE, cwd=folder)

    # ---- the commands ----------------------------------------------------------------------------------------------

    def test_the_first_import_of_a_device(self) -> None:
        file = self.measurements("pixel3")
        add = ("import", "--space", "nasbench201", "--device", "phone", file, "--store", STORE)
        self.check_killed(Job(add, lambda folder: None, store_outcome, share=0.1))

    def test_import_of_a_device(self) -> None:
        store, file = self.store_with("fpga"), self.measurements("pixel3")
        add = ("import", "--space", "nasbench201", "--device", "phone", file, "--store", STORE)
        self.check_killed(Job(add, lambda folder: shutil.copy(store, folder / STORE), store_outcome, share=0.2))

    def test_import_of_a_predictor(self) -> None:
        store = self.store_with("fpga")
        add = ("import", "--predictor", PREDICTOR, "--space", "nasbench201", "--name", "tiny", "--store", STORE)
        self.check_killed(Job(add, lambda folder: shutil.copy(store, folder / STORE), store_outcome, share=0.15))

    def test_adapt_into_a_store(self) -> None:
        store, file = self.store_with("raspi4"), self.measurements("fpga")
        few = self.folder / "few.csv"
        few.write_text("\n".join(file.read_text().splitlines()[:13]) + "\n")
        adapt = ("adapt", "--space", "nasbench201", "--measurements", few, *SOURCES, "--prior", "stated")
        into = ("--into", STORE, "--name", "mine")
        self.check_killed(
            Job((*adapt, *into), lambda folder: shutil.copy(store, folder / STORE), store_outcome, share=0.15)
        )

    def test_a_run(self) -> None:
        run = ("run", config("nasbench201", "front_transfer"))
        self.check_killed(Job(run, lambda folder: None, result_outcome, share=0.1))

    def test_a_run_that_replaces_an_older_result(self) -> None:
        run = ("run", config("nasbench201", "front_transfer"), "--force")
        older = self.prepared(Job(run, lambda folder: None, result_outcome), "older")
        self.ok(*run, cwd=older)
        self.check_killed(
            Job(run, lambda folder: shutil.copytree(older, folder, dirs_exist_ok=True), result_outcome, share=0.1)
        )

    def test_a_search_with_a_checkpoint(self) -> None:
        search = (
            *("search", "--space", "fbnet", "--latency", "proxy:pixel3", "--quality", "model:macs"),
            *("--method", "exhaustive", *sets(count='"40000000"', shuffled=True, checkpoint_seconds=0.2)),
        )
        self.check_killed(
            Job(search, lambda folder: None, result_outcome, says_it_resumes="going on from", share=0.2)
        )

    @unittest.skipUnless(TRAINS, "built without LibTorch")
    def test_a_training_with_a_checkpoint(self) -> None:
        train = (
            *("train", config("nasbench201", "train_predictor")),
            *sets(epochs=300, patience=300, checkpoint_seconds=0.05),
        )
        self.check_killed(
            Job(train, lambda folder: None, result_outcome, says_it_resumes="training goes on from", share=0.2)
        )


if __name__ == "__main__":
    unittest.main()
