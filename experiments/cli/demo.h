#pragma once
// `oneproxy demo`: from a phone of which nothing is known to networks for it, by the commands that a person would type.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace oneproxy {

struct DemoOptions {
  std::string out = "oneproxy_demo";  // folder for all files
  std::uint64_t seed = 1;             // of the noise of the phone's measurements
  std::string program = "oneproxy";   // as it was called, so that what is shown can be typed
};

// Runs the words of one command, without the program's name before them, as the program would; -> what it has for
// standard output.
using CommandRunner = std::function<std::string(const std::vector<std::string>&)>;

// Prints each command before it runs it and what it says after; at the end what was predicted beside the truth, which
// is known because the phone is simulated (demo_phone.h). Error: the folder is there already.
void run_demo(const DemoOptions& options, const CommandRunner& run);

}  // namespace oneproxy
