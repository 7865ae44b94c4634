#pragma once
// Which architectures may be one device's answers, from scores that carry an error. Private to kernels/.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/kernels/score/fleet_answers.h"
#include "oneproxy/kernels/score/fleet_order.h"

namespace oneproxy::detail {

// Takes scores of one piece in the order of quality. |score - latency| <= margin; where the margin is infinite nothing
// is ruled out. An architecture that surely keeps a limit ends its search with those of the same quality.
class FleetCandidates {
 public:
  FleetCandidates(const QualityOrder& order, const FleetAnswers& answers, std::int64_t device, double margin);

  std::int64_t end() const { return end_; }  // of those that may still count
  // scores [n] of the places first .. first + n - 1: what may count is kept.
  void look_at(std::int64_t first, std::span<const double> scores);
  const std::vector<std::int64_t>& kept() const { return kept_; }
  // latencies [kept] in fp64: to the answers, and nothing is kept any more.
  void settle(std::span<const double> latencies, FleetAnswers& answers);

 private:
  struct Search {
    double limit, bar;  // a score above the bar says that the limit is not kept
    std::int64_t end;
  };
  void sum_up();

  const QualityOrder& order_;
  std::int64_t device_, end_ = 0;
  double margin_, bar_ = 0;  // end_, bar_: the most of all searches
  std::vector<Search> searches_;
  std::vector<std::int64_t> kept_;
};

// The places from `first` to `last` of an order: score(digits, n, scores) of `block` places at a time, until none can
// count any more; settle() comes at the end, and before too many are kept.
template <class Score, class Settle>
void look_through(const QualityOrder& order, FleetCandidates& candidates, std::int64_t first, std::int64_t last,
                  std::int64_t block, const Score& score, const Settle& settle) {
  constexpr std::size_t kMostKept = 4096;
  if (order.size() == 0) return;
  const std::size_t n_digits = order.digits.size() / order.quality.size();
  std::vector<double> scores(static_cast<std::size_t>(block));
  for (; first < std::min(candidates.end(), last); first += block) {
    const std::int64_t n = std::min(block, std::min(candidates.end(), last) - first);
    score(order.digits.data() + static_cast<std::size_t>(first) * n_digits, n, scores.data());
    candidates.look_at(first, std::span(scores).first(static_cast<std::size_t>(n)));
    if (candidates.kept().size() >= kMostKept) settle();
  }
  settle();
}

}  // namespace oneproxy::detail
