#include "oneproxy/engine/front_loop/expected_improvement.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double density(double z) { return std::exp(-0.5 * z * z) / std::sqrt(2 * M_PI); }
double cumulative(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

using Point = std::vector<double>;

// Undominated below the reference in two objectives, by strips of the second: (l0, u0, l1, u1) each.
void add_strips(std::vector<std::pair<double, double>> points, double r0, double r1,
                std::vector<std::pair<Point, Point>>& boxes, std::span<const double> slab) {
  std::sort(points.begin(), points.end());
  double top = r1;  // of the next strip: the least of the second objective so far
  const auto add = [&](double u0, double l1, double u1) {
    if (!(l1 < u1)) return;
    Point low = {-kInfinity, l1}, high = {u0, u1};
    if (!slab.empty()) low.push_back(slab[0]), high.push_back(slab[1]);
    boxes.push_back({std::move(low), std::move(high)});
  };
  for (const auto& [first, second] : points) {
    if (second >= top) continue;  // dominated
    add(first, second, top);
    top = second;
  }
  add(r0, -kInfinity, top);
}

}  // namespace

double expected_shortfall_below(double t, const Gaussian& y) {
  if (t == -kInfinity) return 0;
  if (!(y.deviation > 0)) return std::max(t - y.mean, 0.0);
  const double z = (t - y.mean) / y.deviation;
  return std::max((t - y.mean) * cumulative(z) + y.deviation * density(z), 0.0);
}

UndominatedBoxes::UndominatedBoxes(std::span<const double> points, std::span<const double> reference) {
  const std::size_t m = reference.size();
  ONEPROXY_ASSERT((m == 2 || m == 3) && points.size() % m == 0);
  const auto finite = [](double value) { return std::isfinite(value); };
  if (!std::all_of(points.begin(), points.end(), finite) || !std::all_of(reference.begin(), reference.end(), finite))
    throw Error("expected improvement: a point or the reference is not finite");
  std::vector<Point> below;
  for (std::size_t i = 0; i < points.size(); i += m) {
    Point point(&points[i], &points[i] + m);
    bool counts = true;
    for (std::size_t j = 0; j < m; ++j) counts = counts && point[j] < reference[j];
    if (counts) below.push_back(std::move(point));
  }
  std::vector<std::pair<Point, Point>> boxes;
  if (m == 2) {
    std::vector<std::pair<double, double>> pairs;
    for (const auto& point : below) pairs.emplace_back(point[0], point[1]);
    add_strips(std::move(pairs), reference[0], reference[1], boxes, {});
  } else {
    // Slabs of the third objective: in each those points count that are no worse in it.
    std::sort(below.begin(), below.end(), [](const Point& a, const Point& b) { return a[2] < b[2]; });
    std::vector<std::pair<double, double>> active;
    for (std::size_t k = 0; k <= below.size(); ++k) {
      const double slab[2] = {k == 0 ? -kInfinity : below[k - 1][2], k == below.size() ? reference[2] : below[k][2]};
      if (slab[0] < slab[1]) add_strips(active, reference[0], reference[1], boxes, slab);
      if (k < below.size()) active.emplace_back(below[k][0], below[k][1]);
    }
  }
  n_boxes_ = boxes.size();
  levels_.resize(m);
  for (std::size_t j = 0; j < m; ++j) {
    auto& levels = levels_[j];
    levels.push_back(-kInfinity);
    for (const auto& [low, high] : boxes) levels.insert(levels.end(), {low[j], high[j]});
    std::sort(levels.begin(), levels.end());
    levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
  }
  for (const auto& [low, high] : boxes)
    for (std::size_t j = 0; j < m; ++j)
      for (const double bound : {low[j], high[j]})
        boxes_.push_back(static_cast<std::uint32_t>(std::lower_bound(levels_[j].begin(), levels_[j].end(), bound) -
                                                    levels_[j].begin()));
}

double UndominatedBoxes::expected_improvement(std::span<const Gaussian> y) const {
  const std::size_t m = levels_.size();
  ONEPROXY_ASSERT(y.size() == m);
  thread_local std::vector<double> shortfall;  // G at each level
  std::size_t begin[3] = {0, 0, 0}, total = 0;
  for (std::size_t j = 0; j < m; ++j) begin[j] = total, total += levels_[j].size();
  shortfall.resize(total);
  for (std::size_t j = 0; j < m; ++j)
    for (std::size_t k = 0; k < levels_[j].size(); ++k)
      shortfall[begin[j] + k] = expected_shortfall_below(levels_[j][k], y[j]);
  double sum = 0;
  for (std::size_t b = 0; b < n_boxes_; ++b) {
    double volume = 1;
    for (std::size_t j = 0; j < m; ++j) {
      const auto* bounds = &boxes_[(b * m + j) * 2];
      volume *= shortfall[begin[j] + bounds[1]] - shortfall[begin[j] + bounds[0]];
    }
    sum += volume;
  }
  return sum;
}

double UndominatedBoxes::improvement(std::span<const double> point) const {
  std::vector<Gaussian> known;
  for (const double value : point) known.push_back({value, 0});
  return expected_improvement(known);
}

double expected_improvement_within(std::span<const double> limits, std::span<const double> best,
                                   std::span<const Gaussian> y) {
  const std::size_t limited = y.size() - 1;
  ONEPROXY_ASSERT(limits.size() == best.size() * limited);
  double sum = 0;
  for (std::size_t l = 0; l < best.size(); ++l) {
    double gain = expected_shortfall_below(best[l], y[limited]);
    for (std::size_t i = 0; i < limited && gain > 0; ++i) {
      const double limit = limits[l * limited + i];
      if (limit == kInfinity) continue;
      gain *= y[i].deviation > 0 ? cumulative((limit - y[i].mean) / y[i].deviation) : y[i].mean <= limit;
    }
    sum += gain;
  }
  return sum;
}

}  // namespace oneproxy
