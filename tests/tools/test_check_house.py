"""tools/check_house.py finds what it is for, and lets pass what is right."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import support  # noqa: E402

import check_house  # noqa: E402


class House(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.root = Path(holder.name)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def problems(self, check: str) -> list[str]:
        return list(check_house.CHECKS[check](self.root, check_house.house_files(self.root)))


class Includes(House):
    def include(self, source: str, line: str) -> list[str]:
        self.write(source, f"// a file\n{line}\n")
        found = self.problems("includes")
        (self.root / source).unlink()
        return found

    def test_downwards_is_right(self) -> None:
        for source, target in (
            ("kernels/base/a.cpp", "oneproxy/kernels/base/b.h"),
            ("kernels/score/cpu/a.cpp", "oneproxy/kernels/front/b.h"),
            ("engine/base/a.h", "oneproxy/kernels/base/b.h"),
            ("engine/adapt/design/a.cpp", "oneproxy/engine/train/b.h"),
            ("engine/space/a.h", "oneproxy/engine/space/b.h"),
            ("experiments/a.cpp", "oneproxy/engine/report/b.h"),
            ("experiments/kinds/a.cpp", "oneproxy/kernels/rank/b.h"),
            ("python/bindings/a.cpp", "oneproxy/engine/adapt/b.h"),
            ("python/bindings/a.cpp", "python/bindings/b.h"),
            ("python/bindings/a.cpp", "experiments/b.h"),
        ):
            self.assertEqual(self.include(source, f'#include "{target}"'), [], (source, target))

    def test_upwards_is_found(self) -> None:
        for source, target in (
            ("kernels/base/a.h", "oneproxy/engine/base/b.h"),
            ("kernels/base/a.cu", "experiments/b.h"),
            ("kernels/base/a.h", "oneproxy/kernels/rank/b.h"),
            ("kernels/rank/a.cu", "oneproxy/kernels/front/b.h"),
            ("kernels/front/a.h", "oneproxy/kernels/score/b.h"),
            ("kernels/new/a.h", "oneproxy/kernels/base/b.h"),
            ("engine/base/a.h", "oneproxy/engine/data/b.h"),
            ("engine/base/a.h", "python/bindings/b.h"),
            ("experiments/a.h", "python/bindings/b.h"),
            ("engine/data/a.cpp", "oneproxy/engine/space/b.h"),
            ("engine/search/a.cpp", "oneproxy/engine/report/b.h"),
            ("engine/base/a.h", "experiments/b.h"),
            ("experiments/a.cpp", "tests/support/b.h"),
            ("engine/new/a.h", "oneproxy/engine/base/b.h"),
        ):
            found = self.include(source, f'  # include "{target}"')
            self.assertEqual(len(found), 1, (source, target))
            self.assertIn(f"{source}:2: ", found[0])

    def test_includes_carry_the_name_of_the_project(self) -> None:
        found = self.include("experiments/a.cpp", '#include "engine/report/b.h"')
        self.assertEqual(len(found), 1)
        self.assertIn("oneproxy/engine/report/b.h", found[0])

    def test_relative_include_counts_by_where_it_leads(self) -> None:
        self.write("engine/space/b.h", "")
        self.assertEqual(len(self.include("engine/data/a.cpp", '#include "../space/b.h"')), 1)
        self.assertEqual(self.include("engine/search/a.cpp", '#include "../space/b.h"'), [])

    def test_heavy_headers(self) -> None:
        self.assertEqual(self.include("engine/data/a.cpp", "#include <hdf5.h>"), [])
        for line in ("#include <hdf5.h>", "#include <torch/torch.h>", "#include <H5Cpp.h>"):
            self.assertEqual(len(self.include("engine/data/a.h", line)), 1, line)
        for line in ("#include <hdf5.h>", "#include <nlohmann/json.hpp>", "#include <toml++/toml.h>"):
            self.assertEqual(len(self.include("kernels/a.cpp", line)), 1, line)


class Types(House):
    def test_two_of_one_name(self) -> None:
        self.write("engine/base/a.h", "namespace oneproxy {\nstruct Twice {\n};\nclass Twice;\n}  // namespace oneproxy\n")
        self.write("experiments/b.cpp", "namespace oneproxy {\nclass Twice : public A {\n};\n}  // namespace oneproxy\n")
        (found,) = self.problems("types")
        self.assertRegex(found, "^experiments/b.cpp:2: oneproxy::Twice is another type at engine/base/a.h:2")

    def test_names_of_their_own(self) -> None:
        own = "namespace oneproxy {\nnamespace {\nstruct Twice {\n};\n}  // namespace\n}  // namespace oneproxy\n"
        for name in ("engine/base/a.cpp", "engine/base/b.cpp"):
            self.write(name, own)
        self.write("engine/base/a.h", "namespace oneproxy::a {\nstruct Twice {\n};\n}  // namespace oneproxy::a\n")
        self.write("engine/base/b.h", "namespace oneproxy::b {\nstruct Twice {\n};\n}  // namespace oneproxy::b\n")
        self.assertEqual(self.problems("types"), [])


class Tests(House):
    def test_skips_without_a_gpu_go_through_the_helper(self) -> None:
        self.write("tests/a_test.cpp", 'if (cuda_device_count() == 0) GTEST_SKIP() << "no";\n')
        self.assertRegex("".join(self.problems("tests")), "a_test.cpp:1.*ONEPROXY_NEEDS_CUDA")
        self.write("tests/a_test.cpp", 'ONEPROXY_NEEDS_CUDA();\nif (cuda_device_count() > 0) GTEST_SKIP() << "yes";\n')
        self.assertEqual(self.problems("tests"), [])


class Papers(House):
    def setUp(self) -> None:
        super().setUp()
        self.write("engine/space/space.h", "")
        self.write("configs/nasbench201/front_transfer.toml", "")
        self.write("tools/quickstart", "")
        self.write("docs/architecture.md", "")

    def named(self, text: str, paper: str = "README.md") -> list[str]:
        self.write(paper, text + "\n")
        found = self.problems("papers")
        self.write(paper, "")
        return found

    def test_what_exists(self) -> None:
        for text in (
            "`engine/space/space.h`",
            "`engine/`",
            "`engine/space/`",
            "`tools/quickstart --data DIR`",
            "`space.h`",
            "`space/space.h`",
            "`configs/<space>/<kind>.toml`",
            "`configs/*/*.toml`",
            "`engine/space/*.h`",
            "`configs/nasbench201/{front_transfer}.toml`",
            "`./tools/quickstart`",
            "[x](docs/architecture.md#here)",
            "`engine/space/space.h:12`",
            "`oneproxy/engine/space/space.h`",
            "```\ntools/quickstart\n```",
        ):
            self.assertEqual(self.named(text), [], text)

    def test_what_is_no_path_of_ours(self) -> None:
        for text in (
            "`build/oneproxy`",
            "`results/<kind>/<name>-<hash>/`",
            "`ms/row`",
            "`data/nasbench201/latency`",
            "`https://example.org/engine/x.h`",
            "`--set a=b/c`",
            "`/spaces/x/y`",
            "`summary.json`",
            "`$DIR/tools/x`",
            "engine/nothing.h without ticks",
            "[x](https://example.org)",
            "`../shared/data.h`",
            "`O(n/2)`",
        ):
            self.assertEqual(self.named(text), [], text)

    def test_what_does_not_exist(self) -> None:
        for text in (
            "`engine/space/spaces.h`",
            "`oneproxy/engine/space/spaces.h`",
            "`tools/quickstrat`",
            "`engin/space/x.h`",
            "`nothing.cpp`",
            "`configs/<space>/<kind>.json`",
            "`configs/nasbench201/{front_transfer,adaproxy}.toml`",
            "[x](docs/missing.md)",
            "```\ntools/missing --all\n```",
            "`docs/images/heat.png`",
        ):
            found = self.named(text)
            self.assertEqual(len(found), 1, text)
            self.assertRegex(found[0], r"^README\.md:\d: ")

    def test_links_start_at_the_paper(self) -> None:
        self.assertEqual(self.named("[x](architecture.md) [y](../tools/quickstart)", "docs/more.md"), [])
        self.assertEqual(len(self.named("[x](tools/quickstart)", "docs/more.md")), 1)

    def test_configs(self) -> None:
        self.assertEqual(len(self.named("# see `engine/space/none.h`", "configs/nasbench201/x.toml")), 1)


class Words(House):
    def test_found(self) -> None:
        for text in (
            "see /wo" + "rk/main",
            '"/ro' + 'ot/x"',
            "cd /ho" + "me/me",
            "from /tmp/pro" + "to/x",
            "https://py" + "pi.org/simple",
        ):
            self.write("docs/a.md", f"fine\n{text}\n")
            found = self.problems("words")
            self.assertEqual(len(found), 1, text)
            self.assertTrue(found[0].startswith("docs/a.md:2: "))

    def test_not_found(self) -> None:
        self.write("a.md", "network/work/x ${A}/wo" + "rk/x a/ro" + "ot/b PyPI\n")
        (self.root / "a.bin").write_bytes(b"\0/wo" + b"rk/x")
        self.assertEqual(self.problems("words"), [])


class Format(House):
    def test_format(self) -> None:
        self.write(".clang-format", (support.ROOT / ".clang-format").read_text())
        self.write("kernels/good.h", "int f(int x);\n")
        self.assertEqual(self.problems("format"), [])
        self.write("kernels/bad.h", "int  f( int x ) ;\n")
        found = self.problems("format")
        self.assertEqual(len(found), 1)
        self.assertIn("kernels/bad.h:1: not formatted", found[0])


class Program(House):
    def test_files_of_git(self) -> None:
        subprocess.run(["git", "init", "-q", str(self.root)], check=True)
        for name in ("kept.md", "ignored.md", ".gitignore"):
            self.write(name, "ignored.md\n")
        self.assertEqual(check_house.house_files(self.root), [".gitignore", "kept.md"])

    def test_exit_code_and_lines(self) -> None:
        self.write("README.md", "`tools/none`\n")
        self.write("tools/some", "")
        run = support.run_tool("check_house.py", "--root", self.root)
        self.assertEqual((run.returncode, run.stdout), (1, "README.md:1: tools/none does not exist\n"))
        self.assertEqual(support.run_tool("check_house.py", "words", "--root", self.root).returncode, 0)
        self.assertEqual(support.run_tool("check_house.py", "wrods", "--root", self.root).returncode, 2)


if __name__ == "__main__":
    unittest.main()
