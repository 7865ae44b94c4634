#include "oneproxy/engine/predictor/table_coverage.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace oneproxy {

TableCoverage table_coverage(const SearchSpace& space, const AdditivePredictor& table) {
  std::vector<std::size_t> offsets(space.n_decisions());
  std::exclusive_scan(space.radices().begin(), space.radices().end(), offsets.begin(), std::size_t{0});
  const std::size_t width = table.table().width(), first_digit = table.n_tables() > 1 ? 1 : 0;
  const auto& digits = space.digits();
  TableCoverage coverage;
  coverage.networks = space.size();
  std::vector<MissingEntry> entries(width);  // of each (decision, choice)
  for (int t = 0; t < table.n_tables(); ++t) {
    if (std::isnan(table.bias[t])) {
      ++coverage.n_absent;
      continue;
    }
    const double* weights = table.table().weights_of(t);
    ArchIndex networks = 1, predicted = 1;  // of this table
    for (std::size_t i = first_digit; i < digits.size(); ++i) networks *= digits[i].radix;
    for (std::size_t i = first_digit; i < digits.size(); ++i) {
      const Digit& digit = digits[i];
      std::uint32_t whole = 0;
      std::vector<std::uint32_t> missing(width, 0);  // values of the digit that have the choice
      for (std::uint32_t value = 0; value < digit.radix; ++value) {
        bool all = true;
        for (int part = 0; part < digit.n_decisions; ++part) {
          const int d = digit.first_decision + part;
          const auto row = offsets[d] + digit.values[value * digit.n_decisions + part];
          if (std::isfinite(weights[row])) continue;
          all = false;
          ++missing[row];
        }
        whole += all;
      }
      predicted *= whole;
      for (std::size_t row = 0; row < width; ++row) {
        if (missing[row] == 0) continue;
        ++entries[row].n_tables;
        entries[row].networks += networks / digit.radix * missing[row];
      }
    }
    coverage.predicted += predicted;
  }
  for (int d = 0; d < space.n_decisions(); ++d)
    for (int c = 0; c < space.radices()[d]; ++c) {
      auto& entry = entries[offsets[d] + c];
      entry.decision = d;
      entry.choice = c;
      if (entry.n_tables > 0) coverage.missing.push_back(entry);
    }
  std::stable_sort(coverage.missing.begin(), coverage.missing.end(),
                   [](const auto& a, const auto& b) { return a.networks > b.networks; });
  return coverage;
}

}  // namespace oneproxy
