// What a search takes of `bayes`: weights where they add up, else the latency of every architecture.
#include <algorithm>

#include "oneproxy/engine/adapt/gaussian_process/bayes.h"
#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

AdditivePredictor BayesModel::additive_table(const AdaptedBayes& adapted) const {
  const auto& space = features_.space();
  if (!features_.physics().additive())
    throw Error("the features of " + space.name() +
                " do not add up over decisions, so there is no table of weights; export the table of all latencies");
  // Of an additive function the weights are its differences from one architecture.
  const auto radices = space.radices();
  const int n_tables = space.resolutions().empty() ? 1 : radices[0];
  std::vector<std::uint8_t> all;
  for (int t = 0; t < n_tables; ++t) {
    std::vector<std::uint8_t> base(radices.size(), 0);
    if (n_tables > 1) base[0] = static_cast<std::uint8_t>(t);
    all.insert(all.end(), base.begin(), base.end());
    for (std::size_t d = 0; d < radices.size(); ++d)
      for (std::uint8_t c = 0; c < radices[d]; ++c) {
        auto changed = base;
        if (n_tables == 1 || d > 0) changed[d] = c;  // else decision 0 selects the table
        all.insert(all.end(), changed.begin(), changed.end());
      }
  }
  const auto latency = latency_ms(adapted, features_.rows(all));
  AdditivePredictor table;
  table.space = space.name();
  table.radices.assign(radices.begin(), radices.end());
  table.unit = "ms";
  const std::size_t rows = latency.size() / n_tables;
  for (int t = 0; t < n_tables; ++t) {
    const double base = latency[t * rows];
    table.bias.push_back(base);
    for (std::size_t i = 1; i < rows; ++i) table.weights.push_back(latency[t * rows + i] - base);
  }
  return table;
}

IndexTable BayesModel::index_table(const AdaptedBayes& adapted) const {
  const auto& space = features_.space();
  if (space.size() > kIndexTableMost || !space.stages().empty())
    throw Error("a table of all latencies of " + space.name() + " would have " + to_decimal(space.size()) +
                " entries, at most 2^20 are made, and none of stages; use the table of weights");
  constexpr std::int64_t kChunk = 1 << 14;
  const auto size = static_cast<std::int64_t>(space.size());
  IndexTable table;
  table.space = space.name();
  table.radices.assign(space.radices().begin(), space.radices().end());
  table.unit = "ms";
  for (std::int64_t first = 0; first < size; first += kChunk) {
    std::vector<std::uint8_t> choices;
    for (std::int64_t i = first; i < std::min(size, first + kChunk); ++i) {
      const auto one = space.choices(static_cast<ArchIndex>(i));
      choices.insert(choices.end(), one.begin(), one.end());
    }
    const auto chunk = latency_ms(adapted, features_.rows(choices));
    table.values.insert(table.values.end(), chunk.begin(), chunk.end());
  }
  return table;
}

}  // namespace oneproxy
