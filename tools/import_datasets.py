#!/usr/bin/env python3
"""Import the public latency and accuracy data into a store: tools/import_datasets.py --from DIR --to store.h5"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

import _venv

_venv.need("h5py", "numpy")

from importer import duplicates, join, layouts, store  # noqa: E402
from importer.errors import DataError  # noqa: E402

DETAILS = """\
What is recognised, anywhere in the folder (the clone of a public repository, one folder of it, or a folder that
collects several):
  HELP          data/nasbench201, data/fbnet, data/ofa: the architectures and latency/*.pt
  OneProxy      encode.pickle and latency_data/*.pickle
  NATS-Bench    nats_bench.csv
  Eagle         desktop-*.pkl, embedded-*.pkl, mobile-*.pkl
  Once-for-All  *_lookup_table.yaml: latency per block on a Samsung Note10, one file a resolution
  ProxylessNAS  mobile_trim.yaml: latency per block on a phone
  Accel-NASBench  anb_dataset*.tar.gz, or a folder of its result_*.json
Devices are whatever files are there, named by their files. Failed measurements become NaN, and everything that was
not as expected is said in a line each. A file that can not be used ends the import and leaves no store behind.

The store that ships is made by
  tools/import_datasets.py --from DIR --to experiments/data/public_latency.h5
"""


def _interrupted(number: int, _frame: object) -> None:
    """Leave by an exception, so that the temporary file is removed on the way out."""
    signal.signal(number, signal.SIG_IGN)  # a second one would cut the removal short
    print("import_datasets.py: interrupted, nothing was written", file=sys.stderr)
    raise SystemExit(128 + number)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="import_datasets.py",
        description="Import the public latency and accuracy data into one HDF5 store.",
        epilog=DETAILS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--from", dest="source", required=True, type=Path, metavar="DIR", help="folder with the public files"
    )
    parser.add_argument(
        "--to",
        dest="target",
        required=True,
        type=Path,
        metavar="STORE.h5",
        help="the store to write; an older store there is replaced",
    )
    parser.add_argument("--force", action="store_true", help="replace the target even if it is not an oneproxy store")
    parser.add_argument("--quiet", action="store_true", help="print errors only")
    args = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)

    def say(line: str) -> None:
        if not args.quiet:
            print(line, flush=True)

    try:
        store.check_target(args.target, args.force)
        sets, tables = layouts.read_all(args.source, say)
        join.join(sets, say)
        for s in sorted(sets, key=lambda s: s.label):
            duplicates.find(s, say)
        size = store.write(sets, tables, args.target, args.force)
    except DataError as error:
        sys.exit(f"import_datasets.py: error: {error}")
    for s in sorted(sets, key=lambda s: s.label):
        columns = [f"{len(part)} {what}" for part, what in ((s.latency, "devices"), (s.metrics, "metrics")) if part]
        say(f"{s.label}: {len(s.choices)} architectures, {', '.join(columns)} (from {s.source}, {s.licence})")
    for table in sorted(tables, key=lambda t: t.label):
        say(f"{table.label}: look-up table, {table.target} (from {table.source}, {table.licence})")
    say(f"wrote {args.target} ({size / 1e6:.2f} MB)")


if __name__ == "__main__":
    main()
