#pragma once
// `oneproxy merge`: from the files of all shards of a run to the result that one process would have given.
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace oneproxy {

// `command`: as typed, for the provenance.
void add_merge_command(CLI::App& app, const std::string& command, std::string& output);

}  // namespace oneproxy
