#!/usr/bin/env python3
"""Unpack LibTorch, which training needs, into a folder of the build: tools/fetch_torch.py [--to DIR]

What is needed of the PyPI wheel of PyTorch (headers, the CPU library) and, where no CUDA toolkit has them, NVIDIA's two
small libraries that it is linked with. Versions and checksums are pinned. The folder is made beside its place and
renamed when it is whole: half an unpacking is made anew, a whole one is kept. tools/setup calls this.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REMEDY = "or build without training: ONEPROXY_TORCH=OFF in the environment"


@dataclass(frozen=True)
class Wheel:
    package: str
    version: str
    sha256: str
    members: tuple[str, ...]  # what is unpacked: names, or folders with a slash at the end
    megabytes: int


TORCH = Wheel(
    "torch",
    "2.11.0",
    "7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a",
    (
        "torch/include/",
        "torch/lib/libtorch_cpu.so",
        "torch/lib/libc10.so",
        "torch/lib/libgomp.so.1",
        "torch-2.11.0.dist-info/",
    ),
    530,
)
CUDA_LIBRARIES = {  # by what they bring: the versions that this wheel was made with
    "libcudart.so.13": Wheel(
        "nvidia-cuda-runtime",
        "13.0.96",
        "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
        ("nvidia/cu13/lib/libcudart.so.13",),
        2,
    ),
    "libcupti.so.13": Wheel(
        "nvidia-cuda-cupti",
        "13.0.85",
        "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8",
        ("nvidia/cu13/lib/libcupti.so.13",),
        11,
    ),
}
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_25_x86_64", "manylinux2014_x86_64")


class FetchError(Exception):
    """One line that names what failed and the remedy."""


def in_cuda_toolkit(library: str) -> bool:
    """Where engine/torch.cmake looks for it, too."""
    homes = [os.environ.get(name) for name in ("CUDA_HOME", "CUDA_PATH", "CONDA_PREFIX")]
    places = [Path(home) for home in homes if home] + [Path("/usr/local/cuda")]
    inside = ("lib64", "lib", "targets/x86_64-linux/lib", "extras/CUPTI/lib64")
    return any((place / folder / library).exists() for place in places for folder in inside)


def wheels() -> list[Wheel]:
    return [TORCH] + [wheel for library, wheel in CUDA_LIBRARIES.items() if not in_cuda_toolkit(library)]


def stamp(wanted: list[Wheel]) -> str:
    return "".join(f"{wheel.package}=={wheel.version} sha256:{wheel.sha256}\n" for wheel in wanted)


def complete(folder: Path, wanted: list[Wheel]) -> bool:
    """Whether all that is wanted is there (it may hold more: a CUDA toolkit that was installed later)."""
    try:
        there = set((folder / ".complete").read_text().splitlines())
    except OSError:
        return False
    return set(stamp(wanted).splitlines()) <= there


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def given_wheel() -> Path | None:
    given = os.environ.get("ONEPROXY_TORCH_WHEEL")
    if not given:
        return None
    path = Path(given)
    if not path.is_file():
        raise FetchError(f"ONEPROXY_TORCH_WHEEL={given}: no such file")
    if sha256(path) != TORCH.sha256:
        raise FetchError(
            f"{given}: not the pinned wheel of {TORCH.package} {TORCH.version}, its SHA-256 should be {TORCH.sha256}"
        )
    return path


def download(wheel: Wheel, folder: Path) -> Path:
    """The wheel, by pip, which compares the checksum; one that is in `folder` already is kept."""
    for path in folder.glob(f"{wheel.package.replace('-', '_')}-{wheel.version}-*.whl"):
        if sha256(path) == wheel.sha256:
            return path
        path.unlink()
    say(f"downloading {wheel.package} {wheel.version} ({wheel.megabytes} MB)")
    folder.mkdir(parents=True, exist_ok=True)
    requirement = folder / f"{wheel.package}.txt"
    requirement.write_text(f"{wheel.package}=={wheel.version} --hash=sha256:{wheel.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir", "--require-hashes"]
    command += ["--disable-pip-version-check", "--only-binary=:all:", "--python-version=3.11", "--implementation=cp"]
    command += ["--retries=3", "--progress-bar=off", *(f"--platform={name}" for name in PLATFORMS)]
    command += ["--dest", str(folder), "--requirement", str(requirement)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        raise FetchError(
            f"pip could not download {wheel.package}=={wheel.version} ({lines[0] if lines else 'no message'}); "
            f"check the network, name a downloaded wheel with ONEPROXY_TORCH_WHEEL=FILE, {REMEDY}"
        )
    return next(folder.glob(f"{wheel.package.replace('-', '_')}-{wheel.version}-*.whl"))


def unpack(path: Path, wheel: Wheel, folder: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        for wanted in wheel.members:
            names = [n for n in archive.namelist() if n == wanted or (wanted.endswith("/") and n.startswith(wanted))]
            if not names:
                raise FetchError(f"{path}: holds no {wanted}; is it the wheel of {wheel.package} {wheel.version}?")
            archive.extractall(folder, names)  # compares the checksum of every member


def fetch(folder: Path) -> None:
    wanted = wheels()
    if complete(folder, wanted):
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f".{folder.name}.lock").open("w") as lock:  # two at once would spoil each other's work
        fcntl.flock(lock, fcntl.LOCK_EX)
        if complete(folder, wanted):
            return
        downloads = folder.parent / f"{folder.name}.download"
        given = given_wheel()
        paths = [given if given and wheel is TORCH else download(wheel, downloads) for wheel in wanted]
        say(f"unpacking LibTorch to {folder} (0.5 GB)")
        for left in folder.parent.glob(f"{folder.name}.partial-*"):  # of one that was killed
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(prefix=f"{folder.name}.partial-", dir=folder.parent) as place:
            partial = Path(place) / "unpacked"
            partial.mkdir()
            for path, wheel in zip(paths, wanted):
                unpack(path, wheel, partial)
            (partial / ".complete").write_text(stamp(wanted))
            if folder.exists():
                shutil.rmtree(folder)
            partial.rename(folder)
        shutil.rmtree(downloads, ignore_errors=True)


def say(message: str) -> None:
    print(f"[fetch_torch] {message}", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="fetch_torch.py",
        description=f"Unpack LibTorch (wheel {TORCH.package}=={TORCH.version}, {TORCH.megabytes} MB), to train with.",
        epilog="ONEPROXY_TORCH_WHEEL=FILE takes the wheel from a file instead of downloading it.",
    )
    parser.add_argument("--to", type=Path, default=ROOT / "build" / "torch", metavar="DIR", help="default: build/torch")
    args = parser.parse_args()
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        say(f"no LibTorch is pinned for {sys.platform} on {platform.machine()}: the build will not train predictors")
        return
    try:
        fetch(args.to)
    except FetchError as error:
        sys.exit(f"fetch_torch.py: error: {error}")
    except (OSError, zipfile.BadZipFile) as error:
        sys.exit(
            f"fetch_torch.py: error: {args.to}: LibTorch could not be unpacked ({error}); is the disk full? "
            f"Free space, {REMEDY}"
        )


if __name__ == "__main__":
    main()
