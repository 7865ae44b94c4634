#include "oneproxy/engine/device/drift.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/statistics.h"

namespace oneproxy {
namespace {

constexpr std::size_t kLeastRepeats = 3;

struct Point {
  std::int64_t place = 0;
  double log_factor = 0;
};

// Repeats with no other measurement in between say nothing of a drift.
std::size_t separate_repeats(const std::vector<std::int64_t>& places) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < places.size(); ++i) count += i == 0 || places[i] > places[i - 1] + 1;
  return count;
}

double at_place(const std::vector<Point>& points, std::int64_t place) {
  const auto after = std::lower_bound(points.begin(), points.end(), place,
                                      [](const Point& point, std::int64_t p) { return point.place < p; });
  if (after == points.begin()) return points.front().log_factor;
  if (after == points.end()) return points.back().log_factor;
  const auto before = after - 1;
  const double share = static_cast<double>(place - before->place) / static_cast<double>(after->place - before->place);
  return before->log_factor + share * (after->log_factor - before->log_factor);
}

}  // namespace

Drift find_drift(const MeasuredArchitectures& measured) {
  Drift drift;
  std::vector<Point> points;
  for (std::int64_t i = 0; i < measured.n(); ++i) {
    const auto& own = measured.repeats[i];
    if (separate_repeats(measured.places[i]) < kLeastRepeats) continue;
    drift.references.push_back(i);
    for (std::size_t j = 0; j < own.size(); ++j)
      points.push_back({measured.places[i][j], std::log(own[j] / measured.latency_ms[i])});
  }
  std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.place < b.place; });
  auto smooth = points;
  for (std::size_t i = 1; i + 1 < points.size(); ++i)
    smooth[i].log_factor = median_of({points[i - 1].log_factor, points[i].log_factor, points[i + 1].log_factor});
  std::vector<double> all;
  for (const auto& places : measured.places)
    for (const auto place : places) all.push_back(points.empty() ? 0.0 : at_place(smooth, place));
  const double middle = all.empty() ? 0.0 : median_of(all);
  std::size_t next = 0;
  for (const auto& places : measured.places) {
    drift.factor.emplace_back();
    for (std::size_t j = 0; j < places.size(); ++j) {
      const double factor = std::exp(all[next++] - middle);
      drift.factor.back().push_back(factor);
      drift.least = std::min(drift.least, factor);
      drift.most = std::max(drift.most, factor);
    }
  }
  return drift;
}

MeasuredArchitectures without_drift(const MeasuredArchitectures& measured, const Drift& drift) {
  MeasuredArchitectures steady = measured;
  for (std::size_t i = 0; i < steady.repeats.size(); ++i) {
    for (std::size_t j = 0; j < steady.repeats[i].size(); ++j) steady.repeats[i][j] /= drift.factor[i][j];
    if (!steady.repeats[i].empty()) steady.latency_ms[i] = median_of(steady.repeats[i]);
  }
  return steady;
}

}  // namespace oneproxy
