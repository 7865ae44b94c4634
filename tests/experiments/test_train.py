"""Training from outside: results, `oneproxy train`, repetition, a kill in the middle, faults."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import unittest
from pathlib import Path

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from support import CONFIGS, PROGRAM, RESULT_FILES, TRAINS, ProgramCase, config, environment, sets, stored  # noqa: E402

SMOKE = config("nasbench201", "train_predictor")


def numbers(path: Path) -> dict[str, np.ndarray]:
    """All datasets and attributes of a file."""
    found: dict[str, np.ndarray] = {}
    with h5py.File(path) as file:
        found.update({f"@{k}": np.asarray(v) for k, v in file.attrs.items()})
        file.visititems(lambda name, node: found.update({name: node[()]}) if hasattr(node, "shape") else None)
    return found


class TrainCase(ProgramCase):
    def assert_same(self, one: Path, two: Path) -> None:
        ours, theirs = numbers(one), numbers(two)
        self.assertEqual(ours.keys(), theirs.keys())
        for name, values in ours.items():
            np.testing.assert_array_equal(values, theirs[name], err_msg=name)


@unittest.skipUnless(TRAINS, "built without LibTorch")
class TestTraining(TrainCase):
    def test_the_result_holds_what_it_says(self) -> None:
        result = self.run_config(SMOKE)
        self.assertEqual({p.name for p in result.folder.iterdir()}, RESULT_FILES | {"predictor.h5"})
        summary, arrays = result.summary, result.arrays()
        rows, measured, predicted = (arrays[f"test/{name}"] for name in ("row", "measured", "predicted"))
        _, columns = stored("nasbench201", "help")
        np.testing.assert_array_equal(measured, columns["pixel3"][rows])
        self.assertEqual((len(rows), len(set(rows))), (summary["samples_test"], 3125))
        self.assertEqual(summary["samples_train"], 600)
        error = np.abs(predicted - measured) / measured
        self.assertAlmostEqual(summary["mape"], error.mean(), 12)
        self.assertAlmostEqual(summary["within_5"], (error <= 0.05).mean(), 12)
        self.assertAlmostEqual(summary["within_10"], (error <= 0.10).mean(), 12)
        ranks = [np.unique(v, return_inverse=True)[1] for v in (predicted, measured)]
        self.assertAlmostEqual(summary["srcc"], np.corrcoef(*ranks)[0, 1], 3)  # ties are rare
        self.assertGreater(summary["srcc"], 0.8)
        self.assertEqual(len(arrays["validation_loss"]), summary["epochs"])
        self.assertEqual(int(np.argmin(arrays["validation_loss"])), summary["best_epoch"])

    def test_train_puts_the_predictor_where_asked(self) -> None:
        lines = self.ok("train", SMOKE, "--target", "device:fpga", "--out", "fpga.h5").splitlines()
        self.assertEqual(lines[1], "fpga.h5")
        self.assert_same(self.folder / "fpga.h5", self.folder / lines[0] / "predictor.h5")
        again = self.ok("train", SMOKE, *sets(target="device:fpga"), "--out", "again.h5").splitlines()
        self.assertEqual(again[0], lines[0])  # the same settings: the same result
        short = sets(samples_train=100, epochs=2, hidden=[8])
        metric = self.ok("train", "--space", "nasbench201", "--target", "metric:natsbench:cifar10", *short)
        self.assertTrue((self.folder / metric.strip() / "predictor.h5").exists())

    def test_repetition_and_threads_change_no_bit(self) -> None:
        one = self.run_config(SMOKE, "--out", "one", before=("--threads", "1"))
        two = self.run_config(SMOKE, "--out", "two", before=("--threads", "2"))
        self.assertEqual(one.text("summary.json"), two.text("summary.json"))
        self.assert_same(one.folder / "predictor.h5", two.folder / "predictor.h5")
        self.assert_same(one.folder / "arrays.h5", two.folder / "arrays.h5")
        other = self.run_config(SMOKE, *sets(seed=2))
        self.assertNotEqual(other.summary["srcc"], one.summary["srcc"])

    def killed(self, out: str, *arguments: object) -> Path:
        """The checkpoint of a training that was killed in the middle."""
        command = [str(PROGRAM), "run", str(SMOKE), "--out", out, *map(str, arguments)]
        process = subprocess.Popen(command, cwd=self.folder, env=environment(), stderr=subprocess.DEVNULL)
        place = self.folder / out / "train_predictor"
        while process.poll() is None:
            time.sleep(0.02)
            found = list(place.glob("*.checkpoint"))
            if found:
                time.sleep(0.1)
                process.kill()
                process.wait()
                return found[0]
        self.fail("it ended before it could be killed")

    def test_a_killed_training_goes_on_to_the_same_result(self) -> None:
        long = sets(epochs=400, patience=400, checkpoint_seconds=0.01)
        whole = self.run_config(SMOKE, "--out", "whole", *long)
        checkpoint = self.killed("parts", *long)
        with h5py.File(checkpoint) as file:
            self.assertLess(file["progress"][0], 400)
        copy = Path(shutil.copy(checkpoint, self.folder / "checkpoint"))
        done = self.program("run", SMOKE, "--out", "parts", *long)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"training goes on from .*: epoch \d+, batch \d+")
        resumed = self.folder / done.stdout.splitlines()[-1]
        self.assert_same(resumed / "predictor.h5", whole.folder / "predictor.h5")
        self.assert_same(resumed / "arrays.h5", whole.folder / "arrays.h5")
        self.assertEqual((resumed / "summary.json").read_text(), whole.text("summary.json"))
        self.assertFalse(checkpoint.exists())
        # The checkpoint of other settings is refused.
        other = self.killed("other", *sets(epochs=401, patience=401, checkpoint_seconds=0.01))
        shutil.copy(copy, other)
        for left in self.folder.glob("other/train_predictor/.*"):  # by the kill; a run would remove it
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        says = ("other settings", other.name)
        self.fault("run", SMOKE, "--out", "other", *sets(epochs=401, patience=401, checkpoint_seconds=0.01), says=says)

    def test_ctrl_c_keeps_the_state(self) -> None:
        long = [*map(str, sets(epochs=100000, patience=100000, checkpoint_seconds=0.01))]
        command = [str(PROGRAM), "run", str(SMOKE), *long]
        process = subprocess.Popen(command, cwd=self.folder, env=environment(), stderr=subprocess.PIPE, text=True)
        place = self.folder / "results" / "train_predictor"
        while not list(place.glob("*.checkpoint")):
            self.assertIsNone(process.poll())
            time.sleep(0.02)
        process.terminate()
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 143)
        self.assertIn("run the same command again", errors.splitlines()[-1])
        self.assertEqual([p.suffix for p in place.iterdir()], [".checkpoint"])

    def test_faults(self) -> None:
        for values, says in (
            (sets(epochs=0), "epochs = 0"),
            (sets(hidden="[]"), "hidden"),
            (sets(loss="mae"), "logistic"),
            (sets(target="pixel3"), "device:NAME"),
            (sets(target="device:pixel"), "pixel3"),
            (sets(samples_train=20000), "samples_train"),
            (sets(share_test=0.9), "lower the shares"),
            (sets(features=["flops"]), "macs"),
        ):
            with self.subTest(values=values):
                self.fault("run", SMOKE, *values, says=(says,))

    def test_cuda_where_there_is_none_is_refused(self) -> None:
        if self.program("run", SMOKE, *sets(train_on="cuda")).returncode == 0:
            self.skipTest("trains on CUDA here")
        self.fault("run", SMOKE, *sets(train_on="cuda"), says=("CUDA", "on the CPU"))


class TestCommand(TrainCase):
    def test_wrong_usage(self) -> None:
        self.fault("train", says=("--space",))
        self.fault("train", "--space", "fbnett", says=("fbnet",))
        self.fault("train", config("nasbench201", "adaproxy"), says=("kind adaproxy",))

    @unittest.skipIf(TRAINS, "built with LibTorch")
    def test_without_libtorch_it_says_what_is_missing(self) -> None:
        self.fault("train", "--space", "fbnet", says=("LibTorch", "fetch_torch"))

    def test_configurations_that_ship_name_the_space_in_their_path(self) -> None:
        for path in CONFIGS.glob("*/train_predictor.toml"):
            self.assertIn(f'space = "{path.parent.name}"', path.read_text())


if __name__ == "__main__":
    unittest.main()
