#pragma once
// The keys of kind limits_kept. The file's own keys are the defaults of its [[task]] tables.
#include <cstdint>
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/method_registry.h"
#include "oneproxy/engine/base/config.h"

namespace oneproxy::limits_kept {

enum class Over { rows, space };  // what is searched: the rows of the set, or the whole space

struct Settings {
  // Of a task alone.
  std::string name, space, space_reference;
  std::vector<std::string> targets, sources;  // sources: "all" but the target, or "none"
  std::string quality;                        // what the searches maximise
  Over over = Over::rows;

  // Of the file, or of a task.
  std::string set = "help", geometry;
  int samples_source = 1000, samples_target = 20, trials = 4;
  std::vector<double> confidences = {0.5, 0.8, 0.9, 0.95};
  std::vector<double> limits = {0.1, 0.25, 0.5, 0.75, 0.9};  // quantiles of the target's latencies
  MethodChoice method;
  std::uint64_t seed = 1;
};

// The file's keys, then those of each [[task]]. Errors: a name twice, confidences that a search would refuse.
std::vector<Settings> read_tasks(Config& config, std::uint64_t seed);

}  // namespace oneproxy::limits_kept
