"""Experiments run from Python against the command line: the same folder, summary and arrays, to the bit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest

import oneproxy

ROOT = Path(__file__).resolve().parents[2]
SMOKE = "nasbench201/smoke_adaproxy"
CONFIG = ROOT / "configs" / f"{SMOKE}.toml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the results of these tests are."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def result(folder: Path) -> oneproxy.Result:
    return oneproxy.run(SMOKE, p=1, targets=["fpga", "pixel3"], out=folder / "here")


def same(one: oneproxy.Result, other: oneproxy.Result) -> bool:
    arrays = one.arrays.keys() == other.arrays.keys() and all(
        values.dtype == other.arrays[name].dtype and values.tobytes() == other.arrays[name].tobytes()
        for name, values in one.arrays.items()
        if values.dtype != object
    )
    return arrays and json.dumps(one.summary) == json.dumps(other.summary)  # text: NaN is like NaN


def test_the_command_line_has_the_same_bits(result: oneproxy.Result, program: Path, folder: Path) -> None:
    command = [program, "run", CONFIG, "--set", "p=1", "--set", 'targets=["fpga", "pixel3"]', "--out", "there"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    printed = folder / done.stdout.splitlines()[-1]
    assert printed.relative_to(folder / "there") == result.folder.relative_to(folder / "here")
    there = oneproxy.load(printed)
    assert result.summary and result.arrays and same(result, there)
    for name in ("config.toml", "report.md"):
        assert (printed / name).read_text() == (result.folder / name).read_text()


def test_a_result_is_reused_until_force(result: oneproxy.Result, folder: Path) -> None:
    before = os.stat(result.folder / "DONE").st_mtime_ns
    again = oneproxy.run(CONFIG, p=1, targets=("fpga", "pixel3"), out=folder / "here")
    assert again.folder == result.folder and os.stat(again.folder / "DONE").st_mtime_ns == before
    forced = oneproxy.run(str(CONFIG), p=1, targets=["fpga", "pixel3"], out=folder / "here", force=True)
    assert os.stat(forced.folder / "DONE").st_mtime_ns > before and same(forced, result)


def test_a_dict_is_a_configuration(result: oneproxy.Result, folder: Path) -> None:
    keys = tomllib.loads((result.folder / "config.toml").read_text())
    assert keys["p"] == "1" and keys.pop("name") == "nasbench201_smoke_adaproxy"
    keys |= {"seed": np.int64(keys["seed"]), "targets": np.array(keys["targets"])}
    named = oneproxy.run(keys, name="nasbench201_smoke_adaproxy", out=folder / "dict")
    assert named.folder.name == result.folder.name and same(named, result)
    assert oneproxy.run(keys, out=folder / "dict").folder.name.startswith("adaproxy-")


def test_values_arrive_as_they_are_given() -> None:
    from oneproxy._toml import overrides_of

    given = {"text": 'a "b"\n\\ é\x7f', "list": [1, -2.5, True], "path": Path("x"), "big": 1e300, "inf": float("-inf"),
             "tables": [{"space": "fbnet", "odd key": [np.float32(0.5)]}], "one": np.float64(0.1)}
    lines = overrides_of({**given, "table": {"a": 1, "deep": {"b": "c"}}})
    read = [tomllib.loads(line.split("=", 1)[0] + " = " + line.split("=", 1)[1]) for line in lines]
    assert [list(one.values())[0] for one in read[: len(given)]] == [
        given["text"], given["list"], "x", 1e300, float("-inf"), [{"space": "fbnet", "odd key": [0.5]}], 0.1,
    ]
    assert lines[-2:] == ["table.a=1", 'table.deep.b="c"']


def test_ctrl_c_ends_it_and_keeps_what_was_done(tmp_path: Path) -> None:
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    started = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        oneproxy.run(SMOKE, trials=10000, out=tmp_path)
    assert time.monotonic() - started < 10
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"]
    assert [path.suffix for path in left] == [".checkpoint"]  # the trials that are done


def test_other_threads_go_on(tmp_path: Path) -> None:
    ticks = 0
    done = threading.Event()

    def work() -> None:
        oneproxy.run(SMOKE, trials=40, out=tmp_path)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not done.wait(0.001):
        ticks += 1
    thread.join()
    assert ticks > 3


def test_bad_input_names_what_is_wrong(refused, tmp_path: Path) -> None:
    with refused("config", "7"):
        oneproxy.run(7)
    with refused("config", "empty"):
        oneproxy.run("")
    with refused("config", "kind"):
        oneproxy.run({"space": "fbnet"})
    with refused("config", "''"):
        oneproxy.run(SMOKE, **{"": 1})
    with refused("targets", "object"):
        oneproxy.run(SMOKE, targets=object())
    with refused("p", "NoneType"):
        oneproxy.run(SMOKE, p=None)
    with refused("unknown configuration 'nasbench201/smoke_adaprox'", "nearest: nasbench201/smoke_adaproxy"):
        oneproxy.run("nasbench201/smoke_adaprox")
    with refused("nowhere.toml", "no such"):
        oneproxy.run("nowhere.toml")
    with refused("--set trails=3", "trials"):
        oneproxy.run(SMOKE, trails=3, out=tmp_path)
    with refused("unknown kind", "search"):
        oneproxy.run({"kind": "seerch"}, out=tmp_path)
    with refused(str(tmp_path / "none"), "no such folder"):
        oneproxy.load(tmp_path / "none")
    with refused(str(tmp_path), "DONE"):
        oneproxy.load(tmp_path)


def test_the_command_of_the_package_is_the_program(program: Path, tmp_path: Path) -> None:
    def said(*command: object) -> tuple[int, str, str]:
        done = subprocess.run(list(map(str, command)), cwd=tmp_path, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    here = (sys.executable, "-m", "oneproxy")
    for words in (["--version"], ["arch", "--space", "fbnet", "--index", "5"], ["run", "nowhere.toml"], ["rum"], ["score", "--space"]):
        assert said(*here, *words) == said(program, *words)
    odd = subprocess.run([*here, "info", b"\xff.h5"], cwd=tmp_path, capture_output=True)
    assert odd.returncode == 1 and b"is not UTF-8" in odd.stderr and odd.stderr.count(b"\n") == 1


def test_a_signal_ends_the_command_of_the_package(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "oneproxy", "run", SMOKE, "--set", "trials=10000"]
    running = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)
    running.send_signal(signal.SIGTERM)
    _, error = running.communicate(timeout=20)
    assert running.returncode == 128 + signal.SIGTERM, error
