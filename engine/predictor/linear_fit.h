#pragma once
// The linear latency predictor of the paper: latency(arch) = bias + sum of one weight per (decision, choice), fitted.
// Source: Lu et al., "One Proxy Device Is Enough for Hardware-Aware Neural Architecture Search", SIGMETRICS 2022,
// sec. 4.
#include <cstdint>
#include <span>

#include "oneproxy/engine/predictor/additive_predictor.h"

namespace oneproxy {

// Least squares on one-hot codes: the minimum-norm solution on column-centred codes (rank tolerance 1e-10 of the
// largest pivot), so that the weights of a decision sum to zero over the choices that occur; a choice that no
// row shows gets weight 0. choices [n, n_decisions] row-major, latency_ms [n]; rows with NaN latency are left out.
// Errors: fewer than two usable rows, no spread of latency, unequal lengths.
AdditivePredictor fit_linear(const SearchSpace& space, std::span<const std::uint8_t> choices,
                             std::span<const double> latency_ms);
// The same over radices [n_decisions] alone: the result names no space.
AdditivePredictor fit_linear(std::span<const std::uint8_t> radices, std::span<const std::uint8_t> choices,
                             std::span<const double> latency_ms);

}  // namespace oneproxy
