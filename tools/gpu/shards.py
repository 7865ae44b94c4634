#!/usr/bin/env python3
"""Run a GoogleTest program in parallel shards. A test that a crash kept from running, or that failed, is run again on
its own: after a CUDA error every later test of the same process fails. The last line counts; exit status 1 where a test
failed, was skipped (--no-skips), or where none was run.

    shards.py PROGRAM --shards 8 [--filter PATTERN] [--no-skips]
    shards.py PROGRAM --each --seconds 45 --under 'compute-sanitizer --error-exitcode 9'   one process a test, by turns
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

LINE = re.compile(r"^\[ +(RUN|OK|FAILED|SKIPPED) +\] (\S+?)(?:,.*)?(?: \(\d+ ms\))?$", re.MULTILINE)


@dataclass
class Results:
    passed: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    skipped: set[str] = field(default_factory=set)
    begun: str = ""  # the test in which the program ended, if it did


def read_results(text: str) -> Results:
    results = Results()
    for kind, name in LINE.findall(text):
        if kind == "RUN":
            results.begun = name
            continue
        if name == results.begun:
            results.begun = ""
        {"OK": results.passed, "FAILED": results.failed, "SKIPPED": results.skipped}[kind].add(name)
    if results.begun:
        results.failed.add(results.begun)
    return results


def list_tests(program: str, pattern: str) -> list[str]:
    done = subprocess.run(
        [program, "--gtest_list_tests", f"--gtest_filter={pattern}"], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{program} --gtest_list_tests ended with status {done.returncode}")
    names, suite = [], ""
    for line in done.stdout.splitlines():
        text = line.split("#")[0].rstrip()
        if text.endswith(".") and not text.startswith(" "):
            suite = text
        elif text.startswith("  ") and suite:
            names.append(suite + text.strip())
    return names


def start(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=os.environ | environment,
        check=False,
    )


def run_alone(program: str, name: str, under: list[str]) -> tuple[str, str]:
    """What became of one test (passed, failed, skipped), and what was printed."""
    done = start([*under, program, f"--gtest_filter={name}"], {})
    results = read_results(done.stdout)
    if name in results.skipped:
        return "skipped", done.stdout
    return "passed" if done.returncode == 0 and name in results.passed else "failed", done.stdout


def some(names: list[str], most: int = 12) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def run_shards(program: str, names: list[str], pattern: str, shards: int, no_skips: bool) -> int:
    def run_shard(index: int) -> subprocess.CompletedProcess[str]:
        environment = {"GTEST_TOTAL_SHARDS": str(shards), "GTEST_SHARD_INDEX": str(index)}
        return start([program, f"--gtest_filter={pattern}"], environment)

    with ThreadPoolExecutor(shards) as pool:
        done = list(pool.map(run_shard, range(shards)))
    passed, failed, skipped = set(), set(), set()
    silent = []  # shards that failed although none of their tests did
    for index, shard in enumerate(done):
        print(f"---- shard {index}, exit status {shard.returncode}\n{shard.stdout}", flush=True)
        results = read_results(shard.stdout)
        passed |= results.passed
        failed |= results.failed
        skipped |= results.skipped
        if shard.returncode != 0 and not results.failed:
            silent.append(index)
    unreached = [name for name in names if name not in passed | failed | skipped]
    again = {}
    for name in [*sorted(failed), *unreached]:
        again[name], text = run_alone(program, name, [])
        print(f"---- {name} alone: {again[name]}\n{text}", flush=True)
    passed |= {name for name in unreached if again[name] == "passed"}
    skipped |= {name for name in unreached if again[name] == "skipped"}
    failed |= {name for name in unreached if again[name] == "failed"}
    said = [f"{len(names)} tests in {shards} shards: {len(passed)} passed"]
    if failed:
        alone = sorted(name for name in failed if again[name] == "passed")
        said.append(f"{len(failed)} failed ({some(sorted(failed))})")
        if alone:
            said.append(f"of these {len(alone)} pass alone ({some(alone)})")
    if skipped:
        said.append(f"{len(skipped)} skipped ({some(sorted(skipped))})")
    if silent:
        said.append(f"shards {silent} ended with an error outside of their tests")
    print("; ".join(said))
    return 1 if failed or silent or not passed or (no_skips and skipped) else 0


def run_each(program: str, names: list[str], under: list[str], jobs: int, seconds: float, no_skips: bool) -> int:
    end = time.monotonic() + seconds

    def run_one(name: str) -> str:
        if time.monotonic() > end:
            return "not reached"
        result, text = run_alone(program, name, under)
        print(f"---- {name}: {result}\n{text}", flush=True)
        return result

    with ThreadPoolExecutor(jobs) as pool:
        results = dict(zip(names, pool.map(run_one, names), strict=True))
    kinds = {kind: [n for n in names if results[n] == kind] for kind in ("passed", "failed", "skipped", "not reached")}
    said = [f"{len(names)} tests, one process each: {len(kinds['passed'])} passed"]
    said += [f"{len(found)} {kind} ({some(found)})" for kind, found in kinds.items() if kind != "passed" and found]
    print("; ".join(said))
    few = 2 * len(kinds["not reached"]) > len(names)  # a check that saw less than half has not checked
    return 1 if kinds["failed"] or few or not kinds["passed"] or (no_skips and kinds["skipped"]) else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--filter", default="*", help="as --gtest_filter takes it")
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--no-skips", action="store_true", help="a skipped test is a failure")
    parser.add_argument("--each", action="store_true", help="one process a test, until --seconds are over")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--under", default="", help="a command that runs the program, for example a sanitizer")
    arguments = parser.parse_args()
    if arguments.shards < 1:
        parser.error(f"--shards {arguments.shards}: at least 1")
    names = list_tests(arguments.program, arguments.filter)
    if not names:
        print(f"no test matches '{arguments.filter}'")
        return 1
    if arguments.each:
        under = shlex.split(arguments.under)
        return run_each(
            arguments.program, names, under, arguments.shards, arguments.seconds, arguments.no_skips
        )
    return run_shards(arguments.program, names, arguments.filter, arguments.shards, arguments.no_skips)


if __name__ == "__main__":
    sys.exit(main())
