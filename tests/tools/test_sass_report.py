"""tools/sass_report, with a cuobjdump that only pretends: which loop is the main one, and what is counted in it."""

from __future__ import annotations

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from support import TOOLS

USAGE = """ Function _Z6narrowi:
  REG:84 STACK:8 SHARED:1024 LOCAL:4 CONSTANT[0]:664 TEXTURE:0 SURFACE:0 SAMPLER:0
 Function _Z4plusi:
  REG:12 STACK:0 SHARED:0 LOCAL:0 CONSTANT[0]:500 TEXTURE:0 SURFACE:0 SAMPLER:0
"""
# narrow: a loop of loads, then a tile's loop with two products within another one that has no more of them.
NARROW = """MUFU.RCP R2, R2
LDG.E.CONSTANT R3, desc[UR4][R2.64]
@!P2 BRA 0x10
STG.E desc[UR4][R8.64], R3
LD.E.128 R4, desc[UR4][R2.64]
LDS.128 R4, [R2]
IMAD.HI.U32 R0, R1, R2, RZ
@P0 HMMA.16816.F32.BF16 R4, R8, R2, R4
HMMA.16816.F32.BF16 R4, R8, R2, R4
ST.E.64 desc[UR4][R8.64], R4
STS [R2], R4
@P1 BRA 0x40
@P3 BRA 0x30
EXIT
BRA 0xe0
NOP"""
PLUS = """DADD R2, R2, R4
LDG.E.64 R4, desc[UR4][R2.64]
@P0 BRA 0x0
EXIT
BRA 0x40"""


def sass(name: str, code: str) -> str:
    lines = [f"\t\tFunction : {name}"]
    for i, text in enumerate(code.splitlines()):
        lines.append(f"        /*{16 * i:04x}*/  {text} ;   /* 0x000 */")
        lines.append("                                    /* 0x000 */")
    return "\n".join(lines) + "\n"


class TestSassReport(unittest.TestCase):
    def setUp(self) -> None:
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.folder = Path(place.name)
        (self.folder / "usage").write_text(USAGE)
        (self.folder / "sass").write_text(sass("_Z6narrowi", NARROW) + sass("_Z4plusi", PLUS))
        (self.folder / "a.cubin").write_text("")
        self.tool("cuobjdump", f'case $1 in -res-usage) cat {self.folder}/usage ;; *) cat {self.folder}/sass ;; esac')

    def tool(self, name: str, body: str) -> None:
        (self.folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (self.folder / name).chmod(0o755)

    def report(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [TOOLS / "sass_report", *map(str, arguments)],
            capture_output=True, text=True, timeout=60, env={**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"},
        )  # fmt: skip

    def rows(self, text: str) -> dict[str, dict[str, str]]:
        lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
        return {line[0].strip("`"): dict(zip(lines[0][1:], line[1:], strict=True)) for line in lines[2:]}

    def test_counts_the_smallest_loop_with_the_most_matrix_products(self) -> None:
        rows = self.rows(self.report(self.folder / "a.cubin").stdout)
        self.assertEqual(
            rows["narrow"],
            {"registers": "84", "spilled": "12", "shared": "1024", "all": "15", "loop": "8", "div": "0", "mulhi": "1",
             "LD": "1", "LDG": "0", "LDS": "1", "HMMA": "2", "stores": "1"},
        )  # fmt: skip
        self.assertEqual((rows["plus"]["loop"], rows["plus"]["LDG"], rows["plus"]["HMMA"]), ("3", "1", "0"))

    def test_a_filter_and_a_file_twice(self) -> None:
        done = self.report("--kernel", "^pl", self.folder / "a.cubin", self.folder / "a.cubin")
        self.assertEqual(list(self.rows(done.stdout)), ["plus"])

    def test_errors_are_one_line(self) -> None:
        self.tool("nvcc", "echo 'x.cu(3): error: no such thing' >&2; exit 2")
        (self.folder / "x.cu").write_text("")
        for arguments, part in (
            ([self.folder / "absent.o"], "no file"),
            (["--kernel", "(", self.folder / "a.cubin"], "no regular expression"),
            (["--kernel", "absent", self.folder / "a.cubin"], "no kernel matches 'absent'"),
            ([self.folder / "x.cu"], "x.cu(3): error: no such thing"),
        ):
            done = self.report(*arguments)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertEqual(done.stderr.count("\n"), 1)
            self.assertIn(part, done.stderr)


if __name__ == "__main__":
    unittest.main()
