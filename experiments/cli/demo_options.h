#pragma once
// `oneproxy demo` and `oneproxy demo-phone` of the command line.
#include <string>

#include "experiments/cli/demo.h"

namespace CLI {
class App;
}

namespace oneproxy {

// Adds the commands; `run` runs the commands that the demo shows.
void add_demo_commands(CLI::App& app, std::string& output, CommandRunner run);

}  // namespace oneproxy
