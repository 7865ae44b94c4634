"""Search spaces: every writing of an architecture is the same architecture."""

from __future__ import annotations

import pickle
import subprocess
from pathlib import Path

import numpy as np
import pytest

import oneproxy

SPACES = ["nasbench201", "fbnet", "ofa_mbv3", "mobilenetv2", "proxylessnas", "accel_nasbench"]


@pytest.mark.parametrize("name", SPACES)
def test_strings_choices_and_indices_are_one(name: str) -> None:
    space = oneproxy.Space(name)
    choices = space.random(50, seed=1)
    assert choices.shape == (50, len(space.decisions)) and choices.dtype == np.uint8
    strings = space.strings(choices)
    assert np.array_equal(space.choices(strings), choices)
    for arch, one in zip(strings, choices):
        index = space.index(arch)
        assert 0 <= index < space.size and index == space.index(one)
        assert space.arch(index) == arch
    assert space.arch(0) != space.arch(space.size - 1)


def test_all_of_a_small_space() -> None:
    space = oneproxy.Space("nasbench201")
    strings = [space.arch(i) for i in range(space.size)]
    assert space.size == 5**6 == len(set(strings))
    expected = np.stack(np.unravel_index(np.arange(space.size), [len(d.choices) for d in space.decisions]), axis=1)
    assert np.array_equal(space.choices(strings), expected)


@pytest.mark.parametrize("name", SPACES)
def test_one_hot_code(name: str) -> None:
    space = oneproxy.Space(name)
    choices = space.random(20, seed=2)
    code = space.encode(choices)
    assert code.dtype == np.float32 and set(np.unique(code)) <= {0, 1}
    radices = [len(d.choices) for d in space.decisions]
    assert code.shape == (20, sum(radices))
    first = np.concatenate([[0], np.cumsum(radices)])
    for row, one in zip(code, choices):
        for d, choice in enumerate(one):
            block = row[first[d] : first[d + 1]]
            # A block that is not there has no row.
            assert block.sum() == 0 or (block.sum() == 1 and block[choice] == 1)
    if name != "ofa_mbv3":
        assert (code.sum(axis=1) == len(radices)).all()


def test_random_follows_its_seed() -> None:
    space = oneproxy.Space("fbnet")
    assert space.size == 9**22
    assert np.array_equal(space.random(9, seed=4), space.random(9, 4))
    assert not np.array_equal(space.random(9, seed=4), space.random(9, seed=5))
    assert space.random(0, seed=1).shape == (0, 22)


def test_costs_as_the_command_line(program: Path, tmp_path: Path) -> None:
    space = oneproxy.Space("fbnet")
    strings = space.strings(space.random(30, seed=8))
    (tmp_path / "in.csv").write_text("arch\n" + "".join(f'"{arch}"\n' for arch in strings))
    subprocess.run(
        [program, "score", "--space", "fbnet", "--predictor", "model:macs", "--archs", "in.csv", "--out", "out.csv"],
        cwd=tmp_path, check=True, capture_output=True,
    )
    lines = (tmp_path / "out.csv").read_text().splitlines()
    values = [float(line.rsplit(",", 1)[1]) for line in lines[1:]]
    costs = space.costs(strings)
    assert set(costs) == {"macs", "parameters", "activation_bytes", "layers"}
    assert list(costs["macs"]) == values


def test_a_file_of_a_space(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'name = "mine"\n[[decision]]\nname = "depth"\nchoices = ["2", "4"]\n'
        '[[decision]]\nname = "act"\nchoices = ["relu", "gelu", "silu"]\n'
    )
    space = oneproxy.Space(file)
    assert space.size == 6 and space.decisions[1] == ("act", ["relu", "gelu", "silu"])
    assert space.arch(5) == "depth=4|act=silu"
    again = pickle.loads(pickle.dumps(space))
    assert again.arch(5) == space.arch(5) and repr(again) == repr(space)


def test_all_kinds_of_whole_numbers_are_read() -> None:
    space = oneproxy.Space("nasbench201")
    expected = space.choices([[0, 1, 2, 3, 4, 0]])
    wide = np.zeros((1, 12), np.int64)
    wide[0, ::2] = [0, 1, 2, 3, 4, 0]
    frozen = expected.copy()
    frozen.flags.writeable = False
    for kind in (wide[:, ::2], frozen, ["0,1,2,3,4,0"], np.array(["0,1,2,3,4,0"]), [(0, 1, 2, 3, 4, 0)]):
        assert np.array_equal(space.choices(kind), expected)
    assert space.choices([]).shape == (0, 6)


def test_bad_input_names_the_argument(refused) -> None:
    with refused("unknown space 'nasbench2O1'", "nasbench201"):
        oneproxy.Space("nasbench2O1")
    space = oneproxy.Space("nasbench201")
    with refused("archs[1]", "nonsense"):
        space.choices(["0,0,0,0,0,0", "nonsense"])
    with refused("archs", "list"):
        space.choices("0,0,0,0,0,0")
    with refused("archs[0]"):
        space.choices([[5, 0, 0, 0, 0, 0]])
    with refused("archs", "300"):
        space.choices([[300, 0, 0, 0, 0, 0]])
    with refused("archs", "-1"):
        space.choices([[-1, 0, 0, 0, 0, 0]])
    with refused("archs", "5 choices", "6 decisions"):
        space.encode([[0, 0, 0, 0, 0]])
    with refused("archs", "float64"):
        space.costs(np.zeros((2, 6)))
    with refused("archs", "(6,)"):
        space.strings(np.zeros(6, int))
    with refused("index", "15625", "15624"):
        space.arch(15625)
    with refused("index", "-1"):
        space.arch(-1)
    with refused("n", "2.5"):
        space.random(2.5, seed=1)
    with refused("seed", "-3"):
        space.random(2, seed=-3)
