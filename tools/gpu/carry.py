#!/usr/bin/env python3
"""Put the built program with all that it needs in a folder and a .tar.gz, for a machine where it can not be built.

    tools/gpu_search build/oneproxy                 makes build/gpu_search/ and build/gpu_search.tar.gz
    build/gpu_search/run_search [cuda|cpu] [FOLDER]   there: searches, and compares with the CPU

The folder holds the program, its modules but LibTorch's, the shared libraries of both, configs/ and the store that
ships. The C library, the driver and the CUDA toolkit's libraries are those of the other machine: it needs glibc as new
as here, and for backend = "cuda" a driver and cuBLAS (of a toolkit or of PyTorch).
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Parts of the C library, which only fit their own loader.
SYSTEM = re.compile(r"^(linux-vdso|ld-linux.*|lib(c|m|dl|rt|pthread|resolv|util|nsl|anl|BrokenLocale))\.so(\.|$)")
# The driver's, and those of the toolkit, of which one alone has half a gigabyte.
OF_THE_GPU = re.compile(r"^lib(cuda|nvidia.*|cudart|cublas|cublasLt|nvrtc.*|nvJitLink)\.so(\.|$)")
# A predictor of NAS-Bench-201 as PyTorch saves it.
NETWORK = "tests/fixtures/torch/zip.pth"
STORE = "experiments/data/public_latency.h5"
MOST_MB = 60


class Fault(Exception):
    pass


def needed(binary: Path) -> dict[str, Path]:
    """Shared libraries to take along, by the name that the loader asks for."""
    done = subprocess.run(["ldd", str(binary)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Fault(f"{binary}: ldd can not read it; name a program that was built for this machine")
    libraries = {}
    for name, path in re.findall(r"^\s*(\S+) => (not found|\S+)", done.stdout, re.MULTILINE):
        if SYSTEM.match(name) or OF_THE_GPU.match(name):
            continue
        if path == "not found":
            raise Fault(f"{binary}: {name} is not found; install it, or set LD_LIBRARY_PATH")
        libraries[name] = Path(path)
    return libraries


def left_to_the_machine(binary: Path) -> list[str]:
    done = subprocess.run(["ldd", str(binary)], capture_output=True, text=True, check=False)
    return sorted({name for name in re.findall(r"^\s*(\S+) =>", done.stdout, re.MULTILINE) if OF_THE_GPU.match(name)})


def fill(program: Path, folder: Path) -> list[str]:
    """Fills the empty folder; returns the libraries that the other machine has to have."""
    binaries = [program, *sorted(program.parent.glob("liboneproxy*.so*"))]
    binaries = [binary for binary in binaries if "torch" not in binary.name]
    for name in ("bin", "lib", Path(STORE).parent):
        (folder / name).mkdir(parents=True)
    for binary in binaries:
        shutil.copy(binary, folder / "bin")
        for name, path in needed(binary).items():
            shutil.copy(path, folder / "lib" / name)
    (folder / "bin" / program.name).rename(folder / "bin" / "oneproxy")
    shutil.copytree(ROOT / "configs", folder / "configs")
    shutil.copy(ROOT / STORE, folder / STORE)
    shutil.copy(ROOT / NETWORK, folder / "network.pth")
    shutil.copy(ROOT / "LICENSE", folder)
    script = shutil.copy(ROOT / "tools" / "gpu" / "run_search.sh", folder / "run_search")
    Path(script).chmod(0o755)
    return sorted({name for binary in binaries for name in left_to_the_machine(binary)})


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def carry(program: Path, folder: Path) -> str:
    if not program.is_file():
        raise Fault(f"{program}: is no file; build the program first, for example with tools/build_project oneproxy")
    if folder.exists() and not (folder / "run_search").is_file():
        raise Fault(f"{folder}: is there and was not made by this tool; name another with --out")
    new = folder.with_name(folder.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    try:
        theirs = fill(program, new)
        size = megabytes(new)
        if size > MOST_MB:
            largest = max((path for path in new.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
            raise Fault(f"{size:.0f} MB, more than {MOST_MB}; the largest is {largest.relative_to(new)}: strip it")
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    archive = folder.with_name(folder.name + ".tar.gz")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, arcname=folder.name)
    said = f"{folder} ({size:.0f} MB) and {archive} ({archive.stat().st_size / 1e6:.0f} MB)"
    return said + (f"; the other machine has to have {', '.join(theirs)}" if theirs else "")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="tools/gpu_search", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("program", type=Path, help="the program as it was built, for example build/oneproxy")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "gpu_search", help="default: build/gpu_search")
    options = parser.parse_args()
    try:
        print(carry(options.program.resolve(), options.out.resolve()))
    except (Fault, OSError) as error:
        print(f"tools/gpu_search: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
