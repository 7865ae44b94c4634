#include "oneproxy/engine/predictor/digit_weights.h"

#include <numeric>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

std::vector<double> digit_weights(const DigitCode& code, std::span<const double> weights) {
  const auto rows = static_cast<std::size_t>(code.n_rows), parts = static_cast<std::size_t>(code.parts);
  if (weights.empty() || weights.size() % rows != 0)
    throw Error("digit weights: " + std::to_string(weights.size()) + " weights; pass " + std::to_string(rows) +
                " for each table");
  const std::size_t n_values = std::accumulate(code.radices.begin(), code.radices.end(), std::size_t{0});
  std::vector<double> sums;
  for (std::size_t first = 0; first < weights.size(); first += rows)
    for (std::size_t value = 0; value < n_values; ++value) {
      double sum = 0;
      for (std::size_t part = 0; part < parts; ++part) {
        const std::int32_t row = code.rows[value * parts + part];
        if (row >= 0) sum += weights[first + static_cast<std::size_t>(row)];
      }
      sums.push_back(sum);
    }
  return sums;
}

}  // namespace oneproxy
