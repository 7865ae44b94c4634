"""tools/plot_results.py on made-up result folders of each kind: pictures come out, and bad folders are refused."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support  # noqa: E402

import h5py  # noqa: E402
import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402

import plot_results  # noqa: E402
from oneproxy_results import load  # noqa: E402
from oneproxy_results.figures import (  # noqa: E402
    comparison,
    few_shot,
    heatmap,
    limits_kept,
    pareto,
    search_front,
    searchers,
    style,
    words,
)

RANDOM = np.random.default_rng(7)


def matrix(size: int) -> np.ndarray:
    half = RANDOM.uniform(0.3, 1, (size, size))
    both = np.maximum(half, half.T)
    np.fill_diagonal(both, 1)
    return both


def front(count: int) -> dict[str, np.ndarray]:
    return {
        "row": np.arange(count),
        "latency_ms": np.sort(RANDOM.uniform(1, 9, count)),
        "quality": np.sort(RANDOM.uniform(10, 90, count)),
    }


class Plot(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name) / "some-0123abcd"
        self.folder.mkdir()

    def result(
        self, kind: str, arrays: dict[str, Any], summary: dict[str, float] | None = None, **attributes: str
    ) -> None:
        with h5py.File(self.folder / "arrays.h5", "w") as file:
            file.attrs.update({"kind": kind, "space": "nasbench201", "set": "help", **attributes})
            for name, value in arrays.items():
                if isinstance(value, list):
                    value = np.array(value, dtype=h5py.string_dtype())
                file[name] = value
        (self.folder / "summary.json").write_text(json.dumps(summary or {}))
        (self.folder / "provenance.json").write_text(json.dumps({"version": "0.1.0", "commit": "0123456789abcdef"}))
        (self.folder / "DONE").write_text("")

    def plot(self, *more: object) -> subprocess.CompletedProcess[str]:
        """The program in this process: importing Matplotlib once is enough."""
        arguments = ["plot_results.py", str(self.folder), *map(str, more)]
        output, code, errors = io.StringIO(), 0, ""
        with mock.patch.object(sys, "argv", arguments), contextlib.redirect_stdout(output):
            try:
                plot_results.main()
            except SystemExit as error:
                code, errors = 1, f"{error.code}\n"
        return subprocess.CompletedProcess(arguments, code, output.getvalue(), errors)

    def assert_pictures(self, *names: str, arguments: tuple[object, ...] = ("--format", "png")) -> None:
        """Names with their endings; PNG alone unless asked otherwise, as PDF takes its time."""
        run = self.plot(*arguments)
        self.assertEqual(run.returncode, 0, run.stderr)
        paths = [Path(line) for line in run.stdout.splitlines()]
        self.assertEqual(sorted(path.name for path in paths), sorted(names))
        for path in paths:
            raw = path.read_bytes()
            self.assertGreater(len(raw), 8000, path.name)
            if path.suffix == ".png":
                self.assertEqual(raw[:4], b"\x89PNG")
                width, height = struct.unpack(">II", raw[16:24])
                self.assertTrue(400 < width < 5000 and 300 < height < 5000, (path.name, width, height))

    def body(self, picture: Any, name: str) -> Any:
        """What was drawn, without the line below it."""
        return picture.draw(load(self.folder))[name].subfigs[0]

    def assert_refused(self, *words: str, arguments: tuple[object, ...] = ()) -> None:
        run = self.plot(*arguments)
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertEqual(run.stderr.count("\n"), 1, run.stderr)
        for word in words:
            self.assertIn(word, run.stderr)


class Kinds(Plot):
    def test_monotonicity(self) -> None:
        for size in (2, 26):
            srcc = matrix(size)
            srcc[0, 1] = np.nan
            self.result(
                "monotonicity",
                {
                    "devices": [f"device_{i}" for i in range(size)],
                    "srcc": srcc,
                    "kendall": srcc,
                    "srcc_low": srcc - 0.1,
                    "srcc_high": srcc + 0.1,
                },
                {"n": 15625},
            )
            self.assert_pictures("srcc_heatmap.png")

    def test_fixed_length_names(self) -> None:
        self.result("monotonicity", {"devices": np.array([b"a", b"bcd"]), "srcc": matrix(2)}, proxy="a")
        self.assert_pictures("srcc_heatmap.png")

    def test_adaproxy_row(self) -> None:
        self.result(
            "monotonicity",
            {"devices": ["a", "b", "c"], "srcc": matrix(3), "adaproxy_srcc": np.array([np.nan, 0.9, 0.95])},
            proxy="a",
        )
        self.assert_pictures("srcc_heatmap.png")

    def test_adaproxy(self) -> None:
        self.result(
            "adaproxy",
            {
                "devices": ["a", "b"],
                "srcc_before": np.array([0.5, np.nan]),
                "srcc_after": RANDOM.uniform(0.8, 1, (2, 5)),
                "curve_samples": np.array([10, 50, 70]),
                "curve_srcc": RANDOM.uniform(0.5, 1, (2, 3, 5)),
            },
            proxy="p",
        )
        self.assert_pictures("adaproxy.png", "samples.png")
        said = [text.get_text() for text in self.body(comparison, "adaproxy").legends[0].get_texts()]
        self.assertEqual(said[0], "before")  # "ours" only beside the paper's

    def test_train_predictor(self) -> None:
        for count in (3, 2000):
            measured = RANDOM.uniform(1, 30, count)
            self.result(
                "train_predictor",
                {
                    "test/measured": measured,
                    "test/predicted": measured * RANDOM.uniform(0.9, 1.1, count),
                    "train_loss": 1 / np.arange(1, 20),
                    "validation_loss": np.empty(0) if count == 3 else 1.1 / np.arange(1, 20),
                },
                {"srcc": 0.99, "mape": 0.02, "best_epoch": 18},
                target="latency on a phone",
                unit="ms",
            )
            self.assert_pictures("predicted.png", "training.png")

    def test_reproduction(self) -> None:
        names = [f"d{i}" for i in range(17)]
        self.result(
            "reproduce_nb201",
            {
                "devices": names,
                "srcc_before": RANDOM.uniform(0.4, 0.9, 17),
                "srcc_after": RANDOM.uniform(0.8, 1, (17, 20)),
                "published_before": RANDOM.uniform(0.4, 0.9, 17),
                "published_after": np.full(17, np.nan),
                "srcc": matrix(18),
                "matrix_devices": [*names, "p"],
                "curve_samples": np.array([10, 50]),
                "curve_srcc": RANDOM.uniform(0.5, 1, (17, 2, 20)),
            },
            proxy="p",
        )
        self.assert_pictures("comparison.png", "samples_1.png", "samples_2.png", "srcc_heatmap.png")

    def test_front_transfer(self) -> None:
        arrays: dict[str, Any] = {"quality": RANDOM.uniform(10, 90, 500)}
        for device in [f"d{i:02}" for i in range(14)]:
            arrays[f"latency_ms/{device}"] = RANDOM.uniform(1, 9, 500)
            for name in ("target", "proxy", "adaproxy"):
                arrays |= {f"fronts/{device}/{name}/{key}": value for key, value in front(12).items()}
                arrays |= {f"fronts/{device}/{name}/members/{key}": value for key, value in front(15).items()}
        self.result(
            "front_transfer",
            arrays,
            {"hv_ratio.proxy.d00": 0.9},
            quality="metric:cifar100",
            quality_unit="%",
            proxy="d00",
        )
        self.assert_pictures("pareto_1.png", "pareto_2.png")

    def test_one_point_front(self) -> None:
        self.result("front_transfer", {f"fronts/a/target/{key}": value for key, value in front(1).items()}, quality="q")
        self.assert_pictures("pareto.png")

    def test_empty_front(self) -> None:
        self.result("front_transfer", {f"fronts/a/proxy/{key}": value for key, value in front(0).items()}, quality="q")
        self.assert_pictures("pareto.png")

    def test_search(self) -> None:
        objectives: dict[str, Any] = {
            "objectives/name": ["quality", "latency_ms"],
            "objectives/label": ["accuracy", "latency on a phone"],
            "objectives/unit": ["%", "ms"],
            "objectives/direction": ["maximise", "minimise"],
        }
        for group in (("front",), ("front", "exhaustive_front")):
            fronts = {f"{name}/{key}": value for name in group for key, value in front(8).items()}
            self.result("search", objectives | fronts | {"front/choices": np.zeros((8, 3), np.uint8)})
            self.assert_pictures("search_front.png")
        many = {f"front/{key}": value for key, value in front(500).items()}
        many |= {"front/choices": np.zeros((500, 3), np.uint8)}
        summary = {"part": "all of fbnet", "part_size": "984770902183611232881"}
        self.result("search", objectives | many, summary, space="fbnet")
        self.assert_pictures("search_front.png")
        three = {name: [*values, values[1]] for name, values in objectives.items()}
        three["objectives/name"] = ["quality", "latency_ms", "energy"]
        many["front/energy"] = RANDOM.uniform(1, 2, 500)
        self.result("search", three | many, summary, space="fbnet")
        self.assert_pictures("search_front.png")

    def test_a_maximised_objective_beside_the_goal(self) -> None:
        """Of a throughput the best within a limit is the next point to the right, and what is good is on the right."""
        objectives: dict[str, Any] = {
            "objectives/name": ["quality", "tpu"],
            "objectives/label": ["accuracy", "throughput on tpu"],
            "objectives/unit": ["%", "images/s"],
            "objectives/direction": ["maximise", "maximise"],
            "front/choices": np.zeros((8, 3), np.uint8),
            "front/tpu": np.linspace(900, 300, 8),
            "front/quality": np.linspace(60, 70, 8),
        }
        self.result("search", objectives)
        axes = search_front.draw(load(self.folder))["search_front"].subfigs[0].axes[0]
        self.assertEqual(axes.get_xlabel(), "throughput on tpu (images/s)")
        self.assertEqual(axes.lines[0].get_drawstyle(), "steps-pre")
        objectives["objectives/direction"][1] = "minimise"
        self.result("search", objectives)
        axes = search_front.draw(load(self.folder))["search_front"].subfigs[0].axes[0]
        self.assertEqual(axes.lines[0].get_drawstyle(), "steps-post")

    def test_a_search_says_what_it_looked_at_and_marks_what_it_chose(self) -> None:
        arrays: dict[str, Any] = {
            "objectives/name": ["quality", "latency_ms"],
            "objectives/label": ["MACs", "pixel3"],
            "objectives/unit": ["multiply-accumulates", "ms"],
            "objectives/direction": ["maximise", "minimise"],
            "front/choices": np.zeros((8, 3), np.uint8),
            "front/latency_ms": np.linspace(1, 9, 8),
            "front/latency_ms_deviation": np.full(8, 0.3),
            "front/quality": np.linspace(1e9, 2e9, 8),
            "best/place": np.array([1, 2, 1]),
            "best/quality": np.array([1.2e9, 1.1e9, 1.5e9]),
            "best/latency_ms": np.array([2.5, 2.0, 5.0]),
            "best/latency_ms_limit": np.array([3.0, 3.0, 5.5]),
            "best/latency_ms_deviation": np.array([0.2, 0.2, 0.4]),
        }
        searched = "1000000000 of the 984770902183611232881 architectures of fbnet"
        self.result("search", arrays, {"method": "random"}, searched=searched, space="fbnet")
        with h5py.File(self.folder / "arrays.h5", "r+") as file:
            file.create_group("names").attrs["pixel3"] = "Pixel 3"
        body = search_front.draw(load(self.folder))["search_front"].subfigs[0]
        self.assertEqual(
            body.get_suptitle(),
            "Pareto front by random search\n10⁹ of the 9.8 × 10²⁰ architectures of FBNet",
        )
        (axes,) = body.axes
        self.assertEqual((axes.get_ylabel(), axes.get_xlabel()), ("MACs (G)", "latency on Pixel 3 (ms)"))
        limits = [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "--"]
        self.assertEqual(limits, [3.0, 5.5])
        (stars,) = (line for line in axes.lines if line.get_marker() == "*")
        np.testing.assert_allclose(stars.get_ydata(), [1.2, 1.5])  # the best of each limit, not the second
        self.assertEqual(len(axes.containers), 1)  # their error bars
        said = [text.get_text() for text in body.legends[0].get_texts()]
        self.assertIn("± a standard deviation of one measurement", said)
        self.assert_pictures("search_front.png")

    def test_units_in_powers_that_people_read(self) -> None:
        for text, unit, largest, expected in (
            ("MACs", "multiply-accumulates", 6e8, ("MACs (M)", 1e-6)),
            ("parameters", "weights", 1.5e6, ("parameters (M)", 1e-6)),
            ("memory", "bytes", 3e9, ("memory (GB)", 1e-9)),
            ("latency", "ms", 2.0, ("latency (ms)", 1.0)),
            ("latency", "ms", 0.02, ("latency (µs)", 1e3)),
            ("CIFAR-10 test accuracy", "%", 94.0, ("CIFAR-10 test accuracy (%)", 1.0)),
            ("SRCC", "1", 1.0, ("SRCC", 1.0)),
        ):
            self.assertEqual(words.axis(text, unit, np.array([0.0, largest, np.nan])), expected)

    def test_a_png_file_is_small(self) -> None:
        figure, body = style.sheet(6, 4, "origin")
        body.subplots().pcolormesh(RANDOM.uniform(0, 1, (40, 40)), cmap="viridis")
        plain, small = io.BytesIO(), io.BytesIO()
        figure.savefig(plain, format="png")
        style.write_png(figure, small)
        self.assertLess(len(small.getvalue()), 0.6 * len(plain.getvalue()))
        drawn, kept = (np.asarray(Image.open(file).convert("RGB")).astype(int) for file in (plain, small))
        self.assertEqual(drawn.shape, kept.shape)
        self.assertLess(np.abs(drawn - kept).mean(), 3)  # of 255
        style.plt.close(figure)

    def test_no_panel_is_left_alone(self) -> None:
        self.assertEqual([len(page) for page in style.pages(25)], [8, 8, 9])
        self.assertEqual([len(page) for page in style.pages(12)], [12])
        self.assertEqual(style.pages(0), [])

    def test_fronts_of_targets_in_units_of_their_own(self) -> None:
        arrays: dict[str, Any] = {}
        for target in ("metric:user:energy", "pixel3"):
            arrays |= {f"fronts/{target}/target/{key}": value for key, value in front(5).items()}
        arrays |= {
            "targets/name": ["pixel3", "metric:user:energy"],
            "targets/label": ["measured latency", "energy"],
            "targets/unit": ["ms", "mJ"],
        }
        self.result("front_transfer", arrays, quality="q")
        panels = pareto.draw(load(self.folder))["pareto"].subfigs[0].axes
        self.assertEqual([axes.get_xlabel() for axes in panels], ["energy (mJ)", "measured latency (ms)"])
        self.assert_pictures("pareto.png")

    def test_few_shot(self) -> None:
        arrays: dict[str, Any] = {"tasks": ["first", "second"]}
        for task, targets in (("first", 3), ("second", 1)):
            shape = (targets, 2, 4)
            arrays |= {
                f"task/{task}/samples": np.array([20, 5]),
                f"task/{task}/srcc": RANDOM.uniform(0.7, 1, shape),
                f"task/{task}/expected_srcc": RANDOM.uniform(0.7, 1, shape),
                f"task/{task}/probability_strong": RANDOM.uniform(0, 1, shape),
                f"task/{task}/variant_srcc": RANDOM.uniform(0.3, 1, (targets, 4, 4)),
            }
        arrays |= {"task/first/published_names": ["HELP"], "task/first/published_srcc": np.array([0.9])}
        self.result("few_shot", arrays)
        self.assert_pictures("few_shot.png", "reliability.png")
        axes = few_shot.draw(load(self.folder))["reliability"].subfigs[0].axes[0]
        dots = np.concatenate([collection.get_offsets() for collection in axes.collections])
        self.assertGreater(dots.min(), max(axes.get_xlim()[0], axes.get_ylim()[0]))  # of few dots none is left out
        arrays["task/first/expected_srcc"][1:] = np.nan  # eight dots, and eight of the other task
        arrays["task/second/expected_srcc"] *= np.nan
        self.result("few_shot", arrays)
        self.assert_pictures("few_shot.png")
        for task in ("first", "second"):  # a method that expects nothing
            arrays[f"task/{task}/expected_srcc"] *= np.nan
        self.result("few_shot", arrays)
        self.assert_pictures("few_shot.png")

    def test_device_features(self) -> None:
        arrays: dict[str, Any] = {"tasks": ["t", "u"], "features": ["a", "b"], "samples": np.array([0, 5, 20])}
        for panel, targets in (("t/lodo", 4), ("t/lofo", 4), ("u/targets", 1)):
            srcc = RANDOM.uniform(0.7, 1, (targets, 2, 3, 2))
            srcc[:, 1, 0] = np.nan  # a feature that needs measurements
            arrays[f"task/{panel}/srcc"] = srcc
        self.result("device_features", arrays)
        self.assert_pictures("device_features.png")

    def test_searchers(self) -> None:
        values = np.array([[1.0, 0.1], [2.0, 0.0], [np.nan, np.nan]])
        arrays = {
            "searchers": ["one", "two", "finds nothing"],
            "search_budgets": np.array([100, 1000]),
            "regret/mean": values,
            "regret/q10": values / 2,
            "regret/q90": values * 2,
            "hypervolume/mean": 1 - values / 10,
        }
        self.result("searchers", arrays, {"quality": "MACs"})
        self.assert_pictures("searchers.png")
        with h5py.File(self.folder / "arrays.h5", "r+") as file:
            for name in ("mean", "q10", "q90"):
                file[f"regret/{name}"][...] = values * 1e7
            file["regret/mean"].attrs["units"] = "multiply-accumulates"
        left = self.body(searchers, "searchers").axes[0]
        self.assertIn("regret: MACs lost (M)", left.get_ylabel())
        self.assertLess(left.get_ylim()[1], 1000)  # millions

    def test_proxy_sweep(self) -> None:
        arrays = {
            "devices": [f"d{i}" for i in range(5)],
            "srcc": matrix(5),
            "sweep_budgets": np.array([10, 20]),
            "sweep_srcc": np.stack([matrix(5), matrix(5)]),
        }
        self.result("proxy_sweep", arrays)
        self.assert_pictures("proxy_sweep.png", "srcc_heatmap.png")

    def test_cost_of_n_devices(self) -> None:
        strategies = ["each_device", "one_proxy", "few_shot", "one_pass", "proposals_10"]
        arrays = {
            "cost/a task/strategies": strategies,
            "cost/a task/n": np.array([1, 10, 1000]),
            "cost/a task/measurements": np.array([[512, 5120, 512000]] + [[600, 700, 20600]] * 4),
            "cost/a task/devices": [f"d{i}" for i in range(1000)],
            "cost/a task/real": np.arange(1000) < 7,
        }
        for name in ("regret_share", "over", "over_5_percent", "unanswered"):
            arrays[f"cost/a task/{name}"] = np.array([0.1, 0.3, 0.0, 0.2, np.nan])
        self.result("cost_of_n_devices", arrays)
        self.assert_pictures("cost_a task.png")  # without seconds
        seconds = {f"a task: {name}, n = {n}": 0.5 * n for name in strategies for n in (1, 10, 1000)}
        (self.folder / "provenance.json").write_text(json.dumps({"seconds": seconds}))
        self.assert_pictures("cost_a task.png")

    def test_limits_kept(self) -> None:
        arrays: dict[str, Any] = {"limits_kept_tasks": ["rows", "whole"]}
        for task, calibrations in (("rows", ("calibrated", "uncalibrated")), ("whole", ("calibrated",))):
            arrays[f"limits_kept/{task}/confidences"] = np.array([0.5, 0.9])
            for which in calibrations:
                group = f"limits_kept/{task}/{which}"
                shape = (4, 2, 3, 5)
                latency = RANDOM.uniform(8, 11, shape)
                latency[0, 0, 2] = np.nan  # nothing was found
                arrays[f"{group}/latency_ms"] = latency
                arrays[f"{group}/limit_ms"] = np.full(shape, 10.0)
                arrays[f"{group}/probability"] = RANDOM.uniform(0.4, 1, shape)
                arrays[f"{group}/quality"] = np.where(np.isnan(latency), np.nan, 70.0)
                arrays[f"{group}/best_quality"] = np.full(shape, 71.0)
        self.result("limits_kept", arrays)
        self.assert_pictures("limits_kept.png")
        self.result("limits_kept", {name: value for name, value in arrays.items() if "uncalibrated" not in name})
        said = [text.get_text() for text in self.body(limits_kept, "limits_kept").legends[0].get_texts()]
        self.assertEqual(said, ["rows", "whole"])  # and nothing that is not drawn

    def test_front_loop(self) -> None:
        group = "front_loop/a_task"
        methods = ["loop", "plan_10", "plan_70", "adaproxy_70", "random"]
        arrays: dict[str, Any] = {
            "front_loop_tasks": ["a_task"],
            f"{group}/methods": methods,
            f"{group}/measured": np.array([10, 60]),
        }
        for method, length in zip(methods, (60, 60, 98, 100, 60)):
            arrays[f"{group}/{method}/hypervolume"] = np.sort(RANDOM.uniform(0.3, 1, (4, 2, 3, length)), axis=-1)
            arrays[f"{group}/{method}/hypervolume"][..., -1] = 1  # nothing is left to find
            arrays[f"{group}/{method}/regret"] = 10 ** -RANDOM.uniform(0, 3, (4, 2, 3, length))
        self.result("front_loop", arrays)
        self.assert_pictures("front_loop_a_task.png")

    def test_labels_never_flatter(self) -> None:
        self.assertEqual(
            [heatmap._label(v) for v in (1.0, 0.999, 0.9, 0.899, 0.854, -0.25, np.nan)],
            ["1", ".99", ".90", ".89", ".85", "-.25", "–"],
        )


class Output(Plot):
    def setUp(self) -> None:
        super().setUp()
        self.result("monotonicity", {"devices": ["a", "b"], "srcc": matrix(2)})

    def test_both_formats_and_again(self) -> None:
        self.assert_pictures("srcc_heatmap.png", "srcc_heatmap.pdf", arguments=())
        first = (self.folder / "figures" / "srcc_heatmap.pdf").read_bytes()
        self.assert_pictures("srcc_heatmap.png", "srcc_heatmap.pdf", arguments=())
        self.assertEqual((self.folder / "figures" / "srcc_heatmap.pdf").read_bytes(), first)

    def test_other_folder_is_never_overwritten(self) -> None:
        out = self.folder.parent / "pictures"
        self.assert_pictures("srcc_heatmap.png", arguments=("--out", out, "--format", "png"))
        self.assert_refused("is there already", "--out", arguments=("--out", out))

    def test_unwritable(self) -> None:
        (self.folder / "figures").write_text("a file")
        self.assert_refused("can not be written")


class Refused(Plot):
    def test_no_folder(self) -> None:
        self.folder = self.folder / "none"
        self.assert_refused("there is no such folder")

    def test_unfinished(self) -> None:
        self.result("search", {})
        (self.folder / "DONE").unlink()
        self.assert_refused("no DONE")

    def test_nothing_to_draw(self) -> None:
        self.result("somewhat", {"x": np.zeros(3)})
        self.assert_refused("no picture for a result of kind 'somewhat'")

    def test_damaged(self) -> None:
        for name in ("arrays.h5", "summary.json", "provenance.json"):
            self.result("monotonicity", {"devices": ["a", "b"], "srcc": matrix(2)})
            path = self.folder / name
            path.write_bytes(path.read_bytes()[:1])
            self.assert_refused(name, "can not be read")
            path.unlink()
            self.assert_refused(name, "can not be read")

    def test_arrays_that_do_not_fit(self) -> None:
        self.result("adaproxy", {"devices": ["a", "b"], "srcc_before": np.zeros(3), "srcc_after": np.zeros((2, 2))})
        self.assert_refused("arrays.h5", "do not fit")

    def test_as_a_program(self) -> None:
        run = support.run_tool("plot_results.py", "--help")
        self.assertEqual(run.returncode, 0)
        self.assertIn("RESULT_DIR", run.stdout)
        run = support.run_tool("plot_results.py", self.folder)
        self.assertEqual((run.returncode, run.stderr.count("\n")), (1, 1), run.stderr)
        self.assertIn("plot_results.py: error: ", run.stderr)


if __name__ == "__main__":
    unittest.main()
