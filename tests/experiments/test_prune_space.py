"""`oneproxy prune-space`, and the file of a part wherever a space is named."""

from __future__ import annotations

import csv
import hashlib
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from support import CONFIGS, ProgramCase, Result, sets  # noqa: E402

PRUNE = ("prune-space", "--space", "fbnet", "--latency", "proxy:pixel3", "--quality", "model:macs", "--keep")
KEPT = re.compile(r"it keeps ([0-9.]+) of the whole space's hypervolume")


class TestPruneSpace(ProgramCase):
    def result(self, printed: str) -> Result:
        return Result(self.folder / printed.splitlines()[-1])

    def test_the_part_is_searched_in_place_of_the_space(self) -> None:
        said = self.ok(*PRUNE, 5, "--limits", "15,20", "--out", "phone.toml")
        self.assertIn("984770902183611232881 architectures before, 2384185791015625 after", said)
        self.assertIn("the truth, exact", said)
        self.assertGreater(float(KEPT.search(said)[1]), 0.995)
        self.assertEqual(len(re.findall(r"^\| layer \d+ ", said, re.M)), 22)
        best, ours, lost = (float(c) for c in re.search(r"^\| 15 +\|(.*)\|[^|]*\|$", said, re.M)[1].split("|"))
        self.assertEqual(lost, best - ours)
        # What it says of the part is what a search of the part finds, and the same of the whole.
        for space, value in (("phone.toml", ours), ("fbnet", best)):
            searched = self.result(
                self.ok("search", "--space", space, *PRUNE[3:7], "--limits", "15", "--method", "exact")
            )
            self.assertEqual(searched.summary["quality.15"], value)
            whole = space == "fbnet"
            self.assertEqual(searched.summary["part"], "all of fbnet" if whole else "phone, a part of fbnet")
            copies = {p.name for p in searched.folder.glob("spaces/*")}
            self.assertEqual(copies, set() if whole else {"phone.part.toml"})
        self.assertIn("2384185791015625", self.ok("info", "phone.toml"))

    def test_methods_compete_on_the_part(self) -> None:
        self.ok(*PRUNE, 4, "--out", "part.toml")
        path = CONFIGS / "fbnet" / "smoke_searchers.toml"
        compared = self.result(self.ok("run", path, *sets(space="part.toml", trials=1, budgets=[30])))
        self.assertEqual(compared.summary["part_size"], str(4**22))
        self.assertTrue(compared.summary["regret_against"].startswith("the truth (exact"))
        for method in ("evolutionary", "random"):
            self.assertGreater(compared.summary[f"regret.{method}.30"], 0)
            self.assertEqual(compared.summary[f"violations.{method}.30"], 0)

    def test_the_same_call_gives_the_same_file_on_any_number_of_threads(self) -> None:
        self.ok("--threads", 1, *PRUNE, 4, "--out", "one.toml")
        self.ok("--threads", 3, *PRUNE, 4, "--out", "two.toml")
        self.assertEqual((self.folder / "one.toml").read_text(), (self.folder / "two.toml").read_text())

    def test_the_ratio_alone_leaves_out_the_best(self) -> None:
        call = [*PRUNE, 4, "--out", "a.toml", "--value", "ratio"]
        ratio = float(KEPT.search(self.ok(*call))[1])
        gain = float(KEPT.search(self.ok(*PRUNE, 4, "--out", "b.toml"))[1])
        self.assertLess(ratio, gain)

    def test_a_part_can_be_pruned_again(self) -> None:
        self.ok(*PRUNE, 5, "--out", "five.toml")
        said = self.ok(*[w if w != "fbnet" else "five.toml" for w in map(str, PRUNE)], 3, "--out", "three.toml")
        self.assertIn("2384185791015625 architectures before, 31381059609 after", said)
        self.assertIn('part_of = "fbnet"', (self.folder / "three.toml").read_text())

    def test_plans_and_scores_stay_in_the_part(self) -> None:
        self.ok(*PRUNE, 2, "--out", "small.toml")
        part = (self.folder / "small.toml").read_text()
        kept = {int(d): set(c.split("|")) for d, c in re.findall(r'"layer (\d+)=(\S+)"', part)}
        self.assertEqual([len(kept[d]) for d in range(22)], [2] * 22)
        self.ok("plan", "--space", "small.toml", "--k", 12, "--out", "plan.csv")
        self.ok("score", "--space", "small.toml", "--predictor", "model:macs", "--count", 40, "--out", "first.csv")
        shuffled = ("--shuffled", "--seed", 3, "--count", 40, "--out", "random.csv")
        self.ok("score", "--space", "small.toml", "--predictor", "model:macs", *shuffled)
        for name, n in (("plan.csv", 12), ("first.csv", 40), ("random.csv", 40)):
            with (self.folder / name).open() as file:
                rows = list(csv.DictReader(file))
            self.assertEqual(len({row["arch"] for row in rows}), n)
            for row in rows:
                for d, op in enumerate(row["arch"].split("|")):
                    self.assertIn(op, kept[d])
        inside = self.ok("arch", "--space", "small.toml", "--index", rows[0]["index"])  # an index is that of the whole
        self.assertIn(rows[0]["arch"], inside)
        self.assertIn("in the part       yes", inside)
        self.assertIn("in the part       no", self.ok("arch", "--space", "small.toml", "|".join(["k5_e1_g2"] * 22)))
        beyond = ("score", "--space", "small.toml", "--predictor", "model:macs", "--begin", 1 << 22, "--out", "x.csv")
        self.fault(*beyond, says=("small, a part of fbnet", "4194304"))

    def test_measured_cells(self) -> None:
        words = ("--latency", "device:pixel3", "--quality", "metric:natsbench:cifar10", "--keep", 3)
        said = self.ok("prune-space", "--space", "nasbench201", *words, "--limits", "0.0001,8", "--out", "cells.toml")
        self.assertIn("15625 architectures before, 729 after", said)
        self.assertIn("the truth, exhaustive", said)
        self.assertIn("The fastest network of the whole does not keep to 0.0001", said)

    def test_a_part_of_a_file_of_ones_own(self) -> None:
        text = (CONFIGS / "spaces" / "fbnet.toml").read_text().replace('name = "fbnet"', 'name = "mine"', 1)
        (self.folder / "sub").mkdir()
        (self.folder / "sub" / "mine.toml").write_text(text)
        call = ("--latency", "model:parameters", "--quality", "model:macs", "--keep", 3, "--out", "part.toml")
        self.ok("prune-space", "--space", "sub/mine.toml", *call)
        self.assertIn('part_of = "sub/mine.toml"', (self.folder / "part.toml").read_text())
        self.assertIn(hashlib.sha256(text.encode()).hexdigest(), (self.folder / "part.toml").read_text())
        search = ("search", "--space", "part.toml", *call[:4], "--method", "exact")
        found = self.result(self.ok(*search))
        self.assertEqual({p.name for p in found.folder.glob("spaces/*")}, {"mine.toml", "part.part.toml"})
        self.ok("export", found.folder, "--csv")
        (self.folder / "sub" / "mine.toml").write_text(text + "\n")
        self.fault(*search, says=("part.toml", "has changed since", "write the part again"))


class TestFaults(ProgramCase):
    def test_what_prune_space_refuses(self) -> None:
        self.fault(*PRUNE, 9, "--out", "x.toml", says=("--keep 9", "keep fewer"))
        self.fault(*PRUNE, 3, "--out", "x.csv", says=("x.csv", "*.toml"))
        self.fault(*PRUNE, 3, "--limits", "nan", "--out", "x.toml", says=("--limits", "finite"))
        (self.folder / "mine.toml").write_text("precious")
        self.fault(*PRUNE, 3, "--out", "mine.toml", says=("mine.toml", "is there already", "--force"))
        measured = [w if w != "proxy:pixel3" else "device:pixel3" for w in PRUNE]
        self.fault(*measured, 3, "--out", "x.toml", says=("layer 21", "rows of a set only"))
        for keep in (1, 0, -3, 255, "many"):
            self.assertEqual(self.program(*PRUNE, keep, "--out", "x.toml").returncode, 2, keep)
        self.assertEqual(self.program(*PRUNE, 3, "--value", "gian", "--out", "x.toml").returncode, 2)
        self.assertFalse((self.folder / "x.toml").exists())

    def test_what_the_file_of_a_part_may_not_say(self) -> None:
        for text, says in {
            'part_of = "fbnte"\nfix = ["layer 0=skip"]': ("fbnte", "nearest", "fbnet"),
            'part_of = "none.toml"\nfix = ["layer 0=skip"]': ("none.toml", "no such file"),
            'part_of = "fbnet"': ("p.toml", "fix = []", "keeps all"),
            'part_of = "fbnet"\nfix = ["layer 0=skip"]\nname = "x"': ("p.toml", "name"),
            'part_of = "fbnet"\nfix = ["layer 99=skip"]': ("p.toml", "layer 99", "nearest"),
            'part_of = "fbnet"\nfix = ["layer 0=skpi"]': ("p.toml", "skpi", "nearest", "skip"),
            'part_of = "fbnet"\nfix = ["layer 0=skip", "layer 0=k3_e1"]': ("p.toml", "leaves no choice"),
            'part_of = "fbnet"\nfix = ["layer 0=skip"]\nchecksum = "00"': ("p.toml", "has changed since"),
            'part_of = "p.toml"\nfix = ["layer 0=skip"]': ("p.toml", "checksum = "),
        }.items():
            (self.folder / "p.toml").write_text(text)
            with self.subTest(text=text):
                self.fault("info", "p.toml", says=says)

    def test_a_part_of_a_part(self) -> None:
        text = 'part_of = "fbnet"\nfix = ["layer 0=skip|k3_e1"]\n'
        (self.folder / "p.toml").write_text(text)
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        (self.folder / "q.toml").write_text(f'part_of = "p.toml"\nchecksum = "{sha256}"\nfix = ["layer 1=skip"]\n')
        self.fault("info", "q.toml", says=("q.toml", "is a part itself", "whole"))

    def test_kinds_that_work_on_whole_sets_refuse_a_part(self) -> None:
        (self.folder / "p.toml").write_text('part_of = "fbnet"\nfix = ["layer 0=skip|k3_e1"]\n')
        config = CONFIGS / "fbnet" / "smoke_monotonicity.toml"
        self.fault("run", config, *sets(space="p.toml"), says=("p.toml", "a part of fbnet", 'space = "fbnet"'))
        tasks = (CONFIGS / "few_shot" / "smoke_nasflat_tasks.toml").read_text()
        (self.folder / "tasks.toml").write_text(tasks.replace('space = "fbnet"', 'space = "p.toml"'))
        self.fault("run", "tasks.toml", says=("p.toml", "a part of fbnet"))


if __name__ == "__main__":
    unittest.main()
