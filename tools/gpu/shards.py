#!/usr/bin/env python3
"""Run a GoogleTest program in parallel shards. A test that failed, or that a crash or a hanging one kept from running,
is run again on its own: after a CUDA error every later test of the same process fails. The last line counts; exit
status 1 where a test failed, was not reached, was skipped (--no-skips), or where none was run.

    shards.py PROGRAM --shards 8 --seconds 90 [--filter PATTERN] [--no-skips]
    shards.py PROGRAM --each --seconds 70 --under 'compute-sanitizer --error-exitcode 9'   one process a test, by turns

Of the --seconds, 60 % are for the shards, which are then ended; what begins later ends by the time they are over.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

SHARDS, AGAIN = 0.6, 0.75  # shares of the time: the shards are ended, no test is begun any more
LINE = re.compile(r"^\[ +(RUN|OK|FAILED|SKIPPED) +\] (\S+?)(?:,.*)?(?: \(\d+ ms\))?$", re.MULTILINE)

Kinds = dict[str, list[str]]  # names of tests: passed, failed, skipped, not reached


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


class Clock:
    """The time that there is for all tests."""

    def __init__(self, seconds: float) -> None:
        self.begin, self.seconds = time.monotonic(), seconds

    def left(self, share: float = 1) -> float:
        """Seconds until this share of the time is over."""
        return self.begin + share * self.seconds - time.monotonic()


def start(command: list[str], environment: dict[str, str], limit: float) -> tuple[int, str]:
    """Exit status and output; a process that hangs is killed, and what it printed until then is there."""
    with tempfile.TemporaryFile() as out:  # no pipe: a child of what is killed would hold it open
        process = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | environment)
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            out.write(f"\nkilled after {limit:.0f} s\n".encode())
        out.seek(0)
        return process.returncode, out.read().decode(errors="replace")


def run_alone(program: str, name: str, under: list[str], clock: Clock) -> str:
    """What became of one test: passed, failed, skipped or not reached. Prints what it printed."""
    if clock.left(AGAIN) <= 0:
        return "not reached"
    status, text = start([*under, program, f"--gtest_filter={name}"], {}, clock.left())
    results = read_results(text)
    passed = status == 0 and name in results.passed
    result = "skipped" if name in results.skipped else "passed" if passed else "failed"
    print(f"---- {name} alone: {result}\n{text}", flush=True)
    return result


def some(names: list[str], most: int = 12) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def summary(head: str, kinds: Kinds, more: list[str]) -> str:
    said = [f"{head}: {len(kinds['passed'])} passed"]
    said += [f"{len(names)} {kind} ({some(names)})" for kind, names in kinds.items() if kind != "passed" and names]
    return "; ".join([*said, *more])


def run_shards(program: str, names: list[str], pattern: str, shards: int, clock: Clock) -> tuple[str, Kinds]:
    def run_shard(index: int) -> tuple[int, str]:
        environment = {"GTEST_TOTAL_SHARDS": str(shards), "GTEST_SHARD_INDEX": str(index)}
        return start([program, f"--gtest_filter={pattern}"], environment, clock.left(SHARDS))

    with ThreadPoolExecutor(shards) as pool:
        done = list(pool.map(run_shard, range(shards)))
    passed, failed, skipped = set(), set(), set()
    silent = []  # shards that failed although none of their tests did
    for index, (status, text) in enumerate(done):
        print(f"---- shard {index}, exit status {status}\n{text}", flush=True)
        results = read_results(text)
        passed |= results.passed
        failed |= results.failed
        skipped |= results.skipped
        if status != 0 and not results.failed:
            silent.append(index)
    unreached = [name for name in names if name not in passed | failed | skipped]
    later = [*unreached, *sorted(failed)]  # one of the failed may hang again
    with ThreadPoolExecutor(shards) as pool:
        again = dict(zip(later, pool.map(lambda name: run_alone(program, name, [], clock), later), strict=True))
    kinds = {"passed": passed, "failed": failed, "skipped": skipped, "not reached": set()}
    for name in unreached:
        kinds[again[name]].add(name)
    more = []
    if alone := sorted(name for name in later if name in failed and again[name] == "passed"):
        more.append(f"of the failures {len(alone)} pass alone ({some(alone)})")
    if silent:
        more.append(f"shards {silent} ended with an error outside of their tests")
        kinds["failed"].add("a shard")
    in_order = {kind: sorted(found) for kind, found in kinds.items()}
    return summary(f"{len(names)} tests in {shards} shards", in_order, more), in_order


def run_each(program: str, names: list[str], under: list[str], jobs: int, clock: Clock) -> tuple[str, Kinds]:
    with ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(lambda name: run_alone(program, name, under, clock), names))
    kinds = {
        kind: [name for name, result in zip(names, results, strict=True) if result == kind]
        for kind in ("passed", "failed", "skipped", "not reached")
    }
    return summary(f"{len(names)} tests, one process each", kinds, []), kinds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--filter", default="*", help="as --gtest_filter takes it")
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--no-skips", action="store_true", help="a skipped test is a failure")
    parser.add_argument("--each", action="store_true", help="one process a test; half of them have to be reached")
    parser.add_argument("--seconds", type=float, default=600, help="for all of it")
    parser.add_argument("--under", default="", help="a command that runs the program, for example a sanitizer")
    arguments = parser.parse_args()
    if arguments.shards < 1:
        parser.error(f"--shards {arguments.shards}: at least 1")
    names = list_tests(arguments.program, arguments.filter)
    if not names:
        print(f"no test matches '{arguments.filter}'")
        return 1
    clock = Clock(arguments.seconds)
    if arguments.each:
        under = shlex.split(arguments.under)
        said, kinds = run_each(arguments.program, names, under, arguments.shards, clock)
        few = 2 * len(kinds["not reached"]) > len(names)  # a check that saw less than half has not checked
    else:
        said, kinds = run_shards(arguments.program, names, arguments.filter, arguments.shards, clock)
        few = bool(kinds["not reached"])
    print(said)
    return 1 if kinds["failed"] or few or not kinds["passed"] or (arguments.no_skips and kinds["skipped"]) else 0


if __name__ == "__main__":
    sys.exit(main())
