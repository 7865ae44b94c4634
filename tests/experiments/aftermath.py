"""What must hold after an accident: numbers match their checksums, nothing is left over, contents are what they should.

Read with h5py and Python alone: the program under test vouches for nothing here.
"""

from __future__ import annotations

import hashlib
import signal
import subprocess
import time
from pathlib import Path
from typing import IO, Any, Callable, TypeVar

import h5py
import numpy as np
from support import HANG, PROGRAM, environment

Contents = dict[str, Any]
# Of dimension scales: places in the file, which are others in each.
SCALES = ("CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST")
T = TypeVar("T")


def contents(path: Path) -> Contents:
    """All datasets and attributes of an HDF5 file, each dataset as (type, shape, bytes or texts)."""
    found: Contents = {}

    def add(name: str, node: h5py.Group | h5py.Dataset) -> None:
        for key, value in node.attrs.items():
            if isinstance(value, h5py.Empty) or key in SCALES:  # places in the file, which dimension scales refer to
                continue
            found[f"{name}@{key}"] = value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value
        if isinstance(node, h5py.Dataset):
            values = node[()]
            exact = tuple(values.ravel()) if values.dtype == object else values.tobytes()
            found[name] = (str(node.dtype), node.shape, exact)

    with h5py.File(path) as file:
        add("", file)
        file.visititems(add)
    return found


def damaged(path: Path) -> list[str]:
    """Datasets of numbers that have no checksum, or another one than their bytes."""
    found = contents(path)
    numbers = {n: v[2] for n, v in found.items() if "@" not in n and isinstance(v[2], bytes)}
    return [n for n, b in numbers.items() if hashlib.sha256(b).hexdigest() != found.get(f"{n}@sha256")]


def leftovers(folder: Path) -> list[str]:
    """Files and folders that only a work in progress has."""
    return sorted(
        str(p.relative_to(folder))
        for p in folder.rglob("*")
        if p.name.startswith(".") or p.name.endswith(".old") or ".checkpoint" in p.name or ".partial" in p.name
    )


def results(folder: Path) -> list[Path]:
    """Result folders under their final names, whole or not."""
    return sorted(p for p in folder.glob("results/*/*") if p.is_dir() and not p.name.startswith("."))


def result_contents(result: Path) -> Contents:
    """What two runs of one command have in common bit for bit: all but times, places and the log."""
    found: Contents = {"DONE": (result / "DONE").read_text(), "config": (result / "config.toml").read_text()}
    found["summary"] = (result / "summary.json").read_text()
    for file in sorted(result.glob("*.h5")):
        found |= {f"{file.name}: {name}": value for name, value in contents(file).items()}
    return found


def start(
    folder: Path,
    *arguments: object,
    stderr: IO[str] | int = subprocess.PIPE,
    env: dict[str, str] | None = None,
    before: tuple[str, ...] = (),
) -> subprocess.Popen[str]:
    """The program at work in a folder, by what starts it: `before`."""
    return subprocess.Popen(
        [*before, str(PROGRAM), *map(str, arguments)],
        cwd=folder,
        env=environment() | (env or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit status (negative: the signal that ended it), standard output and error."""
    try:
        out, err = process.communicate(timeout=HANG)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        out, err = process.communicate()
        raise AssertionError(f"{process.args} hangs\n{err}") from None
    return process.returncode, out, err


def wait_for(condition: Callable[[], T], what: str) -> T:
    """The first true value of a condition; AssertionError where there is none for a minute."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.002)
    raise AssertionError(f"waited in vain: {what}")
