#!/usr/bin/env python3
"""What can be said of the GPU's commands without a GPU: their tests, benchmark cases and kernels exist. The last line
counts; exit status 1 where something is named that is not there."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

import plan
from cases import case_names
from shards import list_tests


def kernel_names(root: Path) -> set[str]:
    names: set[str] = set()
    for path in (root / "kernels").rglob("*.cu*"):
        text = path.read_text(encoding="utf-8")
        names.update(re.findall(r"__global__\s+void\s+(?:__launch_bounds__\([^;{]*?\)\s+)?(\w+)\s*\(", text))
    return names


def case_texts(root: Path) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in sorted((root / "tests" / "bench").glob("*_bench.cpp")))


def faults_of_sources(root: Path) -> list[str]:
    kernels, cases = kernel_names(root), case_texts(root)
    found = []
    for profile in plan.PROFILES:
        if not any(re.search(profile.kernels, name) for name in kernels):
            found.append(f"profile {profile.name}: no kernel matches '{profile.kernels}'; there are {sorted(kernels)}")
        if f'"{re.sub("_(bf16|tf32|fp32)$", "", profile.case)}' not in cases:
            found.append(f"profile {profile.name}: tests/bench has no case {profile.case}")
    for goal in json.loads((plan.TOOLS / "goals.json").read_text(encoding="utf-8")):
        if f'"{goal["match"]["case"]}' not in cases and not goal["match"]["case"].startswith("pareto_front_"):
            found.append(f"goal '{goal['path']}': tests/bench has no case {goal['match']['case']}")
    return found


def faults_of_tests(program: str) -> list[str]:
    patterns = [plan.GPU_TESTS, plan.SANITIZED, plan.ISA_TESTS, *plan.WITHOUT_A_GPU.split(":")]
    patterns += plan.SANITIZED.split(":-")[0].split(":")  # each of these
    return [f"no test matches '{pattern}'" for pattern in patterns if not list_tests(program, pattern)]


def faults_of_benches(folder: Path) -> list[str]:
    """Without a GPU a benchmark lists the twins on the CPU; score_cuda_bench, all of whose cases run, lists none."""
    found = []
    for bench, pattern in plan.GPU_BENCHES.items():
        if pattern and not case_names(str(folder / bench), pattern.replace("_cuda_", "_cpu_")):
            found.append(f"{bench}: no case matches '{pattern}'")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--tests", required=True, help="kernels_test as it was built")
    parser.add_argument("--benches", type=Path, required=True, help="folder of the benchmarks as they were built")
    arguments = parser.parse_args()
    found = faults_of_sources(arguments.root) + faults_of_tests(arguments.tests) + faults_of_benches(arguments.benches)
    print("; ".join(found) if found else "every test, case and kernel that the GPU's commands name is there")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
