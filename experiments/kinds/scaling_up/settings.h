#pragma once
// What both experiments of the sister paper's optimizer read: the space, its qualities, who is left out, how the
// optimizer is trained and how targets are adapted to.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/method_registry.h"
#include "oneproxy/engine/base/config.h"
#include "oneproxy/engine/optimizer/train_optimizer.h"

namespace oneproxy::scaling_up {

// The keys that say how an optimizer is trained, of a command as of an experiment. What is held already are the
// defaults.
void read_optimizer(Config& config, OptimizerSettings& settings);

enum class Kind { neural_optimizer, cost_of_n_devices };

// Of the cost of n devices alone.
struct FleetSettings {
  std::vector<std::int64_t> n = {1, 3, 10, 30, 100, 300, 1000};  // devices
  std::vector<std::string> targets = {"all"};                    // real ones, sources aside
  int generated = 1000;
  std::string proxy;  // one of the sources; "": the one that is most like the others
  int samples_each = 512, samples_adaproxy = 70;
  int front_points = 100;
  bool optimizer = true;
};

struct Settings {
  std::string name, space, space_reference, set = "help", geometry;
  std::vector<std::string> qualities;
  double worst_quality = 0;  // NaN: none given
  // Devices that are left out together, each group in turn the targets of all others; empty: every device alone.
  std::vector<std::vector<std::string>> held_out;
  std::vector<std::string> sources = {"all"};
  std::map<std::string, std::vector<double>> limits_ms;  // of a device; the others: limits_at
  std::vector<double> limits_at = {0.05, 0.1, 0.25, 0.5, 0.75};
  double leeway = 0;             // asked is (1 + leeway) limit: less regret for more broken limits
  bool limits_of_range = false;  // shares of the range of the true latencies instead of quantiles
  int samples_source = 512, samples_target = 20, trials = 1;
  MethodChoice method;
  std::vector<std::int64_t> proposals = {10}, evaluations = {100, 1000};
  bool ablations = true;
  std::int64_t label_free_steps = 1000;  // each looks at every architecture of a small space
  OptimizerSettings optimizer;
  FleetSettings fleet;
  std::uint64_t seed = 1;
};

// The [[task]] tables; keys before them are their defaults. What only the other kind reads is an unknown key.
std::vector<Settings> read_tasks(Config& config, std::uint64_t seed, Kind kind);

}  // namespace oneproxy::scaling_up
