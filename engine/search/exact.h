#pragma once
// Exact search where latency and quality are sums over the digits of a space, of any size: dynamic programming over
// digits (kernels/additive/front.h), in fixed point. Linear predictors, look-up tables and costs are such sums
// (engine/predictor/additive_predictor.h); an MLP is not.
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/search/problem.h"
#include "oneproxy/kernels/score/models.h"

namespace oneproxy {

// A space or a part of it: only the radices count. An entry that is NaN or infinite (in latency, quality or third)
// means that the value is not available; so does such a bias for its value of digit 0.
struct ExactProblem {
  std::span<const std::uint32_t> radices;      // [n_digits]
  AdditiveTable<double> latency;               // minimised
  AdditiveTable<double> quality;               // maximised
  std::optional<AdditiveTable<double>> third;  // minimised; then there is no best under a limit
};

struct ExactSettings {
  std::int64_t memory_bytes = std::int64_t{4} << 30;  // of the front's levels (kernels/additive/front.h)
  // quality = f(sum), f strictly rising, where the sum over stages is not the quality itself. Empty: the sum is.
  std::function<double(double)> quality_of_sum;
};

struct ExactSolution {
  std::vector<std::uint32_t> digits;  // [n_digits]
  double latency = 0, quality = 0, third = 0;
};

// What "exact" means here. Each table entry is rounded to a whole multiple of a grid step (2^-k, the largest sum below
// 2^52 steps); the front is exact for these numbers, ties to the lowest index. So for each architecture the front has a
// point of at most 2 latency_error more latency and at most 2 quality_error + quality_gap less quality. An error of 0:
// the tables are whole multiples, nothing was rounded.
struct ExactCertificate {
  double latency_step = 0, quality_step = 0, third_step = 0;
  double latency_error = 0, quality_error = 0,
         third_error = 0;  // bounds on |fixed point - sum|, rounding of the entries
  double quality_gap = 0;  // > 0: the memory budget thinned the front; of the sum, before quality_of_sum
  std::int64_t front_size = 0, stored_points = 0, peak_bytes = 0;
  bool exact() const { return quality_gap == 0; }
  std::string text() const;  // one sentence for a report
};

struct ExactResult {
  std::vector<ExactSolution> front;  // ascending latency; objectives in f64 by definition (score_by_definition's order)
  std::vector<ExactSolution> best;   // one a limit; no digits where nothing is within it
  ExactCertificate certificate;
};

// Best under a limit: the front's last point whose f64 latency is within it; where the front had to be thinned, the one
// of additive_best, which needs little memory and has no gap. Errors: lengths that do not fit, a digit without an
// available value, limits with a third objective, a quality_of_sum that does not rise.
ExactResult search_exactly(const ExactProblem& problem, std::span<const double> limits, const ExactSettings& settings);

// The same for a problem whose objectives are both tables (Error where one is not). n_evaluated is the number of points
// that the program kept.
SearchResult search_exactly(const SearchProblem& problem, std::span<const double> limits_ms);

}  // namespace oneproxy
