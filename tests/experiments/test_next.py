"""Measurement in the loop: `oneproxy next`, by hand and with a command that measures, whatever that command does."""

from __future__ import annotations

import csv
import re
import shlex
import signal
import sys
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from aftermath import finish, start, wait_for  # noqa: E402
from support import OPERATIONS, ROOT, ProgramCase, stored  # noqa: E402

PHONE = ROOT / "examples" / "measure_with" / "fake_phone.py"
SOURCES = ("--sources", "1080ti_1,silver_4114,essential_ph_1")
CELLS = ("next", "--space", "nasbench201", "--quality", "metric:natsbench:cifar100", *SOURCES)
FILE = "so_far.csv"


class NextCase(ProgramCase):
    def setUp(self) -> None:
        super().setUp()
        self.cells, self.latencies = stored("nasbench201", "help")
        cells, columns = stored("nasbench201", "natsbench")
        row = {tuple(cell): i for i, cell in enumerate(cells.tolist())}
        self.quality = columns["cifar100"][[row[tuple(cell)] for cell in self.cells.tolist()]]
        self.row = {tuple(cell): i for i, cell in enumerate(self.cells.tolist())}

    def row_of(self, arch: str) -> int:
        return self.row[tuple(OPERATIONS.index(op) for op in re.findall(r"(\w+)~", arch))]

    def lines(self, name: str = FILE) -> list[dict[str, str]]:
        with (self.folder / name).open(newline="") as file:
            return list(csv.DictReader(file))

    def write(self, name: str, lines: list[dict[str, str]]) -> str:
        with (self.folder / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, lines[0].keys())
            writer.writeheader()
            writer.writerows(lines)
        return name

    def best_within(self, limit: float, device: str = "pixel3") -> float:
        return float(np.nanmax(np.where(self.latencies[device] <= limit, self.quality, np.nan)))


class TestByHand(NextCase):
    def fill_in(self, name: str, scale: float = 1) -> list[dict[str, str]]:
        lines = self.lines(name)
        for line in lines:
            line["latency_ms"] = repr(float(self.latencies["pixel3"][self.row_of(line["arch"])]) * scale)
        self.write(name, lines)
        return lines

    def test_each_call_says_the_next_one(self) -> None:
        said = self.ok(*CELLS, "--limits", "8,12")
        first = self.lines("next.csv")
        self.assertEqual([line["latency_ms"] for line in first], [""] * len(first))
        best = self.row_of(first[0]["arch"])  # known beforehand to be the slow end of the front
        self.assertAlmostEqual(self.quality[best], float(np.nanmax(self.quality)))
        self.assertIn("phase start", said)
        self.assertIn("source devices", said)
        for _ in range(2):
            call = said.splitlines()[-1].strip()
            self.assertRegex(call, r"^oneproxy next --space nasbench201 .*--measurements .*next\d*\.csv --out next\d+\.csv$")
            words = shlex.split(call)[1:]
            self.fill_in(words[words.index("--out") - 1])
            said = self.ok(*words)
        self.assertRegex(said, "^phase (rounds|confirm): ")
        self.assertIn("Front of what is measured", said)
        self.assertIn("latency <= 8 ms: ", said)
        self.assertIn("expected gain of going on: ", said)

    def test_a_batch_that_failed_is_an_answer_and_the_budget_is_kept(self) -> None:
        said = self.ok(*CELLS, "--budget", "9", "--out", "first.csv")
        self.assertIn("--budget 9", said.splitlines()[-1])
        lines = self.lines("first.csv")
        for line in lines:
            line["latency_ms"] = "-1"
        self.write("first.csv", lines)
        self.ok(*CELLS, "--budget", "9", "--measurements", "first.csv", "--out", "second.csv")
        asked = {line["arch"] for line in self.lines("second.csv")}
        self.assertEqual(len(asked), 9 - len(lines))
        self.assertFalse(asked & {line["arch"] for line in lines})

    def test_what_is_there_is_not_overwritten(self) -> None:
        (self.folder / "next.csv").write_text("mine")
        self.fault(*CELLS, says=("next.csv: is there already", "--force"))
        self.assertEqual((self.folder / "next.csv").read_text(), "mine")

    def test_the_same_measurements_give_the_same_networks_on_any_number_of_threads(self) -> None:
        self.ok(*CELLS, "--out", "a.csv")
        self.fill_in("a.csv")
        self.ok(*CELLS, "--measurements", "a.csv", "--out", "b.csv")
        self.fill_in("b.csv")
        for threads in (1, 2):
            self.ok("--threads", threads, *CELLS, "--measurements", "a.csv", "b.csv", "--out", f"{threads}.csv")
        self.assertEqual((self.folder / "1.csv").read_bytes(), (self.folder / "2.csv").read_bytes())
        self.assertTrue(any(float(line["gain"] or 0) > 0 for line in self.lines("1.csv")))

    def test_its_files_serve_adapt(self) -> None:
        self.ok(*CELLS)
        self.fill_in("next.csv")
        self.assertIn("architectures of nasbench201",
                      self.ok("adapt", "--space", "nasbench201", "--measurements", "next.csv", *SOURCES))  # fmt: skip

    def test_the_front_as_a_table(self) -> None:
        self.ok(*CELLS)
        lines = self.fill_in("next.csv")
        self.ok(*CELLS, "--measurements", "next.csv", "--limits", "1e6", "--front", "front.csv", "--out", "b.csv")
        front = self.lines("front.csv")
        points = [(float(line["latency_ms"]), float(line["quality"])) for line in front]
        self.assertEqual(points, sorted(points))
        self.assertEqual(sorted(q for _, q in points), [q for _, q in points])
        rows = [self.row_of(line["arch"]) for line in lines]
        measured = {(float(self.latencies["pixel3"][row]), float(self.quality[row])) for row in rows}
        undominated = {p for p in measured if not any(o[0] <= p[0] and o[1] >= p[1] and o != p for o in measured)}
        self.assertEqual(set(points), undominated)
        self.assertEqual([bool(line["answers"]) for line in front], [False] * (len(front) - 1) + [True])

    def test_measurements_that_contradict_the_sources_are_warned_of(self) -> None:
        self.ok(*CELLS, "--out", "a.csv")
        self.fill_in("a.csv", 1e-3)
        self.fault(*CELLS, "--measurements", "a.csv", says=("a.csv: the latencies look like seconds", "--unit s"))
        done = self.program(*CELLS, "--measurements", "a.csv", "--unit", "ms")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, "warning: .*look like seconds")

    def test_repeats_that_scatter_are_warned_of_and_their_median_counts(self) -> None:
        self.ok(*CELLS, "--out", "a.csv")
        lines = self.fill_in("a.csv")
        others = [dict(lines[0], latency_ms=repr(float(lines[0]["latency_ms"]) * factor)) for factor in (1.5, 1.1)]
        self.write("a.csv", lines + others)
        done = self.program(*CELLS, "--measurements", "a.csv", "--front", "front.csv")
        self.assertRegex(done.stderr, "warning: .*scatters")
        slow = self.lines("front.csv")[-1]
        self.assertEqual(slow["repeats"], "3")
        self.assertAlmostEqual(float(slow["latency_ms"]), float(lines[0]["latency_ms"]) * 1.1)

    def test_a_limit_that_nothing_keeps_names_the_nearest(self) -> None:
        self.ok(*CELLS, "--out", "a.csv")
        lines = self.fill_in("a.csv")
        said = self.ok(*CELLS, "--measurements", "a.csv", "--limits", "0.01")
        fastest = min(lines, key=lambda line: float(line["latency_ms"]))
        self.assertRegex(said, r"latency <= 0\.01 ms: no measured network keeps it; the nearest has .*" +
                         re.escape(fastest["arch"]))  # fmt: skip
        self.assertIn("next.csv: ", said)

    def test_failed_lines_are_not_proposed_again(self) -> None:
        self.ok(*CELLS, "--out", "a.csv")
        lines = self.fill_in("a.csv")
        for line, value in zip(lines[1:], ("", "nan", "-1")):
            line["latency_ms"] = value
        self.write("a.csv", lines)
        done = self.program(*CELLS, "--measurements", "a.csv")
        self.assertIn("3 lines have no value and count as failed", done.stderr)
        self.assertFalse({line["arch"] for line in lines} & {line["arch"] for line in self.lines("next.csv")})

    def test_bad_input(self) -> None:
        self.fault(*CELLS[:3], *SOURCES, says=("nasbench201", "--quality", "metric:natsbench:"))
        self.fault(*CELLS, "--measurements", "none.csv", says=("none.csv",))
        self.fault(*CELLS, "--limits", "8,-1", says=("--limits -1", "positive"))
        self.fault(*CELLS, "--limits", "1,2,3", "--also", "energy", "--also-unit", "mJ", "--also-direction", "min",
                   "--also-limits", "1,2", says=("3 limits", "--also-limits 2"))  # fmt: skip
        self.fault(*CELLS, "--also-limits", "3", says=("--also",))
        self.fault(*CELLS, "--metric", "stars", "--unit", "points", "--direction", "max", says=("stars", "maximised"))
        self.fault(*CELLS, "--measure-with", "true", says=("--measurements",))
        self.fault(*CELLS, "--measure-with", "touch called", "--measurements", "no/where.csv", says=("no/where.csv",))
        self.fault(*CELLS, "--measurements", "a.csv", "--front", "a.csv", says=("--front a.csv",))
        self.fault("next", "--space", "ofa_mbv3", "--sources", "none", says=("ofa_mbv3", "--quality", "model:macs"))
        self.ok(*CELLS, "--out", "a.csv")
        self.fault(*CELLS, "--measurements", "a.csv", says=("a.csv: no line has a latency_ms yet",))
        self.assertEqual(self.program(*CELLS, "--timeout", "5").returncode, 2)
        self.fault("next", "--space", "fbnet", "--quality", "metric:stars", says=("metric:stars", "model:accuracy"))
        self.fault(*CELLS[:3], "--quality", "max metric:natsbench:cifar100 >= 70", says=("limits are on what is measured",))
        self.fault(*CELLS[:3], "--quality", "min metric:natsbench:cifar100", says=("cifar100", "maximised"))

    def test_a_space_too_large_for_tables(self) -> None:
        cell = (ROOT / "configs" / "spaces" / "nasbench201.toml").read_text().replace('"nasbench201"', '"five_nodes"')
        edges = "".join(f'[[decision]]\nname = "edge {i}-4"\nfrom = {i}\nto = 4\n' for i in range(4))
        (self.folder / "five_nodes.toml").write_text(cell.replace("[[geometry]]", edges + "[[geometry]]", 1))
        large = ("next", "--space", "five_nodes.toml", "--quality", "model:macs", "--sources", "none")
        self.fault(*large, says=("9765625 architectures, too many", "fix some decisions", "metric:NAME"))
        self.assertIn("phase start", self.ok(*large, "--fix", "edge 0-*=skip_connect"))

    def test_help_tells_the_contract(self) -> None:
        text = " ".join(self.ok("next", "--help").split())
        self.assertIn("COMMAND ASKED.csv MEASURED.csv", text)
        for option in ("--quality", "--limits", "--measurements", "--budget", "--timeout", "--also", "--stop-gain"):
            self.assertIn(option, text)


class TestMeasureWith(NextCase):
    def phone(self, *more: object, device: str = "pixel3", noise: float = 0) -> str:
        return shlex.join([sys.executable, str(PHONE), "--device", device, "--noise", str(noise), *map(str, more)])

    def script(self, text: str) -> str:
        """A command of the test's own; "$PHONE" is the phone."""
        path = self.folder / "measure.sh"
        path.write_text("#!/bin/sh\n" + text.replace("$PHONE", self.phone()))
        path.chmod(0o755)
        return "./measure.sh"

    def loop(self, command: str, *more: object) -> tuple[object, ...]:
        return (*CELLS, "--measurements", FILE, "--measure-with", command, *more)

    def stops(self, command: str, *more: object, says: tuple[str, ...] = ()) -> str:
        """The one line with which it ends, where the command fails twice."""
        done = self.program(*self.loop(command, *more))
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        last = done.stderr.splitlines()[-1]
        self.assertRegex(last, "^oneproxy: error: --measure-with .* failed twice: ")
        for part in says:
            self.assertIn(part, done.stderr)
        return last

    def test_the_whole_loop_ends_with_answers_that_keep_their_limits(self) -> None:
        limits = np.nanquantile(self.latencies["pixel3"], [0.1, 0.25, 0.5])
        said = self.ok(*self.loop(self.phone(), "--limits", ",".join(map(repr, limits.tolist())), "--repeats", 1,
                                  "--front", "front.csv"))  # fmt: skip
        self.assertIn("stop: ", said)
        self.assertIn("nothing" if "nothing more" in said else "phase done", said)
        front = {line["arch"]: line for line in self.lines("front.csv")}
        answers = [line for line in front.values() if line["answers"]]
        self.assertTrue(answers)
        for limit in limits:
            kept = [line for line in answers if f"<= {limit:.10g} ms" in line["answers"]]
            self.assertEqual(len(kept), 1, answers)
            row = self.row_of(kept[0]["arch"])
            self.assertLessEqual(self.latencies["pixel3"][row], limit)
            self.assertGreater(self.quality[row], self.best_within(limit) - 0.5)
        self.assertLess(len(self.lines()), 80)

    def test_a_noisy_front_is_measured_again(self) -> None:
        command = self.phone(noise=0.05)
        said = self.ok(*self.loop(command, "--limits", "8", "--budget", 60, "--front", "front.csv"))
        answer = [line for line in self.lines("front.csv") if line["answers"]]
        self.assertIn("phase done", said)
        self.assertEqual([line["repeats"] for line in answer], ["3"])
        own = [float(line["latency_ms"]) for line in self.lines() if line["arch"] == answer[0]["arch"]]
        self.assertEqual(float(answer[0]["latency_ms"]), float(np.median(own)))
        self.assertLessEqual(np.median(own), 8)

    def test_the_budget_holds_and_more_of_it_goes_on(self) -> None:
        said = self.ok(*self.loop(self.phone(), "--budget", 7))
        self.assertIn("the budget of 7 measurements is spent", said)
        first = (self.folder / FILE).read_text()
        self.assertEqual(len(self.lines()), 7)
        self.ok(*self.loop(self.phone(), "--budget", 12))
        self.assertEqual(len(self.lines()), 12)
        self.assertTrue((self.folder / FILE).read_text().startswith(first))

    def test_a_killed_loop_goes_on_to_the_same_measurements(self) -> None:
        budget = ("--budget", "20")
        command = self.script('sleep 0.2; $PHONE "$@"')
        process = start(self.folder, *self.loop(command, *budget))
        wait_for(lambda: (self.folder / FILE).exists() and len(self.lines()) >= 10, "ten measurements")
        process.send_signal(signal.SIGKILL)
        finish(process)
        self.assertLess(len(self.lines()), 20)
        self.ok(*self.loop(command, *budget))
        resumed = (self.folder / FILE).read_bytes()
        (self.folder / FILE).unlink()
        self.ok(*self.loop(command, *budget))
        self.assertEqual((self.folder / FILE).read_bytes(), resumed)

    def test_ctrl_c_keeps_what_was_measured_and_stops_the_command(self) -> None:
        command = self.script('$PHONE "$@"; test $(wc -l < so_far.csv) -gt 5 && touch running && sleep 1000; true')
        (self.folder / FILE).write_text("arch,latency_ms\n")
        process = start(self.folder, *self.loop(command))
        wait_for(lambda: (self.folder / "running").exists(), "a batch after the first")
        process.send_signal(signal.SIGINT)
        code, out, err = finish(process)
        self.assertEqual((code, out), (130, ""), err)
        self.assertRegex(err.splitlines()[-1], f"interrupted: {FILE} holds \\d+ measurements, and the same command")
        self.assertGreaterEqual(len(self.lines()), 10)  # the batch was complete, only its command not at its end
        self.assertEqual(self.files(), {FILE, "measure.sh", "running"})

    def test_a_command_that_fails_twice_ends_it(self) -> None:
        last = self.stops(self.script("echo one; echo no phone at all >&2; exit 3"))
        self.assertIn("ended with status 3: one | no phone at all", last)
        self.assertIn("nothing is measured yet", last)
        self.assertEqual(self.files(), {"measure.sh"})

    def test_what_was_measured_before_the_fault_is_kept(self) -> None:
        last = self.stops(self.script(f'test -f {FILE} && exit 4; $PHONE "$@"'))
        n = len(self.lines())
        self.assertGreaterEqual(n, 5)
        self.assertIn(f"{FILE} holds {n} measurements, and the same command goes on from there", last)
        said = self.ok(*self.loop(self.phone(), "--budget", n + 3))
        self.assertIn(f"{n + 3} measurements of", said)

    def test_a_command_that_hangs_is_stopped_with_all_that_it_started(self) -> None:
        command = self.script("(sleep 2; touch late) & sleep 1000")
        last = self.stops(command, "--timeout", 0.5, says=("they are tried once more",))
        self.assertIn("was stopped after 0.5 s", last)
        self.assertFalse((self.folder / "late").exists())

    def test_one_failure_changes_nothing(self) -> None:
        budget = ("--budget", 12)
        self.ok(*self.loop(self.phone(), *budget))
        whole = (self.folder / FILE).read_bytes()
        for name, text in {
            "a crash": 'mkdir once 2>/dev/null && exit 1; $PHONE "$@"',
            "fewer lines": '$PHONE "$@"; mkdir once 2>/dev/null && sed -i 4,5d "$2"; true',
            "half a line": '$PHONE "$@"; mkdir once 2>/dev/null && truncate -s -200 "$2"; true',
            "an empty file": 'mkdir once 2>/dev/null && : > "$2" || $PHONE "$@"',
        }.items():
            with self.subTest(name):
                (self.folder / FILE).unlink()
                done = self.program(*self.loop(self.script(text), *budget))
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("they are tried once more", done.stderr)
                rows = sorted(whole.splitlines())
                self.assertEqual(sorted((self.folder / FILE).read_bytes().splitlines()), rows)
                (self.folder / "once").rmdir()

    def test_nonsense_is_refused(self) -> None:
        for text, says in {
            '$PHONE "$@"; sed -i s/latency_ms/watts/ "$2"': "has no column 'latency_ms'",
            '$PHONE "$@"; sed -i s/arch/thing/ "$2"': "has no column 'arch'",
            ": > \"$2\"": "is empty",
            "true": "No such file",
            "printf 'arch,latency_ms\\nfast,1\\n' > \"$2\"": "fast",
            "printf 'arch,latency_ms\\n\"0,0,0,0,0,0\",1\\n' > \"$2\"": "was not asked for",
            '$PHONE "$@"; sed -i "s/|,[0-9.]*,/|,soon,/" "$2"': "should be a positive number",
            '$PHONE "$@"; sed -i "s/|,[0-9.]*,/|,1e300,/" "$2"': "1e300",
            "head -c 100000 /dev/urandom > \"$2\"": "",
        }.items():  # fmt: skip
            with self.subTest(text):
                self.stops(self.script(text), says=(says,))
                self.assertEqual(self.files(), {"measure.sh"})

    def test_a_network_that_can_not_be_measured_counts_as_failed(self) -> None:
        command = self.script('$PHONE "$@"; sed -i "/nor_conv_3x3~0.+.nor_conv_3x3~0/s/|,[0-9.]*,/|,broken,/" "$2"')
        done = self.program(*self.loop(command, "--budget", 15))
        self.assertEqual(done.returncode, 0, done.stderr)
        failed = [line for line in self.lines() if line["latency_ms"] == ""]
        self.assertTrue(failed)
        self.assertEqual(len({line["arch"] for line in failed}), len(failed), "a failed network was asked for again")
        self.assertIn("failed twice", done.stderr)

    def test_columns_of_a_file_are_kept(self) -> None:
        for column in ("note", "order"):
            (self.folder / FILE).write_text(f"# mine\n{column},latency_ms,arch")
            self.ok(*self.loop(self.phone(), "--budget", 5))
            text = (self.folder / FILE).read_text()
            self.assertTrue(text.startswith(f"# mine\n{column},latency_ms,arch\n,"), text)


class TestQuantities(NextCase):
    def test_two_quantities_in_one_file(self) -> None:
        command = (*CELLS, "--also", "energy", "--also-unit", "mJ", "--also-direction", "min", "--also-sources", "none",
                   "--limits", "12", "--also-limits", "30,40")  # fmt: skip
        files: list[str] = []
        for name in ("a.csv", "b.csv", "c.csv"):
            self.ok(*command, *(("--measurements", *files) if files else ()), "--out", name)
            lines = self.lines(name)
            self.assertEqual(list(lines[0])[:3], ["arch", "latency_ms", "energy"])
            for line in lines:
                row = self.row_of(line["arch"])
                line["latency_ms"] = repr(float(self.latencies["pixel3"][row]))
                line["energy"] = repr(float(self.latencies["1080ti_1"][row]) * 3)
            files.append(self.write(name, lines))
        said = self.ok(*command, "--measurements", *files, "--front", "front.csv")
        self.assertIn("latency <= 12 ms and energy <= 30 mJ: ", said)
        for line in self.lines("front.csv"):
            if "energy <= 30" in line["answers"]:
                self.assertLessEqual(float(line["energy"]), 30)
                self.assertLessEqual(float(line["latency_ms"]), 12)

    def test_rates_are_to_be_large(self) -> None:
        command = (*CELLS, "--metric", "throughput", "--unit", "images/s", "--direction", "max", "--limits", "100")
        self.ok(*command, "--out", "a.csv")
        lines = self.lines("a.csv")
        for line in lines:
            line["throughput"] = repr(1000 / float(self.latencies["pixel3"][self.row_of(line["arch"])]))
        self.write("a.csv", lines)
        said = self.ok(*command, "--measurements", "a.csv", "--front", "front.csv")
        self.assertIn("throughput >= 100 images/s: ", said)
        answer = [line for line in self.lines("front.csv") if line["answers"]]
        kept = [line for line in lines if float(line["throughput"]) >= 100]
        best = max(kept, key=lambda line: self.quality[self.row_of(line["arch"])])
        self.assertEqual([line["arch"] for line in answer], [best["arch"]])

    def test_a_space_that_nobody_can_enumerate(self) -> None:
        command = ("next", "--space", "fbnet", "--sources", "1080ti_1,silver_4114,pixel3", "--fix", "layer 1*=k*")
        done = self.program(*command, "--out", "a.csv")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("stand-in", done.stderr)
        lines = self.lines("a.csv")
        self.assertGreaterEqual(len(lines), 5)
        for line in lines:
            self.assertTrue(all(f"layer {d} = k" in line["decisions"] for d in range(10, 20)), line)
            self.assertGreater(float(line["quality"]), 0)


if __name__ == "__main__":
    unittest.main()
