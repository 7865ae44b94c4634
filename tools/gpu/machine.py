"""What this machine has: its GPU, its CPU, and the tools that the check uses."""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

CUDA = Path(os.environ.get("CUDA_HOME", "/usr/local/cuda"))
# Flags of /proc/cpuinfo that each value of ONEPROXY_ISA needs, as kernels/base/isa.cpp asks for them.
AVX512 = {"avx512f", "avx512bw", "avx512dq", "avx512vl"}
ISAS = {"portable": set(), "avx2": {"avx2", "fma"}, "avx512": AVX512, "avx512_bf16": AVX512 | {"avx512_bf16"}}
# Where they may be beside the path and the toolkit.
PLACES = {
    "ncu": "/opt/nvidia/nsight-compute/*/ncu",
    "compute-sanitizer": str(CUDA / "compute-sanitizer" / "compute-sanitizer"),
    "nvidia-smi": "/usr/local/nvidia/bin/nvidia-smi",
}


@dataclass(frozen=True)
class Machine:
    gpu: str  # "" where none is seen
    architecture: str  # as CMAKE_CUDA_ARCHITECTURES takes it: 90
    driver: str
    memory: str  # of the GPU
    cpu: str
    cores: int
    isas: tuple[str, ...]

    def rows(self) -> list[tuple[str, str]]:
        gpu = f"{self.gpu}, sm_{self.architecture}, {self.memory}, driver {self.driver}" if self.gpu else "none"
        return [
            ("GPU", gpu),
            ("nvcc", version_of(find_tool("nvcc"), r"release \S+ \S+")),
            ("CPU", f"{self.cpu}, {self.cores} cores: {', '.join(self.isas)}"),
            ("CMake", version_of(find_tool("cmake"), r"version \S+")),
        ]


def find_tool(name: str) -> str:
    """Its path, or "" where it is not found."""
    candidates = [shutil.which(name) or "", str(CUDA / "bin" / name), *sorted(glob.glob(PLACES.get(name, "")))]
    return next((path for path in candidates if path and os.access(path, os.X_OK)), "")


@dataclass(frozen=True)
class Cublas:
    include: Path
    library: Path
    library_lt: Path

    def cmake(self) -> list[str]:
        return [f"-DCUDA_cublas_LIBRARY={self.library}", f"-DCUDA_cublasLt_LIBRARY={self.library_lt}"]


def cublas_of_python(nvcc: str, packages: Path | None = None) -> Cublas | None:
    """PyTorch's cuBLAS where the toolkit of `nvcc` has none; None where it has, or where neither has."""
    toolkit = Path(nvcc).resolve().parent.parent
    own = [*toolkit.glob("include/cublas_v2.h"), *toolkit.glob("targets/*/include/cublas_v2.h")]
    if own or Path("/usr/include/cublas_v2.h").exists():
        return None
    packages = packages or Path(sysconfig.get_paths()["purelib"])
    for header in sorted(packages.glob("nvidia/*/include/cublas_v2.h")):
        folder = header.parent.parent / "lib"
        libraries = [next(iter(sorted(folder.glob(f"{name}.so.*"))), None) for name in ("libcublas", "libcublasLt")]
        if libraries[0] and libraries[1]:
            return Cublas(header.parent, libraries[0], libraries[1])
    return None


def output_of(*command: str) -> str:
    """Standard output; "" where the program is missing or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def version_of(path: str, pattern: str) -> str:
    if not path:
        return "not found"
    match = re.search(pattern, output_of(path, "--version"))
    return match[0] if match else "does not say its version"


def read_gpu() -> tuple[str, str, str, str]:
    """Name, architecture, driver and memory of the first GPU; "" each where there is none."""
    query = "--query-gpu=name,compute_cap,driver_version,memory.total"
    text = output_of(find_tool("nvidia-smi"), query, "--format=csv,noheader")
    cells = [cell.strip() for cell in text.splitlines()[0].split(",")] if text.strip() else []
    if len(cells) != 4 or not re.fullmatch(r"\d+\.\d+", cells[1]):
        return "", "", "", ""
    return cells[0], cells[1].replace(".", ""), cells[2], cells[3]


def isas_of(cpuinfo: str) -> tuple[str, ...]:
    match = re.search(r"^flags\s*:(.*)$", cpuinfo, re.MULTILINE)
    flags = set(match[1].split()) if match else set()
    return tuple(name for name, needs in ISAS.items() if needs <= flags)


def look() -> Machine:
    try:
        cpuinfo = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        cpuinfo = ""
    model = re.search(r"^model name\s*:\s*(.*)$", cpuinfo, re.MULTILINE)
    name, architecture, driver, memory = read_gpu()
    cores = len(os.sched_getaffinity(0))
    return Machine(name, architecture, driver, memory, model[1] if model else "unknown", cores, isas_of(cpuinfo))
