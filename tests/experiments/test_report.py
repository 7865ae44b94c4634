"""`oneproxy report`: a page of each kind of result, as the program makes it and as a browser shows it."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import h5py  # noqa: E402
import numpy as np  # noqa: E402
from browser import Browser  # noqa: E402
from support import (  # noqa: E402
    CONFIGS,
    HANG,
    PROGRAM,
    ROOT,
    STORE,
    TRAINS,
    ProgramCase,
    Result,
    cell_string,
    config,
    environment,
    sets,
)

sys.path.insert(0, str(ROOT / "python"))
from oneproxy_results import load  # noqa: E402
from oneproxy_results.report import asked, html, markdown, panels, words  # noqa: E402
from oneproxy_results.report.panels import heat_map, transfer  # noqa: E402

TARGETS = sets(targets=["fpga", "raspi4", "pixel3"])
SMOKE: dict[str, tuple[Path, list[str]]] = {
    "monotonicity": (config("nasbench201", "monotonicity"), sets(architectures=400, resamples=5)),
    "adaproxy": (config("nasbench201", "adaproxy"), [*TARGETS, *sets(trials=2, curve=[20, 40])]),
    "front_transfer": (config("nasbench201", "front_transfer"), TARGETS),
    "search": (config("nasbench201", "search"), []),
    "searchers": (config("nasbench201", "searchers"), sets(trials=1)),
    "accuracy_model": (config("fbnet", "accuracy"), []),
    "few_shot": (CONFIGS / "few_shot" / "smoke_nasflat_tasks.toml", []),
    "limits_kept": (CONFIGS / "limits" / "smoke_kept.toml", []),
    "front_loop": (CONFIGS / "front_loop" / "smoke_every_device.toml", []),
    "device_features": (CONFIGS / "scaling_up" / "smoke_device_features.toml", []),
    "proxy_sweep": (CONFIGS / "proxy_sweep" / "smoke_oneproxy.toml", []),
    "reproduce_nb201": (CONFIGS / "smoke_reproduce_nb201.toml", []),
}
if TRAINS:
    SMOKE |= {
        "train_predictor": (config("nasbench201", "train_predictor"), []),
        "neural_optimizer": (CONFIGS / "scaling_up" / "smoke_neural_optimizer.toml", []),
        "cost_of_n_devices": (CONFIGS / "scaling_up" / "smoke_cost_of_n_devices.toml", []),
    }


def made_up(folder: Path, kind: str, arrays: dict[str, Any], summary: dict[str, Any]) -> Path:
    """A result folder of a kind that this build can not run, or that nobody has yet."""
    folder.mkdir(parents=True)
    with h5py.File(folder / "arrays.h5", "w") as file:
        file.attrs.update({"kind": kind, "space": "nasbench201", "set": "help", "unit": "ms", "target": "latency on x"})
        for name, value in arrays.items():
            file[name] = np.array(value, dtype=h5py.string_dtype()) if isinstance(value, list) else value
    (folder / "summary.json").write_text(json.dumps(summary))
    (folder / "provenance.json").write_text(json.dumps({"version": "0.1.0", "commit": "0123456789ab", "seed": 7}))
    (folder / "report.md").write_text(
        f"# made_up ({kind})\n\nA text with `code`.\n\n| a |  b |\n| - | -: |\n| x | 1.5 |\n"
    )
    (folder / "DONE").write_text("")
    return folder


def trained(folder: Path) -> Path:
    measured = np.linspace(1, 9, 40)
    arrays = {
        "test/measured": measured,
        "test/predicted": measured * 1.1,
        "test/linear_predicted": measured * 0.8,
        "train_loss": np.array([1.0, 0.5, 0.2]),
        "validation_loss": np.array([1.1, 0.7, 0.6]),
    }
    return made_up(
        folder, "train_predictor", arrays, {"srcc": 0.8, "rmse": 0.5, "samples_test": 40, "linear.srcc": 0.9}
    )


def optimizer(folder: Path) -> Path:
    names = ["exact", "one_pass", "proposals_5"]
    group = "optimizer/nasbench201/cifar100/fitted/"
    columns = {key: np.array([0.99, 0.9, 0.95]) for key in ("hypervolume", "over", "over_5_percent", "regret")}
    return made_up(
        folder,
        "neural_optimizer",
        {group + "contenders": names} | {group + k: v for k, v in columns.items()},
        {"gap": 0.1},
    )


def cost(folder: Path) -> Path:
    ways, group = ["each_device", "one_proxy"], "cost/nasbench201/"
    arrays: dict[str, Any] = {
        group + "strategies": ways,
        group + "n": np.array([1, 10]),
        group + "measurements": np.array([[200, 2000], [200, 300]]),
        group + "devices": [f"d{i}" for i in range(10)],
        group + "real": np.arange(10) < 2,
    }
    arrays |= {group + key: np.array([0.01, 0.4]) for key in ("regret_share", "over", "over_5_percent", "unanswered")}
    return made_up(folder, "cost_of_n_devices", arrays, {"n_devices.nasbench201": 10})


def of_the_future(folder: Path) -> Path:
    arrays = {
        "rows": ["a", "b"],
        "columns": ["u", "v", "w"],
        "table": np.arange(6.0).reshape(2, 3),
        "line": np.arange(50.0),
    }
    return made_up(folder, "something_new", arrays, {"speed": 3.25, "gap": None, "gap.reason": "nothing was measured"})


MADE_UP = {"something_new": of_the_future}
if not TRAINS:
    MADE_UP |= {"train_predictor": trained, "neural_optimizer": optimizer, "cost_of_n_devices": cost}


def adapted(case: ProgramCase) -> Result:
    """A made-up device that slows down while it is measured, and what `oneproxy adapt --results` makes of it."""
    sources = ("--sources", "1080ti_1,silver_4114,pixel3")
    case.ok("plan", "--space", "nasbench201", "--k", 12, "--reference", 4, *sources, "--out", "plan.csv")
    rows = list(csv.DictReader((case.folder / "plan.csv").read_text().splitlines()))
    slower = [f"{r['arch']},{(5 + 3e-7 * float(r['macs'])) * (1 + 0.02 * i)}" for i, r in enumerate(rows)]
    (case.folder / "measured.csv").write_text("\n".join(["arch,latency_ms", *slower]) + "\n")
    files = ("--measurements", "measured.csv", "--predictions", "predicted.csv", "--out", "phone.h5")
    said = case.ok("adapt", "--space", "nasbench201", *sources, *files, "--drift", "--results", "results")
    result = Result(case.folder / said.splitlines()[-1])
    case.assertRegex(str(result.folder.relative_to(case.folder)), r"^results/adapt/phone-[0-9a-f]{10}$")
    return result


def fleet(case: ProgramCase) -> Result:
    """Three devices of the store as if they were one's own, one of them hardly measured, by `oneproxy fleet`."""
    with h5py.File(STORE) as store:
        group = store["spaces/nasbench201/help"]
        rows = np.random.default_rng(3).choice(len(group["choices"]), 20, replace=False)
        archs = [cell_string(cell) for cell in group["choices"][()][rows]]
        columns = [group["latency_ms"][name][()][rows] for name in ("fpga", "raspi4", "pixel3")]
    lines = ["arch,fpga (ms),raspi4 (ms),My phone (ms)"]
    for i, arch in enumerate(archs):
        a, b, c = (f"{column[i]:.6g}" for column in columns)
        lines.append(f"{arch},{a},{b},{c if i < 5 else 'timeout'}")
    (case.folder / "fleet.csv").write_text("\n".join(lines) + "\n")
    options = ("--sources", "1080ti_1,silver_4114,essential_ph_1", "--limits", "0.01,9", "--results", "results")
    return Result(case.folder / case.ok("fleet", "fleet.csv", "--space", "nasbench201", *options).splitlines()[-1])


class TestPages(ProgramCase):
    """Each kind's page in a browser."""

    place: tempfile.TemporaryDirectory
    browser: Browser

    @classmethod
    def setUpClass(cls) -> None:
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def report_of(self, kind: str) -> tuple[Result, Path]:
        if kind in MADE_UP:
            result = Result(MADE_UP[kind](self.folder / "made" / f"{kind}-01234567"))
        elif kind == "adapt":
            result = adapted(self)
        elif kind == "fleet":
            result = fleet(self)
        else:
            path, arguments = SMOKE[kind]
            result = self.run_config(path, *arguments)
        page = Path(self.ok("report", result.folder).splitlines()[-1])
        self.assertEqual(page, result.folder / "report.html")
        return result, page

    def open(self, page: Path) -> None:
        self.browser.open(page)
        self.assertEqual(self.browser.console(), [])
        asked = self.browser.requests()
        self.assertTrue(asked)
        self.assertEqual([url for url in asked if not url.startswith(("file:", "data:", "blob:"))], [])

    def test_every_kind(self) -> None:
        kinds = self.ok("list").split("Configurations")[0]
        for kind in re.findall(r"^\| (\w+) +\|", kinds, re.M)[1:]:
            self.assertIn(kind, {**SMOKE, **MADE_UP})
        for kind in ("adapt", "fleet", *SMOKE, *MADE_UP):
            with self.subTest(kind=kind):
                result, page = self.report_of(kind)
                self.open(page)
                text = self.browser.text()
                for heading in ("What was asked", "Figures", "Tables", "All numbers", "Where this comes from"):
                    self.assertIn(heading, text)
                shown = self.browser.run(
                    "return [...document.querySelectorAll('tr')].map((row) => [...row.cells].map((cell) => cell.textContent))"
                )
                values = {row[2]: row[1] for row in shown if len(row) == 3}
                for key, value in result.summary.items():
                    if not key.endswith(".reason"):
                        self.assertTrue(values[key].startswith(words.plain_value(value)), (key, value, values[key]))
                        if value is None:
                            self.assertIn(result.summary[f"{key}.reason"], values[key])
                drawn = self.browser.run("return document.querySelectorAll('.plot svg.main-svg, .chart img').length")
                self.assertGreater(drawn, 0)
                if kind not in MADE_UP:
                    self.assertIn("The answer", text)
                    self.assertIn(json.loads(result.text("provenance.json"))["commit"], text)
                    for sum_ in json.loads(result.text("provenance.json"))["data"].values():
                        self.assertIn(sum_, text)
                self.browser.driver.set_window_size(380, 800)  # a phone's
                self.browser.wait_for("document.documentElement.scrollWidth <= window.innerWidth")
                self.browser.driver.set_window_size(1200, 1000)

    def test_a_point_tells_its_architecture_and_gives_it_away(self) -> None:
        result, page = self.report_of("search")
        self.open(page)
        arch = self.over_a_point("answers")
        best = [value for key, value in result.summary.items() if key.startswith("arch.")]
        self.assertIn(arch, best)
        said = self.browser.run("return document.querySelector('.hoverlayer').textContent")
        self.assertIn(arch, said)
        self.click()
        self.browser.wait_for("document.getElementById('said').textContent !== ''")
        self.assertEqual(self.browser.run("return document.getElementById('said').textContent"), f"copied: {arch}")
        self.assertEqual(self.pasted(), arch)

        button = self.browser.driver.find_element("css selector", "button.copy")
        self.browser.run("arguments[0].click()", button)
        self.assertEqual(self.pasted(), button.get_attribute("data-copy"))

    def over_a_point(self, trace: str) -> str:
        """Puts the mouse on the first point of a trace, and says which architecture it is."""
        from selenium.webdriver.common.action_chains import ActionChains

        x, y, arch = self.browser.run(
            """const plot = [...document.querySelectorAll('.plot')].find((p) => p.data.some((t) => t.name === arguments[0]));
               plot.scrollIntoView({block: 'center'});
               const trace = plot.data.find((t) => t.name === arguments[0]), box = plot.getBoundingClientRect();
               const layout = plot._fullLayout, size = layout._size;
               return [box.left + size.l + layout.xaxis.d2p(trace.x[0]), box.top + size.t + layout.yaxis.d2p(trace.y[0]),
                       trace.customdata[0]];""",
            trace,
        )
        actions = ActionChains(self.browser.driver, duration=50)
        actions.w3c_actions.pointer_action.move_to_location(int(x) - 3, int(y) - 2)
        actions.w3c_actions.pointer_action.move_to_location(int(round(x)), int(round(y)))
        actions.perform()
        self.browser.wait_for("document.querySelector('.hoverlayer .hovertext') !== null")
        return arch

    def click(self) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.browser.driver).click().perform()

    def pasted(self) -> str:
        from selenium.webdriver.common.keys import Keys

        field = self.browser.run("return document.body.appendChild(document.createElement('textarea'))")
        field.send_keys(Keys.CONTROL, "v")
        text = field.get_attribute("value")
        self.browser.run("arguments[0].remove()", field)
        return text

    def test_a_fleet_has_its_networks_first(self) -> None:
        result, page = self.report_of("fleet")
        self.open(page)
        text = self.browser.text()
        for said in ("My phone (", "none keeps it", "Known devices as proxies", "How alike the devices"):
            self.assertIn(said, text)
        captions = self.browser.run("return [...document.querySelectorAll('.answer caption')].map((c) => c.textContent)")
        self.assertEqual(captions, ["The best network of each device within each limit", "The devices"])
        arch = self.over_a_point("chosen network, predicted")
        self.assertIn(arch, [value for key, value in result.summary.items() if key.startswith("arch.")])

    def test_another_target_is_chosen(self) -> None:
        _, page = self.report_of("front_transfer")
        self.open(page)
        visible = "return document.querySelector('.plot').data.map((trace) => trace.visible)"
        before = self.browser.run(visible)
        choose = self.browser.driver.find_element("css selector", "select")
        choose.send_keys("r")
        self.browser.wait_for("document.querySelector('select').selectedIndex > 0")
        self.assertNotEqual(self.browser.run(visible), before)
        self.assertEqual(sum(map(bool, self.browser.run(visible))), 3)

    def test_paper(self) -> None:
        _, page = self.report_of("search")
        self.open(page)
        pdf = self.browser.pdf()
        self.assertTrue(pdf.startswith(b"%PDF"))
        pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
        self.assertTrue(1 < pages < 8, pages)


class TestAdaptation(ProgramCase):
    def test_what_adapt_found_is_a_result(self) -> None:
        result = adapted(self)
        arrays, summary = result.arrays(), result.summary
        predicted = list(csv.DictReader((self.folder / "predicted.csv").read_text().splitlines()))
        for key, column in (("value", "measured_ms"), ("predicted", "latency_ms"), ("deviation", "deviation_ms")):
            want = [float(row[column]) for row in predicted]
            np.testing.assert_allclose(arrays[f"measured/{key}"], want, rtol=1e-8)
        self.assertEqual(
            [name.decode() for name in arrays["measured/architecture"]], [row["arch"] for row in predicted]
        )
        self.assertEqual(arrays["expected/samples"][-1], len(predicted))
        self.assertEqual(arrays["expected/srcc"][-1], summary["expected_srcc"])
        self.assertTrue((np.diff(arrays["expected/samples"]) > 0).all())
        self.assertGreater(len(arrays["expected/samples"]), 2)
        factor, reference = arrays["drift/factor"], arrays["drift/reference"]
        self.assertEqual(len(factor), len((self.folder / "measured.csv").read_text().splitlines()) - 1)
        self.assertTrue((np.diff(factor) >= -1e-9).all())  # ever slower
        self.assertEqual((factor.min(), factor.max()), (summary["drift_min"], summary["drift_max"]))
        self.assertGreaterEqual(reference.sum(), 3)
        self.assertTrue(summary["drift_divided_out"])


class TestCommand(ProgramCase):
    def setUp(self) -> None:
        super().setUp()
        self.result = trained(self.folder / "results" / "some-01234567")

    def test_the_page_of_the_same_result_is_replaced_and_nothing_else(self) -> None:
        lines = self.ok("report", self.result).splitlines()
        self.assertGreater(len(lines), 1)  # what to remember, and the file
        page = Path(lines[-1])
        self.assertEqual(page, self.result / "report.html")
        page.write_text(page.read_text().replace("</body>", "<p>old</p></body>"))
        self.ok("report", self.result)
        self.assertNotIn("<p>old</p>", page.read_text())

        other = trained(self.folder / "results" / "other-89abcdef")
        self.fault("report", other, "--html", page, says=("report.html", "--html", "--force"))
        self.ok("report", other, "--html", page, "--force")
        mine = self.folder / "mine.html"
        mine.write_text("my own")
        self.fault("report", self.result, "--html", mine, says=("mine.html", "--force"))
        self.assertEqual(mine.read_text(), "my own")

    def test_several_results_make_one_page(self) -> None:
        other = optimizer(self.folder / "results" / "other-89abcdef")
        self.fault("report", self.result, other, says=("--html",))
        page = self.folder / "new" / "both.html"
        self.assertEqual(Path(self.ok("report", self.result, other, "--html", page).splitlines()[-1]), page)
        text = page.read_text()
        self.assertEqual(text.count("<article "), 2)
        self.assertEqual(text.count("Plotly.newPlot(place"), 1)

    def test_faults(self) -> None:
        (self.folder / "empty").mkdir()
        self.fault("report", self.folder / "none", says=("none", "no such folder"))
        self.fault("report", self.folder / "empty", says=("empty", "DONE"))
        self.fault("report", self.result, "--html", self.folder, says=("is a folder", "--html"))
        self.fault("report", self.result, "--html", self.result / "DONE" / "x.html", says=("--html",))
        with h5py.File(self.result / "arrays.h5", "a") as file:
            del file["test/predicted"]
            file["test/predicted"] = np.zeros(3)
        self.fault("report", self.result, says=("arrays.h5", "do not fit", "--force"))

    def test_a_python_that_can_not(self) -> None:
        self.fault(
            "report",
            self.result,
            env={"ONEPROXY_PYTHON": "/no/python"},
            says=("/no/python", "ONEPROXY_PYTHON", "plotly"),
        )
        bare = self.folder / "bare"
        bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')  # without its packages
        bare.chmod(0o755)
        self.fault(
            "report",
            self.result,
            env={"ONEPROXY_PYTHON": str(bare)},
            says=("No module named", " -m pip install plotly h5py numpy scipy matplotlib)"),
        )

    def test_modules_of_the_working_folder_are_not_taken(self) -> None:
        for name in ("html", "plotly", "h5py"):
            (self.folder / f"{name}.py").write_text("raise SystemExit('taken')\n")
        self.ok("report", self.result)

    def test_interrupted(self) -> None:
        slow = self.folder / "slow"
        slow.write_text(f"#!/bin/sh\necho started\nexec sleep {HANG}\n")
        slow.chmod(0o755)
        run = subprocess.Popen(
            [PROGRAM, "report", self.result],
            env=environment() | {"ONEPROXY_PYTHON": str(slow)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert run.stdout is not None
        self.assertEqual(run.stdout.readline(), "started\n")
        run.send_signal(signal.SIGINT)
        self.assertEqual(run.wait(timeout=HANG), -signal.SIGINT)
        run.stdout.close()
        self.assertFalse((self.result / "report.html").exists())

    @unittest.skipIf(os.geteuid() == 0, "root writes everywhere")
    def test_a_folder_that_is_read_only(self) -> None:
        self.result.chmod(0o555)
        self.addCleanup(self.result.chmod, 0o755)
        self.fault("report", self.result, says=("--html",))


def target(name: str, before: float, after: float, proxy: float, adaproxy: float) -> transfer.Target:
    return transfer.Target(name, before, after, proxy, adaproxy, 0.0, 0.0, 70)


class TestNames(unittest.TestCase):
    def test_devices_and_networks_have_the_names_of_the_result(self) -> None:
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        arrays: dict[str, Any] = {
            "devices": ["raspi4", "pixel3"],
            "srcc": np.array([[1, 0.5], [0.5, 1]]),
            "front/choices": np.array([[0, 1], [1, 1]], dtype=np.uint8),
            "front/architecture": ["net a", "net b"],
            "front/latency_ms": np.array([-0.01, 2.0]),
            "front/quality": np.array([70.0, 80.0]),
            "objectives/name": ["quality", "latency_ms"],
            "objectives/label": ["quality", "raspi4"],
            "objectives/unit": ["%", "ms"],
            "objectives/direction": ["maximise", "minimise"],
        }
        sure = "certified: within limits the goal can be better by at most 0.3 (limit 1.5); the front is exact"
        summary = {"quality.1.5": None, "certainty": sure}
        folder = made_up(Path(place.name) / "named-01234567", "monotonicity", arrays, summary)
        with h5py.File(folder / "arrays.h5", "a") as file:
            file.create_group("names").attrs["raspi4"] = "Raspberry Pi 4"
        panel = panels.read(load(folder))
        self.assertIn("Raspberry Pi 4 and pixel3 (SRCC 0.50", " ".join(panel.sentences))
        self.assertIn("Nothing was found within 1.5 ms.", panel.sentences)
        front, table = panel.charts[:2]
        self.assertEqual(front.traces[0]["customdata"], ["net a", "net b"])
        self.assertEqual(front.layout["xaxis"]["title"]["text"], "latency on Raspberry Pi 4 (ms)")
        self.assertIn('data-copy="net b"', table.html)
        self.assertIn("below zero", front.caption)
        certain = [sentence for sentence in panel.sentences if "better by at most 0.3 (limit 1.5)." in sentence]
        self.assertEqual(len(certain), 1)
        self.assertNotIn("better ones may exist", certain[0])


class TestReasons(unittest.TestCase):
    """Why AdaProxy is worse: each reason only where the numbers bear it out."""

    def test_strong_proxies_need_no_help(self) -> None:
        said = transfer.reason([target("a", 0.95, 0.96, 0.99, 0.97), target("b", 0.5, 0.9, 0.9, 0.91)])
        for part in ("1 of the 2 targets", "0.9", "loses 2 %", "gains on the 1 other target", "1 %"):
            self.assertIn(part, said)

    def test_one_target_drags_the_mean_down(self) -> None:
        weak = [target(name, 0.5, 0.9, 0.90, 0.91) for name in "abcd"]
        said = transfer.reason([*weak, target("odd", 0.5, 0.9, 0.99, 0.80)])
        self.assertIn("loses much on odd", said)
        self.assertIn("19 %", said)

    def test_the_ranking_is_worse(self) -> None:
        said = transfer.reason([target(name, 0.8, 0.7, 0.9, 0.8) for name in "abc"])
        self.assertIn("on 3 of 3 targets the adapted predictor ranks the networks worse", said)

    def test_the_ranking_is_better_and_the_front_is_not(self) -> None:
        said = transfer.reason([target(name, 0.7, 0.8, 0.9, 0.8) for name in "abc"])
        self.assertIn("0.70 before, 0.80 after", said)
        self.assertIn("3 of 3", said)


class TestPieces(unittest.TestCase):
    def test_devices_that_are_alike_stand_together(self) -> None:
        group = np.array([0, 1, 0, 1, 2, 0])
        srcc = np.where(group[:, None] == group[None, :], 0.95, 0.4)
        np.fill_diagonal(srcc, 1)
        srcc[4, 0] = srcc[0, 4] = np.nan
        order, groups = heat_map.cluster(srcc)
        self.assertEqual(sorted(order), list(range(6)))
        self.assertEqual(np.count_nonzero(np.diff(group[order])), 2)
        self.assertEqual([sorted(g) for g in groups], [[0, 2, 5], [1, 3], [4]])

    def test_bars_within_code_part_no_cells(self) -> None:
        made = markdown.to_html("# t\n\n| limit | net |\n| ----: | --- |\n| 5 | `|none~0|+|skip~0|` |\n", 3).html
        self.assertIn('data-copy="|none~0|+|skip~0|"', made)
        self.assertEqual(made.count("<td"), 2)
        self.assertIn("&lt;script&gt;", markdown.to_html("# t\n\n<script>\n", 3).html)

    def test_long_cells_and_architectures_break_where_they_may(self) -> None:
        made = html.table(["devices", "n"], [[", ".join(["device"] * 9), "9"], ["one", "1"]], numeric=[1]).html
        self.assertEqual(made.count('<td class="long">'), 1)
        self.assertEqual(made.count('<td class="number">'), 2)
        arch = html.architecture("k3_e6|skip").html
        self.assertIn("<code>k3_e6|<wbr>skip</code>", arch)
        self.assertIn('data-copy="k3_e6|skip"', arch)

    def test_what_was_asked_has_plain_numbers(self) -> None:
        with tempfile.TemporaryDirectory() as place:
            folder = made_up(Path(place) / "asked-01234567", "search", {}, {})
            (folder / "config.toml").write_text("limits_ms = [5.0, 7.5]\n")
            self.assertIn("5 and 7.5", asked.settings(load(folder)).html)

    def test_keys_of_a_search_name_their_limit(self) -> None:
        self.assertEqual(words.plain_key("evaluated.25", of_limits=True), "networks evaluated, limit 25")
        self.assertEqual(words.plain_key("srcc_min.fpga"), "least SRCC: fpga")

    def test_numbers(self) -> None:
        for value, said in ((0.1 + 0.2, "0.3"), (984770902183611232881, "984.8 10^18"), (231240800.0, "231.2 million"),
                            (15625, "15,625"), (0, "0"), (float("nan"), words.UNKNOWN), (-0.00012, "-0.00012")):  # fmt: skip
            self.assertEqual(words.number(value), said)
        for value, said in (
            (0.99979, "99.98 %"),
            (0.999999, "99.99 %"),
            (1.0, "100 %"),
            (0.5, "50 %"),
            (0.0012, "0.12 %"),
        ):
            self.assertEqual(words.share(value), said)
        for value, said in ((0.89951, "0.900"), (0.99996, "0.9999"), (1.0, "1.00"), (0.5, "0.50")):
            self.assertEqual(words.srcc(value), said)


if __name__ == "__main__":
    unittest.main()
