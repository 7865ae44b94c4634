#include "oneproxy/engine/search/front.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "oneproxy/kernels/front/pareto.h"

namespace oneproxy {
namespace {

struct Columns {
  std::vector<double> latency, quality;
  explicit Columns(const Front& front) {
    for (const auto& point : front) {
      latency.push_back(point.latency_ms);
      quality.push_back(point.quality);
    }
  }
};

}  // namespace

Front exact_front(std::span<const double> latency_ms, std::span<const double> quality, Backend backend) {
  Front front;
  for (const auto row : pareto_front(latency_ms, quality, backend))
    front.push_back({row, latency_ms[row], quality[row]});
  return front;
}

Front measured_front(const Front& members, std::span<const double> latency_ms, std::span<const double> quality) {
  // By row, so that among equal points the lowest row is kept.
  std::vector<std::int64_t> rows;
  for (const auto& member : members) rows.push_back(member.row);
  std::sort(rows.begin(), rows.end());
  std::vector<double> latency, value;
  for (const auto row : rows) {
    latency.push_back(latency_ms[row]);
    value.push_back(quality[row]);
  }
  Front front;
  for (const auto i : pareto_front(latency, value, Backend::cpu)) front.push_back({rows[i], latency[i], value[i]});
  return front;
}

ReferencePoint reference_point(std::span<const double> latency_ms, std::span<const double> quality) {
  ReferencePoint reference{-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  for (std::size_t i = 0; i < latency_ms.size(); ++i) {
    if (std::isnan(latency_ms[i]) || std::isnan(quality[i])) continue;
    reference.latency_ms = std::max(reference.latency_ms, latency_ms[i]);
    reference.quality = std::min(reference.quality, quality[i]);
  }
  return reference;
}

double hypervolume(const Front& front, ReferencePoint reference) {
  const Columns columns(front);
  return hypervolume(columns.latency, columns.quality, reference.latency_ms, reference.quality);
}

double recall(const Front& found, const Front& truth) {
  std::int64_t reached = 0;
  for (const auto& point : truth)
    reached += std::any_of(found.begin(), found.end(), [&](const FrontPoint& other) {
      return other.latency_ms == point.latency_ms && other.quality == point.quality;
    });
  return static_cast<double>(reached) / static_cast<double>(truth.size());
}

const FrontPoint* best_within(const Front& front, double limit_ms) {
  const FrontPoint* best = nullptr;
  for (const auto& point : front)
    if (point.latency_ms <= limit_ms) best = &point;
  return best;
}

Regret regret(const Front& found, const Front& truth, double limit_ms, double smallest_quality) {
  const FrontPoint* best = best_within(truth, limit_ms);
  const FrontPoint* ours = best_within(found, limit_ms);
  const double reachable = best ? best->quality : smallest_quality;
  return {reachable - (ours ? ours->quality : smallest_quality), ours != nullptr};
}

}  // namespace oneproxy
