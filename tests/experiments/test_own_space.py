"""Search spaces from a user's own file: the walk of docs/spaces.md command by command, and where files are faulty."""

from __future__ import annotations

import csv
import re
import shlex
import shutil
import sys
import unittest
from pathlib import Path

import h5py

sys.path.insert(0, str(Path(__file__).resolve().parent))
from support import CONFIGS, ROOT, TRAINS, ProgramCase, sets  # noqa: E402

DOCS = (ROOT / "docs" / "spaces.md").read_text()
FILES = {
    name.group(1): text
    for text in re.findall(r"```toml\n(.*?)```", DOCS, re.S)
    if (name := re.search(r'^name = "(\w+)"', text))  # else a part of a file
}
COMMANDS = re.findall(r"^    oneproxy (.*)$", DOCS, re.M)
SIZES = {"k3_e3": 3.0, "k3_e6": 6.0, "k5_e6": 8.0, "skip": 0.5}


def latency(arch: str) -> float:
    """A device that nobody has: a sum over decisions, which the predictors can learn exactly."""
    if "=" not in arch:
        return 1 + sum(SIZES[op] * (1 + 0.3 * i) for i, op in enumerate(arch.split("|")))
    choice = dict(part.split("=") for part in arch.split("|"))
    return int(choice["layers"]) * 2 + int(choice["width"]) / 32 + (choice["attention"] == "full") * 3


def accuracy(arch: str) -> float:
    choice = dict(part.split("=") for part in arch.split("|"))
    return 60 + int(choice["layers"]) + int(choice["width"]) / 100 + (choice["activation"] == "gelu") * 1.5


class OwnSpaceCase(ProgramCase):
    def setUp(self) -> None:
        super().setUp()
        for name, text in FILES.items():
            (self.folder / f"{name}.toml").write_text(text)

    def fill_in(self, name: str, value: object) -> None:
        with (self.folder / name).open() as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            row["top1" if "top1" in row else "latency_ms"] = repr(value(row["arch"]))
        with (self.folder / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)


class TestDocumentedWalk(OwnSpaceCase):
    def test_every_command_of_the_page(self) -> None:
        self.assertGreaterEqual(len(COMMANDS), 16)
        rows = [f"layer {i},{op},{size * (1 + 0.3 * i)}\n" for i in range(6) for op, size in SIZES.items()]
        (self.folder / "my_table.csv").write_text("decision,choice,value\n" + "".join(rows) + "fixed,,1\n")
        said = {}
        for command in COMMANDS:
            words = shlex.split(command)
            if words[0] == "export":
                words[1] = str(next(self.folder.glob(words[1])))
            said[command] = self.ok(*words)
            if words[0] == "plan" and "--sources none" in command:
                name = words[words.index("--out") + 1]
                self.fill_in(name, accuracy if name == "trained.csv" else latency)
        fronts = list(self.folder.glob("results/search/*/arrays.h5"))
        self.assertEqual(len(fronts), 3)
        for path in fronts:
            with h5py.File(path) as arrays:
                space = arrays.attrs["space"]
                n = arrays["front/latency_ms"].shape[0]
            self.assertGreater(n, 5)
            copy = path.parent / "spaces" / f"{space}.toml"
            self.assertEqual(copy.read_text(), FILES[space])
        self.assertEqual(len((self.folder / "scores.csv").read_text().splitlines()), 1 + 4**6)
        self.assertIn("4096 architectures, 6 decisions", said["info my_space.toml"])

    def test_the_predictor_of_the_walk_is_right(self) -> None:
        self.ok("plan", "--space", "my_space.toml", "--sources", "none", "--k", "30", "--out", "plan.csv")
        self.fill_in("plan.csv", latency)
        self.ok("adapt", "--space", "my_space.toml", "--sources", "none", "--measurements", "plan.csv", "--out", "p.h5")
        self.ok("score", "--space", "my_space.toml", "--predictor", "table:p.h5", "--out", "s.csv")
        with (self.folder / "s.csv").open() as file:
            for row in csv.DictReader(file):
                self.assertAlmostEqual(float(row["table:p.h5"]), latency(row["arch"]), delta=0.05 * latency(row["arch"]))


class TestConfigurations(OwnSpaceCase):
    def setUp(self) -> None:
        super().setUp()
        self.ok("plan", "--space", "my_transformer.toml", "--sources", "none", "--k", "30", "--out", "a.csv")
        self.fill_in("a.csv", latency)
        self.ok("import", "--space", "my_transformer.toml", "--device", "phone", "a.csv")
        self.fill_in("a.csv", lambda arch: 2 * latency(arch) + accuracy(arch))
        self.ok("import", "--space", "my_transformer.toml", "--device", "board", "a.csv")
        (self.folder / "sub").mkdir()
        (self.folder / "sub" / "c.toml").write_text(
            'kind = "monotonicity"\nspace = "../my_transformer.toml"\nset = "user"\nresamples = 0\n'
            'store = "../my_store.h5"\n'
        )

    def test_a_file_is_relative_to_the_configuration(self) -> None:
        self.assertIn("valid monotonicity of my_transformer", self.ok("check", "sub/c.toml"))
        result = self.run_config(Path("sub/c.toml"))
        self.assertIn(str(self.folder / "my_transformer.toml"), result.text("config.toml"))
        self.assertRegex(result.text("provenance.json"), r'"space \S+/my_transformer.toml": "[0-9a-f]{64}"')
        self.assertEqual(result.attributes()["space"], "my_transformer")
        again = self.run_config(result.folder / "config.toml", *sets(name=result.folder.name.rsplit("-", 1)[0]))
        self.assertEqual(again.folder, result.folder)

    def test_the_content_of_the_file_names_the_result_and_not_its_path(self) -> None:
        one = self.run_config(Path("sub/c.toml"))
        moved = shutil.copy(self.folder / "my_transformer.toml", self.folder / "sub" / "elsewhere.toml")
        self.assertEqual(self.run_config(Path("sub/c.toml"), *sets(space=str(moved))).folder, one.folder)
        with (self.folder / "my_transformer.toml").open("a") as file:
            file.write("# another edition\n")
        self.assertNotEqual(self.run_config(Path("sub/c.toml")).folder, one.folder)

    def test_a_space_that_ships_is_the_same_by_its_file(self) -> None:
        path = CONFIGS / "spaces" / "nasbench201.toml"
        self.assertEqual(
            self.ok("arch", "--space", path, "--index", "77"), self.ok("arch", "--space", "nasbench201", "--index", "77")
        )

    def test_the_tasks_of_few_shot_take_files_too(self) -> None:
        (self.folder / "sub" / "few.toml").write_text(
            'kind = "few_shot"\nstore = "../my_store.h5"\nset = "user"\nsamples_target = 8\ntrials = 2\n'
            'samples_source = 20\nprior = "stated"\nablations = false\n'
            '[[task]]\nname = "board"\nspace = "../my_transformer.toml"\nsources = ["phone"]\ntargets = ["board"]\n'
        )
        result = self.run_config(Path("sub/few.toml"))
        self.assertGreater(result.summary["srcc_mean.board"], 0.8)
        self.assertTrue((result.folder / "spaces" / "my_transformer.toml").exists())

    def test_training_starts_from_the_space_alone(self) -> None:
        train = ("train", "--space", "my_transformer.toml", "--target", "device:phone", *sets(store="my_store.h5"))
        self.fault(*train, says=("set 'help'",))  # a store of one's own has no set of that name
        if TRAINS:
            self.assertIn("my_transformer_train_predictor", self.ok(*train, *sets(set="user", epochs=2)))
        else:
            self.fault(*train, *sets(set="user"), says=("LibTorch",))

    def test_adaptation_from_a_source_of_the_same_space(self) -> None:
        self.ok(
            *("adapt", "--space", "my_transformer.toml", "--store", "my_store.h5", "--set", "user"),
            *("--sources", "phone", "--measurements", "a.csv", "--predictions", "predicted.csv"),
        )
        self.assertEqual(len((self.folder / "predicted.csv").read_text().splitlines()), 31)


class TestFaultyFiles(OwnSpaceCase):
    def faulty(self, text: str | bytes, *says: str) -> None:
        path = self.folder / "bad.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.fault("info", "bad.toml", says=("bad.toml", *says))
        self.fault("arch", "--space", "bad.toml", "--index", "0", says=("bad.toml", *says))

    def test_bad_files_are_one_line(self) -> None:
        good = FILES["my_transformer"]
        operations = FILES["my_space"]
        self.faulty(good.replace("choices", "choises", 1), "choises", "choices")
        self.faulty('name = "x"\n', "[[decision]]")
        self.faulty(good + '[[decision]]\nname = "one"\nchoices = ["a"]\n', "one", "1 choice", "two choices")
        self.faulty(good + '[[decision]]\nname = "none"\n', "none", "0 choices")
        self.faulty(good + '[[decision]]\nname = "heads"\nchoices = ["a", "b"]\n', "two decisions 'heads'")
        self.faulty(good.replace('"x3"', '"x2"'), "two choices 'x2'")
        self.faulty(good.replace('"full"', '"fu|ll"'), "fu|ll")
        self.faulty(good.replace("heads", "two heads"), "two heads")
        many = ", ".join(f'"c{i}"' for i in range(256))
        self.faulty(good + f'[[decision]]\nname = "many"\nchoices = [{many}]\n', "256 choices", "255")
        self.faulty(good + "".join(f'[[decision]]\nname = "d{i}"\nchoices = ["a", "b"]\n' for i in range(130)), "2^128")
        self.faulty(good.replace("my_transformer", "a/b"), "a/b")
        self.faulty(good.replace("my_transformer", "fbnet"), "fbnet", "ships")
        self.faulty(good + '[[geometry]]\nname = "g"\n', "[[operation]]")
        self.faulty(b"name = \"\xff\xfe\"\n", "TOML")
        self.faulty("#" * (1 << 21), "1 MiB")
        self.faulty(operations.replace('string_form = "list"', ""), "string_form")
        self.faulty(operations.replace("k5_e6", "k3_e6"), "two operations 'k3_e6'")
        self.faulty(operations + '[[decision]]\nname = "d"\nchoices = ["a", "b"]\n', "[[operation]]")
        self.faulty(operations + '[[geometry]]\nname = "cifar10"\n', "two geometries 'cifar10'")

    def test_what_is_no_file(self) -> None:
        (self.folder / "folder.toml").mkdir()
        self.fault("info", "folder.toml", says=("folder.toml", "folder"))
        self.fault("info", "none.toml", says=("none.toml", "no such file", "docs/spaces.md"))
        self.fault("arch", "--space", "my_spce", "--index", "0", says=("my_spce", "*.toml"))
        (self.folder / "c.toml").write_text('kind = "monotonicity"\nspace = "none.toml"\n')
        self.fault("check", "c.toml", says=("c.toml:2", "none.toml"))

    def test_named_choices_have_no_costs(self) -> None:
        for command in (
            ("score", "--predictor", "model:macs", "--out", "s.csv"),
            ("search", "--latency", "model:macs", "--quality", "model:parameters"),
        ):
            self.fault(command[0], "--space", "my_transformer.toml", *command[1:], says=("my_transformer", "MACs"))

    def test_faulty_architectures(self) -> None:
        for arch, says in (
            ("layers=4|heads=2", "width"),
            ("layers=4|layers=4", "twice"),
            ("layers=5", "nearest: 4"),
            ("layer=4", "nearest: layers"),
            ("gelu", "DECISION=CHOICE"),
        ):
            self.fault("arch", "--space", "my_transformer.toml", arch, says=(says,))


if __name__ == "__main__":
    unittest.main()
