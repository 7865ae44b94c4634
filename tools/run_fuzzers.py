#!/usr/bin/env python3
"""Run the fuzz targets that tools/fuzz built, several at a time, and print what they did as one table."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FUZZ = ROOT / "tests" / "fuzz"
PROGRAMS = ROOT / "build-fuzz" / "tests" / "fuzz"
KEPT = ROOT / "build" / "fuzz"
LIMITS = ("-rss_limit_mb=2048", "-malloc_limit_mb=2048", "-timeout=10", "-detect_leaks=1")
# As libFuzzer names its artefacts, and their plural.
KINDS = {"crash": "crashes", "leak": "leaks", "timeout": "timeouts", "oom": "ooms"}


@dataclass
class Outcome:
    target: str
    seconds: float
    executions: int = 0
    edges: int = 0  # of the control flow that inputs reached
    features: int = 0  # edges with how often they were taken
    peak_mb: int = 0
    slowest_s: int = 0  # whole seconds, as libFuzzer counts
    findings: tuple[str, ...] = ()  # files, relative to the repository
    fault: str = ""  # why the target itself did not run to its end

    @property
    def rate(self) -> int:
        return round(self.executions / self.seconds) if self.seconds else 0

    def count(self, kind: str) -> int:
        return sum(Path(path).name.startswith(f"{kind}-") for path in self.findings)


def targets() -> list[str]:
    return sorted(path.stem.removesuffix("_fuzz") for path in FUZZ.glob("*_fuzz.cpp"))


def read_log(outcome: Outcome, log: str) -> Outcome:
    """Fills in what libFuzzer says of itself: its last line of progress, and -print_final_stats."""
    progress = re.findall(r"^#(\d+)\s.*?\bcov: (\d+) ft: (\d+)", log, re.MULTILINE)
    if progress:
        outcome.executions, outcome.edges, outcome.features = map(int, progress[-1])
    stats = dict(re.findall(r"^stat::(\w+):\s+(\d+)", log, re.MULTILINE))
    outcome.executions = int(stats.get("number_of_executed_units", outcome.executions))
    outcome.peak_mb = int(stats.get("peak_rss_mb", 0))
    outcome.slowest_s = int(stats.get("slowest_unit_time_sec", 0))
    return outcome


def run(target: str, minutes: float) -> Outcome:
    corpus, findings, log = KEPT / "corpus" / target, KEPT / "findings" / target, KEPT / "logs" / f"{target}.log"
    for folder in (corpus, findings, log.parent):
        folder.mkdir(parents=True, exist_ok=True)
    older = set(findings.iterdir())
    begins = [corpus, KEPT / "seeds" / target, KEPT / "regressions" / target, FUZZ / "regressions" / target]
    dictionary = FUZZ / "dictionaries" / f"{target}.dict"
    command = [
        str(PROGRAMS / f"fuzz_{target}"),
        f"-max_total_time={max(1, round(60 * minutes))}",
        *LIMITS,
        "-print_final_stats=1",
        f"-artifact_prefix={findings}/",
        *([f"-dict={dictionary}"] if dictionary.exists() else []),
        *(str(folder) for folder in begins if folder.exists()),
    ]
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    scratch = tempfile.mkdtemp(prefix=f"oneproxy-fuzz-{target}-", dir=memory)  # a crash leaves its files behind
    # A small quarantine of freed memory: a child process, in which stores are looked at first, copies its page tables.
    sanitizers = {"ASAN_OPTIONS": "quarantine_size_mb=16", "UBSAN_OPTIONS": "print_stacktrace=1"}
    environment = os.environ | sanitizers | {"TMPDIR": scratch}
    start = time.monotonic()
    try:
        with log.open("wb") as out:
            status = subprocess.run(command, stdout=out, stderr=out, env=environment, cwd=scratch).returncode
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    new = tuple(
        str(path.relative_to(ROOT))
        for path in sorted(set(findings.iterdir()) - older)
        if path.name.startswith(tuple(f"{kind}-" for kind in KINDS))
    )
    outcome = Outcome(target, round(time.monotonic() - start, 1), findings=new)
    if status and not new:
        outcome.fault = f"ended with status {status} and no input; see {log.relative_to(ROOT)}"
    return read_log(outcome, log.read_text(errors="replace"))


def table(outcomes: list[Outcome]) -> str:
    rows = [["target", "executions", "exec/s", "edges", "features", "peak MB", "slowest s", *KINDS.values()]]
    for o in outcomes:
        numbers = (o.executions, o.rate, o.edges, o.features, o.peak_mb, o.slowest_s, *map(o.count, KINDS))
        rows.append([o.target, *(f"{n:,}" for n in numbers)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rows.insert(1, ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    aligned = [[row[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(row[1:], widths[1:]))] for row in rows]
    lines = ["| " + " | ".join(row) + " |" for row in aligned]
    return "\n".join(lines)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--target", action="append", choices=targets(), metavar="NAME", help=", ".join(targets()))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--report", type=Path)
    parser.add_argument("--check", action="store_true", help="look at the arguments only")
    args = parser.parse_args(arguments)
    if not 0 < args.minutes < 1e5:
        parser.error(f"--minutes {args.minutes:g}: give a positive number")
    if args.jobs < 1:
        parser.error(f"--jobs {args.jobs}: give at least 1")
    return args


def main() -> int:
    args = parse(sys.argv[1:])
    if args.check:
        return 0
    chosen = args.target or targets()
    begin = time.monotonic()
    with ThreadPoolExecutor(args.jobs) as pool:
        outcomes = list(pool.map(lambda target: run(target, args.minutes), chosen))
    print(table(outcomes))
    bad = False
    for o in outcomes:
        for path in o.findings:
            bad = True
            program = (PROGRAMS / f"fuzz_{o.target}").relative_to(ROOT)
            print(f"{o.target}: {path}; see it again: {program} {path}; smaller: {program} -minimize_crash=1 {path}")
        if o.fault:
            bad = True
            print(f"{o.target}: {o.fault}")
    spent = f"{len(outcomes)} targets, {args.minutes:g} min each, {(time.monotonic() - begin) / 60:.1f} min in all"
    print(f"{spent}: {'findings, see above' if bad else 'no finding'}")
    if args.report:
        rows = [asdict(o) | {"exec_per_s": o.rate} | {plural: o.count(kind) for kind, plural in KINDS.items()} for o in outcomes]
        args.report.write_text(json.dumps({"minutes": args.minutes, "limits": LIMITS, "targets": rows}, indent=2) + "\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
