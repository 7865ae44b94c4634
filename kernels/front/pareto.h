#pragma once
// Which points are worth having: latency is minimised, quality is maximised, any further objective is minimised.
//
// A point is dominated when another one is no worse in all objectives and better in one. Of points
// equal in all objectives only the one of the lowest index counts. A point with a NaN never counts.
// All functions block until their result is on the host. Inputs are host memory, f64, [n].
// Errors: unequal lengths, a NaN in the reference point, or a back end that can not run here (Error).
#include <cstdint>
#include <span>
#include <vector>

#include "oneproxy/kernels/base/backend.h"

namespace oneproxy {

// Indices of the exact Pareto front, by ascending latency (thus ascending quality).
std::vector<std::int64_t> pareto_front(std::span<const double> latency, std::span<const double> quality,
                                       Backend backend);

// The same with a third objective, minimised: ascending latency, then descending quality, then ascending third.
// O(n log n), on the CPU.
std::vector<std::int64_t> pareto_front(std::span<const double> latency, std::span<const double> quality,
                                       std::span<const double> third);

// Area that the points dominate, bounded by the reference point (largest latency, smallest quality
// that count). Points beyond the reference add nothing. 0 for no points.
double hypervolume(std::span<const double> latency, std::span<const double> quality, double reference_latency,
                   double reference_quality);

}  // namespace oneproxy
