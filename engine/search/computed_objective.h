#pragma once
// An objective that a function of the caller computes, architecture by architecture: it covers the space, and no kernel
// knows it.
#include <cstdint>
#include <functional>
#include <span>

#include "oneproxy/engine/search/objective.h"

namespace oneproxy {

// choices [n, n_decisions] -> values [n], finite.
using ComputeValues = std::function<void(std::span<const std::uint8_t> choices, std::span<double> values)>;

inline constexpr std::size_t kComputedBatch = 4096;  // architectures of one call, at most

// Each architecture is asked for once, in the order in which a search comes to it, and its value kept (some 100 bytes)
// for as long as the objective or a copy of it lives. Calls do not overlap. What `compute` throws, comes out; so does
// an interrupt between calls.
Objective computed_objective(Quantity quantity, std::size_t n_decisions, ComputeValues compute);

}  // namespace oneproxy
