#include "oneproxy/engine/predictor/cost_table.h"

#include <numeric>

#include "oneproxy/engine/space/cost.h"

namespace oneproxy {

// Weights are differences from the network of first choices, one decision at a time: exact, because costs add up over
// the blocks at a given resolution.
AdditivePredictor cost_table(const SearchSpace& space, const std::string& name) {
  double Cost::*part = cost_measure(name).part;
  AdditivePredictor table;
  table.space = space.name();
  table.radices.assign(space.radices().begin(), space.radices().end());
  table.target = cost_measure(name).label;
  table.unit = cost_measure(name).unit;
  std::vector<std::size_t> offsets(table.radices.size());
  std::exclusive_scan(table.radices.begin(), table.radices.end(), offsets.begin(), std::size_t{0});
  const std::size_t rows = std::accumulate(table.radices.begin(), table.radices.end(), std::size_t{0});
  const auto& digits = space.digits();
  const int n_tables = space.resolutions().empty() ? 1 : table.radices[0];
  for (int t = 0; t < n_tables; ++t) {
    std::vector<std::uint32_t> base(digits.size(), 0);
    if (n_tables > 1) base[0] = static_cast<std::uint32_t>(t);
    const auto cost = [&](std::span<const std::uint32_t> of) { return space.cost(space.choices_of(of)).*part; };
    std::vector<double> weights(rows, 0.0);
    const double first = cost(base);
    // A composite digit's decisions are told apart by its values, in each of which one more decision is new.
    for (std::size_t d = n_tables > 1 ? 1 : 0; d < digits.size(); ++d) {
      const auto& digit = digits[d];
      std::vector<char> known(rows, 0);
      for (int i = 0; i < digit.n_decisions; ++i) known[offsets[digit.first_decision + i] + digit.values[i]] = 1;
      for (std::uint32_t value = 0; value < digit.radix; ++value) {
        int unknown = -1, n_unknown = 0;
        double sum = 0;
        for (int i = 0; i < digit.n_decisions; ++i) {
          const std::size_t row = offsets[digit.first_decision + i] + digit.values[value * digit.n_decisions + i];
          if (known[row]) {
            sum += weights[row];
          } else {
            unknown = static_cast<int>(row);
            ++n_unknown;
          }
        }
        if (n_unknown != 1) continue;
        auto changed = base;
        changed[d] = value;
        weights[unknown] = cost(changed) - first - sum;
        known[unknown] = 1;
      }
    }
    table.weights.insert(table.weights.end(), weights.begin(), weights.end());
    table.bias.push_back(first);
  }
  return table;
}

}  // namespace oneproxy
