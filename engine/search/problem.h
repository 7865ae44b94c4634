#pragma once
// What a search optimises: latency (minimised) and quality (maximised) of architectures of one space.
// Searchers ask for batches and never know where the numbers come from.
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/device/measurements.h"
#include "kernels/backend.h"

namespace oneproxy {

struct Objective {
  std::string label, unit;
  bool stand_in = false;      // a model stands in for something that nobody measured
  bool covers_space = false;  // defined for every architecture of the space, not only for the rows of a set
  // choices [n, n_decisions] -> values [n]; NaN where the objective is not known.
  std::function<void(std::span<const std::uint8_t> choices, std::span<double> values)> evaluate;
};

// latency: "device:NAME" (measured), "proxy:NAME" (linear predictor fitted on NAME), "model:macs" (...).
Objective latency_objective(const Measurements& data, const std::string& name, Backend backend);
// quality: "metric:NAME", "metric:SET:NAME", "model:macs" (...).
Objective quality_objective(const Measurements& data, const std::string& name);

struct SearchProblem {
  const Measurements& data;
  Objective latency, quality;
  bool covers_space() const { return latency.covers_space && quality.covers_space; }
};

// A solution: an architecture with its objectives.
struct Solution {
  std::vector<std::uint8_t> choices;
  double latency_ms = 0;
  double quality = 0;
};

struct SearchResult {
  std::vector<Solution> front;  // ascending latency
  // For each latency limit the best solution within it; empty choices where none was found. Ties go to the lower
  // latency, then to the first in order.
  std::vector<Solution> best;
  std::int64_t n_evaluated = 0;
};

}  // namespace oneproxy
