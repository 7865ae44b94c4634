"""The demonstration: what it shows is what it runs, and what it calls true is true."""

from __future__ import annotations

import csv
import re
import shlex
import signal
import statistics
import subprocess
import unittest
from pathlib import Path

import numpy as np

from support import PROGRAM, ProgramCase, environment, spearman, stored


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


class TestDemo(ProgramCase):
    def test_what_it_shows_is_what_it_runs(self) -> None:
        said = self.ok("demo", "--out", "first")
        self.assertIn("What was true", said)
        # Typed again in another folder, its commands make the same files.
        typed = [shlex.split(line)[1:] for line in said.replace("\\\n", "").splitlines() if line.startswith("    $ ")]
        self.assertEqual({words[0] for words in typed}, {str(PROGRAM)})  # as it was called, so that it can be typed
        shown = [words[1:] for words in typed]
        shown = [words for words in shown if words[0] != "next"]
        shown, page = shown[:-1], shown[-1]
        self.assertEqual([words[0] for words in shown], ["plan", "demo-phone", "adapt", "search", "export", "demo-phone"])
        self.assertEqual((page[0], page[-1]), ("report", "first/report.html"))
        self.assertIn("<html", (self.folder / "first" / "report.html").read_text())
        again = self.folder / "again"
        (again / "first").mkdir(parents=True)
        for words in shown:
            self.ok(*words, cwd=again)
        for name in ("plan.csv", "measured.csv", "winners.csv", "csv/best.csv"):
            self.assertEqual((again / "first" / name).read_bytes(), (self.folder / "first" / name).read_bytes(), name)
        self.fault("demo", "--out", "first", says=("first: is there already", "--out"))

    def test_without_python_only_the_page_is_missing(self) -> None:
        done = self.program("demo", env={"ONEPROXY_PYTHON": "/no/such/python"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("No page: it needs Python", done.stdout)
        self.assertIn("What was true", done.stdout)
        self.assertIn("/no/such/python", done.stderr)

    def test_an_interrupted_one_says_what_is_left(self) -> None:
        with subprocess.Popen(
            [PROGRAM, "demo"], cwd=self.folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as demo:
            for line in demo.stdout:
                if line.startswith("    $ ") and " search " in line:  # most of its time is ahead
                    demo.send_signal(signal.SIGINT)
            said = demo.stderr.read()
        self.assertEqual(demo.returncode, 130, said)
        self.assertIn("what was made by then is in oneproxy_demo", said.splitlines()[-1])
        self.assertTrue((self.folder / "oneproxy_demo" / "plan.csv").exists())

    def test_what_it_calls_true_is_true(self) -> None:
        said = self.ok("--quiet", "demo", "--seed", 3)
        cells, columns = stored("nasbench201", "help")
        every = self.folder / "every.csv"
        every.write_text("arch\n" + "".join('"' + ",".join(map(str, c)) + '"\n' for c in cells.tolist()))
        self.ok("demo-phone", every, "true.csv", "--noise", 0)
        truth = {row["arch"]: float(row["latency_ms"]) for row in rows(self.folder / "true.csv")}
        self.assertEqual(len(truth), len(cells))
        self.ok("score", "--space", "nasbench201", "--predictor", "table:oneproxy_demo/phone.h5", "--archs", "true.csv", "--out", "predicted.csv")
        scored = rows(self.folder / "predicted.csv")
        column = [name for name in scored[0] if "phone" in name][0]
        ours = spearman(np.array(list(truth.values())), np.array([float(row[column]) for row in scored]))
        self.assertAlmostEqual(float(re.search(r"over all 15625 of them it is (\S+)\.", said)[1]), ours, delta=0.0006)

        accuracy, at = stored("nasbench201", "natsbench")[1]["cifar10"], {}
        for i, cell in enumerate(stored("nasbench201", "natsbench")[0].tolist()):
            at[tuple(cell)] = accuracy[i]
        by_name = dict(zip(truth, (at.get(tuple(c), np.nan) for c in cells.tolist())))
        for row in rows(self.folder / "oneproxy_demo" / "csv" / "best.csv"):
            limit, name = float(row["limit"]), row["arch"]
            kept = "keeps" if truth[name] <= limit else "breaks"
            measured = [float(r["latency_ms"]) for r in rows(self.folder / "oneproxy_demo" / "winners.csv") if r["arch"] == name]
            self.assertIn(
                f"was measured with {statistics.median(measured):.2f} ms, truly takes {truth[name]:.2f} ms and {kept} its limit", said
            )
            best = max(v for n, v in by_name.items() if truth[n] <= limit)
            self.assertIn(f"{by_name[name]:.2f} % within {limit:g} ms, where the best that truly keeps it has {best:.2f} %", said)


class TestPhone(ProgramCase):
    def test_the_same_measurement_comes_out_the_same(self) -> None:
        self.ok("plan", "--space", "fbnet", "--k", 6)
        call = ("demo-phone", "--space", "fbnet", "plan.csv")
        self.assertIn("12 measurements of 6 networks, simulated", self.ok(*call, "a.csv", "--repeats", 2))
        lines = (self.folder / "plan.csv").read_text().splitlines()
        (self.folder / "plan.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
        self.ok(*call, "b.csv", "--repeats", 2)
        a, b = (sorted((self.folder / name).read_text().splitlines()) for name in ("a.csv", "b.csv"))
        self.assertEqual(a, b)
        self.ok(*call, "c.csv", "--repeats", 2, "--seed", 2)
        self.assertNotEqual(a, sorted((self.folder / "c.csv").read_text().splitlines()))

    def test_noise_is_as_large_as_asked_for(self) -> None:
        cell = "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
        (self.folder / "one.csv").write_text(f"arch\n{cell}\n")
        self.ok("demo-phone", "one.csv", "true.csv", "--noise", 0)
        self.ok("demo-phone", "one.csv", "noisy.csv", "--noise", 0.1, "--repeats", 1000)
        true = float(rows(self.folder / "true.csv")[0]["latency_ms"])
        factors = np.array([float(row["latency_ms"]) for row in rows(self.folder / "noisy.csv")]) / true
        self.assertAlmostEqual(factors.mean(), 1, delta=0.01)
        self.assertAlmostEqual(factors.std(), 0.1, delta=0.01)

    def test_an_edge_that_leads_nowhere_takes_no_time(self) -> None:
        # Node 1 is not reached, so that a convolution from it is nothing; node 2 is not read, so neither is one into it.
        lazy = ("|none~0|+|skip_connect~0|{}~1|+|skip_connect~0|none~1|skip_connect~2|", "|skip_connect~0|+|{}~0|none~1|+|skip_connect~0|skip_connect~1|none~2|")
        busy = "|skip_connect~0|+|skip_connect~0|{}~1|+|skip_connect~0|none~1|skip_connect~2|"
        for cell, same in ((lazy[0], True), (lazy[1], True), (busy, False)):
            (self.folder / "two.csv").write_text("arch\n" + "".join(cell.format(o) + "\n" for o in ("none", "nor_conv_3x3")))
            self.ok("demo-phone", "two.csv", "out.csv", "--noise", 0)
            without, with_it = (float(row["latency_ms"]) for row in rows(self.folder / "out.csv"))
            self.assertEqual(without == with_it, same, cell)

    def test_it_measures_in_the_loop(self) -> None:
        self.ok(
            *("next", "--space", "nasbench201", "--quality", "metric:natsbench:cifar10", "--limits", "8", "--sources", "pixel3,fpga"),
            *("--measurements", "loop.csv", "--measure-with", f"{shlex.quote(str(PROGRAM))} demo-phone", "--budget", 10),
        )
        self.assertIn(len(rows(self.folder / "loop.csv")), range(5, 11))

    def test_faults_are_one_line(self) -> None:
        (self.folder / "no.csv").write_text("network\nx\n")
        self.fault("demo-phone", "no.csv", "out.csv", says=("no.csv", "no column arch", "network"))
        (self.folder / "bad.csv").write_text("arch\nx\n")
        self.fault("demo-phone", "bad.csv", "out.csv", says=("bad.csv:2",))
        self.fault("demo-phone", "absent.csv", "out.csv", says=("absent.csv",))
        words = '[[decision]]\nname = "depth"\nchoices = ["2", "4"]\n'
        (self.folder / "words.toml").write_text(f'name = "words"\n{words}')
        self.fault("demo-phone", "--space", "words.toml", "no.csv", "out.csv", says=("words.toml", "names only", "nasbench201"))


if __name__ == "__main__":
    unittest.main()
