"""The commands of README.md and docs/commands.md, as a reader types them: those of their ```sh blocks, in order."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from support import CONFIGS, PROGRAM, ROOT, TRAINS, environment

PAPERS = ("README.md", "docs/commands.md")

# Not run, by the beginning of the command, and why.
NOT_RUN = {
    "tools/quickstart": "installs packages and builds the program; it is what makes the rest of the commands possible",
    "tools/import_datasets.py --from DIR": "wants the public files; tests/tools/test_import.py imports such files",
    "cmake ": "builds a second time; tests/examples/test_embed.py and long_embed.py build examples/embed both ways",
}
NEEDS_TRAINING = ("build/oneproxy train ", "build/oneproxy train-optimizer", "build/oneproxy optimize --optimizer",
                  "build/oneproxy run configs/fbnet/train_predictor.toml")

# How the long ones are shortened: a configuration that has a smoke twin is its twin, in the scratch copy of configs/,
# and these words are replaced.
SHORTER = {'count="1000000000"': 'count="1000000"', "--budget 60": "--budget 20"}


@dataclass(frozen=True)
class Command:
    paper: str
    line: int
    text: str

    @property
    def reason(self) -> str:
        """Why it is not run, "" where it is."""
        for beginning, why in NOT_RUN.items():
            if self.text.startswith(beginning):
                return why
        return "needs LibTorch" if not TRAINS and self.text.startswith(NEEDS_TRAINING) else ""


def commands(paper: str) -> list[Command]:
    """Comments and empty lines left out, continued lines joined."""
    found: list[Command] = []
    inside, begun, text = False, 0, ""
    for number, line in enumerate((ROOT / paper).read_text().splitlines(), start=1):
        if line.startswith("```"):
            inside = line == "```sh"
        elif inside and not line.lstrip().startswith("#") and line.strip():
            begun = begun or number
            text += line.removesuffix("\\").strip() + " "
            if not line.endswith("\\"):
                found.append(Command(paper, begun, re.sub(r"\s+#\s.*$", "", text).strip()))
                begun, text = 0, ""
    return found


def scratch_copy(folder: Path, shorter: bool) -> None:
    """The repository as a reader sees it from its root: what is made there stays in `folder`."""
    for name in ("docs", "engine", "examples", "experiments", "python", "tools"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(CONFIGS, folder / "configs")
    if shorter:
        for twin in (folder / "configs").rglob("smoke_*.toml"):
            shutil.copy(twin, twin.with_name(twin.name.removeprefix("smoke_")))
    (folder / "build").mkdir()
    (folder / "build" / "oneproxy").symlink_to(PROGRAM)
    (folder / "build" / "venv").symlink_to(ROOT / "build" / "venv")


def run_all(folder: Path, paper: str, shorter: bool) -> list[str]:
    """Runs them one after the other in one shell; -> what failed, with the end of what it said."""
    scratch_copy(folder, shorter)
    script = ["set -u"]
    ran = [command for command in commands(paper) if not command.reason]
    for number, command in enumerate(ran):
        text = command.text
        for words, instead in SHORTER.items() if shorter else ():
            text = text.replace(words, instead)
        script.append(f"{{ {text}; }} </dev/null >said.{number} 2>&1; echo $? >status.{number}")
    # The system's Python, as in a new shell: the tools find build/venv by themselves.
    env = environment() | {"PATH": "/usr/local/bin:/usr/bin:/bin:" + os.environ["PATH"]}
    subprocess.run(["bash", "-c", "\n".join(script)], cwd=folder, env=env, check=True)
    failed = []
    for number, command in enumerate(ran):
        status = int((folder / f"status.{number}").read_text())
        if status != 0:
            said = (folder / f"said.{number}").read_text().splitlines()
            failed.append(f"{command.paper}:{command.line}: exit {status}: {command.text}\n  " + "\n  ".join(said[-5:]))
    return failed
