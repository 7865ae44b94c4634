#include "oneproxy/engine/predictor/tabulation.h"

#include <algorithm>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

Tabulation::Tabulation(const SearchSpace& space, bool additive) : space_(space), additive_(additive) {
  const auto radices = space.radices();
  const auto add = [&](const std::vector<std::uint8_t>& one) {
    choices_.insert(choices_.end(), one.begin(), one.end());
  };
  if (!additive) {
    if (space.size() > kIndexTableMost || !space.stages().empty())
      throw Error("a table of all architectures of " + space.name() + " would have " + to_decimal(space.size()) +
                  " entries, at most 2^20 are made, and none of stages; use the table of weights");
    for (ArchIndex i = 0; i < space.size(); ++i) add(space.choices(i));
    return;
  }
  // Of an additive function the weights are its differences from one architecture.
  n_tables_ = space.resolutions().empty() ? 1 : radices[0];
  for (int t = 0; t < n_tables_; ++t) {
    std::vector<std::uint8_t> base(radices.size(), 0);
    if (n_tables_ > 1) base[0] = static_cast<std::uint8_t>(t);
    add(base);
    for (std::size_t d = 0; d < radices.size(); ++d)
      for (std::uint8_t c = 0; c < radices[d]; ++c) {
        auto changed = base;
        if (n_tables_ == 1 || d > 0) changed[d] = c;  // else decision 0 selects the table
        add(changed);
      }
  }
}

std::int64_t Tabulation::n() const { return static_cast<std::int64_t>(choices_.size() / space_.radices().size()); }

Predictor Tabulation::predictor(std::span<const double> values, const std::string& unit) const {
  ONEPROXY_ASSERT(static_cast<std::int64_t>(values.size()) == n());
  const std::vector<std::uint8_t> radices(space_.radices().begin(), space_.radices().end());
  if (!additive_) {
    IndexTable table;
    table.space = space_.name();
    table.radices = radices;
    if (space_.is_listed()) table.rows = space_.list().choices;
    table.unit = unit;
    table.values.assign(values.begin(), values.end());
    return table;
  }
  AdditivePredictor table;
  table.space = space_.name();
  table.radices = radices;
  table.unit = unit;
  const std::size_t rows = values.size() / n_tables_;
  for (int t = 0; t < n_tables_; ++t) {
    const double base = values[t * rows];
    table.bias.push_back(base);
    for (std::size_t i = 1; i < rows; ++i) table.weights.push_back(values[t * rows + i] - base);
  }
  return table;
}

Predictor Tabulation::predictor(const std::function<std::vector<double>(std::span<const std::uint8_t>)>& function,
                                const std::string& unit) const {
  constexpr std::size_t kChunk = 1 << 14;  // architectures: their features are some hundred numbers each
  const std::size_t step = kChunk * space_.radices().size();
  std::vector<double> values;
  for (std::size_t first = 0; first < choices_.size(); first += step) {
    const auto some = function(choices().subspan(first, std::min(step, choices_.size() - first)));
    values.insert(values.end(), some.begin(), some.end());
  }
  return predictor(values, unit);
}

}  // namespace oneproxy
