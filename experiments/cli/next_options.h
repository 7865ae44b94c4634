#pragma once
// The options of `oneproxy next` (cli/next_command.h) on the command line.
#include <string>

namespace CLI {
class App;
}

namespace oneproxy {

// `output` gets what the command prints; it must outlive the parsing.
void add_next_command(CLI::App& app, std::string& output);

}  // namespace oneproxy
