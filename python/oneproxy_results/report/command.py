"""`oneproxy report`, as the program runs it: arguments in, the take-away and the page's file out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import matplotlib  # noqa: F401  (what a page needs is asked for before work begins)
import plotly  # noqa: F401
import scipy  # noqa: F401

from .. import ResultError, load
from .page import take_away, write


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="oneproxy report")
    parser.add_argument("result", nargs="+", type=Path)
    parser.add_argument("--html", type=Path)
    parser.add_argument("--force", action="store_true")
    options = parser.parse_args(arguments)
    try:
        results = [load(folder) for folder in options.result]
        path = write(results, options.html, options.force)
        for sentence in take_away(results):
            print(sentence)
        print(path)
    except ResultError as error:
        print(f"oneproxy: error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        where = error.filename or options.html or options.result[0]
        print(f"oneproxy: error: {where}: can not be written ({error.strerror}); give another --html", file=sys.stderr)
        return 1
    return 0
