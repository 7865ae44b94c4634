#pragma once
// A task: its data, the sources that go with each target, and what trials fill in.
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "experiments/experiment.h"
#include "experiments/kinds/few_shot/settings.h"
#include "oneproxy/engine/adapt/method.h"
#include "oneproxy/engine/device/measurements.h"

namespace oneproxy::few_shot {

inline constexpr double kStrong = 0.9;  // the paper's rule: an SRCC from which a proxy serves

// One target of one set of sources. NaN where nothing is known (yet).
struct Outcome {
  int target = 0, proxy = -1;                                  // in Task::devices; proxy: of proxies = one
  double raw_srcc = std::numeric_limits<double>::quiet_NaN();  // proxies = one: of the measured latencies
  std::vector<double> srcc, unseen;                            // [sizes, trials]; unseen: over what was not measured
  std::vector<double> expected, sure;         // [sizes, trials] expected SRCC; probability that it is strong
  std::vector<std::vector<double>> variants;  // [variants][trials] SRCC at samples_target
  std::vector<double> adapt_ms;               // [trials] time at samples_target
};

// Sources that serve the same targets.
struct Case {
  std::vector<int> sources;  // in Task::devices
  std::vector<Outcome> outcomes;
  std::string prior;  // that the method used; "" without one, or before the trials
};

struct Task {
  Settings settings;
  std::shared_ptr<SpaceData> loaded;  // shared by tasks on the same data, as are the next two
  std::shared_ptr<const ArchitectureFeatures> features;
  std::shared_ptr<Architectures> archs;
  std::vector<Series> devices;  // sources and targets
  std::vector<Case> cases;
  std::vector<int> sizes;                            // numbers of target samples, samples_target first
  std::vector<std::int64_t> source_rows, test_rows;  // of the set: that sources know, that the SRCC is over
  std::vector<MethodSettings::Ablation> variants;    // the method itself, then without some of its parts
};

// Errors name the task: unknown devices, a target among its sources, too few measurements, no pair to adapt.
std::vector<Task> open_tasks(const Store& store, const std::vector<Settings>& settings);

}  // namespace oneproxy::few_shot
