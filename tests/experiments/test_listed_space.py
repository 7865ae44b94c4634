"""A list of networks from a CSV as a space of its own: imported in one step, correlated, planned, adapted to, searched and
exported under the networks' names; and what is refused."""

from __future__ import annotations

import csv
import sys
import unittest
from pathlib import Path

import h5py
import numpy as np
from scipy.stats import spearmanr

sys.path.insert(0, str(Path(__file__).resolve().parent))
from support import ProgramCase, spearman, stored  # noqa: E402

FAMILIES, SIZES, SIDES = ("net1", "net2", "big3"), {"n": 0.25, "s": 0.5, "m": 0.75, "l": 1.0}, range(96, 257, 32)
DEVICES = {"phone": (3.0, 1.0), "board": (2.0, 0.2), "gpu": (0.2, 2.0), "cpu": (4.0, 0.6)}


def networks() -> list[tuple[str, str, float, int]]:
    return [(f"{f}{s}_{r}", f, width, r) for f in FAMILIES for s, width in SIZES.items() for r in SIDES]


def latency(device: str, family: str, width: float, side: int) -> float:
    """Latency multiplies: work by family, width and pixels, and something for starting."""
    per_work, start = DEVICES[device]
    work = {"net1": 1.0, "net2": 1.7, "big3": 3.1}[family] * width**2 * (side / 128) ** 2
    return start + per_work * work + 0.3 * (family == "big3") * start


def accuracy(family: str, width: float, side: int) -> float:
    return 0.4 + 0.2 * width + side / 1000 + {"net1": 0.0, "net2": 0.02, "big3": 0.05}[family]


def table(change=lambda rows: rows) -> str:
    rows = [["model_name", "colour", *(f"{d}_latency" for d in DEVICES), "acc:top", "size MB"]]
    for i, (name, family, width, side) in enumerate(networks()):
        times = [repr(latency(d, family, width, side)) for d in DEVICES]
        if i == 5:
            times[1] = ""  # a measurement that failed
        rows.append([name, "red", *times, repr(accuracy(family, width, side)), repr(1 + 30 * width)])
    return "\n".join(",".join(row) for row in change(rows)) + "\n"


class ListCase(ProgramCase):
    def take(self, *more: object, list: str = "models.csv", unit: bool = True) -> tuple[object, ...]:
        return (
            *("import", "--list", list, "--space-file", "mine.toml", "--devices", "*_latency"),
            *("--metrics", "acc*:max:fraction", *(("--unit", "ms") if unit else ()), *more),
        )

    def write(self, text: str, name: str = "models.csv") -> None:
        (self.folder / name).write_text(text)

    def imported(self, *more: object) -> str:
        self.write(table())
        return self.ok(*self.take(*more))

    def choices_of(self, name: str) -> np.ndarray:
        shown = self.ok("arch", "--space", "mine.toml", name)
        line = next(line for line in shown.splitlines() if line.startswith("choices"))
        return np.array([int(c) for c in line.split()[-1].split(",")])

    def plain(self, name: str, text: str) -> Path:
        (self.folder / name).write_text(text)
        return Path(name)

    def toml(self, name: str, text: str) -> Path:
        return self.plain(name, 'space = "mine.toml"\nstore = "my_store.h5"\n' + text)


class TestFromTheListToAFront(ListCase):
    def test_one_step_makes_a_space_and_a_set(self) -> None:
        said = self.imported("--features", "size MB")
        self.assertIn("72 networks, told apart by size_MB (4) family (3) resolution (6)", said)  # `rest` says no more
        self.assertIn("numbers: size_MB, resolution", said)
        self.assertRegex(said, r"board +\| ms +\| +71 \| +1 \|")
        self.assertEqual(self.files(), {"models.csv", "mine.toml", "mine_list.csv", "my_store.h5"})
        info = self.ok("info", "mine.toml")
        self.assertIn("space mine: 72 architectures", info)
        self.assertRegex(info, r"resolution +\| 96 128 160 192 224 256")
        choices, columns = stored("mine", "list", self.folder / "my_store.h5")
        self.assertEqual(set(columns), {*DEVICES, "acc-top"})
        rows = [choice.tolist() for choice in choices]
        self.assertEqual(rows, sorted(rows))  # the order of the index
        name, family, width, side = networks()[40]
        at = rows.index(self.choices_of(name).tolist())
        self.assertEqual(columns["gpu"][at], latency("gpu", family, width, side))
        self.assertIn(f"architecture      {name}\n", self.ok("arch", "--space", "mine.toml", "--index", at))
        with h5py.File(self.folder / "my_store.h5") as file:
            attributes = dict(file["spaces/mine/list/metrics/acc-top"].attrs)
        self.assertEqual((attributes["direction"], attributes["unit"]), ("maximised", "fraction"))

    def test_devices_correlate_as_their_numbers(self) -> None:
        self.imported()
        result = self.run_config(self.toml("c.toml", 'kind = "monotonicity"\nresamples = 0\n'))
        _, columns = stored("mine", "list", self.folder / "my_store.h5")
        arrays = result.arrays()
        names = sorted(DEVICES)
        srcc = arrays["srcc"] if "srcc" in arrays else next(v for k, v in arrays.items() if k.endswith("srcc"))
        i, j = names.index("cpu"), names.index("gpu")
        self.assertAlmostEqual(srcc[i, j], spearmanr(columns["cpu"], columns["gpu"])[0], places=9)
        self.assertTrue((result.folder / "spaces" / "mine.toml").exists())
        self.assertTrue((result.folder / "spaces" / "mine_list.csv").exists())

    def test_plan_adapt_search_and_export_by_name(self) -> None:
        self.imported()
        of_store = ("--space", "mine.toml", "--store", "my_store.h5", "--sources", "board", "gpu", "cpu")
        self.ok("plan", *of_store, "--k", "10", "--out", "plan.csv")
        known = {name: (family, width, side) for name, family, width, side in networks()}
        with (self.folder / "plan.csv").open() as file:
            plan = list(csv.DictReader(file))
        self.assertTrue(all(row["arch"] in known for row in plan))
        rows = [f"{row['arch']},{latency('phone', *known[row['arch']])!r}\n" for row in plan]
        self.write("arch,latency_ms\n" + "".join(rows), "done.csv")
        self.write("arch\n" + "".join(name + "\n" for name in known), "all.csv")
        said = self.ok(
            *("adapt", *of_store, "--measurements", "done.csv", "--out", "phone.h5"),
            *("--predictions", "p.csv", "--archs", "all.csv"),
        )
        self.assertIn("--method exhaustive", said)
        self.assertIn("metric:acc-top", said)
        with (self.folder / "p.csv").open() as file:
            predicted = {row["arch"]: float(row["latency_ms"]) for row in csv.DictReader(file)}
        truth = np.array([latency("phone", *known[name]) for name in known])
        self.assertGreater(spearman(np.array([predicted[name] for name in known]), truth), 0.98)

        # The front of the looked-up latency and the measured accuracy, against all networks by hand.
        last = self.ok(
            *("search", "--space", "mine.toml", "--store", "my_store.h5", "--latency", "table:phone.h5"),
            *("--quality", "metric:acc-top", "--method", "exhaustive"),
        ).splitlines()[-1]
        self.ok("export", last, "--csv", "--to", "csv")
        front = set()
        for path in (self.folder / "csv").rglob("*front*.csv"):
            with path.open() as file:
                front |= {row["arch"] for row in csv.DictReader(file)}
        quality = {name: accuracy(*known[name]) for name in known}
        best = {
            name
            for name in known
            if not any(
                predicted[o] <= predicted[name] and quality[o] >= quality[name]
                and (predicted[o] < predicted[name] or quality[o] > quality[name])
                for o in known
            )
        }
        self.assertEqual(front, best)
        self.assertIn("net", (self.folder / last / "report.md").read_text())

    def test_other_kinds_run_on_it(self) -> None:
        self.imported()
        few = self.run_config(
            self.plain(
                "few.toml",
                'kind = "few_shot"\nstore = "my_store.h5"\nset = "list"\nsamples_target = 10\ntrials = 2\n'
                'ablations = false\n[[task]]\nname = "t"\nspace = "mine.toml"\nsources = ["board", "gpu", "cpu"]\n'
                'targets = ["phone"]\n',
            )
        )
        self.assertGreater(few.summary["srcc_mean.t"], 0.98)
        front = self.run_config(
            self.toml(
                "front.toml",
                'kind = "front_transfer"\nquality = "metric:acc-top"\nproxy = "cpu"\ntargets = ["phone"]\n'
                "samples_train = 20\nsamples_validation = 5\nlimits = [10]\n",
            )
        )
        self.assertRegex(front.report, r"\b(net1|net2|big3)[nsml]_\d+")
        sweep = self.run_config(self.toml("sweep.toml", 'kind = "proxy_sweep"\nsamples_proxy = 20\n'))
        self.assertTrue(sweep.summary)

    def test_every_method_finds_networks_of_the_list(self) -> None:
        self.imported()
        self.write("arch,latency_ms\n" + "".join(f"{n},{latency('phone', *k)!r}\n" for n, *k in networks()), "m.csv")
        self.ok(
            *("adapt", "--space", "mine.toml", "--sources", "none", "--measurements", "m.csv", "--out", "phone.h5"),
        )
        for method, budget in (("exhaustive", ()), ("evolutionary", ("--evaluations", "60"))):
            last = self.ok(
                *("search", "--space", "mine.toml", "--store", "my_store.h5", "--latency", "table:phone.h5"),
                *("--quality", "metric:acc-top", "--method", method, *budget),
            ).splitlines()[-1]
            with h5py.File(self.folder / last / "arrays.h5") as arrays:
                found = arrays["front/choices"][()]
            listed = {tuple(c) for c in stored("mine", "list", self.folder / "my_store.h5")[0].tolist()}
            self.assertTrue({tuple(c) for c in found.tolist()} <= listed)

    def test_more_measurements_of_the_same_networks(self) -> None:
        self.imported()
        self.write("name,watch\nnet1n_96,0.004\nnet9z_96,0.1\nbig3l_256,0.5\n", "more.csv")
        done = self.program(
            *("import", "--list", "more.csv", "--space", "mine.toml", "--devices", "watch", "--unit", "s"),
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("net9z_96", done.stderr)
        _, columns = stored("mine", "list", self.folder / "my_store.h5")
        self.assertEqual(sorted(columns["watch"][~np.isnan(columns["watch"])].tolist()), [4.0, 500.0])
        self.assertIn("phone", columns)


class TestWhatTellsNetworksApart(ListCase):
    def test_constant_and_equal_columns_are_left_out(self) -> None:
        self.write(table())
        done = self.program(*self.take("--features", "colour"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("colour is 'red' for all, and is left out", done.stderr)

    def test_networks_that_are_alike_are_counted(self) -> None:
        self.write("name,a_latency\nx.1_64,1\nx-1_64,2\nx_64,3\ny_64,4\n")
        done = self.program(
            *("import", "--list", "models.csv", "--space-file", "mine.toml", "--devices", "a_latency", "--unit", "ms")
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2 networks are alike", done.stderr)
        self.assertIn("variant (2)", done.stdout)

    def test_letters_with_numbers_are_decisions(self) -> None:
        names = [f"yolo{v}d{d}w{w}_{r}" for v in (3, 5) for d in (33, 67) for w in (25, 5) for r in (160, 320)]
        self.write("name\n" + "".join(f"{name}\n" for name in [*names, "yolo5m_160"]))
        said = self.ok("import", "--list", "models.csv", "--space-file", "mine.toml")
        self.assertIn("family (2) rest (2) d (3) w (3) resolution (2)", said)
        self.assertRegex(self.ok("info", "mine.toml"), r"d +\| 33 67 none")


class TestFaults(ListCase):
    def test_bad_lists_are_one_line(self) -> None:
        def at(line: int, column: int, text: str) -> str:
            def change(rows: list[list[str]]) -> list[list[str]]:
                rows[line - 1][column] = text
                return rows

            return table(change)

        for text, says in (
            (at(9, 0, networks()[2][0]), ("models.csv:9", "line 4")),
            (at(9, 0, ""), ("models.csv:9", "no name")),
            (at(9, 0, "a|b"), ("models.csv:9", "'a|b'")),
            (at(9, 2, "-3"), ("models.csv:9", "phone_latency = '-3'")),
            (at(9, 2, "fast"), ("models.csv:9", "'fast'")),
            (at(9, 6, "71.3"), ("models.csv:9", "no fraction")),
        ):
            self.write(text)
            self.fault(*self.take(), says=says)
        self.write(table())
        self.fault(*self.take(unit=False), says=("--unit", "ms, s, us or ns"))
        self.fault(*self.take("--unit", "min", unit=False), says=("unit 'min'", "ms, s, us or ns"))
        self.fault(*self.take("--names", "model"), says=("nearest: model_name",))
        self.fault(*self.take("--features", "size"), says=("--features", "size MB"))
        self.fault(*self.take("--metrics", "colour:max:%"), says=("models.csv:2", "'red'"))
        self.fault(*self.take("--metrics", "colour"), says=("COLUMN:max:UNIT",))
        self.write(at(9, 7, ""))
        self.fault(*self.take("--features", "size MB"), says=("models.csv:9", "size MB"))
        self.write("name\nx\n")
        self.fault("import", "--list", "models.csv", "--space-file", "m.toml", says=("",))
        usage = self.program("import", "--list", "models.csv")
        self.assertEqual((usage.returncode, "--space" in usage.stderr), (2, True))

    def test_the_space_needs_its_list(self) -> None:
        self.imported()
        self.fault(*self.take(), says=("mine.toml is there already",))
        self.fault("arch", "--space", "mine.toml", "net1x_96", says=("net1x_96", "nearest:", "net1"))
        self.fault("search", "--space", "mine.toml", "--latency", "model:macs", "--quality", "model:macs", says=("mine",))
        path = self.folder / "mine_list.csv"
        good = path.read_text()
        path.write_text(good + "\n")
        self.fault("info", "mine.toml", says=("mine.toml:4", "changed", "import the list again"))
        path.unlink()
        self.fault("info", "mine.toml", says=("mine_list.csv", "No such file"))
        path.write_text(good)
        toml = (self.folder / "mine.toml").read_text()
        for old, new, says in (
            ('"family", ', "", ("mine_list.csv:", "same values", "line")),
            ('"mine_list.csv"', '"../mine_list.csv"', ("same folder",)),
            ('"family"', '"famly"', ("nearest: family",)),
            ("name_column", "names_column", ("name_column", "missing")),
            ('["resolution"]', '["rest"]', ("mine_list.csv:2", "rest = ")),
        ):
            self.assertIn(old, toml)
            (self.folder / "mine.toml").write_text(toml.replace(old, new, 1))
            self.fault("info", "mine.toml", says=says)


if __name__ == "__main__":
    unittest.main()
