"""The steps of tools/gpu_check, in groups: the steps of a group run at the same time, the groups one after the other.

The order is by what a reader wants to know first: does it build, does it pass, how fast is it, is it clean, and why is
it as fast as it is. `expected_s` are estimates for 16 cores and one H200: no GPU has run it yet.
"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from machine import Machine, cublas_of_python, find_tool
from steps import Step

TOOLS = Path(__file__).resolve().parent
GPU_TESTS = "*Cuda*"
# What these test is the want of a GPU: where there is one, they skip themselves.
WITHOUT_A_GPU = "*CudaMissing*:*CudaWithoutADevice*"
# Small cases of every kernel; the sanitizers make a test 10 to 100 times slower.
SANITIZED = (
    "ScoreCudaOnce.*:*ScoreCuda.*:*FleetCuda.*:*TablesCuda*:*ParetoCuda.*/all_*:RankCuda.*Scipy*:"
    f"-*chunks*:{WITHOUT_A_GPU}"
)
ISA_TESTS = "*Mlp*:*Fleet*:*Isa*:*Score*:-*Cuda*"
GPU_BENCHES = {
    "score_cuda_bench": "",
    "rank_bench": "(average_ranks_cuda_1e[+]08|spearman_cuda_1e[+]0[68]|kendall_tau_b_cuda_1e[+]07|"
    "(average_ranks|spearman)_device_fp32_1e[+]08|spearman_device_fp64_1e[+]08|kendall_tau_b_device_fp32_1e[+]07)$",
    "pareto_bench": "_correlated_cuda_|_correlated_device_fp32_",
    "table_bench": "_cuda_1[0-9]+$",
    "fleet_bench": "_cuda_",
}
SMALL_BENCHES = {
    "mlp_bench": "^nasbench201_fleet_fp32$",
    "rank_bench": "^spearman_cpu_1e[+]04$",
    "pareto_bench": "^pareto_front_scattered_cpu_15625$",
    "table_bench": "^table_range_nasbench201_cpu_15625$",
    "fleet_bench": "^fleet_tables_cpu_fp64$",
}


@dataclass(frozen=True)
class Profile:
    """What Nsight Compute looks at: `launches` of the kernels `kernels` in one case of score_cuda_bench, after `skip`
    others, for the first rounds are small ones."""

    name: str
    case: str
    kernels: str
    skip: int
    launches: int


PROFILES = (
    Profile("narrow", "front_198_64_64_bf16", "^narrow_kernel$", 40, 2),
    Profile("narrow_128", "front_198_128_128_bf16", "^narrow_kernel$", 40, 2),
    Profile("wide", "front_128_400_400_400_bf16", "^(first_layer|activation|last_layer)_kernel$", 60, 4),
    Profile("tables", "front_tables_fbnet", "^(prefix|leaf|reduce_tables)_kernel$", 40, 4),
)


@dataclass(frozen=True)
class Place:
    root: Path  # the repository
    work: Path  # where it is built, and logs are kept
    profiles: Path
    lines: Path  # bench.jsonl
    gtest: str  # GoogleTest's sources; "" takes the installed one

    @property
    def tests(self) -> Path:
        return self.work / "build" / "tests" / "kernels_test"

    def bench(self, name: str) -> Path:
        return self.work / "build" / "bench" / name


def build_steps(machine: Machine, place: Place, cuda: bool) -> list[list[Step]]:
    configure = [find_tool("cmake") or "cmake", "-S", str(place.root / "kernels"), "-B", str(place.work / "build")]
    configure += ["-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", f"-DONEPROXY_CUDA={'ON' if cuda else 'OFF'}"]
    configure += ["-DONEPROXY_TESTS=ON", "-DONEPROXY_BENCH=ON", "-DONEPROXY_INSTALL=OFF"]
    configure += ["-DONEPROXY_WERROR=OFF"]  # other compilers than ours warn of other things
    configure += [f"-DONEPROXY_GTEST_SOURCE={place.gtest}"]
    if cuda:
        configure += [f"-DCMAKE_CUDA_ARCHITECTURES={machine.architecture}"]
        configure += [f"-DCMAKE_CUDA_COMPILER={find_tool('nvcc') or 'nvcc'}"]
        flags = "-lineinfo"  # lines of the source for sanitizers and profiles; the code is the same
        if cublas := cublas_of_python(find_tool("nvcc")):
            flags += f" -isystem {cublas.include}"
            configure += cublas.cmake()
        configure += [f"-DCMAKE_CUDA_FLAGS={flags}"]
    # -k 0: what does not compile takes nothing else with it.
    build = ["ninja", "-C", str(place.work / "build"), "-k", "0", "-j", str(machine.cores)]
    return [
        [Step("configure", tuple(configure), 60, 15, essential=True)],
        [Step("build", tuple(build), 300 if cuda else 3000, 90, essential=True)],
    ]


def shards(place: Place, name: str, arguments: list[str], limit: float, expected: float, **more: object) -> Step:
    command = (sys.executable, str(TOOLS / "shards.py"), str(place.tests), "--seconds", str(limit - 5), *arguments)
    return Step(name, command, limit, expected, programs=(place.tests,), **more)  # type: ignore[arg-type]


def cpu_steps(
    machine: Machine, place: Place, jobs: int, tests: str, required: dict[str, str], slow: int
) -> list[Step]:
    """Tests without a GPU: device code on the host, CPU twins, and these once more for each instruction set."""
    parallel = ["--shards", str(jobs)]
    threads = {**required, "ONEPROXY_THREADS": str(max(2, machine.cores // jobs))}
    steps = [
        shards(place, "tests_cpu", [f"--filter={tests}", *parallel], 90 * slow, 20, environment=threads, essential=True)
    ]
    thrust = place.tests.with_name("kernels_thrust_test")
    command = (sys.executable, str(TOOLS / "shards.py"), str(thrust), *parallel)
    steps.append(Step("tests_thrust_on_host", command, 60 * slow, 10, programs=(thrust,)))
    for isa in ("avx512", "avx512_bf16"):
        missing = "" if isa in machine.isas else f"this CPU has no {isa}"
        environment = {**threads, "ONEPROXY_ISA": isa}
        arguments = [f"--filter={ISA_TESTS}", *parallel]
        more = {"environment": environment, "impossible": missing}
        steps.append(shards(place, f"tests_{isa}", arguments, 60 * slow, 15, **more))
    return steps


def bench_step(place: Place, name: str, benches: dict[str, str], limit: float, expected: float) -> Step:
    programs = {place.bench(bench): pattern for bench, pattern in benches.items()}
    command = (sys.executable, str(TOOLS / "cases.py"), "--out", str(place.lines), "--limit-each", "40")
    command += tuple(f"{program}={pattern}" for program, pattern in programs.items())
    return Step(name, command, limit, expected, essential=True, programs=tuple(programs))


def sanitizer_step(place: Place, tool: str, jobs: int) -> Step:
    sanitizer = find_tool("compute-sanitizer")
    # Asking for a GPU's properties may fail and is handled: only what kernels do counts.
    under = f"{sanitizer or 'compute-sanitizer'} --tool {tool} --error-exitcode 9 --report-api-errors no"
    arguments = ["--each", "--shards", str(jobs)]
    arguments += [f"--filter={SANITIZED}", "--under", under]
    missing = "" if sanitizer else "compute-sanitizer is not here"
    return shards(place, tool, arguments, 80, 60, impossible=missing)


def profile_step(place: Place, profile: Profile) -> Step:
    ncu, bench = find_tool("ncu"), place.bench("score_cuda_bench")
    command = [ncu or "ncu", "--clock-control", "none", "--force-overwrite", "--set", "detailed"]
    command += ["--kernel-name", f"regex:{profile.kernels}", "--launch-skip", str(profile.skip)]
    command += ["--launch-count", str(profile.launches), "--kill", "yes"]
    command += ["--export", str(place.profiles / profile.name), str(bench), "--filter", f"^{profile.case}$"]
    missing = "" if ncu else "Nsight Compute (ncu) is not here"
    return Step(f"ncu_{profile.name}", tuple(command), 40, 15, advisory=True, impossible=missing, programs=(bench,))


def torch_steps(place: Place) -> list[Step]:
    scripts, bench = place.root / "tests" / "bench", place.bench("score_cuda_bench")
    command = (sys.executable, str(TOOLS / "lines.py"), str(place.lines), sys.executable)
    ranks = (*command, str(scripts / "rank_cuda_baseline.py"))
    nets = (*command, str(scripts / "score_cuda_baseline.py"), "--bench", str(bench), "--rates", "--quick", "100")
    missing = "" if importlib.util.find_spec("torch") else "PyTorch is not here"
    return [
        Step("pytorch_ranks", ranks, 40, 20, impossible=missing),
        Step("pytorch", nets, 130, 110, impossible=missing, programs=(bench,)),
    ]


def gpu_plan(machine: Machine, place: Place) -> list[list[Step]]:
    required = {"ONEPROXY_REQUIRE_CUDA": "1"}
    tests = [f"--filter={GPU_TESTS}:-{WITHOUT_A_GPU}", "--shards", "8", "--no-skips"]
    environment = {**required, "ONEPROXY_THREADS": "4"}
    memcheck, racecheck = (
        replace(sanitizer_step(place, tool, 6), environment=environment) for tool in ("memcheck", "racecheck")
    )
    return [
        *build_steps(machine, place, cuda=True),
        [shards(place, "tests_gpu", tests, 100, 40, environment=environment, essential=True)],
        [bench_step(place, "bench", GPU_BENCHES, 150, 100)],
        # None of these is timed.
        [memcheck, racecheck, *cpu_steps(machine, place, 4, f"-{GPU_TESTS}", required, slow=1)],
        *([step] for step in torch_steps(place)),
        *([profile_step(place, profile)] for profile in PROFILES),
    ]


def dry_plan(machine: Machine, place: Place) -> list[list[Step]]:
    """What a machine without a GPU can do; the other steps are in it with the reason why they are not run."""
    jobs = max(1, min(8, machine.cores))
    cpu = build_steps(replace(machine, architecture=""), place, cuda=False)
    commands = (sys.executable, str(TOOLS / "wellformed.py"), "--root", str(place.root), "--tests", str(place.tests))
    commands += ("--benches", str(place.bench("rank_bench").parent))
    on_gpu = [
        replace(step, impossible="no GPU")
        for group in gpu_plan(machine, place)
        for step in group
        if step.name in ("tests_gpu", "bench", "memcheck", "racecheck") or step.name.startswith(("pytorch", "ncu_"))
    ]
    return [
        *cpu,
        *([step] for step in cpu_steps(machine, place, jobs, "*", {}, slow=10)),
        [bench_step(place, "bench_cpu", SMALL_BENCHES, 300, 20)],
        [Step("gpu_commands", commands, 60, 5, essential=True, programs=(place.tests, place.bench("rank_bench")))],
        *([replace(step, essential=False)] for step in on_gpu),
    ]
