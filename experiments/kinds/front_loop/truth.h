#pragma once
// What a target truly takes, and the true front that contenders look for: once as measured, once by a fit to all that
// was measured, in which no network was lucky.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "experiments/kinds/front_loop/task.h"
#include "oneproxy/engine/front_loop/candidates.h"
#include "oneproxy/engine/predictor/predictor.h"
#include "oneproxy/engine/search/front.h"

namespace oneproxy::front_loop {

// A target's device: it answers with the latency of its table; over a whole space with the fit's, times a residual of
// the fit that the network draws by its choices: the same network, the same answer.
class TargetDevice {
 public:
  TargetDevice(const Task& task, const Target& target);

  const std::string& name() const { return target_.latency.name; }
  // [rows] of the set; NaN: the device does not have it.
  const std::vector<double>& latency_ms() const { return target_.latency.values; }
  const std::vector<double>& fitted_ms() const { return fitted_ms_; }
  // Of the whole space: an AdditivePredictor.
  Predictor fit() const;

  // The fit's (at least what the fastest network took: a fit may be below 0), times a residual of the fit, their median
  // being 1, that `draw` of `random` says: once more, another answer.
  double measure_anew(std::span<const std::uint8_t> choices, const Philox& random, std::uint64_t draw) const;
  // choices [n_decisions]; quality is left to the caller. Over rows NaN for a network that the set does not have.
  Measured measure(std::span<const std::uint8_t> choices) const;

 private:
  std::vector<double> fitted(const ArchitectureFeatures::Rows& rows) const;

  const Task& task_;
  const Target& target_;
  SourcePredictor fit_;
  std::vector<double> fitted_ms_;
  double least_ms_ = 0;
  std::vector<double> residuals_;  // measured / fitted
  double median_residual_ = 1;
  std::unordered_map<std::string, std::int64_t> rows_;
};

// A network that a predictor's front holds.
struct Proposal {
  std::vector<std::uint8_t> choices;
  double predicted_ms = kNan, quality = kNan;
};

// A target and a quality: what can be measured and found.
class Truth {
 public:
  Truth(const Task& task, const TargetDevice& device, const Target& target, const Objective& goal);

  const Objective& goal() const { return goal_; }
  const std::shared_ptr<const LoopCandidates>& candidates() const { return candidates_; }
  const TargetDevice& device() const { return device_; }
  Measured measure(std::span<const std::uint8_t> choices) const;
  // Networks in random order, each once, [n, n_decisions]; fewer where there are no more.
  std::vector<std::uint8_t> random(std::int64_t n, int trial) const;
  // The exact front under a predictor of the latency, ascending.
  std::vector<Proposal> front_under(const Predictor& latency) const;

  // Of a whole space the fit is the only truth there is.
  bool judged_by_fit() const { return task_.settings.over == Over::space; }
  const Front& front() const { return front_; }  // as measured, or by the fit
  const Front& fitted_front() const { return fitted_front_; }
  double median_quality() const { return median_; }  // the lower edge of the box that fronts are judged in
  double floor_quality() const { return floor_; }    // of the box that the loop fills
  double smallest_quality() const { return smallest_; }

 private:
  const Task& task_;
  const TargetDevice& device_;
  const Objective& goal_;
  std::shared_ptr<const LoopCandidates> candidates_;
  std::vector<double> row_quality_;  // [rows]; NaN where the target has no latency
  std::vector<std::int64_t> known_;  // rows
  Front front_, fitted_front_;
  double median_ = kNan, floor_ = kNan, smallest_ = kNan;
};

// Members of a front in the order in which each adds the most hypervolume to those before it, at most n: down to the
// floor, up to the slowest.
std::vector<std::size_t> greedy_order(const std::vector<Proposal>& front, double floor, std::size_t n);

}  // namespace oneproxy::front_loop
