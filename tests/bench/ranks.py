#!/usr/bin/env python3
"""One search by 1, 2, 4 and 8 ranks with a thread each, beside one process with one thread, in turns.

    build/venv/bin/python tests/bench/ranks.py --program build/oneproxy --bench build/bench [--count 1e8] [--filter REGEX]

ranks_N: medians of `--turns` runs; the process alone is run in the same turn, and ratio is its time by that of the
ranks, efficiency that ratio by the ranks that have a processor of their own. ranks_memory: peak of the largest process of
a run of `--memory-count` architectures. dealer_N: what asking for a piece takes, by sharing_bench --dealer. Prints one
JSON object a line; exits with 1 where ranks find something else than one process.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from no_case import no_case

RANKS = (1, 2, 4, 8)
SMALL = re.compile(r"Maximum resident set size \(kbytes\): (\d+)")


def mpirun(n):
    root = ["--allow-run-as-root"] if os.geteuid() == 0 else []
    return ["mpirun", *root, "--oversubscribe", "--bind-to", "none", "-n", str(n)]


class Search:
    """A search over random FBNet networks: every run anew, in a folder of its own."""

    def __init__(self, program, count):
        self.count = int(float(count))
        self.command = [
            str(program.resolve()), "-q", "search", "--space", "fbnet", "--latency", "proxy:pixel3", "--quality",
            "model:accuracy", "--method", "exhaustive", "--best", "10", "--set", f'count="{self.count}"', "--set",
            "shuffled=true",
        ]  # fmt: skip

    def run(self, before=()):
        """-> seconds, summary.json, what was said."""
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            done = subprocess.run([*before, *self.command], cwd=folder, env=os.environ | {"ONEPROXY_THREADS": "1"},
                                  capture_output=True, text=True)
            seconds = time.perf_counter() - start
            if done.returncode:
                sys.exit(done.stderr.strip())
            result = pathlib.Path(folder) / done.stdout.splitlines()[-1]
            return seconds, json.loads((result / "summary.json").read_text()), done.stderr


def report(case, n, seconds, turns, **more):
    line = {"case": case, "n": n, "backend": "cpu", "threads": 1, "seconds_median": seconds, "repeats": turns}
    print(json.dumps(line | more), flush=True)


def ranks(n):
    def case(arguments):
        search = Search(arguments.program, arguments.count)
        own, alone = [], []
        for _ in range(arguments.turns):
            seconds, expected, _said = search.run()
            alone.append(seconds)
            seconds, found, _said = search.run(mpirun(n))
            own.append(seconds)
            if found != expected:
                sys.exit(f"{n} ranks found something else than one process")
        median, baseline = statistics.median(own), statistics.median(alone)
        processors = min(n, len(os.sched_getaffinity(0)))
        report(f"ranks_{n}", search.count, median, arguments.turns, ranks=n, processors=processors,
               baseline="one process, one thread", baseline_seconds=baseline, ratio=baseline / median,
               efficiency=baseline / median / processors)

    return case


def memory(arguments):
    timer = shutil.which("time")
    if not timer:
        sys.exit("ranks_memory needs /usr/bin/time; apt-get install time")
    search = Search(arguments.program, arguments.memory_count)
    seconds, _found, said = search.run([*mpirun(2), timer, "-v"])
    peaks = [int(kilobytes) * 1024 for kilobytes in SMALL.findall(said)]
    report("ranks_memory", search.count, seconds, 1, ranks=2, peak_bytes=max(peaks))


def dealer(n):
    def case(arguments):
        done = subprocess.run([*mpirun(n), str(arguments.bench / "sharing_bench"), "--dealer", "5000"],
                              stdout=subprocess.PIPE, text=True, check=True)
        print(done.stdout.strip(), flush=True)

    return case


CASES = {f"ranks_{n}": ranks(n) for n in RANKS} | {"ranks_memory": memory, "dealer_2": dealer(2), "dealer_16": dealer(16)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, type=pathlib.Path, help="build/oneproxy")
    parser.add_argument("--bench", required=True, type=pathlib.Path, help="folder of sharing_bench")
    parser.add_argument("--count", default="1e8", help="architectures of a search")
    parser.add_argument("--memory-count", default="1e9", help="of the search whose memory is measured")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--filter", default="", help="regular expression on the names of the cases")
    arguments = parser.parse_args()
    chosen = [case for name, case in CASES.items() if re.search(arguments.filter, name)]
    if not chosen:
        no_case(arguments.filter, list(CASES))
    for case in chosen:
        case(arguments)


if __name__ == "__main__":
    main()
