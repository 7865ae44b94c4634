"""Which file gives which published layout away.

Found by file name below the given folder, so that a clone of the public repository (`data/nasbench201/...`), one
folder of it, and a folder that collects several publishers are all recognised.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from . import accel_nasbench_set, eagle_set, help_sets, lookup_tables, natsbench_set, oneproxy_set
from .errors import DataError
from .measurements import Say
from .sets import LookupTable, MeasuredSet

DEEPEST = 5  # folders below the given one


@dataclass(frozen=True)
class Layout:
    title: str
    marker: str  # name of the file that gives it away
    read: Callable[[Path, list[Path], Say], MeasuredSet | list[LookupTable]] | None  # folder of the marker, the markers in it
    beside: str = ""  # must be in the marker's folder too
    why_not: str = ""  # for a layout that is known and not read


LAYOUTS = (
    Layout("HELP NAS-Bench-201", "str_arch2idx.pt", lambda folder, _, say: help_sets.read_nasbench201(folder, say)),
    Layout("HELP FBNet", "arch.pt", lambda folder, _, say: help_sets.read_fbnet(folder, say)),
    Layout("HELP Once-for-All", "ofa_archs.pt", lambda folder, _, say: help_sets.read_ofa(folder, say)),
    Layout("OneProxy", "encode.pickle", lambda folder, _, say: oneproxy_set.read(folder, say)),
    Layout("NATS-Bench accuracies", "nats_bench.csv", lambda folder, _, say: natsbench_set.read(folder, say)),
    Layout("Eagle", "desktop-*.pkl", eagle_set.read),
    Layout("Eagle", "embedded-*.pkl", eagle_set.read),
    Layout("Eagle", "mobile-*.pkl", eagle_set.read),
    Layout("OFA look-up tables", "*_lookup_table.yaml", lookup_tables.read_note10),
    Layout("ProxylessNAS look-up table", "mobile_trim.yaml", lookup_tables.read_mobile_trim),
    Layout("Accel-NASBench", "anb_dataset*.tar.gz", accel_nasbench_set.read),
    Layout("Accel-NASBench", "result_*.json", accel_nasbench_set.read),
    # Known, and no part of a store.
    Layout(
        "OFA accuracy predictor",
        "*acc_predictor.pth",
        None,
        why_not="weights are not stored here; `oneproxy import --predictor FILE` adds them to a store of yours",
    ),
    Layout("OFA specialised networks", "net.config", None, beside="run.config", why_not="only compared with in tests"),
)


def read_all(root: Path, say: Say) -> tuple[list[MeasuredSet], list[LookupTable]]:
    """Every recognised layout below `root`, read; the known ones that are not read are said."""
    if not root.is_dir():
        raise DataError(root, "there is no such folder", "give --from the folder of the public files")
    tree = _walk(root)
    found = _find(tree)
    _refuse_orphans(tree, found)
    found_in: dict[str, Path] = {}
    sets: list[MeasuredSet] = []
    tables: list[LookupTable] = []
    for folder, reader, files in _readings(found):
        say(f"reading {_relative(folder, root)}")
        read = reader(folder, files, say)
        for part in read if isinstance(read, list) else [read]:
            if part.label in found_in:
                raise DataError(
                    folder,
                    f"{part.label} was found in {found_in[part.label]} too",
                    "give --from a folder that holds it once",
                )
            found_in[part.label] = folder
            (sets if isinstance(part, MeasuredSet) else tables).append(part)
    for layout in LAYOUTS:
        if layout.read is None and layout in found:
            paths = found[layout]
            names = _relative(paths[0], root) + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
            say(f"skipped: {layout.title} ({names}): {layout.why_not}")
    if not found_in:
        wanted = ", ".join(f"{layout.marker} ({layout.title})" for layout in LAYOUTS if layout.read)
        raise DataError(
            root,
            f"nothing to import in it; looked {DEEPEST} folders deep for {wanted}",
            "give --from a folder that holds the public files",
        )
    return sets, tables


def _walk(root: Path) -> list[tuple[Path, list[str]]]:
    """Folders down to DEEPEST with the names of their files, links followed, in a fixed order."""
    tree = []
    for folder, subfolders, names in os.walk(root, followlinks=True):
        tree.append((Path(folder), sorted(names)))
        depth = len(Path(folder).relative_to(root).parts)
        subfolders[:] = sorted(s for s in subfolders if not s.startswith(".")) if depth < DEEPEST else []
    return tree


def _find(tree: list[tuple[Path, list[str]]]) -> dict[Layout, list[Path]]:
    found: dict[Layout, list[Path]] = {}
    for folder, names in tree:
        for layout in LAYOUTS:
            if layout.beside and layout.beside not in names:
                continue
            paths = [folder / name for name in names if fnmatchcase(name, layout.marker)]
            if paths:
                found.setdefault(layout, []).extend(paths)
    return found


def _readings(found: dict[Layout, list[Path]]) -> list[tuple[Path, Callable, list[Path]]]:
    """One reading a folder and reader: Eagle's several markers of one folder go together."""
    readings: dict[tuple[Path, str], tuple[Path, Callable, list[Path]]] = {}
    for layout, paths in found.items():
        for path in paths if layout.read else ():
            key = (path.parent, layout.title)
            readings.setdefault(key, (path.parent, layout.read, []))[2].append(path)
    return [readings[key] for key in sorted(readings)]


def _refuse_orphans(tree: list[tuple[Path, list[str]]], found: dict[Layout, list[Path]]) -> None:
    """Latencies whose architectures are not beside them are an incomplete copy, not something to pass over."""
    known = {path.parent for paths in found.values() for path in paths}
    wanted = {
        "latency": (".pt", "str_arch2idx.pt, arch.pt or ofa_archs.pt"),
        "latency_data": (".pickle", "encode.pickle"),
    }
    for folder, names in tree:
        suffix, marker = wanted.get(folder.name, ("", ""))
        if suffix and folder.parent not in known and any(name.endswith(suffix) for name in names):
            raise DataError(
                folder,
                f"latencies without their architectures ({marker} belongs into {folder.parent})",
                "fetch it from the same public repository",
            )


def _relative(path: Path, root: Path) -> str:
    return str(root if path == root else path.relative_to(root))
