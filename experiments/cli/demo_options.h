#pragma once
// `oneproxy demo` and `oneproxy demo-phone` of the command line.
#include <string>

#include "experiments/cli/demo.h"

namespace CLI {
class App;
}

namespace oneproxy {

// Adds the commands; `run` runs those that the demo shows, `program` is how they begin there.
void add_demo_commands(CLI::App& app, std::string& output, const std::string& program, CommandRunner run);

}  // namespace oneproxy
