"""The neural optimizer from outside: trained, asked, as a search's starts, and what it refuses."""

from __future__ import annotations

import csv
import sys
import unittest
from pathlib import Path

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from support import CONFIGS, STORE, TRAINS, ProgramCase  # noqa: E402

SHORT = ("--option", "devices=20", "--option", "steps=20", "--option", "limits=4", "--option", "preferences=1")
SOURCES = ("--sources", "1080ti_1", "gold_6226", "pixel3", "fpga")


@unittest.skipUnless(TRAINS, "built without LibTorch")
class TestOptimizer(ProgramCase):
    def train(self, space: str, quality: str, *more: str, out: str = "optimizer.h5") -> Path:
        path = self.folder / out
        self.ok("train-optimizer", "--space", space, "--quality", quality, *SOURCES, *SHORT, "--out", str(path), *more)
        return path

    def test_answers_keep_the_limit_and_repeat(self) -> None:
        optimizer = self.train("nasbench201", "metric:natsbench:cifar100")
        again = self.train("nasbench201", "metric:natsbench:cifar100", out="again.h5")
        with h5py.File(optimizer) as one, h5py.File(again) as two:
            np.testing.assert_array_equal(one["network/parameters"], two["network/parameters"])
        out = self.folder / "answers.csv"
        ask = ("optimize", "--optimizer", str(optimizer), "--device", "proxy:eyeriss", "proxy:raspi4", "--limit",
               "6,40", "--out", str(out))  # fmt: skip
        self.ok(*ask)
        with out.open() as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["device"] for row in rows], ["proxy:eyeriss"] * 2 + ["proxy:raspi4"] * 2)
        for row in rows:
            self.assertLessEqual(float(row["latency"]), float(row["limit"]))
        # The quality is the table's, not the network's.
        with h5py.File(STORE) as store:
            found = store["spaces/nasbench201/natsbench"]
            best = float(found["metrics/cifar100"][:].max())
        self.assertTrue(all(float(row["quality"]) <= best for row in rows))
        self.assertIn("answers for: metric:natsbench:cifar100", self.ok("info", str(optimizer)))

    def test_a_network_is_searched_from_its_proposals(self) -> None:
        optimizer = self.train("fbnet", "model:macs")
        found = self.ok("search", "--space", "fbnet", "--latency", "proxy:raspi4", "--quality", "model:macs", "--limits",
                        "25", "--method", "from_starts", "--optimizer", str(optimizer), "--evaluations", "2000", "--set",
                        "proposals=20", "--out", str(self.folder / "results"))  # fmt: skip
        self.assertTrue(Path(found.strip().splitlines()[-1]).is_dir())

    def test_energy_is_weighed(self) -> None:
        optimizer = self.train("fbnet", "model:macs", "--energy")
        answer = self.ok("optimize", "--optimizer", str(optimizer), "--device", "proxy:raspi4", "--energy",
                         "model:activation_bytes", "--preference", "0.5,0.3,0.2")  # fmt: skip
        self.assertIn("proxy:raspi4", answer)
        self.fault("optimize", "--optimizer", str(optimizer), "--device", "proxy:raspi4", "--limit", "30", says=("give the device's energy",))

    def test_faults_are_one_line(self) -> None:
        optimizer = str(self.train("nasbench201", "metric:natsbench:cifar100"))
        ask = ("optimize", "--optimizer", optimizer, "--device", "proxy:eyeriss")
        for words, arguments in (
            ("below the device's cheapest architecture", (*ask, "--limit", "0.1")),
            ("either --limit or --preference", ask),
            ("either --limit or --preference", (*ask, "--limit", "5", "--preference", "1,1")),
            ("weights are 0 or above", (*ask, "--preference=-1,2")),
            ("all 0", (*ask, "--preference", "0,0")),
            ("unknown quality 'nothing'", (*ask, "--limit", "5", "--quality", "nothing")),
            ("is no optimizer", ("optimize", "--optimizer", str(STORE), "--device", "proxy:eyeriss", "--limit", "5")),
            ("fbnet", (*ask, "--limit", "5", "--space", "fbnet")),
        ):
            self.fault(*arguments, says=(words,))
        self.ok(*ask, "--limit", "6", *SOURCES)
        self.fault(*ask, "--limit", "6", "--sources", "1080ti_1", "fpga", "raspi4", says=("raspi4",))
        make = ("train-optimizer", "--space", "nasbench201", "--quality", "metric:natsbench:cifar100", "--out",
                str(self.folder / "never.h5"))  # fmt: skip
        self.fault(*make, "--sources", "fpga", "pixel3", says=("at least 3 source devices",))
        self.fault(*make, "--option", "step=4", says=("unknown key 'step'",))
        self.fault(*make, *SOURCES, "--option", "devices=0", "--option", "temperature=0", says=("temperature = 0",))
        self.assertFalse((self.folder / "never.h5").exists())
        self.fault("search", "--space", "fbnet", "--latency", "proxy:raspi4", "--quality", "model:macs", "--method", "from_starts", says=("begins from an optimizer's proposals",))
        self.fault("search", "--space", "nasbench201", "--latency", "proxy:raspi4", "--quality", "model:macs", "--method", "random", "--evaluations", "9", "--optimizer", optimizer, says=("does not begin from proposals",))

    def test_the_experiment_refuses_what_it_can_not_judge(self) -> None:
        smoke = (CONFIGS / "scaling_up" / "smoke_neural_optimizer.toml").read_text()
        path = self.folder / "own.toml"
        for old, new, words in (
            ('"gold_6226", "pixel3", "fpga"]', '"raspi4", "fpga"]', "2 sources are left"),
            ('devices = ["raspi4"]', 'devices = ["toaster"]', "toaster"),
            ('qualities = ["model:macs"]', "qualities = []", "needs qualities"),
            ('qualities = ["model:macs"]', 'qualities = ["metric:nothing"]', "nothing"),
            ("limits_of_range = true", 'limits_ms = ["raspi4: quick"]', "is no latency"),
        ):
            self.assertIn(old, smoke)
            path.write_text(smoke.replace(old, new))
            self.fault("run", path, says=(words,))


if __name__ == "__main__":
    unittest.main()
