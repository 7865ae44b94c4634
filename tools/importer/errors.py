"""The one error of the importer: a file that can not be used, and what to do about it."""

from __future__ import annotations

from pathlib import Path


class DataError(Exception):
    """`file`: what is wrong; the remedy. Always one line."""

    def __init__(self, file: Path | str, problem: str, remedy: str) -> None:
        super().__init__(" ".join(f"{file}: {problem}; {remedy}".split()))
