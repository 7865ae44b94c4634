#pragma once
// `oneproxy import` of the command line.
#include <string>

namespace CLI {
class App;
}

namespace oneproxy {

// Adds the command; when it runs, it says in `output` what it did.
void add_import_command(CLI::App& app, std::string& output);

}  // namespace oneproxy
