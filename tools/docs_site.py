"""What tools/docs adds to MkDocs: README.md, CONTRIBUTING.md and CHANGELOG.md are pages too, and a link to a file that is
no page, as GitHub shows it, becomes the file's name.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
PAPERS = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)#\s]+)(#[^)]*)?\)")


def on_files(files: Files, config: dict) -> Files:
    for paper, page in PAPERS.items():
        files.append(File.generated(config, page, content=(ROOT / paper).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: object, config: dict, files: Files) -> str:
    here = page.file.src_uri
    # Where the text stands in the repository, from which its links are counted.
    source = next((paper for paper, made in PAPERS.items() if made == here), f"docs/{here}")
    return "".join(
        part if part.startswith("```") else LINK.sub(lambda found: _link(found, source, here, files), part)
        for part in re.split(r"(^```.*?^```)", markdown, flags=re.MULTILINE | re.DOTALL)
    )


def _link(found: re.Match[str], source: str, here: str, files: Files) -> str:
    image, text, target, anchor = found[1], found[2], found[3], found[4] or ""
    if "://" in target:
        return found[0]
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    if not (ROOT / path).exists():
        return found[0]  # a dead link, of which MkDocs warns
    page = PAPERS.get(path, path.removeprefix("docs/"))
    if (path in PAPERS or path.startswith("docs/")) and files.get_file_from_path(page) is not None:
        return f"{image}[{text}]({posixpath.relpath(page, posixpath.dirname(here) or '.')}{anchor})"
    return text if path in text.replace("`", "") else f"{text} (`{path}`)"
