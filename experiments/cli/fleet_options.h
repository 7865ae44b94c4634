#pragma once
// `oneproxy fleet` of the command line.
#include <string>

namespace CLI {
class App;
}

namespace oneproxy {

// Adds the command; when it runs, it says in `output` what it found.
void add_fleet_command(CLI::App& app, std::string& output);

}  // namespace oneproxy
