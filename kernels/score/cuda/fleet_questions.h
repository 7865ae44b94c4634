#pragma once
// What a device is asked about a piece of a run, and what becomes of its answers. Private to kernels/.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/kernels/score/cpu/fleet_exact.h"
#include "oneproxy/kernels/score/cuda/narrow_args.h"
#include "oneproxy/kernels/score/fleet_answers.h"
#include "oneproxy/kernels/score/fleet_order.h"

namespace oneproxy::detail {

// Of the fleet's devices first .. first + n - 1, device beside device.
struct FleetQuestions {
  FleetQuestions(const QualityOrder& order, const FleetAnswers& answers, std::int64_t first, std::int64_t n);
  bool any() const;  // open ones

  std::vector<double> limits;       // [n_limits, n]
  std::vector<std::uint32_t> ends;  // [n_limits, n] behind the last place that may be better
};

// places, latencies [n_limits, n]: a place beyond the order is no answer.
void offer_places(const QualityOrder& order, std::int64_t first, std::int64_t n, std::span<const std::uint32_t> places,
                  std::span<const double> latencies, FleetAnswers& answers);

// [n] Where in a range that is not shuffled each architecture of an order lies.
std::vector<std::uint32_t> places_in(const QualityOrder& order, const IndexRange& range);

// Of MLPs, whose scores carry an error: NarrowBest's bars, sures and ends [n, n_limits].
struct MlpQuestions {
  MlpQuestions(const QualityOrder& order, const FleetAnswers& answers, std::span<const double> margins,
               std::int64_t first, std::int64_t n);
  bool any() const;

  std::vector<double> bars, sures;
  std::vector<std::uint32_t> ends;
};

// One model's survivors, in any order: those that are left after all of them were looked at are scored in fp64.
void offer_survivors(const QualityOrder& order, std::span<FleetSurvivor> survivors, FleetCandidates& candidates,
                     FleetExact& exact, FleetAnswers& answers);

}  // namespace oneproxy::detail
