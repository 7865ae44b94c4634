"""`pip install .` and the wheel of tools/wheel, each in a fresh environment: both build the engine, which takes minutes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import oneproxy

ROOT = Path(__file__).resolve().parents[2]
WHERE = """
import pathlib, sys
import oneproxy
for path in (oneproxy.__file__, oneproxy.Store().path):
    assert pathlib.Path(path).is_relative_to(sys.prefix), path
"""
SEARCH = """
import oneproxy
found = oneproxy.search("nasbench201", ["max metric:natsbench:cifar10", "min device:pixel3"], limits=[5], seed=1)
print(found.certainty, found.front, found.best)
"""


def run(*command: object, folder: Path, path: str = "") -> str:
    own = {k: v for k, v in os.environ.items() if not k.startswith(("ONEPROXY_", "PYTHON"))}
    done = subprocess.run(list(map(str, command)), cwd=folder, env=own | ({"PYTHONPATH": path} if path else {}),
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=["source", "wheel"])
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the package, and no more than it asks for."""
    folder = tmp_path_factory.mktemp("fresh")
    run(sys.executable, "-m", "venv", "env", folder=folder)
    python = folder / "env" / "bin" / "python"
    package = ROOT
    if request.param == "wheel":
        package = Path(run(ROOT / "tools" / "wheel", "--out", folder / "dist", folder=folder).splitlines()[-1])
        assert "-cp311-abi3-manylinux" in package.name
    run(python, "-m", "pip", "install", "--disable-pip-version-check", package, folder=folder)
    return python


def test_a_wheel_brings_its_libraries(installed: Path) -> None:
    (packages,) = installed.parents[1].glob("lib/python*/site-packages")
    module = packages / "oneproxy" / "_engine.abi3.so"
    needed = subprocess.run(["ldd", module], capture_output=True, text=True, check=True).stdout
    own = [line for line in needed.splitlines() if "hdf5" in line or "spdlog" in line]
    assert own
    if (packages / "oneproxy.libs").exists():
        assert all("oneproxy.libs" in line for line in own), needed


def test_it_is_whole(installed: Path, tmp_path: Path) -> None:
    run(installed, "-c", WHERE, folder=tmp_path)
    own, here = (
        run(python, "-c", SEARCH, folder=tmp_path, path=path)
        for python, path in ((installed, ""), (sys.executable, str(Path(oneproxy.__file__).parents[1])))
    )
    assert own == here, "as in the build folder"


def test_types_come_along(installed: Path) -> None:
    (package,) = installed.parents[1].glob("lib/python*/site-packages/oneproxy")
    assert (package / "py.typed").exists()
    stub = (package / "_engine.pyi").read_text()
    compile(stub, "_engine.pyi", "exec")  # it is generated: a signature that is no Python would be a syntax error
    assert "def spearman_matrix" in stub and "class Adapted" in stub
