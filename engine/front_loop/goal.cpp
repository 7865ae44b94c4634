#include "oneproxy/engine/front_loop/goal.h"

#include <algorithm>
#include <limits>

#include "oneproxy/kernels/base/error.h"
#include "oneproxy/kernels/front/pareto.h"

namespace oneproxy {

LoopGoal::LoopGoal(std::vector<double> reference) : m_(reference.size()), reference_(std::move(reference)) {}

LoopGoal::LoopGoal(std::vector<double> limits, std::size_t n_objectives, double worst, double scale)
    : m_(n_objectives), limits_(std::move(limits)), worst_(worst), scale_(scale) {
  ONEPROXY_ASSERT(!limits_.empty() && limits_.size() % (m_ - 1) == 0 && scale > 0);
}

std::vector<double> LoopGoal::best(std::span<const double> points) const {
  const std::size_t limited = m_ - 1;
  std::vector<double> best(limits_.size() / limited, worst_);
  for (std::size_t i = 0; i < points.size(); i += m_)
    for (std::size_t l = 0; l < best.size(); ++l) {
      bool kept = true;
      for (std::size_t j = 0; j < limited; ++j) kept = kept && points[i + j] <= limits_[l * limited + j];
      if (kept) best[l] = std::min(best[l], points[i + limited]);
    }
  return best;
}

double LoopGoal::attained(std::span<const double> points) const {
  if (has_limits()) {
    const auto found = best(points);
    double sum = 0;
    for (const double one : found) sum += (worst_ - one) / scale_;
    return sum / static_cast<double>(found.size());
  }
  std::vector<double> columns[3];
  for (std::size_t i = 0; i < points.size(); ++i) columns[i % m_].push_back(points[i]);
  for (double& quality : columns[m_ - 1]) quality = -quality;  // which the kernel maximises
  return m_ == 2 ? hypervolume(columns[0], columns[1], reference_[0], -reference_[1])
                 : hypervolume(columns[0], columns[2], columns[1], reference_[0], -reference_[2], reference_[1]);
}

double LoopGoal::share(double before, double after) const {
  if (has_limits()) return after - before;
  return before > 0 ? after / before - 1 : std::numeric_limits<double>::quiet_NaN();
}

LoopGoal::Improvement::Improvement(const LoopGoal& goal, std::vector<double> points)
    : goal_(goal), points_(std::move(points)) {
  update();
}

void LoopGoal::Improvement::update() {
  if (goal_.has_limits())
    best_ = goal_.best(points_);
  else
    boxes_.assign(1, UndominatedBoxes(points_, goal_.reference_));
}

double LoopGoal::Improvement::expected(std::span<const Gaussian> y) const {
  if (goal_.has_limits())
    return expected_improvement_within(goal_.limits_, best_, y) / (goal_.scale_ * static_cast<double>(best_.size()));
  return boxes_.front().expected_improvement(y);
}

void LoopGoal::Improvement::add(std::span<const double> point) {
  points_.insert(points_.end(), point.begin(), point.end());
  update();
}

}  // namespace oneproxy
