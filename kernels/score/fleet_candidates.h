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

}  // namespace oneproxy::detail
