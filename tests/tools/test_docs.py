"""The documentation builds as a site, every page of it is in the navigation, and it fetches nothing when it is read."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import unittest
import urllib.request
from pathlib import Path

from support import ROOT

# What a browser loads by itself; links that a reader may follow are none of it.
LOADED = re.compile(r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"([^\"]*)|<link\b(?=[^>]*rel=\"?(?:stylesheet|preconnect|icon|preload))[^>]*\bhref=\"([^\"]*)|@import\s+[\"']([^\"']*)|url\(\s*[\"']?(https?:[^\"')]*)")
BUNDLED = 'class="mermaid"'  # would make the theme fetch a library


class TestSite(unittest.TestCase):
    def setUp(self) -> None:
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.root = Path(place.name)
        for name in ("docs", "tools"):
            shutil.copytree(ROOT / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "mkdocs.yml"):
            shutil.copy(ROOT / name, self.root / name)
        for name in ("configs", "engine", "examples", "experiments", "kernels", "python", "tests"):
            (self.root / name).symlink_to(ROOT / name)
        (self.root / "build").mkdir()
        (self.root / "build" / "venv").symlink_to(ROOT / "build" / "venv")
        self.site = self.root / "build" / "site"

    def docs(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self.root / "tools" / "docs", *arguments], capture_output=True, text=True, timeout=300)

    def test_it_builds_and_fetches_nothing(self) -> None:
        done = self.docs()
        self.assertEqual((done.returncode, done.stdout), (0, "build/site/index.html\n"), done.stderr)
        self.assertEqual(done.stderr, "")
        pages = [p.relative_to(ROOT / "docs").with_suffix(".html") for p in (ROOT / "docs").rglob("*.md")]
        self.assertGreater(len(pages), 15)
        front = (self.site / "index.html").read_text()
        self.assertIn("Which way to take", front)
        self.assertIn("images/flow.svg", front)
        for page in (*pages, "contributing.html", "changelog.html"):
            self.assertTrue((self.site / page).exists(), page)
            self.assertIn(f'href="{page}"', front, f"{page} is in no navigation")
        for file in self.site.rglob("*"):
            if file.suffix in (".html", ".css", ".svg"):
                text = file.read_text()
                self.assertNotIn(BUNDLED, text, file)
                for found in LOADED.findall(text):
                    self.assertFalse(any(part.startswith(("http", "//")) for part in found), f"{file.name}: {found}")

    def test_a_link_that_leads_nowhere_is_an_error(self) -> None:
        page = self.root / "docs" / "glossary.md"
        good = page.read_text()
        for bad in ("[gone](gone.md)", "[gone](search.md#no-such-heading)", "[gone](../engine/gone.h)"):
            page.write_text(f"{good}\n{bad}\n")
            done = self.docs()
            self.assertNotEqual(done.returncode, 0, bad)
            self.assertIn("gone", done.stderr + done.stdout) if "gone." in bad else self.assertIn("no-such-heading", done.stderr)

    def test_a_page_outside_of_the_navigation_is_an_error(self) -> None:
        (self.root / "docs" / "lonely.md").write_text("# Lonely\n")
        done = self.docs()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("lonely.md", done.stderr)

    def test_links_to_files_become_their_names(self) -> None:
        (self.root / "docs" / "glossary.md").write_text("# Words\n\n[a map](architecture.md), [code](../engine/space/space.h), [rules](../CONTRIBUTING.md)\n")
        self.assertEqual(self.docs().returncode, 0)
        page = (self.site / "glossary.html").read_text()
        self.assertIn('<a href="architecture.html">a map</a>', page)
        self.assertIn("code (<code>engine/space/space.h</code>)", page)
        self.assertIn('<a href="contributing.html">rules</a>', page)

    def test_a_server_for_the_search_field(self) -> None:
        command = [self.root / "tools" / "docs", "--serve", "0"]  # 0: any port that is free
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as serving:
            try:
                self.assertEqual(serving.stdout.readline(), "build/site/index.html\n")
                place = re.search(r"http://127\.0\.0\.1:\d+/", serving.stdout.readline())
                with urllib.request.urlopen(f"{place[0]}search/search_index.json", timeout=20) as index:
                    self.assertIn(b"hypervolume", index.read())
            finally:
                serving.terminate()

    def test_usage(self) -> None:
        self.assertIn("build/site", self.docs("--help").stdout)
        done = self.docs("--nope")
        self.assertEqual(done.returncode, 1)
        self.assertIn("--nope", done.stderr)
        os.unlink(self.root / "build" / "venv")
        done = self.docs()
        self.assertEqual(done.returncode, 1)
        self.assertIn("tools/setup", done.stderr)


if __name__ == "__main__":
    unittest.main()
