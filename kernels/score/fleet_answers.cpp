#include "oneproxy/kernels/score/fleet_answers.h"

#include <algorithm>

namespace oneproxy::detail {
namespace {

bool better(const FleetBest& a, const FleetBest& b) {
  if (!b.found() || a.quality != b.quality) return !b.found() || a.quality > b.quality;
  return a.latency != b.latency ? a.latency < b.latency : a.index < b.index;
}

}  // namespace

FleetAnswers::FleetAnswers(std::int64_t n_devices, std::span<const double> limits)
    : n_devices_(n_devices),
      n_limits_(n_devices > 0 ? static_cast<std::int64_t>(limits.size()) / n_devices : 0),
      limits_(limits.begin(), limits.end()),
      least_(limits.size(), -std::numeric_limits<double>::infinity()),
      best_(limits.size()) {}

double FleetAnswers::least_quality() const {
  return least_.empty() ? std::numeric_limits<double>::infinity() : *std::min_element(least_.begin(), least_.end());
}

void FleetAnswers::offer(std::int64_t device, std::int64_t limit, const FleetBest& candidate) {
  FleetBest& best = best_[at(device, limit)];
  if (!better(candidate, best)) return;
  best = candidate;
  least_[at(device, limit)] = candidate.quality;
}

}  // namespace oneproxy::detail
