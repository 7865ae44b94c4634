#include "oneproxy/engine/device/drift.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/engine/base/statistics.h"

namespace oneproxy {
namespace {

constexpr std::size_t kMinRepeats = 3;

struct Point {
  std::int64_t line = 0;
  double log_factor = 0;
};

// Repeats with no other measurement in between say nothing of a drift.
std::size_t separate_repeats(const std::vector<std::int64_t>& lines) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) count += i == 0 || lines[i] > lines[i - 1] + 1;
  return count;
}

double at_line(const std::vector<Point>& points, std::int64_t line) {
  const auto after = std::lower_bound(points.begin(), points.end(), line,
                                      [](const Point& point, std::int64_t p) { return point.line < p; });
  if (after == points.begin()) return points.front().log_factor;
  if (after == points.end()) return points.back().log_factor;
  const auto before = after - 1;
  const double share = static_cast<double>(line - before->line) / static_cast<double>(after->line - before->line);
  return before->log_factor + share * (after->log_factor - before->log_factor);
}

}  // namespace

Drift find_drift(const MeasuredArchitectures& measured) {
  Drift drift;
  std::vector<Point> points;
  for (std::int64_t i = 0; i < measured.n(); ++i) {
    const auto& own = measured.repeats[i];
    if (separate_repeats(measured.lines[i]) < kMinRepeats) continue;
    drift.references.push_back(i);
    for (std::size_t j = 0; j < own.size(); ++j)
      points.push_back({measured.lines[i][j], std::log(own[j] / measured.latency_ms[i])});
  }
  std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.line < b.line; });
  auto smooth = points;
  for (std::size_t i = 1; i + 1 < points.size(); ++i)
    smooth[i].log_factor = median_of({points[i - 1].log_factor, points[i].log_factor, points[i + 1].log_factor});
  std::vector<double> all;
  for (const auto& lines : measured.lines)
    for (const auto line : lines) all.push_back(points.empty() ? 0.0 : at_line(smooth, line));
  const double middle = all.empty() ? 0.0 : median_of(all);
  std::size_t next = 0;
  for (const auto& lines : measured.lines) {
    drift.factor.emplace_back();
    for (std::size_t j = 0; j < lines.size(); ++j) {
      const double factor = std::exp(all[next++] - middle);
      drift.factor.back().push_back(factor);
      drift.min_factor = std::min(drift.min_factor, factor);
      drift.max_factor = std::max(drift.max_factor, factor);
    }
  }
  return drift;
}

MeasuredArchitectures without_drift(const MeasuredArchitectures& measured, const Drift& drift) {
  MeasuredArchitectures corrected = measured;
  for (std::size_t i = 0; i < corrected.repeats.size(); ++i) {
    for (std::size_t j = 0; j < corrected.repeats[i].size(); ++j) corrected.repeats[i][j] /= drift.factor[i][j];
    if (!corrected.repeats[i].empty()) corrected.latency_ms[i] = median_of(corrected.repeats[i]);
  }
  return corrected;
}

}  // namespace oneproxy
