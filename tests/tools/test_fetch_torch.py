"""tools/fetch_torch.py with made-up wheels: whole or not at all, checksums, one-line faults. Nothing is downloaded."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import os
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support  # noqa: E402, F401

import fetch_torch  # noqa: E402

MEMBERS = ("torch/include/a.h", "torch/lib/libtorch_cpu.so", "torch/lib/libc10.so", "torch/lib/libgomp.so.1")


class Fetch(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.to = self.folder / "build" / "torch"
        self.wheel = self.folder / "torch-2.11.0-cp311-cp311-manylinux_2_28_x86_64.whl"
        with zipfile.ZipFile(self.wheel, "w") as archive:
            for name in (*MEMBERS, "torch/lib/libtorch_cuda.so", "torch-2.11.0.dist-info/LICENSE"):
                archive.writestr(name, name)
        self.pin(hashlib.sha256(self.wheel.read_bytes()).hexdigest())
        for patch in (
            mock.patch.object(fetch_torch, "in_cuda_toolkit", lambda library: True),
            mock.patch.dict(os.environ, {"ONEPROXY_TORCH_WHEEL": str(self.wheel), "PIP_NO_INDEX": "1"}),
            mock.patch("platform.machine", lambda: "x86_64"),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def pin(self, sha256: str) -> None:
        patch = mock.patch.object(fetch_torch, "TORCH", dataclasses.replace(fetch_torch.TORCH, sha256=sha256))
        patch.start()
        self.addCleanup(patch.stop)

    def fetch(self) -> tuple[int, str]:
        messages = io.StringIO()
        with mock.patch.object(sys, "argv", ["fetch_torch.py", "--to", str(self.to)]):
            with contextlib.redirect_stderr(messages):
                try:
                    fetch_torch.main()
                except SystemExit as error:
                    return 1, str(error.code)
        return 0, messages.getvalue()

    def files(self) -> set[str]:
        return {str(p.relative_to(self.to)) for p in self.to.rglob("*") if p.is_file()}

    def test_what_is_needed_is_unpacked_once(self) -> None:
        code, text = self.fetch()
        self.assertEqual(code, 0, text)
        self.assertEqual(self.files(), {*MEMBERS, "torch-2.11.0.dist-info/LICENSE", ".complete"})
        self.assertEqual({p.name for p in self.to.parent.iterdir()}, {"torch", ".torch.lock"})
        self.wheel.unlink()
        self.assertEqual(self.fetch(), (0, ""))

    def test_half_an_unpacking_is_made_anew(self) -> None:
        self.to.mkdir(parents=True)
        (self.to / "stale").write_text("")
        left = self.to.parent / "torch.partial-abc"
        left.mkdir()
        self.assertEqual(self.fetch()[0], 0)
        self.assertNotIn("stale", self.files())
        self.assertFalse(left.exists())

    def test_another_version_replaces_the_older(self) -> None:
        self.fetch()
        (self.to / ".complete").write_text("torch==1.0 sha256:0\n")
        self.assertIn("unpacking", self.fetch()[1])

    def test_another_wheel_is_refused(self) -> None:
        self.pin("0" * 64)
        code, text = self.fetch()
        self.assertEqual((code, text.count("\n")), (1, 0))
        self.assertIn("not the pinned wheel", text)
        self.assertFalse(self.to.exists())

    def test_a_damaged_wheel_leaves_nothing(self) -> None:
        raw = bytearray(self.wheel.read_bytes())
        at = raw.index(b"torch/include/a.h", 40)  # the content of the member of that name
        raw[at] ^= 1
        self.wheel.write_bytes(raw)
        self.pin(hashlib.sha256(raw).hexdigest())
        code, text = self.fetch()
        self.assertEqual(code, 1)
        self.assertIn("could not be unpacked", text)
        self.assertEqual({p.name for p in self.to.parent.iterdir()}, {".torch.lock"})

    def test_without_network_the_remedy_is_named(self) -> None:
        del os.environ["ONEPROXY_TORCH_WHEEL"]
        code, text = self.fetch()
        self.assertEqual((code, text.count("\n")), (1, 0))
        for part in ("torch==2.11.0", "ONEPROXY_TORCH=OFF", "ONEPROXY_TORCH_WHEEL"):
            self.assertIn(part, text)

    def test_another_machine_goes_without(self) -> None:
        with mock.patch("platform.machine", lambda: "aarch64"):
            code, text = self.fetch()
        self.assertEqual(code, 0)
        self.assertIn("will not train", text)


if __name__ == "__main__":
    unittest.main()
