#pragma once
// A task of kind front_loop: its data, and what every contender measured.
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "experiments/experiment.h"
#include "experiments/kinds/front_loop/settings.h"
#include "oneproxy/engine/adapt/method.h"
#include "oneproxy/engine/device/measurements.h"
#include "oneproxy/engine/search/objective.h"

namespace oneproxy::front_loop {

inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// A network as the target answers it.
struct Measured {
  double latency_ms = kNan;
  double fitted_ms = kNan;  // by a fit to all of the target's measurements: without the luck of a single one
  double quality = kNan;
};
using Trace = std::vector<Measured>;  // in the order in which they were measured

// What the first n of a trace are worth, [n - 1]; a trace that ends earlier stays what it was.
struct Curve {
  std::vector<double> hypervolume;         // share of the true front's
  std::vector<double> regret;              // mean over the limits, in the quality's unit
  std::vector<double> broken;              // share of the answers at the limits that take longer, as measured
  std::vector<double> hypervolume_by_fit;  // of the networks of the measured front, by their fitted latencies
  std::vector<double> broken_by_fit;
};

// A predictor's answers at the limits, nothing of them measured.
struct Unchecked {
  double broken = kNan, broken_by_fit = kNan, regret = kNan;  // regret: an answer that breaks its limit has none
};

struct Outcome {
  Trace trace;
  Curve curve;          // as long as the largest count
  Unchecked unchecked;  // of methods that predict
};

// Answers at the limits of a loop on a device that answers otherwise each time, judged by what it takes on average.
struct Scattered {
  double broken = kNan, far_off = kNan;  // share of the answers that take longer than the limit; by more than 5 %
  double regret = kNan;                  // mean of those that do not
  double measurements = kNan;            // in all
};

// One target, trial and quality.
struct Run {
  std::vector<Outcome> outcomes;  // [methods]
  // Of the loop with limits, [limits_measured]: mean over the limits.
  std::vector<double> limits_regret, limits_within;
  Trace limits_trace;
  std::vector<Scattered> scattered;  // [repeats]
  // Where the loop would have stopped: how many it had measured, and what it lacked.
  double stop_measurements = kNan, stop_gap = kNan;
  double stop_expected_gain = kNan;  // that it said there; NaN where it never stopped
  double seconds = 0;                // that the loop took, without what is learnt from the sources
};

struct Target {
  Series latency;
  std::vector<double> limits, regret_limits;  // ms
  std::vector<std::vector<Run>> runs;         // [trials][qualities]
};

struct Task {
  Settings settings;
  std::shared_ptr<SpaceData> loaded;
  std::shared_ptr<const ArchitectureFeatures> features;
  std::shared_ptr<Architectures> archs;
  std::vector<std::shared_ptr<const Objective>> goals;  // [qualities], of one unit
  std::vector<Series> sources;
  std::vector<Target> targets;

  // Loop, plans, AdaProxy, random: "loop", "plan_10", ..., "adaproxy_70", "random".
  std::vector<std::string> methods() const;
  // The device whose predictor is adapted to this target: the one of the settings, but never the target itself.
  const std::string& proxy_of(const Target& target) const;
  std::int64_t longest() const { return settings.measured.back(); }
};

// Errors name the task: unknown devices and qualities, qualities of several units, one that the whole space has not,
// too few measurements, no source.
std::vector<Task> open_tasks(const Store& store, const std::vector<Settings>& settings);

// Plays every target's device; trials depend on the seed and their own number alone.
void run_trials(Task& task);

}  // namespace oneproxy::front_loop
