#include "oneproxy/kernels/score/fleet_candidates.h"

#include <algorithm>
#include <cmath>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy::detail {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Rounded upwards, so that nothing more is ruled out than the margin says.
double up(double value, double margin) { return margin > 0 ? std::nextafter(value + margin, kInfinity) : value; }

}  // namespace

FleetCandidates::FleetCandidates(const QualityOrder& order, const FleetAnswers& answers, std::int64_t device,
                                 double margin)
    : order_(order), device_(device), margin_(margin) {
  for (std::int64_t l = 0; l < answers.n_limits(); ++l) {
    const double limit = answers.limits_of(device)[l];
    searches_.push_back({limit, up(limit, margin), order.end_of(answers.least_quality(device, l))});
  }
  sum_up();
}

void FleetCandidates::sum_up() {
  end_ = 0;
  bar_ = -kInfinity;
  for (const auto& search : searches_) {
    end_ = std::max(end_, search.end);
    bar_ = std::max(bar_, search.bar);
  }
}

void FleetCandidates::look_at(std::int64_t first, std::span<const double> scores) {
  for (std::size_t k = 0; k < scores.size(); ++k) {
    const double score = scores[k];
    if (score > bar_) continue;  // NaN, from a margin without a bound, goes on
    const std::int64_t i = first + static_cast<std::int64_t>(k);
    if (i >= end_) return;
    bool may = false, closes = false;
    for (auto& search : searches_) {
      if (i >= search.end || score > search.bar) continue;
      may = true;
      if (!(margin_ < kInfinity && up(score, margin_) <= search.limit)) continue;
      const double sure_bar = up(score, 2 * margin_);  // beyond, others of this quality are slower
      search.bar = std::min(search.bar, sure_bar);
      search.end = std::min(search.end, order_.end_of(order_.quality[i]));
      closes = true;
    }
    if (may) kept_.push_back(i);
    if (closes) sum_up();
  }
}

void FleetCandidates::settle(std::span<const double> latencies, FleetAnswers& answers) {
  ONEPROXY_ASSERT(latencies.size() == kept_.size());
  for (std::size_t k = 0; k < kept_.size(); ++k) {
    const std::int64_t i = kept_[k];
    for (std::int64_t l = 0; l < answers.n_limits(); ++l)
      if (latencies[k] <= searches_[l].limit && order_.quality[i] >= answers.least_quality(device_, l))
        answers.offer(device_, l, {order_.index[i], latencies[k], order_.quality[i]});
  }
  for (std::int64_t l = 0; l < answers.n_limits(); ++l)
    searches_[l].end = std::min(searches_[l].end, order_.end_of(answers.least_quality(device_, l)));
  kept_.clear();
  sum_up();
}

}  // namespace oneproxy::detail
