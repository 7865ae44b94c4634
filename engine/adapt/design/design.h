#pragma once
// Which architectures to measure, chosen before any is: a design looks at features, never at the target's latencies.
//   random      the candidates' own order
//   kmeans      nearest candidates to the k centres of k-means (not nested: another k is another set)
//   d_optimal   greedily the one of largest posterior variance
//   a_optimal   greedily the one that lowers the mean posterior variance over the reference most
// With scales th_c a block and noise s: K = sum_c th_c Z_c[P] Z_c[P]' + 1, C likewise of P and the reference R;
//   a_optimal: argmax ||C_i||^2 / (K_ii + s), d_optimal: argmax K_ii;  g = K_:i / (s + K_ii); C -= g C_i'; K -= g K_i:
// The greedy orders are nested: one may stop anywhere, and go on where one stopped.
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/engine/adapt/design/selection.h"
#include "oneproxy/engine/adapt/gaussian_process/block_regression.h"

namespace oneproxy {

struct DesignProblem {
  std::span<const double> candidates;  // [P, n_columns]
  std::span<const double> reference;   // [R, n_columns]; a_optimal only
  std::vector<double> th;              // [q] prior variance of each block
  double noise = 0.05;
  // For registered selections only.
  const SearchSpace* space = nullptr;
  std::span<const std::uint8_t> choices = {};  // [P, n_decisions] of the candidates
};

// Scales that trust no block over another: 0.1 for each. A design that trusts a fitted prior measures what that prior
// takes for important and can miss what it takes for granted.
std::vector<double> flat_scales(const BlockLayout& layout);

// Positions of the k candidates to measure, in order. `measured`: candidates that are measured already and come first
// in thought, not in the result. Deterministic by seed (kmeans). Errors: k above the candidates that are left, what
// select_by (selection.h) refuses of a registered selection.
std::vector<std::int64_t> choose_samples(const BlockLayout& layout, const DesignProblem& problem, Selection selection,
                                         int k, std::uint64_t seed, std::span<const std::int64_t> measured = {});

}  // namespace oneproxy
