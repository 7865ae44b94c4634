#pragma once
// A predictor that is a sum of one weight for each (decision, choice): a fitted linear predictor
// (engine/predictor/linear_fit.h), a look-up table of measured block latencies, a cost of the space
// (engine/predictor/cost_table.h). Where the input resolution changes every block (OFA), decision 0 is the resolution
// and selects one table of several. It owns the numbers; kernels see them as a view (kernels/additive/table.h).
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/base/hdf5.h"
#include "oneproxy/engine/predictor/rate_scale.h"
#include "oneproxy/engine/space/space.h"
#include "oneproxy/kernels/additive/table.h"

namespace oneproxy {

struct AdditivePredictor {
  std::string space;
  std::vector<std::uint8_t> radices;  // [n_decisions]
  std::string target, unit;           // "latency on Samsung Note10", "ms"
  // One table, or one for each choice of decision 0. NaN: this choice has no entry, so that no network with it can be
  // predicted. Decision 0's own weights are 0 where it selects the table.
  std::vector<double> weights;  // [n_tables, sum of radices]
  std::vector<double> bias;     // [n_tables]: what is the same for all (stem, head); NaN: no table for this choice
  H5Attributes record;          // source, licence, which tables are interpolated, ...
  // Of a rate: weights and bias sum to minus the time of one item, ms, and predictions are the rate.
  std::optional<RateScale> rate = {};

  int n_tables() const { return static_cast<int>(bias.size()); }
  AdditiveTable<double> table() const { return {weights, bias}; }  // over `radices`; of scores, where it is a rate
  // choices [n, n_decisions] -> values [n], f64, the same bits on both back ends; NaN where the table has no entry.
  // Errors as score_table. Without a back end: the CPU.
  void predict(std::span<const std::uint8_t> choices, std::span<double> values) const;
  void predict(std::span<const std::uint8_t> choices, std::span<double> values, Backend backend) const;
};

void check_predictor(const AdditivePredictor& predictor, const SearchSpace& space, const std::string& where);

// Over all numbers that a prediction depends on, as hex: part of the identity of a result.
std::string checksum(const AdditivePredictor& predictor);

// A group of a store, /tables/<space>/<name>, or of a file of its own, "/". Errors: missing parts, lengths that do not
// fit, damaged data.
void write_table(H5File& file, const std::string& group, const AdditivePredictor& table);
AdditivePredictor read_table(const H5File& file, const std::string& group);

}  // namespace oneproxy
