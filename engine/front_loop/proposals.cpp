#include "oneproxy/engine/front_loop/proposals.h"

#include <algorithm>

namespace oneproxy {
namespace {

constexpr std::size_t kBatchAmong = 400;  // of the largest expected gain: a batch is chosen among them

}  // namespace

std::vector<ProposedCandidate> propose(const CandidatePool& pool, std::span<const Belief> beliefs,
                                       std::span<const char> open, const LoopGoal& goal, std::vector<double> points,
                                       int n) {
  LoopGoal::Improvement improvement(goal, std::move(points));
  std::vector<Gaussian> y(beliefs.size() + 1);
  const auto expected = [&](std::span<const Belief> of, std::int64_t i, std::int64_t in_pool) {
    for (std::size_t j = 0; j < of.size(); ++j) y[j] = of[j].measurement(i);
    y.back() = {pool.quality[in_pool], pool.quality_deviation[in_pool]};
    return improvement.expected(y);
  };
  std::vector<std::pair<double, std::int64_t>> gains;
  for (std::int64_t i = 0; i < std::ssize(open); ++i)
    if (const double gain = open[i] ? expected(beliefs, i, i) : 0; gain > 0) gains.emplace_back(-gain, i);
  const auto kept = std::min(gains.size(), kBatchAmong);
  std::partial_sort(gains.begin(), gains.begin() + static_cast<std::ptrdiff_t>(kept), gains.end());
  std::vector<std::int64_t> which;
  for (std::size_t c = 0; c < kept; ++c) which.push_back(gains[c].second);
  std::vector<Belief> believed;
  for (const auto& belief : beliefs) believed.push_back(belief.at(which));

  std::vector<ProposedCandidate> proposals;
  std::vector<char> taken(kept, 0);
  while (std::ssize(proposals) < n) {
    double most = 0;
    std::int64_t chosen = -1;
    for (std::int64_t c = 0; c < std::ssize(which); ++c)
      if (const double gain = taken[c] ? 0 : expected(believed, c, which[c]); gain > most) most = gain, chosen = c;
    if (chosen < 0) break;
    taken[chosen] = 1;
    proposals.push_back({which[chosen], most});
    std::vector<double> point;
    for (auto& belief : believed) {
      point.push_back(belief.mean(chosen));
      belief.believe(chosen);
    }
    point.push_back(pool.quality[which[chosen]]);
    improvement.add(point);
  }
  return proposals;
}

}  // namespace oneproxy
