#!/usr/bin/env python3
"""Build, test, sanitize, measure and profile the CUDA kernels on the GPU of this machine, within some minutes.

Needs nvcc, CMake, ninja and Python's standard library; GoogleTest installed or its sources (--gtest). Uses PyTorch,
Nsight Compute and compute-sanitizer where they are, and says where they are not. Leaves in the folder --out:
  report.md          the verdict, each step, goals beside what was measured, the end of each log that did not pass
  bench.jsonl        every measurement, one JSON object a line
  logs.tar.gz        the whole output of each step
  profiles.tar.gz    reports of Nsight Compute
A failing step does not stop the next. Exit status: 0 where every step that counts passed, 1 where one did not, 2 where
nothing could be begun.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import signal
import sys
import tarfile
from pathlib import Path
from types import FrameType

from machine import cublas_of_python, find_tool, look, output_of
from plan import TOOLS, Place, dry_plan, gpu_plan
from report import read_lines, verdict, write_report
from steps import Outcome, Runner, faults

ROOT = TOOLS.parent.parent
BUILD = ("configure", "build")
DEBIAN_GTEST = Path("/usr/src/googletest")


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools/gpu_check", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dry-run", action="store_true", help="what needs no GPU: host emulation, CPU twins, commands")
    parser.add_argument("--out", type=Path, help="folder of the report (default: $OUT, else results/gpu_check)")
    parser.add_argument("--work", type=Path, help="folder to build in (default: build-gpu-check)")
    parser.add_argument("--gtest", type=Path, help="GoogleTest's sources (default: Debian's, else the installed one)")
    parser.add_argument("--minutes", type=float, help="for all steps together (default: 9; 60 with --dry-run)")
    parser.add_argument("--only", metavar="REGEX", default="", help="only steps whose names match, and the build")
    parser.add_argument("--list", action="store_true", help="print the steps, their limits and commands, run nothing")
    options = parser.parse_args(arguments)
    if options.minutes is None:
        options.minutes = 60 if options.dry_run else 9
    if not 0 < options.minutes <= 24 * 60:
        parser.error(f"--minutes {options.minutes:g}: above 0, at most a day")
    if options.gtest and not (options.gtest / "CMakeLists.txt").exists():
        parser.error(f"--gtest {options.gtest}: has no CMakeLists.txt; Debian's package googletest has {DEBIAN_GTEST}")
    try:
        re.compile(options.only)
    except re.error as error:
        parser.error(f"--only '{options.only}': {error}")
    return options


def fail(message: str) -> int:
    print(f"tools/gpu_check: error: {message}", file=sys.stderr)
    return 2


def source_name(root: Path) -> str:
    """The commit where git knows it, and always a checksum: a copy of the tree has no history."""
    commit = output_of("git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12").strip()
    digest = hashlib.sha256()
    for folder in ("kernels", "tests/kernels", "tests/support", "tests/bench"):
        for path in sorted(path for path in (root / folder).rglob("*") if path.is_file() and path.suffix != ".pyc"):
            digest.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
    return f"{commit or 'commit unknown'}, checksum {digest.hexdigest()[:12]}"


def pack(folder: Path, archive: Path) -> None:
    if not any(folder.iterdir()):
        return
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, arcname=folder.name)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    machine = look()
    out = (options.out or Path(os.environ.get("OUT") or ROOT / "results" / "gpu_check")).resolve()
    work = (options.work or ROOT / "build-gpu-check").resolve()
    gtest = options.gtest or (DEBIAN_GTEST if DEBIAN_GTEST.exists() else None)
    place = Place(ROOT, work, work / "profiles", out / "bench.jsonl", str(gtest.resolve()) if gtest else "")
    if not options.dry_run and not options.list:
        if not machine.gpu:
            return fail("nvidia-smi shows no GPU; on a machine without one: tools/gpu_check --dry-run")
        if not find_tool("nvcc"):
            return fail("no nvcc on the path or in /usr/local/cuda/bin; install the CUDA toolkit or set CUDA_HOME")
    for tool in ("cmake", "ninja"):
        if not find_tool(tool):
            return fail(f"no {tool} on the path; install it")
    if cublas := cublas_of_python(find_tool("nvcc")):  # the kernels load it when they first need it
        os.environ["LD_LIBRARY_PATH"] = f"{cublas.library.parent}:{os.environ.get('LD_LIBRARY_PATH', '')}".rstrip(":")
    groups = dry_plan(machine, place) if options.dry_run else gpu_plan(machine, place)
    keep = re.compile(options.only)
    groups = [[step for step in group if step.name in BUILD or keep.search(step.name)] for group in groups]
    groups = [group for group in groups if group]
    if options.list:
        for step in (step for group in groups for step in group):
            times = f"about {step.expected_s:.0f} s, at most {step.limit_s:.0f} s"
            said = f"not run: {step.impossible}" if step.impossible else times
            print(f"{step.name} ({said})\n    {' '.join(step.command)}")
        return 0
    try:
        for folder in (out, work, work / "logs", place.profiles):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return fail(f"{error.filename} can not be made: {error.strerror}; name others with --out and --work")
    for path in (*(work / "logs").iterdir(), *place.profiles.iterdir(), place.lines):
        path.unlink(missing_ok=True)  # of an earlier run

    runner = Runner(ROOT, work / "logs", 60 * options.minutes)

    def stop(number: int, frame: FrameType | None) -> None:
        runner.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    goals = json.loads((TOOLS / "goals.json").read_text(encoding="utf-8"))
    source = source_name(ROOT)
    outcomes: list[Outcome] = []
    for number, group in enumerate(groups, start=1):
        for outcome in runner.run_together(group):
            outcomes.append(outcome)
            print(f"[{outcome.status}] {outcome.step.name} ({outcome.seconds:.0f} s): {outcome.summary}", flush=True)
        # After every group, so that whoever ends this early finds what was done.
        finished = number == len(groups)
        text = write_report(machine, source, outcomes, read_lines(place.lines), goals, finished)
        (out / "report.md").write_text(text, encoding="utf-8")
        pack(work / "logs", out / "logs.tar.gz")
        pack(place.profiles, out / "profiles.tar.gz")
    print(f"{verdict(outcomes, True)}; see {out / 'report.md'}")
    return 1 if faults(outcomes) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
