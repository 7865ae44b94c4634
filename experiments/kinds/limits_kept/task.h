#pragma once
// A task of kind limits_kept: its data, and what searches under adapted predictors answered.
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "experiments/experiment.h"
#include "experiments/kinds/limits_kept/settings.h"
#include "oneproxy/engine/adapt/method.h"
#include "oneproxy/engine/device/measurements.h"
#include "oneproxy/engine/search/objective.h"

namespace oneproxy::limits_kept {

// Of one search: NaN where it found nothing.
struct Answer {
  static constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  double limit_ms = kNan;
  double predicted_ms = kNan, deviation_ms = kNan;  // deviation: of one measurement
  double probability = kNan;                        // said: that the limit is kept
  double latency_ms = kNan;                         // on the device
  double quality = kNan, best_quality = kNan;       // best: of what truly keeps the limit

  bool found() const { return predicted_ms == predicted_ms; }
  bool kept() const { return latency_ms <= limit_ms; }
  bool far_off() const { return latency_ms > 1.05 * limit_ms; }
  double lost() const { return (best_quality - quality) / (best_quality < 0 ? -best_quality : best_quality); }
};

// How a limit was asked for: on the prediction, or with a confidence by one of two calibrations.
enum class Calibrated { yes, no };  // no: as if errors were normal, of the posterior's deviation without noise

struct Target {
  Series latency;
  std::int64_t n_calibrating = 0;  // devices
  // [trials][1 + confidences][limits]: without a confidence first. uncalibrated: of Over::rows.
  std::vector<std::vector<std::vector<Answer>>> calibrated, uncalibrated;
};

struct Task {
  Settings settings;
  std::shared_ptr<SpaceData> loaded;
  std::shared_ptr<const ArchitectureFeatures> features;
  std::shared_ptr<Architectures> archs;
  std::shared_ptr<const Objective> goal;
  std::vector<Target> targets;
  std::vector<Series> sources;  // of all targets
};

// Errors name the task: unknown devices and qualities, a quality that the whole space has not, too few measurements.
std::vector<Task> open_tasks(const Store& store, const std::vector<Settings>& settings);

// Adapts to every target and searches; trials depend on the seed and their own number alone.
void run_trials(Task& task);

}  // namespace oneproxy::limits_kept
