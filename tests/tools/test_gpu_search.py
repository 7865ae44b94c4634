"""tools/gpu_search: the folder runs with nothing else around it, and what can not be carried is said in one line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent))
from support import ROOT, TOOLS  # noqa: E402

sys.path.insert(0, str(TOOLS / "gpu"))
import carry  # noqa: E402

PROGRAM = Path(os.environ.get("ONEPROXY_BIN", ROOT / "build" / "oneproxy")).resolve()
LDD = """#!/bin/sh
printf '\\tlinux-vdso.so.1 (0x1)\\n\\tlibc.so.6 => /lib/libc.so.6 (0x1)\\n\\tlibown.so.1 => {library} (0x1)\\n'
printf '\\tlibcuda.so.1 => /lib/libcuda.so.1 (0x1)\\n\\tlibcublasLt.so.13 => not found\\n'
"""


class Carry(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def call(self, program: Path, out: Path) -> subprocess.CompletedProcess[str]:
        command = [TOOLS / "gpu_search", program, "--out", out]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    def test_the_folder_searches_with_nothing_around_it(self) -> None:
        done = self.call(PROGRAM, self.folder / "gpu")
        self.assertEqual(done.returncode, 0, done.stderr)
        shutil.rmtree(self.folder / "gpu")
        (self.folder / "elsewhere").mkdir()
        subprocess.run(["tar", "-xzf", self.folder / "gpu.tar.gz", "-C", self.folder / "elsewhere"], check=True)
        place = self.folder / "elsewhere" / "gpu"
        self.assertLess(carry.megabytes(place), carry.MOST_MB)
        command = ["env", "-i", "PATH=/usr/bin:/bin", place / "run_search", "cpu", self.folder / "out"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd="/")
        self.assertEqual(done.returncode, 0, done.stderr)
        names = [line.split(":")[0] for line in done.stdout.splitlines()]
        self.assertEqual(names, ["network", "tables", "long"])
        self.assertRegex(done.stdout, r"(?m)^tables: [0-9.e+-]+ s with cpu$")
        evaluated = json.loads((self.folder / "out" / "network.json").read_text())["evaluated"]
        self.assertEqual(evaluated, 5**6)
        self.assertLessEqual(len(list((self.folder / "out").iterdir())), 8)
        where = json.loads((self.folder / "out" / "tables_provenance.json").read_text())
        self.assertEqual(where["backend"], "cpu")

    def stand_in(self, place: Path, gpu_says: str) -> None:
        """A program whose searches say `gpu_says` with cuda, and "right" on the CPU."""
        program = f"""#!/bin/sh
[ "$1" = import ] && exit
case "$*" in *backend=cuda*) on=cuda said={gpu_says} ;; *) on=cpu said=right ;; esac
[ $said = error ] && {{ echo no usable CUDA device >&2; exit 1; }}
while [ "$1" != --out ]; do shift; done
mkdir -p "$2/r"; echo "$said" >"$2/r/summary.json"
printf '"backend": "%s"\\n"exhaustive search": 0.5,\\n' $on >"$2/r/provenance.json"; echo "$2/r"
"""
        (place / "bin").mkdir(parents=True)
        (place / "experiments" / "data").mkdir(parents=True)
        (place / "experiments" / "data" / "public_latency.h5").touch()
        (place / "bin" / "oneproxy").write_text(program)
        (place / "bin" / "oneproxy").chmod(0o755)
        shutil.copy(TOOLS / "gpu" / "run_search.sh", place / "run_search")

    def test_a_gpu_that_says_something_else_than_the_cpu_is_a_failure(self) -> None:
        differs, missing = "cuda and cpu differ, first in < wrong", "no usable CUDA"
        for says, status, said in (("right", 0, ""), ("wrong", 1, differs), ("error", 1, missing)):
            place = self.folder / says
            self.stand_in(place, says)
            done = subprocess.run(["bash", place / "run_search", "cuda"], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn(said, done.stderr)
            self.assertLessEqual(len(done.stderr.splitlines()), 1)
        lines = subprocess.run(["bash", self.folder / "right" / "run_search"], capture_output=True, text=True).stdout
        self.assertEqual(lines.splitlines()[0], "network: 0.5 s with cuda, the same as on the CPU (0.5 s)")

    def test_what_belongs_to_the_other_machine_stays_here(self) -> None:
        library = self.folder / "libown.so.1"
        library.touch()
        ldd = self.folder / "bin" / "ldd"
        ldd.parent.mkdir()
        ldd.write_text(LDD.format(library=library))
        ldd.chmod(0o755)
        with mock.patch.dict(os.environ, {"PATH": f"{ldd.parent}:{os.environ['PATH']}"}):
            self.assertEqual(carry.needed(library), {"libown.so.1": library})
            self.assertEqual(carry.left_to_the_machine(library), ["libcublasLt.so.13", "libcuda.so.1"])
            program = self.folder / "build" / "oneproxy"
            program.parent.mkdir()
            for name in ("oneproxy", "liboneproxy_cublas.so", "liboneproxy_torch.so"):
                (program.parent / name).touch()
            self.assertIn("libcublasLt.so.13", carry.carry(program, self.folder / "out"))
        names = {path.name for path in (self.folder / "out" / "bin").iterdir()}
        self.assertEqual(names, {"oneproxy", "liboneproxy_cublas.so"})
        self.assertEqual([path.name for path in (self.folder / "out" / "lib").iterdir()], ["libown.so.1"])

    def test_faults_are_one_line_and_leave_what_was_there(self) -> None:
        kept = self.folder / "kept"
        kept.mkdir()
        (kept / "file").touch()
        text = self.folder / "text"
        text.write_text("no program")
        for program, out, said in (
            (self.folder / "nothing", self.folder / "a", "is no file; build the program"),
            (text, self.folder / "a", "ldd can not read it"),
            (PROGRAM, kept, "was not made by this tool"),
        ):
            done = self.call(program, out)
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (1, 1), done.stderr)
            self.assertIn(said, done.stderr)
        with mock.patch.object(carry, "MOST_MB", 1), self.assertRaisesRegex(carry.Fault, "more than 1; the largest is"):
            carry.carry(PROGRAM, self.folder / "a")
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["kept", "text"])


if __name__ == "__main__":
    unittest.main()
