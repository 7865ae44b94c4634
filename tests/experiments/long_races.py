"""Programs that work on the same files at the same time: nothing that was said to be done is lost, no reader fails.

    ONEPROXY_BIN=build/oneproxy build/venv/bin/python tests/experiments/long_races.py -v

ONEPROXY_RACES: parallel writes in all (60). ONEPROXY_RACES_SEED: of who writes what (1).
"""

from __future__ import annotations

import math
import os
import shutil
import sys
import unittest
from pathlib import Path

import h5py

sys.path.insert(0, str(Path(__file__).parent))
from aftermath import Contents, damaged, leftovers, result_contents, results, start  # noqa: E402
from own_devices import PREDICTOR, STORE, OwnDevices  # noqa: E402
from support import SOURCES, config, sets  # noqa: E402

RACES = int(os.environ.get("ONEPROXY_RACES", "60"))
SEED = int(os.environ.get("ONEPROXY_RACES_SEED", "1"))
AT_ONCE = (4, 8)
ROUNDS_A_STORE = 10  # then a new one, so that copying it stays quick
SEARCH = (
    *("search", "--space", "fbnet", "--latency", "proxy:pixel3", "--quality", "model:macs", "--method", "exhaustive"),
    *sets(count='"20000000"', shuffled=True, checkpoint_seconds=0.1),
)


class Races(OwnDevices):
    seed = SEED

    def race_imports(self, races: int, set_of: str) -> None:
        """Rounds of parallel imports into one store; `set_of` with {} gives each process a set of its own."""
        done = 0
        for round_number in range(races):
            if done >= races:
                break
            if round_number % ROUNDS_A_STORE == 0:
                self.store.unlink(missing_ok=True)
                devices: list[str] = []
            added = [(set_of.format(i), f"d{done + i}") for i in range(self.random.randint(*AT_ONCE))]
            commands = [self.import_of(device, set_name) for set_name, device in added]
            self.all_succeed([start(self.folder, *command) for command in commands])
            devices += [":".join(one) for one in added]
            self.check_store(devices)
            done += len(added)
        print(f"{self.id()}: {done} parallel imports, none lost", flush=True)

    def test_imports_into_one_set(self) -> None:
        self.race_imports(math.ceil(RACES * 0.5), "user")

    def test_imports_into_several_sets(self) -> None:
        self.race_imports(math.ceil(RACES * 0.2), "mine{}")

    def test_devices_predictors_and_tables_at_once(self) -> None:
        """Imports of both kinds and `adapt --into`: six processes a round."""
        few = self.measure("few.csv", self.cells[:12], self.columns["fpga"][:12])
        adapt = ("adapt", "--space", "nasbench201", "--measurements", few, *SOURCES, "--prior", "stated")
        take = ("import", "--predictor", PREDICTOR, "--space", "nasbench201", "--store", STORE, "--name")
        for at in range(math.ceil(RACES * 0.2 / 6)):
            self.store.unlink(missing_ok=True)
            commands: list[tuple[object, ...]] = [self.import_of(f"d{at}_{i}") for i in range(2)]
            commands += [(*take, f"net{i}") for i in range(2)]
            commands += [(*adapt, "--into", STORE, "--name", f"table{i}") for i in range(2)]
            self.random.shuffle(commands)
            self.all_succeed([start(self.folder, *command) for command in commands])
            self.check_store([f"user:d{at}_{i}" for i in range(2)])
            with h5py.File(self.store) as file:
                for group in ("predictors/nasbench201/net{}", "tables/nasbench201/table{}"):
                    for i in range(2):
                        self.assertIn(group.format(i), file)
        print(f"{self.id()}: {6 * (at + 1)} parallel writes, none lost", flush=True)
        said = self.ok("score", "--space", "nasbench201", "--store", STORE, "--predictor", "table:table1",
                       "--predictor", "net1", "--count", "5", "--out", "values.csv")  # fmt: skip
        self.assertIn("values.csv", said)

    def test_readers_while_imports_go_on(self) -> None:
        self.ok(*self.import_of("first"))
        run = ("run", config("nasbench201", "monotonicity"))
        values = sets(store=STORE, devices=["fpga", "pixel3", "user:first"], architectures=0, resamples=5)
        total = 0
        for at in range(math.ceil(RACES * 0.1)):
            writers = [start(self.folder, *self.import_of(f"r{at}_{i}")) for i in range(3)]
            reads = 0
            while reads < 3 or any(process.poll() is None for process in writers):
                self.assertIn("| first ", self.ok("info", STORE))
                self.ok(*run, *values, *sets(seed=self.random.randrange(10**6)))
                reads += 1
            self.all_succeed(writers)
            total += 2 * reads
        self.check_store(list(self.measured))
        print(f"{self.id()}: {total} reads beside {3 * (at + 1)} imports, none failed or lost", flush=True)

    # ---- results ---------------------------------------------------------------------------------------------------

    def equal_runs(self, *command: object, n: int = 2) -> tuple[Contents, list[str]]:
        """The one result of several equal commands at once, and what they said."""
        said = self.all_succeed([start(self.folder, *command) for _ in range(n)])
        found = results(self.folder)
        self.assertEqual(len(found), 1)
        self.assertEqual(damaged(found[0] / "arrays.h5")[:3], [])
        self.assertEqual(leftovers(self.folder), [])
        return result_contents(found[0]), said

    def alone(self, *command: object) -> Contents:
        self.ok(*command)
        (found,) = results(self.folder)
        content = result_contents(found)
        shutil.rmtree(self.folder / "results")
        return content

    def race_results(self, *command: object, rounds: int, n: int = 2) -> None:
        wanted = self.alone(*command)
        for _ in range(rounds):
            found, said = self.equal_runs(*command, n=n)
            self.assertTrue(found == wanted, "\n".join(said))
            if "--force" not in command:  # one works, the others find its result
                self.assertEqual(sum("is finished already" in err for err in said), n - 1, "\n".join(said))
            shutil.rmtree(self.folder / "results")
        print(f"{self.id()}: {rounds} times {n} equal commands at once, one result each", flush=True)

    def test_equal_runs(self) -> None:
        self.race_results("run", config("nasbench201", "front_transfer"), rounds=max(2, RACES // 20), n=3)

    def test_equal_runs_that_replace_a_result(self) -> None:
        self.race_results("run", config("nasbench201", "search"), "--force", rounds=max(2, RACES // 20), n=3)

    def test_equal_searches_share_no_checkpoint(self) -> None:
        self.race_results(*SEARCH, rounds=max(2, RACES // 50))

    def test_different_runs_at_once(self) -> None:
        seeds = range(1, 7)
        run = ("run", config("nasbench201", "search"))
        self.all_succeed([start(self.folder, *run, *sets(seed=seed)) for seed in seeds])
        self.assertEqual(len(results(self.folder)), len(seeds))
        self.assertEqual(leftovers(self.folder), [])


if __name__ == "__main__":
    unittest.main()
