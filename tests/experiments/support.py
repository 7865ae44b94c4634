"""Runs the program as a user does, in a folder of its own, and reads what it leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any, Callable

import h5py
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("ONEPROXY_BIN", ROOT / "build" / "oneproxy")).resolve()
TRAINS = "training: compiled" in subprocess.run([PROGRAM, "--version"], capture_output=True, text=True).stdout
STORE = ROOT / "experiments" / "data" / "public_latency.h5"
CONFIGS = ROOT / "configs"
RESULT_FILES = {"config.toml", "summary.json", "arrays.h5", "run.log", "provenance.json", "report.md", "DONE"}
OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
SOURCES = ("--sources", "1080ti_1", "silver_4114", "pixel3")  # of `plan` and `adapt`
HANG = 300  # seconds after which a test gives up on the program: against hanging, not a measure of speed


def config(space: str, kind: str) -> Path:
    """A smoke configuration that ships."""
    return CONFIGS / space / f"smoke_{kind}.toml"


def sets(**values: object) -> list[str]:
    """--set arguments; text is passed as it is, everything else as TOML (JSON is TOML for lists and numbers)."""
    return [a for k, v in values.items() for a in ("--set", f"{k}={v if isinstance(v, str) else json.dumps(v)}")]


def cell_string(cell: np.ndarray | list[int]) -> str:
    o = [OPERATIONS[i] for i in cell]
    return f"|{o[0]}~0|+|{o[1]}~0|{o[2]}~1|+|{o[3]}~0|{o[4]}~1|{o[5]}~2|"


def environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("ONEPROXY_")}


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    rank = [np.argsort(np.argsort(v)) for v in (x, y)]
    return float(np.corrcoef(*rank)[0, 1])


class Result:
    """A result folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def summary(self) -> dict[str, Any]:
        return json.loads((self.folder / "summary.json").read_text())

    @property
    def report(self) -> str:
        return (self.folder / "report.md").read_text()

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()

    def arrays(self) -> dict[str, np.ndarray]:
        found: dict[str, np.ndarray] = {}
        with h5py.File(self.folder / "arrays.h5") as file:
            file.visititems(lambda name, node: found.update({name: node[()]}) if hasattr(node, "shape") else None)
        return found

    def attributes(self) -> dict[str, Any]:
        with h5py.File(self.folder / "arrays.h5") as file:
            return dict(file.attrs)


def names(values: np.ndarray) -> list[str]:
    return [v.decode() if isinstance(v, bytes) else str(v) for v in values]


def stored(space: str, set_name: str, store: Path = STORE) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Choices and columns (latencies and metrics) of a set, read without the program."""
    with h5py.File(store) as file:
        group = file[f"spaces/{space}/{set_name}"]
        columns = {n: d[()] for part in ("latency_ms", "metrics") if part in group for n, d in group[part].items()}
        return group["choices"][()], columns


class ProgramCase(unittest.TestCase):
    """Each test in a temporary working folder."""

    def setUp(self) -> None:
        self.assertTrue(PROGRAM.exists(), f"{PROGRAM} is not built")
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = Path(place.name)

    def program(
        self,
        *arguments: object,
        cwd: Path | None = None,
        limit_bytes: int | None = None,
        env: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        prepare: Callable[[], None] | None = None
        if limit_bytes is not None:
            import resource

            def prepare() -> None:  # a file can not grow beyond the limit: what a full disk looks like
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

        return subprocess.run(
            [str(PROGRAM), *map(str, arguments)],
            cwd=cwd or self.folder,
            env=environment() | (env or {}),
            capture_output=True,
            text=True,
            timeout=HANG,
            preexec_fn=prepare,
        )

    def ok(self, *arguments: object, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
        """Standard output of a command that succeeds."""
        done = self.program(*arguments, cwd=cwd, env=env)
        self.assertEqual(done.returncode, 0, f"{arguments}\n{done.stderr}")
        return done.stdout

    def run_config(self, path: Path, *arguments: object, cwd: Path | None = None, before: tuple = ()) -> Result:
        """The result whose folder is the last line of standard output."""
        last = self.ok(*before, "run", path, *arguments, cwd=cwd).splitlines()[-1]
        result = Result((cwd or self.folder) / last)
        self.assertTrue((result.folder / "DONE").exists(), f"{last} is no finished result folder")
        return result

    def files(self, place: Path | None = None) -> set[str]:
        place = place or self.folder
        return {str(p.relative_to(place)) for p in place.rglob("*") if not p.is_dir()}

    def fault(self, *arguments: object, says: tuple[str, ...] = (), **options: Any) -> str:
        """The one line of a command that must fail and leave nothing behind."""
        before = self.files()
        done = self.program(*arguments, **options)
        self.assertEqual(done.returncode, 1, f"{arguments}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        self.assertEqual(done.stdout, "")
        lines = done.stderr.splitlines()
        self.assertTrue(lines and lines[-1].startswith("oneproxy: error: "), done.stderr)
        for line in lines[:-1]:  # what was said before the fault was met
            self.assertRegex(line, r"^(oneproxy \d|warning: |scoring by |\S+: scored by )", done.stderr)
        for part in says:
            self.assertIn(part, lines[-1])
        self.assertNotIn("internal error", lines[-1])
        self.assertEqual(self.files(), before, "files were left behind")
        return lines[-1]

    def measure(
        self, name: str, cells: np.ndarray, latency: np.ndarray, space_string: Callable[..., str] = cell_string
    ) -> Path:
        """A CSV file of a user's own device."""
        path = self.folder / name
        rows = [f"{space_string(c)},{v!r}" for c, v in zip(cells.tolist(), latency.tolist())]
        path.write_text("arch,latency_ms\n" + "\n".join(rows) + "\n")
        return path
