"""Trained predictors and look-up tables, from the command line."""

from __future__ import annotations

import unittest
from pathlib import Path

from support import ProgramCase

TORCH = Path(__file__).resolve().parents[1] / "fixtures" / "torch"
NET_30_MS = (
    "r=224|k3_e3 k3_e3|k5_e4 k3_e3 k3_e4|k5_e4 k5_e4 k3_e3|k3_e6 k3_e4 k3_e4|k3_e6 k3_e6 k3_e4 k3_e3"
)


class TestImport(ProgramCase):
    def take(self, *more: object) -> tuple[object, ...]:
        return ("import", "--predictor", *more)

    def test_a_state_dict_enters_a_store_and_is_shown(self) -> None:
        said = self.ok(
            *self.take(TORCH / "zip.pth", "--space", "nasbench201", "--name", "tiny"),
            *("--target", "accuracy of a test", "--unit", "%", "--licence", "MIT", "--store", "mine.h5"),
        )
        self.assertIn("predictor tiny of nasbench201 (accuracy of a test, %): 30 choices-5-3-1", said)
        info = self.ok("info", "mine.h5")
        self.assertRegex(info, r"tiny +\| nasbench201 +\| accuracy of a test +\| % +\| +MLP 30-5-3-1 +\| zip.pth +\| MIT")
        self.assertRegex(info, r"note10 +\| ofa_mbv3 +\| latency on Samsung Note10")
        # By default it is called as its file; a second import replaces or adds, and the measurements stay.
        self.ok(*self.take(TORCH / "legacy.pth", "--space", "nasbench201", "--store", "mine.h5"))
        again = self.ok("info", "mine.h5")
        for word in ("| legacy ", "| tiny ", "nasbench201, set help: 15625"):
            self.assertIn(word, again)
        self.assertEqual(self.files(), {"mine.h5"})

    def test_what_can_not_be_imported_is_one_line(self) -> None:
        for name, words in (
            ("nan.pth", ("'0.bias'", "NaN")),
            ("batch_norm.pth", ("1.running_mean", "no Linear layer")),
            ("hostile.pth", ("posix.system",)),
            ("kinds.pth", ("'double' (2)",)),
        ):
            self.fault(*self.take(TORCH / name, "--space", "nasbench201"), says=(name, *words))
        self.fault(*self.take(TORCH / "zip.pth", "--space", "fbnet"), says=("30 inputs", "198"))
        self.fault(*self.take(TORCH / "zip.pth", "--space", "fbnet", "--layout", "ofa"), says=("ofa_mbv3",))
        self.fault(*self.take(TORCH / "zip.pth", "--space", "nasbench201", "--name", "a/b"), says=("a/b",))
        self.fault(*self.take("nothing.pth", "--space", "nasbench201"), says=("nothing.pth",))
        self.assertEqual(self.files(), set())


class TestTables(ProgramCase):
    def test_an_architecture_shows_its_latency(self) -> None:
        said = self.ok("arch", "--space", "ofa_mbv3", NET_30_MS)
        self.assertIn("note10            29.9653 ms (latency on Samsung Note10, look-up table)", said)
        small = self.ok("arch", "--space", "ofa_mbv3", NET_30_MS.replace("224", "156"))
        self.assertIn("note10            not covered", small)
        self.fault("arch", "--space", "ofa_mbv3", NET_30_MS.replace("224", "260"), says=("260", "nearest: 224"))


if __name__ == "__main__":
    unittest.main()
