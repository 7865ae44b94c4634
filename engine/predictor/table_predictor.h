#pragma once
// Look-up-table latency: the sum of measured block latencies, one a (decision, choice), of a whole network. Where the
// input resolution changes every block (OFA), decision 0 is the resolution and selects one table of several.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/base/hdf5.h"
#include "oneproxy/engine/space/space.h"

namespace oneproxy {

struct TablePredictor {
  std::string space;
  std::vector<std::uint8_t> radices;  // [n_decisions]
  std::string target, unit;           // "latency on Samsung Note10", "ms"
  // One table, or one for each choice of decision 0. NaN: this choice has no entry, so that no network with it can be
  // predicted. Decision 0's own weights are 0 where it selects the table.
  std::vector<double> weights;  // [n_tables, sum of radices]
  std::vector<double> bias;     // [n_tables]: what is the same for all (stem, head); NaN: no table for this choice
  H5Attributes record;          // source, licence, which tables are interpolated, ...

  int n_tables() const { return static_cast<int>(bias.size()); }
  // values [n], f64, from decision 0 upwards; NaN where the table has no entry.
  void predict(std::span<const std::uint8_t> choices, std::span<double> values) const;
};

void check_predictor(const TablePredictor& predictor, const SearchSpace& space, const std::string& where);

// Over all numbers that a prediction depends on, as hex: part of the identity of a result.
std::string checksum(const TablePredictor& predictor);

// A group of a store, /tables/<space>/<name>, or of a file of its own, "/". Errors: missing parts, lengths that do not
// fit, damaged data.
void write_table(H5File& file, const std::string& group, const TablePredictor& table);
TablePredictor read_table(const H5File& file, const std::string& group);

}  // namespace oneproxy
