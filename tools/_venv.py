"""Run a tool with the Python environment that tools/setup makes.

The tools are started as plain scripts, by a `python3` that may lack h5py. `need` then starts the same
command again with build/venv, so that nobody has to activate anything.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / "build" / "venv" / "bin" / "python"


def need(*modules: str) -> None:
    """Return if all `modules` can be imported, else become build/venv's Python, else exit with the remedy."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if not missing:
        return
    tool = Path(sys.argv[0]).name
    inside = Path(sys.prefix).resolve() == PYTHON.parent.parent.resolve()
    if inside or not PYTHON.exists():
        where = "build/venv is incomplete" if inside else "there is no build/venv yet"
        sys.exit(
            f"{tool}: error: Python lacks {', '.join(missing)} and {where}: run tools/quickstart or tools/test first"
        )
    os.execv(PYTHON, [str(PYTHON), *sys.argv])
