#!/usr/bin/env python3
"""Run a command and append those of its lines that are JSON objects to a file, each as soon as it is there, so that
nothing is lost when time runs out: lines.py FILE COMMAND... . Ends as the command does."""

from __future__ import annotations

import subprocess
import sys


def main() -> int:
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    with subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.startswith("{"):
                with open(sys.argv[1], "a", encoding="utf-8") as out:
                    out.write(line)
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
