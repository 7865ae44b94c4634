#pragma once
// What measured networks are worth against the truth. Hypervolumes are in the box from the median quality up to the
// latency of the true front's slowest network: the box that reaches to the worst network hardly tells fronts apart.
#include <span>
#include <vector>

#include "experiments/kinds/front_loop/truth.h"

namespace oneproxy::front_loop {

// limits: ms.
Curve judge(const Truth& truth, const Trace& trace, std::span<const double> limits, std::int64_t longest);

// Share of the true front's hypervolume that the trace lacks, in the box that the loop fills: from the floor up.
double remaining_gap(const Truth& truth, const Trace& trace);

// Regret at each of the limits of the first n of a trace.
std::vector<double> regrets_at(const Truth& truth, const Trace& trace, std::int64_t n, std::span<const double> limits);

// The answers of a predicted front at the limits.
Unchecked judge_unchecked(const Truth& truth, const std::vector<Proposal>& front, std::span<const double> limits);

}  // namespace oneproxy::front_loop
