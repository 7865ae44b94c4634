#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <vector>

#include "experiments/cli/program.h"
#include "experiments/runner.h"
#include "python/bindings/bindings.h"
#include "python/bindings/long_call.h"

namespace oneproxy::python {
namespace {

namespace nb = nanobind;

// The result folder.
std::string run(const std::string& config, const std::vector<std::string>& overrides, const std::string& out,
                bool force, const std::string& command) {
  return long_call([&] { return run_experiment({config, overrides, out, force, command}); });
}

// The exit status. For a process that does nothing else: its signals are the program's from here on.
int program(const std::vector<nb::bytes>& arguments) {
  std::vector<std::string> copies;
  for (const auto& argument : arguments) copies.emplace_back(argument.c_str(), argument.size());
  std::vector<char*> words;
  for (auto& copy : copies) words.push_back(copy.data());
  words.push_back(nullptr);
  return without_gil([&] { return run_program(static_cast<int>(arguments.size()), words.data()); });
}

}  // namespace

void add_run(nb::module_& module) {
  module.def("run", &run, nb::arg("config"), nb::arg("overrides"), nb::arg("out"), nb::arg("force"),
             nb::arg("command"));
  module.def("program", &program, nb::arg("arguments"));
}

}  // namespace oneproxy::python
