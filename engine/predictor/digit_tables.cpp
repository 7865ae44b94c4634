#include "oneproxy/engine/predictor/digit_tables.h"

#include <numeric>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

DigitTableData digit_table(const DigitCode& code, std::span<const double> weights, std::span<const double> bias) {
  const auto rows = static_cast<std::size_t>(code.n_rows);
  if (bias.empty() || weights.size() != bias.size() * rows)
    throw Error("digit table: " + std::to_string(weights.size()) + " weights and " + std::to_string(bias.size()) +
                " biases; pass " + std::to_string(rows) + " weights for each table");
  if (bias.size() != 1 && bias.size() != code.radices[0])
    throw Error("digit table: " + std::to_string(bias.size()) + " tables; pass 1, or one for each of the " +
                std::to_string(code.radices[0]) + " values of digit 0");
  DigitTableData data;
  data.bias.assign(bias.begin(), bias.end());
  const auto parts = static_cast<std::size_t>(code.parts);
  for (std::size_t t = 0; t < bias.size(); ++t)
    for (std::size_t value = 0; value < std::accumulate(code.radices.begin(), code.radices.end(), std::size_t{0});
         ++value) {
      double sum = 0;
      for (std::size_t part = 0; part < parts; ++part) {
        const std::int32_t row = code.rows[value * parts + part];
        if (row >= 0) sum += weights[t * rows + static_cast<std::size_t>(row)];
      }
      data.weights.push_back(sum);
    }
  return data;
}

}  // namespace oneproxy
