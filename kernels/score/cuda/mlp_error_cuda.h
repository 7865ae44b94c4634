#pragma once
#include "oneproxy/kernels/base/precision.h"
#include "oneproxy/kernels/score/models.h"

namespace oneproxy::detail {

// Bound on |fast - fp64| over the whole space: rounding of tables, weights and activations, and of every sum, carried
// through the layers by |W|, on ranges from interval arithmetic. Infinite where fp32 could overflow; 0 for fp64.
double mlp_error_bound_cuda(const Mlp& mlp, const DigitCode& code, Precision precision);

}  // namespace oneproxy::detail
