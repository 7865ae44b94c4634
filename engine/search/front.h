#pragma once
// Pareto fronts of latency (minimised) and quality (maximised) over the rows of a set, and how close one
// comes to another. Truth is measured latency and tabled quality.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/kernels/base/backend.h"

namespace oneproxy {

struct FrontPoint {
  std::int64_t row = -1;
  double latency_ms = 0;
  double quality = 0;
};
using Front = std::vector<FrontPoint>;  // ascending latency, thus ascending quality

// The exact front over all rows; rows with a NaN do not count.
Front exact_front(std::span<const double> latency_ms, std::span<const double> quality, Backend backend);

// Measures the members of a front found on predictions (looks up their true latency) and removes the dominated.
// Members whose measurement failed (NaN) drop out.
Front measured_front(const Front& members, std::span<const double> latency_ms, std::span<const double> quality);

// Worst corner of what was measured: largest latency and smallest quality among the rows that have both.
struct ReferencePoint {
  double latency_ms = 0, quality = 0;
};
ReferencePoint reference_point(std::span<const double> latency_ms, std::span<const double> quality);

double hypervolume(const Front& front, ReferencePoint reference);

// Share of `truth` that `found` reaches: points equal in both objectives count, whatever their row.
double recall(const Front& found, const Front& truth);

// Best point within the limit; nullptr where there is none.
const FrontPoint* best_within(const Front& front, double limit_ms);

// Quality lost against `truth` at a latency limit; where `found` has no member within it, against the smallest quality.
struct Regret {
  double points = 0;
  bool feasible = true;
};
Regret regret(const Front& found, const Front& truth, double limit_ms, double smallest_quality);

}  // namespace oneproxy
