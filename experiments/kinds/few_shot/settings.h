#pragma once
// The keys of a task of kind few_shot. The file's own keys are the defaults of its [[task]] tables.
#include <cstdint>
#include <string>
#include <vector>

#include "oneproxy/engine/adapt/design/measuring_order.h"
#include "oneproxy/engine/adapt/method_registry.h"
#include "oneproxy/engine/base/config.h"

namespace oneproxy::few_shot {

struct Settings {
  // Of a task alone.
  std::string name, space, space_reference;
  std::vector<std::string> sources, targets;
  std::vector<std::string> published_names;
  std::vector<double> published_srcc;  // one a name

  // Of the file, or of a task.
  std::string set = "help", geometry;
  std::string proxies = "together";
  DesignSettings design;
  MethodChoice method;
  double pairs_below = 1, trim = 0;
  int samples_source = 0;  // 0: all
  int samples_target = 20, trials = 20;
  std::vector<std::int64_t> curve;                     // further numbers of target samples
  std::vector<std::int64_t> source_range, test_range;  // [first, last] of the published numbering; empty: all
  std::uint64_t seed = 1;
  bool ablations = true;

  bool one_proxy() const { return proxies == "one"; }
  bool without_sources() const { return sources == std::vector<std::string>{"none"}; }
};

// The file's keys, then those of each [[task]]. Errors: a name twice, keys that contradict each other, finetune without
// LibTorch.
std::vector<Settings> read_tasks(Config& config, std::uint64_t seed);

}  // namespace oneproxy::few_shot
