"""The names and habits of the program that others rely on: commands, configurations, result folders, import, export."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
import sys
import unittest
from pathlib import Path

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from support import (  # noqa: E402
    CONFIGS,
    PROGRAM,
    RESULT_FILES,
    ROOT,
    STORE,
    TRAINS,
    ProgramCase,
    Result,
    cell_string,
    config,
    names,
    sets,
    stored,
)

KINDS = (
    "monotonicity",
    "adaproxy",
    "front_transfer",
    "search",
    "searchers",
    "train_predictor",
    "few_shot",
    "proxy_sweep",
    "reproduce_nb201",
    "device_features",
    "neural_optimizer",
    "cost_of_n_devices",
    "accuracy_model",
    "limits_kept",
    "front_loop",
)
NO_CONFIGURATIONS = ("spaces", "devices", "accuracy")  # folders below configs/ of other files
COMMANDS = (
    "run",
    "train",
    "train-optimizer",
    "optimize",
    "check",
    "list",
    "info",
    "import",
    "score",
    "search",
    "plan",
    "adapt",
    "next",
    "fleet",
    "merge",
    "export",
    "report",
    "arch",
    "demo",
    "demo-phone",
)
MONOTONICITY = config("nasbench201", "monotonicity")
FRONTS = ("target", "proxy", "adaproxy")
QUICK = {  # a run of each kind in a fraction of a second
    "monotonicity": (MONOTONICITY, sets(devices=["pixel3", "fpga"], architectures=300, resamples=5)),
    "adaproxy": (config("nasbench201", "adaproxy"), sets(targets=["fpga"], trials=2, curve=[20])),
    "front_transfer": (config("nasbench201", "front_transfer"), sets(targets=["fpga", "raspi4"])),
    "search": (config("nasbench201", "search"), sets(generations=3)),
    "searchers": (config("nasbench201", "searchers"), sets(trials=1)),
}


class TestCommands(ProgramCase):
    def test_help_is_everywhere(self) -> None:
        whole = self.ok("--help")
        for command in COMMANDS:
            self.assertIn(command, whole)
            own = self.ok(command, "--help")
            self.assertRegex(own, r"Usage: .*oneproxy " + command)
            for line in (*whole.splitlines(), *own.splitlines()):
                self.assertTrue(len(line) <= 100 or line.startswith("Usage: "), line)
            self.assertNotRegex(own, r"(INT|FLOAT):|TEXT:\{")
        self.assertRegex(self.ok("--version"), r"^oneproxy \d+\.\d+\.\d+")

    def test_wrong_usage_is_told_apart(self) -> None:
        for arguments in ((), ("frobnicate",), ("run",), ("run", "x.toml", "--nope"), ("--threads", "0", "list")):
            done = self.program(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertRegex(done.stderr, r"^oneproxy: error: [^\n]+; see oneproxy[^\n]* --help\n$")
            self.assertEqual(done.stdout, "")
        done = self.program("adapt", "--measurments", "m.csv")  # before the --space that is missing, too
        self.assertIn("unknown option '--measurments'; nearest: --measurements", done.stderr)

    def test_help_is_a_command_too(self) -> None:
        self.assertEqual(self.ok("help"), self.ok("--help"))
        self.assertEqual(self.ok("help", "arch"), self.ok("arch", "--help"))
        self.assertEqual(self.program("help", "frobnicate").returncode, 2)

    def test_an_unknown_command_is_named(self) -> None:
        self.assertIn("frobnicate", self.program("frobnicate").stderr)

    def test_list(self) -> None:
        text = self.ok("list")
        for kind in KINDS:
            self.assertIn(kind, text)
            keys = self.ok("list", kind)
            self.assertIn("seed", keys)
            self.assertIn("backend", keys)
        smoke = self.ok("list", "--smoke")
        for path in CONFIGS.rglob("*.toml"):
            place, runs = str(path.relative_to(ROOT)), path.parent.name not in NO_CONFIGURATIONS
            self.assertEqual(place in text, runs and not path.name.startswith("smoke_"), path)
            self.assertEqual(place in smoke, runs, path)
        for key in ("kind", "store", "space", "set", "proxy", "targets", "p", "samples_train", "samples_validation"):
            self.assertRegex(self.ok("list", "adaproxy"), rf"\| {key} +\|")
        for key in ("quality", "limits"):
            self.assertRegex(self.ok("list", "front_transfer"), rf"\| {key} +\|")
        self.assertRegex(self.ok("list", "monotonicity"), r"\| devices +\|")

    def test_the_former_name_of_a_kind_is_accepted_with_a_hint(self) -> None:
        path, arguments = QUICK["front_transfer"]
        old = self.folder / "old.toml"
        old.write_text(path.read_text().replace('kind = "front_transfer"', 'kind = "pareto_search"'))
        done = self.program("run", old, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        hint = [line for line in done.stderr.splitlines() if line.startswith("warning")]
        self.assertEqual(len(hint), 1, done.stderr)
        for part in ("old.toml", "pareto_search", "front_transfer"):
            self.assertIn(part, hint[0])
        self.assertEqual(Path(done.stdout.splitlines()[-1]).parent.name, "front_transfer")

    def test_every_configuration_that_ships_is_valid(self) -> None:
        for path in sorted(CONFIGS.rglob("*.toml")):
            if path.parent.name not in NO_CONFIGURATIONS:
                with self.subTest(config=path.name):
                    if path.parent.name == "ofa_mbv3" and path.stem in ("search", "searchers"):  # needs weights that do not ship, and says so
                        self.fault("check", path, says=("ofa_accuracy", "oneproxy import --predictor"))
                    elif path.stem == "device_features" and not TRAINS:  # one of its methods trains
                        self.fault("check", path, says=("this build is without",))
                    else:
                        self.assertIn("valid", self.ok("check", path))
        for space in ("nasbench201", "fbnet"):
            for kind in ("monotonicity", "adaproxy", "front_transfer", "search"):
                self.assertTrue((CONFIGS / space / f"{kind}.toml").exists())
                self.assertTrue(config(space, kind).exists())
        self.assertEqual(self.files(), set())

    def test_info_lists_all_that_is_in_the_store(self) -> None:
        text = self.ok("info")
        self.assertEqual(text, self.ok("info", STORE))
        blocks = re.split(r"\n\n", text)
        with h5py.File(STORE) as store:
            for space, sets_of_space in store["spaces"].items():
                for name, group in sets_of_space.items():
                    block = next(b for b in blocks if b.startswith(f"{space}, set {name}:"))
                    self.assertIn(f"{group['choices'].shape[0]} architectures", block)
                    self.assertIn(group.attrs["licence"], block)
                    for part, prefix in (("latency_ms", ""), ("metrics", "metric ")):
                        for column, values in group.get(part, {}).items():
                            known = int((~np.isnan(values[()])).sum())
                            missing = len(values) - known
                            better = "higher" if str(values.attrs.get("direction", "")).startswith("maxi") else "lower"
                            called = re.escape(str(values.attrs.get("long_name", ""))) if not prefix else "[^|]+"
                            row = rf"\| {re.escape(prefix + column)} +\| {called} *\| +\S+ +\| {better} +\| +{known} \| +{missing} \|"
                            self.assertRegex(block, row)

    def test_arch_in_all_forms(self) -> None:
        with h5py.File(STORE) as store:
            group = store["spaces/nasbench201/help"]
            cells, official = group["choices"][()], group["official_index"][()]
        for row in (0, 7, 9999, 15624):
            cell = cells[row]
            index = int("".join(map(str, cell)), 5)  # first decision most significant
            digits = ",".join(map(str, cell))
            forms = (cell_string(cell),), (digits,), ("--index", index), ("--official", official[row])
            texts = {self.ok("arch", "--space", "nasbench201", *form) for form in forms}
            self.assertEqual(len(texts), 1)
            text = texts.pop()
            for value in (cell_string(cell), digits, str(index), str(official[row])):
                self.assertRegex(text, rf"(?m)  {re.escape(value)}$")
        last = str(9**22 - 1)
        self.assertIn(",".join("8" * 22), self.ok("arch", "--space", "fbnet", "--index", last))
        self.assertIn(last, self.ok("arch", "--space", "fbnet", ",".join("8" * 22)))


class TestSmoke(ProgramCase):
    """All smoke configurations, and the keys of summary.json that others read."""

    def test_all_smoke_configurations_run(self) -> None:
        paths = sorted(CONFIGS.rglob("smoke_*.toml"))
        real = [p for p in CONFIGS.rglob("*.toml") if p.parent.name not in (*NO_CONFIGURATIONS, "few_shot") and p not in paths]
        self.assertLessEqual({p.parent / f"smoke_{p.name}" for p in real}, set(paths))
        for path in paths:
            with self.subTest(config=str(path.relative_to(CONFIGS))):
                if any(word in path.name for word in ("train", "optimizer", "cost_of_n")) and not TRAINS:
                    continue
                result = self.run_config(path)
                kind = result.folder.parent.name
                own = {
                    "train_predictor": {"predictor.h5"},
                    "device_features": {"data_sheets.toml"},
                    "accuracy_model": {"accuracy_model.toml"},
                }.get(kind, set())
                self.assertEqual({p.name for p in result.folder.iterdir()}, RESULT_FILES | own)
                self.assertIn(kind, KINDS)
                self.assertEqual(result.folder.parent.parent, self.folder / "results")
                self.assertRegex(result.folder.name, r"^\w+-[0-9a-f]{10}$")
                self.assertIn("|", result.report)
                self.check_keys(kind, result)
                for key, value in result.summary.items():
                    self.assertNotIsInstance(value, (dict, list), "the summary is flat")
                    self.assertNotIn("second", key)
                    if value is None:
                        self.assertIn(f"{key}.reason", result.summary)

    def check_keys(self, kind: str, result: Result) -> None:
        summary, arrays = result.summary, result.arrays()
        if kind == "monotonicity":
            d = len(arrays["devices"])
            expected = {"ofa_mbv3": 11, "accel_nasbench": 8}.get(result.attributes()["space"], 28)
            self.assertEqual((d, arrays["srcc"].shape, arrays["srcc"].dtype), (expected, (d, d), np.dtype("f8")))
            self.assertEqual(arrays["kendall"].shape, (d, d))
        if kind == "adaproxy":
            self.assertGreaterEqual(len(arrays["devices"]), 2)
            for device in names(arrays["devices"]):
                for key in ("srcc_before", "srcc_after", "srcc_after_unseen", "samples"):
                    self.assertIsNotNone(summary[f"{key}.{device}"])
                self.assertIsNotNone(summary[f"rounds.srcc_after.{device}"])
        if kind == "front_transfer":
            targets = {name.split("/")[1] for name in arrays if name.startswith("fronts/")}
            if result.attributes()["set"] == "help":
                self.assertEqual(targets, set(stored(result.attributes()["space"], "help")[1]))
            for device in sorted(targets):
                for key in ("srcc_before", "srcc_after", "srcc_after_unseen", "samples"):
                    self.assertIsNotNone(summary[f"{key}.{device}"])
                for front in FRONTS:
                    for key in ("hv_ratio", "recall", "measured"):
                        self.assertIsNotNone(summary[f"{key}.{front}.{device}"])
                    for q in ("q10", "q25", "q50", "q75"):
                        self.assertGreaterEqual(summary[f"regret.{front}.{device}.{q}"], 0)


class TestResultFolder(ProgramCase):
    def quick(self, kind: str = "monotonicity", *more: object, **options: object) -> Result:
        path, arguments = QUICK[kind]
        return self.run_config(path, *arguments, *more, **options)

    def hash(self, *more: object, **options: object) -> str:
        return self.quick("monotonicity", *more, **options).folder.name[-10:]

    def test_a_finished_folder_is_reused_unless_forced(self) -> None:
        first = self.quick()
        marks = {p.name: p.stat().st_mtime_ns for p in first.folder.iterdir()}
        again = self.quick()
        self.assertEqual(again.folder, first.folder)
        self.assertEqual({p.name: p.stat().st_mtime_ns for p in again.folder.iterdir()}, marks)
        forced = self.quick("monotonicity", "--force")
        self.assertEqual(forced.folder, first.folder)
        self.assertNotEqual((forced.folder / "DONE").stat().st_mtime_ns, marks["DONE"])
        self.assertEqual([p.name for p in forced.folder.parent.iterdir()], [forced.folder.name])

    def test_the_hash_depends_on_settings_and_data_alone(self) -> None:
        plain = self.hash()
        copy = shutil.copy(STORE, self.folder / "copy of store.h5")
        for arguments in (sets(backend="cpu"), sets(store=str(copy)), ["--out", "elsewhere"]):
            self.assertEqual(self.hash(*arguments), plain, arguments)
        self.assertEqual(self.hash(before=("--threads", "1")), plain)
        for arguments in (sets(seed=2), sets(threshold=0.8), sets(architectures=301)):
            self.assertNotEqual(self.hash(*arguments), plain, arguments)
        with h5py.File(copy, "r+") as store:  # other data, with its own checksum
            column = store["spaces/nasbench201/help/latency_ms/pixel3"]
            column[0] = 5.0
            column.attrs["sha256"] = hashlib.sha256(column[()].astype("<f8").tobytes()).hexdigest()
        self.assertNotEqual(self.hash(*sets(store=str(copy))), plain)

    def test_the_resolved_configuration_is_the_same_run(self) -> None:
        for kind in QUICK:
            with self.subTest(kind=kind):
                result = self.quick(kind)
                resolved = shutil.copy(result.folder / "config.toml", self.folder / f"{kind}_again.toml")
                again = self.run_config(Path(resolved), "--out", "again")
                self.assertEqual(again.folder.name, result.folder.name)
                self.assertEqual(again.text("summary.json"), result.text("summary.json"))
                settings = [r.text("config.toml").splitlines()[1:] for r in (result, again)]
                self.assertEqual(*settings)

    def test_threads_and_repetition_change_no_byte(self) -> None:
        for kind in QUICK:
            with self.subTest(kind=kind):
                one = self.quick(kind, "--out", "one", before=("--threads", "1"))
                two = self.quick(kind, "--out", "two", before=("--threads", "2"))
                three = self.quick(kind, "--out", "two", "--force", before=("--threads", "2"))
                for other in (two, three):
                    self.assertEqual(other.text("summary.json"), one.text("summary.json"))
                    self.assertEqual(other.text("report.md"), one.text("report.md"))
                    ours, theirs = one.arrays(), other.arrays()
                    self.assertEqual(ours.keys(), theirs.keys())
                    for name in ours:
                        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)

    def test_seeds_draw_other_samples(self) -> None:
        target = sets(targets="raspi4")
        one, two = (self.quick("adaproxy", *target, *sets(seed=s)).summary["srcc_after.raspi4"] for s in (1, 2))
        self.assertNotEqual(one, two)

    def test_provenance(self) -> None:
        provenance = json.loads(self.quick("monotonicity", *sets(seed=7)).text("provenance.json"))
        self.assertEqual(provenance["seed"], 7)
        self.assertEqual(provenance["kind"], "monotonicity")
        self.assertIn(provenance["backend"], ("cpu", "cuda"))
        self.assertIn(PROGRAM.name, provenance["command"])
        self.assertRegex(provenance["data"]["space nasbench201"], r"^[0-9a-f]{64}$")
        for key in ("version", "commit", "date", "seconds", "threads"):
            self.assertIn(key, provenance)

    def test_paths_are_relative_to_the_configuration_or_the_working_folder(self) -> None:
        data, work = self.folder / "data", self.folder / "work"
        data.mkdir()
        work.mkdir()
        shutil.copy(STORE, data / "mine.h5")
        text = 'kind = "monotonicity"\nspace = "nasbench201"\ndevices = ["fpga", "pixel3"]\nresamples = 0\n'
        (data / "c.toml").write_text(text + 'store = "mine.h5"\n')
        result = self.run_config(Path("../data/c.toml"), cwd=work)
        self.assertEqual(result.folder.parent, work / "results" / "monotonicity")
        self.assertIn(str(data / "mine.h5"), result.text("config.toml"))
        again = self.run_config(Path("../data/c.toml"), *sets(store="../data/mine.h5"), "--force", cwd=work)
        self.assertEqual(again.folder, result.folder)
        elsewhere = self.run_config(Path("data/c.toml"), "--out", "results/of today")
        self.assertEqual(elsewhere.folder.parent, self.folder / "results/of today/monotonicity")
        self.assertEqual(elsewhere.text("summary.json"), result.text("summary.json"))

    def test_the_store_that_ships_moves_with_the_program(self) -> None:
        home = self.folder / "home"
        shutil.copytree(CONFIGS, home / "configs")
        (home / "experiments" / "data").mkdir(parents=True)
        shutil.copy(STORE, home / "experiments" / "data")
        self.assertIn(str(home), self.ok("info", env={"ONEPROXY_HOME": str(home)}))
        self.assertIn(str(STORE), self.ok("info"))

    def test_set_takes_words_lists_numbers_and_paths(self) -> None:
        path = config("nasbench201", "adaproxy")
        result = self.run_config(path, *sets(p="inf", targets="fpga", curve=[20, 30], trials=1, threshold=0.0))
        resolved = result.text("config.toml")
        for part in ("fpga", "inf", "[20, 30]", "trials = 1"):
            self.assertIn(part, resolved)
        same = self.run_config(path, *sets(p='"inf"', targets='["fpga"]', curve=[20, 30], trials=1, threshold=0))
        self.assertEqual(same.folder, result.folder)
        named = self.run_config(path, *sets(name="630", targets="fpga", curve="[]", trials=1, threshold=0))
        self.assertTrue(named.folder.name.startswith("630-"))

    def test_quiet_off_the_terminal(self) -> None:
        path, arguments = QUICK["adaproxy"]
        done = self.program("run", path, *arguments)
        self.assertNotIn("\r", done.stderr)
        self.assertNotIn("\x1b", done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 1)
        done = self.program("--quiet", "run", path, *arguments, "--force")
        self.assertEqual(done.stderr, "")


class TestExport(ProgramCase):
    def table(self, path: Path) -> list[dict[str, str]]:
        with path.open(newline="") as file:
            return list(csv.DictReader(file))

    def exported(self, kind: str) -> tuple[Result, Path]:
        path, arguments = QUICK[kind]
        result = self.run_config(path, *arguments)
        files = self.ok("export", result.folder, "--csv").splitlines()
        self.assertEqual({Path(f).name for f in files}, {p.name for p in (result.folder / "csv").iterdir()})
        return result, result.folder / "csv"

    def test_matrices(self) -> None:
        result, folder = self.exported("monotonicity")
        for name in ("srcc", "kendall"):
            rows = self.table(folder / f"{name}.csv")
            values = np.array([[float(row[d]) for d in ("pixel3", "fpga")] for row in rows])
            np.testing.assert_array_equal(values, result.arrays()[name])

    def test_fronts_and_predictions(self) -> None:
        result, folder = self.exported("front_transfer")
        arrays = result.arrays()
        rows = self.table(folder / "predictions.csv")
        self.assertEqual(len(rows), 15625)
        for column in ("fpga", "raspi4"):
            for kind in ("predicted_ms", "latency_ms"):
                values = [float(row[f"{column} {kind}"]) for row in rows]
                np.testing.assert_array_equal(values, arrays[f"{kind}/{column}"])
        self.assertEqual([r["arch"] for r in rows[:50]], [cell_string(c) for c in arrays["choices"][:50]])
        fronts = self.table(folder / "fronts.csv")
        for device in ("fpga", "raspi4"):
            for front in FRONTS:
                group = f"fronts/{device}/{front}"
                ours = [r for r in fronts if r["device"] == device and r["front"] == front]
                self.assertEqual([int(r["row"]) for r in ours], arrays[f"{group}/members/row"].tolist())
                kept = [int(r["row"]) for r in ours if r["on_front"] == "1"]
                self.assertEqual(sorted(kept), sorted(arrays[f"{group}/row"].tolist()))
                latency = [float(r["latency_ms"]) for r in ours]
                np.testing.assert_array_equal(latency, arrays[f"{group}/members/latency_ms"])
                for r in ours[:3]:
                    self.assertEqual(r["arch"], cell_string(arrays["choices"][int(r["row"])]))
                    self.assertEqual(int(r["index"]), int("".join(map(str, arrays["choices"][int(r["row"])])), 5))

    def test_adaptation_and_search(self) -> None:
        result, folder = self.exported("adaproxy")
        rows = self.table(folder / "adaptation.csv")
        np.testing.assert_array_equal([float(r["srcc_after"]) for r in rows], result.arrays()["srcc_after"].ravel())
        result, folder = self.exported("search")
        for name in ("front", "exhaustive_front"):
            rows = self.table(folder / f"{name}.csv")
            np.testing.assert_array_equal([float(r["quality"]) for r in rows], result.arrays()[f"{name}/quality"])

    def test_to_another_folder_and_again(self) -> None:
        result, folder = self.exported("adaproxy")
        self.ok("export", result.folder, "--csv", "--to", "deep/table")
        text = (folder / "adaptation.csv").read_text()
        self.assertEqual((self.folder / "deep/table/adaptation.csv").read_text(), text)
        self.ok("export", result.folder, "--csv")


class TestImport(ProgramCase):
    """A user's own device."""

    def add(self, file: Path | str, device: str = "phone", *more: str) -> str:
        return self.ok("import", "--space", "nasbench201", "--device", device, file, *more)

    def column(self, device: str, store: str = "my_store.h5") -> tuple[dict[tuple[int, ...], float], dict]:
        with h5py.File(self.folder / store) as file:
            group = file["spaces/nasbench201/user"]
            values = group[f"latency_ms/{device}"]
            table = dict(zip(map(tuple, group["choices"][()].tolist()), values[()].tolist()))
            return table, dict(values.attrs)

    def test_strings_choices_repeats_and_failures(self) -> None:
        shipped = hashlib.sha256(STORE.read_bytes()).hexdigest()
        cell = cell_string([0, 0, 0, 0, 0, 3])
        (self.folder / "a.csv").write_text(
            f'arch,latency_ms,repeat\n{cell},3.5,1\n"0,0,0,0,0,3",5.5,2\n{cell},4,3\n{cell},-1,4\n'
            '"3,3,3,3,3,3",9.25,1\n"3,3,3,3,3,3",9.75,2\n3 3 3 3 3 2,7.25,1\n"0,0,0,0,0,1",,1\n"0,0,0,0,0,2",nan,1\n'
        )
        text = self.add("a.csv", "phone", "--batch", "4", "--precision", "int8", "--licence", "CC0")
        self.assertIn("user:phone", text)
        table, attributes = self.column("phone")
        nan = {k for k, v in table.items() if np.isnan(v)}
        self.assertEqual(nan, {(0, 0, 0, 0, 0, 1), (0, 0, 0, 0, 0, 2)})
        known = {k: v for k, v in table.items() if k not in nan}
        expected = {(0, 0, 0, 0, 0, 3): 4.0, (3, 3, 3, 3, 3, 3): 9.5, (3, 3, 3, 3, 3, 2): 7.25}
        self.assertEqual(known, expected)
        facts = {k: attributes[k] for k in ("n_failed", "batch", "precision", "licence", "source", "unit")}
        self.assertEqual(
            facts, {"n_failed": 3, "batch": 4, "precision": "int8", "licence": "CC0", "source": "a.csv", "unit": "ms"}
        )
        self.assertRegex(self.ok("info", "my_store.h5"), r"nasbench201, set user: 5 architectures[\s\S]*\| phone ")
        self.assertEqual(hashlib.sha256(STORE.read_bytes()).hexdigest(), shipped)
        self.assertEqual(self.files(), {"a.csv", "my_store.h5"})

    def test_a_second_import_replaces_and_others_stay(self) -> None:
        (self.folder / "a.csv").write_text('arch,latency_ms\n"0,0,0,0,0,1",1\n"0,0,0,0,0,2",2\n')
        (self.folder / "b.csv").write_text('latency_ms,arch\n7,"0,0,0,0,0,2"\n8,"0,0,0,0,0,3"\n')
        self.add("a.csv", "one")
        self.add("a.csv", "two")
        self.add("b.csv", "two")
        one, two = self.column("one")[0], self.column("two")[0]
        self.assertEqual({k: v for k, v in one.items() if v == v}, {(0, 0, 0, 0, 0, 1): 1, (0, 0, 0, 0, 0, 2): 2})
        self.assertEqual({k: v for k, v in two.items() if v == v}, {(0, 0, 0, 0, 0, 2): 7, (0, 0, 0, 0, 0, 3): 8})
        shipped, mine = (stored("nasbench201", "help", s)[1] for s in (STORE, self.folder / "my_store.h5"))
        for device, values in shipped.items():
            np.testing.assert_array_equal(mine[device], values)

    def test_what_is_in_common_counts_successes(self) -> None:
        (self.folder / "a.csv").write_text('arch,latency_ms\n"0,0,0,0,0,1",1\n"0,0,0,0,0,2",\n')
        self.assertIn("in common with set help: 1\n", self.add("a.csv"))

    def test_bad_rows_are_named_and_change_nothing(self) -> None:
        (self.folder / "good.csv").write_text('arch,latency_ms\n"0,0,0,0,0,1",1\n')
        self.add("good.csv")
        before = (self.folder / "my_store.h5").read_bytes()
        start = 'arch,latency_ms\n"0,0,0,0,0,1",1\n'
        cases = (
            (start + '"0,0,0,0,5,0",2\n', "bad.csv:3"),
            (start + '\n"0,0,0,0,0",2\n', "bad.csv:4"),
            (start + "|non~0|+|none~0|none~1|+|none~0|none~1|none~2|,2\n", "nearest: none"),
            (start + '"0,0,0,0,0,0",fast\n', "bad.csv:3"),
            (start + '"0,0,0,0,0,0",-3\n', "bad.csv:3"),
            (start + '"0,0,0,0,0,0",0\n', "bad.csv:3"),
            (start + "0,0,0,0,0,0,2\n", "bad.csv:3"),
            (start + '"0,0,0,0,0,0,2\n', "bad.csv:3"),
            ('arch,latency_s\n"0,0,0,0,0,0",2\n', "--unit us"),
            ('arch,latency_ms\n"0,0,0,0,0,0",-1\n', "no successful"),
            ("", "empty"),
        )
        for text, says in cases:
            with self.subTest(text=text):
                (self.folder / "bad.csv").write_text(text)
                self.fault("import", "--space", "nasbench201", "--device", "phone", "bad.csv", says=("bad.csv", says))
                self.assertEqual((self.folder / "my_store.h5").read_bytes(), before)
        add = ("import", "--space", "nasbench201", "--device")
        self.fault(*add, "p q", "good.csv", says=("p q",))
        self.fault("import", "--space", "nasbench", "--device", "p", "good.csv", says=("nasbench201",))
        self.fault(*add, "p", "none.csv", says=("none.csv",))
        self.fault(*add, "p", "good.csv", "--set", "help", says=("help",))
        self.fault(*add, "p", "good.csv", "--store", "no/s.h5", says=("no/s.h5", "folder"))

    def test_adapt_to_it(self) -> None:
        cells, columns = stored("nasbench201", "help")
        rows = np.random.default_rng(3).permutation(len(cells))[:250]
        self.add(self.measure("phone.csv", cells[rows], 2 * columns["fpga"][rows] + 1))
        path = config("nasbench201", "adaproxy")
        mine = sets(store="my_store.h5", targets=["user:phone"], curve=[], trials=2, threshold=0)
        summary = self.run_config(path, *mine).summary
        self.assertGreater(summary["srcc_after.user:phone"], 0.95)
        self.assertEqual(summary["samples.user:phone"], 70)
        self.assertEqual(set(self.run_config(path, *mine).summary), set(summary))
        search = self.run_config(
            config("nasbench201", "front_transfer"), *sets(store="my_store.h5", targets=["user:phone"])
        ).summary
        self.assertEqual(search["measured.target.user:phone"], 250)
        few = self.measure("few.csv", cells[rows[:30]], columns["fpga"][rows[:30]])
        self.add(few, "few")
        line = self.fault("run", path, *sets(store="my_store.h5", targets=["user:few"]), says=("user:few", "30", "70"))
        self.assertIn("measure more", line)

    def test_fbnet_by_choices_and_by_string(self) -> None:
        cells, columns = stored("fbnet", "help")
        file = self.measure("f.csv", cells[:80], columns["fpga"][:80], lambda c: '"' + ",".join(map(str, c)) + '"')
        self.ok("import", "--space", "fbnet", "--device", "phone", file)
        string = self.ok("arch", "--space", "fbnet", ",".join(map(str, cells[0]))).splitlines()[0].split()[-1]
        (self.folder / "s.csv").write_text(f"arch,latency_ms\n{string},5\n")
        self.ok("import", "--space", "fbnet", "--device", "second", "s.csv")
        choices, mine = stored("fbnet", "user", self.folder / "my_store.h5")
        row = choices.tolist().index(cells[0].tolist())
        self.assertEqual(mine["second"][row], 5)
        self.assertEqual(np.isnan(mine["second"]).sum(), 79)
        summary = self.run_config(
            config("fbnet", "monotonicity"),
            *sets(store="my_store.h5", devices=["user:phone", "fpga"], architectures=0, resamples=0),
        ).summary
        self.assertEqual(summary["srcc_mean"], 1)


if __name__ == "__main__":
    unittest.main()
