"""The command `oneproxy` of an installed package: the program itself, in this process."""

from __future__ import annotations

import os
import sys

from oneproxy import _engine


def main() -> int:
    os.environ.setdefault("ONEPROXY_PYTHON", sys.executable)  # for what the program does in Python: this package
    return _engine.program([os.fsencode(word) for word in sys.argv])
