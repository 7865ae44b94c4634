"""tools/gpu_check with stand-ins for the compiler, the tests, the benchmarks and NVIDIA's tools: time limits, verdict,
report, and a whole run with and without a GPU. That its commands name what exists is checked against the sources."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent))
from support import ROOT, TOOLS  # noqa: E402

sys.path.insert(0, str(TOOLS / "gpu"))
import machine  # noqa: E402
import plan  # noqa: E402
import report  # noqa: E402
import steps  # noqa: E402
import wellformed  # noqa: E402
from steps import FAILED, NOT_RUN, PASSED, TIMED_OUT, Outcome, Runner, Step  # noqa: E402

# As GoogleTest: lists, filters and shards its tests; those named Fail, Skip and Crash do so.
GTEST = """#!{python}
import fnmatch, os, sys, time
TESTS = {tests}
option = dict(a[2:].split("=", 1) for a in sys.argv[1:] if "=" in a)
wanted, _, unwanted = option.get("gtest_filter", "*").partition("-")
fits = lambda name, patterns: any(fnmatch.fnmatchcase(name, p) for p in patterns.split(":") if p)
names = [n for n in TESTS if fits(n, wanted or "*") and not fits(n, unwanted)]
if "--gtest_list_tests" in sys.argv:
    for name in names:
        print("%s.\\n  %s" % tuple(name.split(".")))
    sys.exit()
shards, index = int(os.environ.get("GTEST_TOTAL_SHARDS", 1)), int(os.environ.get("GTEST_SHARD_INDEX", 0))
status = 0
for name in names[index::shards]:
    print("[ RUN      ]", name, flush=True)
    if "Crash" in name:
        os._exit(139)
    if "Hang" in name:
        time.sleep(60)
    alone = len(names) == 1
    kind = "FAILED" if "Fail" in name or ("Order" in name and not alone) else "SKIPPED" if "Skip" in name else "OK"
    status |= kind == "FAILED"
    print("[%s ] %s (0 ms)" % (kind.rjust(9) if kind == "OK" else "  " + kind.ljust(7), name))
print("[  PASSED  ] 1 test.")
sys.exit(status)
"""
BENCH = """#!{python}
import json, re, sys
CASES = {cases}
if "--list" in sys.argv:
    print("\\n".join(CASES))
    sys.exit()
for name in CASES:
    if re.search(sys.argv[2], name):
        if "broken" in name:
            sys.exit("it broke")
        if "score" in sys.argv[0]:
            print(json.dumps({{"case": "device", "bf16_flops": 7.5e14, "bytes_per_s": 4e12}}))
        print(json.dumps({{"case": name.rsplit("_", 1)[0], "predictor": "198-64-64-1", "precision": "bf16",
                           "backend": "cuda", "n": 8, "archs_per_s": 3e10, "seconds_median": 0.01}}))
"""
TORCH = """
import sys
from unittest.mock import MagicMock
fake = MagicMock(__version__="0.1")
fake.cuda.OutOfMemoryError = MemoryError
def compiled(model, mode):
    print("compiling", file=sys.stderr)
    return model
fake.compile = compiled
sys.modules["torch"] = fake
"""


# As the tests of kernels/ are named; a GPU makes the sixth skip itself.
TESTS = ["ScoreCudaOnce.A", "X/ScoreCuda.A/1", "TablesCuda.A", "X/ParetoCuda.A/all_b", "RankCuda.OnScipys"]
TESTS += ["TableCudaMissing.SkipIt", "Rank.CudaWithoutADevice", "Mlp.A", "Fleet.B", "Isa.C", "X/FleetCuda.A/1"]


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


class Folder(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def gtest(self, path: Path, *tests: str) -> Path:
        return script(path, GTEST.format(python=sys.executable, tests=list(tests)))

    def bench(self, path: Path, *cases: str) -> Path:
        return script(path, BENCH.format(python=sys.executable, cases=list(cases)))


class Steps(Folder):
    def run_step(self, *command: str, limit: float = 20, budget: float = 60, **more: object) -> Outcome:
        runner = Runner(self.folder, self.folder, budget)
        return runner.run(Step("step", command, limit, **more))  # type: ignore[arg-type]

    def test_the_last_line_is_the_summary(self) -> None:
        done = self.run_step("sh", "-c", "echo one; echo $WORD; echo", environment={"WORD": "two"})
        self.assertEqual((done.status, done.summary, done.tail), (PASSED, "two", ""))

    def test_a_failure_keeps_the_end_of_the_log(self) -> None:
        done = self.run_step("sh", "-c", "echo why >&2; exit 3")
        self.assertEqual((done.status, done.summary, done.tail), (FAILED, "exit status 3: why", "why"))
        done = self.run_step("/no/such/program")
        said = "/no/such/program does not start: No such file or directory"
        self.assertEqual((done.status, done.summary), (FAILED, said))

    def test_the_first_errors_of_a_long_log_are_kept(self) -> None:
        lines = ["building a", "FAILED: a.o", "command", "a.cu:1: fatal error: no header", "    1 | #include", "after"]
        text = steps.excerpt([*lines, *(f"line {i}" for i in range(200)), "stopped"]).splitlines()
        self.assertEqual(text[:5], [*lines[1:6]])
        self.assertEqual(text[-1], "stopped")
        self.assertNotIn("line 100", text)
        self.assertEqual(steps.excerpt(["one", "two"]), "one\ntwo")

    def test_what_hangs_is_killed_with_its_children(self) -> None:
        # The child ignores the polite signal, and its parent has gone already.
        child = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        child += "print(os.getpid(), flush=True); time.sleep(60)"
        for parent in ("& wait", "& sleep 0.5; exit 0"):
            command = f"{sys.executable} -c '{child}' {parent}"
            with mock.patch.object(steps, "GRACE_S", 0.3):
                start = time.monotonic()
                done = self.run_step("sh", "-c", command, limit=1)
            self.assertLess(time.monotonic() - start, 10)
            self.assertEqual(done.status, TIMED_OUT if "wait" in parent else PASSED)
            pid = int((self.folder / "step.log").read_text().split()[0])
            with self.assertRaises(ProcessLookupError):
                for _ in range(100):  # until init has taken note
                    os.kill(pid, 0)
                    if "Z" in Path(f"/proc/{pid}/stat").read_text().split(")")[1][:3]:
                        raise ProcessLookupError
                    time.sleep(0.02)

    def test_the_budget_bounds_every_step(self) -> None:
        done = self.run_step("sleep", "60", limit=50, budget=steps.LEAST_S + 0.2)
        self.assertEqual(done.status, TIMED_OUT)
        self.assertLess(done.seconds, 10)
        done = self.run_step("true", budget=0)
        self.assertEqual(done.status, NOT_RUN)
        self.assertIn("--minutes", done.summary)

    def test_what_can_not_run_says_why(self) -> None:
        done = self.run_step("true", impossible="no GPU")
        self.assertEqual((done.status, done.summary), (NOT_RUN, "no GPU"))
        done = self.run_step("true", programs=(self.folder / "kernels_test",))
        self.assertEqual((done.status, done.summary), (NOT_RUN, "kernels_test was not built"))

    def test_steps_of_a_group_run_at_the_same_time(self) -> None:
        runner = Runner(self.folder, self.folder, 60)
        wait = "touch {0}/{1}; while ! [ -e {0}/{2} ]; do sleep 0.01; done"
        commands = (wait.format(self.folder, a, b) for a, b in ("ab", "ba"))
        together = [Step(f"s{i}", ("sh", "-c", command), 20) for i, command in enumerate(commands)]
        self.assertEqual([done.status for done in runner.run_together(together)], [PASSED, PASSED])


class Verdict(unittest.TestCase):
    def outcome(self, status: str, **more: object) -> Outcome:
        return Outcome(Step("x", ("true",), 1, **more), status, summary="so it is")  # type: ignore[arg-type]

    def test_what_ran_has_to_pass(self) -> None:
        for status in (FAILED, TIMED_OUT):
            self.assertEqual(steps.faults([self.outcome(PASSED), self.outcome(status)]), [f"x {status}"])
        self.assertEqual(steps.faults([self.outcome(PASSED)]), [])

    def test_advice_does_not_count(self) -> None:
        for status in (FAILED, TIMED_OUT, NOT_RUN):
            self.assertEqual(steps.faults([self.outcome(status, advisory=True)]), [])

    def test_not_run_is_excused_only_by_the_machine(self) -> None:
        self.assertEqual(steps.faults([self.outcome(NOT_RUN, impossible="no ncu")]), [])
        self.assertEqual(steps.faults([self.outcome(NOT_RUN)]), ["x was not run: so it is"])  # time was up
        self.assertEqual(len(steps.faults([self.outcome(NOT_RUN, impossible="no GPU", essential=True)])), 1)

    def test_nothing_is_no_success(self) -> None:
        self.assertEqual(steps.faults([]), ["nothing was run"])


class Report(Folder):
    MACHINE = machine.Machine("H200", "90", "580", "141 GiB", "Xeon", 16, ("portable",))
    GOALS = [
        {"path": "fast", "match": {"case": "a"}, "value": "archs_per_s", "predicted": "p", "at_least": 2e9},
        {"path": "short", "match": {"case": "b", "n": 7}, "value": "seconds_median", "predicted": "p", "at_most": 1e-3},
        {"path": "lost", "match": {"case": "c"}, "value": "archs_per_s", "predicted": "p", "at_least": 1},
    ]

    def test_goals_stand_beside_what_was_measured(self) -> None:
        lines = [{"case": "a", "archs_per_s": 1e9}, {"case": "a", "archs_per_s": 3e9}]
        lines += [{"case": "b", "n": 7, "seconds_median": 0.002}, {"case": "b", "n": 8, "seconds_median": 1e-9}]
        rows = report.goal_rows(self.GOALS, lines)
        self.assertEqual(rows[0][2:], [">= 2 G/s", "3 G/s", "yes"])
        self.assertEqual(rows[1][2:], ["<= 1 ms", "2 ms", "no"])
        self.assertEqual(rows[2][3:], ["not measured", "-"])

    def test_the_ratio_is_to_pytorchs_best_way(self) -> None:
        line = {"case": "a", "predictor": "3-4-1", "precision": "bf16", "backend": "cuda", "n": 9, "archs_per_s": 6e9}
        rate = {"case": "pytorch", "predictor": "3-4-1", "precision": "bf16", "batch": 16}
        rates = [rate | {"mode": "eager", "archs_per_s": 1e9}, rate | {"mode": "compiled", "archs_per_s": 4e9}]
        rates.append(rate | {"precision": "fp32", "mode": "eager", "archs_per_s": 5e9})
        rows = report.bench_rows([line, *rates])
        self.assertEqual(len(rows), 1)
        self.assertEqual(rows[0][-2:], ["4 G/s (compiled, 16)", "1.50"])
        sort = {"case": "spearman", "backend": "cuda", "n": 9, "seconds_median": 0.01}
        theirs = {"case": "pytorch", "of": "spearman", "n": 9, "mode": "eager", "seconds_median": 0.02}
        rows = report.bench_rows([sort, sort | {"n": 8}, sort | {"backend": "cpu"}, theirs])
        self.assertEqual([row[-2:] for row in rows], [["20 ms (eager)", "2.00"], ["-", "-"], ["-", "-"]])
        fp32 = {"precision": "fp32"}
        rows = report.bench_rows([sort, sort | fp32, theirs | fp32 | {"seconds_median": 0.05}, theirs])
        self.assertEqual([row[-1] for row in rows], ["2.00", "5.00"])

    def test_lines_that_were_cut_off_are_passed_over(self) -> None:
        path = self.folder / "lines"
        path.write_text('{"case": "a"}\n[1]\n{"case": "b", "n"')
        self.assertEqual(report.read_lines(path), [{"case": "a"}])
        self.assertEqual(report.read_lines(self.folder / "none"), [])

    def test_the_whole_report(self) -> None:
        bad = Outcome(Step("tests_gpu", ("kernels_test",), 9), FAILED, 3, "exit status 1: a|b", "the end")
        none = Outcome(Step("ncu", ("ncu",), 9, impossible="no ncu"), NOT_RUN, summary="no ncu")
        lines = [{"case": "device", "bf16_flops": 8e14}, {"case": "device", "bf16_flops": 7e14}]
        text = report.write_report(self.MACHINE, "abc", [bad, none], lines, self.GOALS, True)
        self.assertTrue(text.startswith("# GPU check: FAILED: tests_gpu failed (1 of 2 steps not run)\n"), text)
        for part in ("a\\|b", "| bf16 | 800 TFLOP/s | 700 | 2 |", "```text\nthe end\n```", "sm_90", "no ncu"):
            self.assertIn(part, text)
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if line.startswith("| tests_gpu")}
        self.assertEqual(widths, {6})
        early = report.write_report(self.MACHINE, "abc", [none], [], self.GOALS, False)
        self.assertTrue(early.startswith("# GPU check: NOT FINISHED: no failure so far\n"), early)


class Shards(Folder):
    def call(self, *tests: str, arguments: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        program = self.gtest(self.folder / "program", *tests)
        command = [sys.executable, TOOLS / "gpu" / "shards.py", program, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    def last(self, done: subprocess.CompletedProcess[str]) -> str:
        return done.stdout.splitlines()[-1]

    def test_every_test_runs_once(self) -> None:
        done = self.call("A.B", "A.C", "D.E", arguments=("--shards", "2"))
        self.assertEqual((done.returncode, self.last(done)), (0, "3 tests in 2 shards: 3 passed"))
        self.assertEqual(sum("[ RUN" in line for line in done.stdout.splitlines()), 3)

    def test_after_a_crash_the_others_run_alone(self) -> None:
        done = self.call("A.B", "A.Crash", "A.C", "A.Order")
        said = "4 tests in 1 shards: 3 passed; 1 failed (A.Crash)"
        self.assertEqual((done.returncode, self.last(done)), (1, said))

    def test_one_that_hangs_is_named_and_the_others_run_alone(self) -> None:
        start = time.monotonic()
        done = self.call("A.B", "A.Hang", "A.C", arguments=("--seconds", "6"))
        said = "3 tests in 1 shards: 2 passed; 1 failed (A.Hang)"
        self.assertEqual((done.returncode, self.last(done)), (1, said))
        self.assertLess(time.monotonic() - start, 12)
        self.assertIn("killed after", done.stdout)

    def test_what_fails_only_in_company_is_a_failure(self) -> None:
        done = self.call("A.B", "A.Order", "A.Fail")
        said = "3 tests in 1 shards: 1 passed; 2 failed (A.Fail, A.Order); of the failures 1 pass alone (A.Order)"
        self.assertEqual((done.returncode, self.last(done)), (1, said))

    def test_a_skip_is_a_failure_where_it_is_said_to_be(self) -> None:
        self.assertEqual(self.call("A.B", "A.Skip").returncode, 0)
        done = self.call("A.B", "A.Skip", arguments=("--no-skips",))
        self.assertEqual((done.returncode, self.last(done)), (1, "2 tests in 1 shards: 1 passed; 1 skipped (A.Skip)"))
        self.assertEqual(self.call("A.Skip").returncode, 1, "nothing but skips")

    def test_a_filter_that_matches_nothing_is_a_failure(self) -> None:
        done = self.call("A.B", arguments=("--filter=X*",))
        self.assertEqual((done.returncode, self.last(done)), (1, "no test matches 'X*'"))

    def test_under_a_sanitizer_each_test_is_a_process(self) -> None:
        finds = script(self.folder / "finds", '#!/bin/sh\n"$@"\ncase $2 in *=A.C) exit 9 ;; esac\n')
        done = self.call("A.B", "A.C", arguments=("--each", "--under", str(finds)))
        said = "2 tests, one process each: 1 passed; 1 failed (A.C)"
        self.assertEqual((done.returncode, self.last(done)), (1, said))
        done = self.call("A.B", "A.C", arguments=("--each", "--seconds", "-1"))
        self.assertEqual(done.returncode, 1, "none was reached")
        self.assertIn("2 not reached (A.B, A.C)", self.last(done))


class Cases(Folder):
    def test_a_case_that_fails_does_not_stop_the_next(self) -> None:
        program, out = self.bench(self.folder / "score_bench", "a_1", "broken_2", "c_3", "d_4"), self.folder / "out"
        command = [sys.executable, TOOLS / "gpu" / "cases.py", "--out", out, f"{program}=^[abc]"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.splitlines()[-1], "2 cases measured, 1 not; broken_2: exit status 1: it broke")
        names = [json.loads(line)["case"] for line in out.read_text().splitlines()]
        self.assertEqual(names, ["device", "a", "device", "c"])

    def test_a_case_without_a_result_says_what_the_program_said(self) -> None:
        text = '#!/bin/sh\n[ "$1" = --list ] && echo quiet || echo skipped: no usable CUDA device >&2\n'
        program = script(self.folder / "bench", text)
        command = [sys.executable, TOOLS / "gpu" / "cases.py", "--out", self.folder / "out", f"{program}="]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        self.assertIn("quiet: printed no result: skipped: no usable CUDA device", done.stdout.splitlines()[-1])
        self.assertEqual(done.returncode, 1)

    def test_a_case_that_hangs_is_ended(self) -> None:
        program = script(self.folder / "bench", '#!/bin/sh\n[ "$1" = --list ] && echo slow || exec sleep 60\n')
        command = [sys.executable, TOOLS / "gpu" / "cases.py", "--out", self.folder / "out", "--limit-each", "0.3"]
        done = subprocess.run([*command, f"{program}="], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.stdout.splitlines()[-1], "0 cases measured, 1 not; slow: killed after 0 s")
        self.assertEqual(done.returncode, 1)


class Baseline(Folder):
    def call(self, quick: str) -> tuple[list[dict[str, object]], str]:
        bench = self.bench(self.folder / "bench", "front_198_64_64_fp32", "front_198_64_64_bf16", "front_tables_fbnet")
        (self.folder / "torch.py").write_text(TORCH)
        script_path = ROOT / "tests" / "bench" / "score_cuda_baseline.py"
        command = [sys.executable, script_path, "--bench", bench, "--rates", "--quick", quick]
        environment = os.environ | {"PYTHONPATH": str(self.folder)}
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def test_each_shape_and_precision_is_compiled_once(self) -> None:
        lines, said = self.call("60")
        self.assertEqual(said.count("compiling"), 2)
        self.assertEqual([line["mode"] for line in lines], ["eager"] * 10 + ["compiled"] * 2)
        self.assertEqual([line["precision"] for line in lines[-2:]], ["bf16", "fp32"])
        eager = [line for line in lines[:10] if line["precision"] == "bf16"]
        fastest = max(eager, key=lambda line: line["archs_per_s"])
        self.assertEqual(lines[-2]["batch"], fastest["batch"])

    def test_no_compilation_begins_after_the_time(self) -> None:
        lines, said = self.call("0")
        self.assertNotIn("compiling", said)
        self.assertIn("no time to compile 198-64-64-1 in bf16", said)
        self.assertEqual({line["mode"] for line in lines}, {"eager"})


class Sources(Folder):
    def test_what_the_gpus_commands_name_exists(self) -> None:
        self.assertEqual(wellformed.faults_of_sources(ROOT), [])

    def test_a_name_that_is_gone_is_found(self) -> None:
        with mock.patch.object(plan, "PROFILES", (plan.Profile("p", "front_9_bf16", "^no_kernel$", 1, 1),)):
            found = wellformed.faults_of_sources(ROOT)
        self.assertEqual(len(found), 2, found)
        program = self.gtest(self.folder / "program", "ScoreCuda.X")
        for name in ("rank_bench", "pareto_bench", "table_bench", "fleet_bench"):
            self.bench(self.folder / name, "pareto_front_correlated_cpu_5")
        found = wellformed.faults_of_benches(self.folder)
        self.assertEqual([fault.split(":")[0] for fault in found], ["rank_bench", "table_bench"])
        self.assertIn("no test matches '*CudaMissing*'", wellformed.faults_of_tests(str(program)))

    def test_tests_that_a_gpu_makes_skip_are_left_out(self) -> None:
        patterns = [re.compile(part.replace("*", ".*")) for part in plan.WITHOUT_A_GPU.split(":")]
        seen = 0
        for path in (ROOT / "tests" / "kernels").rglob("*_test.c*"):
            skips = r"TEST(?:_F|_P)?\((\w+), (\w+)\) \{\n  if \(cuda_device_count\(\) > 0\) GTEST_SKIP"
            heads = re.findall(skips, path.read_text())
            for suite, name in heads:
                seen += 1
                self.assertTrue(any(p.fullmatch(f"{suite}.{name}") for p in patterns), f"{path}: {suite}.{name}")
        self.assertGreater(seen, 0)

    def test_the_instruction_sets_are_those_of_the_kernels(self) -> None:
        text = (ROOT / "kernels" / "base" / "isa.cpp").read_text()
        self.assertEqual(set(machine.ISAS), set(re.findall(r'return "(\w+)";', text)))
        self.assertEqual(machine.isas_of("flags\t\t: fma avx2 sse\n"), ("portable", "avx2"))


class Machine(Folder):
    def test_pytorchs_cublas_stands_in_for_a_toolkit_without_one(self) -> None:
        nvcc = script(self.folder / "cuda" / "bin" / "nvcc", "#!/bin/sh\n")
        package = self.folder / "packages" / "nvidia" / "cu13"
        for name in ("include/cublas_v2.h", "lib/libcublas.so.13", "lib/libcublasLt.so.13"):
            (package / name).parent.mkdir(parents=True, exist_ok=True)
            (package / name).touch()
        found = machine.cublas_of_python(str(nvcc), self.folder / "packages")
        assert found is not None
        self.assertEqual(found.cmake()[0], f"-DCUDA_cublas_LIBRARY={package}/lib/libcublas.so.13")
        with mock.patch.object(plan, "cublas_of_python", lambda nvcc: found):
            place = plan.Place(ROOT, self.folder, self.folder, self.folder / "lines", "")
            configure = plan.build_steps(Report.MACHINE, place, cuda=True)[0][0].command
        self.assertIn(f"-DCMAKE_CUDA_FLAGS=-lineinfo -isystem {package}/include", configure)
        self.assertIn(f"-DCUDA_cublasLt_LIBRARY={package}/lib/libcublasLt.so.13", configure)
        (package / "lib" / "libcublasLt.so.13").unlink()
        self.assertIsNone(machine.cublas_of_python(str(nvcc), self.folder / "packages"))
        (package / "lib" / "libcublasLt.so.13").touch()
        own = self.folder / "cuda" / "targets" / "x86_64-linux" / "include" / "cublas_v2.h"
        own.parent.mkdir(parents=True)
        own.touch()
        self.assertIsNone(machine.cublas_of_python(str(nvcc), self.folder / "packages"))


class WholeRun(Folder):
    """The build is a stand-in that puts stand-ins where the programs would be."""

    def setUp(self) -> None:
        super().setUp()
        self.bin = self.folder / "bin"
        made = self.folder / "made"
        self.gtest(made / "tests" / "kernels_test", *TESTS)
        self.gtest(made / "tests" / "kernels_thrust_test", "Thrust.A")
        self.bench(made / "bench" / "score_cuda_bench", "front_198_64_64_bf16")
        self.bench(made / "bench" / "mlp_bench", "nasbench201_fleet_fp32")
        self.bench(made / "bench" / "rank_bench", "spearman_cuda_1e+08", "spearman_cpu_1e+08", "spearman_cpu_1e+04")
        fronts = ["pareto_front_correlated_cuda_5", "pareto_front_correlated_cpu_5", "pareto_front_scattered_cpu_15625"]
        self.bench(made / "bench" / "pareto_bench", *fronts)
        tables = ["table_range_fbnet_cuda_10000000", "table_range_fbnet_cpu_10000000"]
        self.bench(made / "bench" / "table_bench", *tables, "table_range_nasbench201_cpu_15625")
        self.bench(made / "bench" / "fleet_bench", "fleet_tables_cuda_fp64", "fleet_tables_cpu_fp64")
        script(self.bin / "cmake", "#!/bin/sh\n")
        script(self.bin / "ninja", f'#!/bin/sh\nmkdir -p "$2" && cp -r {made}/. "$2"\n')
        self.environment = os.environ | {"PATH": f"{self.bin}:{os.environ['PATH']}", "CUDA_HOME": str(self.folder)}

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [TOOLS / "gpu_check", "--out", self.folder / "out", "--work", self.folder / "work", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=self.environment)

    def give_gpu(self) -> None:
        script(self.bin / "nvidia-smi", '#!/bin/sh\necho "NVIDIA H200, 9.0, 580.1, 143771 MiB"\n')
        script(self.bin / "nvcc", "#!/bin/sh\necho release 13.0, V13.0.88\n")
        script(self.bin / "compute-sanitizer", '#!/bin/sh\nshift 6\n"$@"\n')  # behind three options with a value each
        (self.folder / "torch.py").write_text(TORCH)
        self.environment["PYTHONPATH"] = str(self.folder)

    def report(self) -> str:
        return (self.folder / "out" / "report.md").read_text()

    def test_without_a_gpu(self) -> None:
        done = self.call("--dry-run")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("PASSED (", self.report())
        self.assertRegex(self.report(), r"\| tests_gpu \| not run \| - \| [0-9]+ s \| no GPU \|")
        self.assertRegex(self.report(), r"\| gpu_commands \| passed ")
        with tarfile.open(self.folder / "out" / "logs.tar.gz") as logs:
            self.assertIn("logs/tests_cpu.log", logs.getnames())
        self.assertEqual(len((self.folder / "out" / "bench.jsonl").read_text().splitlines()), 5)

    def test_a_machine_without_a_gpu_is_told(self) -> None:
        script(self.bin / "nvidia-smi", "#!/bin/sh\necho No devices were found; exit 6\n")
        done = self.call()
        self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stderr)
        self.assertIn("--dry-run", done.stderr)

    def test_with_a_gpu_and_its_tools(self) -> None:
        self.give_gpu()
        export = 'while [ "$1" != --export ]; do shift; done; echo profile >"$2.ncu-rep"\n'
        script(self.bin / "ncu", "#!/bin/sh\n" + export)
        done = self.call()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + self.report())
        # Not run: what this CPU has no instructions for.
        self.assertRegex(self.report(), r"^# GPU check: PASSED( \([12] of 16 steps not run\))?\n")
        self.assertIn("| 198-64-64-1, front of a range, bf16 | 15-19 G/s | >= 25 G/s | 30 G/s | yes |", self.report())
        self.assertIn("| tests_gpu | passed |", self.report())
        self.assertNotIn("CudaMissing", self.report())
        self.assertRegex(self.report(), r"\| bf16 \| 750 TFLOP/s ")
        with tarfile.open(self.folder / "out" / "profiles.tar.gz") as profiles:
            self.assertIn("profiles/wide.ncu-rep", profiles.getnames())
        self.assertIn('"of": "spearman"', (self.folder / "out" / "bench.jsonl").read_text())
        self.assertIn("compiled", (self.folder / "out" / "bench.jsonl").read_text())
        self.assertLessEqual(len(list((self.folder / "out").iterdir())), 8)

    def test_what_is_not_there_is_said_and_not_held_against(self) -> None:
        self.give_gpu()
        (self.bin / "compute-sanitizer").unlink()
        with mock.patch.dict(self.environment, {"PYTHONPATH": ""}):
            done = self.call("--only", "^(memcheck|ncu_wide|tests_gpu)$")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("compute-sanitizer is not here", self.report())
        self.assertIn("Nsight Compute (ncu) is not here", self.report())

    def test_a_failing_step_is_the_verdict_and_stops_nothing(self) -> None:
        self.give_gpu()
        script(self.bin / "compute-sanitizer", "#!/bin/sh\nexit 9\n")
        script(self.bin / "ncu", "#!/bin/sh\nexit 1\n")
        done = self.call("--only", "^(memcheck|ncu_wide|bench)$")
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAILED: memcheck failed; see", done.stdout.splitlines()[-1])
        self.assertIn("| ncu_wide | failed (does not count) |", self.report())
        self.assertIn("| bench | passed |", self.report())

    def test_a_build_that_fails_leaves_nothing_that_passes(self) -> None:
        script(self.bin / "ninja", "#!/bin/sh\necho ninja: build stopped; exit 1\n")
        done = self.call("--dry-run")
        self.assertEqual(done.returncode, 1)
        self.assertIn("build failed", self.report().splitlines()[0])
        self.assertIn("kernels_test was not built", self.report())

    def test_a_signal_ends_what_runs_and_leaves_the_report(self) -> None:
        child = self.folder / "pid"
        script(self.bin / "ninja", f"#!/bin/sh\nsleep 60 & echo $! >{child}.new; mv {child}.new {child}; wait\n")
        command = [TOOLS / "gpu_check", "--dry-run", "--out", self.folder / "out", "--work", self.folder / "work"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=self.environment) as process:
            deadline = time.monotonic() + 60
            while not child.exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            process.terminate()
            said, _ = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 1, said)
        self.assertIn("| build | failed |", self.report())
        self.assertIn("stopped by a signal", self.report())
        self.assertFalse(Path(f"/proc/{child.read_text().strip()}").exists())

    def test_arguments_that_make_no_sense_are_one_line(self) -> None:
        for arguments in (("--minutes", "0"), ("--gtest", "/nowhere"), ("--only", "("), ("--what",)):
            done = self.call("--dry-run", *arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(arguments[0], done.stderr.splitlines()[-1])


if __name__ == "__main__":
    unittest.main()
