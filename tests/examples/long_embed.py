"""The example with oneproxy built along by add_subdirectory: minutes, so it is not among the quick tests."""

from __future__ import annotations

import unittest

from test_embed import ROOT, EmbedCase


class LongBuiltAlong(EmbedCase):
    def test_it_builds_and_runs(self) -> None:
        for shared in ("OFF", "ON"):
            with self.subTest(shared=shared):
                build = self.configure(
                    f"along_{shared}", f"-DONEPROXY_SOURCE={ROOT}", "-DONEPROXY_CUDA=OFF", f"-DBUILD_SHARED_LIBS={shared}"
                )
                self.run_tool("cmake", "--build", build, "--parallel", "2")
                self.check_output(build, ROOT)


if __name__ == "__main__":
    unittest.main()
