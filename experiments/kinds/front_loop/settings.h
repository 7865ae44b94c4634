#pragma once
// The keys of kind front_loop. The file's own keys are the defaults of its [[task]] tables; what summaries are keyed by
// stands in the file alone.
#include <cstdint>
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/adaproxy/trial.h"
#include "oneproxy/engine/base/config.h"

namespace oneproxy::front_loop {

enum class Over { rows, space };  // where networks are looked for: the rows of the set, or the whole space

struct Settings {
  // Of a task alone.
  std::string name, space, space_reference;
  std::vector<std::string> targets, sources;  // sources: "all" but the target
  std::vector<std::string> qualities;         // one loop each
  Over over = Over::rows;

  // Of the file, or of a task.
  std::string set = "help", geometry;
  std::string proxy;  // "": the first of the sources
  int samples_source = 0, trials = 3;
  double within = 0.1;  // regret at given limits that counts as none, in the quality's unit

  // Of the file.
  std::vector<std::int64_t> measured = {10, 20, 30, 40, 60};         // counts that are reported
  std::vector<std::int64_t> limits_measured = {10, 15, 20, 30, 40};  // of the loop with limits
  std::vector<std::int64_t> plans = {10, 20, 70};                    // samples of a plan
  std::vector<double> limits = {0.1, 0.25, 0.5};                     // quantiles, given to the loop
  std::vector<double> regret_limits = {0.1, 0.25, 0.5, 0.75};        // quantiles, at which answers are judged
  std::vector<std::int64_t> repeats = {1, 3};                        // of each answer, on a device that scatters
  int batch = 5;
  double floor = 0.25, stop_gain = 0.01;
  Norm norm = Norm::l2;
  SampleBudget budget;  // of AdaProxy
  std::uint64_t seed = 1;
};

// The file's keys, then those of each [[task]]. Errors: a name twice, a list without a value.
std::vector<Settings> read_tasks(Config& config, std::uint64_t seed);

}  // namespace oneproxy::front_loop
