#!/usr/bin/env python3
"""Run the cases of benchmarks, each in a process of its own with a time limit, and gather their JSON lines in a file.
A case that fails does not stop the next. The last line counts; exit status 1 where a case failed, ran out of time or
printed nothing.

    cases.py --out bench.jsonl --limit-each 40 build/bench/score_cuda_bench=bf16 build/bench/rank_bench=cuda
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path


def case_names(program: str, pattern: str) -> list[str]:
    done = subprocess.run([program, "--list"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{program} --list ended with status {done.returncode}")
    return [name for name in done.stdout.split() if re.search(pattern, name)]


def run_case(program: str, name: str, limit: float) -> tuple[str, list[str]]:
    """What went wrong ("" if nothing), and the JSON lines."""
    command = [program, "--filter", f"^{re.escape(name)}$"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return f"killed after {limit:.0f} s", []
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    said = (done.stderr.strip().splitlines() or ["no message"])[-1]
    if done.returncode != 0:
        return f"exit status {done.returncode}: {said}", lines
    measured = any(json.loads(line).get("case") != "device" for line in lines)
    return "" if measured else f"printed no result: {said}", lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="file that the JSON lines are appended to")
    parser.add_argument("--limit-each", type=float, default=40, help="seconds a case may take")
    parser.add_argument("benches", nargs="+", metavar="PROGRAM=REGEX", help="cases whose names match")
    arguments = parser.parse_args()
    measured, wrong = 0, []
    for bench in arguments.benches:
        program, _, pattern = bench.partition("=")
        names = case_names(program, pattern)
        if not names:
            wrong.append(f"{Path(program).name}: no case matches '{pattern}'")
        for name in names:
            fault, lines = run_case(program, name, arguments.limit_each)
            with arguments.out.open("a", encoding="utf-8") as out:
                out.writelines(line + "\n" for line in lines)
            print(f"{name}: {fault or 'measured'}", *lines, sep="\n  ", flush=True)
            if fault:
                wrong.append(f"{name}: {fault}")
            else:
                measured += 1
    print(f"{measured} cases measured" + (f", {len(wrong)} not" if wrong else "") + "".join(f"; {w}" for w in wrong))
    return 1 if wrong or not measured else 0


if __name__ == "__main__":
    sys.exit(main())
