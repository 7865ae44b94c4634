"""Files of the program that something altered: refused in one line, never used, never blessed by a rewrite."""

from __future__ import annotations

import hashlib
import shutil
import signal
import sys
import unittest
from pathlib import Path
from typing import Callable

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from aftermath import finish, leftovers, result_contents, results, start, wait_for  # noqa: E402
from own_devices import PREDICTOR, STORE, OwnDevices  # noqa: E402
from support import TRAINS, ProgramCase, config, sets  # noqa: E402

USER = "spaces/nasbench201/user"
SEARCH = (
    *("search", "--space", "fbnet", "--latency", "proxy:pixel3", "--quality", "model:macs", "--method", "exhaustive"),
    *sets(count='"4000000"', shuffled=True),
)
TRAIN = ("run", config("nasbench201", "train_predictor"), *sets(epochs=400, patience=400, checkpoint_seconds=0.01))


def replace(file: h5py.File, dataset: str, values: np.ndarray) -> None:
    """Other numbers under a name, with the checksum that belongs to them."""
    attributes = dict(file[dataset].attrs)
    del file[dataset]
    file[dataset] = values
    for key, value in attributes.items():
        file[dataset].attrs[key] = value
    file[dataset].attrs["sha256"] = hashlib.sha256(values.tobytes()).hexdigest()


def alter(file: h5py.File, dataset: str) -> None:
    """One number of a dataset, in the middle, keeping all else."""
    values = file[dataset][()]
    at = values.size // 2
    values.flat[at] = values.flat[at] * 1000 + 1 if values.dtype.kind == "f" else values.flat[at] ^ 1
    file[dataset][...] = values


def numbers_in(path: Path) -> list[str]:
    """Names of the datasets of numbers that are not empty."""
    found: list[str] = []

    def add(name: str, node: object) -> None:
        if isinstance(node, h5py.Dataset) and node.dtype != object and node.size:
            found.append(name)

    with h5py.File(path) as file:
        file.visititems(add)
    return found


class TestStores(OwnDevices):
    def setUp(self) -> None:
        super().setUp()
        self.begin_small("spaces/nasbench201/natsbench", "tables/ofa_mbv3/note10")
        take = ("import", "--predictor", PREDICTOR, "--space", "nasbench201", "--name", "net", "--store", STORE)
        self.ok(*take)
        self.whole = self.store.read_bytes()
        self.take = (*take[:-3], "other", *take[-2:])
        self.add = self.import_of("second")

    def refuses(self, change: Callable[[h5py.File], None], *says: str, every: bool = False) -> None:
        """An import of a device does not take such a store (nor one of a predictor); it stays as it is, bit for bit."""
        with h5py.File(self.store, "r+") as file:
            change(file)
        before = self.store.read_bytes()
        for command in (self.add, self.take)[: 2 if every else 1]:
            self.fault(*command, says=(STORE, *says))
            self.assertEqual(self.store.read_bytes(), before, "an import that failed changed the store")
        self.store.write_bytes(self.whole)

    def test_a_damaged_number_anywhere_is_not_blessed(self) -> None:
        for dataset in (
            f"{USER}/latency_ms/first",
            f"{USER}/choices",
            "spaces/nasbench201/oneproxy/latency_ms/true_vpu",
            "spaces/nasbench201/oneproxy/choices",
            "spaces/nasbench201/oneproxy/official_index",
            "spaces/nasbench201/natsbench/metrics/cifar10",
            "tables/ofa_mbv3/note10/weights",
            *(name for name in numbers_in(self.store) if name.startswith("predictors/nasbench201/net")),
        ):
            with self.subTest(dataset=dataset):
                self.refuses(lambda file: alter(file, dataset), dataset.rsplit("/", 1)[1], "checksum", every=True)

    def test_wrong_shapes_with_right_checksums(self) -> None:
        with h5py.File(self.store) as file:
            choices, latency = file[f"{USER}/choices"][()], file[f"{USER}/latency_ms/first"][()]
        for dataset, values in (
            ("choices", choices.ravel()),
            ("choices", choices[0]),
            ("choices", choices[:3].copy()),
            ("choices", np.empty((0, 6), np.uint8)),
            ("choices", choices[None]),
            ("latency_ms/first", np.append(latency, [1.0, 2.0])),
            ("latency_ms/first", latency[:-1].copy()),
            ("latency_ms/first", latency[:, None].copy()),
        ):
            with self.subTest(dataset=dataset, shape=values.shape):
                self.refuses(lambda file: replace(file, f"{USER}/{dataset}", values))

        with self.subTest("another number of decisions than the space has"):
            self.refuses(lambda file: replace(file, f"{USER}/choices", choices[:, :3].copy()), "decision")

    def test_a_choice_that_the_space_does_not_have(self) -> None:
        with h5py.File(self.store, "r+") as file:
            choices = file[f"{USER}/choices"][()]
            choices[1, 2] = 200
            replace(file, f"{USER}/choices", choices)
        search = ("search", "--space", "nasbench201", "--store", STORE, "--set", "set=user", "--method", "exhaustive")
        objectives = ("--latency", "device:first", "--quality", "model:macs")
        self.fault(*search, *objectives, says=(STORE, "row 1 of set user", "choice 200"))

    def test_parts_that_are_missing(self) -> None:
        for part in ("choices", "latency_ms/first"):
            with self.subTest(part=part):

                def without_checksum(file: h5py.File) -> None:
                    del file[f"{USER}/{part}"].attrs["sha256"]

                self.refuses(without_checksum, "checksum", every=True)

        def without_choices(file: h5py.File) -> None:
            del file[f"{USER}/choices"]

        self.refuses(without_choices)

    def test_an_import_that_fails_changes_nothing(self) -> None:
        bad = self.folder / "bad.csv"
        bad.write_text('arch,latency_ms\n"0,0,0,0,0,1",1\n"0,0,0,0,0,9",1\n')
        add = ("import", "--space", "nasbench201", "--store", STORE)
        few = ("adapt", "--space", "nasbench201", "--sources", "none", "--measurements")
        for command in (
            (*add, "--device", "second", bad),
            (*add, "--device", "second", "--set", "oneproxy", *self.add[-1:]),
            (*add, "--device", "second", "--set", "choices/x", *self.add[-1:]),
            (*add, "--device", "a/b", *self.add[-1:]),
            (*add, "--predictor", bad),
            ("import", "--space", "fbnet", "--store", STORE, "--device", "second", *self.add[-1:]),
            (*few, bad, "--into", STORE, "--name", "table"),
            (*few, *self.add[-1:], "--into", STORE, "--name", "a/b"),
        ):
            with self.subTest(command=command):
                self.fault(*command)
                self.assertEqual(self.store.read_bytes(), self.whole)


class Checkpoints(ProgramCase):
    """A command that is interrupted, its checkpoint altered, and the command repeated."""

    def interrupted(self, *command: object) -> Path:
        process = start(self.folder, "--threads", "1", *command)
        wait_for(lambda: list(self.folder.glob("results/*/.*/run.log")), "the folder of the run")
        process.send_signal(signal.SIGINT)
        code, _, err = finish(process)
        self.assertEqual(code, 130, err)
        (checkpoint,) = self.folder.glob("results/*/*.checkpoint")
        return checkpoint

    def check_alterations(self, *command: object) -> None:
        checkpoint = self.interrupted(*command)
        whole = checkpoint.read_bytes()

        def refused(what: str) -> None:
            with self.subTest(altered=what):
                before = checkpoint.read_bytes()
                self.fault(*command, says=(checkpoint.name, "remove"))
                self.assertEqual(checkpoint.read_bytes(), before)
            checkpoint.write_bytes(whole)

        with h5py.File(checkpoint) as file:
            counts = [n for n, v in file.attrs.items() if isinstance(v, (np.integer, np.floating))]
            texts = [n for n, v in file.attrs.items() if isinstance(v, str)]
        self.assertTrue(texts and numbers_in(checkpoint))
        for name in numbers_in(checkpoint):
            with h5py.File(checkpoint, "r+") as file:
                alter(file, name)
            refused(f"a number of {name}")
            with h5py.File(checkpoint, "r+") as file:
                del file[name]
            refused(f"{name} removed")
        for name in counts:
            with h5py.File(checkpoint, "r+") as file:
                value = file.attrs[name]
                file.attrs.modify(name, value + type(value)(1))
            refused(f"attribute {name}, greater by one")
        for name in texts:
            with h5py.File(checkpoint, "r+") as file:
                file.attrs[name] = file.attrs[name][:-1] + "~"
            refused(f"attribute {name}, another text")
        for size in (0, len(whole) // 2, len(whole) - 1):
            checkpoint.write_bytes(whole[:size])
            refused(f"cut after {size} bytes")
        # As it was, it is taken.
        done = self.program(*command)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("from " + str(checkpoint.relative_to(self.folder)), done.stderr)
        self.assertEqual(leftovers(self.folder), [])
        (found,) = results(self.folder)
        resumed = result_contents(found)
        shutil.rmtree(found)
        self.ok(*command)
        self.assertTrue(result_contents(found) == resumed)

    def test_of_a_search(self) -> None:
        self.check_alterations(*SEARCH)

    @unittest.skipUnless(TRAINS, "built without LibTorch")
    def test_of_a_training(self) -> None:
        self.check_alterations(*TRAIN)


class TestResults(ProgramCase):
    def check_export(self, name: str, *arguments: str) -> None:
        """Every dataset of a result, altered: export refuses it, or does not read it and writes the same as before."""
        result = self.run_config(config("nasbench201", name), *arguments)
        self.ok("export", result.folder, "--csv", "--to", "csv")
        written = {p.name: p.read_bytes() for p in (self.folder / "csv").iterdir()}
        shutil.rmtree(self.folder / "csv")
        arrays = result.folder / "arrays.h5"
        whole = arrays.read_bytes()
        refused = 0
        for dataset in numbers_in(arrays):
            with self.subTest(dataset=dataset):
                with h5py.File(arrays, "r+") as file:
                    alter(file, dataset)
                done = self.program("export", result.folder, "--csv", "--to", "csv")
                if done.returncode == 0:
                    found = {p.name: p.read_bytes() for p in (self.folder / "csv").iterdir()}
                    self.assertTrue(found == written, "altered numbers were exported")
                else:
                    self.assertEqual((done.returncode, len(done.stderr.splitlines())), (1, 1), done.stderr)
                    for part in ("arrays.h5", dataset, "checksum"):
                        self.assertIn(part, done.stderr)
                    refused += 1
            arrays.write_bytes(whole)
            shutil.rmtree(self.folder / "csv", ignore_errors=True)
        self.assertGreater(refused, 2)

    def test_altered_numbers_are_not_exported(self) -> None:
        self.check_export("front_transfer", *sets(targets=["fpga"]))
        self.check_export("monotonicity", *sets(devices=["fpga", "pixel3"], architectures=200, resamples=5))
        self.check_export("search", *sets(generations=2))


if __name__ == "__main__":
    unittest.main()
