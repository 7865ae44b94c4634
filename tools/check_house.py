#!/usr/bin/env python3
"""Check what no compiler checks: includes point downwards, every path named in the papers exists, no two types
share a name, the code is formatted, and no file names a machine of ours. One line a problem. tools/check runs it; no set-up is needed.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

CODE = (".h", ".hpp", ".cuh", ".cpp", ".cc", ".cu", ".inl")
HEADERS = (".h", ".hpp", ".cuh", ".inl")
CLANG_FORMAT = 14  # other versions format differently

# ---- includes ----------------------------------------------------------------------------------------------------

ORDER = ("kernels", "engine", "experiments", "python")
ENGINE = ("base", "share", "data", "space", "device", "predictor", "train", "adapt", "score", "search", "front_loop", "fleet",
          "optimizer", "report")  # the data's way
# A room of the kernels reaches itself and these.
KERNELS = {
    "base": (),
    "rank": ("base",),
    "front": ("base",),
    "additive": ("base",),
    "score": ("base", "rank", "front", "additive"),
}
PREFIX = "oneproxy/"  # of the includes of kernels and engine
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
HEAVY = re.compile(r"^(hdf5|H5\w*|highfive/.*|torch/.*|ATen/.*|c10/.*)")  # slow to compile: in .cpp only
NOT_IN_KERNELS = re.compile(r"^(hdf5|H5|highfive/|torch/|ATen/|c10/|toml|nlohmann/|CLI/|spdlog/)")


def check_includes(root: Path, files: list[str]) -> Iterator[str]:
    known = set(files)
    for name in files:
        if PurePosixPath(name).suffix not in CODE or name.split("/")[0] not in ORDER:
            continue
        for number, line in enumerate(_lines(root / name), start=1):
            match = INCLUDE.match(line)
            if not match:
                continue
            quote, target = match[1], match[2]
            place = f"{name}:{number}"
            if target.startswith(("kernels/", "engine/")):
                yield f"{place}: {target} could be anybody's; include it as {PREFIX}{target}"
            target = target.removeprefix(PREFIX)
            if HEAVY.match(target) and PurePosixPath(name).suffix in HEADERS:
                yield f"{place}: {target} in a header slows every file that includes it; include it in a .cpp"
            if name.startswith("kernels/") and NOT_IN_KERNELS.match(target):
                yield f"{place}: kernels know no {target}; move this to engine/"
            beside = str(PurePosixPath(name).parent / target)
            resolved = os.path.normpath(beside) if quote == '"' and os.path.normpath(beside) in known else target
            if reason := _upwards(name, resolved):
                yield f"{place}: includes {resolved}: {reason}"


def _upwards(source: str, target: str) -> str:
    """Why `source` may not include `target`; "" if it may, or if the target is no file of the house."""
    here, there = source.split("/"), target.split("/")
    if there[0] in ("tests", "tools"):
        return f"{here[0]}/ may not include {there[0]}/"
    if there[0] not in ORDER:
        return ""
    if ORDER.index(there[0]) > ORDER.index(here[0]):
        return f"{here[0]}/ may not include {there[0]}/, includes point downwards"
    if here[0] == there[0] == "engine" and len(here) > 2 and len(there) > 2:
        for folder in (here[1], there[1]):
            if folder not in ENGINE:
                return f"engine/{folder}/ has no place in the order {', '.join(ENGINE)}"
        if ENGINE.index(there[1]) > ENGINE.index(here[1]):
            return f"engine/{here[1]}/ comes before engine/{there[1]}/ on the data's way"
    if here[0] == there[0] == "kernels" and len(here) > 2 and len(there) > 2:
        for room in (here[1], there[1]):
            if room not in KERNELS:
                return f"kernels/{room}/ is none of the rooms {', '.join(KERNELS)}"
        if there[1] != here[1] and there[1] not in KERNELS[here[1]]:
            return f"kernels/{here[1]}/ reaches only itself and {', '.join(KERNELS[here[1]]) or 'nothing else'}"
    return ""


# ---- paths in the papers -----------------------------------------------------------------------------------------

MADE = ("build", "results", "figures")  # folders that come into being
SOURCE_SUFFIXES = (*CODE, ".py", ".md", ".sh")
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
PATH = re.compile(r"^[\w.<>{}*,$-]+(/[\w.<>{}*,$+@-]+)*/?$")


def check_papers(root: Path, files: list[str]) -> Iterator[str]:
    folders = {str(parent) for name in files for parent in PurePosixPath(name).parents} - {"."}
    known = set(files) | folders
    papers = [
        name
        for name in files
        if name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
        or fnmatch.fnmatch(name, "docs/*.md")
        or fnmatch.fnmatch(name, "configs/*.toml")
    ]
    for name in papers:
        fenced = False
        for number, line in enumerate(_lines(root / name), start=1):
            if line.lstrip().startswith("```"):
                fenced = not fenced
                continue
            spans = [line] if fenced else SPAN.findall(line)
            words = [word for span in spans for word in span.split()]
            for word in words:
                if problem := _missing(word, PurePosixPath(name).parent, known):
                    yield f"{name}:{number}: {problem}"
            for target in [] if fenced or name.endswith(".toml") else LINK.findall(line):
                beside = os.path.normpath(PurePosixPath(name).parent / target)
                if "://" not in target and not target.startswith("mailto:") and beside not in known:
                    yield f"{name}:{number}: the link {target} leads nowhere"


def _missing(word: str, beside: PurePosixPath, known: set[str]) -> str:
    """What is wrong with `word` as a path of the repository; "" if it exists or is not meant as one."""
    text = re.sub(r"^\./", "", word.strip("\"'()[]").rstrip(".,:;"))
    text = re.sub(r":\d+$", "", text).rstrip("/")
    if text.startswith((PREFIX + "kernels/", PREFIX + "engine/")):  # as a header is included
        text = text.removeprefix(PREFIX)
    if "://" in text or not PATH.match(text) or "$" in text or text.startswith(("..", "-")):
        return ""
    pattern = re.sub(r"<[^<>]*>", "*", text)
    first, has_folder = pattern.split("/")[0], "/" in pattern
    if first in MADE or first.startswith("build-"):
        return ""
    ours = first in {path.split("/")[0] for path in known}
    if not has_folder and not (text.endswith(SOURCE_SUFFIXES) and len(text) > 4):
        return ""  # a plain word, or the name of a file that a run writes
    if has_folder and not ours and not text.endswith(SOURCE_SUFFIXES):
        return ""  # a unit, a fraction, a path of another repository
    for candidate in _braces(pattern):
        options = (candidate, str(beside / candidate), "*/" + candidate)
        if not any(_matches(option, known) for option in options):
            return f"{text} does not exist"
    return ""


def _matches(pattern: str, known: set[str]) -> bool:
    return pattern in known or ("*" in pattern and any(fnmatch.fnmatchcase(path, pattern) for path in known))


def _braces(text: str) -> list[str]:
    match = re.search(r"\{([^{}]*)\}", text)
    if not match:
        return [text]
    return [
        whole for part in match[1].split(",") for whole in _braces(text[: match.start()] + part + text[match.end() :])
    ]


# ---- types -------------------------------------------------------------------------------------------------------

NAMESPACE = re.compile(r"namespace(?: ([\w:]+))? \{")
NAMESPACE_END = re.compile(r"\}  // namespace")
TYPE = re.compile(r"(?:struct|class) (\w+)(?: final)?(?: :.*)?(?: \{|$)")


def check_types(root: Path, files: list[str]) -> Iterator[str]:
    """Two types of one full name in one program are one to the linker, which takes the code of either for both."""
    places: dict[str, str] = {}
    for name in files:
        if name.split("/")[0] not in ORDER or PurePosixPath(name).suffix not in CODE or "/tests/" in name:
            continue
        inside: list[str] = []  # namespaces
        for number, line in enumerate(_lines(root / name), start=1):
            if opened := NAMESPACE.match(line):
                inside.append(opened[1] or "")
            elif NAMESPACE_END.match(line) and inside:
                inside.pop()
            elif (found := TYPE.match(line)) and inside and "" not in inside:
                full, place = "::".join([*inside, found[1]]), f"{name}:{number}"
                if places.setdefault(full, place) != place:
                    yield f"{place}: {full} is another type at {places[full]}; give it a name of its own"


# ---- tests -------------------------------------------------------------------------------------------------------

SKIPS_WITHOUT_CUDA = re.compile(r"cuda_device_count\(\) == 0\).*GTEST_SKIP")


def check_tests(root: Path, files: list[str]) -> Iterator[str]:
    for name in files:
        if not name.startswith("tests/") or PurePosixPath(name).suffix not in CODE:
            continue
        for number, line in enumerate(_lines(root / name), start=1):
            if SKIPS_WITHOUT_CUDA.search(line):
                yield (
                    f"{name}:{number}: skips without a GPU whatever ONEPROXY_REQUIRE_CUDA says; "
                    "use ONEPROXY_NEEDS_CUDA() of tests/support/needs_cuda.h"
                )


# ---- format ------------------------------------------------------------------------------------------------------


def check_format(root: Path, files: list[str]) -> Iterator[str]:
    code = [name for name in files if PurePosixPath(name).suffix in CODE]
    if not code:
        return
    tool = shutil.which(f"clang-format-{CLANG_FORMAT}") or shutil.which("clang-format")
    if tool is None:
        yield "clang-format is missing; run tools/setup"
        return
    version = re.search(r"version (\d+)", subprocess.run([tool, "--version"], capture_output=True, text=True).stdout)
    if not version or int(version[1]) != CLANG_FORMAT:
        print(f"note: {tool} is not version {CLANG_FORMAT}, the format was not checked", file=sys.stderr)
        return
    for name in code:
        run = subprocess.run(
            [tool, "--dry-run", "-Werror", "--style=file", name], cwd=root, capture_output=True, text=True
        )
        if run.returncode:
            line = re.search(r":(\d+):\d+: error", run.stderr)
            yield f"{name}:{line[1] if line else 1}: not formatted; run clang-format -i {name}"


# ---- words -------------------------------------------------------------------------------------------------------

# Split, so that this file is not its own first finding.
FORBIDDEN = {
    r"(?<![\w.$}/-])/wo" + "rk/": "a path of one machine",
    r"(?<![\w.$}/-])/ro" + "ot/": "a path of one machine",
    r"(?<![\w.$}/-])/ho" + r"me/\w": "a path of one machine",
    r"/tmp/pro" + "to": "a path of one machine",
    r"py" + r"pi\.org": "the host of a registry",
    r"python" + r"hosted\.org": "the host of a registry",
    r"deb\.deb" + r"ian\.org": "the host of a registry",
    r"proxy\.go" + r"lang\.org": "the host of a registry",
    r"conda\.ana" + r"conda\.org": "the host of a registry",
    r"registry\.npm" + r"js\.org": "the host of a registry",
    r"download\.py" + r"torch\.org": "the host of a registry",
}


def check_words(root: Path, files: list[str]) -> Iterator[str]:
    anything = re.compile("|".join(FORBIDDEN))
    for name in files:
        for number, line in enumerate(_lines(root / name), start=1):
            if match := anything.search(line):
                why = next(reason for pattern, reason in FORBIDDEN.items() if re.search(pattern, line))
                yield f"{name}:{number}: {match[0]!r} is {why}"


# ---- all ---------------------------------------------------------------------------------------------------------

CHECKS = {
    "includes": check_includes,
    "papers": check_papers,
    "types": check_types,
    "tests": check_tests,
    "format": check_format,
    "words": check_words,
}


def _lines(path: Path) -> list[str]:
    """The lines of a text file; none for a binary one."""
    try:
        raw = path.read_bytes()
    except OSError:
        return []
    return [] if b"\0" in raw[:8000] else raw.decode("utf-8", "replace").splitlines()


def house_files(root: Path) -> list[str]:
    """Tracked files and new ones that are not ignored; without git, everything but what is built."""
    listing = (
        subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root,
            capture_output=True,
            text=True,
        )
        if shutil.which("git")
        else None
    )
    if listing is not None and listing.returncode == 0 and listing.stdout:
        return sorted({name for name in listing.stdout.split("\0") if name and (root / name).is_file()})
    found = []
    for folder, subfolders, names in os.walk(root):
        at_top = Path(folder) == root
        subfolders[:] = [
            s
            for s in subfolders
            if s not in (".git", "__pycache__") and not (at_top and (s.startswith("build") or s == "results"))
        ]
        found += [str((Path(folder) / name).relative_to(root)) for name in names]
    return sorted(found)


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/check", description=__doc__)
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=f"only these of: {', '.join(CHECKS)}")
    parser.add_argument(
        "--root",
        type=Path,
        default=Path(__file__).resolve().parent.parent,
        help="the repository (default: the one this file is in)",
    )
    args = parser.parse_args()
    unknown = [name for name in args.checks if name not in CHECKS]
    if unknown:
        parser.error(f"no check {unknown[0]!r}; there are {', '.join(CHECKS)}")
    files = house_files(args.root)
    problems = [
        problem
        for name, check in CHECKS.items()
        if not args.checks or name in args.checks
        for problem in check(args.root, files)
    ]
    for problem in problems:
        print(problem)
    if problems:
        print(f"check: {len(problems)} problem{'s' * (len(problems) > 1)}", file=sys.stderr)
    else:
        print(f"check: {len(files)} files, no problem")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
