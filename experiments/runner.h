#pragma once
// From a configuration to a finished result folder: what is the same for all kinds of experiment.
#include <string>
#include <vector>

namespace oneproxy {

struct RunOptions {
  std::string config;                  // a file, or the short name of one that ships; "": all keys are overrides
  std::vector<std::string> overrides;  // "key=value"
  std::string out = "results";
  bool force = false;
  std::string command;  // as typed, for the provenance
};

// Runs, or finds the finished result of the same settings and data. Returns the result folder.
std::string run_experiment(const RunOptions& options);

// All errors that a run would meet before its work begins. Returns a line about what would run.
std::string check_experiment(const RunOptions& options);

// Keys of a kind with type, default and meaning, as text. Error offers the kinds there are.
std::string describe_kind(const std::string& kind);

}  // namespace oneproxy
