#pragma once
// A linear predictor on one-hot codes is a sum of table entries, one a decision:
//   score(arch) = bias + sum over decisions d of weights[d][choice_d]
// Sums run from decision 0 upwards in f64 on both back ends, so the twins agree to the bit.
// All functions block until the scores are on the host.
// Errors: a choice outside its radix (names the first architecture and its decision; the scores are then
// undefined), unequal sizes, a table without decisions, a range beyond the space, or a back end that can
// not run here (Error).
#include <cstdint>
#include <span>

#include "oneproxy/kernels/base/backend.h"
#include "oneproxy/kernels/base/index.h"

namespace oneproxy {

struct LinearTable {
  std::span<const std::uint8_t> radices;  // [n_decisions], each 1..255
  std::span<const double> weights;        // [sum of radices], decision after decision
  double bias = 0;
};

// choices [n, n_decisions] row-major u8 -> scores [n] f64.
void score_linear(const LinearTable& table, std::span<const std::uint8_t> choices, std::span<double> scores,
                  Backend backend);

// Architectures begin .. begin + scores.size() - 1 of the space -> scores [count] f64.
void score_linear_range(const LinearTable& table, ArchIndex begin, std::span<double> scores, Backend backend);

}  // namespace oneproxy
