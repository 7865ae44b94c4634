"""Networks from PyTorch, ONNX and arrays: the bits of the command line's import of the same network."""

from __future__ import annotations

import collections
import copy
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save_model

import oneproxy

ROOT = Path(__file__).resolve().parents[2]
RANDOM = np.random.default_rng(11)
WIDTHS = (30, 7, 5, 1)  # NAS-Bench-201 has 6 decisions of 5 choices


@pytest.fixture(scope="module")
def space() -> oneproxy.Space:
    return oneproxy.Space("nasbench201")


@pytest.fixture(scope="module")
def network() -> tuple[list[np.ndarray], list[np.ndarray]]:
    pairs = list(zip(WIDTHS, WIDTHS[1:]))
    return (
        [RANDOM.normal(size=(b, a)).astype(np.float32) for a, b in pairs],
        [RANDOM.normal(size=b).astype(np.float32) for _, b in pairs],
    )


class Linear:
    """As torch.nn.Linear looks from outside."""

    def __init__(self, weight, bias=None) -> None:
        self.weight, self.bias = weight, bias


class ReLU:
    pass


class Dropout:
    pass


class Sigmoid:
    pass


class Sequential:
    def __init__(self, *layers) -> None:
        self._modules = collections.OrderedDict((str(i), layer) for i, layer in enumerate(layers))


class Tensor:
    """As a torch.Tensor that needs a gradient, in bfloat16: NumPy can not read it as it is."""

    def __init__(self, values: np.ndarray, ready: bool = False) -> None:
        self.values, self.ready = values, ready

    def detach(self) -> Tensor:
        return Tensor(self.values)

    def cpu(self) -> Tensor:
        return self

    def double(self) -> Tensor:
        return Tensor(self.values.astype(np.float64), ready=True)

    def numpy(self) -> np.ndarray:
        assert self.ready, "torch refuses this"
        return self.values


def sequential(network) -> Sequential:
    layers = [Linear(weight, bias) for weight, bias in zip(*network)]
    return Sequential(Sequential(layers[0], ReLU(), Dropout()), layers[1], ReLU(), layers[2])


def by_hand(space: oneproxy.Space, network, archs) -> np.ndarray:
    values = space.encode(archs).astype(np.float64)
    for i, (weight, bias) in enumerate(zip(*network)):
        values = np.maximum(values, 0) @ weight.T.astype(np.float64) + bias
    return values[:, 0]


def onnx_file(
    path: Path, network, style: str = "gemm", opset: int = 17, more: tuple[str, ...] = (), external: bool = False
) -> Path:
    """style: "gemm" as PyTorch exports it, "turned" with weights as they multiply, "matmul" with an Add behind,
    "constant" with weights that operations hold and turn. more: operations behind the last layer."""
    nodes, tensors, current = [], [], "input"
    n = len(network[0])
    for i, (weight, bias) in enumerate(zip(*network)):
        w, b = f"{i}.weight", f"{i}.bias"
        name = "output" if i + 1 == n and not more else f"h{i}"
        if style == "gemm":
            nodes.append(helper.make_node("Gemm", [current, w, b], [name], transB=1, name=f"layer{i}"))
            tensors += [numpy_helper.from_array(weight, w), numpy_helper.from_array(bias, b)]
        elif style == "turned":
            nodes.append(helper.make_node("Gemm", [current, w, b], [name], alpha=1.0, beta=1.0))
            tensors += [numpy_helper.from_array(np.ascontiguousarray(weight.T), w), numpy_helper.from_array(bias[None], b)]
        elif style == "matmul":
            nodes.append(helper.make_node("MatMul", [current, w], [f"product{i}"]))
            nodes.append(helper.make_node("Add", [b, f"product{i}"], [name]))
            typed = helper.make_tensor(w, TensorProto.FLOAT, weight.T.shape, weight.T.ravel().tolist())  # not raw bytes
            tensors += [typed, numpy_helper.from_array(bias, b)]
        else:
            nodes.append(helper.make_node("Constant", [], [f"c{i}"], value=numpy_helper.from_array(weight, "v")))
            nodes.append(helper.make_node("Transpose", [f"c{i}"], [f"t{i}"], perm=[1, 0]))
            nodes.append(helper.make_node("Identity", [f"t{i}"], [w]))
            nodes.append(helper.make_node("Gemm", [current, w, b], [name]))
            tensors.append(numpy_helper.from_array(bias, b))
        current = name
        if i + 1 < n:
            nodes.append(helper.make_node("Relu", [current], [f"r{i}"]))
            current = f"r{i}"
    for j, operation in enumerate(more):
        name = "output" if j + 1 == len(more) else f"m{j}"
        inputs = [current]
        if operation == "Reshape":
            tensors.append(numpy_helper.from_array(np.array([-1, 1]), "shape"))
            inputs.append("shape")
        nodes.append(helper.make_node(operation, inputs, [name], name=f"more{j}"))
        current = name
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", network[0][0].shape[1]])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", 1])], tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    save_model(model, path, save_as_external_data=external, location=path.name + ".data", size_threshold=0)
    return path


def same_numbers(a: Path, b: Path) -> None:
    with h5py.File(a) as one, h5py.File(b) as other:
        sets: list[str] = []
        one.visititems(lambda name, item: sets.append(name) if isinstance(item, h5py.Dataset) else None)
        assert len(sets) == 3 + 2 * (len(WIDTHS) - 2)
        for name in sets:
            assert np.array_equal(one[name][()], other[name][()]), name
        assert one.attrs["sha256"] == other.attrs["sha256"]


def test_values_by_hand(space: oneproxy.Space, network) -> None:
    mlp = oneproxy.Mlp.from_torch(sequential(network), space, target="latency", unit="ms")
    archs = space.random(100, seed=1)
    assert mlp.predict(archs) == pytest.approx(by_hand(space, network, archs), rel=1e-12, abs=1e-12)
    assert mlp.widths == [7, 5, 1] and (mlp.target, mlp.unit) == ("latency", "ms")
    scaled = oneproxy.Mlp.from_torch(sequential(network), space, log=True, offset=0.5, scale=0.01)
    assert scaled.predict(archs) == pytest.approx(np.exp(0.5 + 0.01 * by_hand(space, network, archs)), rel=1e-12)


@pytest.mark.parametrize("style", ["gemm", "turned", "matmul", "constant"])
def test_all_ways_in_give_the_same_bits(style: str, space: oneproxy.Space, network, tmp_path: Path) -> None:
    weights, biases = network
    state = {f"fc{i}.{part}": values for i in range(3) for part, values in (("weight", weights[i]), ("bias", biases[i]))}
    mlps = [
        oneproxy.Mlp.from_arrays(weights, biases, space),
        oneproxy.Mlp.from_torch(sequential(network), space),
        oneproxy.Mlp.from_torch(sequential(([Tensor(w) for w in weights], [Tensor(b) for b in biases])), space),
        oneproxy.Mlp.from_torch(state, space),
        oneproxy.Mlp.from_onnx(onnx_file(tmp_path / "net.onnx", network, style), space),
    ]
    for i, mlp in enumerate(mlps):
        mlp.save(tmp_path / f"{i}.h5")
        same_numbers(tmp_path / f"{i}.h5", tmp_path / "0.h5")


@pytest.mark.parametrize("external", [False, True])
def test_the_command_line_has_the_same_bits(
    external: bool, space: oneproxy.Space, network, program: Path, tmp_path: Path
) -> None:
    file = onnx_file(tmp_path / "net.onnx", network, more=("Reshape", "Identity"), external=external)
    command = [program, "import", "--predictor", file, "--space", "nasbench201", "--target", "latency", "--unit", "ms"]
    subprocess.run([*command, "--store", "store.h5"], cwd=tmp_path, check=True, capture_output=True)
    oneproxy.Mlp.from_onnx(file, space, target="latency", unit="ms").save(tmp_path / "mine.h5")
    with h5py.File(tmp_path / "store.h5") as store, h5py.File(tmp_path / "mine.h5") as mine:
        other = store["predictors/nasbench201/net"]
        assert dict(mine.attrs) == dict(other.attrs)
        for name in ("first/rows", "first/bias", "layer2/weights", "layer3/bias"):
            assert np.array_equal(mine[name][()], other[name][()])


def test_a_file_of_torch_has_the_same_bits(space: oneproxy.Space, program: Path, tmp_path: Path) -> None:
    file = ROOT / "tests/fixtures/torch/zip.pth"
    subprocess.run(
        [program, "import", "--predictor", file, "--space", "nasbench201", "--store", "store.h5"],
        cwd=tmp_path, check=True, capture_output=True,
    )
    oneproxy.Mlp.from_torch(file, space).save(tmp_path / "mine.h5")
    with h5py.File(tmp_path / "store.h5") as store, h5py.File(tmp_path / "mine.h5") as mine:
        assert dict(mine.attrs) == dict(store["predictors/nasbench201/zip"].attrs)


def test_a_saved_one_is_taken_everywhere(space: oneproxy.Space, network, program: Path, tmp_path: Path) -> None:
    mlp = oneproxy.Mlp.from_arrays(*network, space, target="latency", unit="ms")
    mlp.save(tmp_path / "net.h5")
    again = oneproxy.Mlp.load(tmp_path / "net.h5")
    archs = space.random(50, seed=2)
    assert np.array_equal(again.predict(archs), mlp.predict(archs)) and again.space.name == "nasbench201"
    found = oneproxy.search(space, [f"max predictor:{tmp_path / 'net.h5'}", "min model:macs"], seed=1)
    assert len(found.front) > 1
    best = found.best[0][0]
    assert best.values[0] == pytest.approx(mlp.predict([best.arch])[0], rel=1e-12)
    (tmp_path / "archs.csv").write_text("arch\n" + "\n".join(f'"{arch}"' for arch in space.strings(archs)) + "\n")
    subprocess.run(
        [program, "score", "--space", "nasbench201", "--archs", "archs.csv", "--predictor", "predictor:net.h5", "--out",
         "scores.csv"],
        cwd=tmp_path, check=True, capture_output=True,
    )
    rows = (tmp_path / "scores.csv").read_text().splitlines()[1:]
    assert [float(row.rsplit(",", 1)[1]) for row in rows] == mlp.predict(archs).tolist()


def test_one_linear_layer(space: oneproxy.Space) -> None:
    weight, bias = RANDOM.normal(size=(1, 30)), RANDOM.normal(size=1)
    archs = space.random(20, seed=3)
    expected = space.encode(archs).astype(float) @ weight[0] + bias
    assert oneproxy.Mlp.from_torch(Linear(weight, bias), space).predict(archs) == pytest.approx(expected, rel=1e-12)
    assert oneproxy.Mlp.from_torch(Sequential(Linear(weight)), space).predict(archs) == pytest.approx(
        expected - bias, rel=1e-9, abs=1e-12
    )


def test_modules_that_are_no_stack_are_refused(space: oneproxy.Space, network, refused) -> None:
    a, b, c = (Linear(weight, bias) for weight, bias in zip(*network))
    of = oneproxy.Mlp.from_torch
    with refused("module", "'1'", "Sigmoid", "Linear and ReLU"):
        of(Sequential(a, Sigmoid(), b, ReLU(), c), space)
    with refused("module", "without a ReLU"):
        of(Sequential(a, b, ReLU(), c), space)
    with refused("module", "'3'", "two ReLU"):
        of(Sequential(a, ReLU(), Dropout(), ReLU(), b), space)
    with refused("module", "before the first"):
        of(Sequential(ReLU(), a), space)
    with refused("module", "ends in a ReLU"):
        of(Sequential(a, ReLU()), space)
    with refused("module", "no Linear"):
        of(Sequential(), space)
    with refused("module", "is a Sigmoid", "state_dict()"):
        of(Sigmoid(), space)
    with refused("module", "5 outputs", "has one"):
        of(Sequential(a, ReLU(), b), space)
    with refused("module", "entry '1.running_mean'", "only stacks"):
        of({"0.weight": network[0][0], "1.running_mean": np.zeros(7)}, space)


def test_widths_and_numbers_are_checked(space: oneproxy.Space, network, refused) -> None:
    weights, biases = network
    of = oneproxy.Mlp.from_arrays
    narrow = [weights[0][:, :12], *weights[1:]]
    with refused("weights", "12 inputs", "has 30", "one a choice", "0-4", "5-9", "25-29", "trained on"):
        of(narrow, biases, space)
    with refused("biases[1]", "4 values", "5 outputs"):
        of(weights, [biases[0], biases[1][:4], biases[2]], space)
    with refused("biases", "2 layers"):
        of(weights, biases[:2], space)
    with refused("weights[0]", "(7,)", "[outputs, inputs]"):
        of([biases[0], *weights[1:]], biases, space)
    with refused("weights[1]", "dtype"):
        of([weights[0], weights[1].astype(complex), weights[2]], biases, space)
    with refused("weights", "no Linear layer"):
        of([], [], space)
    for bad in (np.nan, np.inf):
        spoilt = [weight.copy() for weight in weights]
        spoilt[1][2, 3] = bad
        with refused("weights", "'1.weight'", "weights; train"):
            of(spoilt, biases, space)
    with refused("layout", "'twohot'"):
        of(weights, biases, space, layout="twohot")
    with refused("scale", "nan"):
        of(weights, biases, space, scale=float("nan"))
    with refused("unit", "3"):
        of(weights, biases, space, unit=3)


@pytest.mark.parametrize(
    ("changes", "parts"),
    [({"opset": 6}, ["opset 6", "7 or newer"]), ({"more": ("Sigmoid",)}, ["Sigmoid 'more0'", "is not imported"]),
     ({"more": ("Relu",)}, ["ends in a Relu"]), ({"more": ("Relu", "Relu")}, ["Relu 'more1'", "behind no layer"])],
)
def test_graphs_that_are_no_stack_are_refused(
    changes: dict, parts: list[str], space: oneproxy.Space, network, tmp_path: Path, refused
) -> None:
    file = onnx_file(tmp_path / "net.onnx", network, **changes)
    with refused(str(file), *parts):
        oneproxy.Mlp.from_onnx(file, space)


def test_files_that_are_no_network_are_refused(space: oneproxy.Space, network, tmp_path: Path, refused) -> None:
    whole = onnx_file(tmp_path / "net.onnx", network).read_bytes()
    cut = tmp_path / "cut.onnx"
    for n in (0, 1, 50, len(whole) // 2, len(whole) - 1):
        cut.write_bytes(whole[:n])
        with refused(str(cut)):
            oneproxy.Mlp.from_onnx(cut, space)
    with refused(str(tmp_path / "none.onnx"), "can not be read"):
        oneproxy.Mlp.from_onnx(tmp_path / "none.onnx", space)
    with refused("path", ".onnx", "from_torch"):
        oneproxy.Mlp.from_onnx("net.pth", space)
    with refused("path", ".h5"):
        oneproxy.Mlp.from_arrays(*network, space).save(tmp_path / "net.bin")
    oneproxy.Mlp.from_arrays(*network, space).save(tmp_path / "net.h5")
    with refused(str(tmp_path / "net.h5"), "nasbench201", "fbnet"):
        oneproxy.Mlp.load(tmp_path / "net.h5", "fbnet")
    away = onnx_file(tmp_path / "away.onnx", network, external=True)
    (tmp_path / "away.onnx.data").unlink()
    with refused(str(away), "away.onnx.data"):
        oneproxy.Mlp.from_onnx(away, space)


def test_modules_of_pytorch_itself(space: oneproxy.Space, refused) -> None:
    torch = pytest.importorskip("torch")
    nn, archs = torch.nn, space.random(200, seed=2)
    codes = torch.as_tensor(space.encode(archs), dtype=torch.float64)
    width = codes.shape[1]
    torch.manual_seed(1)
    for module in (
        nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1)),
        nn.Sequential(nn.Sequential(nn.Linear(width, 8), nn.ReLU()), nn.Dropout(0.3), nn.Linear(8, 1, bias=False)),
        nn.Linear(width, 1),
    ):
        for dtype in (torch.float32, torch.float64, torch.bfloat16):
            module = module.to(dtype).eval()
            with torch.no_grad():
                expected = copy.deepcopy(module).double()(codes)[:, 0].numpy()
            for given in (module, module.state_dict()):
                found = oneproxy.Mlp.from_torch(given, space).predict(archs)
                np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    with refused("module: 0.weight", "meta"):
        oneproxy.Mlp.from_torch(nn.Sequential(nn.Linear(width, 1, device="meta")), space)


def test_a_tensor_without_numbers_is_refused(space: oneproxy.Space, refused) -> None:
    class Nowhere(Tensor):
        def detach(self):
            raise NotImplementedError("Cannot copy out of meta tensor; no data!\nmore")

    with refused("module: 0.weight", "no data", "weights"):
        oneproxy.Mlp.from_torch(Sequential(Linear(Nowhere(np.ones((1, 30))), np.ones(1))), space)
