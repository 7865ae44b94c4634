#pragma once
// From a configuration to a finished result folder: what is the same for all kinds of experiment.
#include <optional>
#include <string>
#include <vector>

#include "experiments/shards.h"

namespace oneproxy {

struct RunOptions {
  std::string config;                  // a file, or the short name of one that ships; "": all keys are overrides
  std::vector<std::string> overrides;  // "key=value"
  std::string out = "results";
  bool force = false;
  std::string command;                // as typed, for the provenance
  Shard shard = {};                   // this part alone
  std::optional<Shards> merged = {};  // nothing is left to do: these have done it
  Processes* processes = nullptr;     // that share the run; null: alone
};

// Runs, or finds the finished result of the same settings and data. Returns the result folder; of a shard its file,
// which `oneproxy merge` takes.
std::string run_experiment(const RunOptions& options);

// As a shard's file keeps them, and back: what says which experiment it is.
std::string text_of(const RunOptions& options);
RunOptions run_options_of(const std::string& text);

// All errors that a run would meet before its work begins. Returns a line about what would run.
std::string check_experiment(const RunOptions& options);

// Keys of a kind with type, default and meaning, as text. Error offers the kinds there are.
std::string describe_kind(const std::string& kind);

}  // namespace oneproxy
