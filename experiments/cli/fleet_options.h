#pragma once
// `oneproxy fleet` of the command line.
#include <string>

namespace CLI {
class App;
}

namespace oneproxy {

// Adds the command; when it runs, it says in `output` what it found. `call`: how the program was called, for the
// record.
void add_fleet_command(CLI::App& app, const std::string& call, std::string& output);

}  // namespace oneproxy
