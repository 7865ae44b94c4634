#include "experiments/cli/score_top.h"

#include <algorithm>

namespace oneproxy {

// Twice as many are held before the worse half goes: a constant number of steps an architecture.
void TopScores::push(std::uint64_t place, double cost) {
  entries_.push_back({cost, place});
  if (entries_.size() >= 2 * k_ + 1024) keep_best();
}

void TopScores::keep_best() {
  if (entries_.size() <= k_) return;
  std::nth_element(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(k_) - 1, entries_.end());
  worst_ = entries_[k_ - 1].cost;
  entries_.resize(k_);
}

void TopScores::sort() {
  keep_best();
  std::sort(entries_.begin(), entries_.end());
}

std::vector<std::uint64_t> TopScores::places() {
  sort();
  std::vector<std::uint64_t> places;
  for (const auto& entry : entries_) places.push_back(entry.place);
  return places;
}

std::vector<double> TopScores::values() {
  sort();
  std::vector<double> values;
  for (const auto& entry : entries_) values.push_back(sign_ * entry.cost);
  return values;
}

}  // namespace oneproxy
