#!/usr/bin/env python3
"""The tables of docs/scaling.md from the lines of sharing_bench and ranks.py.

    build/venv/bin/python tests/bench/scaling_tables.py LINES.jsonl...             prints them
    build/venv/bin/python tests/bench/scaling_tables.py LINES.jsonl... --write docs/scaling.md

In the page a table stands between `<!-- table NAME -->` and `<!-- end -->`. A table without lines stays as it is.
"""

import argparse
import json
import pathlib
import re


def power(n):
    return f"1e{len(str(int(n))) - 1}" if re.fullmatch(r"10*", str(int(n))) else f"{int(n):,}"


def time_text(seconds):
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= (2 * size if size > 1 else 1):
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e3:.3g} ms"


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "| " + " | ".join(["---"] + ["---:"] * (len(heads) - 1)) + " |"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def states(lines):
    found = [d for d in lines if d["case"].startswith("state_")]
    rows = [[d["case"].removeprefix("state_").replace("_", ", "), power(d["n"]), f"{d['candidates']:,}",
             f"{d['bytes'] / 1000:.3g} KB", f"{d['file_bytes'] / 1000:.3g} KB", time_text(d["seconds_median"]),
             time_text(d["save_seconds"]), time_text(d["load_seconds"])] for d in found]
    return ("state", "scored", "candidates", "memory", "file", "merge of two", "save", "load"), rows


def simulated(lines):
    found = {(d["case"], d["ranks"], d["speeds"], d["n"]): d for d in lines if d["case"].startswith("simulated_")}
    rows = []
    for case, ranks in sorted({key[:2] for key in found}):
        row = [case.removeprefix("simulated_").replace("_", " "), f"{ranks:,}"]
        for n in (10**9, 10**12, 10**15):
            cell = found.get((case, ranks, "alike", n))
            uneven = [found.get((case, ranks, speeds, n)) for speeds in ("uneven", "stragglers")]
            row.append("-" if not cell else time_text(cell["seconds_median"]) + ", " + " / ".join(
                f"{100 * d['efficiency']:.0f} %" if d else "-" for d in (cell, *uneven)))
        rows.append(row)
    return ("rank", "ranks", "1e9", "1e12", "1e15"), rows


def ranks(lines):
    rows = [[str(d["ranks"]), power(d["n"]), time_text(d["seconds_median"]), time_text(d["baseline_seconds"]),
             f"{d['ratio']:.3g} x", f"{100 * d['efficiency']:.0f} %"] for d in lines if re.fullmatch(r"ranks_\d+", d["case"])]
    return ("ranks", "scored", "seconds", "one process", "ratio", "of the processors"), rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lines", nargs="+", type=pathlib.Path)
    parser.add_argument("--write", type=pathlib.Path, help="page whose tables are replaced")
    arguments = parser.parse_args()
    lines = [json.loads(line) for path in arguments.lines for line in path.read_text().splitlines()]
    page = arguments.write.read_text() if arguments.write else ""
    for make in (states, simulated, ranks):
        heads, rows = make(lines)
        if not rows:
            continue
        made = table(heads, rows)
        if not arguments.write:
            print(f"{make.__name__}\n\n{made}\n")
            continue
        page, n = re.subn(rf"(<!-- table {make.__name__} -->\n).*?(<!-- end -->)", lambda m: m[1] + made + "\n" + m[2], page,
                          flags=re.S)
        if n != 1:
            raise SystemExit(f"{arguments.write}: has {n} places for the table {make.__name__}, should be 1")
    if arguments.write:
        arguments.write.write_text(page)


if __name__ == "__main__":
    main()
