#pragma once
// The k best architectures within a latency limit, of two objectives that are sums over digits.
// Source: Lawler, "A Procedure for Computing the K Best Solutions to Discrete Optimization Problems", Management
// Science 18 (1972). The best one splits what is left of the space into parts that do not overlap: those that agree
// with it in the first d digits and differ in digit d. The best of all parts is the next one.
#include <cstdint>
#include <vector>

#include "oneproxy/kernels/additive/front.h"

namespace oneproxy {

// digits [at most k][n_digits], best first: higher quality, then lower latency, then lower index. At most k n_digits
// calls of additive_best. `problem` has two objectives; its tables are in steps, as is the limit.
std::vector<std::vector<std::uint32_t>> k_best(const AdditiveProblem& problem, std::int64_t limit, int k);

}  // namespace oneproxy
