#pragma once
// The value of every architecture of a small space, by index: for predictors that do not add up over decisions, such as
// an adapted one on the features of a cell. The scoring kernels do not run it; nothing is faster than the look-up.
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "oneproxy/engine/base/hdf5.h"
#include "oneproxy/engine/space/space.h"

namespace oneproxy {

inline constexpr std::uint64_t kIndexTableMost = std::uint64_t{1} << 20;  // architectures

// Of a space whose index is the mixed radix of its decisions (no stages), or of a list of networks.
struct IndexTable {
  std::string space;
  std::vector<std::uint8_t> radices;    // [n_decisions]
  std::string target, unit;             // "latency on phone", "ms"
  std::vector<double> values;           // [product of radices], first decision most significant, or [n]; finite
  H5Attributes record;                  // how it came to be
  std::vector<std::uint8_t> rows = {};  // of a list: [n, n_decisions] its networks, ascending; else empty

  // choices [n, n_decisions] -> values [n]; NaN for what the list does not have.
  void predict(std::span<const std::uint8_t> choices, std::span<double> values) const;
};

// Error where the table belongs to another space or to another layout of its code.
void check_predictor(const IndexTable& table, const SearchSpace& space, const std::string& where);

// Over all numbers that a prediction depends on, as hex.
std::string checksum(const IndexTable& table);

// A group of a store, /tables/<space>/<name>, or of a file of its own, "/". Errors: another format, missing parts,
// values that do not fit or are not finite, damaged data.
void write_table(H5File& file, const std::string& group, const IndexTable& table);
IndexTable read_index_table(const H5File& file, const std::string& group);
bool is_index_table(const H5File& file, const std::string& group);

}  // namespace oneproxy
